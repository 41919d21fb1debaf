"""What learning sees of the rewards, against the definition step by step; returns stay as the environment pays them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from engine.collection.reward_scaling import RewardScaling
from engine.config.environments import EnvironmentConfig
from engine.experience.rollouts import Rollout
from engine.reports.events import Collected
from engine.training.training import Training
from tests.engine.support import configured, register

GAMMA = 0.9


def rollout(rewards: Any, ends: Any, elapsed: Any, *, whole: bool) -> Rollout:
    """Columns of environments; ``ends`` are terminations, and in fixed-length rollouts the last row is cut."""
    paid, over = torch.tensor(rewards, dtype=torch.float32), torch.tensor(ends, dtype=torch.bool)
    cut = torch.zeros_like(over)
    mask = torch.ones_like(over)
    if whole:
        mask = torch.tensor(
            [[bool(over[:t, n].any()) is False for n in range(over.shape[1])] for t in range(len(over))]
        )
    else:
        cut[-1] = ~over[-1]
    nothing = torch.zeros(*paid.shape, 1)
    return Rollout(
        observations=nothing,
        actions=nothing,
        rewards=paid * mask,
        terminated=over,
        truncated=cut,
        mask=mask,
        elapsed=torch.tensor(elapsed),
        final_observations=torch.zeros(int(cut.sum()), 1),
        whole_episodes=whole,
    )


FIXED_LENGTH = rollout(
    [[1.0, 5.0], [2.0, -1.0], [4.0, 3.0]], [[0, 0], [1, 0], [0, 0]], [[0, 3], [1, 4], [0, 5]], whole=False
)
WHOLE = rollout([[1.0, 5.0], [2.0, 0.0], [4.0, 0.0]], [[0, 1], [0, 0], [1, 0]], [[0, 0], [1, 1], [2, 2]], whole=True)


def test_without_changes_the_rollout_is_left_as_it_is() -> None:
    assert RewardScaling(EnvironmentConfig()).learned(FIXED_LENGTH, GAMMA) is FIXED_LENGTH


@pytest.mark.parametrize("before", [FIXED_LENGTH, WHOLE], ids=["fixed length", "whole"])
def test_scale_and_offset_reach_every_step_and_no_padding(before: Rollout) -> None:
    after = RewardScaling(EnvironmentConfig(reward_scale=-2.0, reward_offset=3.0)).learned(before, GAMMA)
    expected = torch.where(before.mask, -2.0 * before.rewards + 3.0, 0.0)
    assert torch.equal(after.rewards, expected)


def discounted_so_far(batches: list[Rollout]) -> list[float]:
    """R_t = r_t + γ R_{t−1} of every step taken, in a plain loop; an episode's first step has none before it."""
    sums, running = [], [0.0, 0.0]
    for batch in batches:
        for t in range(len(batch.rewards)):
            for n in range(2):
                if batch.mask[t, n]:
                    before = running[n] if batch.elapsed[t, n] > 0 else 0.0
                    running[n] = float(batch.rewards[t, n]) + GAMMA * before
                    sums.append(running[n])
    return sums


@pytest.mark.parametrize("whole", [False, True], ids=["fixed length", "whole episodes"])
def test_rewards_are_normalised_by_the_spread_of_the_discounted_return_so_far(whole: bool) -> None:
    first = WHOLE if whole else FIXED_LENGTH
    # In the second rollout the first environment goes on from the last step of the first one.
    later = [[0, 0], [1, 1], [2, 2]] if whole else [[1, 6], [2, 0], [3, 1]]
    ends = [[0, 0], [0, 1], [1, 0]] if whole else [[0, 1], [0, 0], [0, 0]]
    second = rollout([[3.0, 1.0], [-2.0, 8.0], [1.0, 0.0]], ends, later, whole=whole)
    change = RewardScaling(EnvironmentConfig(normalize_rewards=True))
    for number, batch in enumerate((first, second), 1):
        deviation = np.std(discounted_so_far([first, second][:number]))
        assert torch.allclose(change.learned(batch, GAMMA).rewards, batch.rewards / float(deviation), rtol=1e-5)


def test_constant_rewards_of_one_step_stay_finite() -> None:
    single = rollout([[1.0, 1.0]], [[1, 1]], [[0, 0]], whole=True)
    after = RewardScaling(EnvironmentConfig(normalize_rewards=True)).learned(single, GAMMA)
    assert torch.isfinite(after.rewards).all()


@pytest.mark.parametrize("collection", ["episodes", "fixed-length"])
def test_reported_returns_are_raw_whatever_learning_sees(collection: str) -> None:
    id = register("Raw-v0", lengths=(3,), reward=2.0)
    plain, changed = (
        configured(environment={"id": id} | changes, collection=collection, budget__environment_steps=60)
        for changes in ({}, {"reward_scale": 5.0, "reward_offset": -7.0, "normalize_rewards": True})
    )
    for config in (plain, changed):
        training = Training(config)
        collected = [event for event in training if isinstance(event, Collected)]
        training.close()
        returns = np.concatenate([event.returns for event in collected])
        assert len(returns) > 0
        assert (returns == 6.0).all()


def test_large_rewards_that_differ_by_rounding_alone_give_no_unit() -> None:
    paid = np.float32(1e8) + np.float32(8.0) * np.arange(4, dtype=np.float32)
    whole = rollout([paid.tolist()], [[1, 1, 1, 1]], [[0, 0, 0, 0]], whole=True)
    assert torch.equal(
        RewardScaling(EnvironmentConfig(normalize_rewards=True)).learned(whole, GAMMA).rewards, whole.rewards
    )
