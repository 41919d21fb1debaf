"""Learned values of a rollout's states, from a network of their own or from the policy's."""

from __future__ import annotations

from collections.abc import Generator
from typing import Protocol

import torch
from torch import Tensor

from engine.policies.policy import Policy, ValueFunction
from engine.pulse import ROWS, Pulse
from engine.rollouts import Rollout, Sequences

Values = Generator[str, None, tuple[Tensor, Tensor]]


class Critic(Protocol):
    """V for a rollout."""

    def values(self, rollout: Rollout) -> Values:
        """V(s_t) of every step and, where one was cut off, V of the true observation after it; [T, N] each, 0
        elsewhere. Yields signs of life."""


class SeparateCritic:
    """V from a value network of its own, which looks at the present observation alone."""

    def __init__(self, value: ValueFunction) -> None:
        self.value = value

    def values(self, rollout: Rollout) -> Values:
        seen = yield from self._of(rollout.flat(rollout.observations))
        after = yield from self._of(rollout.final_observations)
        return rollout.unflat(seen), rollout.at_cuts(after)

    def _of(self, observations: Tensor) -> Generator[str, None, Tensor]:
        pulse, found = Pulse(), []
        for rows in torch.split(observations, ROWS):
            with torch.no_grad():
                found.append(self.value(rows))
            if pulse.due():
                yield "estimating"
        return torch.cat(found)


class SharedCritic:
    """V from the policy's own network, with its memory if it has one."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def values(self, rollout: Rollout) -> Values:
        observations, after = rollout.flat(rollout.observations), rollout.final_observations
        sequences = rollout.sequences
        if sequences.states is None:
            seen = yield from self._in_pieces(observations)
            final = yield from self._in_pieces(after)
            return rollout.unflat(seen), rollout.at_cuts(final)
        yield "estimating"
        # What is remembered at the end is needed for V there, so each cut sequence goes on to what was seen after it.
        order, last, longer = _extended(sequences)
        both = torch.cat((observations, after))[order]
        with torch.no_grad():
            _, values = self._policy.evaluate(both, longer)
        return rollout.unflat(values[~last]), rollout.at_cuts(values[last])

    def _in_pieces(self, observations: Tensor) -> Generator[str, None, Tensor]:
        pulse, found = Pulse(), []
        for rows in torch.split(observations, ROWS):
            with torch.no_grad():
                found.append(self._policy.evaluate(rows, None)[1])
            if pulse.due():
                yield "estimating"
        return torch.cat(found)


def _extended(sequences: Sequences) -> tuple[Tensor, Tensor, Sequences]:
    """How to put the final observations, which lie behind all M steps, at the ends of their sequences.

    Returns:
        The order of the M + E rows, which of them are final ones, and the longer sequences.
    """
    device = sequences.cut.device
    lengths, cut = sequences.lengths.tolist(), sequences.cut.tolist()
    order: list[int] = []
    step, extra = 0, sum(lengths)
    for length, goes_on in zip(lengths, cut, strict=True):
        order.extend(range(step, step + length))
        step += length
        if goes_on:
            order.append(extra)
            extra += 1
    rows = torch.tensor(order, device=device)
    longer = sequences.lengths + sequences.cut.cpu().long()
    return rows, rows >= sum(lengths), Sequences(longer, sequences.states, sequences.cut)
