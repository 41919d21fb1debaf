"""Planning where some states look alike, so that they share their values and their actions: state aggregation.

The exact action values of a policy, Q [S, A], are fitted by a table with one row for each group of states,

Q̄(g, a) = Σ_{s∈g} w(s) Q(s, a) / Σ_{s∈g} w(s),

and the next policy is greedy in Q̄. Weighed by the visits of the policy that is evaluated, w = d, that is the
least-squares fit to what its episodes would tell. A greedy policy may then go elsewhere, where the fit does not hold:
what seemed best was best where the old policy went, J may fall, and the policies may go round in a circle for ever.
With weights that stay as they are, sweeps of Bellman's equation in the groups are a contraction, and come to rest.

Shapes and units as in ``exact``. Sources: Bertsekas (2011) for oscillation; Gordon (1995) and Tsitsiklis & Van Roy
(1996) for weights that stay as they are; Kakade & Langford (2002) for steps that do not fall; [textbook], section 6.6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from engine.mdp.exact import Dynamics, backup, discounted_visitation
from engine.mdp.greedy import greedy_policy
from engine.mdp.planning import Fit, Plan, is_rounding
from engine.runtime.state import State

Weighting = Literal["visited", "equal"]


@dataclass(frozen=True)
class Sharing:
    """``groups`` is the group of each state, int64 [S], 0 … G−1; ``weighting`` says how they are weighed in it."""

    groups: Tensor
    weighting: Weighting = "visited"

    @classmethod
    def of(cls, seen: Sequence[int], weighting: Weighting = "visited") -> Sharing:
        """Of states that look as they are ``seen``."""
        return cls(torch.tensor(seen), weighting)

    @property
    def representatives(self) -> Tensor:
        """The first state of each group, int64 [G]; of a group without states that is state 0."""
        return (self.groups == torch.arange(int(self.groups.max()) + 1).unsqueeze(-1)).int().argmax(-1)

    def weights(self, dynamics: Dynamics, policy: Tensor, gamma: float) -> Tensor:
        """w [S], or [H, S] with a horizon."""
        if self.weighting == "equal":  # of all that episodes may come to
            return dynamics.reachable.double().expand(dynamics.shape[:-1])
        return discounted_visitation(dynamics, policy, gamma)

    def fit(self, dynamics: Dynamics) -> Fit:
        """What stands in for a policy's own action values."""

        def fitted(action_values: Tensor, policy: Tensor, gamma: float) -> Tensor:
            return self.fitted(action_values, self.weights(dynamics, policy, gamma))[self.groups]

        return fitted

    def fitted(self, table: Tensor, weights: Tensor) -> Tensor:
        """Q̄ [G, A] of Q [S, A], or of all steps together of [H, S, A]; zeros for a group without weight."""
        weighted = weights.unsqueeze(-1) * table
        if weighted.ndim == 3:
            weights, weighted = weights.sum(0), weighted.sum(0)
        count = int(self.groups.max()) + 1
        sums = torch.zeros(count, table.shape[-1], dtype=table.dtype).index_add(0, self.groups, weighted)
        whole = torch.zeros(count, dtype=table.dtype).index_add(0, self.groups, weights)
        return torch.where(whole.unsqueeze(-1) > 0.0, sums / whole.unsqueeze(-1), 0.0)


class SharedValueIteration:
    """Sweeps of Bellman's optimality equation with one value for each group:

    V̄_{k+1}(g) = max_a Σ_{s∈g} w(s) [r(s, a) + γ Σ_s' P(s'|s, a) V̄_k(g')] / Σ_{s∈g} w(s),   V̄_0 = 0.

    Weighed by visits, w is of the policy that is greedy in what the last sweep has told; at first it is uniform.

    Args:
        dynamics: without a horizon, as what looks alike does not tell how many turns are left.
    """

    def __init__(self, dynamics: Dynamics, sharing: Sharing) -> None:
        self._dynamics, self._sharing, self._backups = dynamics, sharing, 0
        self._values = torch.zeros_like(dynamics.initial)
        self._policy = torch.full_like(dynamics.rewards, 1.0 / dynamics.rewards.shape[-1])

    def step(self, gamma: float) -> Plan:
        """Go on by a sweep.

        Raises:
            ValueError: as the functions of ``exact``.
        """
        dynamics, sharing, before = self._dynamics, self._sharing, self._values
        weights = sharing.weights(dynamics, self._policy, gamma)
        table = sharing.fitted(backup(dynamics, before, gamma), weights)[sharing.groups]
        policy = greedy_policy(table)
        residual = (table.amax(-1) - before).abs().max().item()
        settled = is_rounding(residual, before) and torch.equal(policy, self._policy)
        self._values, self._policy = table.amax(-1), policy
        self._backups += len(before)
        everywhere = torch.arange(len(before))
        return Plan(self._values, table, policy, everywhere, residual, self._backups, None, settled)

    def state(self) -> State:
        return {"values": self._values.clone(), "policy": self._policy.clone(), "backups": self._backups}

    def load(self, state: Mapping[str, Any]) -> None:
        if state["policy"].shape != self._policy.shape:
            raise ValueError(
                f"This state is of a policy {list(state['policy'].shape)}; what it is loaded into has "
                f"{list(self._policy.shape)}."
            )
        self._values, self._policy = state["values"].clone(), state["policy"].clone()
        self._backups = state["backups"]
