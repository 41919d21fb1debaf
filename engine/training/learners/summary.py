"""What an iteration of any learner that estimates advantages reports of its batch."""

from __future__ import annotations

import math

from torch import Tensor

from engine.catalogue.spaces import EnvironmentInfo
from engine.experience.batch import Batch, LearnedValue
from engine.experience.rollouts import Rollout
from engine.maths.losses import explained_variance, normalized
from engine.maths.returns import state_discounts
from engine.reports.events import Collected, Estimated
from engine.runtime.errors import RunError
from engine.training.learner import Moment

_CUT_OFF = 0.05  # of a return's weight, that may lie behind a truncation
_NEVER = 1 << 40  # steps
LARGEST = 1e15  # of an advantage: a million squares of it still add up in float32, whose end is 3.4e38


def summary(collected: Collected, batch: Batch, environment: EnvironmentInfo) -> dict[str, float | None]:
    """The metrics of what was collected and of the advantages before normalisation."""
    learned = batch.baseline if isinstance(batch.baseline, LearnedValue) else None
    mean, spread = batch.advantages.mean().item(), batch.advantages.std(correction=0).item()
    low, high = batch.advantages.aminmax()
    return {
        "mean_length": float(collected.lengths.mean()) if len(collected.lengths) else None,
        "advantage_mean": mean,
        "advantage_std": spread,
        "largest_advantage": max(high.item() - mean, mean - low.item()) / spread if spread > 0.0 else None,
        "explained_variance": explained_variance(learned.values, learned.targets) if learned else None,
        "surprise_at_limit": _surprise_at_limit(batch, learned, environment) if learned else None,
    }


def _surprise_at_limit(batch: Batch, learned: LearnedValue, environment: EnvironmentInfo) -> float | None:
    """By how many standard deviations the mean temporal-difference error of the steps after which the time was up lies
    from that of all others; None where there is none of either."""
    if environment.time_limit is None:
        return None
    rollout = batch.rollout
    last = (rollout.elapsed == environment.time_limit - 1) & rollout.mask
    if int(last.sum()) in (0, batch.size):
        return None
    there, elsewhere = learned.errors[last], learned.errors[rollout.mask & ~last]
    spread = elsewhere.std(correction=0).item()
    return (there.mean() - elsewhere.mean()).item() / spread if spread > 0.0 else None


def beginnings(rollout: Rollout, batch: Batch, gamma: float) -> dict[str, float | None]:
    """What V took whole episodes to be worth as they began, and what they brought as discounted return: by the rewards
    that learning sees, and apart from all that the estimator makes of them. Nothing where there are no whole episodes,
    or so much of their future was cut off that it counts."""
    learned = batch.baseline
    if not isinstance(learned, LearnedValue) or not rollout.whole_episodes:
        return {}
    longest = rollout.elapsed.where(rollout.truncated, rollout.elapsed.new_full((), _NEVER)).min().item()
    if longest < _NEVER and gamma ** (longest + 1) > _CUT_OFF:
        return {}
    brought = (state_discounts(gamma, rollout.elapsed) * rollout.rewards * rollout.mask).sum(0)
    return {
        "first_value": batch.rollout.unflat(learned.values)[0].mean().item(),
        "discounted_return": brought.mean().item(),
    }


def require_computable(told: dict[str, float | None], batch: Batch, moment: Moment) -> None:
    """Raises RunError where advantages are so large that gradients, losses and variances would not be finite numbers.

    Args:
        told: their ``summary``, which nearly always shows already that they are not.
        moment: that of the iteration; after the first, a policy that has gone astray may have led there.
    """
    mean, spread = told["advantage_mean"], told["advantage_std"]
    assert mean is not None
    assert spread is not None
    if abs(mean) + spread * math.sqrt(batch.size) < LARGEST:  # none can be further from the mean
        return
    largest = batch.advantages.abs().max().item()
    if largest < LARGEST:
        return
    learned = batch.baseline if isinstance(batch.baseline, LearnedValue) else None
    if learned is not None and not learned.values.abs().max().item() < 0.5 * largest:
        raise RunError(
            "The value function's predictions are so large that what is computed from them would overflow; its "
            "learning rate is probably too large, so lower it and start again."
        )
    seen = f"reach {largest:.2g}" if math.isfinite(largest) else "are no longer finite numbers"
    wish = f"{1.0 / largest:.0e}" if math.isfinite(largest) else "a small number"
    rate = getattr(moment.config.update, "learning_rate", None)
    smaller = "allow smaller steps" if rate is None else f"lower the learning rate {rate:g}"
    astray = "" if moment.iteration == 1 else f", or {smaller} if they were not so large at first"
    raise RunError(
        f"The advantages {seen}, and what is computed from them would overflow; multiply environment.reward_scale by "
        f"{wish} or so{astray}, and start again."
    )


def estimated(iteration: int, advantages: Tensor, scaled: Tensor | None = None) -> Estimated:
    """The event of an iteration's advantages, [steps]; ``scaled`` are they normalised, where that has been done."""
    scaled = normalized(advantages) if scaled is None else scaled
    return Estimated(iteration, advantages.cpu().numpy(), scaled.cpu().numpy())
