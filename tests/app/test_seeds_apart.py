"""Seeds that are trained each by itself, the first in the window: shown, ordered about and gone on with."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

import pytest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.models.runs import Run
from app.panels.returns import ReturnsPanel
from app.session.run_sentences import KEEPS
from app.session.seed_following import ELSEWHERE
from app.window.main_window import MainWindow
from app.window.run_chips import in_short
from app.window.run_list import RUN_ROLE
from engine.runs.executors.interface import Ended, Job, Order
from engine.runs.executors.orders import Orders
from engine.runs.executors.work import work
from engine.runs.library import ITERATIONS, Library
from engine.runs.place import library_folder
from engine.runs.records import Status
from tests.app.shorthands import heard

Make = Callable[..., MainWindow]
Reach = Callable[..., None]

GRU = {
    "collection": "fixed-length",
    "collection.environments": 2,
    "collection.steps": 16,
    "policy": "gru",
    "policy.hidden_size": 4,
    "update": "ppo-clip",
    "device": "cpu",
    "budget.environment_steps": 10_000_000,
}
PATIENCE = 20_000  # ms: other tests may hold the cores


class OneThread:
    """An executor that trains one job at a time, on a thread of this process."""

    def __init__(self, _workers: int, tell: Callable[[str], object]) -> None:
        self._tell = tell
        self._jobs: deque[Job] = deque()
        self._under_way: tuple[Job, Orders, threading.Thread] | None = None
        self._told: dict[str, list[Order]] = {}
        self._ended: list[Ended] = []

    @property
    def waiting(self) -> dict[str, str]:
        return dict.fromkeys((job.id for job in self._jobs), "a core")

    def start(self, job: Job) -> None:
        self._jobs.append(job)
        self._begin()

    def _begin(self) -> None:
        if self._under_way is not None or not self._jobs:
            return
        job, orders = self._jobs.popleft(), Orders()
        for order in self._told.pop(job.id, []):
            orders.put(order)

        def train() -> None:
            ended = work(job, orders, self._tell)
            self._under_way = None
            self._ended.append(ended)

        thread = threading.Thread(target=train)
        self._under_way = job, orders, thread
        thread.start()

    def order(self, run: str, order: Order) -> None:
        waits = next((job for job in self._jobs if job.id == run), None)
        if waits is not None and order is Order.STOP:
            self._jobs.remove(waits)
            self._ended.append(Ended(run, Status.STOPPED))
        elif waits is not None:
            self._told.setdefault(run, []).append(order)
        elif (under_way := self._under_way) is not None and under_way[0].id == run:
            under_way[1].put(order)

    def poll(self, seconds: float) -> Sequence[Ended]:
        time.sleep(0.01 if seconds else 0.0)
        ended, self._ended = self._ended, []
        self._begin()
        return ended

    def close(self) -> None:
        if (under_way := self._under_way) is not None:
            under_way[1].interrupt()
            under_way[2].join()


@pytest.fixture(autouse=True)
def _on_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.runs.executors.local.LocalExecutor", OneThread)
    monkeypatch.setattr("engine.runs.executors.work.keep_to", lambda _count: None)


def runs(window: MainWindow) -> tuple[Run, ...]:
    assert window.controller.group is not None
    return window.controller.group.runs


def chips(window: MainWindow) -> dict[int, list[str]]:
    """What the chips say, by seed."""
    shelf = window.runs.shelf.list
    found = [shelf.index(row, 0).data(RUN_ROLE) for row in range(shelf.rowCount())]
    return {chip.record.seed: in_short(chip, "") for chip in found}


def statuses(window: MainWindow) -> list[Status]:
    with Library(library_folder()) as library:
        return [library.run(run.id).status for run in runs(window)]


def offered(window: MainWindow, run: str) -> list[str]:
    """What the menu of a chip offers of one of several seeds."""
    menu = QMenu()
    window.runs.shelf.fill_menu(menu, [run])
    return [action.text() for action in menu.actions() if "seed" in action.text() or "window" in action.text()]


def begin(qtbot: QtBot, window: MainWindow, reach: Reach) -> None:
    """Begin three seeds, until the second trains and the third waits."""
    window.controller.seeds.choose(3)
    window.start()
    reach(window, RunState.RUNNING)
    qtbot.waitUntil(lambda: runs(window)[1].history.iterations >= 2, timeout=PATIENCE)


def test_any_of_them_is_shown_as_it_grows_and_one_that_waits_says_so(
    qtbot: QtBot, make_window: Make, reach: Reach
) -> None:
    window = make_window(**GRU)
    controller, said = window.controller, heard(window.runs.log)
    begin(qtbot, window, reach)
    first, second, third = runs(window)
    qtbot.waitUntil(lambda: chips(window)[3] == ["waits for a core", "seed 3"], timeout=PATIENCE)
    assert [run.number for run in runs(window)] == [1, 2, 3]
    assert offered(window, second.id) == ["Pause this seed", "Stop this seed"]
    assert offered(window, third.id) == ["Stop this seed"]
    assert offered(window, first.id) == [
        "Trained in this window: it pauses and stops with the bar, and all others with it"
    ]

    window.runs.shelf.open(second.id)
    assert controller.shown.run.id == second.id
    assert ("info", ELSEWHERE.format(2)) in said
    qtbot.waitUntil(lambda: (policy := window.playback.policy) and policy.config.seed == 2, timeout=PATIENCE)
    before, history = second.history.iterations, second.history
    qtbot.waitUntil(lambda: history.iterations > before and history.advantages is not None, timeout=PATIENCE)
    assert controller.history is history  # the same that is shown all the time, so that no plot begins anew
    panel = window.panels.find(ReturnsPanel)
    qtbot.waitUntil(lambda: "seed 2, shown" in [entry.text for entry in panel.plot.legend.entries], timeout=PATIENCE)
    progress = controller.progress()
    assert progress.budget == 30_000_000
    qtbot.waitUntil(lambda: bool(window.panels.past.kept), timeout=PATIENCE)

    window.runs.shelf.open(third.id)
    assert ("info", "Seed 3: waits for a core.") in said
    window.runs.shelf.open(first.id)
    qtbot.waitUntil(lambda: window.playback.policy is not None and window.playback.policy.config.seed == 1)
    window.runs.workers.order(third.id, Order.STOP)  # alone, before it began
    qtbot.waitUntil(lambda: statuses(window)[2] is Status.STOPPED, timeout=PATIENCE)
    assert statuses(window)[:2] == [Status.RUNNING] * 2
    window.controller.stop()
    reach(window, RunState.STOPPED)
    qtbot.waitUntil(lambda: statuses(window) == [Status.STOPPED] * 3, timeout=PATIENCE)


def test_all_are_paused_stepped_and_stopped_though_the_one_in_the_window_has_ended(
    qtbot: QtBot, make_window: Make, reach: Reach
) -> None:
    window = make_window(**GRU)
    controller, workers = window.controller, window.runs.workers
    begin(qtbot, window, reach)
    second = runs(window)[1]
    said = heard(controller.log)
    controller.change("budget.environment_steps", 1)  # which the others would not hear of
    assert said == [("warning", KEEPS)]
    assert controller.config.budget.environment_steps == 10_000_000
    window.training.ask("change", ("budget.environment_steps", 1))  # of that in the window alone: it ends at once
    qtbot.waitUntil(lambda: statuses(window)[0] is Status.FINISHED, timeout=PATIENCE)
    assert controller.state is RunState.RUNNING
    before = second.history.iterations
    qtbot.waitUntil(lambda: second.history.iterations > before, timeout=PATIENCE)

    controller.pause()
    reach(window, RunState.PAUSED)
    assert statuses(window)[:2] == [Status.FINISHED, Status.PAUSED]
    before = second.history.iterations
    window.step()
    assert controller.state is RunState.RUNNING
    reach(window, RunState.PAUSED)
    assert second.history.iterations == before + 1
    window.start()
    assert controller.state is RunState.RUNNING
    qtbot.waitUntil(lambda: second.history.iterations > before + 2, timeout=PATIENCE)
    workers.order(second.id, Order.STOP)  # alone, after which the third has its turn
    qtbot.waitUntil(lambda: runs(window)[2].history.iterations > 0, timeout=PATIENCE)
    assert controller.state is RunState.RUNNING
    assert offered(window, second.id) == ["Go on with this seed"]
    controller.stop()
    reach(window, RunState.STOPPED)
    assert statuses(window) == [Status.FINISHED, Status.STOPPED, Status.STOPPED]
    assert not workers._under_way


def test_a_group_is_gone_on_with_in_a_later_window_by_what_has_not_ended(
    qtbot: QtBot, make_window: Make, reach: Reach
) -> None:
    window = make_window(**GRU)
    begin(qtbot, window, reach)
    window.runs.workers.order(runs(window)[1].id, Order.PAUSE)
    qtbot.waitUntil(lambda: statuses(window)[1] is Status.PAUSED, timeout=PATIENCE)
    window.close()
    assert window.shut_down()
    assert window.controller.saved.startswith(
        "3 seeds of PPO, clipped · Cart pole were being trained; runs 1–3 are saved"
    )
    assert statuses(window) == [Status.INTERRUPTED] * 3
    with Library(library_folder()) as library:  # as if it had come to its end
        first = runs(window)[0].id
        told = library.series(first, ITERATIONS)
        last = told.rows[-1:].copy()
        last[0, :2] = last[0, 0] + 1, 10_000_000
        library.append(first, ITERATIONS, told.columns, last)
        library.update(first, environment_steps=10_000_000, status=str(Status.FINISHED))

    again = make_window(**GRU)
    controller, row = again.controller, again.runs.row
    qtbot.waitUntil(row.go_on_button.isVisible, timeout=PATIENCE)
    assert row.go_on_button.text() == "Go on with runs 1–3"
    row.go_on_button.click()
    reach(again, RunState.RUNNING)
    _, second, third = runs(again)
    assert controller.group.here == second.id  # the first that was saved and has not ended
    before = second.history.iterations
    qtbot.waitUntil(lambda: second.history.iterations > before and third.history.iterations > 0, timeout=PATIENCE)
    assert (controller.shown.run.id, statuses(again)) == (second.id, [Status.FINISHED, *[Status.RUNNING] * 2])
    again.runs.shelf.open(third.id)
    controller.stop()
    reach(again, RunState.STOPPED)
    qtbot.waitUntil(lambda: statuses(again)[2] is Status.STOPPED, timeout=PATIENCE)
    assert controller.shown.run.id == third.id
