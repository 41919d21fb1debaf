"""The thread that trains: what it is asked, what it tells its readers, and how it survives whatever a run does."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gymnasium
import pytest
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.session.mailbox import Mailbox
from app.session.playback_thread import PlaybackThread
from app.session.training_thread import TrainingThread
from app.window.main_window import MainWindow
from engine.analysis.playback import PolicySnapshot
from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.reports.events import Asked, Event, Heartbeat, NoAction, Solved, Updated
from engine.runs.library import ITERATIONS, Library
from engine.runs.records import RunRecord, Status
from engine.runs.resuming import resume
from engine.runtime.errors import RequestError
from engine.runtime.waiting import Wait, waited
from tests.app.shorthands import heard
from tests.engine.support import Bandit, register


@pytest.fixture
def asked_first(qtbot: QtBot) -> Iterator[TrainingThread]:
    """A thread that has been asked for a short run, and for whatever the test adds, before it starts."""
    thread = TrainingThread(PlaybackThread(), [Mailbox()])
    thread.begin("mine", with_values(PolicyGradientConfig(), {"budget.environment_steps": 400, "device": "cpu"}))
    yield thread
    thread.ask("quit")
    assert thread.wait(20_000)


def test_a_run_that_is_stopped_while_it_starts_never_trains(qtbot: QtBot, asked_first: TrainingThread) -> None:
    asked_first.ask("stop")
    states = heard(asked_first.state_changed)
    asked_first.start()
    qtbot.waitUntil(lambda: RunState.STOPPED in states, timeout=20_000)
    assert states == [RunState.STOPPED]


def test_garbage_is_collected_once_all_is_loaded_and_what_is_made_later_may_go(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    for name in ("disable", "freeze", "enable"):
        monkeypatch.setattr(gc, name, lambda name=name: done.append(name))
    frozen = iter((0, 1000))  # at first nothing, then all that the first window is made of
    monkeypatch.setattr(gc, "get_freeze_count", lambda: next(frozen))
    for _ in range(2):
        thread = TrainingThread(PlaybackThread(), [])
        with qtbot.waitSignal(thread.ready, timeout=20_000):
            thread.start()
        thread.ask("quit")
        assert thread.wait(20_000)
    assert done == ["disable", "freeze", "enable", "disable", "enable"]


def test_a_run_that_has_ended_leaves_its_last_policy_to_be_watched(qtbot: QtBot, asked_first: TrainingThread) -> None:
    states = heard(asked_first.state_changed)
    asked_first.start()
    qtbot.waitUntil(lambda: RunState.FINISHED in states, timeout=20_000)
    updates = [event for event in asked_first._readers[0].take().scalars if isinstance(event, Updated)]
    assert asked_first._playback._choice.newest.iteration == len(updates) > 0


def test_what_cannot_change_while_training_is_refused_in_a_sentence(qtbot: QtBot, asked_first: TrainingThread) -> None:
    said, states = heard(asked_first.log), heard(asked_first.state_changed)
    asked_first.ask("change", ("policy.hidden_sizes", (8,)))
    asked_first.start()
    qtbot.waitUntil(lambda: RunState.FINISHED in states, timeout=20_000)
    assert ("error", "policy.hidden_sizes cannot change while training; stop the run to change it.") in said


def test_whoever_watches_is_offered_policies_before_they_are_much_newer_but_not_every_one(
    qtbot: QtBot, asked_first: TrainingThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: list[tuple[int, float | None, bool]] = []
    playback = asked_first._playback
    offer = playback.offer

    def note(taken: PolicySnapshot, *, new_run: bool = False, final: bool = False) -> None:
        offered.append((taken.iteration, taken.mean_return, final))
        offer(taken, new_run=new_run, final=final)

    monkeypatch.setattr(playback, "offer", note)
    monkeypatch.setattr("app.session.playback_choice.SNAPSHOT_EVERY", 60.0)
    playback.set_wanted(True)
    states = heard(asked_first.state_changed)
    asked_first.start()
    qtbot.waitUntil(lambda: RunState.FINISHED in states, timeout=20_000)
    updates = [event for event in asked_first._readers[0].take().scalars if isinstance(event, Updated)]
    last = len(updates)
    doubled = [2**power - 1 for power in range(last) if 2**power <= last + 1]
    assert [iteration for iteration, _, _ in offered] == [*doubled, last]
    assert [mean for _, mean, _ in offered[1:]] == [
        updates[at - 1].metrics["mean_return"] for at in (*doubled[1:], last)
    ]
    assert [final for *_, final in offered] == [False] * len(doubled) + [True]


@pytest.mark.parametrize("late", [[], ["start"]])
@pytest.mark.parametrize("end", ["stop", "quit"])
def test_a_run_whose_process_does_not_answer_ends_at_once(
    qtbot: QtBot, asked_first: TrainingThread, monkeypatch: pytest.MonkeyPatch, end: str, late: list[str]
) -> None:
    begun: list[int] = []

    def hangs(*_: object, **__: object) -> None:
        begun.append(1)
        if len(begun) > 1:
            raise RequestError("This is the next run.")
        for tenth in range(1000):
            waited(Wait("Slow-v0", "making", tenth / 10.0, 60.0))
            time.sleep(0.01)

    monkeypatch.setattr("engine.training.training.Training", hangs)
    said, states = heard(asked_first.log), heard(asked_first.state_changed)
    asked_first.start()
    qtbot.waitUntil(lambda: bool(begun), timeout=20_000)
    asked_first.ask("change", ("seed", 3))
    asked_first.ask(end)
    for _ in late:
        asked_first.begin("next", PolicyGradientConfig())
    qtbot.waitUntil(lambda: len(states) > 0, timeout=1000)
    assert (states[0], said[0]) == (RunState.STOPPED, ("info", "Stopped before it began."))
    if end == "quit":
        assert asked_first.wait(1000)
    elif late:
        qtbot.waitUntil(lambda: len(states) == 2, timeout=1000)
        assert said[1] == ("error", "This is the next run.")


class _Unspeakable(BaseException):
    """What no handler of ``Exception`` holds, and what cannot even be printed."""

    def __str__(self) -> str:
        raise self

    __repr__ = __str__


@pytest.mark.parametrize("error", [asyncio.CancelledError(), GeneratorExit(), _Unspeakable(), KeyboardInterrupt()])
def test_whatever_is_raised_ends_the_run_alone(
    qtbot: QtBot,
    asked_first: TrainingThread,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
) -> None:
    begun: list[int] = []

    def raises(*_: object, **__: object) -> None:
        begun.append(1)
        raise error if len(begun) == 1 else RequestError("This is the next run.")

    monkeypatch.setattr("engine.training.training.Training", raises)
    said, states = heard(asked_first.log), heard(asked_first.state_changed)
    asked_first.start()
    asked_first.begin("next", PolicyGradientConfig())
    qtbot.waitUntil(lambda: len(states) == 2, timeout=20_000)
    assert said == [
        ("error", f"The run failed unexpectedly: {type(error).__name__}."),
        ("error", "This is the next run."),
    ]
    assert type(error).__name__ in capsys.readouterr().err


# --- other readers ----------------------------------------------------------------------------------------------------


class _Recorder:
    """Keeps all that it is told."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def put(self, event: Event) -> None:
        self.events.append(event)


