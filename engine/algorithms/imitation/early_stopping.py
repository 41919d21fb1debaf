"""Learning no longer than what is learned carries over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from engine.runtime.state import State


class EarlyStopping:
    """Remembers the parameters with which the loss on what is held out was lowest, the last of several, and goes back
    to them once it has been higher for a while.

    Source: Prechelt (1998), "Early stopping – but when?".

    Args:
        weights: all parameters of the policy, [P], which are changed in place.
    """

    def __init__(self, weights: Tensor) -> None:
        self._weights, self._best = weights, weights.detach().clone()
        self._lowest: float | None = None
        self._at = self._waited = 0  # the iteration of the lowest loss, and how many have passed without a lower one

    def over(self, patience: int) -> bool:
        """Whether nothing is learned any more; more patience than has been had makes it go on."""
        return 0 < patience <= self._waited

    @torch.no_grad()
    def look(self, loss: float, patience: int, iteration: int) -> str:
        """Take note of the ``loss`` that the parameters have in an ``iteration``.

        Returns:
            What to say where learning ends with it; empty where it does not.
        """
        if self.over(patience):
            return ""
        # What stays as it is, as in states that a table has never seen, says nothing against what was learned.
        if self._lowest is None or loss <= self._lowest:
            self._lowest, self._at, self._waited = loss, iteration, 0
            self._best.copy_(self._weights)
            return ""
        self._waited += 1
        if not self.over(patience):
            return ""
        self._weights.copy_(self._best)
        return (
            f"The loss on what is held out has not fallen for {patience} iterations, so learning has stopped, and the "
            f"policy is again the one of iteration {self._at:,}; it is played on to the end of the run."
        )

    def state(self) -> State:
        counts = {"lowest": self._lowest, "at": self._at, "waited": self._waited}
        return {"best": self._best.clone(), **counts}

    def load(self, state: Mapping[str, Any]) -> None:
        if state["best"].shape != self._best.shape:
            raise ValueError(f"This state is of {len(state['best'])} parameters, not of {len(self._best)}.")
        self._best.copy_(state["best"])
        self._lowest, self._at, self._waited = state["lowest"], state["at"], state["waited"]
