"""Two plots that belong together, in whatever room there is."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.plotting.plot import Plot
from app.style.combo import Combo
from app.style.theme import Theme

_LEAST = 170, 170  # pixels across and down that a plot is of use in, where text has the system's size


class TwoPlots(QWidget):
    """Side by side, or one above the other, where both have room; else the one that is chosen above it."""

    def __init__(self, theme: Theme, first: Plot, second: Plot, shares: tuple[int, int] = (1, 1)) -> None:
        super().__init__()
        self._theme, self.plots = theme, (first, second)
        self.choice = Combo()
        self.choice.setAccessibleName("Which plot is shown")
        self.choice.addItems([plot.title for plot in self.plots])
        self.choice.hide()
        self.choice.activated.connect(self._arrange)
        self._places = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._places.setSpacing(0)
        for plot, share in zip(self.plots, shares, strict=True):
            self._places.addWidget(plot, share)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.unit // 2, 0, 0)
        column.setSpacing(0)
        choosing = QHBoxLayout()
        choosing.setContentsMargins(0, 0, theme.unit, 0)
        choosing.addWidget(self.choice)
        column.addLayout(choosing)
        column.addLayout(self._places, 1)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        for plot in self.plots:
            plot.apply_theme(theme)
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        across = self.width() >= 2 * self._theme.px(_LEAST[0])
        down = self.height() >= 2 * self._theme.px(_LEAST[1])
        directions = QBoxLayout.Direction
        self._places.setDirection(directions.LeftToRight if across else directions.TopToBottom)
        self.choice.setVisible(not (across or down))
        for index, plot in enumerate(self.plots):
            plot.setVisible(across or down or index == self.choice.currentIndex())
