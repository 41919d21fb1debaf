"""The Experiment mode: a design, what has come of it, and what is wanted of its runs, on the real window."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import Popen

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QCheckBox, QComboBox, QFileDialog, QPushButton, QTabWidget
from pytestqt.qtbot import QtBot

from app.experiments import where_row
from app.experiments.page import ExperimentsPage
from app.experiments.results import EMPTY
from app.experiments.varied_row import ChoicesRow, NumbersRow
from app.session import experiment_watch, sweep_pilot
from app.window.main_window import MainWindow
from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.runs.executors.interface import NO_RAY
from engine.runs.library import ITERATIONS, Library
from engine.runs.place import library_folder
from engine.runs.records import Reached, Status
from engine.runs.sweeps import files
from engine.runs.sweeps.detached import Where, log_of
from engine.runs.sweeps.experiments import Experiments
from engine.runs.sweeps.pilot import Estimate
from engine.runs.sweeps.plan import fingerprint, planned
from engine.runs.sweeps.records import ExperimentRecord, Progress, Wish
from engine.runs.sweeps.spec import Sweep, Varied
from tests.app.shorthands import enter, heard, words
from tests.app.test_access import ring, stops, without_a_name
from tests.engine.runs.libraries import ITERATION_COLUMNS, record

CONFIG = with_values(PolicyGradientConfig(), {"budget.environment_steps": 3_000})
FRAMED = (QComboBox, QAbstractSpinBox)  # which have the ring of the line in them
HOURS = Estimate(runs=30, jobs=30, slots=2, seconds=(7_200.0, 10_800.0), disk=5_000_000_000, memory=None)
SWEEP = Sweep(
    title="Step sizes",
    shows="Larger steps learn sooner.",
    config=CONFIG,
    vary=(Varied(path="update.learning_rate", values=(0.01, 0.1)),),
    seeds=4,
)


def trained(library: Library, experiment: ExperimentRecord, upto: int) -> None:
    """Have the first runs of an experiment end: the third has failed, the others return 100 and more, the higher
    their seed."""
    experiments = Experiments(library)
    points = planned(experiment.sweep).points
    for run in experiments.runs(experiment.id)[:upto]:
        failed = (run.point, run.seed) == (0, 3)
        steps = np.arange(1, 4) * (500.0 if failed else 1_000.0)
        rows = np.zeros((3, len(ITERATION_COLUMNS)))
        rows[:, 0], rows[:, 1], rows[:, 2] = (1, 2, 3), steps, (50, 150, 250)
        final = 100.0 * (1 + run.point) + run.seed
        rows[:, ITERATION_COLUMNS.index("mean_return")] = math.nan, final / 2, final
        begun = record(
            id=run.run,
            configuration=points[run.point].of_seed(run.seed).model_dump(mode="json"),
            status=Status.FAILED if failed else Status.FINISHED,
            reached=Reached(3, int(steps[-1]), 250, 1.0, final, final),
        )
        library.begin(replace(begun, number=0))
        library.append(run.run, ITERATIONS, ITERATION_COLUMNS, rows)
        experiments.begun(experiment.id, [run.run])
        words = ("failed", "The loss became not a number.") if failed else ("finished", "")
        experiments.progress(experiment.id, [run.run], Progress(words[0]), words[1])


@pytest.fixture
def places() -> list[Where]:
    """Where each of the experiments was to be trained."""
    return []


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch, places: list[Where]) -> list[tuple[Path, str]]:
    """The libraries and ids of the experiments that were to be conducted, by processes that end at once and say why."""
    asked: list[tuple[Path, str]] = []

    def begin(folder: Path, id: str, where: Where) -> Popen[bytes]:
        asked.append((folder, id))
        places.append(where)
        log_of(folder, id).parent.mkdir(parents=True, exist_ok=True)
        log_of(folder, id).write_text("Nobody can be asked.\n", "utf-8")
        return Popen([sys.executable, "-c", "raise SystemExit(1)"])

    monkeypatch.setattr(experiment_watch, "begin_conducting", begin)
    monkeypatch.setattr(sweep_pilot, "pilot", _Pilots().measure)
    monkeypatch.setattr(sweep_pilot, "estimate", lambda plan, trials, slots: HOURS)
    return asked


class _Pilots:
    """The first is given up; the others come to what is known of them."""

    def __init__(self) -> None:
        self._measured = 0

    def measure(self, plan: object, executor: object, give_up: Callable[[], bool]) -> tuple[object, ...]:
        self._measured += 1
        while self._measured == 1 and not give_up():
            time.sleep(0.005)
        return (None,)


def opened(make_window: Callable[..., MainWindow], qtbot: QtBot) -> ExperimentsPage:
    """The page of a window in which Ctrl+3 has been pressed."""
    window = make_window()
    qtbot.keyClick(window, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    page = window.experiments.page
    assert page is not None
    qtbot.waitUntil(page.isVisible)
    return page


def press(qtbot: QtBot, button: QPushButton) -> None:
    assert button.isEnabled(), f"{button.text()} cannot be clicked now"
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def column(page: ExperimentsPage, title: str) -> list[str]:
    """What stands in a column of the table of settings, from above."""
    cells = page.results.settings.cells
    place = [one.title for one in cells.columns].index(title)
    return [cells.index(row, place).data() for row in range(cells.rowCount())]


def test_what_has_come_of_an_experiment_is_shown_as_it_comes_and_opens_in_compare(
    make_window: Callable[..., MainWindow], qtbot: QtBot, begun: list[tuple[Path, str]]
) -> None:
    with Library(library_folder()) as library:
        experiment = Experiments(library).add(SWEEP)
        trained(library, experiment, 5)
        page = opened(make_window, qtbot)
        results, window = page.results, page.window()
        assert isinstance(window, MainWindow)
        qtbot.waitUntil(lambda: results.results is not None)
        assert results.list.currentText() == "1 · Step sizes · 4 of 8"
        assert results.shows.text() == "Larger steps learn sooner."
        assert results.state.text().startswith("4 of 8 runs finished, 1 failed")
        assert "1 run failed" in results.caveat.text()
        assert column(page, "Learning rate") == ["0.01", "0.1"]
        assert column(page, "Runs") == ["3 of 4, 1 failed", "1 of 4"]
        # The mean of the middle two of 101 … 104, of which the failed one is one.
        assert column(page, "Final return") == ["102.5 [99.0, 106.0]", "201"]
        assert column(page, "Solved") == ["0 of 4 [0 %, 49 %]", "0 of 1 [0 %, 79 %]"]
        assert "interquartile mean of its runs, with its interval" in results.final_of.text()
        assert "interval" in results.curves.plot.bottom.labelText
        first = results.results.curves[0]
        assert (first.x[-1], first.middle[-1], first.n[-1]) == (pytest.approx(3_000, rel=0.01), 102.0, 3)

        # The table fills as runs come in, sorted as a person wants it, and what is selected stays so.
        table = results.settings
        table.sortByColumn(2, Qt.SortOrder.DescendingOrder)
        assert column(page, "Learning rate") == ["0.1", "0.01"]
        table.selectRow(1)
        for run in Experiments(library).runs(experiment.id)[5:7]:
            library.begin(record(id=run.run, reached=Reached(3, 3_000, 250, 1.0, 50.0, 50.0)))
            Experiments(library).progress(experiment.id, [run.run], Progress.FINISHED)
        window.run_library.look()
        qtbot.waitUntil(lambda: column(page, "Final return") == ["102.5 [99.0, 106.0]", "100 [−116, 317]"])
        assert table.chosen == [0]

        ours = [widget for widget in stops(window) if page.isAncestorOf(widget)]
        whole = [each for each in ours if not isinstance(each, QTabWidget) and not isinstance(each.parent(), FRAMED)]
        assert [(type(each).__name__, each.accessibleName()) for each in whole if ring(window, each) < 0.4] == []
        assert not (nameless := without_a_name(page)), nameless

        # Presenting shows the curves alone, and puts them back.
        table.setFocus()
        QTest.keyClick(table, Qt.Key.Key_P)
        assert window.present.is_on
        assert (results.curves.isVisible(), page.isVisible()) == (True, False)
        assert words(window.present).startswith("Settings")
        assert "Step sizes · Larger steps learn sooner." in words(window.present)
        QTest.keyClick(window, Qt.Key.Key_Escape)
        assert page.isAncestorOf(results.curves)

        # A failed run is tried again, another dropped, by the keyboard.
        results.tabs.setCurrentIndex(1)
        runs = results.runs
        runs.setFocus()
        runs.selectRow(2)
        assert "failed: The loss became not a number." in runs.cells.index(2, 3).data()
        press(qtbot, results.retry_runs)
        qtbot.waitUntil(lambda: runs.cells.index(2, 3).data() == "waiting")
        assert begun == [(library.folder, experiment.id)]
        runs.selectRow(0)
        press(qtbot, results.drop_runs)
        qtbot.waitUntil(lambda: runs.cells.index(0, 3).data() == "dropped")
        assert results.state.text().startswith("5 of 7 runs finished")
        assert Experiments(library).runs(experiment.id)[0].wish is Wish.DROP

        # Return on a setting opens those of its runs that count in Compare.
        results.tabs.setCurrentIndex(0)
        QTest.keyClick(table, Qt.Key.Key_Return)
        compare = window.compare.page
        assert compare is not None
        qtbot.waitUntil(lambda: compare.isVisible() and not compare.compared.is_reading)
        assert {run.record.seed for run in compare.compared.runs} == {2, 3, 4}

        # It can be deleted and brought back, and its design be had again.
        qtbot.keyClick(window, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
        results.again_action.trigger()
        assert page.draft.sweep() == SWEEP
        table.selectAll()
        press(qtbot, results.anew_button)
        qtbot.waitUntil(lambda: page.draft.title == "Step sizes, other seeds")
        anew = planned(page.draft.sweep())
        assert anew.seeds == (5, 6, 7, 8)
        assert [point.of_seed(1) for point in anew.points] == [point.config for point in planned(SWEEP).points]
        results.delete_action.trigger()
        qtbot.waitUntil(lambda: EMPTY in words(results))
        window.run_library.undo_stack.undo()
        qtbot.waitUntil(lambda: EMPTY not in words(results))


def test_an_experiment_is_designed_by_search_counted_kept_as_a_file_and_begun(
    make_window: Callable[..., MainWindow],
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    begun: list[tuple[Path, str]],
    places: list[Where],
) -> None:
    monkeypatch.setattr(where_row, "cores", lambda: 4)
    page = opened(make_window, qtbot)
    form, launch, window = page.form, page.launch, page.window()
    assert isinstance(window, MainWindow)
    assert EMPTY in words(page.results)
    qtbot.waitUntil(lambda: launch.count_label.text() == "1 setting × 5 seeds = 5 runs")

    # Words find what is to vary; Return takes the first, the arrows any other.
    form.search.setFocus()
    QTest.keyClicks(form.search, "learning rate update")
    QTest.keyClick(form.search.completer().popup(), Qt.Key.Key_Down)
    QTest.keyClick(form.search.completer().popup(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(form.rows) == 1 and form.search.text() == "")
    numbers = form.rows[0]
    assert isinstance(numbers, NumbersRow)
    enter(numbers.values, "0.001, much")
    assert numbers.complaint == "Much is not a number."
    assert not launch.run_button.isEnabled()
    enter(numbers.values, "0.001, 0.01, 0.1")
    assert numbers.complaint == ""
    QTest.keyClicks(form.search, "baseline method")
    QTest.keyClick(form.search.completer().popup(), Qt.Key.Key_Down)
    QTest.keyClick(form.search.completer().popup(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(form.rows) == 2)
    choices = form.rows[1]
    assert isinstance(choices, ChoicesRow)
    box = next(box for box in choices.findChildren(QCheckBox) if box.text() == "Average return")
    box.click()
    form.seeds_box.setEditText("3")
    qtbot.waitUntil(lambda: launch.count_label.text() == "6 settings × 3 seeds = 18 runs")

    # What cannot be trained is said before anything is.
    none = next(box for box in choices.findChildren(QCheckBox) if box.text() == "Leave one out")
    none.click()
    qtbot.waitUntil(lambda: launch.problem.isVisible() or "9 settings" in launch.count_label.text())
    none.click()
    qtbot.waitUntil(lambda: launch.count_label.text() == "6 settings × 3 seeds = 18 runs")

    path = f"{tmp_path}/steps and baselines.toml"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (path, ""))
    launch.copy_action.trigger()
    assert QGuiApplication.clipboard().text() == f'python main.py sweep "{path}"'
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (path, ""))
    form.start_button.file_asked.emit()
    assert page.draft.sweep() == files.load(Path(path))

    form.start_button.fill()
    ready = next(iter(files.shipped().values()))
    form.start_button.sweep_asked.emit(ready)
    qtbot.waitUntil(lambda: f"= {len(planned(ready))} runs" in launch.count_label.text())
    assert [each.called for each in page.draft.rows] == ["Baseline", "Learning rate"]

    # Run measures what it will take, and then has it conducted and shows it; what ends with something wrong is told,
    # and Go on tries again.
    said = heard(window.experiments.log)
    press(qtbot, launch.run_button)
    assert (launch.measure_button.text(), launch.run_button.text()) == ("Cancel", "Run at once")
    press(qtbot, launch.measure_button)
    qtbot.waitUntil(lambda: launch.measure_button.text() == "Measure")
    press(qtbot, launch.run_button)
    qtbot.waitUntil(lambda: launch.cost.text().startswith("About 2 to 3 h with 2 at once, 5 GB on disk"))
    assert not begun  # what takes so long is told before it begins
    press(qtbot, launch.run_button)
    qtbot.waitUntil(lambda: page.results.list.currentText() == f"1 · {ready.title} · 0 of {len(planned(ready))}")
    results = page.results
    qtbot.waitUntil(lambda: ("error", "Nobody can be asked.") in said)
    qtbot.waitUntil(lambda: results.go_button.text() == "Go on" and "Nobody trains it now" in results.state.text())
    told = lambda: said.count(("error", "Nobody can be asked."))  # noqa: E731
    press(qtbot, results.go_button)
    qtbot.waitUntil(lambda: len(begun) == told() == 2)
    assert set(begun) == {(window.run_library.folder, fingerprint(ready))}

    # Where they are trained is a choice: so many at once, or a cluster, and what stands against that is said.
    row = launch.where_row
    assert places == [Where(), Where()]
    row.workers.setValue(1)
    assert launch.cost.text().startswith("How long it takes is measured")  # which was for another number at once
    top = launch.count_label.y()
    row.place_box.setCurrentIndex(1)
    QTest.qWait(1)
    assert launch.count_label.y() == top  # what is said moves nothing
    assert launch.problem.text().startswith("Enter the cluster's address")
    assert not launch.run_button.isEnabled()
    enter(row.address, "head:6379")
    assert (launch.problem.text(), launch.run_button.isEnabled()) == ("", True)
    assert launch.cost.text().startswith("Measured here: About 2 to 3 h with 2 at once")
    assert "If no cluster answers there, nothing is trained" in row.address.toolTip()
    qtbot.waitUntil(lambda: results.go_button.text() == "Go on")
    press(qtbot, results.go_button)
    qtbot.waitUntil(lambda: len(places) == told() == 3)
    assert places[2] == Where(ray="head:6379")
    monkeypatch.setattr(where_row, "ray_is_installed", lambda: False)
    enter(row.address, "head:6380")
    assert (launch.problem.text(), launch.run_button.isEnabled()) == (NO_RAY, False)
    row.place_box.setCurrentIndex(0)
    qtbot.waitUntil(lambda: results.go_button.isEnabled() and results.go_button.text() == "Go on")
    press(qtbot, results.go_button)
    qtbot.waitUntil(lambda: len(places) == told() == 4)
    assert places[3] == Where(1)
