"""The lines that say what the update climbs, and how it steps."""

from __future__ import annotations

from engine.config import PlanningConfig, PolicyGradientConfig
from engine.config.planning import ExactGradient
from engine.config.updates import (
    TRPO,
    GradientAscent,
    NaturalGradient,
    OffPolicy,
    PPOClip,
    PPOLagrangian,
    PPOPenalty,
)
from engine.equations.terms import (
    ADVANTAGE,
    SURROGATE,
    Line,
    Term,
    chance,
    last_step,
    mean_over_steps,
    seen,
)

_GRADIENT = r"\nabla_{\!\theta}"
_OLD = r"\pi_{\mathrm{old}}"
_OLD_KL = rf"\mathrm{{KL}}({_OLD} \parallel \pi_{{\theta}})"


def update_lines(config: PolicyGradientConfig) -> tuple[Line, ...]:
    """Ratios or weights, the estimated gradient or the surrogate objective, and the step."""
    if config.update.kind in SURROGATE:
        return (_ratio(config), _surrogate(config), *_steps(config))
    return (*_weights(config), _gradient(config), *_steps(config))


def _ours(*pieces: str) -> Line:
    return tuple(Term(piece, "update") for piece in pieces)


# --- what is climbed --------------------------------------------------------------------------------------------------


def _gradient(config: PolicyGradientConfig) -> Line:
    bonus = _entropy(config, rf"{_GRADIENT} \, ")
    return (
        Term(r"\hat{g} = "),
        *_mean(config),
        *(_bracket("[") if bonus else ()),
        *_state_weight(config),
        Term(rf"{_GRADIENT} \log \,"),
        Term(chance(config), "policy"),
        Term(rf"\, {ADVANTAGE}"),
        *bonus,
        *(_bracket("]") if bonus else ()),
        *_shared_value(config, rf"{_GRADIENT} "),
    )


def _mean(config: PolicyGradientConfig) -> Line:
    update = config.update
    if not (isinstance(update, OffPolicy) and update.weighting == "per-trajectory"):
        return (Term(mean_over_steps(config)),)
    divisor = r"\sum_j w_j" if update.self_normalized else "N"
    return (
        Term(rf"\frac{{1}}{{{divisor}}}", "update"),
        Term(r"\sum_{i=1}^{N}"),
        Term(r"w_i \,", "update"),
        Term(rf"\sum_{{t=0}}^{{{last_step(config)}}} \,"),
    )


def _surrogate(config: PolicyGradientConfig) -> Line:
    gain, held_back = _gain(config)
    bonus = (*held_back, *_entropy(config, ""))
    return (
        Term(r"L(\theta) = ", "update"),
        Term(mean_over_steps(config)),
        *(_bracket("[") if bonus else ()),
        *_state_weight(config),
        *gain,
        *bonus,
        *(_bracket("]") if bonus else ()),
        *_shared_value(config, ""),
    )


def _gain(config: PolicyGradientConfig) -> tuple[Line, Line]:
    """What a step's advantage earns, and what is taken off for moving the policy."""
    update, now = config.update, rf"\pi_{{\theta}}(\cdot \mid {seen(config)})"
    before = rf"{_OLD}(\cdot \mid {seen(config)})"
    plain = (Term(r"\rho_{i,t} \,", "update"), Term(ADVANTAGE))
    if isinstance(update, PPOClip):
        reach = _clip_range(update)
        clipped = rf"\mathrm{{clip}}(\rho_{{i,t}}, 1 - {reach}, 1 + {reach}) \,"
        gain = Term(r"\min(\rho_{i,t} \,", "update"), Term(ADVANTAGE), Term(r", \,", "update"), Term(clipped, "update")
        return (*gain, Term(ADVANTAGE), Term(")", "update")), ()
    if isinstance(update, PPOPenalty):
        if update.form == "single-sample":
            return plain, (Term(r"\; + \; \lambda \log \,", "update"), Term(chance(config), "policy"))
        return plain, _ours(rf"\; - \; \lambda \, \mathrm{{KL}}({before} \parallel {now})")
    if isinstance(update, PPOLagrangian):
        return plain, _ours(rf"\; - \; \lambda \, \mathrm{{KL}}({now} \parallel {before})")
    return plain, ()


def _clip_range(update: PPOClip) -> str:
    return r"\varepsilon" if update.clip_range_schedule == "constant" else r"\varepsilon_k"


def _ratio(config: PolicyGradientConfig) -> Line:
    fraction = rf"\frac{{{chance(config)}}}{{{chance(config, _OLD)}}}"
    return _ours(rf"\rho_{{i,t}} = {fraction}")


def _weights(config: PolicyGradientConfig) -> tuple[Line, ...]:
    """Importance weights, of whole episodes or of every decision in them."""
    update = config.update
    if not isinstance(update, OffPolicy):
        return ()
    single = update.weighting == "per-decision"
    name, until = ("w_{i,t}", "t") if single else ("w_i", last_step(config))
    greedy = max(config.exploration.greedy_start, config.exploration.greedy_end) > 0.0
    actor = r"\mu" if greedy else _OLD
    taken, state = "a_{i,k}", seen(config).replace("t", "k")
    ratio = rf"\frac{{\pi_{{\theta}}({taken} \mid {state})}}{{{actor}({taken} \mid {state})}}"
    product = rf"\prod_{{k=0}}^{{{until}}} \, {ratio}"
    if update.truncation > 0.0:
        product = rf"\min(c, \, {product})"
    lines = [_ours(f"{name} = ", product)]
    if single and update.self_normalized:
        lines.append(_ours(r"w_{i,t} \leftarrow \frac{w_{i,t}}{\frac{1}{N} \sum_j w_{j,t}}"))
    return tuple(lines)


