"""What rules share whose policy climbs learned action values: what stands against them, and their biases."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.distribution import distribution_in
from engine.catalogue.methods.replay import replay_fits
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ActorCriticConfig
from engine.runtime.errors import Refusal

# What is reported of all of them, beside what a rule has of its own.
REPORTED = (
    "grad_norm",
    "value_loss",
    "td_error_mean",
    "td_error_size",
    "target_mean",
    "estimate_mean",
    "first_value",
    "discounted_return",
    "replay_age",
    "gradient_steps",
)


def deterministic(rule: str, config: ActorCriticConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    """What stands against a policy that has one action for each state and climbs the values of that."""
    yield from continuous(rule, environment)
    why = f"{rule} climbs the values of one action for each state, which is not drawn"
    yield from drawn_as("deterministic", config, environment, why)
    yield from replayed(config, environment)


def continuous(rule: str, environment: EnvironmentInfo) -> Iterator[Refusal]:
    """Where there is no slope of the values in the action for the policy to climb."""
    actions = environment.action
    if actions.kind != "box":
        what = "discrete actions" if actions.kind == "discrete" else "actions of several parts"
        yield Refusal(
            f"{rule} climbs the slope of the values in the action, and {environment.id} has {what}",
            "use SAC" if actions.kind == "discrete" else "use PPO",
        )
    elif not actions.bounds:
        yield Refusal(f"{rule} needs bounded actions, but those of {environment.id} are not", "use PPO")


def drawn_as(wanted: str, config: ActorCriticConfig, environment: EnvironmentInfo, why: str) -> Iterator[Refusal]:
    """Where the policy's distribution is not the ``wanted`` one, with the reason ``why``."""
    if distribution_in(config, environment) != wanted:
        yield Refusal(why, "choose the distribution auto")


def one_of_several_actions(config: ActorCriticConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    """Where actions are not a few of which each has an output."""
    actions = environment.action
    if actions.kind != "discrete":
        what = "continuous actions" if actions.kind == "box" else "actions of several parts"
        yield Refusal(
            f"The values of all actions are summed over, and {environment.id} has {what}",
            "use an environment with a few discrete actions, or SAC" if actions.kind == "box" else "use PPO",
        )


def replayed(config: ActorCriticConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    """As ``replay_fits``, of what draws old steps all alike."""
    if config.update.replay.sampling == "prioritized":
        yield Refusal(
            "Steps whose values were far off would be drawn more often, and the policy is to do well in all states",
            "draw all steps alike",
        )
    yield from replay_fits(config, environment)


def learned_values_mislead(config: ActorCriticConfig) -> Iterator[str]:
    """What holds of every policy that climbs values that are being learned."""
    yield "The policy climbs values that are still being learned, and is misled where these are wrong."
    yield "States are those of old experience, as the policies of then visited them."
    if config.estimator.n > 1 and getattr(config.update, "traces", "off") == "off":
        yield "The rewards of n steps are those of the policies that acted, not of the present one."
