"""What a person enters of what varies, and what an experiment is asked by it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.models.sweep_draft import SweepDraft, seeds_of
from app.models.variables import found_by, variables_of
from app.models.varied_rows import NamedSetting, VariedRow, assignments, new_row, row_of, varied_of
from engine.catalogue.environments import ENVIRONMENTS
from engine.config import RunConfig
from engine.config.parameters import with_values
from engine.config.presets import default, find
from engine.runs.sweeps.plan import planned
from engine.runs.sweeps.spec import Setting, Varied
from engine.runtime.errors import RequestError

CONFIG: RunConfig = default().config
PLAIN = ENVIRONMENTS[CONFIG.environment.id]
VARIABLES = {one.path: one for one in variables_of(CONFIG, PLAIN)}


def typed(path: str, **fields: Any) -> VariedRow:
    return replace(new_row(VARIABLES[path]), **fields)


def test_what_varies_is_found_by_all_its_words() -> None:
    found = [one.path for one in found_by(list(VARIABLES.values()), "learning rate")]
    assert found[0] == "update.learning_rate"
    assert {"estimator.baseline.learning_rate", "update.learning_rate_schedule"} < set(found)
    assert [one.path for one in found_by(list(VARIABLES.values()), "baseline method")] == ["estimator.baseline"]
    assert {"algorithm", "environment.id", "policy", "environment.reward_offset"} <= VARIABLES.keys()
    assert "seed" not in VARIABLES  # has its own place


@pytest.mark.parametrize(
    ("row", "asked"),
    [
        (typed("update.learning_rate", values="0.001; 0.5; 1e-2"), (0.001, 0.5, 0.01)),
        (typed("update.learning_rate", values="0.001 0.01,0.1"), (0.001, 0.01, 0.1)),
        (typed("collection.episodes_per_update", values="1, 8, 64"), (1, 8, 64)),
        (typed("collection.episodes_per_update", values="1\u202f000; 8"), (1000, 8)),
        (typed("policy.hidden_sizes", values="none; 64; 64, 64"), ((), (64,), (64, 64))),
        (typed("estimator.normalize_advantages", ticked=(False, True)), (False, True)),
        (typed("algorithm", ticked=("reinforce", "ppo")), ("reinforce", "ppo")),
    ],
)
def test_values_are_read_as_they_are_typed(row: VariedRow, asked: tuple[Any, ...]) -> None:
    varied = varied_of(row)
    assert varied.values == asked
    assert varied_of(row_of(varied, list(VARIABLES.values()))) == varied


def test_ranges_and_named_settings_come_back_as_they_were() -> None:
    ranged = varied_of(typed("update.learning_rate", way="log", low="1e-4", high="0.1", count=4))
    assert ranged == Varied(path="update.learning_rate", low=1e-4, high=0.1, count=4, scale="log")
    named = Varied(
        settings=(
            Setting(title="plain", set={}),
            Setting(title="deep", set={"policy.hidden_sizes": (64, 64), "update.learning_rate": 0.01}),
        )
    )
    for varied in (ranged, named):
        assert varied_of(row_of(varied, list(VARIABLES.values()))).model_dump(mode="json") == varied.model_dump(
            mode="json"
        )
    assert assignments('algorithm=ppo, policy.hidden_sizes=[64, 64]; a="x, y"', "t") == {
        "algorithm": "ppo",
        "policy.hidden_sizes": [64, 64],
        "a": "x, y",
    }


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (typed("update.learning_rate", values=""), "enter the values"),
        (typed("update.learning_rate", values="0.1, much"), "much is not a number"),
        (typed("collection.episodes_per_update", values="1,000, 2"), "without a comma"),
        (typed("update.learning_rate", way="linear", low="", high="1"), "lowest value"),
        (typed("update.learning_rate", way="linear", low="1", high="0.1"), "low that is below its high"),
        (typed("update.learning_rate", way="log", low="0", high="0.1"), "logarithmic"),
        (typed("algorithm", ticked=()), "tick"),
        (VariedRow(settings=(NamedSetting("", ""),)), "a name"),
        (VariedRow(settings=(NamedSetting("a", "policy"),)), "KEY=VALUE"),
        (VariedRow(settings=(NamedSetting("a", ""), NamedSetting("a", "x=1"))), "same name"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(row: VariedRow, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        varied_of(row)


def test_seeds_are_a_number_or_a_list() -> None:
    assert [seeds_of(text) for text in ("5", "1, 2, 7", "7,", "× 3")] == [5, (1, 2, 7), (7,), 3]
    for text in ("", "many", "0", "1, 1", "-3", "2000"):
        with pytest.raises(RequestError, match="Seeds"):
            seeds_of(text)


def test_what_train_has_becomes_a_named_setting_that_makes_it() -> None:
    draft = SweepDraft(CONFIG, PLAIN)
    draft.add_settings()
    other = with_values(find("cartpole-ppo").config, {"seed": CONFIG.seed})
    draft.add_setting(0, other, "PPO")
    draft.add_setting(0, other, "PPO")
    draft.set_row(0, replace(draft.rows[0], settings=draft.rows[0].settings[:2]))
    plan = planned(draft.sweep())
    assert [point.config for point in plan.points] == [CONFIG, other]
    assert [list(point.settings.values()) for point in plan.points] == [["as it is"], ["PPO"]]


def test_a_design_is_the_same_after_it_was_asked_and_taken_again() -> None:
    draft, again = SweepDraft(CONFIG, PLAIN), SweepDraft(CONFIG, PLAIN)
    for path in ("update.learning_rate", "estimator.baseline", "policy.hidden_sizes"):
        draft.add(VARIABLES[path])
    draft.set(title="All", shows="That it works.", seeds="4, 9", design="sobol", points=8)
    again.take(draft.sweep())
    assert again.sweep() == draft.sweep()
    again.start_from(find("cartpole-ppo").config, PLAIN)
    assert [row.called for row in again.rows] == [row.called for row in draft.rows]
