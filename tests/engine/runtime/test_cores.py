"""How much of the machine there is to be had."""

from __future__ import annotations

import pytest

from engine.runtime.cores import cores, keep_to
from engine.runtime.memory import free_memory, total_memory


def test_no_more_cores_are_kept_busy_than_are_there_or_than_it_was_told() -> None:
    here = cores()
    try:
        for count, found in ((1, 1), (here + 5, here), (0, 1), (None, here)):
            keep_to(count)
            assert cores() == found
    finally:
        keep_to(None)


def test_what_is_free_is_a_part_of_all() -> None:
    free = free_memory()
    if free is None:
        pytest.skip("this system does not say it")
    assert 0 <= free <= total_memory()
