"""Every algorithm for a few iterations on the device, and each update against the CPU's.

Both sides of a comparison have the same weights, the same rollout and the same order of minibatches; estimating, the
update and fitting V are done on either device. The change of all parameters is compared, ‖Δ − Δ_cpu‖ / ‖Δ_cpu‖. What is
allowed:

- 1e-3 for one or several gradient steps with SGD: sums in float32 that are added up in another order differ in about
  the sixth digit, and where advantages nearly cancel each other, two or three digits are lost;
- 2e-2 with Adam, which divides by √v and so takes steps as long where a gradient is nothing but rounding;
- 2e-2 for NPG and TRPO, whose conjugate gradients magnify that by the condition of the Fisher matrix.

TensorFloat-32, which would keep three digits only, is switched off meanwhile; without it cuDNN's recurrent layers
differ as the others do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor

from engine.algorithms.policy_gradient.rule import UpdateInput
from engine.algorithms.policy_gradient.rules import make_rule
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.catalogue.methods.specs import RULE_SPECS, UPDATE_SPECS
from engine.config import PolicyGradientConfig, RunConfig
from engine.config.parameters import with_values
from engine.estimation.estimators import estimate
from engine.experience.rollouts import Rollout
from engine.policies.policy import Policy
from engine.reports.events import Updated
from engine.training.learners.policy_gradient import PolicyGradientLearner
from engine.training.training import Training
from engine.values.critics import Critic, SeparateCritic, SharedCritic
from engine.values.fitting import ValueFitting
from engine.values.value_function import ValueFunction
from tests.benchmarks.gpu.given import Finding, Given, Say, apart, environments_there, finished

ITERATIONS = 3
SMALL: Mapping[str, Any] = {"policy.hidden_sizes": [16]}
LENGTHS: dict[str, dict[str, Any]] = {
    "episodes": {"collection.episodes_per_update": 8, "environment.time_limit": 60},
    "fixed-length": {"collection.environments": 8},
}
# The algorithms whose policies climb a gradient; the other families are at home on the CPU.
CLIMBING = {
    entry.id: entry for rule in [*UPDATE_SPECS.values(), RULE_SPECS["exact-gradient"]] for entry in rule.algorithms
}
POLICIES = {
    "softmax": {"environment": "CartPole-v1", "policy": "mlp"},
    "gaussian": {"environment": "Pendulum-v1", "policy": "mlp"},
}
SGD, ADAM, MAGNIFIED = 1e-3, 2e-2, 2e-2


def every_algorithm(given: Given, say: Say) -> None:
    """A few iterations of each in the catalogue, with the environments on the device where their dynamics are ours."""
    for name, entry in CLIMBING.items():
        tabular = name == "exact-gradient"
        where = {"environment": "FrozenLake-v1", "policy": "tabular"} if tabular else POLICIES["softmax"]
        config = _configured(where | {"device": given.device.type})
        config = choose(config, entry)
        config = with_values(config, dict(LENGTHS[config.collection.kind]) if hasattr(config, "collection") else {})
        config = with_values(config, {} if tabular else dict(SMALL))
        say(_iterated(name, config, given))
    for kind in ("gru", "linear"):
        config = _configured({"environment": "CartPole-v1", "policy": kind, "device": given.device.type})
        config = with_values(choose(config, ALGORITHMS["ppo"]), dict(LENGTHS["fixed-length"]))
        say(_iterated(f"ppo with {kind}", config, given))


def _configured(values: Mapping[str, Any]) -> RunConfig:
    return with_values(PolicyGradientConfig(), values)


def _iterated(name: str, config: RunConfig, given: Given) -> Finding:
    with environments_there(given.device):
        training = Training(config)
    updates = []
    for event in training:
        if isinstance(event, Updated):
            updates.append(event)
            if len(updates) == (1 if given.small else ITERATIONS):
                break
    training.close()
    parameters = torch.cat([parameter.detach().flatten() for parameter in training.policy.parameters()])
    told = [value for update in updates for value in update.metrics.values() if value is not None]
    good = parameters.device.type == given.device.type and bool(parameters.isfinite().all())
    return Finding(
        f"training, {name}", good and all(map(math.isfinite, told)), f"{len(updates)} iterations, {len(told)} metrics"
    )


def cpu_against_device(given: Given, say: Say) -> None:
    """Every kind of update, by SGD where it has an optimiser, with a softmax and with a Gaussian; and Adam."""
    tf32 = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        for policy in POLICIES:
            for name, entry in CLIMBING.items():
                if name == "exact-gradient" or (given.small and name not in ("reinforce", "trpo", "ppo")):
                    continue
                config = choose(_configured(POLICIES[policy] | {"device": "cpu"}), entry)
                config = with_values(config, dict(LENGTHS[config.collection.kind]) | dict(SMALL))
                if not hasattr(config.update, "optimizer"):
                    say(_compared(f"{policy}, {name}", config, given, MAGNIFIED))
                    continue
                say(_compared(f"{policy}, {name}, SGD", with_values(config, _by("sgd")), given, SGD))
                if name in ("ppo", "a2c"):
                    say(_compared(f"{policy}, {name}, Adam", with_values(config, _by("adam")), given, ADAM))
        for kind, baseline in (("gru", "value"), ("mlp", "shared-value")):
            config = choose(
                _configured({"environment": "CartPole-v1", "policy": kind, "device": "cpu"}), ALGORITHMS["ppo"]
            )
            config = with_values(config, LENGTHS["fixed-length"] | {"estimator.baseline": baseline} | _by("sgd"))
            say(_compared(f"{kind}, ppo, {baseline}, SGD", config, given, SGD))
    finally:
        torch.backends.cudnn.allow_tf32 = tf32


def _by(optimizer: str) -> dict[str, Any]:
    return {"update.optimizer": optimizer, "update.learning_rate": 0.01 if optimizer == "sgd" else 0.001}


def _compared(name: str, config: RunConfig, given: Given, most: float) -> Finding:
    training = Training(config)
    learner = training.learner
    assert isinstance(learner, PolicyGradientLearner)
    rollout, _ = finished(learner._interaction.collector.collect(learner._interaction.actor))
    cpu = torch.device("cpu")
    rollout = _on(rollout, cpu)
    expected = _updated(learner, rollout, config, cpu)
    found = _updated(learner, rollout, config, given.device)
    training.close()
    distances = {part: apart(found[part], expected[part]) for part in expected}
    worst = max(distances.values())
    words = ", ".join(f"{part} {distance:.1e}" for part, distance in distances.items())
    return Finding(f"update against the CPU's, {name}", worst <= most, f"{words}; at most {most:.0e}")


def _updated(
    learner: PolicyGradientLearner, rollout: Rollout, config: RunConfig, device: torch.device
) -> dict[str, Tensor]:
    """The advantages of ``rollout`` there, and how an update changes the policy's parameters, and V's where it has its
    own."""
    assert isinstance(config, PolicyGradientConfig)
    moved = _on(rollout, device)
    with_value = config.estimator.baseline.kind == "shared-value"
    policy = Policy(config.policy, learner.environment, torch.Generator().manual_seed(1), with_value).to(device)
    fitting: ValueFitting | None = None
    critic: Critic | None = SharedCritic(policy) if with_value else None
    if config.estimator.baseline.kind == "value":
        generator = torch.Generator().manual_seed(2)
        value = ValueFunction(config.estimator.baseline, learner.environment.observation, generator).to(device)
        fitting = ValueFitting(config.estimator.baseline, value, torch.Generator().manual_seed(3))
        critic = SeparateCritic(value)
    rule = make_rule(config, policy, torch.Generator().manual_seed(4), fitting)
    before = _vector(policy)
    before_value = None if fitting is None else _vector(fitting.value)
    batch = finished(estimate(moved, config.estimator, policy, critic))
    finished(rule.update(UpdateInput(batch, config, 0.0)))
    found = {"advantages": batch.advantages, "policy": _vector(policy) - before}
    if fitting is not None and before_value is not None:
        if config.estimator.baseline.kind == "value" and config.estimator.baseline.fit_steps:
            finished(fitting.fit(batch, config.estimator.baseline))
        found["value"] = _vector(fitting.value) - before_value
    return found


def _vector(module: torch.nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()]).clone()


def _on(rollout: Rollout, device: torch.device) -> Rollout:
    """A copy of it there."""
    parts = {part.name: getattr(rollout, part.name) for part in fields(rollout)}
    moved = {name: part.clone().to(device) if isinstance(part, Tensor) else part for name, part in parts.items()}
    return Rollout(**moved)
