"""Two widgets, one above the other, with a handle between them that can be dragged."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF, QSettings, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSplitter, QSplitterHandle, QWidget

_KEY = "equation_share"
_HANDLE = 9  # pixels


class Divider(QSplitter):
    """Places its handle itself until a person drags it, and again after a double click on it.

    Args:
        place: how tall the lower widget is to be in so many pixels.
        settings: where the place that a person gave it is remembered; nowhere where it is None.
    """

    def __init__(self, above: QWidget, below: QWidget, place: Callable[[int], int], settings: QSettings | None) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self._place, self._settings = place, settings
        self._share = _share(settings)
        self.setHandleWidth(_HANDLE)
        self.addWidget(above)
        self.addWidget(below)
        self.setCollapsible(0, False)
        self.setStretchFactor(0, 1)
        self.splitterMoved.connect(self._remember)

    def createHandle(self) -> QSplitterHandle:
        return _Handle(self.orientation(), self)

    @property
    def dragged(self) -> bool:
        return self._share is not None

    def settle(self) -> None:
        """Put the handle where it belongs in the present height."""
        height = self.height() - self.handleWidth()
        below = self._place(height) if self._share is None else round(self._share * height)
        if self.sizes()[1] != below:
            self.setSizes([height - below, below])

    def restore(self) -> None:
        """Forget where a person dragged it to."""
        self._share = None
        if self._settings is not None:
            self._settings.remove(_KEY)
        self.settle()

    def _remember(self) -> None:
        self._share = self.sizes()[1] / max(sum(self.sizes()), 1)
        if self._settings is not None:
            self._settings.setValue(_KEY, self._share)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.settle()


class _Handle(QSplitterHandle):
    """A line with a grip in its middle."""

    def __init__(self, orientation: Qt.Orientation, parent: Divider) -> None:
        super().__init__(orientation, parent)
        self._divider = parent
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setToolTip("Drag to give the equation more room or less; a double click puts it back")

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._divider.restore()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        palette, middle = self.palette(), self.rect().center()
        painter.fillRect(0, middle.y(), self.width(), 1, palette.mid())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.text() if self.underMouse() else palette.placeholderText())
        painter.drawRoundedRect(QRectF(middle.x() - 18, middle.y() - 1.5, 36, 4), 2, 2)
        painter.end()


def _share(settings: QSettings | None) -> float | None:
    """The share of the height that was remembered, if any that makes sense was."""
    try:
        share = float(settings.value(_KEY)) if settings is not None else -1.0
    except (TypeError, ValueError):
        return None
    return share if 0.0 <= share <= 1.0 else None
