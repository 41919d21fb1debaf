"""The best actions by a table of action values, and which of equally good ones to take."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.mdp.ending import NEVER, may_end

ROUNDING = 1e-10  # by how much, relative to the largest value, actions may differ and still count as equally good


def greedy_policy(action_values: Tensor, kept: Tensor | None = None) -> Tensor:
    """The deterministic policy that does the action of the largest value, […, S, A].

    Of actions that are equal but for rounding it does the one that the policy ``kept`` does most, or else the first.
    """
    good = equally_good(action_values)
    rank = good.to(action_values.dtype) if kept is None else good * (1.0 + kept)
    chosen = rank.argmax(-1)  # the first of the largest
    return torch.nn.functional.one_hot(chosen, action_values.shape[-1]).to(action_values.dtype)


def equally_good(action_values: Tensor, rounding: float = ROUNDING) -> Tensor:
    """The actions of the largest value, and those that are as good but for rounding, bool […, S, A]."""
    best = action_values.amax(-1, keepdim=True)
    return action_values >= best - rounding * action_values.abs().max()


def that_ends(policy: Tensor, good: Tensor, continuing: Tensor) -> Tensor:
    """``policy`` [S, A], with other ``good`` actions, bool [S, A], where it would never end the episode and they may.

    Of actions that are equally good without discounting some may lead round and round: walking on costs nothing, and
    what is at the end is still to be had. Those states take an action with a chance to end the episode, or else to
    come to states that do; the first of several.
    """
    ending = may_end(torch.einsum("sa,sau->su", policy, continuing))
    policy = policy.clone()
    while not ending.all():
        leaves = (continuing.sum(-1) < 1.0 - NEVER) | (continuing @ ending.to(torch.float64) > 0.0)
        useful = good & leaves & ~ending.unsqueeze(-1)
        more = useful.any(-1)
        if not more.any():
            break
        chosen = torch.nn.functional.one_hot(useful.int().argmax(-1), policy.shape[-1]).to(policy.dtype)
        policy[more] = chosen[more]
        ending = ending | more
    return policy
