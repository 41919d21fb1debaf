"""What long updates say of how far they are."""

from __future__ import annotations

import pytest

from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.config.parameters import with_values
from engine.reports.events import Heartbeat
from engine.runtime import heartbeat
from engine.training.training import Training
from tests.engine.support import configured

UPDATING, FITTING = "updating the policy", "fitting the value function"


def said(algorithm: str, seeds: tuple[int, ...] = (), **values: object) -> list[tuple[str, str]]:
    """What the heartbeats of a first iteration say, each once and in order."""
    config = choose(configured(budget__environment_steps=1), ALGORITHMS[algorithm])
    config = with_values(config, {path.replace("__", "."): value for path, value in values.items()})
    training = Training(config, "a", seeds)
    beats = [(event.doing, event.detail) for event in training if isinstance(event, Heartbeat)]
    training.close()
    return list(dict.fromkeys(beats))


@pytest.fixture(autouse=True)
def _at_every_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "HEARTBEAT", 0.0)


@pytest.mark.parametrize("algorithm", ["ppo", "ppo-penalty", "ppo-lagrangian"])
def test_ppo_tells_its_epoch(algorithm: str) -> None:
    told = [detail for doing, detail in said(algorithm, update__epochs=3) if doing == UPDATING and detail]
    assert told == ["epoch 1 of 3", "epoch 2 of 3", "epoch 3 of 3"]


@pytest.mark.parametrize("seeds", [(), (1, 2)])
def test_fitting_tells_its_step(seeds: tuple[int, ...]) -> None:
    told = said("reinforce-learned-baseline", seeds, estimator__baseline__fit_steps=2)
    assert [detail for doing, detail in told if doing == FITTING] == ["step 1 of 2", "step 2 of 2"]


def test_trpo_tells_what_it_is_about() -> None:
    told = said("trpo", update__solver="cg")
    assert [detail for doing, detail in told if doing == UPDATING and detail] == ["conjugate gradients", "line search"]
    assert (UPDATING, "Fisher matrix") in said("npg", update__solver="exact", update__damping=0.1)


def test_off_policy_tells_its_step() -> None:
    told = said("off-policy-pg", update__updates_per_batch=2)
    assert [detail for doing, detail in told if doing == UPDATING and detail] == ["step 1 of 2", "step 2 of 2"]


def test_trajectories_for_the_value_function_alone_are_told_apart() -> None:
    told = said("reinforce-learned-baseline", estimator__baseline__fitted_on="independent")
    assert [detail for doing, detail in told if doing == "collecting"] == ["independent trajectories", ""]
