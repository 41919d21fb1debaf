"""All rules of the doctor, the most important first: what makes all else meaningless, then what keeps a run from
learning, then what makes it slower than it could be."""

from __future__ import annotations

from engine.analysis.doctor import of_policy, of_returns, of_signal, of_steps, of_values
from engine.analysis.doctor.reported import Reported
from engine.analysis.doctor.rule import Finding, Rule, findings_of

_FIRST = (
    "gradients-explode",
    "copied-episodes",
    "worse-than-at-first",
    "kl-spikes",
    "ratios-outside",
    "forgotten",
    "steps-too-long",
    "no-signal",
    "reward-too-sparse",
    "entropy-gone",
    "no-policy-forming",
    "kl-zero",
    "gradients-vanish",
    "no-better-than-random",
    "values-out-of-scale",
    "values-worse-than-none",
    "few-episodes-count",
    "advantages-off-centre",
    "much-clipped",
    "advantage-outliers",
    "values-learn-nothing",
    "cannot-repeat",
    "equally-long",
)

_ALL = {
    rule.name: rule
    for rule in (*of_steps.RULES, *of_signal.RULES, *of_values.RULES, *of_policy.RULES, *of_returns.RULES)
}
RULES: tuple[Rule, ...] = tuple(_ALL[name] for name in (*_FIRST, *(name for name in _ALL if name not in _FIRST)))


def findings(reported: Reported) -> list[Finding]:
    """What is to be said of a run, the most important first; nothing where all is well."""
    return findings_of(RULES, reported)
