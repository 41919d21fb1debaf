"""Advantages: how much better or worse than expected the last batch's actions did."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from app.models.axes import Range, settled_end, settled_range
from app.models.histogram import Histogram, bounds, histogram, normalised
from app.models.history import History
from app.theme import Theme
from app.widgets.format import percent, short_number
from app.widgets.labels import Captions, Moment, Moments
from app.widgets.marks import Bars
from app.widgets.pace import Pace
from app.widgets.plot import Margins, Plot
from app.widgets.text import Stage, SteadyLabel, as_surface
from engine.phases import Estimated

_EMPTY = (
    "How much better or worse than expected each action was will appear here once the first batch has been collected."
)
_TITLES = {False: "advantage  Â  (reward)", True: "normalised advantage"}
_HIGHEST = 125.0  # %; bars end at 100, the rest is room for words
_INTERVAL = 250  # ms; histograms change as a whole, and faster than this only flickers


class AdvantagesPanel(QWidget):
    """Signals:
    normalised_changed: raw or normalised advantages were chosen.
    """

    normalised_changed = Signal(bool)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        as_surface(self)
        self._theme = theme
        self._latest: Estimated | None = None
        self._x: Range | None = None
        self._y_end: float | None = None
        self._bars, self._lines, self._shares = Bars(), Moments(rows=3, first_row=1, centred=True), Captions()
        self.plot = Plot(theme, _TITLES[False], "share of steps (%)", Margins(left=58))
        self.plot.left.highest = 100.0  # %
        self.plot.marks = [self._bars, self._lines, self._shares]
        self._stage = Stage(_EMPTY, self.plot)
        self._pace = Pace(self, _INTERVAL, self._redraw)
        self._build(theme)
        self.apply_theme(theme)

    def _build(self, theme: Theme) -> None:
        self._choices = QButtonGroup(self)
        header = QHBoxLayout()
        header.setContentsMargins(2 * theme.unit, theme.unit, 2 * theme.unit, 0)
        header.setSpacing(theme.unit // 2)
        for text, tip in (
            ("Raw", "The advantages as estimated, in units of reward"),
            ("Normalised", "Each batch shifted and scaled to mean 0 and standard deviation 1"),
        ):
            button = QToolButton()
            button.setText(text)
            button.setToolTip(tip)
            button.setCheckable(True)
            self._choices.addButton(button, len(self._choices.buttons()))
            header.addWidget(button)
        self._choices.button(0).setChecked(True)
        self._choices.idToggled.connect(self._choice_toggled)
        self._iteration = SteadyLabel("iteration 0,000,000", "muted")
        self._iteration.setAlignment(self._iteration.alignment().AlignRight)
        header.addStretch(1)
        header.addWidget(self._iteration)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, theme.unit // 2)
        layout.setSpacing(0)
        layout.addLayout(header)
        layout.addWidget(self._stage, 1)

    # --- the panel as the window knows it ---

    @property
    def normalised(self) -> bool:
        return self._choices.checkedId() == 1

    @normalised.setter
    def normalised(self, normalised: bool) -> None:
        self._choices.button(int(normalised)).setChecked(True)

    def refresh(self, history: History) -> None:
        if history.advantages is self._latest:
            return
        if history.advantages is None:
            self.reset()
            return
        if self._latest is not None and history.advantages.iteration < self._latest.iteration:
            self.reset()
        self._latest = history.advantages
        self._pace.request()

    def reset(self) -> None:
        self._pace.cancel()
        self._latest = None
        self._x = self._y_end = None
        self._iteration.clear()
        self._stage.fill(False)
        self.plot.follow()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._bars.negative, self._bars.positive = QColor(theme.negative), QColor(theme.positive)
        self._lines.ground = self._shares.ground = theme.surface
        self._shares.left_colour, self._shares.right_colour = theme.negative, theme.positive
        self.plot.apply_theme(theme)
        self._redraw()

    # --- drawing ---

    def _choice_toggled(self, which: int, checked: bool) -> None:
        if not checked:
            return
        self.plot.bottom.set_title(_TITLES[self.normalised])
        self._x = self._y_end = None
        self.plot.follow()
        self._redraw()
        self.normalised_changed.emit(self.normalised)

    def _redraw(self) -> None:
        if self._latest is None or not self._latest.advantages.size:
            return
        values = self._latest.advantages.ravel()
        shown = normalised(values) if self.normalised else values
        self._x = settled_range(self._x, *bounds(shown))
        self._take(histogram(shown, self._x))
        self.plot.set_ranges(self._x, (0.0, min(self._y_end, _HIGHEST)))
        self._iteration.setText(f"iteration {self._latest.iteration:,}")
        self.plot.redraw()
        self._stage.fill(True)

    def _take(self, bars: Histogram) -> None:
        self._bars.edges, self._bars.width, self._bars.heights = bars.edges, bars.width, 100 * bars.shares
        # Room above the bars for the words.
        self._y_end = settled_end(self._y_end, 145 * float(bars.shares.max()), least=0.4)
        self._shares.left = f"{percent(bars.negative)} negative"
        self._shares.right = f"{percent(bars.positive)} positive"
        text, muted = self._theme.text, self._theme.muted
        # What is nothing beside the spread is rounding, not a mean.
        mean = bars.mean if abs(bars.mean) > 1e-4 * bars.std else 0.0
        self._lines.moments = [
            Moment(bars.mean - bars.std, "−1 std", muted, dashed=True),
            Moment(bars.mean + bars.std, "+1 std", muted, dashed=True),
            Moment(bars.mean, f"mean {short_number(mean)} ± {short_number(bars.std)}", text),
        ]
