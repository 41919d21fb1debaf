"""The plot: a view a person can move, that reads out, enlarges and hands out what it draws."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QContextMenuEvent, QEnterEvent, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication, QDockWidget, QFileDialog, QLabel, QMainWindow, QMenu, QMessageBox
from pytestqt.qtbot import QtBot

from app.plotting.export import Table
from app.plotting.marks import Dots, Line
from app.plotting.plot import Plot
from app.plotting.readout import Pointer, Reading
from app.style.theme import load_theme
from tests.app.plots.pointing import pixel_of, point_at, wheel

DARK = load_theme("dark")
LINE = Line()
LINE.x, LINE.y, LINE.colour = np.array([0.0, 5.0, 10.0]), np.array([0.0, 50.0, 40.0]), "#56b4e9"


def read(pointer: Pointer) -> Reading | None:
    index = pointer.nearest(LINE.x)
    return None if index is None else Reading(LINE.x[index], LINE.y[index], (f"return {LINE.y[index]:.0f}",), "#ffffff")


@pytest.fixture
def window(qtbot: QtBot) -> QMainWindow:
    """A window with a plot of three points as one of its panels, and a toolbar."""
    window = QMainWindow()
    qtbot.addWidget(window)
    plot = Plot(DARK, "steps", "return (reward)")
    dots = Dots()
    dots.set_colour("#8e9aab", 0.5)
    dots.x, dots.y = LINE.x, LINE.y
    plot.marks = [dots, LINE]
    plot.title, plot.run = "Returns", "PPO · Cart pole · seed 1"
    plot.probe = read
    plot.numbers = lambda: Table({"steps": LINE.x, "return (reward)": LINE.y})
    plot.set_ranges((0.0, 10.0), (0.0, 100.0))
    window.addToolBar("bar").addAction("Start")
    window.setCentralWidget(plot)
    window.resize(420, 340)
    window.show()
    qtbot.waitActive(window)
    return window


@pytest.fixture
def plot(window: QMainWindow) -> Plot:
    plot = window.centralWidget()
    assert isinstance(plot, Plot)
    return plot


def middle(plot: Plot) -> QPoint:
    return pixel_of(plot, 5.0, 50.0)


def enter(plot: Plot) -> None:
    at = QPointF(middle(plot))
    QApplication.sendEvent(plot, QEnterEvent(at, at, plot.mapToGlobal(at)))


def below(plot: Plot) -> QPoint:
    """On the horizontal axis."""
    return pixel_of(plot, 5.0, 0.0) + QPoint(0, 12)


def beside(plot: Plot) -> QPoint:
    """On the vertical axis."""
    return pixel_of(plot, 0.0, 50.0) - QPoint(20, 0)


# --- moving the view --------------------------------------------------------------------------------------------------


def test_a_zoomed_view_is_kept(plot: Plot) -> None:
    wheel(plot, middle(plot))
    before = plot.seen
    plot.set_ranges((0.0, 20.0), (0.0, 200.0))
    assert plot.seen == before != ((0.0, 10.0), (0.0, 100.0))


def test_the_key_a_shows_everything_again(plot: Plot, qtbot: QtBot) -> None:
    wheel(plot, middle(plot))
    plot.set_ranges((0.0, 20.0), (0.0, 200.0))
    qtbot.keyClick(plot, Qt.Key.Key_A)
    assert plot.seen == ((0.0, 20.0), (0.0, 200.0))


def test_the_wheel_over_an_axis_zooms_it_alone(plot: Plot) -> None:
    wheel(plot, below(plot))
    (left, right), y = plot.seen
    assert (right - left < 10.0, y) == (True, (0.0, 100.0))
    plot.follow()
    wheel(plot, beside(plot))
    x, (low, high) = plot.seen
    assert (x, high - low < 100.0) == ((0.0, 10.0), True)


def test_ctrl_and_shift_zoom_one_axis(plot: Plot) -> None:
    wheel(plot, middle(plot), modifiers=Qt.KeyboardModifier.ControlModifier)
    assert (plot.seen[0] != (0.0, 10.0), plot.seen[1]) == (True, (0.0, 100.0))
    plot.follow()
    wheel(plot, middle(plot), modifiers=Qt.KeyboardModifier.ShiftModifier)
    assert (plot.seen[0], plot.seen[1] != (0.0, 100.0)) == ((0.0, 10.0), True)


def test_the_axis_that_was_not_moved_goes_on_following_the_data(plot: Plot) -> None:
    wheel(plot, below(plot))
    plot.set_ranges((0.0, 10.0), (0.0, 250.0))
    assert plot.seen[1] == (0.0, 250.0)


def test_dragging_an_axis_moves_it_alone(plot: Plot, qtbot: QtBot) -> None:
    at, left = below(plot), Qt.MouseButton.LeftButton
    qtbot.mousePress(plot.viewport(), left, pos=at)
    for step in range(1, 5):
        QApplication.processEvents()
        qtbot.mouseMove(plot.viewport(), at - QPoint(15 * step, 9 * step))
    qtbot.mouseRelease(plot.viewport(), left, pos=at - QPoint(60, 36))
    (start, end), y = plot.seen
    assert start > 0.5
    assert (end - start, y) == (pytest.approx(10.0), (0.0, 100.0))


def test_zooming_ends_in_both_directions(plot: Plot) -> None:
    wheel(plot, middle(plot), turns=-60)
    (left, right), (low, high) = plot.seen
    assert left >= -10.0
    assert right <= 20.0
    assert high - low <= 300.0
    wheel(plot, middle(plot), turns=120)
    (left, right), (low, high) = plot.seen
    assert right - left >= 0.999e-2
    assert high - low >= 0.0999


# --- reading out ------------------------------------------------------------------------------------------------------


def test_what_is_under_the_mouse_is_read_out_and_nothing_when_it_has_left(plot: Plot, qtbot: QtBot) -> None:
    before = plot.grab().toImage()
    point_at(plot, 4.8, 20.0)
    assert plot.reading == Reading(5.0, 50.0, ("return 50",), "#ffffff")
    assert plot.grab().toImage() != before
    qtbot.mouseMove(plot.window(), QPoint(5, 5))
    QApplication.sendEvent(plot.viewport(), QEvent(QEvent.Type.Leave))
    QApplication.sendEvent(plot, QEvent(QEvent.Type.Leave))
    assert plot.reading is None


def test_reading_out_does_not_paint_the_data_again(plot: Plot, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    point_at(plot, 2.0, 20.0)
    plot.viewport().repaint()
    monkeypatch.setattr(LINE, "paint", lambda *_: pytest.fail("painted again"))
    for x in range(3, 9):
        point_at(plot, float(x), 20.0)
        plot.viewport().repaint()


def test_new_data_is_painted_and_read_out_under_a_resting_mouse(plot: Plot, monkeypatch: pytest.MonkeyPatch) -> None:
    point_at(plot, 5.0, 20.0)
    plot.viewport().repaint()
    monkeypatch.setattr(LINE, "y", LINE.y + 7.0)
    before = plot.viewport().grab().toImage()
    plot.redraw()
    assert plot.reading is not None
    assert plot.reading.lines == ("return 57",)
    assert plot.viewport().grab().toImage() != before


# --- enlarging --------------------------------------------------------------------------------------------------------


def test_the_key_e_enlarges_a_plot_and_esc_puts_it_back(window: QMainWindow, plot: Plot, qtbot: QtBot) -> None:
    dock = QDockWidget("Small", window)
    small = Plot(DARK, "steps", "")
    small.marks, small.measured, small.title, small.run = [LINE], "entropy (nats)", "Entropy", "seed 1"
    dock.setWidget(small)
    window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
    small.set_ranges((0.0, 10.0), (0.0, 100.0))
    small.setFocus()
    qtbot.keyClick(small, Qt.Key.Key_E)
    large = small.enlarged
    assert large is not None
    assert large.width() > 0.85 * plot.width()
    assert large.left.title == "entropy (nats)"
    assert "Entropy · seed 1" in [label.text() for label in large.parentWidget().findChildren(QLabel)]
    small.set_ranges((0.0, 20.0), (0.0, 100.0))
    small.redraw()
    assert large.seen[0] == (0.0, 20.0)
    qtbot.waitUntil(lambda: large.hasFocus())
    qtbot.keyClick(large, Qt.Key.Key_Escape)
    assert small.enlarged is None


def test_a_button_enlarges_the_plot_under_the_mouse(plot: Plot, qtbot: QtBot) -> None:
    enter(plot)
    button = plot._corner.enlarge
    assert button.isVisible()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert plot.enlarged is not None
    qtbot.keyClick(plot.enlarged, Qt.Key.Key_E)
    assert plot.enlarged is None


# --- taking it along --------------------------------------------------------------------------------------------------


def chosen(plot: Plot, qtbot: QtBot, text: str) -> None:
    """Choose an entry of the menu that the right button opens."""
    at = middle(plot)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, plot.viewport().mapToGlobal(at))
    QApplication.sendEvent(plot.viewport(), event)
    menu = plot.findChildren(QMenu)[-1]
    qtbot.waitUntil(menu.isVisible)
    action = next(action for action in menu.actions() if action.text() == text)
    qtbot.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())


def test_dots_without_a_place_are_not_drawn(plot: Plot) -> None:
    dots = plot.marks[0]
    assert isinstance(dots, Dots)
    dots.x = np.arange(4.0)
    pictures = []
    for y in ([np.nan, 20.0, np.nan, np.nan], [1e9, 20.0, -1e9, 1e9]):
        dots.y = np.array(y)
        plot.redraw()
        pictures.append((plot.grab().toImage(), plot._offer().sheet.svg()))
    assert pictures[0] == pictures[1]


def test_numbers_are_copied_as_a_table(plot: Plot, qtbot: QtBot) -> None:
    chosen(plot, qtbot, "Copy numbers")
    assert QGuiApplication.clipboard().text() == "steps\treturn (reward)\n0.0\t0.0\n5.0\t50.0\n10.0\t40.0\n"


@pytest.mark.parametrize("kind", ["csv", "png", "svg"])
def test_a_plot_is_saved(plot: Plot, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str) -> None:
    asked = []

    def answer(_parent: object, _title: str, proposed: str, _files: str) -> tuple[str, str]:
        asked.append(Path(proposed).name)
        return str(tmp_path / "plot"), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    point_at(plot, 5.0, 20.0)
    chosen(plot, qtbot, f"Save as {kind.upper()}…")
    assert asked == [f"Returns PPO Cart pole seed 1.{kind}"]
    file = tmp_path / f"plot.{kind}"
    if kind == "csv":
        assert file.read_text("utf-8-sig").splitlines()[:2] == ["steps,return (reward)", "0.0,0.0"]
    elif kind == "png":
        image = QImage(str(file))
        assert image.width() == 2 * plot.viewport().width()
        assert image.height() > 2 * plot.viewport().height()
    else:
        drawing = file.read_text("utf-8")
        assert "PPO · Cart pole · seed 1" in drawing
        assert "return (reward)" in drawing
        assert drawing.count("<circle") + drawing.count("<ellipse") >= 3
        assert "<image" not in drawing
        assert "return 50" not in drawing


def test_a_file_that_cannot_be_written_is_told_in_one_sentence(
    plot: Plot, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "missing" / "plot.csv"), ""))
    chosen(plot, qtbot, "Save as CSV…")
    box = plot.findChild(QMessageBox)
    assert box.text() == "plot.csv could not be written: No such file or directory. Choose another folder."
    qtbot.keyClick(box, Qt.Key.Key_Escape)


def test_a_file_whose_ending_is_added_is_not_replaced_unasked(
    plot: Plot, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there = tmp_path / "plot.csv"
    there.write_text("mine")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "plot"), ""))
    asked: list[str] = []

    def answer(button: QMessageBox.StandardButton) -> None:
        box = QApplication.activeModalWidget()
        if isinstance(box, QMessageBox):
            clock.stop()
            asked.append(box.text())
            qtbot.mouseClick(box.button(button), Qt.MouseButton.LeftButton)

    for button, kept in ((QMessageBox.StandardButton.No, True), (QMessageBox.StandardButton.Yes, False)):
        clock = QTimer(interval=10)
        clock.timeout.connect(lambda button=button: answer(button))
        clock.start()
        chosen(plot, qtbot, "Save as CSV…")
        assert (there.read_text() == "mine") is kept
    assert asked == ["plot.csv is there already. Replace it?"] * 2


def test_a_full_disk_leaves_the_file_that_was_there(
    plot: Plot, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    there = tmp_path / "plot.csv"
    there.write_text("mine")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(there), ""))
    monkeypatch.setattr(os, "fsync", full)
    chosen(plot, qtbot, "Save as CSV…")
    assert plot.findChild(QMessageBox).text().startswith("plot.csv could not be written: No space left on device.")
    assert there.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [there]
    qtbot.keyClick(plot.findChild(QMessageBox), Qt.Key.Key_Escape)


def test_a_table_leaves_out_what_is_not_known_and_keeps_what_single_precision_holds() -> None:
    table = Table({"a, b": np.array([0.1, np.nan], np.float32), "n": np.array([1, 2])})
    assert table.text() == '"a, b",n\n0.1,1\n,2\n'
