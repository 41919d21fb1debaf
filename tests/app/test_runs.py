"""How what a run tells comes into the history of that run and no other, and what its controller shows of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.models.histories import Histories
from app.models.run_state import RunState
from app.session.mailbox import Mailbox
from app.session.playback_thread import PlaybackThread
from app.session.run_controller import RunController
from app.session.run_progress import Progress, Silence
from app.session.run_sentences import silence
from app.session.stops import Pace, Slow
from app.session.training_thread import TrainingThread
from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.reports.events import Change, Collected, Estimated, Heartbeat, Reweighted, Updated
from engine.runtime.waiting import LONG, Wait
from tests.app.shorthands import heard
from tests.each import each

NOTHING = np.empty(0)
COUNTS = NOTHING.astype(np.int64)


def updated(iteration: int, run: str = "a") -> Updated:
    return Updated(iteration, 100 * iteration, iteration, 0.1 * iteration, {"mean_return": 1.0}, run=run)


def collected(iteration: int, returns: list[float], run: str = "a") -> Collected:
    ends = np.arange(1, len(returns) + 1) + 100 * iteration
    return Collected(iteration, 100 * iteration, np.array(returns), np.ones(len(returns), np.int64), ends, 0.1, run=run)


# --- one history per run ----------------------------------------------------------------------------------------------


def test_every_run_has_a_history_and_what_no_longer_has_one_is_dropped() -> None:
    histories = Histories()
    a, b = histories.begin("a"), histories.begin("b")
    for event in (updated(1, "a"), updated(1, "b"), updated(2, "b"), updated(1, "c")):
        histories.add(event)
    histories.forget("a")
    histories.add(updated(2, "a"))
    assert (a.iterations, b.iterations, "a" in histories, "c" in histories) == (1, 2, False, False)


def test_a_history_takes_in_all_kinds_of_events() -> None:
    histories = Histories()
    history = histories.begin("a")
    advantages = Estimated(1, np.zeros(3, np.float32), np.zeros(3, np.float32), run="a")
    ratios = Reweighted(1, np.zeros(3, np.float32), "step", run="a")
    beat = Heartbeat("updating the policy", 7, run="a")
    for event in (collected(1, [4.0, 5.0]), advantages, ratios, updated(1), beat):
        histories.add(event)
    assert history.episode_returns.values.tolist() == [4.0, 5.0]
    assert (history.advantages, history.ratios, history.heartbeat) == (advantages, ratios, beat)
    assert (history.iterations, history.environment_steps) == (1, 7)


Controlled = tuple[RunController, Mailbox, list[str]]


@pytest.fixture
def controlled(monkeypatch: pytest.MonkeyPatch) -> Controlled:
    """A controller whose thread does not run, its mailbox, and the names of the runs that it has begun."""
    mailbox, begun = Mailbox(), []
    thread = TrainingThread(PlaybackThread(), [mailbox])
    monkeypatch.setattr(thread, "begin", lambda run, config, seeds, until: begun.append(run))
    return RunController(thread, mailbox), mailbox, begun


def start(controlled: Controlled) -> str:
    controller, _, begun = controlled
    controller.start(PolicyGradientConfig())
    controller.training.state_changed.emit(RunState.RUNNING)
    return begun[-1]


def end(controlled: Controlled) -> None:
    controlled[0].training.state_changed.emit(RunState.FINISHED)


def test_what_an_earlier_run_tells_late_does_not_enter_the_next(controlled: Controlled) -> None:
    controller, mailbox, _ = controlled
    first = start(controlled)
    end(controlled)
    second = start(controlled)
    for run in (first, second, first):
        mailbox.put(updated(1, run))
        mailbox.put(collected(1, [9.0], run))
    assert controller.collect() == {Updated, Collected}
    assert (first != second, len(controller.history.steps), len(controller.history.episode_returns)) == (True, 1, 1)


def test_what_a_run_tells_before_it_is_known_to_train_is_kept_apart_until_then(controlled: Controlled) -> None:
    controller, mailbox, begun = controlled
    last = start(controlled)
    mailbox.put(updated(1, last))
    end(controlled)
    controller.collect()
    controller.start(PolicyGradientConfig())
    mailbox.put(updated(1, begun[-1]))
    mailbox.put(updated(2, begun[-1]))
    assert (controller.collect(), controller.history.iterations) == (set(), 1)
    controller.training.state_changed.emit(RunState.RUNNING)
    assert controller.history.iterations == 2


def test_what_a_run_notes_before_it_is_shown_is_told_once_it_is(controlled: Controlled) -> None:
    controller, mailbox, begun = controlled
    told = heard(controller.log)
    controller.start(PolicyGradientConfig())
    mailbox.put(replace(updated(1, begun[-1]), note="Nothing is learned."))
    controller.collect()  # as the window does in its turn
    assert told == []
    controller._follow(RunState.RUNNING)
    assert told == [("warning", "Nothing is learned.")]


def test_of_earlier_runs_none_is_kept_but_the_ghost(controlled: Controlled) -> None:
    controller, mailbox, begun = controlled
    for _ in range(3):
        mailbox.put(updated(1, start(controlled)))
        end(controlled)
    controller.start(PolicyGradientConfig())
    controller.training.state_changed.emit(RunState.FAILED)
    assert [run in controller._histories for run in begun] == [False, True, True, False]


def test_a_ghost_that_is_cleared_while_a_run_starts_leaves_that_run_alone(controlled: Controlled) -> None:
    controller, mailbox, begun = controlled
    for _ in range(2):
        mailbox.put(updated(1, start(controlled)))
        end(controlled)
    controller.start(PolicyGradientConfig())
    mailbox.put(updated(1, begun[-1]))
    controller.set_ghost(None)
    controller.collect()
    controller.training.state_changed.emit(RunState.RUNNING)
    assert (controller.shown.run.number, controller.history.iterations, controller.ghost.run.number) == (3, 1, 2)


def test_what_a_reset_cleared_is_brought_back_and_takes_in_what_it_tells_then(controlled: Controlled) -> None:
    controller, mailbox, begun = controlled
    for _ in range(2):
        mailbox.put(updated(1, start(controlled)))
        end(controlled)
    controller.reset()
    shown, ghost = controller.last_cleared
    assert [run in controller._histories for run in begun] == [False, False]
    controller.bring_back(shown, ghost)
    assert (controller.shown, controller.ghost, controller.history.iterations) == (shown, ghost, 1)
    mailbox.put(updated(2, begun[-1]))
    controller.collect()
    assert controller.history.iterations == 2


@pytest.mark.parametrize(
    ("wish", "late", "shown"),
    [
        ("pause", [RunState.RUNNING], RunState.PAUSING),
        ("stop", [RunState.RUNNING], RunState.STOPPING),
        ("stop", [RunState.PAUSED], RunState.STOPPING),
        ("pause", [RunState.RUNNING, RunState.PAUSED], RunState.PAUSED),
        ("stop", [RunState.PAUSED, RunState.STOPPED], RunState.STOPPED),
    ],
)
def test_a_state_that_a_wish_has_overtaken_is_not_shown_any_more(
    controlled: Controlled, wish: str, late: list[RunState], shown: RunState
) -> None:
    controller = controlled[0]
    start(controlled)
    getattr(controller, wish)()
    for state in late:
        controller.training.state_changed.emit(state)
    assert controller.state is shown


def test_a_change_is_told_when_it_holds(controlled: Controlled) -> None:
    controller, mailbox, begun = controlled
    start(controlled)
    said = heard(controller.log)
    change = Change("update.learning_rate", 0.01, 0.001, 2, 100, 1, 0.1)
    mailbox.put(replace(updated(2, begun[-1]), changes=(change,)))
    controller.collect()
    assert said == [("info", "α 0.01 → 0.001, from iteration 2 on.")]


def test_what_an_update_notes_is_told(controlled: Controlled) -> None:
    controller, mailbox, begun = controlled
    start(controlled)
    said = heard(controller.log)
    mailbox.put(replace(updated(2, begun[-1]), note="Nothing is learned."))
    controller.collect()
    assert said == [("warning", "Nothing is learned.")]


def test_a_run_that_never_trains_leaves_the_last_one_shown(controlled: Controlled) -> None:
    controller, mailbox, begun = controlled
    start(controlled)
    mailbox.put(updated(1, begun[-1]))
    end(controlled)
    before = controller.history
    controller.start(PolicyGradientConfig())
    controller.training.state_changed.emit(RunState.FAILED)
    assert controller.history is before
    assert before.iterations == 1


def test_reset_shows_nothing_whatever_is_still_in_the_mail(controlled: Controlled) -> None:
    controller, mailbox, begun = controlled
    start(controlled)
    end(controlled)
    mailbox.put(updated(1, begun[-1]))
    controller.reset()
    controller.collect()
    assert controller.history.is_empty


@pytest.mark.parametrize(
    ("heartbeat", "beginning"),
    [
        (None, "CartPole-v1 has not answered for 5 s; "),
        (Heartbeat("collecting"), "CartPole-v1 has not answered for 5 s while collecting; "),
        (
            Heartbeat("fitting the value function"),
            "The run has not answered for 5 s while fitting the value function; ",
        ),
    ],
)
def test_silence_names_what_was_being_done(heartbeat: Heartbeat | None, beginning: str) -> None:
    assert silence("CartPole-v1", heartbeat).startswith(beginning)


@each(
    ("pace", "usual"), [(None, 0.0), (1.0, 1.0), (50.0, 0.02), (Slow(2.0), 0.5), (Slow(0.2), 5.0)]
)  # seconds that a run lingers at this pace, in which it is not to be taken for one that hangs
def test_a_run_that_lingers_at_its_pace_is_not_silent(
    pace: Pace, usual: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = Silence()
    quiet.end()
    for seconds, long in ((LONG + usual - 0.01, False), (LONG + usual + 0.01, True)):
        monkeypatch.setattr("app.session.run_progress.time.monotonic", lambda seconds=seconds: quiet.since + seconds)
        assert quiet.is_long(pace) == long


def test_a_run_that_falls_silent_is_told_of_once(controlled: Controlled, monkeypatch: pytest.MonkeyPatch) -> None:
    controller, mailbox, begun = controlled
    start(controlled)
    said: list[str] = []
    controller.log.connect(lambda _level, sentence: said.append(sentence))
    mailbox.put(Heartbeat("collecting", 3, run=begun[-1]))
    controller.collect()
    monkeypatch.setattr("app.session.run_progress.time.monotonic", lambda: controller._silence.since + 6.0)
    for _ in range(3):
        controller.collect()
    sentence = "CartPole-v1 has not answered for 5 s while collecting"
    assert [words.partition(";")[0] for words in said] == [sentence]
    mailbox.put(Heartbeat("collecting", 4, run=begun[-1]))
    for _ in range(2):  # it was heard, and falls silent again
        controller.collect()
    assert [words.partition(";")[0] for words in said] == [sentence, sentence]


def test_a_run_that_takes_long_to_start_is_told_of_once(
    controlled: Controlled, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller = controlled[0]
    said = heard(controller.log)
    controller.start(PolicyGradientConfig())
    controller.collect()
    assert said == []
    monkeypatch.setattr("app.session.run_progress.time.monotonic", lambda: controller._silence.since + 6.0)
    for _ in range(2):
        controller.collect()
    loading = ("warning", "The learning engine is still being loaded; the run starts once it is there.")
    assert said == [loading]
    controller.training.loading = controller._silence.told = False
    controller.stop()
    controller.collect()
    assert said[1][1].startswith("CartPole-v1 is not ready after 5 s; ")


@pytest.mark.parametrize(
    ("seconds", "sentence"),
    [
        (5.5, "Slow-v0 has not answered its making for 6 s; it is given up after 60 s. Stop ends the wait at once."),
        (1.0, "CartPole-v1 is not ready after 5 s. Stop ends the wait at once."),  # its process has only begun
    ],
)
def test_while_a_process_is_waited_for_stop_is_pointed_at(
    controlled: Controlled, monkeypatch: pytest.MonkeyPatch, seconds: float, sentence: str
) -> None:
    controller = controlled[0]
    said = heard(controller.log)
    controller.training.loading = False
    controller.start(PolicyGradientConfig())
    controller.training._waiting.tell(Wait("Slow-v0", "making", seconds, 60.0))
    controller.collect()
    assert said == []
    monkeypatch.setattr(controller._silence, "since", controller._silence.since - 5.1)
    controller.collect()
    assert said == [("warning", sentence)]


def test_what_arrives_with_a_change_of_state_is_news_all_the_same(controlled: Controlled) -> None:
    controller, mailbox, begun = controlled
    start(controlled)
    mailbox.put(updated(1, begun[-1]))
    controller.training.state_changed.emit(RunState.RUNNING)  # as when a paused run goes on
    assert controller.history.iterations == 1
    assert controller.collect() == {Updated}
    assert controller.collect() == set()


def test_a_length_that_is_changed_while_the_run_starts_is_that_runs(controlled: Controlled) -> None:
    controller = controlled[0]
    start(controlled)
    end(controlled)
    controller.start(PolicyGradientConfig())
    controller.change("budget.environment_steps", 12_345)
    assert controller.progress().budget == 12_345
    controller.training.state_changed.emit(RunState.RUNNING)
    assert controller.progress().budget == 12_345


def test_the_progress_is_that_of_the_run_whose_state_is_told(controlled: Controlled) -> None:
    controller, mailbox, begun = controlled
    start(controlled)
    mailbox.put(updated(1, begun[-1]))
    end(controlled)
    done = controller.progress()
    assert done.steps > 0
    none = Progress(0, 777, None, None)
    short = with_values(PolicyGradientConfig(), {"budget.environment_steps": 777})
    controller.start(short)
    assert controller.progress() == none  # of what is starting
    controller.training.state_changed.emit(RunState.FAILED)  # before it began: what is on screen stays
    assert controller.progress() == none
    assert controller.history.iterations == 1
    controller.start(short)
    controller.training.state_changed.emit(RunState.STOPPED)  # before it began: as if it had never been asked for
    assert (controller.progress(), controller.state) == (done, RunState.FINISHED)
    start(controlled)
    assert controller.progress().budget == done.budget