def test_a_second_reader_is_told_all_that_the_window_is(qtbot: QtBot) -> None:
    mailbox, recorder, playback = Mailbox(), _Recorder(), PlaybackThread()
    thread = TrainingThread(playback, [mailbox, recorder])
    thread.start()
    config = with_values(PolicyGradientConfig(), {"budget.environment_steps": 400, "device": "cpu"})
    with qtbot.waitSignal(thread.state_changed, timeout=20_000, check_params_cb=lambda s: s is RunState.FINISHED):
        thread.begin("mine", config)
    thread.ask("quit")
    assert thread.wait(5000)
    assert {event.run for event in recorder.events} == {"mine"}
    scalars = [event for event in recorder.events if isinstance(event, Updated)]
    assert scalars == [event for event in mailbox.take().scalars if isinstance(event, Updated)]
    assert len(scalars) > 0


def test_a_run_of_the_window_is_recorded_under_its_own_name_and_has_its_number_from_the_library(
    make_window: Callable[..., MainWindow], reach: Callable[..., None], library_place: Path
) -> None:
    with Library(library_place) as library:
        library.begin(RunRecord("earlier", 0, PolicyGradientConfig().model_dump(mode="json"), Status.FINISHED, 1.0))
        window = make_window(budget__environment_steps=600)
        window.step()
        reach(window, RunState.PAUSED)
        shown = window.controller.shown.run
        assert window.training.recording.record.id == shown.id
        assert shown.number == window.training.recording.record.number == 2
        window.controller.stop()
        reach(window, RunState.STOPPED)
        assert library.run(shown.id).status is Status.STOPPED
        window.start()
        reach(window, RunState.FINISHED)
        assert library.run(shown.id).status is Status.FINISHED
        steps = library.series(shown.id, ITERATIONS)["environment_steps"]
    assert list(steps) == list(window.controller.history.steps.values)
    assert steps[-1] >= 600


