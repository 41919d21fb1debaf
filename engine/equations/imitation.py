"""The lines that say how a teacher is learned from, beside what the policy gradient would climb, as [Jethro] sets them.

[lecture] for behavioural cloning and DAgger; Ross, Gordon and Bagnell (2011) for the mixture.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.catalogue.methods.imitated import is_own
from engine.catalogue.methods.policies import POLICY_SPECS
from engine.catalogue.methods.spec import require_same_kinds
from engine.catalogue.methods.specs import IMITATION_SPECS
from engine.config import ImitationConfig
from engine.config.imitation import PERSON, BehaviouralCloning, DAgger
from engine.equations.symbols import Symbol
from engine.equations.terms import Line, Term
from engine.equations.updates import optimised

_GRADIENT = r"\nabla_{\!\theta}"
_LIKELIHOOD = rf"{_GRADIENT} J_{{\mathrm{{ML}}}}"
_DATASET = r"\mathcal{D}"


def imitation_lines(config: ImitationConfig) -> tuple[Line, ...]:
    """What is climbed, what the policy gradient would climb, and the step."""
    return _LINES[config.update.kind](config)


def _ours(latex: str) -> Term:
    return Term(latex, "update")


def _seen(config: ImitationConfig) -> str:
    return "h_{i,t}" if POLICY_SPECS[config.policy.kind].remembers else "s_{i,t}"


def _estimate(config: ImitationConfig, name: str, weight: str, of: str = "") -> Line:
    """The gradient of that name: ∇ log π of every step with the ``weight`` in front."""
    return (
        _ours(rf"{name} \approx "),
        Term(r"\frac{1}{N} \sum_{i=1}^{N} \sum_{t=0}^{T_i - 1} \,"),
        Term(weight, "credit"),
        Term(rf"\, {_GRADIENT} \log \,"),
        Term(rf"\pi_{{\theta}}(a_{{i,t}} \mid {_seen(config)})", "policy"),
        *((_ours(of),) if of else ()),
    )


def _sum(config: ImitationConfig, whole: bool) -> str:
    """The discounted rewards of the episode, or those that were still to come."""
    start, power = ("0", "t'") if whole else ("t", "t'-t")
    discount = rf"\gamma^{{{power}}} \, " if config.estimator.gamma < 1.0 else ""
    return rf"\Big( \sum_{{t'={start}}}^{{T_i - 1}} {discount}r_{{i,t'}} \Big)"


def _cloning(config: ImitationConfig) -> tuple[Line, ...]:
    update = config.update
    assert isinstance(update, BehaviouralCloning)
    shown = r"\quad a_{i,t} \sim \pi_{\theta}" if is_own(config) else rf"\quad (s, a)_{{i,t}} \in {_DATASET}"
    likelihood = _estimate(config, _LIKELIHOOD, r"1 \,", shown)
    weight = _sum(config, update.weighting != "return-to-go")
    if update.weighting == "one":
        beside = _estimate(config, rf"{_GRADIENT} J", weight, r"\quad a_{i,t} \sim \pi_{\theta}")
        return likelihood, beside, optimised(update, _LIKELIHOOD)
    name = rf"{_GRADIENT} J" if is_own(config) else r"\hat{g}"
    return likelihood, _estimate(config, name, weight, shown), optimised(update, name)


def _dagger(config: ImitationConfig) -> tuple[Line, ...]:
    update = config.update
    assert isinstance(update, DAgger)
    share = r"\beta_1 = 1, \; \beta_k = 0" if update.mixture == "first-round" else r"\beta_k = p^{\,k-1}"
    mixture: Line = (_ours(rf"\pi_k = \beta_k \, \pi^{{*}} + (1 - \beta_k) \, \pi_{{\theta}}, \;\; {share}"),)
    person = config.imitation.teacher == PERSON  # who never plays
    states = r"\pi_{\theta}" if person else r"\pi_k"
    asked = rf"\{{ (s, \pi^{{*}}(s)), \; s \sim {states} \}}"
    seen = "h" if POLICY_SPECS[config.policy.kind].remembers else "s"
    return (
        *(() if person else (mixture,)),
        (_ours(rf"{_DATASET} \leftarrow {_DATASET} \cup {asked}"),),
        (
            _ours(rf"{_LIKELIHOOD} = \frac{{1}}{{|{_DATASET}|}} \sum_{{(s, a) \in {_DATASET}}}"),
            Term(rf"{_GRADIENT} \log \,"),
            Term(rf"\pi_{{\theta}}(a \mid {seen})", "policy"),
        ),
        optimised(update, _LIKELIHOOD),
    )


_LINES: dict[str, Callable[[ImitationConfig], tuple[Line, ...]]] = {
    "behavioural-cloning": _cloning,
    "dagger": _dagger,
}
require_same_kinds(_LINES, IMITATION_SPECS)

SYMBOLS = (
    Symbol(r"\mathrm{ML}", "J<sub>ML</sub>", "the log-likelihood of the actions that are learned from"),
    Symbol(_DATASET, "𝒟", "the dataset: the states that were come to, and what the teacher did in them"),
    Symbol(r"\sim \pi_{\theta}", "∼ π<sub>θ</sub>", "the policy's own episodes"),
    Symbol(r"\pi^{*}", "π*", "the teacher, and what he would do in state s"),
    Symbol(
        r"\pi_k = \beta_k",
        "π<sub>k</sub>",
        "who plays in round k: the teacher with probability β at every step, else the policy",
    ),
    Symbol(r"\beta_k", "β<sub>k</sub>, k", "the teacher's share of the actions in round k"),
    Symbol(r"p^{\,k-1}", "p", "what is left of that share from round to round"),
)
