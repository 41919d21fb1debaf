"""What methods share that learn a table of action values."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ValueBasedConfig
from engine.config.policies import TabularPolicy
from engine.runtime.errors import Refusal

TABLE = {"policy": TabularPolicy().kind}  # what picking such a method sets beside itself
TABLE_METRICS = ("largest_value", "td_error_mean", "td_error_size", "value_error", "epsilon")
TABLE_PINNED = ("update.learning_rate", "exploration.epsilon_end", "estimator.n")


def discrete_actions(config: ValueBasedConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    """Where there is no action of the largest value to be looked up."""
    actions = environment.action
    if actions.kind != "discrete":
        what = "continuous actions" if actions.kind == "box" else "actions of several parts"
        yield Refusal(
            f"The best of all actions is looked up, and {environment.id} has {what}",
            "use an environment with a few discrete actions, or a policy gradient",
        )


def in_a_table(config: ValueBasedConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    """Where there is no entry for each state and action."""
    yield from discrete_actions(config, environment)  # first: nor would DQN do there
    seen = environment.observation
    if seen.kind != "discrete":
        what = "images" if seen.image else f"{seen.size} continuous numbers"
        yield Refusal(
            f"These values are kept in a table of states, and {environment.id} observes {what}",
            "use DQN, or an environment with discrete states",
        )
    if not isinstance(config.policy, TabularPolicy):
        yield Refusal("These values are kept in a table", "choose the tabular policy, or DQN")
    if config.device not in ("auto", "cpu"):
        yield Refusal(
            f"A table is looked up faster on the CPU than on {config.device}", "set the device to auto or cpu"
        )
    if config.environment.normalize_rewards:
        yield Refusal("A table of values is in units of the reward as it is", "switch off “Normalise rewards”")


def several_steps(config: ValueBasedConfig) -> Iterator[str]:
    """Where rewards of actions are counted that the best policy would not take."""
    if config.estimator.n > 1:
        yield "The rewards of n steps are those of the policy that acted, random actions included, not of the best one."
