"""Reasons that several methods share: what stands against them, and why they are biased, a sentence each."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.parameter_count import parameter_count
from engine.catalogue.methods.spec import Method
from engine.config.updates import TRPO, NaturalGradient
from engine.runtime.errors import Refusal

LARGEST_MATRIX = 1000  # rows of a Fisher matrix that is still inverted in seconds

ONLY_V_STANDS_IN = Refusal(
    "Where episodes are cut off, only a learned value can stand in for the rest",
    "choose a learned value as baseline, or collect whole episodes",
)
STANDS_IN = "The learned value stands in for later rewards and can mislead where it is wrong."
AVERAGE_SHORTENS = "The average includes the very sample it is subtracted from, so the gradient comes out too short."
AVERAGE_SHORTENS_STEPS = (
    "The average at a step includes the very sample it is subtracted from, so that step's part of the gradient comes "
    "out too short."
)
AVERAGE_INCLUDES = "The average includes the very rewards it is subtracted from, so it depends on the actions."


def matrix_too_large(method: Method) -> Iterator[Refusal]:
    """Where the Fisher matrix would be built and inverted."""
    update = method.config.update
    assert isinstance(update, NaturalGradient | TRPO)
    if update.solver != "exact":
        return
    count = parameter_count(method.config.policy, method.environment)
    if count > LARGEST_MATRIX:
        yield Refusal(
            f"The exact solver builds a matrix of {count:,} × {count:,} numbers for this policy, and more than "
            f"{LARGEST_MATRIX:,} are too many",
            "use conjugate gradients",
        )


def single_steps(method: Method) -> bool:
    """Whether it is known that every episode is over after one step."""
    return method.environment.one_step or method.environment.time_limit == 1


def average_of_one(method: Method) -> Iterator[Refusal]:
    """Where one episode's return is compared with itself."""
    if single_steps(method):
        yield Refusal(
            "With one episode of one step per update the average is that step's own reward, so every advantage is 0",
            "use at least 2 episodes per update",
        )
    if method.credit.whole_return:
        yield Refusal(
            "With one episode per update the average return is that episode's own return, so every advantage is 0",
            "use at least 2 episodes per update, or reward-to-go",
        )


def sums_samples(method: Method) -> bool:
    """Whether the estimate is a sum over N independent episodes of the policy's own, divided by N, and nothing else
    is done to their advantages."""
    config, update = method.config, method.update
    greedy = max(config.exploration.greedy_start, config.exploration.greedy_end) > 0.0
    plain = update.biases == "unbiased" and not update.weighs_actors
    return plain and not greedy and not config.estimator.normalize_advantages


def cut_off(method: Method) -> Iterator[str]:
    """Where a learned value completes what was cut off."""
    if method.baseline.learned and (method.collection.cuts or method.environment.time_limit is not None):
        yield "Where an episode is cut off, the learned value stands in for the rest and can mislead where it is wrong."


def late_steps(method: Method) -> Iterator[str]:
    """Where actions late in an episode are not discounted, while their rewards are."""
    estimator = method.config.estimator
    if estimator.gamma < 1.0 and not estimator.discount_states and not single_steps(method):
        yield "Late steps weigh as much as early ones, although the discounted return counts them γᵗ."


def mean_over_steps(method: Method) -> Iterator[str]:
    """Where the gradient is a mean over the steps of whole episodes."""
    if not method.collection.cuts and not single_steps(method):
        yield "The mean over steps divides by the number of steps, which the actions themselves may decide."
