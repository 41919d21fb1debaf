"""Learned values of a rollout's states, from a network of their own or from the policy's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from engine.experience.batch import rows_at_once
from engine.experience.rollouts import Rollout, Sequences, grouped
from engine.policies.policy import Policy
from engine.reports.events import Heartbeat, Heartbeats
from engine.runtime.heartbeat import ROWS, HeartbeatTimer
from engine.values.value_function import ValueFunction

Values = Heartbeats[tuple[Tensor, Tensor]]


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
        seen = yield from _in_chunks(self.value, rollout.flat(rollout.observations))
        after = yield from _in_chunks(self.value, rollout.final_observations)
        return rollout.unflat(seen), rollout.at_cuts(after)


class SharedCritic:
    """V from the policy's own network, with its memory if it has one."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def values(self, rollout: Rollout) -> Values:
        observations, after = rollout.flat(rollout.observations), rollout.final_observations
        if rollout.sequences.states is None:
            seen = yield from _in_chunks(self._value, observations)
            final = yield from _in_chunks(self._value, after)
            return rollout.unflat(seen), rollout.at_cuts(final)
        # What is remembered at the end is needed for V there, so each cut sequence goes on to what was seen after it.
        order, last, longer = _extended(rollout.sequences)
        values = yield from self._through_time(torch.cat((observations, after))[order], longer)
        return rollout.unflat(values[~last]), rollout.at_cuts(values[last])

    def _value(self, observations: Tensor) -> Tensor:
        return self._policy.evaluate(observations, None)[1]

    def _through_time(self, observations: Tensor, sequences: Sequences) -> Heartbeats[Tensor]:
        timer, found, start = HeartbeatTimer(), [], 0
        for group in grouped(sequences.lengths, ROWS):
            some = sequences.at(group)
            end = start + int(some.lengths.sum())
            with torch.no_grad():
                found.append(self._policy.evaluate(observations[start:end], some)[1])
            start = end
            if timer.due():
                yield Heartbeat("estimating")
        return torch.cat(found)


def _in_chunks(value: Callable[[Tensor], Tensor], observations: Tensor) -> Heartbeats[Tensor]:
    timer, found = HeartbeatTimer(), []
    for rows in torch.split(observations, rows_at_once(observations, ROWS)):
        with torch.no_grad():
            found.append(value(rows))
        if timer.due():
            yield Heartbeat("estimating")
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
