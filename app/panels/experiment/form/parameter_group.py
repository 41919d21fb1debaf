"""A heading and its rows in the parameter form; where they are seldom wanted, the heading opens and closes them."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.panels.experiment.form.parameter_row import ParameterRow
from app.style.sentence import smaller
from app.style.swatch import PartSign
from app.style.theme import Theme
from engine.equations import Part

_HEIGHT = 20  # pixels
_ARROW = 18  # pixels that the arrow takes before the name


class Group(QWidget):
    """Hidden while it has no rows; ``opened`` tells that a person has opened it.

    One that ``folds`` is closed at first. It opens by itself once something in it is not at its default, unless a
    person has closed it since, and what they do by hand stays.
    """

    opened = Signal()

    def __init__(self, title: str, part: Part = "", *, folds: bool = False) -> None:
        super().__init__()
        self.rows: list[ParameterRow] = []
        self._part = part
        self._wish: bool | None = None  # whether a person wants it open; None if they have not said
        self._changed = 0
        self._sign = PartSign(part) if part else None
        self.heading = Heading(title) if folds else None
        self._body = QWidget()
        self._layout = QVBoxLayout(self._body)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(4)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(4)
        whole.addLayout(self._header(title))
        whole.addWidget(self._body)
        self._body.setVisible(not folds)
        self.hide()

    def _header(self, title: str) -> QHBoxLayout:
        header = QHBoxLayout()
        header.setSpacing(6)
        if self._sign is not None:
            header.addWidget(self._sign)
        if self.heading is None:
            label = QLabel(title)
            label.setProperty("role", "heading")
            header.addWidget(label, 1)
        else:
            header.addWidget(self.heading, 1)
            self.heading.clicked.connect(self._obey)
        return header

    @property
    def open(self) -> bool:
        return not self._body.isHidden()

    def tab_stops(self) -> list[QWidget]:
        stops = [stop for row in self.rows for stop in row.tab_stops()]
        return stops if self.heading is None else [self.heading, *stops]

    def show_rows(self, rows: list[ParameterRow]) -> None:
        self.setVisible(bool(rows))
        if rows != self.rows:
            self.rows = rows
            for position, row in enumerate(rows):
                item = self._layout.itemAt(position)
                if item is None or item.widget() is not row:
                    self._layout.insertWidget(position, row)
                    row.show()
        if self.heading is not None:
            self._follow(sum(row.parameter.value != row.parameter.default for row in rows))

    def remove(self, row: ParameterRow) -> None:
        """Take a row out and hide it."""
        self.rows = [other for other in self.rows if other is not row]
        self._layout.removeWidget(row)
        row.hide()

    def reveal(self) -> None:
        """Open it, since something in it needs to be seen."""
        if self.heading is not None and not self.open:
            self._wish = True
            self._fold()

    def apply_theme(self, theme: Theme) -> None:
        if self._sign is not None:
            self._sign.apply_theme(theme)

    def _obey(self) -> None:
        self._wish = not self.open
        if not self._wish:
            for row in self.rows:
                if row.complaint:  # which could not be seen, and would not let a run start
                    row.settle()
        self._fold()
        if self._wish:
            self.opened.emit()

    def _follow(self, changed: int) -> None:
        if changed and not self._changed and not self._wish:
            self._wish = None
        self._changed = changed
        self._fold()

    def _fold(self) -> None:
        """Open or close as wished; what a person is at work in stays open."""
        assert self.heading is not None
        at_work = self.open and self._body.isAncestorOf(self.window().focusWidget() or self)
        opened = (bool(self._changed) or at_work) if self._wish is None else self._wish
        self._body.setVisible(opened)
        names = [row.parameter.title for row in self.rows]
        self.heading.tell(opened, f"{self._changed} changed" if self._changed else "", ", ".join(names))


class Heading(QAbstractButton):
    """A group's name with an arrow; at the right in muted words what has been changed in it."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setText(title)
        self.setAccessibleName(title)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._opened = False
        self.summary = ""

    def tell(self, opened: bool, summary: str, contents: str) -> None:
        self._opened, self.summary = opened, summary
        self.setAccessibleDescription(f"{'Open' if opened else 'Closed'}. {summary or 'Nothing changed'}. {contents}.")
        self.setToolTip("" if opened else f"{contents}.")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(120, max(_HEIGHT, self.fontMetrics().height() + 4))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            if self._opened is (event.key() == Qt.Key.Key_Left):
                self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette, middle = self.palette(), self.height() / 2
        lit = self.hasFocus() or self.underMouse()
        if self.hasFocus():
            painter.setPen(QPen(palette.link(), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 4, 4)
        painter.setPen(QPen((palette.text() if lit else palette.placeholderText()).color(), 1.5))
        turned = [(0, -2), (4, 2), (8, -2)] if self._opened else [(2, -4), (6, 0), (2, 4)]
        painter.drawPolyline(QPolygonF([QPointF(5 + x, middle + y) for x, y in turned]))
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        painter.setFont(bold)
        painter.setPen(palette.text().color())
        room = QRect(_ARROW, 0, self.width() - _ARROW - 4, self.height())
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self.text())
        room.setLeft(_ARROW + QFontMetrics(bold).horizontalAdvance(self.text()) + 12)
        painter.setFont(smaller(self.font()))
        painter.setPen((palette.text() if lit else palette.placeholderText()).color())
        summary = painter.fontMetrics().elidedText(self.summary, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, summary)
        painter.end()
