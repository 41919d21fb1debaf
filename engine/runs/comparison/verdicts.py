"""What can be said of two settings and what cannot, in sentences with the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.runs.comparison.pairs import Difference, Improvement, probability_of_improvement, variance, welch
from engine.runs.comparison.power import MOST, POWER, seeds_needed
from engine.runs.comparison.summaries import Summary
from engine.runs.comparison.survival import LogRank, log_rank
from engine.runs.comparison.wording import number, told_difference, told_improvement, told_share, with_method

FEW = 5  # seeds: below, an interval of the median does not come near 95 %, and a spread is hardly known
_SEEN = 0.05  # p-value below which one setting is said to get there sooner


@dataclass(frozen=True)
class Verdict:
    """What is known of the pair, and the ``sentences`` that say it. ``better`` is the name of the setting that is said
    to be, None where that is open. ``seeds`` are those of each that the difference takes; None where it is not known
    or more than a thousand."""

    first: str
    second: str
    better: str | None
    improvement: Improvement | None
    difference: Difference | None
    sooner: LogRank | None
    seeds: int | None
    sentences: tuple[str, ...]


def verdict(first: Summary, second: Summary, level: float = 0.95) -> Verdict:
    """What the scores of two settings say. One is said to be better only where both the difference of means and the
    probability of improvement say so."""
    names = first.name, second.name
    sooner = _sooner(first, second)
    without = [f"‘{one.name}’" for one in (first, second) if not len(one.scores)]
    if without:
        said = f"Nothing can be said yet: no episode has ended in a run of {' and of '.join(without)}."
        return Verdict(*names, None, None, None, sooner, None, (said,))
    improvement = probability_of_improvement(first.scores, second.scores, level)
    difference = welch(first.scores, second.scores, level)
    better = _better(first, second, improvement, difference)
    seeds = _seeds(first, second, difference, level)
    if difference is None:
        said = _without_spread(first, second, better)
    else:
        said = _better_said(first, second, improvement, difference)
    sentences = [said, *_few(first, second, better, difference, seeds), *_solved(first, second, sooner)]
    return Verdict(*names, better, improvement, difference, sooner, seeds, tuple(sentences))


def best_two(summaries: Sequence[Summary], level: float = 0.95) -> Verdict | None:
    """What can be said of the two settings of one environment that came to most, by interquartile mean; None where no
    two have a score."""
    scored = sorted((one for one in summaries if len(one.scores)), key=lambda one: -one.estimates["iqm"].value)
    return verdict(scored[0], scored[1], level) if len(scored) > 1 else None


def caveats(summaries: Sequence[Summary]) -> list[str]:
    """What is to be known of settings of one environment before their numbers are read: runs that failed, are under
    way, or have no score."""
    said = []
    for one in summaries:
        if one.failed:
            said.append(
                f"{_counted(one.failed, one)} failed; what such a run came to by then is its score, and counts."
            )
        if one.unfinished:
            be = "is" if one.unfinished == 1 else "are"
            said.append(f"{_counted(one.unfinished, one)} {be} not at the end, so that the numbers are not final.")
        if one.unscored:
            have = "has" if one.unscored == 1 else "have"
            said.append(f"{_counted(one.unscored, one)} {have} no score, for no episode has ended: no mean counts it.")
    if len(summaries) > 2:
        pairs = len(summaries) * (len(summaries) - 1) // 2
        said.append(
            f"{len(summaries)} settings make {pairs} pairs. Of pairs that are alike, about one in twenty looks "
            "different at 95 %: train again, from other seeds, what is only the greatest of many differences."
        )
    return said


def _counted(count: int, of: Summary) -> str:
    return f"{count} of {of.n} runs of ‘{of.name}’" if of.n > 1 else f"The run of ‘{of.name}’"


# --- one sentence each ------------------------------------------------------------------------------------------------


def _without_spread(first: Summary, second: Summary, better: str | None) -> str:
    """Where nothing is known of how much seeds differ, or they do not."""
    n, m = len(first.scores), len(second.scores)
    one, other = (number(float(of.scores.mean())) for of in (first, second))
    if min(n, m) == 1:
        which = "each" if n == m else f"‘{first.name}’" if n == 1 else f"‘{second.name}’"
        return (
            f"One seed of {which} does not tell ‘{first.name}’, {one}, from ‘{second.name}’, {other}: how much seeds "
            f"of one setting differ is not known. Train at least {FEW} of each."
        )
    if first.scores[0] == second.scores[0]:
        return f"All {n + m} runs came to {one}: they do not differ."
    said = f"All {n} runs of ‘{first.name}’ came to {one}, and all {m} of ‘{second.name}’ to {other}"
    return f"{said}: ‘{better}’ is better." if better else f"{said}, which is too few to be more than chance."


def _better_said(first: Summary, second: Summary, improvement: Improvement, difference: Difference) -> str:
    """Said of the one whose mean is higher."""
    if difference.difference < 0.0:
        return _better_said(second, first, turned_improvement(improvement), turned(difference))
    higher = with_method(told_difference(difference))
    probability = with_method(told_improvement(improvement))
    said = f"mean is higher by {higher}, and a run of it is the better one with probability {probability}."
    if _better(first, second, improvement, difference):
        return f"‘{first.name}’ is better than ‘{second.name}’: its {said}"
    if difference.settled or not improvement.low <= 0.5 <= improvement.high:
        return f"‘{first.name}’ may be better than ‘{second.name}’, but only one of two measures says so: its {said}"
    return (
        f"These seeds do not tell ‘{first.name}’ and ‘{second.name}’ apart, which does not make them alike: the "
        f"first one's {said}"
    )


def _few(
    first: Summary, second: Summary, better: str | None, difference: Difference | None, seeds: int | None
) -> list[str]:
    """The honest word where there are few seeds, or too few for this difference."""
    fewest = min(len(first.scores), len(second.scores))
    if fewest < 2 or (better is not None and fewest >= FEW):
        return []
    few = f"{fewest} seeds: these intervals mean little" if fewest < FEW else f"{fewest} seeds are too few for it"
    if better is not None or difference is None:
        return [f"{few}, whatever they say; train at least {FEW}."] if fewest < FEW else []
    if difference.difference == 0.0:
        return [f"{few}; no number of seeds settles a difference of 0."]
    if seeds is None:
        return [f"{few}; more than {MOST:,} of each would be needed to settle a difference of this size."]
    more = max(seeds, FEW, fewest + 1) - fewest
    return [f"{few}; about {more} more would settle a difference of this size, in {100 * POWER:.0f} % of all tries."]


def _solved(first: Summary, second: Summary, sooner: LogRank | None) -> list[str]:
    """Which gets to the threshold sooner."""
    if sooner is None or min(sooner.n) < 2 or first.solved is None or second.solved is None:
        return []
    counts = [f"{with_method(told_share(of.solved))} runs of ‘{of.name}’" for of in (first, second) if of.solved]
    said = f"{counts[0]} and {counts[1]} reached the threshold; "
    p = f"({sooner.method}, p = {sooner.p:.2g}, {sooner.n[0]} and {sooner.n[1]} runs, with those that never did)"
    if sooner.p >= _SEEN:
        return [f"{said}which is sooner is open {p}."]
    return [f"{said}‘{first.name if sooner.excess > 0.0 else second.name}’ is sooner {p}."]


def turned(of: Difference) -> Difference:
    """That of the second against the first."""
    n = of.n[1], of.n[0]
    return Difference(-of.difference, -of.high, -of.low, of.level, n, -of.t, of.degrees, of.p, of.method)


def turned_improvement(of: Improvement) -> Improvement:
    """That of the second against the first."""
    return Improvement(1 - of.probability, 1 - of.high, 1 - of.low, of.level, (of.n[1], of.n[0]), of.method)


# --- what is known ----------------------------------------------------------------------------------------------------


def _better(first: Summary, second: Summary, improvement: Improvement, difference: Difference | None) -> str | None:
    if difference is None and min(improvement.n) == 1:
        return None
    if improvement.low > 0.5 and (difference is None or difference.low > 0.0):
        return first.name
    return second.name if improvement.high < 0.5 and (difference is None or difference.high < 0.0) else None


def _seeds(first: Summary, second: Summary, difference: Difference | None, level: float) -> int | None:
    if difference is None or difference.difference == 0.0:
        return None
    spreads = variance(first.scores) ** 0.5, variance(second.scores) ** 0.5
    return seeds_needed(difference.difference, spreads, level=level)


def _sooner(first: Summary, second: Summary) -> LogRank | None:
    if first.survival is None or second.survival is None:
        return None
    return log_rank(first.watched, second.watched)
