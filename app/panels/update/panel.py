"""One update in slow motion: what each line of an iteration's pseudo-code does with this batch, down to its samples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QDeadlineTimer, QSize, Qt, QTimer
from PySide6.QtGui import QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QToolButton, QVBoxLayout

from app.models.inspection import Chosen, Inspection, Wanted
from app.models.past import Past
from app.models.runs import SeedGroup
from app.models.slow_motion import SlowMotion
from app.models.watched_update import WatchedUpdate
from app.panels.inspector.words import approach_words
from app.panels.record import PanelWidget
from app.panels.update.code_view import CodeView
from app.panels.update.made_again import lags
from app.panels.update.pages import THETA, Pages, View, kind_of
from app.panels.update.shown_update import ShownUpdate
from app.panels.update.words import comment, component_words, counted, numbers_of
from app.style import icons
from app.style.slider import Slider
from app.style.text import Stage, TwoLines, as_surface
from app.style.theme import Theme
from engine.catalogue.methods.stops import Stop
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PolicyGradientConfig, RunConfig
from engine.equations.pseudo_code import code_lines

if TYPE_CHECKING:
    from app.models.history import History

EMPTY = "Press Shift+→, or choose a stop in the menu of Step, and see here what the iteration does with its batch."
ELSEWHERE = "This seed has a process of its own, which does not tell the steps of its updates as they are taken."
UNSEEN = "The next iteration that is trained while this is open appears here; Shift+→ goes through it stop by stop."
AGAIN = "Drag the timeline to an earlier instant to see its update, or press ▶ to have the last one made again."
_DOWN, _ACROSS = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
_TALL, _WIDE = 3.2, 2.8  # times the code's height and width
_LOOKS = 400  # ms between two looks at whether it is in sight
_PLAYS, _PLAYS_STEPS = 1600, 120  # ms for which a line, and a gradient step, are shown as an update plays


class UpdatePanel(PanelWidget):
    """Follows the run from stop to stop; a person can look back at every line and step of the update that is shown."""

    def __init__(self, theme: Theme, past: Past, slow: SlowMotion, inspection: Inspection, folder: Path | None) -> None:
        super().__init__()
        as_surface(self)
        self._theme, self._past, self._slow, self._inspection = theme, past, slow, inspection
        self._environment: EnvironmentInfo | None = None
        self._stop: Stop = "collect"
        self._taken: int | None = None  # how many steps are shown as taken; None is all
        self._drawn: tuple[Any, ...] = ()
        self.shown = ShownUpdate(past, slow, folder, self)
        self._looking = QTimer(self, interval=_LOOKS)
        self._looking.timeout.connect(self._look_again)
        self._playing = QTimer(self)
        self._playing.timeout.connect(self._play_on)
        self._build(theme)
        self.code.show_lines(code_lines(PolicyGradientConfig()))
        self.shown.changed.connect(self._take)
        self.shown.said.connect(self._say)
        slow.changed.connect(self._follow_run)
        self.apply_theme(theme)

    def _build(self, theme: Theme) -> None:
        self.code, self.pages = CodeView(theme), Pages(theme)
        self.code.chosen.connect(self._choose)
        self.pages.shared.follow(self._read_out)
        self.pages.chosen.connect(self._ask)
        self.slider = Slider()
        self.slider.setAccessibleName("Step of the update")
        self.slider.valueChanged.connect(self._scrub)
        self.count = QLabel()
        self.count.setProperty("small", True)
        self.count.setProperty("role", "muted")
        self.play_button, self.theta_button = QToolButton(), QToolButton()
        self.play_button.setToolTip("Play this update slowly, line by line and step by step")
        self.play_button.setAccessibleName("Play this update")
        self.play_button.setCheckable(True)
        self.play_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.play_button.toggled.connect(self._play)
        self.theta_button.setText("Δθ")
        self.theta_button.setCheckable(True)
        self.theta_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.theta_button.setToolTip("Show the step in the parameters, by layer and one by one")
        self.theta_button.toggled.connect(lambda _on: self._redraw())
        controls = QHBoxLayout()
        controls.setSpacing(theme.unit // 2)
        controls.addWidget(self.play_button)
        controls.addWidget(self.slider, 1)
        controls.addWidget(self.theta_button)
        left = QVBoxLayout()
        left.setSpacing(theme.unit // 2)
        left.addWidget(self.code)
        left.addLayout(controls)
        left.addWidget(self.count)
        left.addStretch(1)
        self.heading, self.readout = TwoLines(58), TwoLines(66)
        for label in (self.heading, self.readout):
            label.setProperty("small", True)
        self.readout.setProperty("role", "muted")
        self._stage = Stage(EMPTY, self.pages)
        right = QVBoxLayout()
        right.setSpacing(theme.unit // 2)
        right.addWidget(self.heading)
        right.addWidget(self._stage, 1)
        right.addWidget(self.readout)
        layout = self._layout = QBoxLayout(_ACROSS, self)
        layout.setContentsMargins(theme.unit, theme.unit // 2, theme.unit, theme.unit // 2)
        layout.setSpacing(theme.unit)
        layout.addLayout(left)
        layout.addLayout(right, 1)

    # --- from the window ----------------------------------------------------------------------------------------------

    @property
    def watched(self) -> bool:
        return super().watched or self.pages.seen_large

    @property
    def _update(self) -> WatchedUpdate:
        return self.shown.update

    @property
    def stop(self) -> Stop:
        """What is looked at."""
        return self._stop

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        self._environment = environment
        self.shown.set_choice(environment, config)
        self.pages.name_components(lambda one: component_words(one, environment, config))
        lines = code_lines(config)
        self.code.show_lines(lines)
        if self._stop not in [line.stop for line in lines if not line.missing]:
            self._stop = next((line.stop for line in lines if not line.missing), "collect")
        self._redraw()

    def refresh(self, history: History) -> None:
        self.shown.take(history)

    def reset(self) -> None:
        self._playing.stop()
        self.shown.forget()

    def name_run(self, name: str) -> None:
        self.pages.name_run(name)

    def end(self) -> None:
        self.shown.lookup.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        return self.shown.lookup.wait(deadline)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        for button in (self.play_button, self.theta_button):
            button.ensurePolished()
            button.setIconSize(QSize(theme.px(16), theme.px(16)))
        icons.give(self.play_button, "play", color=theme.text, color_disabled=theme.disabled)
        self.code.apply_theme(theme)
        self.pages.apply_theme(theme)
        self._arrange()
        self._redraw()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._looking.isActive():  # it has come into sight, be it from behind another tab
            self._looking.start()
            self._slow.look(True)
            QTimer.singleShot(0, self.shown.leave_or_follow)

    def _look_again(self) -> None:
        """Nobody tells a panel that another tab has covered it."""
        if not self.watched:
            self._looking.stop()
            self._slow.look(False)
            self._slow.show(None)
            self.play_button.setChecked(False)
            return
        self.shown.catch_up()  # with what was due while it was not seen
        lookup = self.shown.lookup
        if lookup.busy and lookup.approach is not None:
            self._stage.set_hint(approach_words(lookup.approach))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """The code stands beside the pictures, or above them where that leaves these more room."""
        code = self.code.size()
        above = self.height() > _TALL * code.height() and self.width() < _WIDE * code.width()
        self._layout.setDirection(_DOWN if above else _ACROSS)

    # --- which update -------------------------------------------------------------------------------------------------

    def _follow_run(self) -> None:
        """Look at the stop at which the run waits or lingers."""
        at = self._slow.at
        if at is not None and self._past.shown is None:
            there = [line.stop for line in self.code.lines if not line.missing]
            wanted: Stop = "collect" if at == "episode" else at
            self._stop = wanted if wanted in there else self._stop
            self._taken = None
            self._redraw()
        else:
            self.code.light(self._stop, at)
        self.shown.catch_up()
        self._say_heading()

    def _say(self, sentence: str) -> None:
        """There is nothing to be seen, for this reason."""
        self._stage.set_hint(sentence)
        self._stage.fill(False)
        self._slow.show(None)
        self._drawn = ()
        self.readout.setText(" ")
        self._say_heading()

    def _take(self, another: bool) -> None:
        if another:
            self.pages.begin()
            self._taken = None
            if self.shown.made is not None and self.shown.made.single:
                self._stop = "step"
        self._redraw()

    def show_seeds(self, group: SeedGroup | None, shown: str, follow: Callable[[str], object]) -> None:
        self.shown.elsewhere = group is not None and group.is_elsewhere(shown)
        self._redraw()

    # --- what of it ---------------------------------------------------------------------------------------------------

    def _ask(self, chosen: Chosen | None) -> None:
        """Have the steps behind what was clicked shown."""
        if self._update.iteration > 0:  # else it is still collected
            self._inspection.ask(Wanted(self._update.iteration, chosen))

    def _choose(self, stop: str) -> None:
        self.play_button.setChecked(False)
        self._look_at(next(line.stop for line in self.code.lines if line.stop == stop))

    def _look_at(self, stop: Stop) -> None:
        self._stop = stop
        self._redraw()

    def _scrub(self, value: int) -> None:
        """Look at the update after so many steps."""
        taken = None if value >= len(self._update.steps) else value
        if taken != self._taken:
            self._taken = taken
            if self._stop not in ("step", "iteration"):
                self._stop = "step"
            self._redraw()

    def _play(self, on: bool) -> None:
        if on and self._update.is_empty:
            self.play_button.setChecked(False)
            self.shown.look_into(self.shown.trained)
            return
        icons.give(self.play_button, "pause" if on else "play", color=self._theme.text)
        if not on:
            self._playing.stop()
            return
        there = [line.stop for line in self.code.lines if not line.missing]
        self._stop, self._taken = there[0], 0
        self._playing.start(_PLAYS)
        self._redraw()

    def _play_on(self) -> None:
        """The next step of the update, or the next line."""
        there = [line.stop for line in self.code.lines if not line.missing]
        steps = len(self._update.steps)
        if self._stop == "step" and self._taken is not None and self._taken < steps:
            self._taken += 1
            self._playing.start(_PLAYS_STEPS if steps > 3 and self._taken < steps else _PLAYS)
            if self._taken == steps:
                self._taken = None
        elif self._stop != there[-1]:
            self._stop = there[there.index(self._stop) + 1]
            if self._stop == "step":
                self._taken = min(1, steps)
            self._playing.start(_PLAYS)
        else:
            self.play_button.setChecked(False)
            return
        self._redraw()

    @property
    def taken(self) -> int:
        """How many steps are shown as taken."""
        return len(self._update.steps) if self._taken is None else self._taken

    def _redraw(self) -> None:
        """Show what there is of the update at the stop."""
        self.code.light(self._stop, self._slow.at if self._past.shown is None else None)
        self._slow.show(self._stop if self.watched and not self._update.is_empty else None)
        shown = (id(self._update), self._update.version, self._stop, self.taken)
        key = (*shown, self.theta_button.isChecked(), id(self._theme), self.shown.trained > 0, self.shown.elsewhere)
        if key == self._drawn:
            return
        self._drawn = key
        self._follow_steps()
        if self._update.is_empty:
            if self._past.shown is None and not self.shown.lookup.busy:  # else it is said what comes
                again = f" {AGAIN}" if self.shown.can_be_made_again else ""
                self._say((ELSEWHERE if self.shown.elsewhere else UNSEEN) + again if self.shown.trained else EMPTY)
            return
        line = next((line for line in self.code.lines if line.stop == self._stop), None)
        missing = self.pages.show_view(
            self._update, View(self._stop, self.taken, self.theta_button.isChecked(), self._discrete)
        )
        if (line is not None and line.missing) or missing:
            self._stage.set_hint(line.missing if line is not None and line.missing else missing)
        self._stage.fill(not missing)
        self._say_heading()
        self._read_out()

    @property
    def _discrete(self) -> bool:
        return self._environment is not None and self._environment.action.kind == "discrete"

    def _follow_steps(self) -> None:
        """The slider and what stands beside it."""
        steps = self._update.steps
        self.slider.blockSignals(True)
        self.slider.setRange(min(1, len(steps)), max(len(steps), 1))
        self.slider.setValue(max(self.taken, 1))
        self.slider.blockSignals(False)
        self.slider.setEnabled(len(steps) > 1)
        again = self._update.is_empty and self.shown.trained > 0 and self.shown.can_be_made_again
        self.play_button.setEnabled(again or (bool(steps) and self._update.over))
        self.theta_button.setEnabled(bool(steps) and kind_of(self._update) != THETA)
        self.count.setText(counted(steps[self.taken - 1], self._update) if 0 < self.taken <= len(steps) else " ")

    def _say_heading(self) -> None:
        update, made = self._update, self.shown.made
        if update.is_empty or not self._drawn or (self._past.shown is not None and made is None):
            self.heading.setText("")
            return
        words = [f"iteration {update.iteration:,}"] if update.iteration else []
        layout = self.pages.shared.layout
        if update.batch is not None and layout is not None:
            whole = f"{layout.rows:,} episodes" if layout.rows != 1 else "1 episode"
            words.append(f"{whole}, {len(update.batch.rewards):,} steps")
        elif update.episodes:
            count = len(update.episodes)
            so_far = "" if update.over or update.steps else " so far"
            words.append(f"{count:,} episode{'s' * (count > 1)}{so_far}")
        if made is not None:
            words.append("made again, exact" if made.exact else "a batch like it")
        elif self._slow.waits and lags(update, self.shown.trained):
            words.append(f"the last that was watched of {self.shown.trained:,}")
        self.heading.setText(" · ".join(words))
        self.heading.setToolTip(made.how if made is not None else "")

    def _read_out(self) -> None:
        """The numbers of the step under the mouse, or what the line means."""
        batch, hovered = self._update.batch, self.pages.shared.hovered
        if batch is None or not 0 <= hovered < len(batch.rewards):
            line = next((line for line in self.code.lines if line.stop == self._stop), None)
            self.readout.setText(comment(self._update, self._stop) or ("" if line is None else line.meaning))
            return
        self.readout.setText(numbers_of(batch, hovered))
