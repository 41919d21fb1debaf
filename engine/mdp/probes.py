"""Worlds so small that it is known what must be learned in each: if a method fails in one, what it fails in says where
the mistake is.

Source: Andy Jones (2021), “Debugging RL, without the agonizing pain”, probe environments; Cut, Later,
    Number and Idle are ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from engine.mdp.finite import FiniteMDP, Outcome, from_outcomes

GAMMA = 0.5  # with which all of them are learned
_STEPS = 4  # after which the last of the finite ones is cut off


class Probe(NamedTuple):
    """What is asked in a world.

    Attributes:
        id: of the environment.
        title: what it is about, in a word or two.
        world: what it is, in a sentence.
        failure: what a failure there means, in a sentence.
        values: what each state is worth, with γ = ``GAMMA``, where values are what is asked for.
        best: the mean return of a policy that has learned it, where that is asked for.
        spread: of actions that pay nothing, the largest mean size that a policy may have which is to stay undecided.
    """

    id: str
    title: str
    world: str
    failure: str
    values: tuple[float, ...] = ()
    best: float | None = None
    spread: float | None = None


PROBES: tuple[Probe, ...] = (
    Probe(
        "ProbeValue-v0",
        "value",
        "One state, one action, one step that pays 1.",
        "The value is not fitted to what is paid: look at its targets, its loss and its optimiser, or at the reward "
        "that is left out.",
        values=(1.0,),
    ),
    Probe(
        "ProbeObservation-v0",
        "observation",
        "One of two states, one action, one step that pays −1 in the first and 1 in the second.",
        "What is seen does not reach the value: look at how observations are stored, sorted and normalised.",
        values=(-1.0, 1.0),
    ),
    Probe(
        "ProbeDiscount-v0",
        "discount",
        "Two states one after the other, one action; the second step pays 1.",
        "News of a reward does not travel back as γ has it: look at the discount, at bootstrapping and at the target "
        "network.",
        values=(GAMMA, 1.0),
    ),
    Probe(
        "ProbeCut-v0",
        "time limit",
        f"From the first state to the second, which pays 1 at every step for ever; it is cut off after {_STEPS}.",
        "What follows behind a time limit is taken for nothing, or for something else: look at how ends are told "
        "apart, and at which observation stands in for the rest.",
        values=(GAMMA / (1.0 - GAMMA), 1.0 / (1.0 - GAMMA)),
    ),
    Probe(
        "ProbeAction-v0",
        "action",
        "One state, two actions, one step: the first pays −1, the second 1.",
        "The policy does not move to what pays, or it moves away: look at the sign of its loss, at the advantages and "
        "at which action they are stored with.",
        best=1.0,
    ),
    Probe(
        "ProbeLater-v0",
        "later reward",
        "Two steps; what is done in the first decides whether the second pays 1 or −1.",
        "A reward does not reach the action that earned it: look at sums over later steps, and at what is normalised "
        "over what.",
        best=1.0,
    ),
    Probe(
        "ProbeBoth-v0",
        "action by observation",
        "One of two states, two actions: the one of the state's number pays 1, the other −1.",
        "Policy and observation do not come together: look at whether actions, observations and advantages of a batch "
        "stand in the same order.",
        best=1.0,
    ),
    Probe(
        "ProbeNumber-v0",
        "number",
        "One state; the action is a number from −1 to 1, and pays less the further it is from ½.",
        "A continuous policy does not find a number: look at its densities, its scaling and its bounds.",
        best=0.0,
    ),
    Probe(
        "ProbeIdle-v0",
        "undecided",
        "One state; the action is a number from −1 to 1, and nothing is paid.",
        "A policy that is paid for its entropy runs off to the bounds: look at the density of a squashed action.",
        spread=0.65,
    ),
)


def _world(name: str, outcomes: list[list[list[Outcome]]], initial: list[float], horizon: int | None) -> FiniteMDP:
    return from_outcomes(name, outcomes, initial, horizon)


def _ends(reward: float) -> list[Outcome]:
    return [(1.0, 0, reward, True)]


def _leads(state: int, reward: float = 0.0) -> list[Outcome]:
    return [(1.0, state, reward, False)]


WORLDS: dict[str, Callable[[], FiniteMDP]] = {
    "ProbeValue-v0": lambda: _world("value", [[_ends(1.0)]], [1.0], None),
    "ProbeObservation-v0": lambda: _world("observation", [[_ends(-1.0)], [_ends(1.0)]], [0.5, 0.5], None),
    "ProbeDiscount-v0": lambda: _world("discount", [[_leads(1)], [_ends(1.0)]], [1.0, 0.0], None),
    "ProbeCut-v0": lambda: _world("cut", [[_leads(1)], [_leads(1, 1.0)]], [1.0, 0.0], _STEPS),
    "ProbeAction-v0": lambda: _world("action", [[_ends(-1.0), _ends(1.0)]], [1.0], None),
    "ProbeLater-v0": lambda: _world(
        "later",
        [[_leads(1), _leads(2)], [_ends(-1.0), _ends(-1.0)], [_ends(1.0), _ends(1.0)]],
        [1.0, 0.0, 0.0],
        None,
    ),
    "ProbeBoth-v0": lambda: _world("both", [[_ends(1.0), _ends(-1.0)], [_ends(-1.0), _ends(1.0)]], [0.5, 0.5], None),
}
