"""One panel alone, at twice the size and with nothing around it, for a room that sits far back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QMainWindow,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from app.models.run_state import ACTIVE, WORDS, RunState
from app.models.runs import KeptRun, difference_made, differences, in_short
from app.panels.record import PanelWidget
from app.plotting.enlarged import Enlarged
from app.style import theme as themes
from app.style.text import ElidedLabel, as_surface, set_role
from app.style.theme import Theme
from app.window.dock import Dock
from app.window.frame import COMPARED, SETTINGS, Frame
from app.window.panels import Panels
from app.window.run_row import NOTHING_YET
from app.window.spotlight import Spotlight

_NUMBERED = 9  # panels that have a number
TIMES = 2.0  # as large as in the window
FIRST = "Returns"  # what is shown where nobody has pointed at a panel
KEYS = (
    *("start", "step", "stop", "present", "full_screen", "quit", "shortcuts"),
    *("toggle_theme", "text_larger", "text_smaller", "text_normal"),
)


def caption(shown: KeptRun | None, ghost: KeptRun | None) -> str:
    """Which run is shown, and what has been changed: in it since it began, or else against the run before it."""
    if shown is None:
        return NOTHING_YET
    name = f"run {shown.run.number}: {shown.run.name}"
    changes = shown.run.history.changes
    if changes:
        return f"{name} · {difference_made(changes[-1], shown.config).text}"
    compared = ghost is not None and shown.run.compares_with(ghost.run)
    found = differences(ghost.config, shown.run.config) if ghost is not None and compared else []
    return f"{name} · {in_short(found)}" if found else name


class _Room(QScrollArea):
    """What it holds fills it, and is scrolled only where it cannot be as small; it need not be as tall as it would be
    with all the room in the world, which is what a resizable widget of Qt's becomes that has wrapped text."""

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def fit(self) -> None:
        widget = self.widget()
        if widget is not None:
            least = widget.minimumSizeHint().expandedTo(widget.minimumSize())
            widget.resize(self.maximumViewportSize().expandedTo(least))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()


def _id(kept: KeptRun | None) -> str:
    return kept.run.id if kept is not None else ""


