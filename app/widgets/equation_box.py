"""The equation with what is said about it, in a box that may be kept low; a long equation then scrolls in it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets.bias_line import BiasLine
from app.widgets.equation_view import EquationView

UNLIMITED = 16_000


class EquationBox(QWidget):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.equation = EquationView(theme)
        self.bias = BiasLine()
        self._limit = UNLIMITED
        self.scroll = QScrollArea()
        self.scroll.setProperty("role", "scrolled")
        self.scroll.setFrameShape(QFrame.Shape.NoFrame)
        self.scroll.setWidgetResizable(True)
        self.scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll.setAccessibleName("Equation")
        self.scroll.setWidget(self.equation)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.unit // 2)
        layout.addWidget(self.scroll)
        layout.addWidget(self.bias)
        self.equation.height_changed.connect(self._fit)
        # With nothing to scroll, Tab need not stop here.
        self.scroll.verticalScrollBar().rangeChanged.connect(self._follow_range)
        self._follow_range(0, 0)

    def set_limit(self, height: int) -> None:
        """How tall the equation may be."""
        if height != self._limit:
            self._limit = height
            self._fit()

    def apply_theme(self, theme: Theme) -> None:
        self.equation.apply_theme(theme)

    def _fit(self) -> None:
        wanted = self.equation.heightForWidth(max(self.scroll.viewport().width(), 1))
        self.scroll.setFixedHeight(min(wanted, self._limit))

    def _follow_range(self, _least: int, most: int) -> None:
        self.scroll.setFocusPolicy(Qt.FocusPolicy.StrongFocus if most > 0 else Qt.FocusPolicy.NoFocus)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()
