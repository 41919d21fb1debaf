"""Drawing no more often than an eye needs, without ever leaving the last state undrawn."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


class Pace(QObject):
    """Calls ``draw`` at once when it is asked to, then not again before ``interval`` ms have passed."""

    def __init__(self, parent: QObject, interval: int, draw: Callable[[], None]) -> None:
        super().__init__(parent)
        self._draw = draw
        self._pending = False
        self._timer = QTimer(self, singleShot=True, interval=interval)
        self._timer.timeout.connect(self._elapsed)

    def set_interval(self, interval: int) -> None:
        """Change how many ms pass from one drawing to the next."""
        self._timer.setInterval(interval)

    def request(self) -> None:
        if self._timer.isActive():
            self._pending = True
        else:
            self._timer.start()
            self._draw()

    def cancel(self) -> None:
        self._pending = False
        self._timer.stop()

    def _elapsed(self) -> None:
        if self._pending:
            self._pending = False
            self.request()
