"""A policy as one function of tensors, without anything random: what becomes of it elsewhere."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.catalogue.methods.distribution import policy_of
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import acts_by_values
from engine.networks.networks import GRUBody
from engine.networks.normalizer import Normalizer
from engine.policies.distributions import (
    Bernoulli,
    Beta,
    Categorical,
    DiagonalGaussian,
    Distribution,
    EpsilonGreedy,
    MultiCategorical,
    TanhGaussian,
)
from engine.policies.policy import Policy
from engine.runs.exports.kept_policy import KeptPolicy
from engine.runtime.errors import RequestError, describe


class PolicyGraph(nn.Module):
    """From ``inputs`` to ``outputs``, in the order of their names, all [batch, …]: the policy's most likely action as
    the environment takes it, within its bounds, and the parameters of the distribution by name."""

    limits: Tensor

    def __init__(self, policy: Policy, environment: EnvironmentInfo) -> None:
        super().__init__()
        self._policy, self._observation = policy, environment.observation
        pairs = environment.action.bounds or environment.action.ranges
        limits = torch.tensor(pairs).T if pairs else torch.empty(2, 0)
        self.register_buffer("limits", limits)
        self.inputs = ("observation", "memory") if policy.recurrent else ("observation",)
        with torch.no_grad():
            made = self._step(*self.example(1).values())
        self.outputs = tuple(made)

    @property
    def takes(self) -> str:
        """What it is given, for a person."""
        seen = self._observation
        what = "the number of a state" if seen.kind == "discrete" else f"rows of {seen.size:,} numbers"
        return f"{what} and its memory" if self._policy.recurrent else what

    def example(self, rows: int) -> dict[str, Tensor]:
        """Inputs of ``rows`` rows, by name."""
        discrete = self._observation.kind == "discrete"
        observation = torch.zeros(rows, dtype=torch.int64) if discrete else torch.zeros(rows, self._observation.size)
        memory = self._policy.start(rows)
        return {"observation": observation} | ({} if memory is None else {"memory": memory})

    def forward(self, observation: Tensor, memory: Tensor | None = None) -> tuple[Tensor, ...]:
        return tuple(self._step(observation, memory).values())

    def _step(self, observation: Tensor, memory: Tensor | None = None) -> dict[str, Tensor]:
        body = self._policy.body
        if isinstance(body, GRUBody):
            assert memory is not None
            inputs = body.input(self._policy.inputs(observation)).tanh()
            _, after = body.gru(inputs.unsqueeze(0), memory.unsqueeze(0))  # as ``step``, whose cell has no ONNX form
            remembered = after.squeeze(0)
            distribution = self._policy.distribution(self._policy.head(remembered))
            return self._told(distribution) | {"memory_after": remembered}
        return self._told(self._policy(observation))

    def _told(self, distribution: Distribution) -> dict[str, Tensor]:
        action = self._policy.to_environment(distribution.mode())
        if self.limits.numel():
            action = torch.minimum(torch.maximum(action, self.limits[0]), self.limits[1])
        return {"action": action} | _parameters(distribution)


def _parameters(distribution: Distribution) -> dict[str, Tensor]:
    """Those of the policy's own distribution by name, before its actions are taken to the environment's scale."""
    if isinstance(distribution, EpsilonGreedy):
        return {"values": distribution.values}
    if isinstance(distribution, Categorical | MultiCategorical | Bernoulli):
        return {"logits": distribution.logits}
    if isinstance(distribution, Beta):
        return {"alpha": distribution.alpha, "beta": distribution.beta}
    normal = distribution.base if isinstance(distribution, TanhGaussian) else distribution
    assert isinstance(normal, DiagonalGaussian)
    return {"mean": normal.mean, "log_std": normal.log_std.expand_as(normal.mean).clone()}


def policy_graph(kept: KeptPolicy, environment: EnvironmentInfo) -> PolicyGraph:
    """The graph of a policy that was kept.

    Raises:
        RequestError: what was kept is no policy of this configuration.
    """
    names = kept.parameters
    normalizer = Normalizer(environment.observation.size) if "normalizer.mean" in names else None
    with_value = any(name.startswith("value_head.") for name in names)
    wanted = policy_of(kept.config, environment)
    policy = Policy(wanted, environment, torch.Generator().manual_seed(0), with_value, normalizer)
    if acts_by_values(kept.config):
        policy.epsilon = 0.0
    else:
        policy.temperature = getattr(kept.config.exploration, "temperature", 1.0)
    try:
        policy.load(names)
    except (ValueError, KeyError, RuntimeError) as error:
        raise RequestError(f"What was kept does not fit the policy of its configuration: {describe(error)}.") from None
    return PolicyGraph(policy.eval(), environment)
