"""All rules of the doctor, the most important first: what makes all else meaningless, then what keeps a run from
learning, then what makes it slower than it could be."""

from __future__ import annotations

from engine.analysis.doctor import (
    of_checks,
    of_networks,
    of_policy,
    of_replay,
    of_returns,
    of_running,
    of_signal,
    of_steps,
    of_teaching,
    of_values,
)
from engine.analysis.doctor.reported import Reported
from engine.analysis.doctor.rule import Finding, Rule, findings_of

_ORDER = (
    "other-at-first",
    "copied-episodes",
    "actions-unlike-policy",
    "policy-changed-meanwhile",
    "log-probs-unlike-density",
    "credit-unlike-rewards",
    "objective-unlike-sum",
    "value-moved-otherwise",
    "truncations-as-ends",
    "ends-ignored",
    "target-never-renewed",
    "values-run-away",
    "gradients-explode",
    "worse-than-at-first",
    "kl-spikes",
    "ratios-outside",
    "forgotten",
    "steps-too-long",
    "observations-out-of-scale",
    "no-signal",
    "reward-too-sparse",
    "dead-units",
    "saturated-units",
    "entropy-gone",
    "no-policy-forming",
    "kl-zero",
    "gradients-vanish",
    "no-better-than-random",
    "most-frequent-action",
    "learned-by-heart",
    "strays",
    "values-overestimated",
    "values-too-low",
    "errors-of-values-grow",
    "replay-too-young",
    "values-unlike-returns",
    "values-out-of-scale",
    "values-worse-than-none",
    "few-episodes-count",
    "advantages-off-centre",
    "much-clipped",
    "advantage-outliers",
    "values-learn-nothing",
    "cannot-repeat",
    "equally-long",
    "slower",
    "too-few-seeds",
)

_ROOMS = (
    of_checks,
    of_networks,
    of_policy,
    of_replay,
    of_returns,
    of_running,
    of_signal,
    of_steps,
    of_teaching,
    of_values,
)
_ALL = {rule.name: rule for room in _ROOMS for rule in room.RULES}
assert set(_ALL) == set(_ORDER), "every rule has its place in the order, and there is none without one"
RULES: tuple[Rule, ...] = tuple(_ALL[name] for name in _ORDER)


LASTS = 0.02  # of a run's iterations, for which a rule has to see something


def findings(reported: Reported) -> list[Finding]:
    """What is to be said of a run, the most important first; nothing where all is well.

    So many rules look so often that each sees something by chance once in a while. Said is what was seen already
    ``LASTS`` of the run's iterations ago, or one where that is less.
    """
    before = max(1, int(LASTS * reported.iterations))
    found = findings_of(RULES, reported) if before < reported.iterations else []
    if not found:
        return []
    then = reported.until(float(reported.steps[-1 - before]))
    seen = {finding.rule for finding in findings_of([finding.rule for finding in found], then)}
    return [finding for finding in found if finding.rule in seen]
