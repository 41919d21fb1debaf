"""A panel that opens over the others at the left edge, where there is no room for a column of it."""

from __future__ import annotations

from typing import cast

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QAction, QKeySequence, QMouseEvent, QPainter, QPaintEvent, QPalette, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QStyle,
    QStyleOptionToolButton,
    QStylePainter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from app.style.theme import Theme

_WIDTH = 352  # pixels
_AROUND = 10  # pixels before and after the words on the rail


class RailButton(QToolButton):
    """Opens the drawer; its words run upwards."""

    def __init__(self, action: QAction) -> None:
        super().__init__()
        self._action = action
        self.setText(action.text())
        self.setToolTip(action.toolTip())
        self.setAccessibleName(action.text())
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.clicked.connect(action.trigger)

    def sizeHint(self) -> QSize:
        words = self.fontMetrics().size(0, self.text())
        return QSize(words.height() + _AROUND, words.width() + 3 * _AROUND)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        option.text = ""
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option)
        painter.setPen(self.palette().color(QPalette.ColorRole.ButtonText))
        painter.rotate(-90)
        painter.drawText(
            QRect(-self.height(), 0, self.height(), self.width()), Qt.AlignmentFlag.AlignCenter, self.text()
        )
        painter.end()


class Drawer(QFrame):
    """Lies over its parent, which is not laid out anew. Escape or a click beside it closes it; the focus goes in where
    it was opened by a key, and comes back to where it was."""

    def __init__(self, page: QWidget, title: str, help: str, keys: str) -> None:
        super().__init__(page)
        self.action = QAction(title, page)
        self.action.setCheckable(True)
        self.action.setShortcut(QKeySequence(keys))
        self.action.setToolTip(help)
        self.button = RailButton(self.action)
        self._page = page
        self._least = _WIDTH
        self._before: QWidget | None = None  # what had the focus
        self._watched: QObject | None = None
        self._place = QVBoxLayout(self)
        self._place.setContentsMargins(0, 0, 1, 0)
        self.setAutoFillBackground(True)
        self._escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        self._escape.setEnabled(False)
        self._escape.activated.connect(lambda: self.action.setChecked(False))
        self.action.toggled.connect(self._open)
        self.hide()

    @property
    def holds(self) -> bool:
        """Whether the panel is in it, and not in a column of its own."""
        return self._place.count() > 0

    def hold(self, widget: QWidget) -> None:
        """Hold ``widget`` in place of what it holds."""
        if self.holds:
            self.take().deleteLater()
        self._place.addWidget(widget)
        widget.show()

    def take(self) -> QWidget:
        item = self._place.takeAt(0)
        widget = item.widget() if item else None
        assert widget is not None
        widget.setParent(None)
        return widget

    def lie(self, edge: QPoint, room: QSize) -> None:
        """Lie at ``edge`` of the page, as wide as it needs and ``room`` allows."""
        width = min(max(self._least, self.minimumSizeHint().width()), room.width())
        self.setGeometry(edge.x(), edge.y(), width, room.height())

    def apply_theme(self, theme: Theme) -> None:
        self._least = theme.px(_WIDTH)

    def _open(self, opened: bool) -> None:
        self._escape.setEnabled(opened)
        self.button.setChecked(opened)
        inside = self.isAncestorOf(QApplication.focusWidget() or self._page)
        if self._watched is not None and isValid(self._watched):
            self._watched.removeEventFilter(self)
        self._watched = self.window().windowHandle() if opened else None
        if opened:
            self._before = QApplication.focusWidget()
            by_mouse = self.button.underMouse() and not self.button.hasFocus()
            self.show()
            self.raise_()
            if self._watched is not None:
                self._watched.installEventFilter(self)
            first = None if by_mouse else self._first()
            (first or self).setFocus(Qt.FocusReason.TabFocusReason if first else Qt.FocusReason.OtherFocusReason)
            return
        self.hide()
        before, self._before = self._before, None
        if inside or self.hasFocus():
            back = before if before is not None and isValid(before) and before.isVisible() else self.window()
            back.setFocus(Qt.FocusReason.OtherFocusReason)

    def _first(self) -> QWidget | None:
        """The first control in it that Tab would come to."""
        widget = self.nextInFocusChain()
        while widget is not None and widget is not self:
            takes = widget.focusPolicy() & Qt.FocusPolicy.TabFocus
            if takes and self.isAncestorOf(widget) and widget.isVisible() and widget.isEnabled():
                return widget
            widget = widget.nextInFocusChain()
        return None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonPress:
            at = cast(QMouseEvent, event).globalPosition().toPoint()
            if not any(w.rect().contains(w.mapFromGlobal(at)) for w in (self, self.button)):
                self.action.setChecked(False)
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.width() - 1, 0, 1, self.height(), self.palette().mid())
        painter.end()
