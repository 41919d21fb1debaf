"""Gradients by rules on symbols, with sympy, where the formula is small enough to be written down."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from engine.analysis.lab.scores import Numbers
from engine.analysis.lab.subject import Subject
from engine.networks.networks import Table
from engine.policies.policy import Policy

MOST_SYMBOLS = 24  # in a formula


@dataclass(frozen=True)
class Symbolic:
    """∇f [P] in numbers, and the formula of one of its components in LaTeX; ``why`` there is none, where there is
    none."""

    gradient: Numbers | None = None
    formula: str = ""
    why: str = ""


def of_log_probability(policy: Policy, observation: int, action: int) -> Symbolic:
    """∂ log π(a|s)/∂θ of a table of logits: log π(a|s) = θ_a/τ − log Σ_b exp(θ_b/τ)."""
    if not isinstance(policy.head, Table) or policy.normalizer is not None:
        return Symbolic(why=_network(policy))
    sympy = _sympy()

    rows = policy.head.rows.detach().double().numpy()
    symbols = _symbols(sympy, rows.shape[1])
    temperature = sympy.Float(policy.temperature) if policy.temperature != 1.0 else sympy.Integer(1)
    exponentials = sum(sympy.exp(symbol / temperature) for symbol in symbols)
    formula = symbols[action] / temperature - sympy.log(exponentials)
    derivatives = [sympy.diff(formula, symbol) for symbol in symbols]
    numbers = dict(zip(symbols, rows[observation].tolist(), strict=True))
    gradient = np.zeros(rows.shape)
    gradient[observation] = [float(each.evalf(30, subs=numbers)) for each in derivatives]
    name = rf"\frac{{\partial \log \pi(a_{{{action + 1}}} \mid s)}}{{\partial {sympy.latex(symbols[action])}}}"
    return Symbolic(gradient.reshape(-1), rf"{name} = {sympy.latex(derivatives[action])}")


def of_return(policy: Policy, subject: Subject, gamma: float) -> Symbolic:
    """∂J/∂θ of a table of logits in a process of one step: J = Σ_s μ(s) Σ_a π(a|s) r(s, a)."""
    if not isinstance(policy.head, Table) or policy.normalizer is not None:
        return Symbolic(why=_network(policy))
    mdp, rows = subject.mdp, policy.head.rows.detach().double().numpy()
    begins = np.flatnonzero(mdp.initial > 0.0)
    seen = sorted({int(subject.seen[state]) for state in begins})
    one_step = mdp.horizon == 1 or not mdp.continuing[begins].any()
    if not one_step:
        return Symbolic(why=_episodes(subject))
    if len(seen) * rows.shape[1] > MOST_SYMBOLS:
        return Symbolic(why=f"J has {len(seen) * rows.shape[1]:,} parameters here, too many for a formula to be read.")
    sympy = _sympy()
    temperature = sympy.Float(policy.temperature) if policy.temperature != 1.0 else sympy.Integer(1)
    symbols = {row: _symbols(sympy, rows.shape[1], row if len(seen) > 1 else None) for row in seen}
    formula = sympy.Integer(0)
    for state in begins.tolist():
        here = symbols[int(subject.seen[state])]
        total = sum(sympy.exp(symbol / temperature) for symbol in here)
        for symbol, reward in zip(here, mdp.expected_rewards[state].tolist(), strict=True):
            share = sympy.nsimplify(float(mdp.initial[state]), rational=True)
            formula += share * _rounded(sympy, reward) * sympy.exp(symbol / temperature) / total
    numbers = {symbol: float(rows[row, at]) for row in seen for at, symbol in enumerate(symbols[row])}
    gradient = np.zeros(rows.shape)
    for row in seen:
        found = [sympy.diff(formula, symbol) for symbol in symbols[row]]
        gradient[row] = [float(each.evalf(30, subs=numbers)) for each in found]
    first = symbols[seen[0]][0]
    name = rf"\frac{{\partial J}}{{\partial {sympy.latex(first)}}}"
    return Symbolic(gradient.reshape(-1), rf"{name} = {_short(sympy, formula, first, symbols[seen[0]], temperature)}")


def _sympy() -> Any:
    """Loaded late: it takes a moment. It comes with torch, which uses it as well."""
    return import_module("sympy")


def _short(sympy: Any, formula: Any, by: Any, row: list[Any], temperature: float) -> str:
    """The derivative with π_b in place of each softmax, which would fill lines."""
    total, chances = sympy.Symbol("Z", positive=True), sympy.symbols(rf"\pi_{{1:{len(row) + 1}}}", positive=True)
    exponentials = [sympy.exp(symbol / temperature) for symbol in row]
    short = sympy.diff(formula, by).subs(sum(exponentials), total)
    for exponential, chance in zip(exponentials, chances, strict=True):
        short = short.subs(exponential, chance * total)
    found: str = sympy.latex(sympy.collect(sympy.expand(short), chances[row.index(by)]))
    return found


def _rounded(sympy: Any, number: float) -> Any:
    """As it is written: 0.2 is 1/5, as rewards are given."""
    return sympy.nsimplify(round(number, 12), rational=True)


def _symbols(sympy: Any, count: int, row: int | None = None) -> list[Any]:
    before = "" if row is None else f"{row + 1},"
    return [sympy.Symbol(rf"\theta_{{{before}{number + 1}}}", real=True) for number in range(count)]


def _network(policy: Policy) -> str:
    count = sum(parameter.numel() for parameter in policy.parameters())
    return (
        f"Written out, the formula of a network of {count:,} parameters fills books; rules on symbols suit a table of "
        "logits."
    )


def _episodes(subject: Subject) -> str:
    logarithm = episodes_log10(subject)
    many = f"about 10 to the power of {logarithm:,.0f}" if logarithm > 6 else f"{10**logarithm:,.0f}"
    return (
        f"Written out, J is a sum over all episodes, {many} of them here; rules on symbols suit a bandit, "
        "or log π(a|s)."
    )


def episodes_log10(subject: Subject) -> float:
    """The logarithm of how many different episodes there are, by states and actions, up to the horizon or 100 steps."""
    mdp = subject.mdp
    ways = (mdp.continuing > 0.0).sum(1).astype(np.float64)  # from s to s', so many actions
    ends = (mdp.probabilities * mdp.ends > 0.0).any(-1).sum(1).astype(np.float64)
    running = (mdp.initial > 0.0).astype(np.float64)
    scale, ended = 0.0, 0.0
    for _ in range(mdp.horizon or 100):
        ended += float(running @ ends)
        running = running @ ways
        largest = max(float(running.sum()), ended)
        if largest <= 0.0:
            break
        running, ended, scale = running / largest, ended / largest, scale + math.log10(largest)
    total = ended + float(running.sum())
    return scale + math.log10(total) if total > 0.0 else 0.0
