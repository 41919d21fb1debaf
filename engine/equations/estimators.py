"""The lines that say how the advantage of an action is estimated, and what a learned value is fitted to."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from engine.catalogue.methods.baselines import BASELINE_SPECS
from engine.catalogue.methods.credits import CREDIT_SPECS
from engine.catalogue.methods.spec import require_same_kinds
from engine.config import PolicyGradientConfig
from engine.config.estimators import GAE, NStepTD, OptimalBaseline, SharedValueBaseline, ValueBaseline
from engine.equations.symbols import Symbol
from engine.equations.terms import ADVANTAGE, Line, Term, cuts, last_step, per_decision, v_trace, value


def advantage_lines(config: PolicyGradientConfig) -> tuple[Line, ...]:
    """The advantage, what it is made of where that needs a line of its own, and its normalisation if it has one."""
    credited = _v_trace if v_trace(config) else _CREDITS[config.estimator.credit.kind]
    return (*credited(config), *_normalisation(config))


def _line(*credit: Term) -> Line:
    return (Term(rf"{ADVANTAGE} = "), *credit)


def _learned(config: PolicyGradientConfig) -> bool:
    return BASELINE_SPECS[config.estimator.baseline.kind].learned is not None


def _weight(config: PolicyGradientConfig, step: str) -> tuple[Term, ...]:
    """The importance weight of a reward, where each has its own."""
    return (Term(rf"\, w_{{i,{step}}}", "update"),) if per_decision(config) else ()


# --- credit -----------------------------------------------------------------------------------------------------------


class _Sum(NamedTuple):
    """A sum over t': where it starts, the discount's power, the step whose importance weight counts, the state from
    which on is counted, the letter of the sum, and its product with a squared score."""

    start: str
    power: str
    weighted: str
    state: str
    letter: str
    covered: str


_FROM_THE_START = _Sum("0", "t'", r"\max(t,t')", "s_{i,0}", "R", r"g_{i,k}^2 \, R_i")
_FROM_NOW = _Sum("t", "t'-t", "t'", "s_{i,t}", "G", r"g_{i,k} \, x_{i,k}")


def _total_return(config: PolicyGradientConfig) -> tuple[Line, ...]:
    return _credited(config, _FROM_THE_START)


def _reward_to_go(config: PolicyGradientConfig) -> tuple[Line, ...]:
    return _credited(config, _FROM_NOW)


def _n_step(config: PolicyGradientConfig) -> tuple[Line, ...]:
    if _learned(config) and per_decision(config):
        return _of_errors(config, _FROM_NOW, end="t+n-1")
    credit, gamma = config.estimator.credit, config.estimator.gamma
    assert isinstance(credit, NStepTD)
    if credit.n == 1:
        rewards, rest, state = "r_{i,t}", r"\gamma", "s_{i,t+1}"
    else:
        weight = r"\, \gamma^{t'-t}" if gamma < 1.0 else ""
        rewards, rest, state = rf"\sum_{{t'=t}}^{{t+n-1}} {weight} \, r_{{i,t'}}", r"\gamma^{n}", "s_{i,t+n}"
    line = _line(
        Term(rewards, "credit"),
        Term(rf"\; + \; {rest} \, " if gamma < 1.0 else r"\; + \; ", "credit"),
        Term(value(config, state), "baseline"),
        Term(r"\; - \;"),
        Term(value(config), "baseline"),
    )
    return (line,)


def _gae(config: PolicyGradientConfig) -> tuple[Line, ...]:
    return _of_errors(config, _FROM_NOW)


def _credited(config: PolicyGradientConfig, form: _Sum) -> tuple[Line, ...]:
    """The sum, of rewards or of errors where each of these has a weight of its own."""
    if _learned(config) and per_decision(config):
        return _of_errors(config, form)
    made = _optimal(config, form) if isinstance(config.estimator.baseline, OptimalBaseline) else ()
    return (_of_rewards(config, form), *made)


def _of_rewards(config: PolicyGradientConfig, form: _Sum) -> Line:
    """The whole return or the reward-to-go, less the baseline."""
    discounted = config.estimator.gamma < 1.0
    weight = rf"\, \gamma^{{{form.power}}}" if discounted else ""
    credit = rf"\sum_{{t'={form.start}}}^{{{last_step(config)}}} {weight}"
    terms = [Term(credit, "credit"), *_weight(config, form.weighted), Term(r"\, r_{i,t'}", "credit")]
    if _learned(config) and cuts(config):
        rest = r"\; + \; \gamma^{T-t} \," if discounted else r"\; + \;"
        terms += [Term(rest, "credit"), Term(value(config, "s_{i,T}"), "baseline")]
    baseline = _BASELINES[config.estimator.baseline.kind](config, form)
    if baseline:
        terms += [Term(r"\; - \;"), *_weight(config, "t"), Term(baseline, "baseline")]
    return _line(*terms)


def _of_errors(config: PolicyGradientConfig, form: _Sum, end: str = "") -> tuple[Line, ...]:
    """A sum of temporal-difference errors: GAE, or another credit whose every term has a weight of its own."""
    base = (r"\gamma" if config.estimator.gamma < 1.0 else "") + (
        r"\lambda" if isinstance(config.estimator.credit, GAE) else ""
    )
    base = f"({base})" if base == r"\gamma\lambda" else base
    weight = rf"\, {base}^{{{form.power}}}" if base else ""
    total = rf"\sum_{{t'={form.start}}}^{{{end or last_step(config)}}} {weight}"
    line = _line(Term(total, "credit"), *_weight(config, form.weighted), Term(r"\, \delta_{i,t'}", "credit"))
    return line, _error(config)


def _error(config: PolicyGradientConfig) -> Line:
    discounted = config.estimator.gamma < 1.0
    return (
        Term(r"\delta_{i,t} = ", "credit"),
        Term(r"r_{i,t}" + (r"\; + \; \gamma \, " if discounted else r"\; + \; "), "credit"),
        Term(value(config, "s_{i,t+1}"), "baseline"),
        Term(r"\; - \;"),
        Term(value(config), "baseline"),
    )


def _v_trace(config: PolicyGradientConfig) -> tuple[Line, ...]:
    """V-trace's advantage, the recursion that it is made of, the error, and what V is fitted to."""
    gamma = r"\gamma \, " if config.estimator.gamma < 1.0 else ""
    credit = config.estimator.credit
    decay = r"\lambda \, " if isinstance(credit, GAE) and credit.gae_lambda < 1.0 else ""
    correction = r"\Delta_{i,t}"
    later = rf"{gamma}{decay}\Delta_{{i,t+1}}"
    return (
        _line(Term(r"\rho_{i,t} \,", "update"), Term(rf"(\delta_{{i,t}} + {later})", "credit")),
        (
            Term(rf"{correction} = ", "credit"),
            Term(r"\rho_{i,t} \,", "update"),
            Term(r"\delta_{i,t} \; + \;", "credit"),
            Term(r"c_{i,t} \, ", "update"),
            Term(later, "credit"),
        ),
        _error(config),
        (
            Term(r"\hat{G}_{i,t} = ", "credit"),
            Term(value(config), "baseline"),
            Term(rf"\; + \; {correction}", "credit"),
        ),
    )


