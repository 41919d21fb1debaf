"""What an update calls old stays what it was, and what is reported of the way from there is the whole way."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from gymnasium import spaces
from torch import Tensor

from engine.algorithms.policy_gradient import natural_gradient, proximal, trpo
from engine.algorithms.policy_gradient.off_policy import OffPolicyRule
from engine.algorithms.policy_gradient.rule import UpdateInput
from engine.config import RunConfig
from engine.policies.policy import Policy
from engine.reports.events import Reweighted, Updated
from engine.training.training import Training
from tests.each import each
from tests.engine.states import held
from tests.engine.support import Toy, configured, register

STEPS: dict[str, dict[str, Any]] = {
    "npg": {"kind": "natural-gradient", "max_kl": 0.5, "learning_rate": 3.0, "damping": 0.1},
    "trpo": {"kind": "trpo", "max_kl": 0.2, "damping": 0.1},
    "ppo": {"kind": "ppo-clip", "clip_range": 0.5, "learning_rate": 0.05, "epochs": 3},
    "ppo-penalty": {"kind": "ppo-penalty", "learning_rate": 0.05, "epochs": 3},
    "ppo-lagrangian": {"kind": "ppo-lagrangian", "learning_rate": 0.05, "epochs": 3},
    "off-policy": {"kind": "off-policy", "learning_rate": 0.05, "updates_per_batch": 3},
}
BOX = spaces.Box(-2.0, 3.0, (2,))
DISTRIBUTIONS: dict[str, tuple[Any, dict[str, Any]]] = {
    "softmax": (spaces.Discrete(3), {}),
    "several softmaxes": (spaces.MultiDiscrete([2, 3]), {}),
    "switches": (spaces.MultiBinary(2), {}),
    "gaussian": (BOX, {"policy.distribution": "gaussian"}),
    "gaussian, per state": (BOX, {"policy.distribution": "gaussian", "policy.spread": "per-state"}),
    "squashed": (BOX, {"policy.distribution": "tanh-gaussian"}),
    "squashed, tempered": (BOX, {"policy.distribution": "tanh-gaussian", "exploration.temperature": 0.5}),
    "beta": (BOX, {"policy.distribution": "beta"}),
}


class Uneven(Toy):
    """Every step pays another amount, so that there is something to learn."""

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        observation, _, *rest = super().step(action)
        return observation, float(self.np_random.normal()), *rest


def running(update: str, distribution: str) -> RunConfig:
    action, values = DISTRIBUTIONS[distribution]
    environment = register("test/Uneven-v0", Uneven, lengths=(3, 5), action=action)
    return configured(
        environment=environment,
        **{"estimator.baseline": "none", "update": STEPS[update], "collection.episodes_per_update": 8},
        **values,
    )


class Watched:
    """One iteration of a run: the policy before it, the update, all that it called old, and a copy of that."""

    def __init__(self, config: RunConfig, monkeypatch: pytest.MonkeyPatch) -> None:
        self.old: list[tuple[Tensor, Tensor]] = []
        for place, name in (
            (natural_gradient, "old_distributions"),
            (trpo, "old_distributions"),
            (OffPolicyRule, "_behaviour"),
        ):
            monkeypatch.setattr(place, name, self._keeping(getattr(place, name)))
        made = proximal.Surrogate

        def surrogate(*given: Any) -> Any:
            found = made(*given)
            self._keep((found.old, found.old_log_probs))
            return found

        monkeypatch.setattr(proximal, "Surrogate", surrogate)
        training = Training(config)
        learner: Any = training.learner
        update = learner._rule.update

        def watching(given: UpdateInput) -> Any:
            self.given, self.before = given, copy.deepcopy(training.policy)
            self._keep((given.batch.advantages, given.batch.actions, given.weights))
            return (yield from update(given))

        learner._rule.update = watching
        self.ratios: Tensor | None = None
        for event in training:
            if isinstance(event, Reweighted):
                self.ratios = torch.from_numpy(event.log_ratios)
            if isinstance(event, Updated):
                self.metrics = event.metrics
                break
        self.after = training.policy
        training.close()

    def _keep(self, something: Any) -> None:
        self.old.extend((tensor, tensor.clone()) for tensor in held(something))

    def _keeping(self, original: Any) -> Any:
        def generator(*given: Any) -> Any:
            found = yield from original(*given)
            self._keep(found)
            return found

        return generator

    @torch.no_grad()
    def log_prob(self, policy: Policy) -> Tensor:
        return self._over(policy).log_prob(self.given.batch.actions)

    @torch.no_grad()
    def kl(self, one: Policy, other: Policy) -> float:
        return float(self._over(one).kl(self._over(other)).mean())

    def _over(self, policy: Policy) -> Any:
        return policy.over(self.given.batch.observations, None)


@each("distribution", DISTRIBUTIONS)
@each("update", STEPS)
def test_what_is_old_stays_and_what_is_told_is_the_whole_way(
    update: str, distribution: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Watched(running(update, distribution), monkeypatch)
    assert len(found.old) > 3
    assert all(torch.equal(now, then) for now, then in found.old)
    moved = [not torch.equal(one, other) for one, other in zip(held(found.before), held(found.after), strict=True)]
    assert all(moved)  # the spread, where it is a parameter, as well
    ratios = found.log_prob(found.after) - found.log_prob(found.before)
    expected: dict[str, float] = {}
    if update in ("npg", "trpo"):
        expected["kl"] = found.kl(found.before, found.after)
    elif update != "off-policy":
        expected["approx_kl"] = float((ratios.double().expm1() - ratios.double()).mean())
        assert found.ratios is not None
        torch.testing.assert_close(found.ratios, ratios, rtol=1e-3, atol=1e-5)
    if update == "ppo":
        expected["clip_fraction"] = float(((ratios.exp() - 1.0).abs() > 0.5).float().mean())
    if update == "ppo-lagrangian":
        expected["multiplier"] = max(0.0, 1.0 + 10.0 * (found.kl(found.after, found.before) - 0.01))
    for name, number in expected.items():
        reported = found.metrics[name]
        assert reported is not None
        assert reported >= 0.0
        assert reported == pytest.approx(number, rel=1e-3, abs=1e-6), name
    assert update == "off-policy" or max(expected.values()) > 1e-3
