"""The lines that say how the advantage of an action is estimated, and what a learned value is fitted to."""

from __future__ import annotations

from engine.config import PolicyGradientConfig
from engine.config.estimators import OptimalBaseline, SharedValueBaseline, ValueBaseline
from engine.equations.terms import ADVANTAGE, LEARNED, Line, Term, last_step, per_decision, value


def advantage_lines(config: PolicyGradientConfig) -> tuple[Line, ...]:
    """The advantage, what it is made of where that needs a line of its own, and its normalisation if it has one."""
    learned = config.estimator.baseline.kind in LEARNED
    if config.estimator.credit.kind == "gae" or (learned and per_decision(config)):
        lines: tuple[Line, ...] = _of_errors(config), _error(config)
    elif config.estimator.credit.kind == "n-step":
        lines = (_n_step(config),)
    else:
        lines = (_of_rewards(config), *_optimal(config))
    return (*lines, *_normalisation(config))


def _line(*credit: Term) -> Line:
    return (Term(rf"{ADVANTAGE} = "), *credit)


def _weight(config: PolicyGradientConfig, step: str) -> tuple[Term, ...]:
    """The importance weight of a reward, where each has its own."""
    return (Term(rf"\, w_{{i,{step}}}", "update"),) if per_decision(config) else ()


def _of_rewards(config: PolicyGradientConfig) -> Line:
    """The whole return or the reward-to-go, less the baseline."""
    total, discounted = config.estimator.credit.kind == "total-return", config.estimator.gamma < 1.0
    start, power = ("0", "t'") if total else ("t", "t'-t")
    weight = rf"\, \gamma^{{{power}}}" if discounted else ""
    credit = rf"\sum_{{t'={start}}}^{{{last_step(config)}}} {weight}"
    weighted = _weight(config, r"\max(t,t')" if total else "t'")
    terms = [Term(credit, "credit"), *weighted, Term(r"\, r_{i,t'}", "credit")]
    learned = config.estimator.baseline.kind in LEARNED
    if learned and config.collection.kind == "fixed-length":
        rest = r"\; + \; \gamma^{T-t} \," if discounted else r"\; + \;"
        terms += [Term(rest, "credit"), Term(value(config, "s_{i,T}"), "baseline")]
    baseline = _baseline(config)
    if baseline:
        terms += [Term(r"\; - \;"), *_weight(config, "t"), Term(baseline, "baseline")]
    return _line(*terms)


def _baseline(config: PolicyGradientConfig) -> str:
    """What is subtracted from the credit; empty where nothing is."""
    kind, total = config.estimator.baseline.kind, config.estimator.credit.kind == "total-return"
    if kind in LEARNED:
        return value(config, "s_{i,0}" if total else "s_{i,t}")
    credit = "R" if total else "G"
    return {
        "none": "",
        "average": rf"\bar{{{credit}}}",
        "time-average": rf"\bar{{{credit}}}_{{t}}",
        "leave-one-out": rf"\frac{{1}}{{N - 1}} \sum_{{j \neq i}} {'R_j' if total else chr(92) + 'bar{G}_j'}",
        "optimal": "b_k" if _per_parameter(config) else "b",
    }[kind]


def _n_step(config: PolicyGradientConfig) -> Line:
    credit, gamma = config.estimator.credit, config.estimator.gamma
    assert credit.kind == "n-step"
    if credit.n == 1:
        rewards, rest, state = "r_{i,t}", r"\gamma", "s_{i,t+1}"
    else:
        weight = r"\, \gamma^{t'-t}" if gamma < 1.0 else ""
        rewards, rest, state = rf"\sum_{{t'=t}}^{{t+n-1}} {weight} \, r_{{i,t'}}", r"\gamma^{n}", "s_{i,t+n}"
    return _line(
        Term(rewards, "credit"),
        Term(rf"\; + \; {rest} \, " if gamma < 1.0 else r"\; + \; ", "credit"),
        Term(value(config, state), "baseline"),
        Term(r"\; - \;"),
        Term(value(config), "baseline"),
    )


def _of_errors(config: PolicyGradientConfig) -> Line:
    """A sum of temporal-difference errors: GAE, or another credit whose every term has a weight of its own."""
    credit, discounted = config.estimator.credit, config.estimator.gamma < 1.0
    total = credit.kind == "total-return"
    start, power = ("0", "t'") if total else ("t", "t'-t")
    base = (r"\gamma" if discounted else "") + (r"\lambda" if credit.kind == "gae" else "")
    base = f"({base})" if base == r"\gamma\lambda" else base
    weight = rf"\, {base}^{{{power}}}" if base else ""
    end = "t+n-1" if credit.kind == "n-step" else last_step(config)
    weighted = _weight(config, r"\max(t,t')" if total else "t'")
    terms = Term(rf"\sum_{{t'={start}}}^{{{end}}} {weight}", "credit"), *weighted
    return _line(*terms, Term(r"\, \delta_{i,t'}", "credit"))


def _error(config: PolicyGradientConfig) -> Line:
    discounted = config.estimator.gamma < 1.0
    return (
        Term(r"\delta_{i,t} = ", "credit"),
        Term(r"r_{i,t}" + (r"\; + \; \gamma \, " if discounted else r"\; + \; "), "credit"),
        Term(value(config, "s_{i,t+1}"), "baseline"),
        Term(r"\; - \;"),
        Term(value(config), "baseline"),
    )


def _per_parameter(config: PolicyGradientConfig) -> bool:
    baseline = config.estimator.baseline
    return isinstance(baseline, OptimalBaseline) and baseline.per_parameter


def _optimal(config: PolicyGradientConfig) -> tuple[Line, ...]:
    """The constant of least variance: for each of the parameters, counted by k, or over all of them."""
    if config.estimator.baseline.kind != "optimal":
        return ()
    over, name = ("i", "b_k") if _per_parameter(config) else ("i,k", "b")
    covered = "g_{i,k}^2 \\, R_i" if config.estimator.credit.kind == "total-return" else r"g_{i,k} \, x_{i,k}"
    fraction = rf"\frac{{\sum_{{{over}}} {covered}}}{{\sum_{{{over}}} g_{{i,k}}^2}}"
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