_CREDITS: dict[str, Callable[[PolicyGradientConfig], tuple[Line, ...]]] = {
    "total-return": _total_return,
    "reward-to-go": _reward_to_go,
    "n-step": _n_step,
    "gae": _gae,
}
require_same_kinds(_CREDITS, CREDIT_SPECS)
# The same as a line of pseudo-code.
CREDIT_CODE = {
    "total-return": "Ψ ← return of the episode",
    "reward-to-go": "Ψ ← reward-to-go",
    "n-step": "Ψ ← n rewards + V",
    "gae": "Ψ ← λ-return",
}
require_same_kinds(CREDIT_CODE, CREDIT_SPECS)


# --- baselines --------------------------------------------------------------------------------------------------------


def _nothing(config: PolicyGradientConfig, form: _Sum) -> str:
    return ""


def _average(config: PolicyGradientConfig, form: _Sum) -> str:
    return rf"\bar{{{form.letter}}}"


def _average_per_step(config: PolicyGradientConfig, form: _Sum) -> str:
    return rf"\bar{{{form.letter}}}_{{t}}"


def _average_of_the_others(config: PolicyGradientConfig, form: _Sum) -> str:
    other = "R_j" if form is _FROM_THE_START else r"\bar{G}_j"
    return rf"\frac{{1}}{{N - 1}} \sum_{{j \neq i}} {other}"