def _state_weight(config: PolicyGradientConfig) -> Line:
    """γᵗ, which the gradient of the discounted return has and common practice leaves out."""
    weighted = config.estimator.discount_states and config.estimator.gamma < 1.0
    return (Term(r"\gamma^{t} \,", "credit"),) if weighted else ()


def _entropy(config: PolicyGradientConfig, gradient: str) -> Line:
    update = config.update
    if update.entropy_coefficient == 0.0:
        return ()
    return _ours(rf"\; + \; \beta \, {gradient} H(\pi_{{\theta}}(\cdot \mid {seen(config)}))")


def _bracket(bracket: str) -> Line:
    """Around the several terms that the sum runs over; one alone needs none."""
    return (Term(rf"\, {bracket}" if bracket == "]" else bracket),)


def _shared_value(config: PolicyGradientConfig, gradient: str) -> Line:
    if config.estimator.baseline.kind != "shared-value":
        return ()
    return (Term(rf"\; - \; c_V \, {gradient} L_V", "baseline"),)


# --- how it is climbed ------------------------------------------------------------------------------------------------


def _steps(config: PolicyGradientConfig) -> tuple[Line, ...]:
    update = config.update
    if isinstance(update, GradientAscent | OffPolicy):
        return (_optimised(update, r"\hat{g}"),)
    if isinstance(update, NaturalGradient):
        rate = _rate(update)
        length = rf"\min({rate}, {_longest()})" if update.max_kl > 0.0 else rate
        return _fisher(config, update), _ours(r"\theta \leftarrow \theta + \,", rf"{length} \, F^{{-1}} \hat{{g}}")
    if isinstance(update, TRPO):
        return (
            _ours(r"\max_{\theta} L(\theta)", rf"\;\; \mathrm{{with}} \;\; {_OLD_KL} \leq \delta"),
            _ours(rf"\hat{{g}} = {_GRADIENT} L, \;\;", *(term.latex for term in _fisher(config, update))),
            _ours(r"\theta \leftarrow \theta + \,", rf"\zeta^{{\,j}} \, {_longest()} \, F^{{-1}} \hat{{g}}"),
        )
    assert isinstance(update, PPOClip | PPOPenalty | PPOLagrangian)
    lines: tuple[Line, ...] = (_optimised(update, rf"{_GRADIENT} L"),)
    if isinstance(update, PPOLagrangian):
        gap = r"\mathrm{KL}(\pi_{\theta} \parallel \pi_{\mathrm{old}}) - \varepsilon"
        lines = (*lines, _ours(r"\lambda \leftarrow \max(0, \,", rf"\lambda + \alpha_{{\lambda}} ({gap}))"))
    return lines


def _rate(
    update: GradientAscent | NaturalGradient | PPOClip | PPOPenalty | PPOLagrangian | OffPolicy | ExactGradient,
) -> str:
    """The learning rate, with a count where it changes over the run."""
    return r"\alpha" if update.learning_rate_schedule == "constant" else r"\alpha_k"


def _optimised(
    update: GradientAscent | PPOClip | PPOPenalty | PPOLagrangian | OffPolicy | ExactGradient, gradient: str
) -> Line:
    """One step uphill, as the optimiser takes it."""
    rate = _rate(update)
    if update.max_grad_norm > 0.0:
        gradient = rf"\mathrm{{clip}}({gradient})"
    if update.optimizer == "momentum":
        return _ours(rf"m \leftarrow 0.9 \, m + {gradient},", rf"\;\; \theta \leftarrow \theta + {rate} \, m")
    names = {"adam": "Adam", "rmsprop": "RMSprop"}
    if update.optimizer in names:
        gradient = rf"\mathrm{{{names[update.optimizer]}}}({gradient})"
    return _ours(rf"\theta \leftarrow \theta + {rate} \, {gradient}")


def _longest() -> str:
    """The longest step along F⁻¹ĝ that stays within the trust region."""
    return r"\sqrt{\frac{2 \delta}{\hat{g}^{\top} F^{-1} \hat{g}}}"


def _fisher(config: PolicyGradientConfig, update: NaturalGradient | TRPO) -> Line:
    score = rf"{_GRADIENT} \log \, \pi_{{\theta}}"
    damping = r" + \xi I" if update.damping > 0.0 else ""
    return _ours(rf"F = \mathbb{{E}}[{score} \, {score}^{{\top}}]{damping}")


def planning_lines(config: PlanningConfig) -> tuple[Line, ...]:
    """The true gradient, and the step."""
    return (
        (
            Term(rf"{_GRADIENT} J = ", "update"),
            Term(r"\sum_s d(s) \sum_a \,", "update"),
            Term(rf"{_GRADIENT} \,", "update"),
            Term(r"\pi_{\theta}(a \mid s)", "policy"),
            Term(r"\, Q(s, a)", "update"),
        ),
        _ours("d(s) = ", r"\sum_{t} " + (r"\gamma^{t} \, " if config.estimator.gamma < 1.0 else "") + r"\Pr(s_t = s)"),
        _optimised(config.update, rf"{_GRADIENT} J"),
    )
