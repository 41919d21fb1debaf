"""Seeds of one setting in the Compare mode: one curve with its band, and one row, on the real window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from app.compare.compared import ComparedRun
from app.compare.looks import Looks
from app.compare.page import ComparePage
from app.compare.race.choosing import names_of
from app.models.run_style import style_of
from app.window.main_window import MainWindow
from engine.runs.library import ITERATIONS, Library
from engine.runs.place import library_folder
from engine.runs.records import RunRecord, Status
from engine.runs.series import Series
from tests.each import each
from tests.engine.runs.libraries import record

COLUMNS = ("iteration", "environment_steps", "episodes", "seconds", "mean_return")


def seed(library: Library, values: Mapping[str, Any], height: float, iterations: int = 10, **fields: Any) -> RunRecord:
    """A run whose mean return rises evenly to ``height`` within 1000 steps, of which it is told from time to time."""
    run = library.begin(record(values, **fields))
    steps = np.linspace(1000.0 / iterations, 1000.0, iterations)
    rows = np.stack([np.arange(1.0, iterations + 1), steps, 0.5 * steps, 0.01 * steps, height * steps / 1000.0], axis=1)
    library.append(run.id, ITERATIONS, COLUMNS, rows)
    return library.run(run.id)


def test_seeds_of_a_setting_are_one_curve_and_one_row(make_window: Callable[..., MainWindow], qtbot: QtBot) -> None:
    with Library(library_folder()) as library:
        runs = [seed(library, {"seed": number}, 100.0 * number, 5 * number) for number in (1, 2, 3, 4, 5)]
        bare = {"estimator.baseline": "none"}
        runs += [seed(library, {"seed": 1, **bare}, 500.0), seed(library, {"seed": 2, **bare}, 700.0)]
        runs.append(seed(library, {"seed": 3, **bare}, 600.0, status=Status.FAILED, reason="It blew up."))
        runs.append(seed(library, {"seed": 1, "update.learning_rate": 0.5}, 50.0))
    window = make_window()
    window.run_library.show_only([run.id for run in runs])
    qtbot.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    page = window.compare.page
    assert isinstance(page, ComparePage)
    qtbot.waitUntil(lambda: len(page.compared.runs) == 9 and not page.compared.is_reading)
    overlay, grid = page.overlay, page.table.grid
    assert [line.name for line in overlay.lines] == [
        "baseline: learned value, α 0.01 · 5 seeds",
        "baseline: none, α 0.01 · 3 seeds, 1 failed",
        "baseline: learned value, α 0.5 · 1 seed",
    ]
    # by steps, whichever iteration that is: half way all are at half of their height
    median = overlay.lines[0]
    assert np.interp(500.0, median.x, median.y) == 150.0
    assert (
        overlay.said.text()
        == "Median, with its 75 % to 94 % interval at each place by order statistics; of 3 seeds it means little."
    )
    cells = {column.title: list(column.cells) for column in grid.cells.columns}
    assert cells["Final return"] == ["300 [100, 500]", "600 [500, 700]", "50"]
    assert cells["Seeds"] == ["5", "3, 1 failed", "1"]
    assert page.table.said.text() == (
        "Median with its interval: order statistics, 93.8 %, 5 runs; order statistics, 75 %, 3 runs."
    )
    assert cells["Reached 475"][:2] == ["1 of 5 [4 %, 62 %]", "3 of 3 [44 %, 100 %]"]
    assert cells["Better than the first"][0] == "–"
    assert cells["Above the first"][1].startswith("300 [")
    tip = grid.cells.index(1, list(cells).index("Better than the first")).data(Qt.ItemDataRole.ToolTipRole)
    assert tip.endswith("(Newcombe, 95 %, 3 and 5 runs)")
    # what that settles, in sentences; and the shares of seeds
    titles = [page.tabs.tabText(at) for at in range(page.tabs.count())]
    for title in ("Verdict", "Profile", "Survival"):
        page.tabs.setCurrentIndex(titles.index(title))
    assert "1 of 3 runs of ‘baseline: none, α 0.01’ failed" in page.verdict.text
    assert "‘baseline: none, α 0.01’ is better than ‘baseline: learned value, α 0.01’" in page.verdict.text
    assert [line.name for line in page.profile.lines] == [line.name for line in overlay.lines]
    assert [float(line.y[-1]) for line in page.survival.lines] == [0.0, 0.0, 1.0]
    qtbot.keyClicks(page.survival.threshold_field, "1000")
    qtbot.keyClick(page.survival.threshold_field, Qt.Key.Key_Return)
    assert [float(line.y[-1]) for line in page.survival.lines] == [1.0, 1.0, 1.0]
    assert page.survival.said.text().startswith("No run came to 1000: write a lower one. baseline: learned value")
    assert "Seed" not in cells
    # the mean instead, with each seed as a thin line
    overlay.statistic_box.setCurrentIndex(2)
    qtbot.waitUntil(lambda: overlay.said.text().startswith("Mean, with its 95 % interval"))
    qtbot.mouseClick(overlay.singles_button, Qt.MouseButton.LeftButton)
    assert [line.width for line in overlay._groups._thin] == [1, 1, 1, 1, 2, 1, 1, 2]  # the median runs on top
    assert [(run.record.seed, run.record.reached) for run in overlay._groups.median_runs.values()] == [
        (3, runs[2].reached),
        (3, runs[7].reached),
    ]
    assert overlay.said.text().endswith("the median run, the seed whose final return is in the middle.")
    qtbot.waitUntil(lambda: page.table.said.text().endswith("Student t, 95 %, 3 runs."))
    view = overlay.plot.viewport()
    frame = overlay.plot._frame(overlay.plot._view.mapRectToScene(overlay.plot._view.rect()))
    share = 500.0 / overlay.plot.ranges[0][1]
    qtbot.mouseMove(view, QPoint(round(frame.rect.left() + share * frame.rect.width()), view.height() // 2))
    qtbot.waitUntil(lambda: overlay.plot.reading is not None)
    reading = overlay.plot.reading
    assert reading is not None
    assert any("] of 5  baseline: learned value, α 0.01 · 5 seeds · median run: seed 3" in x for x in reading.lines)
    numbers = overlay.plot.numbers()
    assert list(numbers.columns)[3:] == ["low", "high", "level", "seeds"]
    # the same seed once more tells nothing new
    with Library(library_folder()) as library:
        again = seed(library, {"seed": 1, "update.learning_rate": 0.5}, 60.0)
    window.run_library.look()
    window.run_library.draw([again.id], True)
    qtbot.waitUntil(lambda: "Run 9 has a seed that another run of its setting has, too" in overlay.said.text())
    window.run_library.draw([again.id], False)
    # and each by itself again
    overlay.together_box.setCurrentIndex(1)
    qtbot.waitUntil(lambda: len(overlay.lines) == 9 and not page.compared.is_reading)
    assert not overlay.said.isVisibleTo(page)
    assert not page.table.said.isVisibleTo(page)
    assert grid.cells.rowCount() == 9


def test_a_setting_keeps_its_look_and_no_two_have_one_colour() -> None:
    looks = Looks()
    first = looks.of({"a": 0, "b": 1, "c": 8})  # the last wants the colour of the second
    assert (first["a"], first["b"]) == (style_of(0), style_of(1))
    assert len({style.hue for style in first.values()}) == 3
    later = looks.of({"d": 0, "b": 5, "c": 8, "e": 3}, alone=[style_of(3)])
    assert (later["b"], later["c"]) == (first["b"], first["c"])
    assert len({style.hue for style in (*later.values(), style_of(3))}) == 5
    many = looks.of({str(number): 0 for number in range(30)})
    assert len(set(many.values())) == 30


@each(
    ("names", "short"),
    [
        (("baseline: none, seed 1", "baseline: learned value, seed 1"), ["none, seed 1", "learned value, seed 1"]),
        (("α 0.1 · seed 1", "α 0.2 · seed 1"), ["α 0.1 · seed 1", "α 0.2 · seed 1"]),
        (("credit: total return", "baseline: none"), ["credit: total return", "baseline: none"]),
        (("baseline: none",), ["baseline: none"]),
    ],
)
def test_what_all_that_race_begin_with_is_left_out(names: tuple[str, ...], short: list[str]) -> None:
    nothing = Series((), np.empty((0, 0)))
    assert names_of([ComparedRun(record({}), name, nothing) for name in names]) == short
