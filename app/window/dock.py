"""One dock, whose title says in muted words which run its panel shows."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPaintEvent, QPalette
from PySide6.QtWidgets import QDockWidget, QMainWindow, QStyle, QStyleOptionDockWidget, QStyleOptionFrame, QStylePainter

_INDENT = 4  # pixels before the title, which then stands above what the panel begins with
_GAP = 10  # pixels between title and run


class Dock(QDockWidget):
    """As a tab, whose tab has the title already, its own bar names the run alone."""

    def __init__(self, title: str, window: QMainWindow) -> None:
        super().__init__(title, window)
        self._main = window
        self._run = ""
        self.setObjectName(title.lower())

    @property
    def run(self) -> str:
        """The run that is named beside the title."""
        return self._run

    def name_run(self, name: str) -> None:
        if name != self._run:
            self._run = name
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionDockWidget()
        self.initStyleOption(option)
        painter = QStylePainter(self)
        if self.isFloating():
            frame = QStyleOptionFrame()
            frame.initFrom(self)
            painter.drawPrimitive(QStyle.PrimitiveElement.PE_FrameDockWidget, frame)
        room = self.style().subElementRect(QStyle.SubElement.SE_DockWidgetTitleBarText, option, self)
        room.adjust(_INDENT, 0, 0, 0)
        title = "" if self._is_tab() else option.title
        option.title = ""
        painter.drawControl(QStyle.ControlElement.CE_DockWidgetTitle, option)
        metrics = painter.fontMetrics()
        place = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        shown = metrics.elidedText(title, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, place, shown)
        taken = metrics.horizontalAdvance(shown) + _GAP if shown else 0
        rest = QRect(room)
        rest.setLeft(room.left() + taken)
        if self._run and rest.width() > metrics.averageCharWidth() * 4:
            font = painter.font()
            font.setWeight(font.Weight.Normal)
            painter.setFont(font)
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            run = painter.fontMetrics().elidedText(self._run, Qt.TextElideMode.ElideRight, rest.width())
            painter.drawText(rest, place, run)
        painter.end()

    def _is_tab(self) -> bool:
        return not self.isFloating() and bool(self._main.tabifiedDockWidgets(self))
