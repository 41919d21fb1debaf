"""What has to be said of a bug before it can be switched on, and what stands against several of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ActorCriticConfig, PolicyGradientConfig, RunConfig, ValueBasedConfig
from engine.config.estimators import SharedValueBaseline, ValueBaseline
from engine.config.replay import ReplayConfig
from engine.runtime.errors import Refusal

Fits = Callable[[RunConfig, EnvironmentInfo], Iterator[Refusal]]

# Worlds in which every step, or every one but the last, pays the same, so that which of the rewards are counted
# matters less than how many.
EVEN_PAY = ("CartPole-v1", "CartPolePositions-v0", "MountainCar-v0", "Acrobot-v1")
# The least and the most that a step pays, where neither is beyond −1 and 1.
_PAID = {
    "CartPole-v1": (1.0, 1.0),
    "CartPolePositions-v0": (1.0, 1.0),
    "MountainCar-v0": (-1.0, -1.0),
    "Acrobot-v1": (-1.0, 0.0),
    "FrozenLake-v1": (0.0, 1.0),
    "FrozenLake8x8-v1": (0.0, 1.0),
    "Blackjack-v1": (-1.0, 1.0),
    "BlackjackHands-v0": (-1.0, 1.0),
    "InvertedPendulum-v5": (0.0, 1.0),
}
_PAYS = frozenset({"natural", "reward_schedule", "sutton_barto_reward"})  # options that change what is paid


class Bug(NamedTuple):
    """A classic mistake.

    Attributes:
        name: in configurations, one of ``config.bugs.BUGS``.
        title: what it is called, as within a sentence.
        wrong: what is wrong, in one sentence.
        right_line, wrong_line: of the algorithm as pseudo-code, as it should be and as it is.
        seen: what a person sees of it in the plots, and where nothing is seen.
        fits: why it would change nothing, or has no place, where it is to be switched on.
        source: where it is warned of, or where the right line stands.
    """

    name: str
    title: str
    wrong: str
    right_line: str
    wrong_line: str
    seen: str
    fits: Fits
    source: str


def policy_gradient(config: RunConfig) -> Iterator[Refusal]:
    """It is a mistake in estimating or climbing a policy gradient."""
    if not isinstance(config, PolicyGradientConfig):
        yield Refusal("This mistake is made with policy gradients", "choose REINFORCE, PPO or another of them")


def several_steps(environment: EnvironmentInfo) -> Iterator[Refusal]:
    if environment.one_step or environment.time_limit == 1:
        yield Refusal("Episodes of one step have no later reward", "choose an environment of several steps")


def discounted(config: RunConfig) -> Iterator[Refusal]:
    if config.estimator.gamma == 1.0:
        yield Refusal("Without a discount there is nothing to apply wrongly", "set γ below 1")


def learned_value(config: RunConfig) -> Iterator[Refusal]:
    if isinstance(config, PolicyGradientConfig) and not isinstance(
        config.estimator.baseline, ValueBaseline | SharedValueBaseline
    ):
        yield Refusal("Nothing stands in for what was cut off", "choose a learned value as baseline")


def cut_by_time(environment: EnvironmentInfo) -> Iterator[Refusal]:
    if environment.time_limit is None:
        yield Refusal(f"No time limit cuts an episode of {environment.id} off", "set environment.time_limit")


def replays(config: RunConfig) -> Iterator[Refusal]:
    """It is a mistake with old experience."""
    if not isinstance(getattr(config.update, "replay", None), ReplayConfig):
        yield Refusal("Nothing is replayed", "choose DQN, SAC, TD3 or another method with a replay buffer")


def steps_singly(config: RunConfig) -> bool:
    """Whether values are learned from single steps."""
    return isinstance(config, ValueBasedConfig | ActorCriticConfig)


def learns(config: RunConfig) -> Iterator[Refusal]:
    """It is a mistake in learning from experience of one's own."""
    if not (isinstance(config, PolicyGradientConfig) or steps_singly(config)):
        yield Refusal(
            "This mistake is made in learning from rewards that are experienced",
            "choose a policy gradient, or a method that learns action values",
        )


def pays_beyond_1(config: RunConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    """Some reward that learning sees is not from −1 to 1, as far as that is known beforehand."""
    paid, seen = _PAID.get(environment.id), config.environment
    if paid is None or any(seen.options.get(name) for name in _PAYS):
        return
    if all(abs(seen.reward_scale * reward + seen.reward_offset) <= 1.0 for reward in paid):
        yield Refusal(
            f"All rewards that learning sees of {environment.id} are from −1 to 1 already",
            "choose an environment with larger ones, or a larger environment.reward_scale",
        )
