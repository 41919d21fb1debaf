"""How torch computes where a run is trained."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from engine.runtime.threads import compute_on_one_thread


def smallest_tenth() -> float:
    return (torch.full((64,), 1e-38) * 0.1).max().item()


@pytest.mark.skipif(not torch.set_flush_denormal(False), reason="this processor has no such mode")
def test_what_takes_processors_long_is_taken_for_0_in_the_thread_that_trains_and_nowhere_else() -> None:
    def trains() -> float:
        compute_on_one_thread()
        return smallest_tenth()

    torch.set_flush_denormal(False)  # where another test has trained in this thread
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(trains).result() == 0.0
    assert smallest_tenth() > 0.0
