"""The lines that say how values are computed from known dynamics, and what policy follows from them."""

from __future__ import annotations

from collections.abc import Callable

from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PlanningConfig
from engine.config.planning import PolicyIteration, ValueIteration
from engine.equations.symbols import Symbol
from engine.equations.terms import Line, Term

_BACKUP: Line = (
    Term("Q_k(s, a) = ", "update"),
    Term(r"r(s, a) + \gamma \,", "credit"),
    Term(r"\sum_{s'} P(s' \mid s, a) \, V_k(s')", "update"),
)
_BEST = r"\mathrm{arg\,max}_{a}"
_NEXT_STATE = {
    "in-place": r"s_k = k \; \mathrm{mod} \; |S|",
    "random": r"s_k \sim \mathrm{U}(S)",
    "prioritised": r"s_k = \mathrm{arg\,max}_{s} \, | \max_{a} Q_k(s, a) - V_k(s) |",
}


def value_iteration_lines(config: PlanningConfig, environment: EnvironmentInfo) -> tuple[Line, ...]:
    """The backup, the state that it is of, and the policy."""
    update = config.update
    assert isinstance(update, ValueIteration)
    if environment.aliased:
        return (
            _BACKUP,
            _shared(update),
            (Term(r"V_{k+1}(s) = \max_{a} \bar{Q}_k(o(s), a), \;\; V_0 = 0", "update"),),
            (Term(rf"\pi_{{k+1}}(o) = {_BEST} \, \bar{{Q}}_k(o, a)", "policy"),),
        )
    policy: Line = (Term(rf"\pi(s) = {_BEST} \, Q_k(s, a)", "policy"),)
    if update.order == "synchronous":
        until = r"\;\; k \lt H" if update.horizon == "time-limit" else ""
        return _BACKUP, (Term(rf"V_{{k+1}}(s) = \max_{{a}} Q_k(s, a), \;\; V_0 = 0{until}", "update"),), policy
    one = Term(r"V_{k+1}(s_k) = \max_{a} Q_k(s_k, a), \;\; V_0 = 0", "update")
    return _BACKUP, (one,), (Term(_NEXT_STATE[update.order], "update"),), policy


def policy_iteration_lines(config: PlanningConfig, environment: EnvironmentInfo) -> tuple[Line, ...]:
    """The values of the policy, and the next policy."""
    update = config.update
    assert isinstance(update, PolicyIteration)
    sweeps = update.evaluation_sweeps
    mixed, shared = update.step < 1.0, environment.aliased
    value = r"\sum_{a} \pi_k(a \mid s) \, Q_k(s, a)" if mixed or shared else r"Q_k(s, \pi_k(s))"
    evaluated = f"V_k(s) = {value}" if sweeps == 0 else rf"V_k(s) \leftarrow {value}"
    times = r" \;\; (m \times)" if sweeps > 0 else ""
    seen, table = ("o", r"\bar{Q}_k") if shared else ("s", "Q_k")
    best = rf"{_BEST} \, {table}({seen}, a)"
    policy: Line = (Term(rf"\pi_{{k+1}}({seen}) = {best}", "policy"),)
    if mixed:
        mean = rf"\pi_{{k+1}} = (1 - \beta) \, \pi_k + \beta \, \mathrm{{greedy}}({table})"
        policy = (Term(mean, "policy"),)
    return (_BACKUP, (Term(evaluated + times, "update"),), *((_shared(update),) if shared else ()), policy)


def _shared(update: ValueIteration | PolicyIteration) -> Line:
    """The values of what looks alike."""
    weight = r"d_k(s) \," if update.weighting == "visited" else ""
    total = r"\sum_{s \in o} d_k(s)" if update.weighting == "visited" else "|o|"
    return (Term(rf"\bar{{Q}}_k(o, a) = \frac{{1}}{{{total}}} \sum_{{s \in o}} {weight} Q_k(s, a)", "update"),)


SWEEPS: dict[str, Callable[[PlanningConfig, EnvironmentInfo], tuple[Line, ...]]] = {
    "value-iteration": value_iteration_lines,
    "policy-iteration": policy_iteration_lines,
}

SYMBOLS = (
    Symbol("Q_k", "Q<sub>k</sub>(s,a)", "what action a in state s is worth, if V<sub>k</sub> is what follows is worth"),
    Symbol("r(s", "r(s,a)", "the reward that is expected for action a in state s"),
    Symbol("P(s'", "P(s'|s,a)", "the probability that the episode goes on in state s'"),
    Symbol("V_{k+1}(s)", "V<sub>k</sub>, k", "the values after k sweeps: the best that k turns can bring"),
    Symbol("V_{k+1}(s_k)", "V<sub>k</sub>, k", "the values after k backups of a single state"),
    Symbol(
        r"V_k\(s\) (=|\\leftarrow)",
        "V<sub>k</sub>, k",
        "what the k-th policy is worth, as far as it has been computed",
        regex=True,
    ),
    Symbol(r"\lt H", "H", "the time limit"),
    Symbol("|S|", "s<sub>k</sub>, S, mod", "the state that is backed up next: all of S in turn, and again"),
    Symbol(r"\mathrm{U}(S)", "s<sub>k</sub>, U(S)", "the state that is backed up next: any of all, by chance"),
    Symbol("| \\max", "s<sub>k</sub>", "the state that is backed up next: the one whose value changes most"),
    Symbol(r"\pi(s)", "π(s)", "what the policy does in state s"),
    Symbol(r"\pi_{k+1}", "π<sub>k</sub>(s)", "what the k-th policy does in state s"),
    Symbol(r"\bar{Q}_k", "Q̄<sub>k</sub>(o,a), o", "what action a is worth in all the states together that look like o"),
    Symbol("d_k(s)", "d<sub>k</sub>(s)", "how often the k-th policy comes to state s"),
    Symbol("|o|", "|o|", "how many states look like o"),
    Symbol("o(s)", "o(s)", "what state s looks like"),
    Symbol(r"(1 - \beta) \, \pi_k", "β", "how far the policy goes to the one that is greedy in its values"),
    Symbol(r"\mathrm{greedy}", "greedy(Q)", "the policy that takes the action of the largest value everywhere"),
    Symbol(r"(m \times)", "m", "how often it is done before the policy is improved"),
)
