"""How what runs tell comes to the window by mail: nothing that is counted is lost, and nothing piles up."""

from __future__ import annotations

import numpy as np

from app.models.histories import Histories
from app.session.mailbox import Mailbox
from engine.reports.events import Collected, Event, Heartbeat, Reweighted
from tests.app.test_runs import COUNTS, NOTHING, collected, updated


def mail(*events: Event) -> list[Event]:
    mailbox = Mailbox()
    for event in events:
        mailbox.put(event)
    return mailbox.take().events


def test_numbers_are_never_lost() -> None:
    events = [collected(1, [1.0]), updated(1), collected(2, [2.0]), updated(2)]
    assert mail(*events) == events


def test_of_ratios_the_newest_wins_in_each_run() -> None:
    ratios = [Reweighted(i, NOTHING.astype(np.float32), "step", run=run) for i in (1, 2) for run in ("a", "b")]
    assert mail(*ratios) == ratios[2:]


def test_what_is_taken_is_gone() -> None:
    mailbox = Mailbox()
    mailbox.put(updated(1))
    mailbox.take()
    assert mailbox.take().events == []


def test_iterations_without_episodes_do_not_pile_up_but_their_steps_count() -> None:
    events = mail(*(Collected(i, 64 * i, NOTHING, COUNTS, COUNTS, 0.1, run="a") for i in range(1, 9)))
    histories = Histories()
    history = histories.begin("a")
    for event in events:
        histories.add(event)
    assert (len(events), history.environment_steps) == (1, 512)


def test_steps_do_not_go_back_where_an_iteration_without_episodes_is_followed_by_others() -> None:
    histories = Histories()
    history = histories.begin("a")
    for event in mail(collected(1, []), updated(1), collected(2, [3.0]), updated(2)):
        histories.add(event)
    assert history.environment_steps == 200


def test_a_heartbeat_says_what_is_done_until_something_else_is_told() -> None:
    beat = Heartbeat("collecting", 5, run="a")
    assert mail(updated(1), beat) == [updated(1), beat]
    assert mail(beat, updated(1)) == [updated(1)]
