"""A frame that blinks around something, so that a person sees where to look."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QWidget

_BLINKS, _INTERVAL = 3, 260  # ms that it is seen, and not
_WIDTH = 3


class Flash(QWidget):
    """Lies over ``over``, lets the mouse through, and goes by itself."""

    def __init__(self, over: QWidget) -> None:
        super().__init__(over)
        self._left = 2 * _BLINKS - 1  # changes
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setGeometry(over.rect())
        self._timer = QTimer(self, interval=_INTERVAL)
        self._timer.timeout.connect(self._blink)
        self._timer.start()
        self.show()
        self.raise_()

    def _blink(self) -> None:
        self._left -= 1
        if self._left <= 0:
            self._timer.stop()
            self.hide()
            self.deleteLater()
        else:
            self.setVisible(not self.isVisible())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Link), _WIDTH))
        painter.drawRect(self.rect().adjusted(_WIDTH // 2, _WIDTH // 2, -_WIDTH // 2, -_WIDTH // 2))
        painter.end()
