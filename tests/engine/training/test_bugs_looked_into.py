"""What is seen of an update that is made with a bug is what moved θ, so that a person can find the bug there."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.catalogue.methods.bugs import BUGS
from engine.config import PolicyGradientConfig
from engine.config.bugs import NO_BUG
from engine.config.parameters import with_values
from engine.config.updates import PPOClip
from engine.maths.losses import cut_off
from engine.policies.policy import Policy
from engine.reports.events import Updated
from engine.reports.update_events import AfterUpdate, Inspected, UpdateStep
from engine.training.training import Training
from tests.engine.training.test_bugs import configuration

RATE = 0.05
PLAIN = {
    "update.optimizer": "sgd",
    "update.learning_rate": RATE,
    "update.learning_rate_schedule": "constant",
    "update.max_grad_norm": 0.0,
    "update.entropy_coefficient": 0.0,  # its gradient is that of no sample
}
ONE_STEP = {"update.epochs": 1, "update.minibatch_size": 0}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    bug: (bug, {}) for bug in BUGS if isinstance(configuration(bug), PolicyGradientConfig)
}
SHARED = {"kind": "shared-value", "coefficient": 0.5}
CASES["attached-baseline of a shared network"] = ("attached-baseline", {"policy": "mlp", "estimator.baseline": SHARED})


class Looked:
    """The second iteration of a run, in which PPO's old policy may be another than the one that acted."""

    def __init__(self, bug: str, changes: dict[str, Any]) -> None:
        self.config = configuration(bug)
        assert isinstance(self.config, PolicyGradientConfig)
        steps = ONE_STEP if isinstance(self.config.update, PPOClip) else {}
        self.config = with_values(self.config, {**PLAIN, **steps, "bug": bug, **changes})
        training = Training(self.config)
        for event in training:
            if isinstance(event, Updated) and event.iteration == 1:
                training.watched = True
            elif isinstance(event, Inspected):
                self.batch, self.policy = event, copy.deepcopy(training.policy)
            elif isinstance(event, UpdateStep):
                self.step = event
            elif isinstance(event, AfterUpdate):
                self.after = event
            elif isinstance(event, Updated):
                break
        training.close()

    def gradient(self) -> Tensor:
        """Σ w ρ ∇ log π(a|s) over the steps that are not cut off, divided as it is said to be, and of V, which a shared
        network predicts as well, that of its loss towards the targets that are shown."""
        policy, batch, update = self.policy, self.batch, self.config.update
        observations, actions, weights = map(torch.from_numpy, (batch.observations, batch.actions, batch.weights))
        log_probs, values = _forward(policy, observations, actions)
        if isinstance(update, PPOClip):
            assert self.step.rows.tolist() == list(range(len(weights)))
            ratios = torch.from_numpy(self.step.log_ratios)
            flows = ~cut_off(ratios, weights, update.clip_range)
            objective = (weights * ratios.exp() * flows * log_probs).mean()
        else:
            objective = (weights * log_probs).sum() / batch.divisor
        if values is not None:
            assert batch.targets is not None
            objective = objective - 0.5 * (values - torch.from_numpy(batch.targets)).square().mean()
        parameters = list(policy.parameters())
        found = torch.autograd.grad(objective, parameters, allow_unused=True, materialize_grads=True)
        return torch.cat([part.flatten() for part in found])


def _forward(policy: Policy, observations: Tensor, actions: Tensor) -> tuple[Tensor, Tensor | None]:
    if policy.value_head is None:
        return policy.over(observations, None).log_prob(actions), None
    distribution, values = policy.evaluate(observations, None)
    return distribution.log_prob(actions), values


@pytest.mark.parametrize("case", CASES)
def test_the_weights_that_are_shown_make_the_gradient_that_was_climbed(case: str) -> None:
    looked = Looked(*CASES[case])
    wanted = RATE * looked.gradient()
    assert wanted.norm() > 0.0
    torch.testing.assert_close(
        torch.from_numpy(looked.step.parameter_change), wanted, rtol=1e-3, atol=1e-4 * float(wanted.abs().max())
    )


def test_ratios_that_are_shown_are_those_that_learning_had() -> None:
    stale, right = Looked("stale-log-probs", {}), Looked("stale-log-probs", {"bug": NO_BUG})
    assert abs(right.step.log_ratios).max() == 0.0
    assert abs(stale.step.log_ratios).max() > 1e-3
    for looked in (stale, right):
        policy, after = looked.step.policy, looked.after.log_ratios
        assert policy is not None
        assert after is not None
        moved = looked.after.log_probs - looked.batch.log_probs  # by the update alone
        assert policy.log_ratios == pytest.approx(moved, abs=1e-4)
        assert policy.rule_log_ratios == pytest.approx(looked.step.log_ratios + moved, abs=1e-4)
        assert after == pytest.approx(policy.rule_log_ratios, abs=1e-5)
