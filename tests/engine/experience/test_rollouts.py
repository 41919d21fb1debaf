"""Rollouts: steps one sequence after another and back, with and without padding."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from engine.experience.rollouts import Rollout
from tests.engine.scripted import Scripted, collected, episodes_of, fixed_length_of

PADDED = [3, 1, 5, 3]


def rollout_of(kind: str) -> Rollout:
    """Padded whole episodes, whole episodes of one length, or six steps of two environments, in two and three
    sequences."""
    if kind == "padded":
        return collected(episodes_of(Scripted(PADDED, truncated=[1, 2])))[0]
    if kind == "even":
        return collected(episodes_of(Scripted([4, 4, 4], truncated=[0])))[0]
    return collected(fixed_length_of(Scripted([(2, 9), (1, 3, 9)], truncated=[1]), 6))[0]


KINDS = ["padded", "even", "fixed-length"]


@pytest.mark.parametrize(("kind", "full"), [("padded", False), ("even", True), ("fixed-length", True)])
def test_a_rollout_knows_whether_it_is_padded(kind: str, full: bool) -> None:
    assert rollout_of(kind).full == full


@pytest.mark.parametrize("kind", KINDS)
def test_flat_steps_come_environment_by_environment_in_the_order_of_time(kind: str) -> None:
    rollout = rollout_of(kind)
    expected = [
        rollout.observations[t, n].tolist() for n in range(rollout.environments) for t in rollout.mask[:, n].nonzero()
    ]
    assert rollout.flat(rollout.observations).tolist() == [row for (row,) in expected]


@pytest.mark.parametrize("kind", KINDS)
def test_flattening_and_back_gives_the_same_grid_with_0_where_there_is_padding(kind: str) -> None:
    rollout = rollout_of(kind)
    grid = torch.randn(rollout.mask.shape, generator=torch.Generator().manual_seed(1))
    assert torch.equal(rollout.unflat(rollout.flat(grid)), grid * rollout.mask)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.bool])
def test_back_and_flattened_again_gives_the_same_steps_of_any_type(kind: str, dtype: Any) -> None:
    rollout = rollout_of(kind)
    flat = torch.randint(2, (int(rollout.mask.sum()),), generator=torch.Generator().manual_seed(1)).to(dtype)
    again = rollout.flat(rollout.unflat(flat))
    assert again.dtype == dtype
    assert torch.equal(again, flat)


@pytest.mark.parametrize("kind", KINDS)
def test_values_of_final_observations_stand_where_these_were_seen(kind: str) -> None:
    """A final observation is (environment, episode, steps): one step after the one at which the episode was cut off."""
    rollout = rollout_of(kind)
    assert rollout.truncated.any()
    for component in range(3):
        grid = rollout.at_cuts(rollout.final_observations[:, component])
        assert not grid[~rollout.truncated].any()
        after = rollout.observations[..., component] + (component == 2)
        assert torch.equal(grid[rollout.truncated], after[rollout.truncated])


@pytest.mark.parametrize(
    ("kind", "lengths", "cut"),
    [
        ("padded", [3, 1, 5, 3], [False, True, True, False]),
        ("even", [4, 4, 4], [True, False, False]),
        ("fixed-length", [2, 4, 1, 3, 2], [False, True, True, True, True]),
    ],
)
def test_sequences_are_the_uninterrupted_parts_of_episodes(kind: str, lengths: list[int], cut: list[bool]) -> None:
    sequences = rollout_of(kind).sequences
    assert sequences.lengths.tolist() == lengths
    assert sequences.cut.tolist() == cut
    assert sequences.states is None
