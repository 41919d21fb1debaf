"""A watched episode keeps its time."""

from __future__ import annotations

import pytest

from app.session.playback_pace import MOST_LATE, MOST_PICTURES, MOST_WHILE_LEARNING, Achieved, Pace


def begun(now: float = 100.0) -> Pace:
    pace = Pace()
    pace.due = now
    return pace


@pytest.mark.parametrize(("rate", "steps"), [(4.0, 1), (30.0, 1), (50.0, 2), (400.0, 14)])
def test_fast_episodes_take_the_same_number_of_steps_for_every_picture(rate: float, steps: int) -> None:
    assert begun().steps(rate, 100.0) == steps


def test_deadlines_do_not_drift_with_late_awakenings() -> None:
    pace = begun()
    for _ in range(10):
        pace.steps(10.0, pace.due + 0.009)
    assert pace.due == pytest.approx(101.0)


def test_late_steps_are_taken_along_without_a_picture() -> None:
    assert begun().steps(20.0, 100.11) == 3


def test_more_time_lost_than_can_be_made_up_for_is_let_go() -> None:
    pace = begun()
    now = 100.0 + MOST_LATE + 0.01
    assert (pace.steps(20.0, now), pace.due) == (1, pytest.approx(now + 0.05))


@pytest.mark.parametrize("most", [MOST_PICTURES, MOST_WHILE_LEARNING])
def test_pictures_never_exceed_the_most_there_may_be(most: float) -> None:
    pace, now, pictures = begun(), 100.0, 0
    while now < 110.0:
        pace.steps(77.0, now, most)
        now, pictures = pace.due, pictures + 1
    assert pictures / 10.0 <= most


def test_a_hold_delays_the_next_step() -> None:
    pace = begun()
    pace.hold(0.6, 100.0)
    assert pace.due == pytest.approx(100.6)


def worked(seconds_each: float, steps: int) -> Achieved:
    achieved = Achieved()
    for _ in range(steps):
        achieved.took(1, seconds_each)
    return achieved


def test_an_environment_that_is_too_slow_is_known_by_its_rate():
    assert worked(0.25, 20).below(30.0) == pytest.approx(4.0)


@pytest.mark.parametrize(("seconds_each", "steps"), [(0.25, 3), (0.03, 100), (0.001, 5000)])
def test_no_rate_is_told_too_early_nor_where_it_is_about_as_wished(seconds_each: float, steps: int):
    assert worked(seconds_each, steps).below(30.0) is None


def test_one_slow_step_is_soon_forgotten():
    achieved = worked(5.0, 1)
    for _ in range(200):
        achieved.took(1, 0.02)
    assert achieved.below(30.0) is None
