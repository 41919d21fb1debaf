"""A target network: a copy of a network that follows it slowly, for targets that do not run away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from engine.config.replay import TargetNetwork
from engine.networks.optimizers import ParameterVector
from engine.runtime.state import State, TensorState


class Following:
    """θ⁻ ← (1 − τ) θ⁻ + τ θ at every so many gradient steps; θ⁻ = θ at first.

    ``every`` large and τ = 1 copies the network now and then (Mnih et al., 2015), ``every`` = 1 and a small τ lets the
    copy drift after it (Lillicrap et al., 2016); ``maths.action_values.soft_update`` says what one renewal does.

    Args:
        online: θ, the parameters that are learned.
        target: θ⁻, of networks of the same make.
    """

    def __init__(self, online: ParameterVector, target: ParameterVector) -> None:
        self._online, self._target = online, target
        self._values = TensorState({"values": target.values})
        self._steps = 0  # since the latest renewal
        self._follows = False  # before anything is learned, parameters may be loaded without a target network of theirs
        target.values.copy_(online.values)

    @torch.no_grad()
    def begin(self) -> None:
        """Something is about to be learned: θ⁻ = θ unless it follows already."""
        if not self._follows:
            self._target.values.copy_(self._online.values)
            self._follows = True

    @torch.no_grad()
    def step(self, config: TargetNetwork) -> None:
        """A gradient step has been taken."""
        self._steps += 1
        if self._steps >= config.every:
            self._steps = 0
            if config.rate == 1.0:
                self._target.values.copy_(self._online.values)
            else:
                self._target.values.lerp_(self._online.values, config.rate)

    def state(self) -> State:
        return {**self._values.state(), "steps": self._steps, "follows": self._follows}

    def load(self, state: Mapping[str, Any]) -> None:
        self._values.load({"values": state["values"]})
        self._steps, self._follows = state["steps"], state.get("follows", True)  # early states do not say


MakeFollowing = Callable[[ParameterVector, ParameterVector], Following]


class TargetWatch:
    """For how long a target network has stayed as it is, by a look at its parameters: whatever is to renew it.

    Args:
        online, target: θ and θ⁻.
    """

    def __init__(self, online: ParameterVector, target: ParameterVector) -> None:
        self._online, self._target = online, target
        self._mark: int | None = None
        self._age = 0

    @torch.no_grad()
    def age(self, taken: int) -> int:
        """How many gradient steps θ⁻ has stayed the same, ``taken`` of them since this was asked last; 0 where it is
        θ."""
        mark = int(self._target.values.view(torch.int32).sum())  # of its bits: no change is too small
        same = mark == self._mark and not torch.equal(self._online.values, self._target.values)
        self._mark, self._age = mark, self._age + taken if same else 0
        return self._age

    def state(self) -> State:
        return {"mark": self._mark, "age": self._age}

    def load(self, state: Mapping[str, Any]) -> None:
        self._mark, self._age = state["mark"], state["age"]
