"""The equation with what is said about it, which fills the room it is given; an equation that cannot be made to fit
scrolls in it, and a small button at its lower right tells that there is more."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QToolButton, QVBoxLayout, QWidget

from app.panels.experiment.equation.bias_line import BiasLine
from app.panels.experiment.equation.equation_view import EquationView, Outlined
from app.style.theme import Theme

_MORE = 20  # pixels
_RING = 2  # pixels that the style sheet draws around what has the focus


class EquationBox(QWidget):
    height_changed = Signal()  # that it would like to have

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.equation = EquationView(theme)
        self.bias = BiasLine()
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
        self.more.setAccessibleName("More of the equation below")
        self.more.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the keyboard scrolls
        self.more.clicked.connect(self._scroll_on)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(theme.unit, theme.unit // 2, theme.unit, theme.unit)
        self._layout.setSpacing(theme.unit // 2)
        self._layout.addWidget(self.scroll_area)
        self._layout.addWidget(self.bias)
        self._layout.addStretch(1)
        self.setMinimumHeight(1)
        self.equation.height_changed.connect(self._fit)
        self.equation.height_changed.connect(self.height_changed)
        self.bias.installEventFilter(self)
        # With nothing to scroll, Tab need not stop here.
        self.scroll_area.verticalScrollBar().rangeChanged.connect(self._follow_range)
        self.scroll_area.verticalScrollBar().valueChanged.connect(self._place_more)
        self._follow_range(0, 0)

    @property
    def wanted(self) -> int:
        """The height in which all of it has room in its full size."""
        return self.equation.wanted(self._width) + self._around

    @property
    def least(self) -> int:
        """The height in which the equation still has room, and beneath it a single line."""
        return self.equation.least(self._width) + self._margins + self.bias.line_height

    def taken(self, height: int) -> int:
        """How much of this height would be made use of; more than that where not even one row has room in it."""
        room = max(height - self._around, 1)
        first = self.equation.first_row(self._width, room)
        return max(min(self.equation.taken(self._width, room), room), first) + self._around

    @property
    def _width(self) -> int:
        margins = self._layout.contentsMargins()
        return max(self.width() - margins.left() - margins.right() - 2 * _RING, 1)

    @property
    def _around(self) -> int:
        """The height that the equation does not have."""
        beneath = self.bias.heightForWidth(self._width)  # -1 while it is a single line
        return self._margins + (beneath if beneath >= 0 else self.bias.line_height)

    @property
    def _margins(self) -> int:
        margins = self._layout.contentsMargins()
        return margins.top() + margins.bottom() + self._layout.spacing() + 2 * _RING

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.equation.apply_theme(theme)
        self.bias.button.setIconSize(QSize(theme.px(14), theme.px(14)))
        self._fit()
        self.height_changed.emit()

    def _fit(self) -> None:
        room = max(self.height() - self._around, 1)
        self.equation.set_room(QSize(self._width, room), self.scroll_area.verticalScrollBar().sizeHint().width())
        height = self.equation.height_in_use
        # No row is cut in half at rest, and what is said beneath is never pushed out.
        shown = height if height <= room else min(self.equation.whole_rows(room), room)
        self.scroll_area.setFixedHeight(shown + 2 * _RING)
        self._place_more()

    def light(self, terms: Outlined) -> None:
        """Lay a ground behind these terms, and scroll to them, so far that what tells of more does not cover them."""
        self.equation.light(terms)
        place = self.equation.lit_at
        if place is not None:
            bar = self.scroll_area.verticalScrollBar()
            lowest = place.bottom() + self._theme.px(_MORE) + _RING - bar.pageStep()
            bar.setValue(round(min(max(bar.value(), lowest), place.top())))

    def _scroll_on(self) -> None:
        bar = self.scroll_area.verticalScrollBar()
        bar.setValue(bar.value() + bar.pageStep() - 2 * bar.singleStep())

    def _place_more(self) -> None:
        bar, side = self.scroll_area.verticalScrollBar(), self._theme.px(_MORE)
        self.more.setVisible(bar.value() < bar.maximum())
        place = self.scroll_area.geometry()
        self.more.setGeometry(place.right() - bar.sizeHint().width() - 4 - side, place.bottom() - side, side, side)
        self.more.raise_()

    def _follow_range(self, _least: int, most: int) -> None:
        self.scroll_area.setFocusPolicy(Qt.FocusPolicy.StrongFocus if most > 0 else Qt.FocusPolicy.NoFocus)
        self._place_more()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:  # reasons that are opened take from the equation
            self._fit()
            self.height_changed.emit()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
