"""The map of a grid world, drawn by hand."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.models.experiment import Experiment
from app.models.form_rules import legends
from app.panels.experiment.form.map_drawing import Rows
from app.panels.experiment.form.map_editor import MapEditor
from app.panels.experiment.form.map_editor_dialog import LARGEST, SMALLEST, MapDialog
from app.style.theme import load_theme
from tests.app.shorthands import experiment, heard

MAP = "environment.options.map"
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
DARK = load_theme("dark")
AS_IT_COMES = ("S..#.", ".#...", ".H.#.", "...#.", ".#..G")


@pytest.fixture
def chosen() -> Experiment:
    return experiment("GridWorld-v0")


@pytest.fixture
def dialog(qtbot: QtBot, chosen: Experiment) -> MapDialog:
    parameter = next(p for p in chosen.parameters() if p.path == MAP)
    dialog = MapDialog(parameter, legends(chosen.plain)[MAP], DARK, lambda rows: chosen.refusal_of_value(MAP, rows))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitActive(dialog)
    return dialog


@pytest.fixture
def editor(dialog: MapDialog) -> MapEditor:
    return dialog.editor


def at(editor: MapEditor, row: int, column: int) -> QPoint:
    return editor.cell_rect(row, column).center().toPoint()


def click(editor: MapEditor, row: int, column: int, button: Qt.MouseButton = LEFT) -> None:
    QTest.mouseClick(editor, button, pos=at(editor, row, column))


def drag(editor: MapEditor, start: tuple[int, int], end: tuple[int, int]) -> None:
    QTest.mousePress(editor, LEFT, pos=at(editor, *start))
    QTest.mouseMove(editor, at(editor, *end))
    QTest.mouseRelease(editor, LEFT, pos=at(editor, *end))


def press(editor: MapEditor, *keys: Qt.Key) -> None:
    for key in keys:
        QTest.keyClick(editor, key)


def with_cells(rows: Rows, **cells: str) -> Rows:
    """``rows`` with others at places such as ``r1c2``."""
    grid = [list(row) for row in rows]
    for place, sign in cells.items():
        row, column = place[1:].split("c")
        grid[int(row)][int(column)] = sign
    return tuple("".join(row) for row in grid)


def test_the_left_button_paints_and_the_right_one_erases(editor: MapEditor):
    click(editor, 1, 3)
    click(editor, 2, 1, RIGHT)
    assert editor.rows == with_cells(AS_IT_COMES, r1c3="#", r2c1=".")


def test_a_chosen_brush_paints(editor: MapEditor, dialog: MapDialog):
    QTest.mouseClick(dialog.brushes["H"], LEFT)
    click(editor, 4, 3)
    assert editor.rows == with_cells(AS_IT_COMES, r4c3="H")


def test_a_fast_drag_leaves_no_gaps_and_is_one_step_to_undo(editor: MapEditor, dialog: MapDialog):
    drag(editor, (0, 4), (4, 3))
    assert sum(row.count("#") for row in editor.rows) == 5 + 4  # of five new walls one stood there already
    QTest.mouseClick(dialog.undo_button, LEFT)
    assert editor.rows == AS_IT_COMES
    QTest.mouseClick(dialog.redo_button, LEFT)
    assert editor.rows[0][4] == editor.rows[4][3] == "#"


def test_a_stroke_that_changes_nothing_is_nothing_to_undo(editor: MapEditor, dialog: MapDialog):
    click(editor, 1, 1)
    assert not dialog.undo_button.isEnabled()


def test_what_was_undone_is_forgotten_once_something_else_is_drawn(editor: MapEditor, dialog: MapDialog):
    click(editor, 1, 3)
    QTest.keyClick(dialog, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert dialog.redo_button.isEnabled()
    click(editor, 2, 2)
    assert not dialog.redo_button.isEnabled()


def test_a_click_beside_the_map_does_nothing(editor: MapEditor):
    editor.resize_map(2, 20)
    rows = editor.rows
    QTest.mouseClick(editor, LEFT, pos=QPoint(editor.width() // 2, 3))
    assert editor.rows == rows


def test_the_keyboard_moves_paints_and_erases(editor: MapEditor, dialog: MapDialog):
    press(editor, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Left)
    assert editor.cursor_cell == (1, 0)
    QTest.keyClicks(editor, "h")
    assert dialog.brushes["H"].isChecked()
    press(editor, Qt.Key.Key_Down, Qt.Key.Key_Space, Qt.Key.Key_Right, Qt.Key.Key_Delete)
    assert editor.rows == with_cells(AS_IT_COMES, r1c0="H", r2c0="H", r2c1=".")


def test_the_cell_at_the_cursor_is_told(editor: MapEditor):
    press(editor, Qt.Key.Key_Down, Qt.Key.Key_Right)
    assert editor.accessibleName() == "Map of 5 × 5, row 2, column 2: wall"


def test_rows_and_columns_come_and_go_at_the_end(editor: MapEditor, dialog: MapDialog):
    QTest.mouseClick(dialog.heights.more, LEFT)
    QTest.mouseClick(dialog.widths.more, LEFT)
    assert editor.rows == (*(f"{row}." for row in AS_IT_COMES), "......")
    QTest.mouseClick(dialog.heights.fewer, LEFT)
    QTest.mouseClick(dialog.widths.fewer, LEFT)
    assert editor.rows == AS_IT_COMES


@pytest.mark.parametrize(("size", "more", "fewer"), [(SMALLEST, True, False), (LARGEST, False, True)])
def test_a_map_is_neither_too_small_nor_too_large(editor: MapEditor, dialog: MapDialog, size, more, fewer):
    editor.resize_map(size, size)
    for count in (dialog.heights, dialog.widths):
        assert (count.more.isEnabled(), count.fewer.isEnabled()) == (more, fewer)


def test_the_cursor_stays_within_a_map_that_shrinks(editor: MapEditor):
    press(editor, *[Qt.Key.Key_Down] * 4)
    editor.resize_map(2, 2)
    assert editor.cursor_cell == (1, 0)


def test_a_map_that_will_not_do_is_told_at_once_and_cannot_be_applied(editor: MapEditor, dialog: MapDialog):
    click(editor, 4, 4, RIGHT)
    assert (dialog.verdict.text(), dialog.apply_button.isEnabled()) == ("A grid needs a start S and a goal G.", False)
    QTest.mouseClick(dialog.undo_button, LEFT)
    assert dialog.apply_button.isEnabled()


def test_applying_hands_the_map_over_and_cancelling_does_not(editor: MapEditor, dialog: MapDialog):
    told = heard(dialog.applied)
    click(editor, 1, 3)
    dialog.reject()
    assert told == []
    dialog.show()
    QTest.mouseClick(dialog.apply_button, LEFT)
    assert told == [with_cells(AS_IT_COMES, r1c3="#")]
    assert not dialog.isVisible()


def test_the_map_as_it_came_is_a_click_away(editor: MapEditor, dialog: MapDialog):
    assert not dialog.default_button.isEnabled()
    editor.resize_map(3, 9)
    QTest.mouseClick(dialog.default_button, LEFT)
    assert editor.rows == AS_IT_COMES


def test_a_map_larger_than_can_be_made_may_stay_so(qtbot: QtBot, chosen: Experiment):
    large = ("S" + 29 * ".", 29 * "." + "G")
    parameter = next(p for p in chosen.parameters() if p.path == MAP)._replace(value=large)
    dialog = MapDialog(parameter, legends(chosen.plain)[MAP], DARK, lambda _rows: None)
    qtbot.addWidget(dialog)
    QTest.mouseClick(dialog.heights.more, LEFT)
    assert dialog.editor.rows == (*large, 30 * ".")


@pytest.mark.parametrize("size", [(2, 20), (20, 2), (20, 20)])
def test_cells_are_square_and_within_the_widget(editor: MapEditor, size: tuple[int, int]):
    editor.resize_map(*size)
    first, last = editor.cell_rect(0, 0), editor.cell_rect(size[0] - 1, size[1] - 1)
    assert first.width() == pytest.approx(first.height())
    assert editor.rect().toRectF().contains(first.united(last))


def test_each_kind_of_cell_looks_different(editor: MapEditor):
    editor.set_rows(("SGH", "#..", "..."))
    picture = editor.grab().toImage()

    def seen(row: int, column: int) -> frozenset[QColor]:
        place = editor.cell_rect(row, column).adjusted(6, 6, -6, -6).toRect()
        return frozenset(picture.pixel(x, y) for x in range(*_ends(place, 0)) for y in range(*_ends(place, 1)))

    kinds = [seen(0, 0), seen(0, 1), seen(0, 2), seen(1, 0), seen(2, 2)]
    assert len(set(kinds)) == len(kinds)


def _ends(place, axis):
    return (place.left(), place.right()) if axis == 0 else (place.top(), place.bottom())