def _constant(config: PolicyGradientConfig, form: _Sum) -> str:
    return "b_k" if _per_parameter(config) else "b"


def _value(config: PolicyGradientConfig, form: _Sum) -> str:
    return value(config, form.state)


_BASELINES: dict[str, Callable[[PolicyGradientConfig, _Sum], str]] = {
    "none": _nothing,
    "average": _average,
    "time-average": _average_per_step,
    "leave-one-out": _average_of_the_others,
    "optimal": _constant,
    "value": _value,
    "shared-value": _value,
}
require_same_kinds(_BASELINES, BASELINE_SPECS)
# The same as a line of pseudo-code.
BASELINE_CODE = {
    "none": "Â ← Ψ  (b = 0)",
    "average": "Â ← Ψ − average",
    "time-average": "Â ← Ψ − average at t",
    "leave-one-out": "Â ← Ψ − others' average",
    "optimal": "Â ← Ψ − optimal b",
    "value": "Â ← Ψ − V(s)",
    "shared-value": "Â ← Ψ − V(s)",
}
require_same_kinds(BASELINE_CODE, BASELINE_SPECS)


def _per_parameter(config: PolicyGradientConfig) -> bool:
    baseline = config.estimator.baseline
    return isinstance(baseline, OptimalBaseline) and baseline.per_parameter


def _optimal(config: PolicyGradientConfig, form: _Sum) -> tuple[Line, ...]:
    """The constant of least variance: for each of the parameters, counted by k, or over all of them."""
    over, name = ("i", "b_k") if _per_parameter(config) else ("i,k", "b")
    fraction = rf"\frac{{\sum_{{{over}}} {form.covered}}}{{\sum_{{{over}}} g_{{i,k}}^2}}"
    return ((Term(f"{name} = {fraction}", "baseline"),),)


def _normalisation(config: PolicyGradientConfig) -> tuple[Line, ...]:
    if not config.estimator.normalize_advantages:
        return ()
    fraction = r"\frac{\hat{A}_{i,t} - \mathrm{mean}(\hat{A})}{\mathrm{std}(\hat{A})}"
    return ((Term(rf"{ADVANTAGE} \leftarrow {fraction}"),),)


# --- what a learned value is fitted to --------------------------------------------------------------------------------


def fit_lines(config: PolicyGradientConfig) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    """The value function's own objective, as lines before the advantage and lines at the end: when it is fitted."""
    baseline = config.estimator.baseline
    if isinstance(baseline, SharedValueBaseline):
        return (), (_squared_error(config, "L_V = ", baseline.clip_range),)
    if not isinstance(baseline, ValueBaseline):
        return (), ()
    line = _squared_error(config, r"\min_{\phi} \; ", baseline.clip_range)
    return ((), (line,)) if baseline.fitted_on == "previous" else ((line,), ())


