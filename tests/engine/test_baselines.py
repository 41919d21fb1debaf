"""The average baseline, on episodes of unequal length, by hand."""

from __future__ import annotations

import pytest
import torch

from engine.baselines import average_baseline

MASK = torch.tensor([[1, 1, 1], [1, 0, 1], [1, 0, 0]], dtype=torch.bool)


def test_every_episode_weighs_alike_whatever_its_length() -> None:
    credit = torch.tensor([[6.0, 10.0, 1.0], [3.0, 0.0, 5.0], [0.0, 0.0, 0.0]])
    assert average_baseline(credit, MASK).item() == pytest.approx((3.0 + 10.0 + 3.0) / 3.0)


def test_averaging_over_steps_instead_would_differ() -> None:
    credit = torch.tensor([[6.0, 10.0, 1.0], [3.0, 0.0, 5.0], [0.0, 0.0, 0.0]])
    assert average_baseline(credit, MASK).item() != pytest.approx(credit[MASK].mean().item())


def test_with_total_returns_it_is_the_mean_return() -> None:
    totals = torch.tensor([2.0, -4.0, 11.0])
    assert average_baseline(totals.expand(3, 3), MASK).item() == pytest.approx(3.0)


def test_padding_does_not_count() -> None:
    credit = torch.where(MASK, 2.0, 1e6)
    assert average_baseline(credit, MASK).item() == pytest.approx(2.0)


def test_one_episode_of_one_step_is_its_own_average() -> None:
    assert average_baseline(torch.tensor([[7.0]]), torch.tensor([[True]])).item() == 7.0


def test_differing_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        average_baseline(torch.zeros(3, 2), MASK)
