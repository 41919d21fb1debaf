"""The histogram of one batch, as numbers."""

from __future__ import annotations

import numpy as np
import pytest

from app.plotting.histogram import bounds, histogram


def test_no_bin_of_a_histogram_mixes_signs() -> None:
    bars = histogram(np.array([-0.1, 0.1]), (-7.0, 13.0))
    assert 0.0 in bars.edges


def test_equal_advantages_have_no_spread():
    bars = histogram(np.full(37, 68.2, np.float32), (0.0, 100.0))
    assert (bars.mean, bars.std) == (pytest.approx(68.2), 0.0)


@pytest.mark.parametrize("size", [1e10, 2.3e20, 3e37])
def test_large_advantages_have_a_mean_and_a_spread(size: float) -> None:
    values = np.linspace(-size, 3.0 * size, 101).astype(np.float32)
    bars = histogram(values, bounds(values))
    assert bars.mean == pytest.approx(size, rel=1e-5)
    assert bars.std == pytest.approx(size * np.linspace(-1.0, 3.0, 101).std(), rel=1e-5)
    assert float(bars.shares.sum()) == pytest.approx(1.0)


def test_a_histogram_counts_every_value_once() -> None:
    bars = histogram(np.array([-1.0, 0.0, 0.2, 5.0]), (-2.0, 6.0), bins=8)
    np.testing.assert_allclose(bars.shares, [0, 0.25, 0.5, 0, 0, 0, 0, 0.25])
