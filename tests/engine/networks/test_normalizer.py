"""Observations in units of their own spread, against numpy over everything seen at once."""

from __future__ import annotations

import numpy as np
import torch

from engine.networks.normalizer import MOST, Normalizer, merged


def test_before_the_first_update_nothing_is_changed() -> None:
    observations = torch.tensor([[1.0, -2.0]])
    assert torch.allclose(Normalizer(2)(observations), observations)


def test_the_moments_are_those_of_all_observations_so_far() -> None:
    generator = np.random.default_rng(0)
    batches = [generator.normal(5.0, 3.0, (count, 2)).astype(np.float32) for count in (3, 50, 1, 700)]
    normalizer = Normalizer(2)
    for batch in batches:
        normalizer.update(torch.from_numpy(batch))
    everything = np.concatenate(batches)
    assert np.allclose(normalizer.mean.numpy(), everything.mean(0), rtol=1e-5)
    assert np.allclose(normalizer.variance.numpy(), everything.var(0), rtol=1e-5)
    scaled = normalizer(torch.from_numpy(everything)).numpy()
    assert np.allclose(scaled, (everything - everything.mean(0)) / everything.std(0), atol=1e-4)


def test_far_off_values_are_cut_and_constant_components_stay_finite() -> None:
    normalizer = Normalizer(2)
    normalizer.update(torch.tensor([[1.0, 7.0], [-1.0, 7.0]]))
    assert normalizer(torch.tensor([[1e9, 7.0]])).tolist() == [[MOST, 0.0]]
    assert normalizer(torch.tensor([[-1e9, 8.0]])).tolist() == [[-MOST, MOST]]


def test_what_is_always_the_same_is_0_however_large_and_however_many_batches() -> None:
    constants = torch.tensor([12345.678, -1e-3, 9.9e6, 1e-30, 1e30])
    normalizer = Normalizer(5)
    for count in (3, 1000, 1, 777):
        normalizer.update(constants.expand(count, 5))
    assert normalizer(constants.unsqueeze(0)).tolist() == [[0.0] * 5]


def test_a_small_spread_around_a_large_mean_is_1() -> None:
    generator = np.random.default_rng(0)
    normalizer = Normalizer(1)
    for _ in range(50):
        normalizer.update(torch.from_numpy((1e6 + generator.normal(0.0, 1.0, (200, 1))).astype(np.float32)))
    assert float(normalizer.mean_rest) != 0.0
    scaled = normalizer(torch.from_numpy((1e6 + generator.normal(0.0, 1.0, (20_000, 1))).astype(np.float32)))
    assert abs(scaled.mean().item()) < 0.06  # a step of float32 there is 0.06
    assert abs(scaled.std().item() - 1.0) < 0.03


def test_moments_go_on_from_a_state_as_if_nothing_had_been() -> None:
    seen = torch.randn(300, 2, generator=torch.Generator().manual_seed(0)) + 1e5
    one, other = Normalizer(2), Normalizer(2)
    one.update(seen[:200])
    other.load(one.state())
    for normalizer in (one, other):
        normalizer.update(seen[200:])
    assert torch.equal(one(seen), other(seen))


def test_merging_does_not_depend_on_the_order() -> None:
    one = (torch.tensor(1.0), torch.tensor(2.0), torch.tensor(3.0))
    other = (torch.tensor(-4.0), torch.tensor(0.5), torch.tensor(5.0))
    for found, expected in zip(merged(one, other), merged(other, one), strict=True):
        assert torch.allclose(found, expected)