@pytest.mark.parametrize("left", ["closed", "superseded"])
def test_a_run_that_is_left_in_the_middle_of_an_iteration_is_saved_at_its_end(
    make_window: Callable[..., MainWindow], reach: Callable[..., None], library_place: Path, qtbot: QtBot, left: str
) -> None:
    window = make_window()
    thread, events = window.training, list[Event]()

    def put(event: Event) -> None:
        events.append(event)
        if isinstance(event, Heartbeat) and any(isinstance(each, Updated) for each in events):
            thread.ask("quit" if left == "closed" else "stop")

    window.training._readers += (type("Reader", (), {"put": lambda _, event: put(event)})(),)
    window.start()
    if left == "superseded":
        reach(window, RunState.STOPPED)
        window.training._readers = window.training._readers[:1]
        window.experiment.set_value("seed", 5)
        window.start()
        reach(window, RunState.RUNNING)
    else:
        qtbot.waitUntil(thread.isFinished, timeout=20_000)
    with Library(library_place) as library:
        record = library.find("1")
        last = library.checkpoints(record.id)[0]
        assert last.iteration == record.reached.iteration >= 2
        assert record.status is (Status.INTERRUPTED if left == "closed" else Status.STOPPED)
    said = f"Run 1 is saved after {last.environment_steps:,} steps, from where it can go on."
    assert thread.recording.saved == (said if left == "closed" else "")


class _Breaks(_Recorder):
    """Keeps all that it is told, and fails at the third event."""

    def put(self, event: Event) -> None:
        super().put(event)
        if len(self.events) == 3:
            raise OSError("the disk is full")


def test_a_reader_that_fails_is_told_no_more_and_the_run_goes_on(
    make_window: Callable[..., MainWindow], reach: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    window = make_window(budget__environment_steps=600)
    breaks, recorder = _Breaks(), _Recorder()
    window.training._readers += (breaks, recorder)
    window.start()
    reach(window, RunState.FINISHED)
    assert len(breaks.events) == 3 < len(recorder.events)
    assert isinstance(recorder.events[-1], Updated)
    assert recorder.events[-1].environment_steps >= 600
    assert "The plots no longer follow this run, which goes on: OSError: the disk is full." in window.log.text
    assert "the disk is full" in capsys.readouterr().err


def test_two_runs_of_a_window_have_names_of_their_own(
    make_window: Callable[..., MainWindow], reach: Callable[..., None]
) -> None:
    window = make_window(budget__environment_steps=300)
    told: list[str] = []
    window.training._readers += (type("Reader", (), {"put": lambda _, event: told.append(event.run)})(),)
    for _ in range(2):
        window.start()
        reach(window, RunState.FINISHED)
    assert len(set(told)) == 2
    assert "" not in told


@pytest.mark.parametrize("end", ["pause", "stop"])
def test_what_an_iteration_solves_is_told_before_the_run_waits_or_ends(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    id = register("SolvedAtOnce-v0", Bandit)
    gymnasium.spec(id).reward_threshold = 0.0
    settings = {"environment.id": id, "policy": "tabular", "collection.episodes_per_update": 100, "device": "cpu"}
    mailbox = Mailbox()
    thread = TrainingThread(PlaybackThread(), [mailbox])
    told, states = list[type[Event]](), heard(thread.state_changed)

    def put(event: Event) -> None:
        told.append(type(event))
        if isinstance(event, Updated) and end == "stop":
            thread.ask("stop")

    monkeypatch.setattr(mailbox, "put", put)
    thread.begin("mine", with_values(PolicyGradientConfig(), settings), until="iteration" if end == "pause" else None)
    thread.start()
    waited_for = RunState.PAUSED if end == "pause" else RunState.STOPPED
    qtbot.waitUntil(lambda: waited_for in states, timeout=20_000)
    assert told[-2:] == [Updated, Solved]
    thread.ask("quit")
    assert thread.wait(20_000)


def test_a_run_waits_for_a_persons_answers_and_one_that_walks_away_comes_back_to_the_rest(
    qtbot: QtBot, tmp_path: Path
) -> None:
    values = {"imitation.teacher": "person", "update.labels": 3, "device": "cpu", "environment.time_limit": 9}
    config = with_values(PolicyGradientConfig(), {"update": "dagger", "evaluation.episodes": 1} | values)
    recorder = _Recorder()
    thread = TrainingThread(PlaybackThread(), [recorder], tmp_path)
    thread.start()

    def asked(round_: int) -> Asked | None:
        found = (event for event in recorder.events if isinstance(event, Asked) and event.round == round_)
        return next(found, None)

    thread.begin("mine", config)
    qtbot.waitUntil(lambda: asked(1) is not None, timeout=20_000)
    first = asked(1)
    assert first is not None
    for question in first.questions:
        thread.ask("answer", (question.number, 1))
    qtbot.waitUntil(lambda: asked(2) is not None, timeout=20_000)
    second = asked(2)
    assert second is not None
    thread.ask("answer", (second.questions[0].number, NoAction.UNKNOWN))
    with qtbot.waitSignal(thread.state_changed, timeout=20_000, check_params_cb=lambda s: s is RunState.STOPPED):
        thread.ask("stop after")
    thread.ask("quit")
    assert thread.wait(20_000)
    with Library(tmp_path) as library:
        training = resume(library, library.find("1"))
        again = next(event for event in training if isinstance(event, Asked))
        assert [each.number for each in again.questions] == [each.number for each in second.questions[1:]]
        training.close()
