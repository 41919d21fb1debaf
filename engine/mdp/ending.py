"""Whether episodes end, which decides what is defined without discounting.

States are those of a process without a horizon; shapes as in ``exact``.

Source: Bertsekas & Tsitsiklis (1991) for policies that end surely, which they call proper.
"""

from __future__ import annotations

import torch
from torch import Tensor

NEVER = 1e-9  # a chance of ending this small is rounding


class EndlessError(ValueError):
    """Without discounting there is no value where the episode never ends; ``states`` are those, by their numbers."""

    def __init__(self, states: list[int]) -> None:
        self.states = states
        super().__init__(endless(f"state {states[0]}"))


def endless(place: str) -> str:
    """What is wrong, and what would do."""
    return (
        f"Without discounting, the return is not defined where the episode never ends, as from {place}; "
        "use a discount below 1, a time limit, or a policy that ends it."
    )


def reachable(continuing: Tensor, initial: Tensor) -> Tensor:
    """The states that an episode may come to by some actions, bool [S].

    Args:
        continuing: P [S, A, S].
        initial: μ [S].
    """
    steps = (continuing > 0.0).any(1).to(torch.float64)
    found = initial > 0.0
    for _ in range(len(initial)):
        wider = found | (steps.mT @ found.to(torch.float64) > 0.0)
        if torch.equal(wider, found):
            break
        found = wider
    return found


def may_end(transitions: Tensor) -> Tensor:
    """The states from which some path leads to an end, bool [S]: where there is none, I − P_π is singular.

    Args:
        transitions: P_π [S, S].
    """
    steps = (transitions > 0.0).to(torch.float64)
    ending = transitions.sum(-1) < 1.0 - NEVER
    for _ in range(len(ending)):
        wider = ending | (steps @ ending.to(torch.float64) > 0.0)
        if torch.equal(wider, ending):
            break
        ending = wider
    return ending


def ended(transitions: Tensor, there: Tensor) -> Tensor:
    """P_π [S, S] in which every episode ends: a state from which none ever does ends at once, as long as it is not
    ``there``, bool [S], that is, as long as no episode comes to it.

    Raises:
        EndlessError: it is.
    """
    ending = may_end(transitions.detach())
    if not (ending | ~there).all():
        raise EndlessError(torch.nonzero(~ending & there).flatten().tolist())
    return transitions if bool(ending.all()) else transitions * ending.unsqueeze(-1)
