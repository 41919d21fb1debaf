"""Presets on disk: what is saved is what is loaded, and nothing that happens to a file escapes as another error."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from engine.catalogue.environments import ENVIRONMENTS, EXTRAS
from engine.catalogue.methods.compatibility import refusal
from engine.catalogue.methods.entries import ALGORITHMS, POLICIES
from engine.catalogue.methods.picking import choose
from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.config.presets import Preset, find, load, save, shipped
from engine.environments.making.lookup import inspect
from engine.runtime.errors import RequestError
from tests.each import each

TAKE_TOO_LONG = {"BipedalWalkerHardcore-v3", "CarRacing-v3"}
LEARNED_HERE = {  # what an extra brings, and two cores learn within minutes, of the games one within an hour
    "mujoco": {"InvertedPendulum-v5", "InvertedDoublePendulum-v5", "Reacher-v5", "Hopper-v5", "HalfCheetah-v5"},
    "minigrid": {"MiniGrid-Empty-5x5-v0", "MiniGrid-Empty-8x8-v0"},
    "atari": {"ALE/Pong-v5"},
}
PRESET = Preset(
    title="Mine",
    summary='Zürich, "γ" \\ 𝛼\nsecond line',
    config=with_values(PolicyGradientConfig(), {"update.learning_rate": 1e-5}),
)


def refused(path: Path) -> str:
    with pytest.raises(RequestError) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@each("policy", POLICIES)
@each("algorithm", ALGORITHMS)
def test_what_is_saved_is_loaded(policy: str, algorithm: str, tmp_path: Path) -> None:
    config = choose(choose(PolicyGradientConfig(), POLICIES[policy]), ALGORITHMS[algorithm])
    preset = PRESET.model_copy(update={"config": config})
    save(preset, tmp_path / "x.toml")
    assert load(tmp_path / "x.toml") == preset


@each("name", shipped())
def test_every_shipped_preset_can_be_trained(name: str) -> None:
    config = shipped()[name].config
    assert refusal(config, inspect(config.environment.id)) is None


def test_shipped_presets_are_told_apart_by_their_titles() -> None:
    titles = [preset.title for preset in shipped().values()]
    assert len(set(titles)) == len(titles)


def test_every_environment_that_needs_no_extra_has_a_preset_unless_two_cores_take_too_long_for_it() -> None:
    at_hand = {info.id for info in ENVIRONMENTS.values() if info.family not in EXTRAS}
    assert at_hand - {preset.config.environment.id for preset in shipped().values()} == TAKE_TOO_LONG


@pytest.mark.parametrize("family", LEARNED_HERE)
def test_of_what_needs_an_extra_that_has_a_preset_which_two_cores_learn(family: str) -> None:
    known = {info.id for info in ENVIRONMENTS.values() if info.family == family}
    assert known & {preset.config.environment.id for preset in shipped().values()} == LEARNED_HERE[family]


def test_any_text_and_small_numbers_survive(tmp_path: Path) -> None:
    save(PRESET, tmp_path / "x.toml")
    assert load(tmp_path / "x.toml") == PRESET


def test_saving_replaces_what_was_there_and_leaves_no_other_file(tmp_path: Path) -> None:
    target = tmp_path / "x.toml"
    save(PRESET, target)
    save(PRESET.model_copy(update={"title": "Other"}), target)
    assert load(target).title == "Other"
    assert [path.name for path in tmp_path.iterdir()] == ["x.toml"]


@pytest.mark.parametrize(
    ("reaches", "seconds", "words"),
    [
        (200.0, 52.0, "trains to 200 in about 50 s"),
        (0.7442, 3.4, "trains to 0.7442 in about 3 s"),
        (-13.0, 240.0, "trains to −13 in about 4 min"),
        (900.0, 7000.0, "trains to 900 in about 2 h"),
        (475.0, 0.2, "trains to 475 in about 1 s"),
        (475.0, None, "reaches 475"),
        (None, None, ""),
    ],
)
def test_what_was_measured_of_a_preset_is_said_in_one_sentence(
    reaches: float | None, seconds: float | None, words: str, tmp_path: Path
) -> None:
    preset = PRESET.model_copy(update={"reaches": reaches, "seconds": seconds})
    assert preset.measured == words
    save(preset, tmp_path / "x.toml")
    assert load(tmp_path / "x.toml") == preset


def test_a_bare_kind_is_enough_in_a_file(tmp_path: Path) -> None:
    target = tmp_path / "x.toml"
    target.write_text('title = "T"\n[config]\nenvironment = "Acrobot-v1"\npolicy = "linear"\n', "utf-8")
    config = load(target).config
    assert (config.environment.id, config.policy.kind) == ("Acrobot-v1", "linear")


def test_a_path_can_stand_for_a_name(tmp_path: Path) -> None:
    save(PRESET, tmp_path / "x.toml")
    assert find(str(tmp_path / "x.toml")) == PRESET


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(RequestError, match="There is no preset zzzzz; there is "):
        find("zzzzz")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title = ", "is not valid TOML"),
        ('title = "a"\ntitle = "b"\n[config]', "is not valid TOML"),
        ('title = "T"', "config is missing."),
        ("[config]", "title is missing."),
        ('title = ""\n[config]', "title cannot be"),
        ('title = "T"\ncolour = 3\n[config]', "There is no parameter colour"),
        (
            'title = "T"\n[config.update]\nkind = "gradient-ascent"\nspeed = 3',
            "There is no parameter config.update.speed",
        ),
        (
            'title = "T"\n[config.update]\nkind = "gradient-ascent"\nlearning_rate = -1',
            "config.update.learning_rate cannot",
        ),
        ('title = "T"\nconfig = 3', "config cannot be 3"),
        ('title = "T"\n[config]\nseed = 1979-05-27', "config.seed cannot be"),
        ('title = "T"\n[config]\nseed = nan', "config.seed cannot be"),
    ],
)
def test_a_broken_file_is_refused_in_one_sentence_naming_it_and_the_fault(
    text: str, words: str, tmp_path: Path
) -> None:
    target = tmp_path / "broken.toml"
    target.write_text(text, "utf-8")
    message = refused(target)
    assert "broken.toml" in message
    assert words in message


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    target = tmp_path / "x.toml"
    target.write_bytes(b"\xff\xfe\x00")
    assert refused(target) == "The preset x.toml could not be read: it is written in UTF-16; save it as UTF-8."
    target.write_bytes(b"\xff\x00")
    assert refused(target) == "The preset x.toml could not be read: it is not a text file."


def test_a_byte_order_mark_and_any_ends_of_lines_are_taken(tmp_path: Path) -> None:
    target = tmp_path / "x.toml"
    save(PRESET, target)
    target.write_bytes(b"\xef\xbb\xbf" + target.read_bytes().replace(b"\n", b"\r\n"))
    assert load(target) == PRESET


def test_what_never_ends_and_what_never_begins_are_refused(tmp_path: Path) -> None:
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * 1_000_001)
    assert refused(large).endswith("it is larger than 1,000 kB.")
    if hasattr(os, "mkfifo"):
        pipe = tmp_path / "pipe.toml"
        os.mkfifo(pipe)
        assert refused(pipe).endswith("it is no file.")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("[" * 3000 + "]" * 3000, "nested too deeply"),
        ("[" * 100 + "]" * 100, "config.seed is nested too deeply"),
        ("9" * 5000, "too many digits"),
        ("0x" + "f" * 5000, "config.seed cannot be a number of 6,021 digits: it is too large."),
        ("9" * 400, "9…: it is too large."),
    ],
    ids=["deeper than can be read", "deep", "longer than can be read", "longer than can be written", "long"],
)
def test_what_could_not_even_be_gone_through_is_refused(value: str, words: str, tmp_path: Path) -> None:
    target = tmp_path / "x.toml"
    target.write_text(f'title = "T"\n[config]\nseed = {value}\n', "utf-8")
    assert words in refused(target)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "x.toml") == "The preset x.toml could not be read: No such file or directory."


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path).endswith("Is a directory.")


def fail_with(code: int) -> object:
    def fail(_: int) -> None:
        raise OSError(code, os.strerror(code))

    return fail


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "x.toml"
    save(PRESET, target)
    before = target.read_bytes()
    monkeypatch.setattr(os, "fsync", fail_with(errno.ENOSPC))
    with pytest.raises(RequestError, match=r"could not be saved as x\.toml: No space left on device\.$"):
        save(PRESET.model_copy(update={"title": "Other"}), target)
    assert target.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["x.toml"]


@pytest.mark.parametrize(
    "where",
    ["no-such-folder/x.toml", "a-file/x.toml", "a-folder", "x" * 254 + ".toml"],
    ids=["missing folder", "file for a folder", "folder for a file", "name too long"],
)
def test_a_place_that_cannot_be_written_is_refused(where: str, tmp_path: Path) -> None:
    (tmp_path / "a-file").touch()
    (tmp_path / "a-folder").mkdir()
    with pytest.raises(RequestError, match="could not be saved"):
        save(PRESET, tmp_path / where)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-file", "a-folder"]
