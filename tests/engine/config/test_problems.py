"""What is wrong with a value: as data with path, value and limit, and as a sentence."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from engine.config import FAMILY_OF, PolicyGradientConfig
from engine.config.parameters import with_values
from engine.config.problems import ParameterError, Problem, sentence
from engine.config.validation import validated

DEFAULT = PolicyGradientConfig()


def problem(values: dict[str, Any]) -> Problem:
    with pytest.raises(ParameterError) as caught:
        with_values(DEFAULT, values)
    assert str(caught.value) == sentence(caught.value.problem)
    return caught.value.problem


@pytest.mark.parametrize(
    ("path", "value", "kind", "limit"),
    [
        ("update.learning_rate", 200.0, "at-most", 100.0),
        ("update.learning_rate", 0.0, "above", 0.0),
        ("update.learning_rate", "fast", "type", "a number"),
        ("update.learning_rate", float("nan"), "type", "a number"),
        ("collection.episodes_per_update", 0, "at-least", 1),
        ("collection.episodes_per_update", 1.5, "type", "a whole number"),
        ("collection.episodes_per_update", "9" * 5000, "too-large", None),
        ("estimator.normalize_advantages", 2, "type", "true or false"),
        ("environment.id", 5, "type", "a text"),
        ("environment.hidden", "x", "type", "a list"),
        ("environment.options", 5, "type", "names with values"),
        ("budget", 5, "type", "names with values"),
        ("policy.hidden_sizes", (), "fewest", 1),
        ("policy.hidden_sizes", (8,) * 9, "most", 8),
        ("update.optimizer", "lion", "choice", ("sgd", "momentum", "rmsprop", "adam")),
        ("policy", "transformer", "choice", ("tabular", "linear", "mlp", "gru", "cnn")),
        ("update", "lion", "choice", tuple(FAMILY_OF)),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_value_that_does_not_fit_is_told_with_its_path_and_limit(
    path: str, value: Any, kind: str, limit: Any
) -> None:
    found = problem({path: value})
    assert (found.path, found.kind, found.limit, found.index) == (path, kind, limit, None)
    assert repr(found.value) == repr(value)  # nan is not equal to itself


def test_an_entry_of_a_list_is_told_with_its_place() -> None:
    assert problem({"policy.hidden_sizes": (8, 0)}) == Problem("policy.hidden_sizes", "at-least", 0, 1, 1)


def test_an_unknown_path_is_told_with_those_there_are() -> None:
    found = problem({"budget.steps": 3})
    assert found == Problem("budget.steps", "unknown", "budget.steps", ("budget.environment_steps",))


def test_an_option_without_a_plain_value_is_told_as_one() -> None:
    found = problem({"environment.options": {"depth": 1, "shape": None}})
    assert found == Problem("environment.options.shape", "type", None, found.limit)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"policy": {}}, Problem("policy.kind", "missing")),
        ({"seed": 1, "colour": 3}, Problem("colour", "unknown", None)),
        ({"update": "exact-gradient", "estimator": {"credit": "gae"}}, Problem("estimator.credit", "unknown")),
        (
            {"update": {"kind": "exact-gradient", "learning_rate": -1}},
            Problem("update.learning_rate", "above", -1, 0.0),
        ),
        (
            {"estimator": {"baseline": {"kind": "value", "fit_steps": -1}}},
            Problem("estimator.baseline.fit_steps", "at-least", -1, 0),
        ),
        ([], Problem("", "type", [], "names with values")),
    ],
    ids=str,
)
def test_plain_data_that_does_not_fit_is_told_without_pydantics_tags(data: Any, expected: Problem) -> None:
    with pytest.raises(ParameterError) as caught:
        validated(data)
    assert caught.value.problem == expected


RATE = Problem("update.learning_rate", "above", -0.5, 0.0)
UNMADE = Problem("environment.options", "other", limit="No goal", option_of="X-v0")
NO_OPTION = Problem("environment.options.a", "unknown", "a", (), option_of="X-v0")
THIRD = Problem("policy.hidden_sizes", "at-least", 0, 1, 2)
LONG = Problem("title", "most", "x" * 99, 80)
SEED = Problem("seed", "at-most", 2**32, 2**32 - 1)
SLIP = Problem("environment.options.slip", "at-most", 1.5, 1.0, option_of="GridWorld-v0")


@pytest.mark.parametrize(
    ("told", "name", "expected"),
    [
        (RATE, "", "update.learning_rate cannot be -0.5: it should be greater than 0."),
        (RATE, "Learning rate", "Learning rate cannot be −0.5: it should be greater than 0."),
        (SLIP, "", "The option slip of GridWorld-v0 is at most 1, not 1.5."),
        (SLIP, "Slip", "Slip is at most 1, not 1.5."),
        (UNMADE, "", "X-v0 could not be made: No goal."),
        (UNMADE, "Options", "No goal."),
        (NO_OPTION, "", "X-v0 has no option a; it has none."),
        (THIRD, "", "policy.hidden_sizes.2 cannot be 0: it should be at least 1."),
        (Problem("title", "fewest", "", 1), "", "title cannot be empty: at least one character is needed."),
        (LONG, "", f'title cannot be "{"x" * 58}…: it should have at most 80 characters.'),
        (SEED, "", "seed cannot be 4294967296: it should be at most 4294967295."),
    ],
)
def test_a_problem_reads_as_a_sentence(told: Problem, name: str, expected: str) -> None:
    assert sentence(told, name, "−" if name else "-") == expected


def test_an_error_survives_the_way_to_another_process() -> None:
    error = ParameterError(RATE, "The preset x does not fit: ")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.problem) == (str(error), RATE)
