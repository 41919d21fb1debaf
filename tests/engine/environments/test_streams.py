"""Streams of random numbers: numpy's generators drawn ahead, and the hashed counters of devices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from engine.environments.batches.streams import AHEAD, Counters, Generators, splitmix
from engine.environments.dynamics.interface import NUMPY, torch_backend

BACKENDS = {"numpy": NUMPY, "torch": torch_backend(torch.device("cpu"))}
_WORD = (1 << 64) - 1


def test_numbers_drawn_ahead_are_those_drawn_one_by_one() -> None:
    """Whoever draws how many, and whatever is left over of a block."""
    seeds, generator = [3, 4, 5], np.random.default_rng(0)
    streams, theirs = Generators(seeds), [np.random.default_rng(seed) for seed in seeds]
    for _ in range(6 * AHEAD):
        count, kind = int(generator.integers(1, 6)), generator.integers(3)
        wanted = generator.random(3) < 0.4
        if kind == 0:
            drawn, wanted = streams.draw(count), np.ones(3, np.bool_)
        elif kind == 1:
            drawn = np.zeros((count, 3))
            drawn[:, wanted] = streams.draw_for(count, np.flatnonzero(wanted))
        else:
            drawn = streams.draw_where(count, wanted)
        for index in np.flatnonzero(wanted):
            assert drawn[:, index].tolist() == theirs[index].random(count).tolist()


def by_hand(state: int, count: int) -> list[int]:
    """SplitMix64 with whole numbers of any size, one state after the other."""
    bits = []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & _WORD
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _WORD
        bits.append(mixed ^ (mixed >> 31))
    return bits


@pytest.mark.parametrize("backend", BACKENDS.values(), ids=BACKENDS)
def test_the_hash_is_splitmix64(backend: Any) -> None:
    def whole(values: list[int]) -> Any:
        return backend.xp.asarray(values, dtype=backend.xp.int64)

    assert by_hand(1234567, 2) == [6457827717110365317, 3203168211198807973]
    for state in (0, 1, 1234567, (1 << 63) - 1):
        found = splitmix(whole([state] * 40), whole(list(range(1, 41))))
        assert [bits & _WORD for bits in found.tolist()] == by_hand(state, 40)


@pytest.mark.parametrize("backend", BACKENDS.values(), ids=BACKENDS)
def test_a_counter_goes_through_its_stream_without_gaps(backend: Any) -> None:
    streams = Counters([7, 8], backend)
    wanted = backend.xp.asarray([False, True])
    first = [streams.draw(2), streams.draw(1)]
    idle = streams.draw_where(3, wanted)
    then = streams.draw(3)
    key = by_hand(7, 1)[0]
    numbers = [(bits >> 11) * 2.0**-53 for bits in by_hand(key, 6)]
    assert [*first[0][:, 0].tolist(), *first[1][:, 0].tolist(), *then[:, 0].tolist()] == numbers
    assert idle[:, 0].tolist() == numbers[3:]
    key = by_hand(8, 1)[0]
    numbers = [(bits >> 11) * 2.0**-53 for bits in by_hand(key, 9)]
    drawn = [first[0], first[1], idle, then]
    assert [number for part in drawn for number in part[:, 1].tolist()] == numbers


@pytest.mark.parametrize("seed", [-1, 1 << 64, 123456789123456789123456789])
def test_any_whole_number_is_a_seed(seed: int) -> None:
    assert Counters([seed], NUMPY).draw(2).tolist() == Counters([seed % (1 << 64)], NUMPY).draw(2).tolist()


SEEDS = {"neighbouring": range(4096), "spread": np.random.default_rng(0).integers(1 << 32, size=4096).tolist()}


@pytest.mark.parametrize("seeds", SEEDS.values(), ids=SEEDS)
def test_numbers_are_uniform_and_independent_across_environments_and_time(seeds: Any) -> None:
    """Each test statistic would be as extreme as this once in ten thousand times by chance."""
    streams = Counters(seeds, NUMPY)
    numbers = np.concatenate([streams.draw(64) for _ in range(4)])
    assert numbers.min() >= 0.0
    assert numbers.max() < 1.0
    for part in (numbers, numbers[0], numbers[:, 0], numbers[:, 1000]):
        assert stats.kstest(part.reshape(-1), "uniform").pvalue > 1e-4
    neighbours = {
        "seeds": (numbers[:, 1:], numbers[:, :-1]),
        "steps": (numbers[1:], numbers[:-1]),
        "both": (numbers[1:, 1:], numbers[:-1, :-1]),
        "far": (numbers[:, 2048:], numbers[:, :2048]),
    }
    for one, other in neighbours.values():
        cells, *_ = np.histogram2d(one.reshape(-1), other.reshape(-1), 16, [[0, 1], [0, 1]])
        assert stats.chisquare(cells.reshape(-1)).pvalue > 1e-4
    for bit in (1, 2, 8, 20):  # in single digits of the numbers, too
        odd = int((numbers * 2.0**bit).astype(np.int64).__and__(1).sum())
        assert stats.binomtest(odd, numbers.size).pvalue > 1e-4
    assert len(np.unique(numbers)) == numbers.size


def test_in_single_precision_numbers_stay_below_one() -> None:
    backend = BACKENDS["torch"]
    single = type(backend)(backend.xp, torch.float32, backend.device, backend.take)
    streams = Counters(range(2000), single)
    numbers = streams.draw(100)
    assert numbers.dtype == torch.float32
    assert float(numbers.max()) < 1.0
    assert torch.equal(numbers, (Counters(range(2000), backend).draw(100) * 2**24).floor().float() * 2.0**-24)