def _squared_error(config: PolicyGradientConfig, start: str, clip_range: float) -> Line:
    baseline = config.estimator.baseline
    other = isinstance(baseline, ValueBaseline) and baseline.fitted_on == "independent"
    state, goal = (r"\tilde{s}_{i,t}", r"\tilde{G}_{i,t}") if other else ("s_{i,t}", r"\hat{G}_{i,t}")
    predicted = value(config, state)
    mean = rf"{start} \frac{{1}}{{M}} \sum_{{i,t}} \,"
    if clip_range == 0.0:
        return Term(mean, "baseline"), Term(rf"({predicted} - {goal})^2", "baseline")
    moved = r"\mathrm{clip}(V - V_{\mathrm{old}}, \pm \varepsilon_V)"
    return (
        Term(rf"{mean} \max(({predicted} - {goal})^2, \,", "baseline"),
        Term(rf"(V_{{\mathrm{{old}}}} + {moved}", "baseline"),
        Term(rf"\; - \; {goal})^2)", "baseline"),
    )


# --- in words ---------------------------------------------------------------------------------------------------------

SYMBOLS = (
    Symbol(r"\hat{A}", "Â<sub>i,t</sub>", "the advantage: how much better step t of episode i went than expected"),
    Symbol("r_{i,t", "r<sub>i,t</sub>", "the reward at step t of episode i"),
    Symbol(r"\gamma", "γ", "the discount: a reward k steps ahead counts γᵏ"),
    Symbol("t+n", "n", "the number of rewards that are counted before the learned value stands in"),
    Symbol(r"\\lambda(\)?\^| \\, \\Delta)", "λ", "GAE's weight: an error k steps ahead counts λᵏ", regex=True),
    Symbol(
        r"\delta_{i,t", "δ<sub>i,t</sub>", "the surprise of one step: reward and next value, less the value expected"
    ),
    Symbol(r"\\bar\{R\}(?!_)", "R̄", "the average total return of the batch, the baseline", regex=True),
    Symbol(r"\\bar\{G\}(?!_)", "Ḡ", "the average reward-to-go of the batch, the baseline", regex=True),
    Symbol(r"\bar{R}_{t}", "R̄<sub>t</sub>", "the average total return of the episodes that last until step t"),
    Symbol(r"\bar{G}_{t}", "Ḡ<sub>t</sub>", "the average reward-to-go at step t, over the episodes that last so long"),
    Symbol(r"\bar{G}_j", "Ḡ<sub>j</sub>", "the average reward-to-go of another episode j"),
    Symbol("R_j", "R<sub>j</sub>", "the total return of another episode j"),
    Symbol("R_i", "R<sub>i</sub>", "the total return of episode i"),
    Symbol("b_k =", "b<sub>k</sub>", "the baseline of the least variance for parameter k"),
    Symbol("b = ", "b", "the baseline of the least variance, one for all parameters k"),
    Symbol("g_{i,k}", "g<sub>i,k</sub>", "∂ log π / ∂θ<sub>k</sub>, summed over the steps of episode i"),
    Symbol("x_{i,k}", "x<sub>i,k</sub>", "the same sum, with every step multiplied by its reward-to-go"),
    Symbol(
        r"V_{\phi}",
        "V<sub>φ</sub>(s)",
        "the learned value function: the return it predicts from state s; 0 where an episode has ended, in place of "
        "the rest where it is cut off",
    ),
    Symbol(
        r"V_{\theta}",
        "V<sub>θ</sub>(s)",
        "the return predicted from state s by a second output of the policy's network; 0 where an episode has ended",
    ),
    Symbol(r"\Delta_", "Δ<sub>i,t</sub>", "how much V falls short of what followed, as far as the trace reaches"),
    Symbol("c_{i,t}", "c<sub>i,t</sub>", "the trace: the ratio by which later errors count, cut off at c̄"),
    Symbol(
        r"\hat{G}", "Ĝ<sub>i,t</sub>", "what V is fitted to: the return from step t on, as far as rewards are counted"
    ),
    Symbol(r"\tilde{G}", "s̃<sub>i,t</sub>, G̃<sub>i,t</sub>", "states and returns of episodes played for V alone"),
    Symbol(
        r"V_{\mathrm{old}}", "V<sub>old</sub>, clip", "V before the fit; clip keeps the change within ±ε<sub>V</sub>"
    ),
    Symbol(r"\mathrm{std}", "mean, std", "mean and standard deviation over the batch"),
)
