"""A gradient three ways: by rules on symbols, by finite differences, and automatically.

A finite difference (f(θ + h u) − f(θ)) / h is wrong by about ½ h |f''|, as the curve is cut off behind its slope, and
by about ε |f| / h, as f is rounded: too long a step and too short a one are both bad, and the best is near √ε. On two
sides, (f(θ + h u) − f(θ − h u)) / 2h, the first error falls as h², and the best step is near ε^(1/3). ε is what a
number may be off by when it is rounded: 1.1·10⁻¹⁶ in float64, 6·10⁻⁸ in float32.

Source: [textbook], section 6.2.1; Nocedal & Wright (2006), "Numerical optimization", section 8.1, for the best steps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from engine.analysis.lab.functions import Function, expected_return, log_probability
from engine.analysis.lab.likelihood_lab import component_names
from engine.analysis.lab.played import Player
from engine.analysis.lab.scores import Numbers
from engine.analysis.lab.settings import Settings
from engine.analysis.lab.subject import Subject, subject_of
from engine.analysis.lab.symbolic import Symbolic, of_log_probability, of_return
from engine.analysis.playback import PolicySnapshot, thawed
from engine.networks.networks import Table
from engine.runtime.errors import RequestError

Of = Literal["return", "log-probability"]
Precision = Literal["float64", "float32"]
STEPS: Numbers = 10.0 ** np.arange(-15.0, 1.01, 0.25)  # h
MOST_STATES = 150  # of a process in which J is evaluated thousands of times
COMPONENTS = 12  # that are compared one by one
_TYPES = {"float64": torch.float64, "float32": torch.float32}
_MEMORY = "A recurrent policy acts by all that it has seen; choose a run without memory."
_LARGE = (
    "Finite differences evaluate J thousands of times, which takes too long with {:,} states; choose log π(a|s), or a "
    "smaller world."
)
_UNKNOWN = (
    "J(θ) is not known as a function here, as the dynamics are no tables or the policy is no softmax; choose "
    "log π(a|s)."
)


@dataclass(frozen=True)
class Errors:
    """How far finite differences are off, |found − true| / |true|, for each of ``STEPS``: along the gradient, on one
    side and on two. ``automatic`` is the same of automatic differentiation in this precision, in the length of ∇f."""

    precision: Precision
    one_sided: Numbers
    two_sided: Numbers
    automatic: float


@dataclass(frozen=True)
class ThreeWays:
    """What was found, in float64 but for ``errors``.

    Attributes:
        told: what f is.
        names: of the largest components of ∇f, the largest first.
        automatic: these components [K] by automatic differentiation.
        one_sided, two_sided: the same by finite differences with each of ``STEPS``, [steps, K].
        symbolic: the formula, and the same components of what it comes to, or why there is none.
        errors: of finite differences, in either precision.
        parameters: P.
        seconds: of all of ∇f automatically, and about how long all of it would take by differences on two sides.
    """

    told: str
    names: tuple[str, ...]
    automatic: Numbers
    one_sided: Numbers
    two_sided: Numbers
    symbolic: Symbolic
    symbolic_components: Numbers | None
    errors: tuple[Errors, ...]
    parameters: int
    seconds: tuple[float, float]
    iteration: int


def three_ways(snapshot: PolicySnapshot, settings: Settings, of: Of) -> Iterator[tuple[float, ThreeWays | None]]:
    """∇f three ways, of J or of log π(a|s) in the state in which an episode begins; yields which share is done, and
    at last what was found.

    Raises:
        RequestError: there is no such function of this policy.
        RunError: the environment fails.
    """
    if thawed(snapshot).recurrent:
        raise RequestError(_MEMORY)
    subject = subject_of(snapshot, settings.horizon)
    function, symbolic = _function_of(snapshot, subject, settings, of)
    yield 0.2, None
    double = function("float64")
    began = time.perf_counter()
    exact = double.gradient()
    automatic_seconds = time.perf_counter() - began
    length = float(exact.norm())
    if length == 0.0:
        raise RequestError("The gradient is 0 here, so that there is no error relative to it; choose another policy.")
    largest = exact.abs().argsort(descending=True, stable=True)[:COMPONENTS]
    units = torch.zeros(len(largest), len(exact), dtype=torch.float64)
    units[torch.arange(len(largest)), largest] = 1.0
    began = time.perf_counter()
    one, two = differences(double, units)
    evaluations = len(STEPS) * 2 * len(largest)
    each = (time.perf_counter() - began) / evaluations
    yield 0.6, None
    errors = []
    for precision in ("float64", "float32"):
        tried = double if precision == "float64" else function("float32")
        direction = (exact / length).to(_TYPES[precision])
        sided = differences(tried, direction.unsqueeze(0))
        off = [np.abs(found[:, 0] - length) / length for found in sided]
        automatic = abs(float(tried.gradient().double() @ exact) / length - length) / length
        errors.append(Errors("float64" if precision == "float64" else "float32", off[0], off[1], automatic))
        yield 0.8, None
    written = symbolic()
    chosen = largest.numpy()
    yield (
        1.0,
        ThreeWays(
            double.told,
            tuple(component_names(thawed(snapshot), snapshot, subject, chosen)),
            exact[largest].numpy(),
            one,
            two,
            written,
            None if written.gradient is None else written.gradient[chosen],
            tuple(errors),
            len(exact),
            (automatic_seconds, 2.0 * len(exact) * each),
            snapshot.iteration,
        ),
    )


def differences(function: Function, directions: Tensor) -> tuple[Numbers, Numbers]:
    """Finite differences along the ``directions`` [K, P] with each of ``STEPS``, on one side and on two; [steps, K]."""
    place = function.place
    steps = torch.from_numpy(STEPS).to(place.dtype).reshape(-1, 1, 1)
    shape = len(STEPS), len(directions)
    ahead = function.at((place + steps * directions).flatten(0, 1)).reshape(shape)
    behind = function.at((place - steps * directions).flatten(0, 1)).reshape(shape)
    here = function.at(place.unsqueeze(0))
    # What was rounded stays rounded: the difference is taken in the function's own precision.
    one, two = (ahead - here) / steps[:, :, 0], (ahead - behind) / (2.0 * steps[:, :, 0])
    return one.double().numpy(), two.double().numpy()


def _function_of(
    snapshot: PolicySnapshot, subject: Subject | None, settings: Settings, of: Of
) -> tuple[Callable[[Precision], Function], Callable[[], Symbolic]]:
    """f in a precision, and its gradient by symbols."""
    if of == "return":
        if subject is None:
            raise RequestError(_UNKNOWN)
        if subject.mdp.states > MOST_STATES:
            raise RequestError(_LARGE.format(subject.mdp.states))
        known = subject
        return (
            lambda precision: expected_return(thawed(snapshot), known, settings.gamma, _TYPES[precision]),
            lambda: of_return(thawed(snapshot), known, settings.gamma),
        )
    observation, action = _moment(snapshot, subject, settings)
    table = isinstance(thawed(snapshot).head, Table)
    return (
        lambda precision: log_probability(thawed(snapshot), observation, action, _TYPES[precision]),
        lambda: of_log_probability(
            thawed(snapshot), int(observation[0]) if table else 0, int(action.reshape(-1)[0]) if table else 0
        ),
    )


def _moment(snapshot: PolicySnapshot, subject: Subject | None, settings: Settings) -> tuple[Tensor, Tensor]:
    """What is seen as an episode begins, and what is done there; [1, …] each."""
    if subject is not None:
        state = int(subject.mdp.initial.argmax())
        return torch.tensor([int(subject.seen[state])]), torch.tensor([int(subject.table[state].argmax())])
    one = Settings(episodes=1, horizon=1, seed=settings.seed)
    with closing(Player(snapshot, one, 8)) as player:
        rollout = next(found for found in player.play() if found is not None)
        return rollout.observations[0, :1].clone(), rollout.actions[0, :1].clone()
