"""The lines that say what the update climbs, and how it steps."""

from __future__ import annotations

from collections.abc import Callable

from engine.catalogue.methods.spec import require_same_kinds
from engine.catalogue.methods.specs import PLANNING_SPECS, UPDATE_SPECS
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PlanningConfig, PolicyGradientConfig
from engine.config.estimators import SharedValueBaseline
from engine.config.imitation import BehaviouralCloning, DAgger
from engine.config.planning import ExactGradient, ExactNaturalGradient
from engine.config.updates import (
    TRPO,
    GradientAscent,
    NaturalGradient,
    OffPolicy,
    PPOClip,
    PPOLagrangian,
    PPOPenalty,
)
from engine.equations.planning import SWEEPS
from engine.equations.symbols import Symbol
from engine.equations.terms import (
    ADVANTAGE,
    Line,
    Term,
    chance,
    last_step,
    mean_over_steps,
    seen,
    v_trace,
)

_GRADIENT = r"\nabla_{\!\theta}"
_OLD = r"\pi_{\mathrm{old}}"
_RATIO_TIMES_ADVANTAGE: Line = (Term(r"\rho_{i,t} \,", "update"), Term(ADVANTAGE))
_OLD_KL = rf"\mathrm{{KL}}({_OLD} \parallel \pi_{{\theta}})"


def update_lines(config: PolicyGradientConfig) -> tuple[Line, ...]:
    """Ratios or weights, the estimated gradient or the surrogate objective, and the step."""
    return _UPDATES[config.update.kind](config)


def planning_lines(config: PlanningConfig, environment: EnvironmentInfo) -> tuple[Line, ...]:
    """What is computed where nothing is estimated, and the step."""
    return _PLANNING[config.update.kind](config, environment)


def _ours(*pieces: str) -> Line:
    return tuple(Term(piece, "update") for piece in pieces)


# --- what is climbed --------------------------------------------------------------------------------------------------


def _gradient(config: PolicyGradientConfig, mean: Line) -> Line:
    bonus = _entropy(config, rf"{_GRADIENT} \, ")
    return (
        Term(r"\hat{g} = "),
        *mean,
        *(_bracket("[") if bonus else ()),
        *_state_weight(config),
        Term(rf"{_GRADIENT} \log \,"),
        Term(chance(config), "policy"),
        Term(rf"\, {ADVANTAGE}"),
        *bonus,
        *(_bracket("]") if bonus else ()),
        *_shared_value(config, rf"{_GRADIENT} "),
    )


def _surrogate(config: PolicyGradientConfig, gain: Line, held_back: Line = ()) -> Line:
    """The mean over steps of what an advantage earns, less what is taken off for moving the policy."""
    bonus = (*held_back, *_entropy(config, ""))
    return (
        Term(r"L(\theta) = ", "update"),
        Term(mean_over_steps(config, "M")),
        *(_bracket("[") if bonus else ()),
        *_state_weight(config),
        *gain,
        *bonus,
        *(_bracket("]") if bonus else ()),
        *_shared_value(config, ""),
    )


def _ratio(config: PolicyGradientConfig) -> Line:
    fraction = rf"\frac{{{chance(config)}}}{{{chance(config, _OLD)}}}"
    return _ours(rf"\rho_{{i,t}} = {fraction}")


def _everywhere(config: PolicyGradientConfig) -> tuple[str, str]:
    """The old policy and the new one, over all actions in the state of a step."""
    state = seen(config)
    return rf"{_OLD}(\cdot \mid {state})", rf"\pi_{{\theta}}(\cdot \mid {state})"


def _state_weight(config: PolicyGradientConfig) -> Line:
    """γᵗ, which the gradient of the discounted return has and common practice leaves out."""
    weighted = config.estimator.discount_states and config.estimator.gamma < 1.0
    return (Term(r"\gamma^{t} \,", "credit"),) if weighted else ()


def _entropy(config: PolicyGradientConfig, gradient: str) -> Line:
    if getattr(config.update, "entropy_coefficient", 0.0) == 0.0:
        return ()
    return _ours(rf"\; + \; \beta \, {gradient} H(\pi_{{\theta}}(\cdot \mid {seen(config)}))")


def _bracket(bracket: str) -> Line:
    """Around the several terms that the sum runs over; one alone needs none."""
    return (Term(rf"\, {bracket}" if bracket == "]" else bracket),)


def _shared_value(config: PolicyGradientConfig, gradient: str) -> Line:
    if not isinstance(config.estimator.baseline, SharedValueBaseline):
        return ()
    return (Term(rf"\; - \; c_V \, {gradient} L_V", "baseline"),)


