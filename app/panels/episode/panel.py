"""The episode being watched: its picture, its return so far, what the policy decides, and how it is played."""

from __future__ import annotations

import time

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QHideEvent, QPalette, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QButtonGroup,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
)

from app.panels.episode.action_bars import ActionBars
from app.panels.episode.action_words import teacher_words
from app.panels.episode.frame_view import FrameView
from app.panels.record import PanelWidget
from app.session.playback_thread import SPEEDS, PlaybackThread, PlayedFrame, Slowness
from app.style import icons
from app.style.combo import Combo
from app.style.format import NOTHING, minus, short_number
from app.style.halves import TALLEST_PICTURE, arrange
from app.style.text import ElidedLabel
from app.style.theme import Theme, tabular
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.reports.frames import Frame

EMPTY = "The current policy plays here as soon as training has made one."
EMPTY_PAUSED = "Paused. Press play, and the current policy plays here as soon as training has made one."
PAUSED = "Paused. Press play, and the policy plays here."
BEGINNING = "Beginning a new episode…"
AS_IN_THE_CURVE = (
    "The mean return of the last 100 training episodes when this policy was the newest: where the curve of returns was "
    "then. One episode alone may come to much more or less."
)
SHORTEST_BARS = 64  # pixels
LOWEST_PICTURE = 120  # pixels
WIDE = 1.4  # times as wide as high, from which on the picture stands beside what is told of it
SO_FAR, FROM_THERE = "Return so far", "From there so far"  # the latter of where somebody had the episode begin
RATE_EVERY = 1.0  # seconds
DETAILS_EVERY = 0.1  # seconds; numbers that change faster cannot be read, and cost training


class _Scroll(QScrollArea):
    """As tall as what it holds where there is room, and scrolled where there is not."""

    def __init__(self, content: ActionBars) -> None:
        super().__init__()
        self._content = content
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(content)

    def fit(self) -> None:
        self.setMaximumHeight(self._content.height())
        self.setMinimumHeight(min(self._content.height(), SHORTEST_BARS))
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        return self._content.sizeHint()


