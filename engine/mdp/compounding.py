"""A process in which a copy's errors add up as the theory of imitation says they can, and how far two policies' states
are apart in any process.

Ross & Bagnell (2010), theorem 2.1: a copy that errs with probability ε in the states that its teacher comes to costs
at most ε T² more than he does over T steps; here it costs half of that. Ross, Gordon & Bagnell (2011), theorem 2.2: one
that errs with probability ε in the states that it comes to itself costs at most u ε T more, where an error costs at
most u if the teacher goes on from it; DAgger learns such a one.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.mdp.exact import Dynamics, discounted_visitation
from engine.mdp.finite import FiniteMDP, from_outcomes

ON, OFF = 0, 1  # the states
RIGHT, WRONG = 0, 1  # the actions


def tightrope(horizon: int) -> FiniteMDP:
    """On the rope the right action leads on, and the wrong one off it, where every step costs 1; off the rope the right
    action leads back onto it. A teacher who does what is right never costs anything, and is never off the rope.

    Raises:
        ValueError: the horizon is less than 1.
    """
    step = [[(1.0, ON, 0.0, False)], [(1.0, OFF, 0.0, False)]], [[(1.0, ON, -1.0, False)], [(1.0, OFF, -1.0, False)]]
    return from_outcomes("tightrope", list(step), [1.0, 0.0], horizon)


def clone(error: float) -> Tensor:
    """π [2, 2] of a copy that errs with this probability where the teacher was, on the rope, and does not know what to
    do where he never was."""
    return torch.tensor([[1.0 - error, error], [0.0, 1.0]], dtype=torch.float64)


def corrected(error: float) -> Tensor:
    """π [2, 2] of one that errs with this probability wherever it comes to."""
    return torch.tensor([[1.0 - error, error], [1.0 - error, error]], dtype=torch.float64)


def cost_of_clone(error: float, horizon: int) -> float:
    """Σ_{t<T} (1 − (1 − ε)ᵗ): off the rope from the first error on. That is ε T (T − 1)/2 for small ε T."""
    return sum(1.0 - (1.0 - error) ** step for step in range(horizon))


def cost_of_corrected(error: float, horizon: int) -> float:
    """ε (T − 1): off the rope for one step after each error."""
    return error * (horizon - 1)


def states_apart(dynamics: Dynamics, teacher: Tensor, learner: Tensor) -> Tensor:
    """½ Σ_s |P_π(s_t = s) − P_π*(s_t = s)| of every step t, [H]: the share of episodes that are where the teacher's
    would not be; an episode that has ended is in a state of its own.

    Args:
        dynamics: with a horizon H.
        teacher, learner: π [S, A], or [H, S, A].

    Raises:
        ValueError: there is no horizon.
    """
    if dynamics.horizon is None:
        raise ValueError("how far states are apart is told step by step, up to a horizon.")
    shape = (dynamics.horizon, *dynamics.rewards.shape)
    here, there = (discounted_visitation(dynamics, policy.expand(shape), 1.0) for policy in (learner, teacher))
    over = (here.sum(-1) - there.sum(-1)).abs()  # that have ended
    return 0.5 * ((here - there).abs().sum(-1) + over)
