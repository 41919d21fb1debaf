"""The equation of a configuration, as LaTeX, one term for each choice that makes it.

Each term says which choice it comes from, so that the window can colour it like that choice's picker and so that
exactly the affected terms change with it. Sources: 001… and 004… for the estimator, 003… for the discounted
rewards-to-go and the Gaussian, Kingma & Ba (2015) for Adam.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.catalogue import EnvironmentInfo, distribution_of
from engine.config import EstimatorConfig, RunConfig

Part = Literal["", "policy", "credit", "baseline", "update"]


@dataclass(frozen=True)
class Term:
    """A piece of LaTeX and the choice it stands for; an empty ``part`` is common to all."""

    latex: str
    part: Part = ""


Line = tuple[Term, ...]


def equation(config: RunConfig, environment: EnvironmentInfo) -> tuple[Line, ...]:
    """The lines of the equation: policy, advantage, its normalisation if it has one, gradient, update."""
    return (
        (Term(_policy(config, environment), "policy"),),
        _advantage(config.estimator),
        *_normalisation(config.estimator),
        (
            Term(r"\hat{g} = \frac{1}{N} \sum_{i=1}^{N} \sum_{t=0}^{T_i - 1} \,"),
            *_bracket(config, "["),
            Term(r"\nabla_{\!\theta} \log \,"),
            Term(r"\pi_{\theta}(a_{i,t} \mid s_{i,t})", "policy"),
            Term(r"\, \hat{A}_{i,t}"),
            *_entropy(config),
        ),
        (Term(_update(config), "update"),),
    )


_NETWORK = r"\mathrm{MLP}_{\,\theta}(s)"


def _policy(config: RunConfig, environment: EnvironmentInfo) -> str:
    policy = config.policy
    if distribution_of(policy, environment) == "gaussian":
        mean = "W s + b" if policy.kind == "linear" else _NETWORK
        return rf"\pi_{{\theta}}(a \mid s) = \mathcal{{N}}(a; {mean}, \mathrm{{diag}}(\sigma^2))"
    this, every = _logit(policy.kind, "a"), _logit(policy.kind, "a'")
    return rf"\pi_{{\theta}}(a \mid s) = \frac{{\exp {this}}}{{\sum_{{a'}} \exp {every}}}"


def _logit(kind: str, action: str) -> str:
    if kind == "tabular":
        return rf"(\theta_{{s,{action}}})"
    return rf"(W s + b)_{{{action}}}" if kind == "linear" else rf"\, {_NETWORK}_{{{action}}}"


def _advantage(estimator: EstimatorConfig) -> Line:
    discounted = estimator.gamma < 1.0
    if estimator.credit.kind == "total-return":
        weight = r"\, \gamma^{t'}" if discounted else ""
        credit = rf"\sum_{{t'=0}}^{{T_i - 1}} {weight} \, r_{{i,t'}}"
    else:
        weight = r"\, \gamma^{t'-t}" if discounted else ""
        credit = rf"\sum_{{t'=t}}^{{T_i - 1}} {weight} \, r_{{i,t'}}"
    terms = [Term(r"\hat{A}_{i,t} ="), Term(credit, "credit")]
    if estimator.baseline.kind == "average":
        average = r"\bar{R}" if estimator.credit.kind == "total-return" else r"\bar{G}"
        terms += [Term(r"\; - \;"), Term(average, "baseline")]
    elif estimator.baseline.kind == "value":
        state = "s_{i,0}" if estimator.credit.kind == "total-return" else "s_{i,t}"
        terms += [Term(r"\; - \;"), Term(rf"V_{{\phi}}({state})", "baseline")]
    return tuple(terms)


def _normalisation(estimator: EstimatorConfig) -> tuple[Line, ...]:
    if not estimator.normalize_advantages:
        return ()
    return ((Term(r"\hat{A}_{i,t} \leftarrow \frac{\hat{A}_{i,t} - \mathrm{mean}(\hat{A})}{\mathrm{std}(\hat{A})}"),),)


def _entropy(config: RunConfig) -> Line:
    if config.update.entropy_coefficient == 0.0:
        return ()
    bonus = r"\; + \; \beta \, \nabla_{\!\theta} \, H(\pi_{\theta}(\cdot \mid s_{i,t}))"
    return (Term(bonus, "update"), *_bracket(config, "]"))


def _bracket(config: RunConfig, bracket: str) -> Line:
    """Around the two gradients that the sum runs over; one alone needs none."""
    return () if config.update.entropy_coefficient == 0.0 else (Term(rf"\, {bracket}"),)


def _update(config: RunConfig) -> str:
    clipped = r"\mathrm{clip}(\hat{g})" if config.update.max_grad_norm > 0.0 else r"\hat{g}"
    if config.update.optimizer == "sgd":
        return rf"\theta \leftarrow \theta + \alpha \, {clipped}"
    return rf"\theta \leftarrow \theta + \alpha \, \mathrm{{Adam}}({clipped})"
