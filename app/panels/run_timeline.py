"""The timeline beneath the returns: dragging it shows all of the run as it was at an iteration of which something was
kept, and from there it can go on otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from PySide6.QtCore import QEvent, QLineF, QPointF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QToolButton, QToolTip, QWidget

from app.models.axis_choice import AxisChoice
from app.models.history import History
from app.models.inspection import Inspection, Wanted
from app.models.past import Instant, Kept, Past
from app.panels import timeline
from app.plotting.marks import Numbers, pen_of
from app.plotting.plot import Plot
from app.style import icons
from app.style.text import SteadyLabel
from app.style.theme import Theme

_HEIGHT = 22  # pixels, as all lengths here, for text of the system's size
_TICK, _DIAMOND, _HANDLE = 5, 5, 6  # from the middle of the line
_SMALLEST = 3  # diamond, where they stand close
_OVER = 6  # from a tick to the mouse that points at it
_NEAR = 8  # to the end of the line, from where on a drag leads back to now
_FEW = 5  # iterations for the keys that move by pages
_TIP = (
    "Drag back to see the histogram, the diagnostics and the agent as they were.\n"
    "Each mark is an iteration of which something was kept: a diamond where the run can also be forked, a line where "
    "it can be looked at.\n"
    "The arrow keys go from mark to mark, End goes to now."
)
_NOTHING = "Iterations that are kept of a run will be marked here, to be looked back at."
_FORK = "Go on from here as a run of its own, with what has been edited; the run that is shown stays as it is"
_POLICY_ALONE = "Only the policy was kept of this iteration, so the run cannot go on from here."
_BEFORE = (
    "Only the policy was kept of this iteration. The run is forked from iteration {:,}, the last before it of which "
    "all was kept: go on from there as a run of its own, with what has been edited."
)
_KEYS = {
    Qt.Key.Key_Left: -1,
    Qt.Key.Key_Right: 1,
    Qt.Key.Key_Down: -1,
    Qt.Key.Key_Up: 1,
    Qt.Key.Key_PageDown: -_FEW,
    Qt.Key.Key_PageUp: _FEW,
    Qt.Key.Key_Home: -1_000_000,
    Qt.Key.Key_End: 1_000_000,
}


class InstantBar(QFrame):
    """Which iteration is shown, and what can be done from there; it stands above the timeline at the cursor."""

    def __init__(self, panel: QWidget, past: Past, theme: Theme) -> None:
        super().__init__(panel)
        self._past = past
        self._panel = panel
        self.setProperty("role", "tag")
        self.words = SteadyLabel("iteration 00,000", "heading")
        self.fork_button, self.now_button = QToolButton(), QToolButton()
        self.fork_button.setText("Fork from here")
        self.now_button.setText("Back to now")
        self.now_button.setToolTip("Show the run as it is now, and play the newest policy (End)")
        self.samples_button = QToolButton()
        self.samples_button.setText("Samples")
        self.samples_button.setToolTip("Show the steps that this iteration learned from, one by one")
        self._icons = {
            self.samples_button: "magnify",
            self.fork_button: "source-fork",
            self.now_button: "page-last",
        }
        self._inspection: Inspection | None = None
        self.samples_button.clicked.connect(self._ask)
        self.fork_button.clicked.connect(past.fork_asked)
        self.now_button.clicked.connect(lambda: past.asked.emit(None))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.unit, 2, 2, 2)
        layout.setSpacing(theme.unit // 2)
        layout.addWidget(self.words)
        for button in self._icons:
            button.setProperty("role", "more")
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            layout.addWidget(button)
        self.samples_button.hide()
        self.hide()
        self.apply_theme(theme)

    def offer_samples(self, inspection: Inspection) -> None:
        """Offer to look into the iteration that is shown."""
        self._inspection = inspection
        self.samples_button.show()

    def _ask(self) -> None:
        if self._inspection is not None and self._past.shown is not None:
            self._inspection.ask(Wanted(self._past.shown.at.iteration))

    def apply_theme(self, theme: Theme) -> None:
        for button, icon in self._icons.items():
            icons.give(button, icon, color=theme.text, color_disabled=theme.disabled)
            button.setIconSize(QSize(theme.px(14), theme.px(14)))

    def show_at(self, x: float, bottom: int) -> None:
        """Say which instant is shown, with the middle at ``x`` of the panel; nothing where that is now."""
        instant, panel = self._past.shown, self._panel
        if instant is None:
            self.hide()
            return
        self.words.setText(f"iteration {instant.at.iteration:,}")
        self.fork_button.setEnabled(instant.forks_at is not None)
        self.samples_button.setEnabled(instant.at.iteration > 0)
        self.fork_button.setToolTip(_forking(instant))
        style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        for button in self._icons:
            button.setToolButtonStyle(style)
        if self.sizeHint().width() > panel.width():
            for button in self._icons:
                button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        size = self.sizeHint()
        left = min(max(round(x) - size.width() // 2, 0), max(panel.width() - size.width(), 0))
        self.setGeometry(left, bottom - size.height(), min(size.width(), panel.width()), size.height())
        self.show()
        self.raise_()


def _forking(instant: Instant) -> str:
    """What forking does there, or why it cannot be done."""
    if instant.forks_at is None:
        return _POLICY_ALONE
    return _FORK if instant.forks_at == instant.at else _BEFORE.format(instant.forks_at.iteration)


def _told(kept: Kept) -> str:
    """What was kept, for a person: "iteration 120, 61,200 environment steps: …"."""
    what = "it can be looked at and forked" if kept.whole else "it can be looked at; its policy alone was kept"
    return f"iteration {kept.iteration:,}, {kept.environment_steps:,} environment steps: {what}"


class RunTimeline(QWidget):
    """A line as long as the run is on ``plot``, with a tick for every iteration that is kept and a handle at the one
    that is shown. Where the run can be forked, the tick is a diamond."""

    def __init__(self, panel: QWidget, past: Past, x_axis: AxisChoice, plot: Plot, theme: Theme) -> None:
        super().__init__(panel)
        self._past, self._x_axis, self._plot, self._theme = past, x_axis, plot, theme
        self._history: History | None = None
        self._painted = -1  # where the handle was last painted
        self.bar = InstantBar(panel, past, theme)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Timeline of the run")
        self.setMouseTracking(True)
        past.kept_changed.connect(self._take_kept)
        past.changed.connect(self.follow)
        plot.x_moved.connect(self.follow)
        self._take_kept()
        self.apply_theme(theme)

    # --- from the panel -----------------------------------------------------------------------------------------------

    def show_history(self, history: History | None) -> None:
        """Lie along what the run has told; None where there is no run."""
        self._history = history
        if round(self._x_of(self._past.shown.at if self._past.shown is not None else None)) != self._painted:
            self.follow()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.setFixedHeight(theme.px(_HEIGHT))
        self.bar.apply_theme(theme)
        self.follow()

    def follow(self) -> None:
        """The plot, the run or what is shown of it has changed."""
        self.update()
        shown = self._past.shown
        at = self._x_of(shown.at if shown is not None else None)
        self.bar.show_at(self.x() + at, self.y())
        self._describe()

    def _take_kept(self) -> None:
        self.setEnabled(bool(self._past.kept))
        self.setToolTip(_TIP if self._past.kept else _NOTHING)
        self._describe()
        self.update()

    def _describe(self) -> None:
        """Say in words what is painted, for who cannot see it."""
        kept, shown = self._past.kept, self._past.shown
        whole = sum(each.whole for each in kept)
        words = f"{len(kept):,} iterations were kept, of which {whole:,} can be forked. " if kept else f"{_NOTHING} "
        words += "Shown is now." if shown is None else f"Shown is {_told(shown.at)}."
        if words != self.accessibleDescription():
            self.setAccessibleDescription(words)

    # --- where things are ---------------------------------------------------------------------------------------------

    def _x_of(self, kept: Kept | None) -> float:
        """The place of what is kept, or of now, in pixels of this widget; what is out of sight is at an end."""
        left, right = self._ends
        if self._history is None:
            return left
        axis = self._x_axis.axis
        value = self._history.last_x(axis) if kept is None else self._values([kept])[0]
        low, high = self._plot.seen[0]
        return float(min(max(left + (value - low) * (right - left) / (high - low), left), right))

    @property
    def _ends(self) -> tuple[float, float]:
        """Of the plot's data, in pixels of this widget."""
        area = self._plot.area
        left = self.mapFromGlobal(self._plot.mapToGlobal(QPointF(area.left(), 0.0))).x()
        return left, left + area.width()

    def _values(self, kept: list[Kept]) -> Numbers:
        """Where these are on the axis."""
        assert self._history is not None
        steps = np.array([each.environment_steps for each in kept], np.float64)
        return timeline.x_at(self._history, self._x_axis.axis, steps)

    def _ticks(self) -> Numbers:
        """The places of all that is kept, in pixels of this widget, wherever they are."""
        (left, right), (low, high) = self._ends, self._plot.seen[0]
        places: Numbers = left + (self._values(list(self._past.kept)) - low) * ((right - left) / (high - low))
        return places

    def _marks(self) -> tuple[list[float], list[float], float]:
        """Where lines and diamonds are painted, and how large the latter are from their middle: where there is no room
        for all, they are smaller, and of those that would still lie upon each other the later one is painted."""
        if not self._past.kept:
            return [], [], 0.0
        left, right = self._ends
        seen = [pair for pair in zip(self._ticks().tolist(), self._past.kept, strict=True) if left <= pair[0] <= right]
        smallest, largest = self._theme.px(_SMALLEST), self._theme.px(_DIAMOND)
        diamonds = apart([tick for tick, kept in seen if kept.whole], 2 * smallest, ())
        side = min([largest, *(0.5 * (after - before) for before, after in pairwise(diamonds))])
        return apart([tick for tick, kept in seen if not kept.whole], smallest, diamonds), diamonds, side

    # --- what a person does -------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._aim(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._aim(event.position().x())

    def _aim(self, x: float) -> None:
        """Show what is kept nearest to ``x``, or now."""
        if self._history is None or not self._past.kept:
            return
        ticks, now = self._ticks(), self._x_of(None)
        nearest = int(np.argmin(np.abs(ticks - x)))
        is_now = x > now - self._theme.px(_NEAR) and abs(now - x) <= abs(float(ticks[nearest]) - x)
        self._ask(None if is_now or x > now else self._past.kept[nearest])

    def _ask(self, kept: Kept | None) -> None:
        shown = self._past.shown
        if (kept.iteration if kept is not None else None) != (shown.at.iteration if shown is not None else None):
            self._past.asked.emit(kept.iteration if kept is not None else None)

    def _pointed_at(self, x: float) -> Kept | None:
        """What is kept where the mouse is."""
        if self._history is None or not self._past.kept:
            return None
        distances = np.abs(self._ticks() - x)
        nearest = int(np.argmin(distances))
        return self._past.kept[nearest] if distances[nearest] <= self._theme.px(_OVER) else None

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            kept = self._pointed_at(event.pos().x())
            told = _told(kept) if kept is not None else ""
            QToolTip.showText(event.globalPos(), f"{told[:1].upper()}{told[1:]}" or self.toolTip(), self)
            return True
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
            if plain and self._takes(event.key()):
                event.accept()  # before the arrow means a step of training
                return True
        return bool(super().event(event))

    def _takes(self, key: int) -> bool:
        return key in _KEYS or (key == Qt.Key.Key_Escape and self._past.shown is not None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._takes(event.key()):
            event.ignore()
        elif event.key() == Qt.Key.Key_Escape:
            self._ask(None)
        else:
            self._ask(self._past.neighbour(_KEYS[Qt.Key(event.key())]))

    # --- painting -----------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._history is None:
            return
        theme, middle = self._theme, self.height() / 2
        shown = self._past.shown
        left, now = self._ends[0], self._x_of(None)
        at = self._x_of(shown.at if shown is not None else None)
        self._painted = round(at)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(pen_of(theme.edge, 4.0))
        painter.drawLine(QLineF(left, middle, now, middle))
        painter.setPen(pen_of(theme.mean, 4.0))
        painter.drawLine(QLineF(left, middle, at, middle))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(pen_of(theme.muted))
        reach = theme.px(_TICK)
        lines, diamonds, side = self._marks()
        for tick in lines:
            painter.drawLine(QLineF(round(tick), middle - reach, round(tick), middle + reach))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(pen_of(theme.surface, 1.0))
        painter.setBrush(QColor(theme.muted))
        for tick in diamonds:
            corners = ((tick, middle - side), (tick + side, middle), (tick, middle + side), (tick - side, middle))
            painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in corners]))
        painter.setPen(pen_of(theme.focus if self.hasFocus() else theme.surface, 2.0))
        painter.setBrush(QColor(theme.text if self.isEnabled() else theme.disabled))
        painter.drawEllipse(QPointF(at, middle), theme.px(_HANDLE), theme.px(_HANDLE))
        painter.end()


def apart(places: Sequence[float], least: float, beside: Sequence[float]) -> list[float]:
    """Of ascending ``places`` those that are at least so far from the next one that is taken, the last first, and a
    little more from what stands ``beside``."""
    taken: list[float] = []
    free = [place for place in places if all(abs(place - there) > least + 1 for there in beside)]
    for place in reversed(free):
        if not taken or taken[-1] - place >= least:
            taken.append(place)
    return taken[::-1]
