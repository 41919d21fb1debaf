"""Acting blindly: every action as likely as any other, before anything has been learned."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.catalogue.spaces import Space
from engine.policies.actor import Actor

_INSIDE = 1.0 - 1e-6  # of −1 … 1, so that what tanh takes for it is finite


class UniformActor:
    """In the place of ``actor``, whose randomness it draws from: actions in units in which their bounds are −1 and 1
    are uniform there, discrete ones all alike.

    Args:
        squashed: whether a policy's actions are what tanh takes.
    """

    def __init__(self, actor: Actor, actions: Space, squashed: bool) -> None:
        self._actor, self._actions, self._squashed = actor, actions, squashed

    def act(
        self, observations: NDArray[Any], state: Tensor | None
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None, Tensor | None]:
        """As ``Actor.act``."""
        generator, count = self._actor.generator, len(observations)
        if self._actions.kind == "discrete":
            chosen = torch.randint(self._actions.size, (count,), generator=generator, device=generator.device)
            return chosen.cpu().numpy(), None, state
        drawn = torch.rand((count, self._actions.size), generator=generator, device=generator.device)
        unit = (2.0 * drawn - 1.0) * _INSIDE
        return (unit.atanh() if self._squashed else unit).cpu().numpy(), None, state

    def to_environment(self, actions: NDArray[Any]) -> NDArray[Any]:
        """As ``Actor.to_environment``."""
        return self._actor.to_environment(actions)
