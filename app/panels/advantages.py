"""The signal that is learned from: how much better or worse than expected the last batch did, be it by advantages, TD
errors or Bellman errors, and how the policy took to it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QButtonGroup, QToolButton, QVBoxLayout

from app.models.history import History
from app.models.inspection import Bar, Inspection, Wanted
from app.models.past import Past
from app.panels import signal_words as words
from app.panels.record import PanelWidget
from app.panels.signal_words import NORMALISED, RATIOS, RAW, SIGNALS, SignalWords
from app.plotting.arrangement import Margins
from app.plotting.axes import Range, settled_end, settled_range
from app.plotting.export import Table
from app.plotting.histogram import Histogram, bounds, histogram
from app.plotting.labels import Moment, Moments
from app.plotting.legend import Entry
from app.plotting.marks import Bars
from app.plotting.picking import Pick
from app.plotting.plot import Plot
from app.plotting.readout import Pointer, Reading
from app.style.flow import Flow
from app.style.format import percent, power_of_ten, short_number, tick_labels
from app.style.text import ElidedLabel, Stage, SteadyLabel, as_surface, plain_tip
from app.style.theme import Theme
from engine.catalogue.methods.reported import SignalKind, ratios_of, signal_of
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PolicyGradientConfig, RunConfig
from engine.reports.events import Estimated, Reweighted

_HIGHEST = 105.0  # %; bars end at 100
_LARGEST_RATIO = 1e6
_LEAST_REACH = 0.1  # around the centre, lest differences of no account fill the plot


class AdvantagesPanel(PanelWidget):
    """Signals:
    normalised_changed: raw or normalised advantages were chosen.
    """

    normalised_changed = Signal(bool)

    def __init__(self, theme: Theme, past: Past, inspection: Inspection | None = None) -> None:
        super().__init__()
        as_surface(self)
        self._inspection = inspection
        self._theme = theme
        self._past = past
        self._now: tuple[Estimated | None, Reweighted | None] = None, None  # the newest, whichever are shown
        self._config: RunConfig = PolicyGradientConfig()
        self._latest: Estimated | None = None
        self._ratios: Reweighted | None = None
        self._missing = ""  # why there is nothing of a run that has gone on
        self._x: Range | None = None
        self._y_end: float | None = None
        self._shown: Histogram | None = None
        self._bars, self._lines = Bars(), Moments(rows=0)
        self.plot = Plot(theme, SIGNALS["advantage"].title, "share of steps (%)", Margins(left=64))
        self.plot.left.highest = 100.0  # %
        self.plot.marks = [self._bars, self._lines]
        self.plot.title, self.plot.probe, self.plot.numbers = "Signal", self._read, self._numbers
        if inspection is not None:
            self.plot.pick = Pick("Steps in this bar", self._ask)
        self._stage = Stage(SIGNALS["advantage"].empty, self.plot)
        self._build(theme)
        self._follow_method()
        self.apply_theme(theme)
        past.changed.connect(self._look_back)

    def _build(self, theme: Theme) -> None:
        self._choices = QButtonGroup(self)
        header = Flow(theme.unit // 2)
        header.setContentsMargins(theme.unit, theme.unit, theme.unit, theme.unit // 2)
        for text, tip in words.VIEWS:
            button = QToolButton()
            button.setText(text)
            button.setToolTip(tip)
            button.setCheckable(True)
            self._choices.addButton(button, len(self._choices.buttons()))
            header.addWidget(button)
        # As wide as its longer name, so that nothing moves when the method gives it the other.
        widths = []
        for text in ("Weights", "Ratios"):
            self.ratios_button.setText(text)
            widths.append(self.ratios_button.sizeHint().width())
        self.ratios_button.setMinimumWidth(max(widths))
        self._heading = ElidedLabel()
        self._heading.setMinimumHeight(self._choices.button(RAW).sizeHint().height())  # so that nothing moves
        header.addWidget(self._heading)
        self._choices.button(RAW).setChecked(True)
        self._choices.idToggled.connect(self._choice_toggled)
        self._iteration = SteadyLabel("iteration 00,000", "muted")
        self._iteration.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._iteration.setToolTip("The iteration that this batch belongs to")
        header.add_right(self._iteration)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, theme.unit // 2)
        layout.setSpacing(0)
        layout.addLayout(header)
        layout.addWidget(self._stage, 1)

    # --- the panel as the window knows it ---

    @property
    def normalised(self) -> bool:
        return self._choices.checkedId() == NORMALISED

    @normalised.setter
    def normalised(self, normalised: bool) -> None:
        self._choices.button(NORMALISED if normalised else RAW).setChecked(True)

    @property
    def ratios_button(self) -> QToolButton:
        """Shows ratios or weights; disabled where the method has none."""
        button = self._choices.button(RATIOS)
        assert isinstance(button, QToolButton)
        return button

    @property
    def lines(self) -> list[str]:
        """What is written above the plot."""
        return [entry.text for entry in self.plot.legend.entries]

    @property
    def watched(self) -> bool:
        return super().watched or self.plot.seen_large

    def name_run(self, name: str) -> None:
        self.plot.run = name

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        """Which run is shown: whether it has ratios, of what, and where they are clipped."""
        self._config = config
        self._follow_method()

    @property
    def _signal(self) -> SignalKind:
        return signal_of(self._config)

    @property
    def _words(self) -> SignalWords:
        return SIGNALS[self._signal]

    @property
    def _which(self) -> int:
        """Which of the views is shown; there is a choice of advantages alone."""
        return self._choices.checkedId() if self._signal == "advantage" else RAW

    def _follow_method(self) -> None:
        of = ratios_of(self._config)
        if of is None and self._which == RATIOS:
            self._choices.button(RAW).setChecked(True)
        chooses = self._signal == "advantage"
        for button in self._choices.buttons():
            button.setVisible(chooses)
        self._heading.setVisible(not chooses)
        self._heading.setText(self._words.heading)
        self._heading.setToolTip(plain_tip(f"{self._words.heading}\n{self._words.meaning}"))
        self.ratios_button.setEnabled(of is not None)
        self.ratios_button.setText("Weights" if of == "episode" else "Ratios")
        self.ratios_button.setToolTip(words.TIPS[of])
        self._entitle()

    def refresh(self, history: History) -> None:
        before, latest = self._now[0], history.advantages
        if latest is None or (before is not None and latest.iteration < before.iteration):
            self.reset()
        self._now = latest, history.ratios
        went_on = history.iterations > 0 and latest is None  # before anything was looked at here
        self._missing = (words.COMING if history.incomplete else words.NOT_KEPT) if went_on else ""
        self._say_why_empty()
        if self._past.shown is None:
            self._take(*self._now)

    def _look_back(self) -> None:
        """Show the batch of the instant that is shown."""
        self._say_why_empty()
        shown = self._past.shown
        self._take(*(self._now if shown is None else (shown.advantages, shown.ratios)))

    def _take(self, advantages: Estimated | None, ratios: Reweighted | None) -> None:
        if advantages is not self._latest or ratios is not self._ratios:
            self._latest, self._ratios = advantages, ratios
            self._redraw()

    def reset(self) -> None:
        self._now, self._missing = (None, None), ""
        self._latest = self._ratios = self._shown = None
        self._x = self._y_end = None
        self._iteration.clear()
        self._stage.fill(False)
        self.plot.follow()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._bars.positive = QColor(theme.positive)
        self._bars.set_negative(theme.negative, theme.surface)
        self._lines.apply_theme(theme)
        self.plot.apply_theme(theme)
        self._redraw()

    # --- drawing ---

    def _choice_toggled(self, which: int, checked: bool) -> None:
        if not checked:
            return
        self._entitle()
        self._x = self._y_end = None
        self.plot.follow()
        self._redraw()
        self.normalised_changed.emit(self.normalised)

    def _entitle(self) -> None:
        """Name the axes after what is chosen, and say what will appear."""
        which = self._which
        of = ratios_of(self._config) if which == RATIOS else None
        self.plot.bottom.set_title(words.TITLES.get(of or which, self._words.title), words.SHORT[of or which])
        counted = self._counted
        self.plot.left.set_title(f"share of {counted} (%)", f"% of {counted}", "%")
        self._say_why_empty()

    def _say_why_empty(self) -> None:
        shown = self._past.shown
        empty = words.EMPTY_RATIOS if self._which == RATIOS else self._words.empty
        at = None if shown is None else words.not_kept_at(shown.at.iteration, self._signal)
        self._stage.set_hint(at or self._missing or empty)

    def _redraw(self) -> None:
        shown = self._take_ratios() if self._which == RATIOS else self._take_advantages()
        self._shown = shown
        if shown is None:
            self._iteration.clear()
            self._stage.fill(False)
            return
        assert self._x is not None
        self._bars.edges, self._bars.width, self._bars.heights = shown.edges, shown.width, 100 * shown.shares
        self._y_end = settled_end(self._y_end, 100 * float(shown.shares.max()), least=0.4)
        self.plot.set_ranges(self._x, (0.0, min(self._y_end, _HIGHEST)))
        current = self._ratios if self._which == RATIOS else self._latest
        self._iteration.setText(f"iteration {current.iteration:,}" if current else "")
        self.plot.redraw()
        self._stage.fill(True)

    def _take_ratios(self) -> Histogram | None:
        if self._ratios is None or not self._ratios.log_ratios.size:
            return None
        return self._take_weights(self._ratios) if self._ratios.of == "episode" else self._take_steps(self._ratios)

    def _take_advantages(self) -> Histogram | None:
        latest = self._latest
        normalised = self._which == NORMALISED
        shown = None if latest is None else latest.normalized if normalised else latest.advantages
        if shown is None or not shown.size:
            return None
        shown = shown.ravel()
        self._x = settled_range(self._x, *bounds(shown))
        bars = histogram(shown, self._x)
        self._bars.centre = 0.0
        text, muted = self._theme.text, self._theme.muted
        # What is nothing beside the spread is rounding, not a mean.
        mean = short_number(bars.mean if abs(bars.mean) > 1e-4 * bars.std else 0.0)
        std = short_number(bars.std)
        self._lines.moments = [
            Moment(bars.mean - bars.std, f"one standard deviation below the mean: {std}", muted, dashed=True),
            Moment(bars.mean + bars.std, f"one standard deviation above the mean: {std}", muted, dashed=True),
            Moment(bars.mean, f"mean of the batch: {mean}", text),
        ]
        self._tell(
            bars, ("negative", "positive"), Entry(f"mean {mean}", text, "line"), Entry(f"± std {std}", muted, "dashed")
        )
        return bars

    def _tell(self, bars: Histogram, sides: tuple[str, str], *lines: Entry) -> None:
        """Write above the plot how much lies on either side of the centre, and what the lines are."""
        below, above = sides
        self.plot.legend.show_entries(
            [
                Entry(f"{percent(bars.negative)} {below}", self._theme.negative, "hatched"),
                Entry(f"{percent(bars.positive)} {above}", self._theme.positive, "filled"),
                *lines,
            ]
        )

    def _take_steps(self, reweighted: Reweighted) -> Histogram:
        """π/π_old of every step, around 1, with the range in which they counted."""
        ratios = np.exp(np.minimum(reweighted.log_ratios.astype(np.float64), np.log(_LARGEST_RATIO)))
        reach = reweighted.clip_range
        low, high = bounds(ratios, centre=1.0)
        least = _LEAST_REACH if reach is None else 1.25 * reach
        self._x = settled_range(self._x, min(low, max(1 - least, 0.0)), max(high, 1 + least))
        bars = histogram(ratios, self._x, centre=1.0)
        self._bars.centre = 1.0
        text, marker = self._theme.text, self._theme.marker
        mean = f"mean {bars.mean:.2f} ± {short_number(bars.std)}"
        ends = [(1 + sign * reach, f"1 {name} ε") for sign, name in ((-1, "−"), (1, "+")) if reach]
        self._lines.moments = [
            *(
                Moment(x, f"{name} = {short_number(x)}, where the step is clipped", marker, dashed=True)
                for x, name in ends
            ),
            Moment(bars.mean, mean, text),
        ]
        clip = [Entry(f"1 ± ε, ε = {short_number(reach)}", marker, "dashed")] if reach else []
        self._tell(bars, ("less likely", "likelier"), Entry(mean, text, "line"), *clip)
        return bars

    def _take_weights(self, reweighted: Reweighted) -> Histogram:
        """The powers of ten of every episode's importance weight: few large ones are what decides the gradient."""
        powers = reweighted.log_ratios.astype(np.float64) / np.log(10.0)
        low, high = bounds(powers)
        self._x = settled_range(self._x, min(low, -_LEAST_REACH), max(high, _LEAST_REACH))
        bars = histogram(powers, self._x)
        self._bars.centre = 0.0
        size, cut = reweighted.effective_sample_size, reweighted.truncation
        text, marker = self._theme.text, self._theme.marker
        moments, entries = [], []
        if cut is not None:
            moments.append(
                Moment(float(np.log10(cut)), f"larger weights are cut to {short_number(cut)}", marker, dashed=True)
            )
            entries.append(Entry(f"cut at {short_number(cut)}", marker, "dashed"))
        greatest = float(powers.max())
        if np.isfinite(greatest):
            moments.append(Moment(greatest, f"largest weight {power_of_ten(greatest)}", text))
            entries.append(Entry(f"largest {power_of_ten(greatest)}", text, "line"))
        self._lines.moments = moments
        if size is not None:
            entries.append(Entry(f"ESS {size:.1f} of {len(powers):,}"))
        self._tell(bars, ("below 1", "above 1"), *entries)
        return bars

    # --- what a person asks of it ---

    @property
    def _quantity(self) -> str:
        """What the horizontal axis measures, with its unit."""
        if self._which == RATIOS:
            return words.RATIO_UNITS[ratios_of(self._config) or "step"]
        return words.NORMALISED_UNIT if self._which == NORMALISED else self._words.quantity

    @property
    def _counted(self) -> str:
        if self._which == RATIOS:
            return "episodes" if ratios_of(self._config) == "episode" else "steps"
        return self._words.counted

    def _read(self, pointer: Pointer) -> Reading | None:
        """The bar under the mouse, and the lines there."""
        shown = self._shown
        lines = pointer.moments(self._lines.moments)
        if shown is None:
            return None
        bar = shown.bar_at(pointer.data_x)
        if bar is None:
            return None
        index, ends = bar
        low, high = tick_labels(ends, shown.width)
        height = 100 * float(shown.shares[index])
        behind = ("click: the steps in it",) if self._inspection is not None and height > 0 else ()
        told = f"{self._quantity}: {low} to {high}", f"{height:.1f} % of the {self._counted}", *lines, *behind
        colour = self._theme.negative if ends[1] <= self._bars.centre + shown.width / 2 else self._theme.positive
        return Reading(sum(ends) / 2, height, told, colour)

    def _ask(self, pointer: Pointer | None) -> None:
        """Have the steps in the bar there shown, or all of the batch where there is none."""
        current = self._ratios if self._which == RATIOS else self._latest
        shown, of = self._shown, ratios_of(self._config) if self._which == RATIOS else None
        if self._inspection is None or current is None or shown is None:
            return
        bar = shown.bar_at(pointer.data_x) if pointer is not None else None
        chosen = None if bar is None else Bar(words.quantity_of(self._which, of), *bar[1], self._bar_words(bar[1]))
        if bar is None or shown.shares[bar[0]] > 0:
            self._inspection.ask(Wanted(current.iteration, chosen))

    def _bar_words(self, ends: tuple[float, float]) -> str:
        assert self._shown is not None
        return "{} {} to {}".format(self._quantity.partition(" (")[0], *tick_labels(ends, self._shown.width))

    def _numbers(self) -> Table:
        """The bars of the batch that is shown."""
        shown = self._shown
        if shown is None:
            return Table({})
        current = self._ratios if self._which == RATIOS else self._latest
        count = len(shown.edges)
        return Table(
            {
                "run": [self.plot.run] * count,
                "iteration": [current.iteration if current else 0] * count,
                f"{self._quantity}, from": shown.edges,
                f"{self._quantity}, to": shown.edges + shown.width,
                f"share of {self._counted} (%)": 100 * shown.shares,
            }
        )
