"""What states are worth by what was learned beside a frozen policy, or by its own action values."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.analysis.critics import Valued, worth_of
from engine.analysis.playback import PolicySnapshot
from engine.config import PolicyGradientConfig, RunConfig, ValueBasedConfig
from engine.config.estimators import ValueBaseline
from engine.config.value_based import SARSA
from engine.policies.distributions import Distribution, EpsilonGreedy
from engine.policies.policy import Policy
from engine.values.value_function import ValueFunction


def acts_greedily(config: RunConfig) -> bool:
    """Whether what is learned is the value of the greedy action, and not of the policy as it explores."""
    return isinstance(config, ValueBasedConfig) and not isinstance(config.update, SARSA)


class LearnedValues:
    """What says what states are worth beside a policy: a critic, or networks of action values.

    Of action values it is the mean over the policy of a few discrete actions, the greatest where those of the greedy
    policy are learned (``acts_greedily``), and of continuous ones the value of the greedy action; the smaller one where
    there are two networks.

    Args:
        policy: that of ``snapshot``; its normaliser and second head are looked up where they are by then.
    """

    def __init__(self, snapshot: PolicySnapshot, policy: Policy) -> None:
        config, environment = snapshot.config, snapshot.environment
        self._policy, self._greedy = policy, acts_greedily(config)
        self._worth = worth_of(config, environment, policy, snapshot.critics)
        self._value: ValueFunction | None = None
        baseline = config.estimator.baseline if isinstance(config, PolicyGradientConfig) else None
        if snapshot.value is not None and isinstance(baseline, ValueBaseline):
            by_convolutions, generator = config.policy.kind == "cnn", torch.Generator()
            self._value = ValueFunction(
                baseline, environment.observation, generator, by_convolutions, policy.normalizer
            )
        self.load(snapshot)

    def load(self, snapshot: PolicySnapshot) -> None:
        """Go on with the numbers of another one of the same make."""
        if self._worth is not None and snapshot.critics is not None:
            self._worth.load(snapshot.critics)
        if self._value is not None and snapshot.value is not None:
            self._value.network.load_state_dict(snapshot.value)

    def of(self, observations: Tensor, distribution: Distribution) -> Valued | None:
        """What is known of n states, by their observations [n, …] and what the policy does there; None where nothing
        is."""
        if isinstance(distribution, EpsilonGreedy):
            values = distribution.values
            mean = (distribution.probabilities * values).sum(-1)
            return Valued(values.amax(-1) if self._greedy else mean, values)
        if self._worth is not None:
            return self._worth.of_states(observations, distribution)
        if self._value is not None:
            return Valued(self._value(observations))
        if self._policy.value_head is not None and not self._policy.recurrent:
            return Valued(self._policy.evaluate(observations, None)[1])
        return None
