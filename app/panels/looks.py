"""Looking now and then at what is to be shown, while it can be seen."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget


class Looks(QTimer):
    """Calls ``look`` every so many ms while ``widget`` can be seen, and at once when it is hidden; whoever finds
    nothing to be seen there stops it.

    It hears of that from the widget's own events: of what has been behind another tab nothing but painting tells.

    Args:
        wanted: whether there is anything to look for.
    """

    def __init__(
        self, widget: QWidget, every: int, look: Callable[[], object], wanted: Callable[[], bool] = lambda: True
    ) -> None:
        super().__init__(widget, interval=every)
        self._widget, self._look, self._wanted = widget, look, wanted
        self.timeout.connect(look)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Show, QEvent.Type.Paint):
            self.request()
        elif event.type() == QEvent.Type.Hide:
            self._look()
        return False

    def request(self) -> None:
        """Look from soon on, and while it can be seen."""
        if not self.isActive() and self._widget.isVisible() and self._wanted():
            self.start()
