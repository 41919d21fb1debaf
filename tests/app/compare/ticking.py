"""Which runs are compared, chosen as a person does."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from app.compare.page import ComparePage


def tick(page: ComparePage, qtbot: QtBot, number: int) -> None:
    """Click the box of a run."""
    rows = page.picker.rows
    row = next(at for at, record in enumerate(rows.records) if record.number == number)
    box = page.picker.list.visualRect(rows.index(row))
    before = len(page.compared.runs)
    place = QPoint(box.left() + 10, box.center().y())
    qtbot.mouseClick(page.picker.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: len(page.compared.runs) != before and not page.compared.is_reading)


def only(page: ComparePage, qtbot: QtBot, *numbers: int) -> None:
    """Tick these runs and no others."""
    page.picker.clear_button.click()
    qtbot.waitUntil(lambda: not page.compared.runs and not page.compared.is_reading)
    for number in numbers:
        tick(page, qtbot, number)
