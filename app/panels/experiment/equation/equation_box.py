"""The equation with what is said about it, in a box that may be kept low; a long equation then scrolls in it, and a
small button at its lower right tells that there is more."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QToolButton, QVBoxLayout, QWidget

from app.panels.experiment.equation.bias_line import BiasLine
from app.panels.experiment.equation.equation_view import EquationView
from app.style.theme import Theme

UNLIMITED = 16_000
_MORE = 20  # pixels


class EquationBox(QWidget):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.equation = EquationView(theme)
        self.bias = BiasLine()
        self._limit = UNLIMITED
        self.scroll_area = QScrollArea()
        self.scroll_area.setProperty("role", "scrolled")
        self.scroll_area.setFrameShape(QFrame.Shape.NoFrame)
        self.scroll_area.setWidgetResizable(True)
        self.scroll_area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll_area.setAccessibleName("Equation")
        self.scroll_area.setWidget(self.equation)
        self.more = QToolButton(self)
        self.more.setArrowType(Qt.ArrowType.DownArrow)
        self.more.setProperty("role", "more")
        self.more.setToolTip("More of the equation below")
        self.more.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the keyboard scrolls
        self.more.clicked.connect(self._scroll_on)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(theme.unit // 2)
        self._layout.addWidget(self.scroll_area)
        self._layout.addWidget(self.bias)
        self.equation.height_changed.connect(self._fit)
        # With nothing to scroll, Tab need not stop here.
        self.scroll_area.verticalScrollBar().rangeChanged.connect(self._follow_range)
        self.scroll_area.verticalScrollBar().valueChanged.connect(self._place_more)
        self._follow_range(0, 0)

    def set_limit(self, height: int) -> None:
        """How tall the equation may be."""
        if height != self._limit:
            self._limit = height
            self._fit()

    @property
    def beneath(self) -> int:
        """The height of what stands under the equation."""
        height = self.bias.heightForWidth(self.width())  # -1 while it is a single line
        return self._layout.spacing() + (height if height >= 0 else self.bias.sizeHint().height())

    def apply_theme(self, theme: Theme) -> None:
        self.equation.apply_theme(theme)

    def _fit(self) -> None:
        width = max(self.scroll_area.viewport().width(), 1)
        wanted = self.equation.heightForWidth(width)
        # No row is cut in half at rest.
        self.scroll_area.setFixedHeight(
            wanted if wanted <= self._limit else self.equation.whole_rows(width, self._limit)
        )
        self._place_more()

    def _scroll_on(self) -> None:
        bar = self.scroll_area.verticalScrollBar()
        bar.setValue(bar.value() + bar.pageStep() - 2 * bar.singleStep())

    def _place_more(self) -> None:
        bar = self.scroll_area.verticalScrollBar()
        self.more.setVisible(bar.value() < bar.maximum())
        right, bottom = (
            self.scroll_area.geometry().right() - bar.sizeHint().width() - 4,
            self.scroll_area.geometry().bottom(),
        )
        self.more.setGeometry(right - _MORE, bottom - _MORE, _MORE, _MORE)
        self.more.raise_()

    def _follow_range(self, _least: int, most: int) -> None:
        self.scroll_area.setFocusPolicy(Qt.FocusPolicy.StrongFocus if most > 0 else Qt.FocusPolicy.NoFocus)
        self._place_more()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()
        self._place_more()
