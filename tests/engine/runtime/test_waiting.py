"""Waiting and being told of it."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest

from engine.runtime.waiting import GivenUp, Wait, telling, waited, while_waiting

WAIT = Wait("Slow-v0", "step", 5.2, 10.0)


def test_a_watcher_is_told_within_its_block_and_thread_alone() -> None:
    told: list[Wait] = []
    with while_waiting(told.append):
        waited(WAIT)
        other = threading.Thread(target=waited, args=(WAIT,))
        other.start()
        other.join()
    waited(WAIT)
    assert told == [WAIT]


def test_giving_up_passes_whoever_holds_up_exceptions() -> None:
    def give_up(wait: Wait) -> None:
        raise GivenUp

    def wait() -> None:
        with suppress(Exception):
            waited(WAIT)

    with while_waiting(give_up), pytest.raises(GivenUp):
        wait()


def test_the_sentence_names_what_is_waited_for_and_until_when() -> None:
    assert WAIT.sentence == "Slow-v0 has not answered its step for 5 s; it is given up after 10 s."


def test_a_wait_that_takes_long_is_told_once_and_the_next_one_too() -> None:
    told: list[str] = []
    with while_waiting(telling(told.append)):
        for seconds in (0.1, 4.9, 5.0, 5.1, 9.0, 0.1, 5.2):
            waited(Wait("Slow-v0", "step", seconds, 60.0))
    assert (
        told
        == [
            "Slow-v0 has not answered its step for 5 s; it is given up after 60 s.",
        ]
        * 2
    )
