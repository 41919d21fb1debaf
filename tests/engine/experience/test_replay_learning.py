"""Buffer and targets together: action values of a small world come out exactly, wrongly treated they do not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.experience.prioritized_replay import PrioritizedReplay
from engine.experience.replay_buffer import Experience, ReplayBuffer
from engine.experience.replay_layout import ArrayLayout, TransitionLayout
from engine.maths.action_values import greedy_values, one_step_errors, one_step_targets, taken_values
from engine.maths.priorities import priorities

STATES, LIMIT, GAMMA, SIZE = 5, 4, 0.9, 8
LAYOUT = TransitionLayout(ArrayLayout((), "int64"), ArrayLayout((), "int64"))
RIGHT = GAMMA ** torch.arange(4.0, -1.0, -1.0)  # one more step from state to state, then the reward
EXACT = torch.stack([GAMMA * RIGHT[[0, 0, 1, 2, 3]], RIGHT], 1)


def walked(steps: int, merged: bool) -> list[Experience]:
    """A corridor in which to the right of the last state there is a reward of 1 and the end; episodes begin anywhere,
    actions are random, and after a few steps an episode is cut off, ``merged`` with the terminations or not."""
    random = np.random.default_rng(0)
    states, elapsed, found = random.integers(0, STATES, SIZE), np.zeros(SIZE, np.int64), []
    for _ in range(steps):
        actions = random.integers(0, 2, SIZE)
        after = np.maximum(states + 2 * actions - 1, 0)
        elapsed += 1
        terminated = after == STATES
        truncated = elapsed >= LIMIT
        ended = terminated | truncated
        following = np.where(ended, random.integers(0, STATES, SIZE), after)
        finals = after[truncated & ~terminated]
        cut = truncated & (not merged)
        ends = ended if merged else terminated
        reward = terminated.astype(np.float32)
        found.append(Experience(states, actions, reward, ends, cut, finals[:0] if merged else finals, following))
        states, elapsed = following, np.where(ended, 0, elapsed)
    return found


def learned(replay: ReplayBuffer | PrioritizedReplay, n: int) -> Tensor:
    table, generator = torch.zeros(STATES, 2), torch.Generator().manual_seed(0)
    for _ in range(60):
        drawn = replay.sample(64, n, GAMMA, generator)
        batch = drawn if not isinstance(drawn, tuple) else drawn[0]
        following = greedy_values(table[batch.next_observations])
        targets = one_step_targets(batch.rewards, batch.discounts, following)
        if isinstance(replay, PrioritizedReplay):
            taken = taken_values(table[batch.observations], batch.actions)
            errors = one_step_errors(taken, batch.rewards, batch.discounts, following)
            replay.update(batch.slots, priorities(errors, 0.6, 0.01))
        table[batch.observations, batch.actions] = targets
    return table


@pytest.mark.parametrize("kind", [ReplayBuffer, PrioritizedReplay])
def test_q_learning_from_replay_is_exact_and_a_cut_taken_for_an_end_is_not(
    kind: type[ReplayBuffer] | type[PrioritizedReplay],
) -> None:
    right, merged = kind(LAYOUT, 400, SIZE), kind(LAYOUT, 400, SIZE)
    for buffer, wrong in ((right, False), (merged, True)):
        for experience in walked(120, wrong):
            buffer.append(experience)
    torch.testing.assert_close(learned(right, 1), EXACT)
    assert (learned(merged, 1) - EXACT).abs().max() > 0.1
    # Over several steps the random actions on the way are not the greedy policy's: nothing corrects for that.
    astray = learned(right, 3) - EXACT
    assert astray.max() < 1e-5
    assert astray.min() < -0.1
