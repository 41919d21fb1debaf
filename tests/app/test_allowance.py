"""What the window may draw while something learns."""

from __future__ import annotations

import time

import pytest

from app.session.allowance import OWED, SAVED, SHARE, Allowance


class Clock:
    """What a thread has used of the time that has passed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = self.used = 0.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(time, "thread_time", lambda: self.used)

    def spend(self, used: float, passed: float) -> None:
        self.used += used
        self.now += passed


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.mark.parametrize(("share", "left"), [(0.9 * SHARE, True), (1.1 * SHARE, False)])
def test_in_the_long_run_no_more_than_its_share_is_left(clock: Clock, share: float, left: bool) -> None:
    allowance = Allowance()
    for _ in range(10_000):
        clock.spend(share * 0.04, 0.04)
        allowance.is_left()
    assert allowance.is_left() is left


def test_a_run_that_is_over_in_a_moment_has_all_that_is_saved(clock: Clock) -> None:
    allowance = Allowance()
    clock.spend(0.99 * SAVED, 0.2)
    assert allowance.is_left()
    clock.spend(0.2 * SAVED, 0.1)
    assert not allowance.is_left()
    allowance.renew()
    assert allowance.is_left()


def test_rest_saves_no_more_than_that_and_long_work_owes_little(clock: Clock) -> None:
    allowance = Allowance()
    clock.spend(0.0, 3600.0)
    assert allowance.is_left()
    clock.spend(5.0, 5.0)  # as when a person drags a plot about
    assert not allowance.is_left()
    clock.spend(0.0, 1.01 * OWED / SHARE)
    assert allowance.is_left()