class EpisodePanel(PanelWidget):
    """Draws what ``playback`` plays and steers it; it plays only while this panel can be seen."""

    def __init__(self, theme: Theme, playback: PlaybackThread) -> None:
        super().__init__()
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.Base)
        self._theme = theme
        self.playback = playback
        self._chosen = self._played = next(iter(ENVIRONMENTS.values()))
        self._last: PlayedFrame | None = None  # the newest one shown, also where its numbers are not yet
        self._detailed = 0.0  # when numbers and bars were last shown
        self._failed = self._held_up = False
        self._rated = 0.0  # when the rate was last shown
        self._decimals = 0

        self.view = FrameView()
        self.return_label = QLabel(NOTHING)
        self.return_label.setProperty("role", "figure")
        self.return_label.setFont(tabular(self.return_label.font()))
        self.return_label.setAccessibleName("Return so far")
        # However long the number, it must not widen the panel.
        self.return_label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.return_title = QLabel(SO_FAR)
        self.training_label, self.newest_label = QLabel(), QLabel()
        self.training_label.setToolTip(AS_IN_THE_CURVE)
        self.training_label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.step_label, self.policy_label, self.rate_label = QLabel(), QLabel(), QLabel()
        self.bars = ActionBars(theme, self._chosen.action)
        self._caption = QLabel(self.bars.caption)
        self.teacher_label = ElidedLabel()
        self.teacher_label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._scroll = _Scroll(self.bars)
        self.play_button = QToolButton()
        self.sampled_button, self.greedy_button = QToolButton(), QToolButton()
        self.speed_box = Combo()
        self._make_controls()
        self._take_sizes()
        self._arrange()
        self._wire()
        self.reset()

    # --- assembly -----------------------------------------------------------------------------------------------------

    def _make_controls(self) -> None:
        self.play_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._modes = QButtonGroup(self)
        for button, text, tip in (
            (self.sampled_button, "Sampled", "Each action is drawn from the policy's probabilities"),
            (self.greedy_button, "Greedy", "The most likely action is taken at every step"),
        ):
            button.setText(text)
            button.setToolTip(tip)
            button.setAccessibleName(f"{text} actions")
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.setProperty("role", "segment")
            self._modes.addButton(button)
        (self.greedy_button if self.playback.greedy else self.sampled_button).setChecked(True)
        self.speed_box.addItems([f"{speed:g}×" for speed in SPEEDS])
        self.speed_box.setMinimumContentsLength(5)
        self.speed_box.setCurrentIndex(SPEEDS.index(self.playback.speed))
        self.speed_box.setAccessibleName("Playback speed")
        self.speed_box.setToolTip("How fast the episode plays; 1× is the environment's own pace")

    def _arrange(self) -> None:
        unit = self._theme.unit
        controls = QHBoxLayout()
        controls.setSpacing(unit // 2)
        controls.addWidget(self.play_button)
        controls.addWidget(self.speed_box)
        controls.addStretch(1)
        modes = QFrame()
        modes.setProperty("role", "segments")
        side_by_side = QHBoxLayout(modes)
        side_by_side.setContentsMargins(0, 0, 0, 0)
        side_by_side.setSpacing(0)
        side_by_side.addWidget(self.sampled_button)
        side_by_side.addWidget(self.greedy_button)
        controls.addWidget(modes)
        numbers = QGridLayout()
        numbers.setHorizontalSpacing(unit)
        numbers.setVerticalSpacing(0)
        numbers.setColumnStretch(0, 1)
        numbers.addWidget(self.return_title, 0, 0)
        numbers.addWidget(self.return_label, 1, 0, 2, 1)
        numbers.addWidget(self.training_label, 3, 0)
        self.training_label.setFont(tabular(self.training_label.font()))
        beside = (self.rate_label, self.step_label, self.policy_label, self.newest_label)
        told = QVBoxLayout()
        told.setSpacing(2)
        told.addStretch(1)
        numbers.addLayout(told, 0, 1, 4, 1)
        for label in beside:
            label.setFont(tabular(label.font()))
            label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            told.addWidget(label)
        self._caption.setWordWrap(True)
        for label in (self.return_title, self.training_label, *beside, self._caption, self.teacher_label):
            label.setProperty("role", "muted")
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._halves = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._halves.setContentsMargins(unit, unit, unit, unit)
        self._halves.setSpacing(unit)
        self._halves.addWidget(self.view, 1000)
        column = QVBoxLayout()
        column.setSpacing(unit)
        self._halves.addLayout(column, 1)
        column.addLayout(controls)
        column.addSpacing(unit // 2)
        column.addLayout(numbers)
        column.addSpacing(unit // 2)
        column.addWidget(self._caption)
        column.addWidget(self._scroll)
        column.addWidget(self.teacher_label)
        column.addStretch(1)

    def _wire(self) -> None:
        self.play_button.clicked.connect(self._play_or_pause)
        self.speed_box.currentIndexChanged.connect(lambda index: self.playback.set_speed(SPEEDS[index]))
        self.greedy_button.toggled.connect(self.playback.set_greedy)
        self.playback.begun.connect(self._follow_playing)
        self.playback.pause_changed.connect(self._hold_or_go_on)
        self.playback.frame_ready.connect(self._show_newest)
        self.playback.failed.connect(self._show_failure)
        self.playback.held_up.connect(self._show_hold_up)

    # --- from the window ----------------------------------------------------------------------------------------------

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._take_sizes()
        self.bars.apply_theme(theme)
        self._scroll.fit()
        self._limit_picture()
        self._follow_playing()

    def _take_sizes(self) -> None:
        px = self._theme.px
        self.view.setMinimumHeight(px(LOWEST_PICTURE))
        self.play_button.setMinimumSize(px(40), px(32))
        self.play_button.setIconSize(QSize(px(16), px(16)))
        for control in (self.sampled_button, self.greedy_button, self.speed_box):
            control.setMinimumHeight(px(32))
        self.speed_box.setFixedWidth(px(80))

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        """What will be played next; what is playing goes on until ``reset``."""
        self._chosen = environment
        if self._last is None and environment != self._played:
            self._make_room(environment)

    def reset(self) -> None:
        """Make room for a new run's policy; whether the last one's still plays is the thread's to know."""
        self._last = None
        self._failed = self._held_up = False
        self._rated = 0.0
        self.teacher_label.hide()
        self._make_room(self._chosen)
        self.return_label.setText(NOTHING)
        self.return_title.setText(SO_FAR)
        for label in (self.step_label, self.policy_label, self.rate_label, self.training_label, self.newest_label):
            label.clear()
        self._follow_playing()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.playback.set_wanted(True, "episode")

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.playback.set_wanted(False, "episode")

    # --- playing ------------------------------------------------------------------------------------------------------

    def _play_or_pause(self) -> None:
        if self._failed:
            self._failed = False
            self.playback.retry()
            self.playback.set_paused(False)
            self._follow_playing()
            self.view.show_sentence(BEGINNING)
        else:
            self.playback.set_paused(not self.playback.paused)

    def _hold_or_go_on(self) -> None:
        """Somebody holds the episode or has it go on, here or elsewhere."""
        if self._last is not None:
            self._show_details(self._last)
            self.bars.describe()
        self._follow_playing()

    def _follow_playing(self) -> None:
        """Make button, badge and sentence say what is the case."""
        paused = self.playback.paused
        if self._failed:
            picture, words, tip = "replay", "Try again", "Begin a new episode"
        elif paused:
            picture, words, tip = "play", "Play", "Go on with the episode; training is not affected"
        else:
            picture, words, tip = "pause", "Pause", "Hold the episode where it is; training goes on"
        icons.give(self.play_button, picture, color=self._theme.text, color_disabled=self._theme.muted)
        self.play_button.setAccessibleName(f"{words} the episode" if not self._failed else words)
        self.play_button.setToolTip(f"{words}: {tip[0].lower()}{tip[1:]}")
        if self._last is None and not self._failed and not self._held_up:
            idle, held = (BEGINNING, PAUSED) if self.playback.has_policy else (EMPTY, EMPTY_PAUSED)
            self.view.show_sentence(held if paused else idle)
        badge = "No answer" if self._held_up else "Paused" if paused else ""
        self.view.show_badge(badge if self._last is not None and not self._failed else "")

    def _show_newest(self) -> None:
        shown: PlayedFrame | None = self.playback.take()
        if shown is None:
            return
        frame, first = shown.frame, self._last is None or self._failed or self._held_up
        self._failed = self._held_up = False
        if shown.environment != self._played:
            self._make_room(shown.environment)
        before = self.view.aspect
        self.view.show_picture(shown.picture)
        if self.view.aspect != before:
            self._limit_picture()
        self._last = shown
        if first:
            self._follow_playing()
        now = time.monotonic()
        if frame.ended or self.playback.paused or now - self._detailed >= DETAILS_EVERY:
            self._detailed = now
            self._show_details(shown)
        if now - self._rated >= RATE_EVERY:
            self._rated = now
            self._show_rate(shown.slow)

    def _show_details(self, shown: PlayedFrame) -> None:
        frame = shown.frame
        if frame.decision is not None:  # in the final state the last decision stays in view
            self.bars.show_decision(frame.decision)
            if self._caption.text() != self.bars.caption:
                self._caption.setText(self.bars.caption)
            self._show_teacher(frame)
        reward = frame.reward_so_far
        if not reward.is_integer():
            self._decimals = 1  # and it stays so, lest the number flip between two forms
        long = abs(reward) >= 1e6
        self.return_label.setText(short_number(reward) if long else minus(f"{reward:.{self._decimals}f}"))
        whole, so_far = ("Return from there", FROM_THERE) if frame.chosen else ("Return", SO_FAR)
        self.return_title.setText(whole if frame.ended else so_far)
        limit = self._played.time_limit
        if frame.terminated:
            step = f"ended at step {frame.step}"
        elif frame.truncated:
            step = f"time limit at step {frame.step}"
        else:
            step = f"step {frame.step} of {limit}" if limit else f"step {frame.step}"
        self.step_label.setText(step)
        self._show_policy(shown)

    def _show_teacher(self, frame: Frame) -> None:
        """Say what the teacher of a learner would do here."""
        would = frame.teachers_action
        self.teacher_label.setVisible(would is not None)
        if would is not None:
            self.teacher_label.setText(teacher_words(self._played.action, would, frame.decision))

    def _show_policy(self, shown: PlayedFrame) -> None:
        """Say whose episode it is, and beside it what the curve said of that policy."""
        played, mean = shown.frame.iteration, shown.training_mean
        policy = f"policy of iteration {played}" if played else "untrained policy"
        self.policy_label.setText(f"{policy}, held" if shown.held else policy)
        self.newest_label.setText(f"iteration {shown.newest} is newest" if shown.newest > played else "")
        self.training_label.setText("" if mean is None else f"training mean {short_number(mean, 4, steady=True)}")

    def _show_rate(self, slow: Slowness | None) -> None:
        """Say how fast the episode plays where that is not as fast as was chosen."""
        if slow is None:
            self.rate_label.clear()
            self.rate_label.setToolTip("")
            return
        achieved, wished = (f"{rate:.1f}" if rate < 10 else f"{rate:.0f}" for rate in slow)
        self.rate_label.setText(f"{achieved} of {wished} steps/s")
        self.rate_label.setToolTip(
            f"The environment manages {achieved} steps per second; {self.speed_box.currentText()} would be {wished}."
        )

    def _show_hold_up(self, sentence: str) -> None:
        self._held_up = True
        if self._last is None:
            self.view.show_sentence(sentence, "warning")
        self._follow_playing()

    def _show_failure(self, sentence: str) -> None:
        self._failed = True
        self._held_up = False
        self._last = None
        self.view.show_sentence(sentence, "error")
        self._follow_playing()

    # --- room ---------------------------------------------------------------------------------------------------------

    def _make_room(self, environment: EnvironmentInfo) -> None:
        if environment != self._played:
            self.view.forget_sizes()
            self._limit_picture()
        self._played = environment
        self._decimals = 0
        self.bars.set_space(environment.action)
        self._caption.setText(self.bars.caption)
        self._scroll.fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        arrange(self._halves, wide=self.width() > WIDE * self.height())
        self._limit_picture()

    def _limit_picture(self) -> None:
        """No taller than the picture at full width, so that what is below stays close to it."""
        if self._halves.direction() is QBoxLayout.Direction.LeftToRight:
            self.view.setMaximumHeight(TALLEST_PICTURE)
            return
        width = self.width() - 2 * self._theme.unit
        tallest = max(round(width / self.view.aspect), self.view.minimumHeight())
        self.view.setMaximumHeight(min(tallest, TALLEST_PICTURE))