class Present(QWidget):
    """Takes the place of everything in the window until it is left, which then is as it was before.

    Numbers show one panel or another, Page Down and Page Up the next and the one before, as who clicks through slides
    has them, Escape and P go back, S turns the spotlight on and off, and the actions of
    ``KEYS`` stay. Nothing else of the window can be seen, or costs anything.

    Args:
        titles: of the panels, in the order of their numbers.
    """

    def __init__(self, frame: Frame, titles: Sequence[str], actions: dict[str, QAction]) -> None:
        super().__init__()
        self._frame, self._titles, self._action = frame, tuple(titles), actions["present"]
        self._panels: Panels | None = None
        self._theme = themes.load_theme("dark")
        self._pointed = self._shown = ""
        self._focus: QWidget | None = None
        self._floating: list[Dock] = []
        self._said: tuple[object, ...] = ()
        self._caption, self._warning, self._state = NOTHING_YET, "", RunState.IDLE
        self._spotlight, self._lit = Spotlight(), True
        self.stack = QStackedWidget()
        self.stack.addWidget(frame)
        self.stack.addWidget(self)
        self._arrange()
        self.addActions([actions[name] for name in KEYS])  # whose menus are hidden
        for number, title in enumerate(self._titles[:_NUMBERED], start=1):
            self._on_key(str(number)).activated.connect(lambda title=title: self.show_panel(title))
        for key, step in (("PgDown", 1), ("PgUp", -1)):
            self._on_key(key).activated.connect(lambda step=step: self._turn(step))
        escape = self._on_key("Esc")  # which is also that of an enlarged plot
        escape.activated.connect(self._escape)
        escape.activatedAmbiguously.connect(self._escape)
        self._on_key("S").activated.connect(self._switch_spotlight)
        cast(QApplication, QApplication.instance()).focusChanged.connect(self._note_click)
        frame.train.inner.tabifiedDockWidgetActivated.connect(self._note_tab)

    def _on_key(self, key: str) -> QShortcut:
        return QShortcut(QKeySequence(key), self)

    def _arrange(self) -> None:
        as_surface(self)
        self._scroll = _Room()
        self.run_label, self.title_label, self.state_label = ElidedLabel(), QLabel(), QLabel()
        self.title_label.setProperty("role", "heading")
        for label in (self.run_label, self.state_label):
            label.setProperty("role", "muted")
            label.setProperty("small", True)
        self.run_label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._foot = QHBoxLayout()
        self._foot.addWidget(self.title_label)
        self._foot.addWidget(self.run_label, 1)
        self._foot.addWidget(self.state_label)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._scroll, 1)
        column.addLayout(self._foot)

    def minimumSizeHint(self) -> QSize:
        return QSize()  # what does not fit is scrolled

    def follow(self, panels: Panels) -> None:
        """Know the panels, to tell on which of them a person has clicked; it can be entered once all are made."""
        self._panels = panels
        panels.inspection.lead(self.show_panel)

    # --- coming and going ---------------------------------------------------------------------------------------------

    @property
    def is_on(self) -> bool:
        return bool(self._shown)

    def toggle(self) -> None:
        self.leave() if self.is_on else self.enter()

    def enter(self) -> None:
        """Show the panel that has the focus or was last clicked."""
        panels = self._panels
        if panels is not None and panels.complete and not self.is_on:
            window = self._main
            self._focus = QApplication.focusWidget()
            window.setFocus(Qt.FocusReason.OtherFocusReason)  # where all keys are shortcuts
            self._floating = [dock for dock in self._docks if dock.isFloating() and dock.isVisible()]
            for dock in self._floating:
                dock.hide()
            # A panel itself has the focus where its controls have let it go.
            focused = "" if isinstance(self._focus, PanelWidget) else self._title_of(self._focus)
            self._take(self._frame.presented or focused or self._pointed or FIRST)
            self.stack.setCurrentWidget(self)
            window.menuBar().hide()
            cast(QLayout, window.layout()).activate()
            self._light()
        self._action.setChecked(self.is_on)

    def leave(self) -> None:
        """Put everything back."""
        if self.is_on:
            window = self._main
            self._put_back()
            self._shown = ""
            self._spotlight.turn_off()
            window.setFocus(Qt.FocusReason.OtherFocusReason)
            # In this order, and the same when it came: docks that grow and shrink again do not end as they were.
            window.menuBar().show()
            cast(QLayout, window.layout()).activate()
            self.stack.setCurrentWidget(self._frame)
            for dock in self._floating:
                dock.show()
            self._floating = []
            before, self._focus = self._focus, None
            if before is not None and isValid(before) and before.isVisible():
                before.setFocus(Qt.FocusReason.OtherFocusReason)
        self._action.setChecked(self.is_on)

    def show_panel(self, title: str) -> None:
        """Show another panel."""
        if self.is_on and title != self._shown and title in (*self._titles, *COMPARED):
            self._put_back()
            self._take(title)

    def _turn(self, step: int) -> None:
        """Show the panel that is so many further on, round and round."""
        titles = COMPARED if self._shown in COMPARED else self._titles
        if self._shown in titles:
            self.show_panel(titles[(titles.index(self._shown) + step) % len(titles)])

    def _take(self, title: str) -> None:
        self._shown = title
        self._pointed = self._pointed if title in (*COMPARED, SETTINGS) else title
        if self._panels is not None:
            self._panels.titled(title)  # which may be made only now
        widget = self._frame.take(title)
        self._scroll.setWidget(widget)
        widget.show()
        self.title_label.setText(title)
        self._write()
        self._dress(TIMES)

    def _escape(self) -> None:
        """Go back from an enlarged plot to its panel, and from there to the window."""
        if not self._shrink():
            self.leave()

    def _shrink(self) -> bool:
        """Put plots back that are enlarged over what is presented; whether there were any."""
        found = self._main.findChildren(Enlarged, options=Qt.FindChildOption.FindDirectChildrenOnly)
        over = [enlarged for enlarged in found if enlarged.isVisible()]
        for enlarged in over:
            enlarged.closed.emit()
        return bool(over)

    def _put_back(self) -> None:
        self._shrink()
        self._dress(1.0)
        widget = self._scroll.takeWidget()
        self._frame.hold(self._shown, widget)

    @property
    def _main(self) -> QMainWindow:
        window = self.stack.window()
        assert isinstance(window, QMainWindow)
        return window

    @property
    def _docks(self) -> Iterable[Dock]:
        docks = self._frame.train.docks
        return (docks[title] for title in docks.titles)

    def _note_click(self, _old: QWidget | None, new: QWidget | None) -> None:
        if QApplication.mouseButtons() != Qt.MouseButton.NoButton and not self.is_on:
            self._pointed = self._title_of(new) or self._pointed

    def _note_tab(self, dock: QDockWidget) -> None:
        self._pointed = dock.windowTitle()

    def _title_of(self, widget: QWidget | None) -> str:
        return "" if widget is None or self._panels is None else self._panels.title_of(widget)

    # --- the look -----------------------------------------------------------------------------------------------------

    def apply_theme(self, theme: Theme) -> None:
        """Take on another look; to be told after the panels."""
        self._theme = theme
        self._foot.setContentsMargins(2 * theme.unit, theme.unit, 2 * theme.unit, theme.unit)
        self._foot.setSpacing(2 * theme.unit)
        if self.is_on:
            self._dress(TIMES)
            self._light()

    def _dress(self, times: float) -> None:
        """Show the panel so many times as large as in the window."""
        scaled = self._theme.scaled(times)
        themes.apply_to(self, scaled)
        widget = self._scroll.widget()
        assert isinstance(widget, PanelWidget)
        widget.apply_theme(scaled)
        self._scroll.fit()

    def _switch_spotlight(self) -> None:
        self._lit = not self._lit
        self._light()

    def _light(self) -> None:
        if self._lit:
            self._spotlight.turn_on(self._theme, self.devicePixelRatioF())
        else:
            self._spotlight.turn_off()

    # --- what it says -------------------------------------------------------------------------------------------------

    def tell(self, shown: KeptRun | None, ghost: KeptRun | None, state: RunState) -> None:
        """Say at the foot which run is shown and what it is at; cheap where nothing has changed."""
        if not self.is_on:
            return
        changes = len(shown.run.history.changes) if shown is not None else 0
        said = (_id(shown), changes, _id(ghost), state)
        if said != self._said:
            self._said = said
            if state in (RunState.STARTING, RunState.RUNNING):
                self._warning = ""
            begins = shown is None and state in ACTIVE
            self._caption, self._state = "" if begins else caption(shown, ghost), state
        self._write()

    def warn(self, sentence: str) -> None:
        """Say at the foot, in place of the run's name, what keeps it from going on, until it does."""
        if self.is_on:
            self._warning = sentence
            self._write()

    def _write(self) -> None:
        """Of curves that are compared it is said whose they are, and of a run only that it trains."""
        compares = self._shown in (*COMPARED, SETTINGS)
        text = self._warning or (self._frame.compared if compares else self._caption)
        if text != self.run_label.text():
            self.run_label.setText(text)
            self.run_label.setToolTip(self._warning)
            set_role(self.run_label, "warning" if self._warning else "muted")
        self.state_label.setText("" if compares and self._state not in ACTIVE else WORDS[self._state])
