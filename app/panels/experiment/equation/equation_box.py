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
        self.scroll = QScrollArea()
        self.scroll.setProperty("role", "scrolled")
        self.scroll.setFrameShape(QFrame.Shape.NoFrame)
        self.scroll.setWidgetResizable(True)
        self.scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll.setAccessibleName("Equation")
        self.scroll.setWidget(self.equation)
        self.more = QToolButton(self)
        self.more.setArrowType(Qt.ArrowType.DownArrow)
        self.more.setProperty("role", "more")
        self.more.setToolTip("More of the equation below")
        self.more.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the keyboard scrolls
        self.more.clicked.connect(self._scroll_on)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.unit // 2)
        layout.addWidget(self.scroll)
        layout.addWidget(self.bias)
        self.equation.height_changed.connect(self._fit)
        # With nothing to scroll, Tab need not stop here.
        self.scroll.verticalScrollBar().rangeChanged.connect(self._follow_range)
        self.scroll.verticalScrollBar().valueChanged.connect(self._place_more)
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
        return self.layout().spacing() + (height if height >= 0 else self.bias.sizeHint().height())

    def apply_theme(self, theme: Theme) -> None:
        self.equation.apply_theme(theme)

    def _fit(self) -> None:
        width = max(self.scroll.viewport().width(), 1)
        wanted = self.equation.heightForWidth(width)
        # No row is cut in half at rest.
        self.scroll.setFixedHeight(wanted if wanted <= self._limit else self.equation.whole_rows(width, self._limit))
        self._place_more()

    def _scroll_on(self) -> None:
        bar = self.scroll.verticalScrollBar()
        bar.setValue(bar.value() + bar.pageStep() - 2 * bar.singleStep())

    def _place_more(self) -> None:
        bar = self.scroll.verticalScrollBar()
        self.more.setVisible(bar.value() < bar.maximum())
        right, bottom = self.scroll.geometry().right() - bar.sizeHint().width() - 4, self.scroll.geometry().bottom()
        self.more.setGeometry(right - _MORE, bottom - _MORE, _MORE, _MORE)
        self.more.raise_()

    def _follow_range(self, _least: int, most: int) -> None:
        self.scroll.setFocusPolicy(Qt.FocusPolicy.StrongFocus if most > 0 else Qt.FocusPolicy.NoFocus)
        self._place_more()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()
        self._place_more()
