"""What one kept policy gains over another where the process is known: the performance difference lemma in numbers.

Rewards are those of the environment, as returns are reported, whatever learning sees of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.analysis.playback import PolicySnapshot, thawed
from engine.config import RunConfig
from engine.environments.making.known_dynamics import played_process
from engine.mdp.ending import EndlessError, endless
from engine.mdp.exact import dynamics_of
from engine.mdp.finite import FiniteMDP
from engine.mdp.performance_difference import Comparison, compare
from engine.mdp.state_names import state_names
from engine.runtime.errors import RequestError

_UNKNOWN = "The dynamics of {} with these options are not known as tables, by which alone J can be computed."
_APART = (
    "The two policies act in different processes; choose two runs in the same environment, with the same options, "
    "time limit and sticky actions."
)
_LARGE = "J is computed of all pairs of states, and {:,} states are too many for that; choose runs in a smaller world."
_STICKY = (
    "With sticky actions what follows depends on the action before as well as on the state; choose runs without them."
)
_REMEMBERS = "A recurrent policy acts by what it remembers, and not by the state alone; choose a run without memory."
_BROKEN = "The policy of iteration {:,} gives numbers that are not finite; choose an earlier one."


@dataclass(frozen=True)
class StateShare:
    """What a state adds to the sums: ``visits`` d(s) and ``share`` d(s) · Ā(s), of the old and of the new policy;
    ``state`` is its number."""

    state: int
    name: str
    old_visits: float
    new_visits: float
    old_share: float
    new_share: float


@dataclass(frozen=True)
class PolicyDifference:
    """J(π') − J(π) of a ``new`` and an old policy, by ``gamma``, and how it comes about.

    Attributes:
        numbers: as ``performance_difference.Comparison``.
        states: all that either policy visits, in the order of their numbers; over the steps of the horizon they are
            summed, so that the old shares sum to the surrogate and the new ones to the difference.
        worst: the name of the state with the least Ā(s), and with a horizon at which step.
        other_gamma: the discount by which the new policy was learned, where it is another.
    """

    gamma: float
    numbers: Comparison
    states: tuple[StateShare, ...]
    worst: str
    other_gamma: float | None = None

    @property
    def sentence(self) -> str:
        """What is seen."""
        return _sentence(self)

    def as_data(self) -> dict[str, Any]:
        """The numbers as JSON can say them; ∞ is none there."""
        plain = {name: getattr(self.numbers, name) for name in _NUMBERS}
        finite = {name: value if math.isfinite(value) else None for name, value in plain.items()}
        return {"gamma": self.gamma, **finite, "worst_state": self.worst, "sentence": self.sentence}


_NUMBERS = (
    *("old_return", "new_return", "difference", "lemma", "surrogate", "worst_gain", "turns", "worst_case"),
    *("moved", "mismatch", "guaranteed"),
)


def difference(old: PolicySnapshot, new: PolicySnapshot) -> PolicyDifference:
    """``new`` beside ``old``, by the discount of ``old``.

    Raises:
        RequestError: it cannot be computed; why not, and what would do.
    """
    if _place(old.config) != _place(new.config):
        raise RequestError(_APART)
    mdp = _process(old.config)
    gamma = old.config.estimator.gamma
    names = state_names(old.config.environment, mdp.states)
    try:
        numbers = compare(dynamics_of(mdp), _probabilities(new, mdp), _probabilities(old, mdp), gamma)
    except EndlessError as error:
        raise RequestError(endless(names[error.states[0]])) from None
    except ValueError as error:
        raise RequestError(str(error)) from None
    step, worst = divmod(numbers.worst_state, mdp.states)
    at = f" at step {step + 1}" if mdp.horizon is not None and mdp.horizon > 1 else ""
    other = new.config.estimator.gamma
    return PolicyDifference(
        gamma, numbers, _shares(numbers, names), f"{names[worst]}{at}", other if other != gamma else None
    )


def _process(config: RunConfig) -> FiniteMDP:
    if config.environment.sticky_actions > 0.0:
        raise RequestError(_STICKY)
    mdp = played_process(config.environment)
    if mdp is None:
        raise RequestError(_UNKNOWN.format(config.environment.id))
    if mdp.is_large:
        raise RequestError(_LARGE.format(mdp.states))
    return mdp


def _place(config: RunConfig) -> tuple[object, ...]:
    """What the process follows from."""
    environment = config.environment
    return environment.id, environment.options, environment.time_limit, environment.sticky_actions


def _probabilities(snapshot: PolicySnapshot, mdp: FiniteMDP) -> Tensor:
    """π(a|s) [S, A] in double precision."""
    policy = thawed(snapshot)
    if policy.start(1) is not None:
        raise RequestError(_REMEMBERS)
    with torch.no_grad():
        distribution: Any = policy(torch.arange(mdp.states) if mdp.seen is None else torch.tensor(mdp.seen))
        found: Tensor = distribution.probabilities.double()
    if not torch.isfinite(found).all():
        raise RequestError(_BROKEN.format(snapshot.iteration))
    return found / found.sum(-1, keepdim=True)


def _shares(numbers: Comparison, names: tuple[str, ...]) -> tuple[StateShare, ...]:
    visits = [numbers.old_visits, numbers.new_visits]
    columns = [*visits, *(each * numbers.gains for each in visits)]
    if numbers.gains.ndim == 2:
        columns = [column.sum(0) for column in columns]
    rows = zip(range(len(names)), names, *(column.tolist() for column in columns), strict=True)
    return tuple(StateShare(*row) for row in rows if row[2] > 0.0 or row[3] > 0.0)


# --- in words ---------------------------------------------------------------------------------------------------------


def _sentence(found: PolicyDifference) -> str:
    numbers = found.numbers
    truth, promised = numbers.difference, numbers.surrogate
    slight = 1e-9 * max(abs(numbers.old_return), abs(numbers.new_return), 1.0)
    if abs(truth) <= slight and abs(promised) <= slight:
        return "Both policies have the same expected return."
    if promised > slight and truth < -slight:
        return f"The surrogate says {signed(promised)}, the truth is {signed(truth)}: {_where(found, least=True)}."
    if promised < -slight and truth > slight:
        return f"The surrogate says {signed(promised)}, the truth is {signed(truth)}: {_where(found, least=False)}."
    moved = "rises" if truth > slight else "falls" if truth < -slight else "stays as it is"
    by = f" by {signed(abs(truth))[1:]}" if abs(truth) > slight else ""
    said = f"J {moved}{by}, where the surrogate says {signed(promised)}"
    if numbers.guaranteed > slight:
        return f"{said}; that it rises is certain beforehand, by {signed(numbers.guaranteed)[1:]} at least."
    return f"{said}; a step as large as this promises nothing beforehand."


def _where(found: PolicyDifference, *, least: bool) -> str:
    """The state by which the sum with the new policy's states differs most from the one with the old one's."""
    sign = 1.0 if least else -1.0
    state = min(found.states, key=lambda each: sign * (each.new_share - each.old_share))
    loses = "loses" if least else "gains"
    if state.old_visits < 1e-9:
        return f"the new policy comes to where the old one never was, {state.name}, and {loses} there"
    often = "more" if state.new_visits > state.old_visits else "less"
    rate = f"d(s) {_number(state.old_visits)} → {_number(state.new_visits)}"
    return f"the new policy comes {often} often to {state.name} ({rate}) and {loses} by it"


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def signed(value: float) -> str:
    """ "+0.8" or "−0.3"."""
    return f"{value:+.3g}".replace("-", "−")
