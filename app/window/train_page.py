"""The page of the Train mode: a window within the window, whose docks hold the panels."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import QPoint, QSize, QTimer, Signal
from PySide6.QtGui import QAction, QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QMainWindow, QVBoxLayout, QWidget

from app.panels.record import Panel
from app.style.theme import Theme
from app.window.docks import Docks, Widths, first_in, shortcut
from app.window.drawer import Drawer
from app.window.forms import COLUMNS, Form, form_for


class TrainPage(QWidget):
    """Panels are laid out once its size is known, as they were when the window was last closed.

    Where there is no room for the columns they take another form, from which they come back as they were; only the
    columns are remembered.

    Signals:
        themed: the Theme that it wears now, before its room is shared out anew.
    """

    themed = Signal(object)

    def __init__(self, panels: Sequence[Panel]) -> None:
        super().__init__()
        self.inner = QMainWindow()
        self.inner.setParent(self)  # which makes it a widget like any other
        self.docks = Docks(self.inner, panels)
        number, record = first_in("left", panels)
        self._drawn = record.title
        self.drawer = Drawer(self, record.title, record.help, shortcut(number))
        self._rail = QWidget(self)
        beside = QVBoxLayout(self._rail)
        beside.setContentsMargins(2, 4, 2, 4)
        beside.addWidget(self.drawer.button)
        beside.addStretch(1)
        self._beneath: QWidget | None = None
        self._centre = first_in("centre", panels)[1].title
        self._form: Form | None = None
        self._columns: tuple[object, Collection[str]] = None, ()  # the layout of these, and which panels it knows
        self._widths: Widths = 0, {}  # of the columns
        self._hidden: tuple[Form | None, Widths] = None, (0, {})  # what was seen when the page was last hidden
        self._scale = 1.0
        self._show_form(COLUMNS)

    @property
    def toggles(self) -> list[QAction]:
        """What shows and hides each panel."""
        return [*self.docks.toggles, self.drawer.action]

    def hold(self, title: str, widget: QWidget) -> None:
        """Put a panel's widget into its place."""
        if title == self._drawn and self.drawer.holds:
            self.drawer.hold(widget)
        else:
            self.docks.hold(title, widget)

    def take(self, title: str) -> QWidget:
        """Take a panel's widget out of its place, which keeps its room."""
        if title != self._drawn or not self.drawer.holds:
            return self.docks.take(title)
        widget = self.drawer.take()
        self.drawer.hold(QWidget())
        return widget

    def hold_beneath(self, line: QWidget) -> None:
        """Put a line beneath all panels, which is always as high."""
        self._beneath = line
        line.setParent(self)
        line.show()
        if self._form is not None:  # else it is laid out once its size is known, and what is remembered of it
            self._settle()

    @property
    def centre(self) -> QWidget:
        """Where the panel in the middle is."""
        return self.docks[self._centre]

    @property
    def centre_left(self) -> int:
        """How far that begins from the left; 0 where it does not stand in the page."""
        dock = self.docks[self._centre]
        return 0 if dock.isFloating() or not dock.isVisible() else max(dock.mapTo(self, QPoint(0, 0)).x(), 0)

    def bring_forward(self, title: str) -> None:
        """Show a panel that may be hidden, or behind others."""
        self.docks.bring_forward(title)

    # --- what is remembered -------------------------------------------------------------------------------------------

    def remember(self, state: object, titles: Collection[str]) -> None:
        """Lay out as ``state`` says, as soon as there is room; ``titles`` are those of the panels that it knows."""
        self._columns = state, titles

    @property
    def to_remember(self) -> tuple[object, Collection[str]]:
        """The layout of the columns, and the titles of the panels that it knows."""
        return (self.docks.state(), self.docks.titles) if self._form is COLUMNS else self._columns

    def arrange(self) -> None:
        """The layout a person first sees in a window of this size."""
        if self._form is not COLUMNS:
            self._columns = None, ()
        self.docks.arrange(self._form or COLUMNS)

    # --- the room there is --------------------------------------------------------------------------------------------

    def minimumSizeHint(self) -> QSize:
        return QSize(320, 200)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._settle()

    def hideEvent(self, event: QHideEvent) -> None:
        self._hidden = self._form, self.docks.widths
        super().hideEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._hidden[0] is not None:
            QTimer.singleShot(0, self, self._share_out)  # it has the width that the window has now only later

    def _share_out(self) -> None:
        """Share out as when the page was hidden: while it was, the window may have become wider or narrower."""
        form, widths = self._hidden
        if form is self._form and widths[0] != self.inner.width():
            self.docks.share(widths)

    def apply_theme(self, theme: Theme) -> None:
        self._scale = theme.text_scale
        self.drawer.apply_theme(theme)
        self.themed.emit(theme)
        if self._form is not None:
            self._settle()

    def _settle(self) -> None:
        """Take the form that fits, and share out the room."""
        form, before = form_for(self.width() / self._scale, self.height() / self._scale), self._form
        if before is COLUMNS and form is not COLUMNS:
            self._columns = self.docks.state(), self.docks.titles  # before they are squeezed
            self._widths = self.docks.widths
        if form is not before:
            self._show_form(form)
        rail = self._rail.sizeHint().width() if form.drawer else 0
        beneath = self._beneath.sizeHint().height() if self._beneath is not None else 0
        height = self.height() - beneath
        self._rail.setGeometry(0, 0, rail, height)
        self.inner.setGeometry(rail, 0, self.width() - rail, height)
        if self._beneath is not None:
            self._beneath.setGeometry(0, height, self.width(), beneath)
        if form is not before:
            self._form = form
            self._enter(form, before)
        self.drawer.lie(QPoint(rail, 0), QSize(self.width() - rail, height))

    def _show_form(self, form: Form) -> None:
        """Show the rail or not, and let the panel that may be a drawer be shown by the one action that fits."""
        if not form.drawer:
            self.drawer.action.setChecked(False)
        self._rail.setVisible(form.drawer)
        for action, wanted in (
            (self.drawer.action, form.drawer),
            (self.docks[self._drawn].toggleViewAction(), not form.drawer),
        ):
            action.setVisible(wanted)
            action.setEnabled(wanted)

    def _enter(self, form: Form, before: Form | None) -> None:
        if not form.drawer and self.drawer.holds:
            self.docks.hold(self._drawn, self.drawer.take())
        restored = (before is None or form is COLUMNS) and self.docks.restore(*self._columns)
        if form is not COLUMNS:
            self.docks.arrange(form, keep=restored or before is not None)
        elif not restored:
            self.docks.arrange(form)
        if form.drawer and not self.drawer.holds:
            self.drawer.hold(self.docks.take(self._drawn))
        layout = self.inner.layout()
        narrower_or_wider = before is not None and self._widths[0] != self.inner.width()
        if restored and narrower_or_wider and layout is not None:
            layout.setGeometry(self.inner.rect())  # at once, since it begins once more with what was restored
            self.docks.share(self._widths)
