"""The few parameters that matter most for the present method, side by side where there is room."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.panels.experiment.form.parameter_row import ParameterRow
from app.style.swatch import Bolt
from app.style.theme import Theme

_NARROWEST = 128  # pixels of one of two columns


class PinnedGroup(QWidget):
    """Hidden while it has no rows. Its heading explains the sign of what may change while training."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.rows: list[ParameterRow] = []
        self._theme = theme
        self._columns = 0
        self._bolt = Bolt()
        heading = QLabel("What matters most")
        heading.setProperty("role", "heading")
        header = QHBoxLayout()
        header.setSpacing(theme.unit // 2)
        header.addWidget(heading)
        header.addStretch(1)
        header.addWidget(self._bolt)
        legend = QLabel("changes while training")
        legend.setProperty("role", "muted")
        legend.setProperty("small", True)
        legend.setToolTip("What has this sign may be changed while a run trains.")
        header.addWidget(legend)
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.unit + theme.unit // 2)
        self._grid.setVerticalSpacing(theme.unit // 2)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(theme.unit // 2)
        whole.addLayout(header)
        whole.addLayout(self._grid)
        self.hide()

    def tab_stops(self) -> list[QWidget]:
        return [stop for row in self.rows for stop in row.tab_stops()]

    def show_rows(self, rows: list[ParameterRow]) -> None:
        self.setVisible(bool(rows))
        if rows != self.rows:
            self.rows = rows
            for row in rows:
                row.set_stacked(True)
            self._columns = 0
            self._arrange()

    def remove(self, row: ParameterRow) -> None:
        """Take a row out and hide it."""
        self.rows = [other for other in self.rows if other is not row]
        for widget in (row, row.complaint_label):
            self._grid.removeWidget(widget)
        row.hide()
        row.set_stacked(False)

    def reveal(self) -> None:
        """It is never closed."""

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._bolt.apply_theme(theme)
        self._arrange()

    def _arrange(self) -> None:
        """As many columns as there is room for."""
        columns = 2 if self.width() >= 2 * self._theme.px(_NARROWEST) + self._grid.horizontalSpacing() else 1
        if columns == self._columns:
            return
        self._columns = columns
        for position, row in enumerate(self.rows):
            line, column = divmod(position, columns)
            self._grid.addWidget(row, (columns + 1) * line, column)
            # Beneath all of the line, so that the neighbours stay where they are.
            self._grid.addWidget(row.complaint_label, (columns + 1) * line + 1 + column, 0, 1, columns)
            row.show()
        for column in range(2):
            self._grid.setColumnStretch(column, int(column < columns))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._arrange()
