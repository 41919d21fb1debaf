"""Presets of earlier versions: what was shipped and saved then still loads, and means what it meant."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from engine.config import PlanningConfig, PolicyGradientConfig
from engine.config.migrations import VERSION, from_version_1, from_version_2, migrated
from engine.config.parameters import with_values
from engine.config.presets import Preset, load, save, shipped
from engine.runtime.errors import RequestError
from tests.each import each

VERSION_1 = Path(__file__).parent / "version_1"
SHIPPED_1 = {path.stem.split("-", 1)[1]: path for path in sorted(VERSION_1.glob("[0-9]*.toml"))}
CHOSEN_SINCE: dict[str, dict[str, Any]] = {  # by preset: what has been chosen otherwise than it was then
    "acrobot": {"estimator.baseline": "time-average", "update.learning_rate": 0.01},
    "cartpole-a2c": {"update.learning_rate": 0.002},
    "cartpole-memory": {"budget.environment_steps": 400_000},
    "mountain-car": {"update.max_kl": 0.1},
}


@pytest.mark.parametrize("name", SHIPPED_1)
def test_every_preset_shipped_with_version_1_is_the_one_shipped_now(name: str) -> None:
    assert with_values(load(SHIPPED_1[name]).config, CHOSEN_SINCE.get(name, {})) == shipped()[name].config


def test_an_exact_gradient_saved_by_version_1_sheds_what_it_never_used() -> None:
    config = load(VERSION_1 / "saved-exact.toml").config
    assert config == with_values(
        PolicyGradientConfig(),
        {
            "environment": "FrozenLake-v1",
            "policy": "tabular",
            "update": "exact-gradient",
            "estimator.gamma": 0.95,
            "evaluation.episodes": 4,
            "exploration.temperature": 2.0,
            "seed": 7,
        },
    )


def test_segments_saved_by_version_1_are_fixed_length_rollouts() -> None:
    config = load(VERSION_1 / "saved-ppo.toml").config
    assert config == with_values(
        PolicyGradientConfig(),
        {
            "policy": "gru",
            "collection": "fixed-length",
            "estimator.credit": "gae",
            "update": "ppo-clip",
            "exploration.greedy_start": 0.25,
            "environment.hidden": (1, 3),
            "environment.options.sutton_barto_reward": True,
        },
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {}),
        ({"collection": "segments"}, {"collection": "fixed-length"}),
        ({"collection": {"kind": "segments", "steps": 5}}, {"collection": {"kind": "fixed-length", "steps": 5}}),
        ({"collection": "episodes"}, {"collection": "episodes"}),
        ({"update": "exact-gradient", "collection": "episodes"}, {"update": "exact-gradient"}),
        (
            {"update": {"kind": "exact-gradient"}, "estimator": 3},
            {"update": {"kind": "exact-gradient"}, "estimator": 3},
        ),
        ({"update": 3, "collection": [1], "colour": "red"}, {"update": 3, "collection": [1], "colour": "red"}),
    ],
    ids=str,
)
def test_a_step_touches_what_changed_and_nothing_else(before: dict[str, Any], after: dict[str, Any]) -> None:
    kept = repr(before)
    assert from_version_1(before) == after
    assert repr(before) == kept


@pytest.mark.parametrize(
    ("rule", "rate", "taken"), [("q-learning", 2.0, 1.0), ("sarsa", 0.5, 0.5), ("sarsa", 99.0, 99.0), ("dqn", 2.0, 2.0)]
)
def test_steps_of_a_table_saved_by_version_2_are_what_they_were_taken_as(rule: str, rate: float, taken: float) -> None:
    before = {"update": {"kind": rule, "learning_rate": rate}}
    assert from_version_2(before) == {"update": {"kind": rule, "learning_rate": taken}}
    assert before["update"]["learning_rate"] == rate


def test_what_is_saved_now_says_its_version_and_is_taken_as_it_is(tmp_path: Path) -> None:
    save(Preset(title="T", config=PolicyGradientConfig()), tmp_path / "x.toml")
    content = tomllib.loads((tmp_path / "x.toml").read_text("utf-8"))
    assert content["version"] == VERSION
    assert migrated(content) == {name: value for name, value in content.items() if name != "version"}


@each("name", shipped())
def test_every_shipped_preset_is_of_the_present_version(name: str) -> None:
    (file,) = (Path(__file__).parents[3] / "resources" / "presets").glob(f"[0-9][0-9]-{name}.toml")
    assert tomllib.loads(file.read_text("utf-8"))["version"] == VERSION


@pytest.mark.parametrize("version", [0, -1, True, 1.5, "2", [1]])
def test_a_version_that_is_none_is_refused(version: Any) -> None:
    with pytest.raises(RequestError, match=r"version cannot be .*: it should be a whole number from 1 to"):
        migrated({"version": version, "config": {}})


def test_a_file_from_the_future_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text('version = 99\ntitle = "T"\n[config]\n', "utf-8")
    with pytest.raises(RequestError) as caught:
        load(path)
    assert str(caught.value) == (
        "The preset x.toml cannot be read: it is of version 99, and this program reads none later than 3; use a later "
        "program."
    )


def test_words_of_version_1_are_understood_where_a_value_is_set() -> None:
    default = PolicyGradientConfig()
    assert with_values(default, {"collection": "segments", "collection.steps": 5}) == with_values(
        default, {"collection": "fixed-length", "collection.steps": 5}
    )
    planning = with_values(default, {"update": "exact-gradient", "collection.episodes_per_update": 3})
    assert isinstance(planning, PlanningConfig)
    assert planning.evaluation.episodes == 3
    with pytest.raises(RequestError, match="There is no parameter collection"):
        with_values(planning, {"collection": "segments"})
