"""What a rule has to say of the policy that climbs action values: what follows is worth to it, and how it climbs."""

from __future__ import annotations

from typing import Any, Protocol

from numpy.typing import NDArray
from torch import Tensor

from engine.algorithms.outcome import Metrics
from engine.config import ActorCriticConfig
from engine.experience.replay_buffer import Minibatch
from engine.networks.optimizers import ParameterVector
from engine.runtime.state import Parts
from engine.values.action_critics import Critics


class Improvement(Protocol):
    """How a policy climbs action values; ``parts`` are what it remembers beside the policy, ``vector`` are the policy's
    parameters, ``critics`` is how many networks of action values it wants."""

    parts: Parts
    vector: ParameterVector
    critics: int

    def begin(self, config: ActorCriticConfig) -> None:
        """An iteration begins with these settings."""

    def as_judged(self, actions: NDArray[Any]) -> NDArray[Any]:
        """The policy's own actions as the networks of action values are given them: continuous ones as what the
        environment makes of them, in units in which their bounds are −1 and 1."""

    def next_values(self, batch: Minibatch, target: Critics) -> Tensor:
        """v(s′) [B]: what the states that a minibatch leads to are worth under the present policy."""

    def values(self, observations: Tensor, critics: Critics) -> Tensor:
        """What the likeliest actions in these states are taken to be worth, [n]."""

    def climbs(self) -> bool:
        """Whether the policy takes a step after this one of the action values."""

    def add_gradient(self, batch: Minibatch, online: Critics) -> None:
        """Add the gradient of the policy's loss, the negative of what it climbs, to ``vector.gradient``."""

    def stepped(self, rate: float) -> None:
        """The policy has taken its step, of this size."""

    def told(self) -> Metrics:
        """Metrics of the latest steps."""
