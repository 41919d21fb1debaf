"""Recordings from files and to files: the program's own format, and Minari's where it is installed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.config.environments import EnvironmentConfig
from engine.experience.demonstration_file import to_bytes
from engine.experience.demonstrations import Demonstration, Demonstrations
from engine.runs.imports import recognised
from engine.runs.library import Library
from engine.runs.minari_places import MINARI
from engine.runs.recording_files import RecordingFound, read, write
from engine.runs.recordings import Recordings
from engine.runtime.errors import RequestError

CARTPOLE = EnvironmentConfig(id="CartPole-v1")


def played(environment: EnvironmentConfig = CARTPOLE, **changed: Any) -> Demonstrations:
    first = Demonstration(
        observations=np.arange(12, dtype=np.float32).reshape(3, 4),
        actions=np.array([0, 1, 1]),
        rewards=np.array([1.0, 1.0, 0.5]),
        final_observation=np.full(4, 0.25, np.float32),
        terminated=True,
        seed=7,
    )
    return Demonstrations(environment, (replace(first, **changed), replace(first, terminated=False, truncated=True)))


def test_a_file_is_recognised_and_taken_into_the_library(tmp_path: Path, library_place: Path) -> None:
    path = tmp_path / "My landing.safetensors"
    assert write(played(), "plain", path) == f"Wrote 2 episodes of 6 steps to {path}."
    found = recognised(path)
    assert isinstance(found, RecordingFound)
    with Library(library_place) as library:
        taken = found.take(library)
        assert taken.sentence == "1 recording came into your library."
        (kept,) = Recordings(library).list()
    assert (kept.title, kept.source.words, kept.steps) == ("My landing", "My landing.safetensors", 6)
    path.write_bytes(to_bytes(played())[:-1])
    with pytest.raises(RequestError, match="no file of demonstrations, or a broken one"):
        found.take(library)


def test_what_cannot_be_read_or_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    for name, why in (("absent", "absent could not be read: No such file"), (".", "no demonstrations in the folder")):
        with pytest.raises(RequestError, match=why):
            read(tmp_path / name)
    with pytest.raises(RequestError, match=r"could not be written to .*: No such file or directory\.$"):
        write(played(), "plain", tmp_path / "no" / "such" / "folder")
    with pytest.raises(RequestError, match="cannot be written as pickle; there is plain, minari"):
        write(played(), "pickle", tmp_path / "file")


def test_without_minari_it_is_said_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.catalogue.family.find_spec", lambda name: None)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "metadata.json").write_text("{}")
    assert isinstance(recognised(tmp_path), RecordingFound)
    for do in (lambda: read(tmp_path), lambda: write(played(), "minari", tmp_path / "new-v0")):
        with pytest.raises(
            RequestError, match=r'Minari is not installed; install it with .*pip install -e "\.\[minari\]"'
        ):
            do()


# --- Minari -----------------------------------------------------------------------------------------------------------

needs_minari = pytest.mark.skipif(not MINARI.installed, reason="Minari is not installed")


@needs_minari
@pytest.mark.parametrize(
    ("environment", "changed"),
    [
        ({"id": "CartPole-v1", "time_limit": 3}, {}),
        (
            {"id": "Pendulum-v1"},
            {
                "observations": np.ones((3, 3), np.float32),
                "final_observation": np.zeros(3, np.float32),
                "actions": np.array([[0.5], [-1.0], [2.0]], np.float32),
            },
        ),
        (
            {"id": "FrozenLake-v1", "options": {"is_slippery": False}},
            {"observations": np.array([0, 1, 5]), "final_observation": np.array(6)},
        ),
    ],
)
def test_a_dataset_of_minaris_comes_back_as_it_was(
    tmp_path: Path, environment: dict[str, Any], changed: dict[str, Any]
) -> None:
    both = played(EnvironmentConfig(**environment), **changed)
    data = replace(both, episodes=tuple(replace(episode, **changed) for episode in both.episodes))
    write(data, "minari", tmp_path / "mine-v0")
    back = read(tmp_path / "mine-v0")
    assert back.environment == data.environment
    for mine, theirs in zip(data.episodes, back.episodes, strict=True):
        for name in ("observations", "actions", "rewards", "final_observation"):
            assert np.array_equal(getattr(mine, name), getattr(theirs, name))
            assert getattr(mine, name).dtype == getattr(theirs, name).dtype
        assert (mine.terminated, mine.truncated, mine.seed) == (theirs.terminated, theirs.truncated, theirs.seed)
        assert theirs.source == "Minari's mine-v0"
    import minari

    assert minari.MinariDataset(tmp_path / "mine-v0" / "data").total_steps == 6
    with pytest.raises(RequestError, match=r"something in .* already"):
        write(data, "minari", tmp_path / "mine-v0")


@needs_minari
def test_what_minari_cannot_hold_or_does_not_say_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="Episode 1 has no rewards, which Minari needs"):
        write(played(rewards=None), "minari", tmp_path / "mine-v0")
    with pytest.raises(RequestError, match="Episode 1 has no observation after its last step"):
        write(played(final_observation=None), "minari", tmp_path / "mine-v0")
    assert list(tmp_path.iterdir()) == []
    noisy = played(EnvironmentConfig(id="CartPole-v1", observation_noise=0.1))
    write(noisy, "minari", tmp_path / "noisy-v0")  # in no environment that another program could make
    with pytest.raises(RequestError, match="does not say which environment"):
        read(tmp_path / "noisy-v0")
    write(played(), "minari", tmp_path / "plain-v0")
    metadata = tmp_path / "plain-v0" / "data" / "metadata.json"
    told = json.loads(metadata.read_text())
    for changed, why in (
        ({"observation_space": None}, "does not say its spaces"),
        ({"data_format": "pickle"}, "cannot be read"),
        ({"total_episodes": 9}, "cannot be read"),
    ):
        metadata.write_text(json.dumps(told | changed))
        with pytest.raises(RequestError, match=why):
            read(tmp_path / "plain-v0")
    metadata.write_text(json.dumps(told | {"env_spec": json.dumps({"id": "x"})}))
    with pytest.raises(RequestError, match="cannot be read"):
        read(tmp_path / "plain-v0")
