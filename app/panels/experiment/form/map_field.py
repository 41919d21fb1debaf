"""An editor that shows a map in small and asks for it to be edited."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QPushButton, QWidget

from app.models.form_rules import Legend
from app.panels.experiment.form.map_drawing import Rows, is_map, picture
from app.panels.experiment.form.parameter_editor import Editor
from app.style.theme import Theme

_SIZE = QSize(40, 20)  # pixels


class MapField(Editor):
    """A button with the map on it; who hears ``asked`` edits it."""

    asked = Signal()

    def __init__(self, legend: Legend, parent: QWidget | None = None) -> None:
        self._button = QPushButton("Edit…")
        super().__init__(self._button, parent)
        self._button.setAutoDefault(False)
        self._button.clicked.connect(self.asked)
        self._legend = legend
        self._rows: Rows = ()
        self._theme: Theme | None = None

    def set_legend(self, legend: Legend) -> None:
        self._legend = legend
        self._draw()

    def set_value(self, value: Any) -> None:
        self._rows = tuple(value)
        self._draw()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._draw()

    def _draw(self) -> None:
        if self._theme is not None and is_map(self._rows):
            size = _SIZE * self._theme.text_scale
            self._button.setIconSize(size)
            drawn = picture(self._rows, self._legend, self._theme, size, self.devicePixelRatioF())
            self._button.setIcon(QIcon(drawn))