def _rate(
    update: GradientAscent
    | NaturalGradient
    | PPOClip
    | PPOPenalty
    | PPOLagrangian
    | OffPolicy
    | ExactGradient
    | ExactNaturalGradient
    | BehaviouralCloning
    | DAgger,
) -> str:
    """The learning rate, with a count where it changes over the run."""
    return r"\alpha" if update.learning_rate_schedule == "constant" else r"\alpha_k"


def optimised(
    update: GradientAscent
    | PPOClip
    | PPOPenalty
    | PPOLagrangian
    | OffPolicy
    | ExactGradient
    | BehaviouralCloning
    | DAgger,
    gradient: str,
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


def _fisher(update: NaturalGradient | TRPO | ExactNaturalGradient) -> Line:
    score = rf"{_GRADIENT} \log \, \pi_{{\theta}}"
    damping = r" + \xi I" if update.damping > 0.0 else ""
    return _ours(rf"F = \mathbb{{E}}[{score} \, {score}^{{\top}}]{damping}")


# --- the rules --------------------------------------------------------------------------------------------------------


def _gradient_ascent(config: PolicyGradientConfig) -> tuple[Line, ...]:
    update = config.update
    assert isinstance(update, GradientAscent)
    return _gradient(config, (Term(mean_over_steps(config, "N")),)), optimised(update, r"\hat{g}")


def _natural_gradient(config: PolicyGradientConfig) -> tuple[Line, ...]:
    update = config.update
    assert isinstance(update, NaturalGradient)
    rate = _rate(update)
    length = rf"\min({rate}, {_longest()})" if update.max_kl > 0.0 else rate
    return (
        _gradient(config, (Term(mean_over_steps(config, "M")),)),
        _fisher(update),
        _ours(r"\theta \leftarrow \theta + \,", rf"{length} \, F^{{-1}} \hat{{g}}"),
    )


def _trpo(config: PolicyGradientConfig) -> tuple[Line, ...]:
    update = config.update
    assert isinstance(update, TRPO)
    return (
        _ratio(config),
        _surrogate(config, _RATIO_TIMES_ADVANTAGE),
        _ours(r"\max_{\theta} L(\theta)", rf"\;\; \mathrm{{with}} \;\; {_OLD_KL} \leq \delta"),
        _ours(rf"\hat{{g}} = {_GRADIENT} L, \;\;", *(term.latex for term in _fisher(update))),
        _ours(r"\theta \leftarrow \theta + \,", rf"\zeta^{{\,j}} \, {_longest()} \, F^{{-1}} \hat{{g}}"),
    )


def _ppo_clip(config: PolicyGradientConfig) -> tuple[Line, ...]:
    update = config.update
    assert isinstance(update, PPOClip)
    reach = r"\varepsilon" if update.clip_range_schedule == "constant" else r"\varepsilon_k"
    clipped = rf"\mathrm{{clip}}(\rho_{{i,t}}, 1 - {reach}, 1 + {reach}) \,"
    gain = (
        Term(r"\min(\rho_{i,t} \,", "update"),
        Term(ADVANTAGE),
        Term(r", \,", "update"),
        Term(clipped, "update"),
        Term(ADVANTAGE),
        Term(")", "update"),
    )
    return _ratio(config), _surrogate(config, gain), optimised(update, rf"{_GRADIENT} L")


def _ppo_penalty(config: PolicyGradientConfig) -> tuple[Line, ...]:
    update = config.update
    assert isinstance(update, PPOPenalty)
    if update.form == "single-sample":
        held_back: Line = Term(r"\; + \; \lambda \log \,", "update"), Term(chance(config), "policy")
    else:
        before, now = _everywhere(config)
        held_back = _ours(rf"\; - \; \lambda \, \mathrm{{KL}}({before} \parallel {now})")
    objective = _surrogate(config, _RATIO_TIMES_ADVANTAGE, held_back)
    return _ratio(config), objective, optimised(update, rf"{_GRADIENT} L")


def _ppo_lagrangian(config: PolicyGradientConfig) -> tuple[Line, ...]:
    update = config.update
    assert isinstance(update, PPOLagrangian)
    before, now = _everywhere(config)
    held_back = _ours(rf"\; - \; \lambda \, \mathrm{{KL}}({now} \parallel {before})")
    gap = r"\mathrm{KL}(\pi_{\theta} \parallel \pi_{\mathrm{old}}) - \varepsilon"
    return (
        _ratio(config),
        _surrogate(config, _RATIO_TIMES_ADVANTAGE, held_back),
        optimised(update, rf"{_GRADIENT} L"),
        _ours(r"\lambda \leftarrow \max(0, \,", rf"\lambda + \alpha_{{\lambda}} ({gap}))"),
    )


def _off_policy(config: PolicyGradientConfig) -> tuple[Line, ...]:
    """Importance weights, of whole episodes or of every decision in them, and the gradient that they weigh."""
    update = config.update
    assert isinstance(update, OffPolicy)
    if v_trace(config):
        return _of_v_trace(config, update)
    single = update.weighting == "per-decision"
    name, until = ("w_{i,t}", "t") if single else ("w_i", last_step(config))
    greedy = max(config.exploration.greedy_start, config.exploration.greedy_end) > 0.0
    actor = r"\mu" if greedy else _OLD
    taken, state = "a_{i,k}", seen(config, "k")
    ratio = rf"\frac{{\pi_{{\theta}}({taken} \mid {state})}}{{{actor}({taken} \mid {state})}}"
    product = rf"\prod_{{k=0}}^{{{until}}} \, {ratio}"
    if update.truncation > 0.0:
        product = rf"\min(c, \, {product})"
    lines = [_ours(f"{name} = ", product)]
    if single and update.self_normalized:
        lines.append(_ours(r"w_{i,t} \leftarrow \frac{w_{i,t}}{\frac{1}{N} \sum_j w_{j,t}}"))
    mean = (Term(mean_over_steps(config, "N")),) if single else _weighted_mean(config, update)
    return (*lines, _gradient(config, mean), optimised(update, r"\hat{g}"))


def _of_v_trace(config: PolicyGradientConfig, update: OffPolicy) -> tuple[Line, ...]:
    """The ratios, cut off twice, and the gradient with the advantages that hold them."""
    greedy = max(config.exploration.greedy_start, config.exploration.greedy_end) > 0.0
    acted = chance(config, r"\mu" if greedy else _OLD)
    ratio = rf"\frac{{{chance(config)}}}{{{acted}}}"
    return (
        _ours(r"\rho_{i,t} = ", rf"\min(\bar{{\rho}}, \, {ratio})"),
        _ours(r"c_{i,t} = ", rf"\min(\bar{{c}}, \, {ratio})"),
        _gradient(config, (Term(mean_over_steps(config, "N")),)),
        optimised(update, r"\hat{g}"),
    )


def _weighted_mean(config: PolicyGradientConfig, update: OffPolicy) -> Line:
    """Over steps, with each episode's weight."""
    divisor = r"\sum_j w_j" if update.self_normalized else "N"
    return (
        Term(rf"\frac{{1}}{{{divisor}}}", "update"),
        Term(r"\sum_{i=1}^{N}"),
        Term(r"w_i \,", "update"),
        Term(rf"\sum_{{t=0}}^{{{last_step(config)}}} \,"),
    )


def _exact_gradient(config: PlanningConfig, environment: EnvironmentInfo) -> tuple[Line, ...]:
    """The true gradient, and the step."""
    assert isinstance(config.update, ExactGradient)
    return (*_true_gradient(config, environment), optimised(config.update, rf"{_GRADIENT} J"))


def _exact_natural_gradient(config: PlanningConfig, environment: EnvironmentInfo) -> tuple[Line, ...]:
    update = config.update
    assert isinstance(update, ExactNaturalGradient)
    step = rf"\theta \leftarrow \theta + {_rate(update)} \, F^{{-1}} {_GRADIENT} J"
    return (*_true_gradient(config, environment), _fisher(update), _ours(step))


def _true_gradient(config: PlanningConfig, environment: EnvironmentInfo) -> tuple[Line, ...]:
    return (
        (
            Term(rf"{_GRADIENT} J = ", "update"),
            Term(r"\sum_s d(s) \sum_a \,", "update"),
            Term(rf"{_GRADIENT} \,", "update"),
            Term(rf"\pi_{{\theta}}(a \mid {'o(s)' if environment.aliased else 's'})", "policy"),
            Term(r"\, Q(s, a)", "update"),
        ),
        _ours("d(s) = ", r"\sum_{t} " + (r"\gamma^{t} \, " if config.estimator.gamma < 1.0 else "") + r"\Pr(s_t = s)"),
    )


_UPDATES: dict[str, Callable[[PolicyGradientConfig], tuple[Line, ...]]] = {
    "gradient-ascent": _gradient_ascent,
    "natural-gradient": _natural_gradient,
    "trpo": _trpo,
    "ppo-clip": _ppo_clip,
    "ppo-penalty": _ppo_penalty,
    "ppo-lagrangian": _ppo_lagrangian,
    "off-policy": _off_policy,
}
require_same_kinds(_UPDATES, UPDATE_SPECS)
# The same as a line of pseudo-code.
UPDATE_CODE = {
    "gradient-ascent": "θ ← θ + α ĝ",
    "natural-gradient": "θ ← θ + α F⁻¹ĝ",
    "trpo": "θ ← θ + ζʲ s,  KL ≤ δ",
    "ppo-clip": "repeat: θ ← θ + α ∇L",
    "ppo-penalty": "repeat: θ ← θ + α ∇L",
    "ppo-lagrangian": "repeat: θ ← θ + α ∇L",
    "off-policy": "repeat: θ ← θ + α ĝ",
}
require_same_kinds(UPDATE_CODE, UPDATE_SPECS)
_PLANNING: dict[str, Callable[[PlanningConfig, EnvironmentInfo], tuple[Line, ...]]] = {
    "exact-gradient": _exact_gradient,
    "exact-natural-gradient": _exact_natural_gradient,
    **SWEEPS,
}
require_same_kinds(_PLANNING, PLANNING_SPECS)

SYMBOLS = (
    Symbol(r"\bar{\rho}", "ρ̄, c̄", "where V-trace cuts ratios off"),
    Symbol(r"\rho_{i,t}", "ρ<sub>i,t</sub>", "how much likelier the action has become since it was taken"),
    Symbol(r"\pi_{\mathrm{old}}", "π<sub>old</sub>", "the policy that acted, before this update"),
    Symbol("w_{i,", "w<sub>i,t</sub>", "the importance weight: how much likelier episode i has become up to step t"),
    Symbol("w_i", "w<sub>i</sub>", "the importance weight: how much likelier episode i has become"),
    Symbol(r"\sum_j w_", "j", "every episode, one after the other"),
    Symbol(r"\min(c", "c", "the largest weight that counts"),
    Symbol(r"\hat{g}", "ĝ", "the estimated policy gradient"),
    Symbol(r"L(\theta)", "L(θ)", "the objective; every epoch steps along the gradient of each of its minibatches"),
    Symbol(r"\sum_{i=1}^{N}", "N, i", "the number of episodes, or of environments, and which of them"),
    Symbol("T_i", "T<sub>i</sub>", "the length of episode i"),
    Symbol("T - 1", "T", "the steps taken in each environment; a sum over rewards ends where the episode ends"),
    Symbol(r"\frac{1}{M}", "M", "the number of steps in the batch"),
    Symbol(
        r"\mathrm{KL}", "KL", "how far two policies differ, the Kullback–Leibler divergence, over the visited states"
    ),
    Symbol(r"\\lambda (\\,|\\log)", "λ", "the price of a nat of divergence", regex=True),
    Symbol(r"\alpha_{\lambda}", "α<sub>λ</sub>, ε", "how fast the price follows, and the divergence that is allowed"),
    Symbol(r"1 - \\varepsilon(?!_)", "ε", "the clip range: moving a ratio further from 1 earns nothing", regex=True),
    Symbol(r"\varepsilon_k", "ε<sub>k</sub>", "the clip range in update k, which falls over the run"),
    Symbol(r"2 \delta", "δ", "how far one update may move the policy, as mean KL divergence"),
    Symbol("F^{-1}", "F", "the Fisher matrix: how much each change of θ changes the policy; E is the mean over steps"),
    Symbol(r"\xi", "ξ I", "damping on F's diagonal"),
    Symbol(r"\zeta", "ζ, j", "the backtracking factor: j = 0, 1, 2 … until L improves within the trust region"),
    Symbol(r"H(\pi_{\theta}(\cdot", "β H", "the weighted entropy of the policy, which keeps it exploring"),
    Symbol("c_V", "c<sub>V</sub> L<sub>V</sub>", "the weighted error of the value that shares the policy's network"),
    Symbol("J", "J(θ)", "the expected return that is to be made large"),
    Symbol(
        "d(s)", "d(s)", "how often state s is visited, a visit at step t counted with its discount; Pr is a probability"
    ),
    Symbol("Q(s, a)", "Q(s,a)", "the exact expected return after action a in state s"),
    Symbol(r"m \leftarrow", "m", "the momentum: this gradient and 0.9 of the step before"),
    Symbol(r"\mathrm{Adam}", "Adam", "rescales the step per parameter by its recent size"),
    Symbol(r"\mathrm{RMSprop}", "RMSprop", "rescales the step per parameter by its recent size"),
    Symbol(r"\mathrm{clip}(\hat{g})", "clip", "scales the gradient down where it is too long"),
    Symbol(r"\mathrm{clip}(\nabla", "clip(∇)", "scales the gradient down where it is too long"),
    Symbol(r"\mathrm{clip}(\rho", "clip(ρ, …)", "the ratio, but no less than 1 − ε and no more than 1 + ε"),
    Symbol(r"(?<!\\log )\\alpha(?! \\log)( |,)", "α", "the learning rate", regex=True),
    Symbol(r"\alpha_k", "α<sub>k</sub>", "the learning rate in update k; it falls over the run"),
)
