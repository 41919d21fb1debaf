"""Recordings shown again: the pictures of the very episode, or a sentence that says why there are none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.analysis import replaying
from engine.analysis.manual_play import ManualPlay
from engine.analysis.replaying import NO_SEED, Replay
from engine.config.environments import EnvironmentConfig
from engine.environments.batches.rendering import in_this_process
from engine.experience.demonstrations import Demonstration
from tests.engine.drawn import drawn_here

CORRIDOR = EnvironmentConfig(id="Corridor-v0", sticky_actions=0.3)
CARTPOLE = EnvironmentConfig(id="CartPole-v1", observation_noise=0.05)


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker process gives the same, later."""
    monkeypatch.setattr(replaying, "rendered", drawn_here)
    monkeypatch.setattr("engine.analysis.manual_play.rendered", drawn_here)


def played(environment: EnvironmentConfig, steps: int = 12) -> tuple[Demonstration, list[Any]]:
    """An episode, and the pictures that were seen in it."""
    play = ManualPlay(environment)
    frames = [play.begin(7)]
    while play.under_way and len(frames) <= steps:
        frames.append(play.step(np.array(len(frames) % 2)))
    episode = play.demonstration()
    play.close()
    assert episode is not None
    return episode, [frame.image for frame in frames]


@pytest.mark.parametrize("environment", [CORRIDOR, CARTPOLE], ids=["corridor", "cartpole"])
def test_a_recording_shows_the_pictures_that_were_seen_in_whatever_order(environment: EnvironmentConfig) -> None:
    episode, pictures = played(environment)
    replay = Replay(environment, episode)
    order = [0, 1, len(episode), 3, 2, 0]
    for step in order:
        frame = replay.frame(step)
        assert frame.image is not None, frame.problem
        assert np.array_equal(frame.image, pictures[step])
        assert frame.return_so_far == pytest.approx(episode.rewards[:step].sum())  # type: ignore[index]
    frame = replay.frame(1)
    assert (frame.action, frame.reward) == (episode.actions[1], episode.rewards[1])  # type: ignore[index]
    assert (replay.frame(len(episode)).action, replay.problem) == (None, "")
    replay.close()


def changed(episode: Demonstration, name: str, at: int) -> Demonstration:
    values = getattr(episode, name).copy()
    values[at] += 1
    return replace(episode, **{name: values})


@pytest.mark.parametrize(
    ("name", "at", "parted", "what"),
    [
        ("observations", 0, 0, "its first observation"),
        ("observations", 5, 5, "what is observed"),
        ("final_observation", 0, 12, "what is observed"),
        ("rewards", 4, 5, "the reward"),
    ],
)
def test_where_the_environment_does_something_else_pictures_end_with_a_sentence(
    name: str, at: int, parted: int, what: str
) -> None:
    episode, _ = played(CARTPOLE)
    replay = Replay(CARTPOLE, changed(episode, name, at))
    last = replay.frame(len(episode))
    assert last.image is None
    assert last.problem.startswith(f"From step {parted} on there are no pictures: {what} is not what was recorded")
    for step in range(parted):
        assert replay.frame(step).image is not None
    assert replay.frame(parted).problem == last.problem
    assert replay.frame(parted).observation is not None
    replay.close()


def test_an_end_that_was_not_recorded_is_told_of_unless_it_was_broken_off() -> None:
    episode, _ = played(CARTPOLE)
    assert not episode.terminated
    assert Replay(CARTPOLE, episode).frame(12).image is not None
    told = Replay(CARTPOLE, replace(episode, terminated=True)).frame(12)
    assert "whether it ends there is not what was recorded" in told.problem


def test_without_a_seed_or_an_environment_the_numbers_are_there_alone() -> None:
    episode, _ = played(CARTPOLE)
    frame = Replay(CARTPOLE, replace(episode, seed=None)).frame(3)
    assert (frame.image, frame.problem) == (None, NO_SEED)
    assert frame.observation is not None
    gone = Replay(EnvironmentConfig(id="Nowhere-v3"), episode).frame(3)
    assert gone.problem.startswith("There are no pictures. ")
    assert "Nowhere-v3" in gone.problem
    assert np.array_equal(gone.observation, episode.observations[3])  # type: ignore[arg-type]
    other = Replay(EnvironmentConfig(id="Acrobot-v1"), episode).frame(3)
    assert other.image is None
    assert other.problem.endswith(".")


def test_unseen_and_seen_environments_play_the_same_episode() -> None:
    episode, _ = played(CARTPOLE)
    made = in_this_process(CARTPOLE)
    assert np.array_equal(made.stepped.begin(7)[0], episode.observations[0])
