"""Bugs in what is collected, and in what is estimated from it."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.bugs.record import (
    EVEN_PAY,
    Bug,
    cut_by_time,
    discounted,
    learned_value,
    learns,
    pays_beyond_1,
    policy_gradient,
    several_steps,
    steps_singly,
)
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PolicyGradientConfig, RunConfig
from engine.config.estimators import GAE, FixedLengthRollouts, RewardToGo, TotalReturn, WholeEpisodes
from engine.config.updates import OffPolicy
from engine.runtime.errors import Refusal


def _discount_twice(config: RunConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    yield from policy_gradient(config)
    yield from discounted(config)
    yield from several_steps(environment)


def _estimated_once(config: RunConfig) -> Iterator[Refusal]:
    """What weighs every step anew estimates anew, too, and so without the mistake."""
    if isinstance(config.update, OffPolicy) and config.update.weighting != "per-trajectory":
        yield Refusal("This weighting estimates the advantages again, and rightly", "weigh per trajectory")


def _from_the_end(config: RunConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    yield from _discount_twice(config, environment)
    if not isinstance(config, PolicyGradientConfig):
        return
    yield from _estimated_once(config)
    if config.estimator.discount_states:
        yield Refusal("States would not be weighed by γᵗ any more, either", "do not weigh states by γᵗ")
    if not isinstance(config.collection, WholeEpisodes):
        yield Refusal("Only whole episodes have an end to count from", "collect whole episodes")
    if not isinstance(config.estimator.credit, RewardToGo | TotalReturn):
        yield Refusal("Only a plain sum of rewards is weighed so", "choose reward-to-go as credit")


def _missing_reward(config: RunConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    yield from policy_gradient(config)
    if isinstance(config, PolicyGradientConfig) and isinstance(config.estimator.credit, TotalReturn):
        yield Refusal("The total return counts every reward for every action", "choose reward-to-go or GAE as credit")
    if environment.id in EVEN_PAY:
        yield Refusal(
            f"Every step of {environment.id} pays the same, so that one less is missed by no action more than another",
            "choose an environment whose rewards differ",
        )


def _cut_off(config: RunConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    yield from learns(config)
    yield from learned_value(config)
    yield from cut_by_time(environment)


def _reset_observation(config: RunConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    yield from _cut_off(config, environment)
    if isinstance(config, PolicyGradientConfig) and not isinstance(config.collection, FixedLengthRollouts):
        yield Refusal("Whole episodes are not followed by a reset in the same rollout", "collect fixed-length rollouts")


def _shifted(config: RunConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    yield from policy_gradient(config)
    if isinstance(config, PolicyGradientConfig) and not isinstance(config.estimator.credit, GAE):
        yield Refusal("There is no recursion of GAE to be off by one", "choose GAE as credit")
    yield from _estimated_once(config)
    yield from several_steps(environment)


def _per_episode(config: RunConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    yield from policy_gradient(config)
    yield from _estimated_once(config)
    if isinstance(config, PolicyGradientConfig):
        if not isinstance(config.collection, WholeEpisodes):
            yield Refusal("Fixed-length rollouts hold parts of episodes", "collect whole episodes")
        if isinstance(config.estimator.credit, TotalReturn):
            yield Refusal(
                "All actions of an episode have the same credit, of which nothing would be left",
                "choose reward-to-go as credit",
            )
    yield from several_steps(environment)


def _shared_randomness(config: RunConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    yield from policy_gradient(config)
    if isinstance(config, PolicyGradientConfig):
        collection = config.collection
        side_by_side = (
            collection.episodes_per_update if isinstance(collection, WholeEpisodes) else collection.environments
        )
        if side_by_side < 2:
            yield Refusal("One environment shares its random numbers with none", "use at least 2 at a time")


def _in_evaluation(config: RunConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    yield from policy_gradient(config)
    if not config.environment.normalize_observations:
        yield Refusal("Observations are not normalised", "set environment.normalize_observations")


def _clipped_rewards(config: RunConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    yield from learns(config)
    if config.environment.normalize_rewards and not steps_singly(config):
        yield Refusal("How large normalised rewards are is not known beforehand", "leave them as they are paid")
    yield from pays_beyond_1(config, environment)


ESTIMATING = (
    Bug(
        "discount-twice",
        "γ applied twice",
        "Rewards are discounted from the episode's start as they are stored, and once more as they are summed.",
        "G_t = r_t + γ·G_{t+1}",
        "G_t = γ^t·r_t + γ·G_{t+1}",
        "What comes late counts for nothing: good at the beginning of an episode, and no better later on. Advantages "
        "and value targets are smaller the further an episode goes.",
        _discount_twice,
        "[Jethro] and [Jabon 2023], whose discounts count from different steps; only one of them may be applied",
    ),
    Bug(
        "discount-from-the-end",
        "γ^(t−k) for γ^(k−i)",
        "The exponent counts from a reward to the end, so that rewards count more the later they come.",
        "G_i = Σ_{k≥i} γ^(k−i)·r_k",
        "G_i = Σ_{k≥i} γ^(t−k)·r_k,   t the last step",
        "Credit that grows towards the end of long episodes and ignores their beginning. Where γ is near 1 or episodes "
        "are short there is hardly anything to see.",
        _from_the_end,
        "[Jethro], where the exponent stands so",
    ),
    Bug(
        "missing-present-reward",
        "missing present reward",
        "The sum of future rewards begins one step late: an action is not credited with the reward that it earns.",
        "G_t = Σ_{k≥t} γ^(k−t)·r_k",
        "G_t = Σ_{k>t} γ^(k−t)·r_k",
        "No learning where an action is paid at once: all advantages are 0 in a bandit. Where rewards come late it is "
        "hard to see.",
        _missing_reward,
        "[Jabon 2023] words the future return so",
    ),
    Bug(
        "truncation-as-termination",
        "truncation as termination",
        "An episode that the time limit cuts off counts as over: what would have followed is taken to be worth 0.",
        "target = r + γ·V(s′)·(1 − terminated)",
        "target = r + γ·V(s′)·(1 − terminated or truncated)",
        "Explained variance falls once episodes reach the time limit, since how much is left is not in what is seen; "
        "returns may never come to rest there.",
        _cut_off,
        "Pardo et al. (2018), ‘Time limits in reinforcement learning’",
    ),
    Bug(
        "reset-observation",
        "reset observation bootstrapped",
        "Where an episode is cut off, V is asked of the next episode's first observation in place of its own last one.",
        "target = r + γ·V(final observation)",
        "target = r + γ·V(observation after the reset)",
        "Every cut-off episode seems to end where episodes begin. The plots hardly show it.",
        _reset_observation,
        "Gymnasium's notes on automatic resets of vector environments",
    ),
    Bug(
        "shifted-advantages",
        "off-by-one GAE",
        "The recursion is stored one step too early: an action gets the advantage of the one after it.",
        "A_t = δ_t + γλ·A_{t+1}",
        "A_t =       δ_{t+1} + γλ·A_{t+2}",
        "No or slow learning once V is good, though V is fitted and everything else looks healthy: the next step's "
        "advantage does not depend on this action.",
        _shifted,
        "Schulman et al. (2016), ‘High-dimensional continuous control using generalized advantage estimation’",
    ),
    Bug(
        "normalized-per-episode",
        "advantage normalised per episode",
        "Advantages get mean 0 and deviation 1 within each episode, so that no episode is better than another.",
        "A = (A − mean of the batch) / std of the batch",
        "A = (A − mean of its episode) / std of its episode",
        "Late actions are punished and early ones praised whatever the episode came to; slow or no learning, and a raw "
        "advantage whose mean is 0 and deviation 1 in every iteration.",
        _per_episode,
        "Huang et al. (2022), ‘The 37 implementation details of PPO’, which normalise over the minibatch",
    ),
    Bug(
        "shared-randomness",
        "shared randomness across environments",
        "All environments were given the same seed and all draw the same random numbers: they are copies of one.",
        "env[i] = make(seed + i)",
        "env[i] = make(seed)",
        "All episodes of an iteration are equally long and bring the same; returns jump from one iteration to the next "
        "and learning is as noisy as with a single environment.",
        _shared_randomness,
        "Mnih et al. (2016), ‘Asynchronous methods for deep reinforcement learning’: parallel actors help since they "
        "explore different parts",
    ),
    Bug(
        "normalizer-in-evaluation",
        "observation normaliser updated in evaluation",
        "Greedy evaluation between collecting and updating changes the running mean and spread of observations.",
        "normalise(evaluation observation)",
        "normaliser.update(evaluation observation); normalise(…)",
        "What is updated is not the policy that acted; after many observations the difference is too small to see.",
        _in_evaluation,
        "Stable-Baselines3's notes on VecNormalize, which is to be told that it is not training",
    ),
    Bug(
        "clipped-rewards",
        "reward clipping",
        "Rewards are clipped to −1 … 1 as for Atari games, so that learning sees another problem.",
        "store(r)",
        "store(clip(r, −1, 1))",
        "What is learned is good for another problem: the return that is reported may stay poor while values and "
        "advantages are small and look healthy.",
        _clipped_rewards,
        "Mnih et al. (2015), ‘Human-level control through deep reinforcement learning’, where it is meant",
    ),
)
