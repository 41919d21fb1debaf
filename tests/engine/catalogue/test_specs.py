"""The records of methods: nothing can be left out of one, and what has none is nothing else."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from engine.algorithms.policy_gradient.rules import RULES, make_rule
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.baselines import BASELINE_SPECS
from engine.catalogue.methods.collections import COLLECTION_SPECS
from engine.catalogue.methods.credits import CREDIT_SPECS
from engine.catalogue.methods.distributions import DISTRIBUTION_SPECS
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.catalogue.methods.pinned import pinned
from engine.catalogue.methods.points import kind_of
from engine.catalogue.methods.policies import POLICY_SPECS
from engine.catalogue.methods.spec import BaselineSpec, CreditSpec, UpdateSpec, by_kind, require_same_kinds
from engine.catalogue.methods.specs import IMITATION_SPECS, PLANNING_SPECS, RULE_SPECS, UPDATE_SPECS, method_of
from engine.config import FAMILY_OF, PolicyGradientConfig
from engine.config.parameters import parameters_of
from engine.policies.policy import Policy
from tests.each import each

CARTPOLE = ENVIRONMENTS["CartPole-v1"]
EVERY = {
    "policy": POLICY_SPECS,
    "distribution": DISTRIBUTION_SPECS,
    "collection": COLLECTION_SPECS,
    "credit": CREDIT_SPECS,
    "baseline": BASELINE_SPECS,
    "update": UPDATE_SPECS,
    "planning": PLANNING_SPECS,
    "imitation": IMITATION_SPECS,
}


@pytest.mark.parametrize("axis", EVERY)
def test_every_record_goes_by_the_kind_that_picking_it_sets(axis: str) -> None:
    for kind, spec in EVERY[axis].items():
        assert spec.entry.id == kind
        assert kind in spec.entry.values.values()


def test_what_can_be_configured_has_a_record() -> None:
    config = PolicyGradientConfig()
    for model, specs in (
        (type(config), {"policy": POLICY_SPECS, "collection": COLLECTION_SPECS}),
        (type(config.estimator), {"credit": CREDIT_SPECS, "baseline": BASELINE_SPECS}),
    ):
        for name, spec in specs.items():
            choices: Any = model.model_fields[name].annotation
            assert {kind_of(choice) for choice in choices.__args__} == set(spec)
    assert set(FAMILY_OF) == set(RULE_SPECS)


@pytest.mark.parametrize("record", [UpdateSpec, CreditSpec, BaselineSpec], ids=lambda record: record.__name__)
def test_whatever_is_left_out_of_a_record_is_missed_at_once(record: Any) -> None:
    axis: dict[Any, Any] = {UpdateSpec: UPDATE_SPECS, CreditSpec: CREDIT_SPECS, BaselineSpec: BASELINE_SPECS}
    whole = next(iter(axis[record].values()))._asdict()
    assert record(**whole)._asdict() == whole
    for name in whole:
        with pytest.raises(TypeError, match=name):
            record(**{field: value for field, value in whole.items() if field != name})


def test_a_metric_that_there_is_not_is_missed_at_once() -> None:
    spec = UPDATE_SPECS["trpo"]
    with pytest.raises(KeyError, match="how_it_feels"):
        by_kind([spec._replace(metrics=("kl", "how_it_feels"))])


def test_two_records_of_a_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="two records of trpo"):
        by_kind([UPDATE_SPECS["trpo"], UPDATE_SPECS["trpo"]])


def test_what_is_made_and_what_has_a_record_is_the_same() -> None:
    with pytest.raises(ValueError, match="trpo"):
        require_same_kinds({}, {"trpo": UPDATE_SPECS["trpo"]})
    with pytest.raises(ValueError, match="unheard-of"):
        require_same_kinds({"unheard-of": None, "trpo": None}, {"trpo": None})


@pytest.mark.parametrize(
    "values",
    [
        {"update": "ppo-clop"},
        {"estimator": {"credit": "gaga", "baseline": "value"}},
        {"estimator": {"credit": "gae", "baseline": "valu"}},
    ],
    ids=str,
)
def test_an_unknown_kind_is_never_taken_for_another(values: dict[str, Any]) -> None:
    config: Any = PolicyGradientConfig()
    for name, value in values.items():
        one = _Kind(value) if isinstance(value, str) else _Kind(None, {k: _Kind(v) for k, v in value.items()})
        config = config.model_copy(update={name: one})
    with pytest.raises(KeyError):
        method_of(config, CARTPOLE)


class _Kind:
    """A choice that no configuration offers."""

    def __init__(self, kind: str | None, parts: dict[str, Any] | None = None) -> None:
        self.kind = kind
        vars(self).update(parts or {})


@each("algorithm", ALGORITHMS)
def test_what_a_method_pins_are_a_few_parameters_that_it_has(algorithm: str) -> None:
    config = choose(PolicyGradientConfig(), ALGORITHMS[algorithm])
    paths = pinned(config)
    assert set(paths) <= {parameter.path for parameter in parameters_of(config)}
    assert "estimator.gamma" in paths
    assert len(set(paths)) == len(paths) <= 6
    assert paths[0].startswith("update.")


def test_an_update_without_rule_is_none() -> None:
    config: Any = PolicyGradientConfig()
    policy = Policy(config.policy, CARTPOLE, torch.Generator())
    with pytest.raises(KeyError):
        make_rule(config.model_copy(update={"update": _Kind("ppo-clop")}), policy, torch.Generator(), None)


def test_every_rule_is_made_once() -> None:
    assert sorted(kind_of(config) for config in RULES) == sorted(UPDATE_SPECS)
