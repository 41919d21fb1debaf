"""Real mouse events upon plots."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.plotting.plot import Plot

_NONE = Qt.KeyboardModifier.NoModifier


def pixel_of(plot: Plot, x: float, y: float) -> QPoint:
    """Where a point of the data lies on the screen, in pixels of the plot."""
    view = plot._view
    return view.mapViewToScene(QPointF(x, y)).toPoint()


def point_at(plot: Plot, x: float, y: float) -> None:
    """Move the mouse to a point of the data."""
    QTest.mouseMove(plot.viewport(), pixel_of(plot, x, y) + QPoint(20, 20))
    QTest.mouseMove(plot.viewport(), pixel_of(plot, x, y))


def wheel(plot: Plot, at: QPoint, turns: int = 1, modifiers: Qt.KeyboardModifier = _NONE) -> None:
    """Turn the wheel: forward to zoom in, backward (negative) to zoom out."""
    place = QPointF(at)
    for _ in range(abs(turns)):
        event = QWheelEvent(
            place, plot.viewport().mapToGlobal(place), QPoint(), QPoint(0, 120 if turns > 0 else -120),
            Qt.MouseButton.NoButton, modifiers, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(plot.viewport(), event)
