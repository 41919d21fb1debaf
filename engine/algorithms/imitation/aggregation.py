"""DAgger's dataset: all that the teacher has answered so far, and of which states he is asked next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from engine.algorithms.imitation.labelled import Labelled
from engine.config.imitation import DAgger
from engine.experience.demonstrations import compact
from engine.policies.policy import Policy
from engine.runtime.state import State

_COUNTS = ("rounds", "asked", "given", "teacher_return")
_TENSORS = ("actions", "known", "lengths")


def teachers_share(config: DAgger, round_: int) -> float:
    """β_k, the probability with which the teacher acts in round k, from 1: 1 in the first, then 0 or p^(k−1).

    Source: Ross, Gordon & Bagnell (2011).
    """
    if config.mixture == "decaying":
        return config.decay ** (round_ - 1)
    return 1.0 if round_ == 1 else 0.0


class Aggregate:
    """What was answered in all rounds so far, with what was asked and given.

    Args:
        device: where the steps are.

    Attributes:
        rounds: those that are over.
        asked, given: states that the teacher was asked about, and that he said what to do in.
        unknown, lost: those in which he did not know it, and that he said are lost whatever is done.
        teacher_return: the mean return of what the teacher played by himself; None where he has not.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._steps: Labelled | None = None
        self.rounds = self.asked = self.given = self.unknown = self.lost = 0
        self.teacher_return: float | None = None

    @property
    def steps(self) -> Labelled:
        """All of them; there are some once a round is over.

        Raises:
            ValueError: none is.
        """
        if self._steps is None:
            raise ValueError("no round is over yet.")
        return self._steps

    def take(self, asked: int, steps: Labelled, unknown: int = 0, lost: int = 0) -> None:
        """Take in what came of a round, behind what there is; ``asked`` is 0 where its dataset was given."""
        self.rounds += 1
        self.asked += asked
        self.unknown += unknown
        self.lost += lost
        self.given += len(steps) if asked else 0
        old = self._steps
        if old is None:
            self._steps = steps
            return
        self._steps = Labelled(
            torch.cat([old.observations, steps.observations]),
            torch.cat([old.actions, steps.actions]),
            torch.cat([old.known, steps.known]),
            torch.cat([old.weights, steps.weights]),
            torch.cat([old.lengths, steps.lengths]),
        )

    def state(self) -> State:
        counts = {name: getattr(self, name) for name in (*_COUNTS, "unknown", "lost")}
        if self._steps is None:
            return {**counts, "steps": None}
        steps: State = {name: getattr(self._steps, name).clone() for name in _TENSORS}
        return {**counts, "steps": {**steps, "observations": compact(self._steps.observations.cpu().numpy())}}

    def load(self, state: Mapping[str, Any]) -> None:
        for name in _COUNTS:
            setattr(self, name, state[name])
        # Earlier versions did not tell the two apart.
        self.unknown, self.lost = state.get("unknown", self.asked - self.given), state.get("lost", 0)
        steps = state["steps"]
        if steps is None:
            self._steps = None
            return
        kept = torch.as_tensor(steps["observations"])
        seen = (kept.float() if kept.dtype == torch.uint8 else kept).to(self._device, copy=True)
        actions, known = (steps[name].to(self._device, copy=True) for name in ("actions", "known"))
        self._steps = Labelled(seen, actions, known, known.float(), steps["lengths"].clone())


@torch.no_grad()
def chosen_states(policy: Policy, visited: Labelled, config: DAgger, generator: torch.Generator) -> Tensor:
    """Of which of the ``visited`` steps the teacher is asked, indices in rising order: some at random, those of the
    largest entropy of the policy, or all."""
    count = len(visited.known)
    if config.states == "all" or count <= config.labels:
        return torch.arange(count)
    if config.states == "random":
        return torch.randperm(count, generator=generator)[: config.labels].sort().values
    batch = visited.batch(policy)
    doubts = torch.cat([policy.over(chunk.observations, chunk.sequences).entropy() for chunk in batch.chunks()])
    return doubts.cpu().topk(config.labels).indices.sort().values
