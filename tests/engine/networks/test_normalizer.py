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


def test_merging_does_not_depend_on_the_order() -> None:
    one = (torch.tensor(1.0), torch.tensor(2.0), torch.tensor(3.0))
    other = (torch.tensor(-4.0), torch.tensor(0.5), torch.tensor(5.0))
    for found, expected in zip(merged(one, other), merged(other, one), strict=True):
        assert torch.allclose(found, expected)
