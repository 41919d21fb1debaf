"""What state a policy's network is in: the size of what it sees, and which of its units still tell states apart."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.algorithms.outcome import Metrics
from engine.networks.dense import NONLINEARITIES, parameters_of
from engine.networks.networks import MLPBody
from engine.policies.policy import Policy

ROWS = 1024  # of a batch, that are looked at
_SATURATED = 0.97  # of tanh, whose slope is 6 % of its greatest there


def is_looked_at(iteration: int) -> bool:
    """Whether it is looked at now: in the first 8 iterations, then in every second up to 16, every fourth up to 32, and
    so on, so that it takes no time to speak of however long a run is."""
    return _latest(iteration) == iteration


def ends_are_looked_at(before: int, more: int) -> bool:
    """Whether it is looked at what becomes of ends, ``more`` of which have come to those ``before``: as often as at
    iterations, by their own number, since those that a time limit makes can miss the others for ever."""
    return _latest(before + more) > before


def _latest(number: int) -> int:
    """The last up to this one that is looked at."""
    return number - number % (1 << max(number.bit_length() - 3, 0))


@torch.no_grad()
def condition(policy: Policy, observations: Tensor) -> Metrics:
    """``observation_scale``, and of an MLP ``dead_units`` or ``saturated_units``, over some of these observations; none
    of it of numbered states or pictures, and the latter two only where there are units that can be so.

    A ReLU is dead where it is 0 in every one of the observations, and passes no gradient any more. A tanh is saturated
    in an observation where it comes to more than 0.97 either way.

    Args:
        observations: [M, components], as they are before any normalisation.
    """
    if not observations.is_floating_point() or observations.dim() != 2:
        return {}
    inputs = observations[:: 1 + len(observations) // ROWS]
    if policy.normalizer is not None:
        inputs = policy.normalizer(inputs)
    found: Metrics = {"observation_scale": inputs.square().mean(0).max().sqrt().item()}
    body = policy.body
    if not isinstance(body, MLPBody) or body.activation not in ("tanh", "relu"):
        return found
    f, h, dead, saturated = NONLINEARITIES[body.activation], inputs, list[Tensor](), list[Tensor]()
    for weight, bias in parameters_of(body.layers):
        h = f.apply(torch.nn.functional.linear(h, weight, bias))
        dead.append((h <= 0.0).all(0).float().mean())
        saturated.append((h.abs() > _SATURATED).float().mean())
    if body.activation == "relu":
        return found | {"dead_units": torch.stack(dead).max().item()}
    return found | {"saturated_units": torch.stack(saturated).max().item()}
