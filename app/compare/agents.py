"""Two agents beside each other, in step: what one change does to what is learned, seen in the same episodes."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from app.compare.compared import Compared
from app.compare.pair import PairChoice
from app.panels.episode.frame_view import FrameView
from app.session.playback_thread import SPEEDS
from app.session.side_by_side import Known, SideBySide, SideFrame, known_in_the_catalogue
from app.style import icons
from app.style.combo import Combo
from app.style.format import short_number
from app.style.text import as_surface, muted
from app.style.theme import Theme

EMPTY = "Tick two runs, and their agents play here in step, from the same seed."
_LOWEST = 90  # pixels of a picture
_WAITS = "{} has ended and waits for {}."


class Agents(QWidget):
    """Plays the newest policies of two runs while it can be seen."""

    def __init__(self, theme: Theme, compared: Compared, known: Known = known_in_the_catalogue) -> None:
        super().__init__()
        as_surface(self)
        self._theme = theme
        self.player = SideBySide(compared.library.folder, known)
        self.choice = PairChoice(compared)
        self.views = FrameView(), FrameView()
        self.told = muted(), muted()
        self.play_button = QToolButton()
        self.play_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.play_button.clicked.connect(self._play_or_pause)
        self.speed_box = Combo()
        self.sampled_button, self.greedy_button = QToolButton(), QToolButton()
        self.outcome = muted()
        self.outcome.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        head = QHBoxLayout()
        for widget in (self.play_button, self.speed_box, self._ways()):
            head.addWidget(widget)
        head.addWidget(self.choice, 1)
        sides = QHBoxLayout()
        for view, told in zip(self.views, self.told, strict=True):
            column = QVBoxLayout()
            column.addWidget(view, 1)
            column.addWidget(told)
            told.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            sides.addLayout(column, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.unit, theme.unit, theme.unit, theme.unit)
        layout.addLayout(head)
        layout.addLayout(sides, 1)
        layout.addWidget(self.outcome)
        self.player.frames_ready.connect(self._show_newest)
        self.player.failed.connect(self._say)
        self.choice.changed.connect(self._play_pair)
        self.apply_theme(theme)
        self._play_pair()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.choice.apply_theme(theme)
        self.play_button.setIconSize(QSize(theme.px(16), theme.px(16)))
        for view in self.views:
            view.setMinimumHeight(theme.px(_LOWEST))
        self._follow_playing()

    def _ways(self) -> QWidget:
        """How they play: at which pace, and whether their actions are sampled."""
        self.speed_box.addItems([f"{speed:g}×" for speed in SPEEDS])
        self.speed_box.setCurrentIndex(SPEEDS.index(self.player.speed))
        self.speed_box.setAccessibleName("Playback speed of both")
        self.speed_box.setToolTip("How fast both play; 1× is the environment's own pace")
        self.speed_box.currentIndexChanged.connect(lambda index: self.player.set_speed(SPEEDS[index]))
        ways, group = QFrame(), QButtonGroup(self)
        ways.setProperty("role", "segments")
        beside = QHBoxLayout(ways)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(0)
        for button, text, tip in (
            (self.sampled_button, "Sampled", "In both each action is drawn from the policy's probabilities"),
            (self.greedy_button, "Greedy", "In both the most likely action is taken at every step"),
        ):
            button.setText(text)
            button.setToolTip(tip)
            button.setAccessibleName(f"{text} actions of both")
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.setProperty("role", "segment")
            group.addButton(button)
            beside.addWidget(button)
        self.sampled_button.setChecked(True)
        self.greedy_button.toggled.connect(self.player.set_greedy)
        return ways

    def _play_or_pause(self) -> None:
        self.player.set_paused(not self.player.paused)
        self._follow_playing()

    def _follow_playing(self) -> None:
        paused = self.player.paused
        icons.give(self.play_button, "play" if paused else "pause", color=self._theme.text)
        self.play_button.setAccessibleName("Play the agents" if paused else "Pause the agents")
        self.play_button.setToolTip("Play both" if paused else "Hold both where they are; training goes on")

    def _play_pair(self) -> None:
        pair = self.choice.pair
        self._say(EMPTY if pair is None else "Their policies are being fetched…", "muted")
        self.player.show_pair(None if pair is None else (pair[0].id, pair[1].id))

    def _say(self, sentence: str, role: str = "warning") -> None:
        for view, told in zip(self.views, self.told, strict=True):
            view.forget_sizes()
            view.show_sentence(sentence, role)
            told.clear()
        self.outcome.clear()

    def _show_newest(self) -> None:
        shown = self.player.take()
        if shown is not None:
            for view, told, side in zip(self.views, self.told, shown, strict=True):
                if side.picture is not None:
                    view.show_picture(side.picture)
                told.setText(_words(side))
            pair = self.choice.pair
            if pair is not None:
                self.outcome.setText(outcome([f"run {run.record.number}" for run in pair], shown))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self.player.isRunning():
            self.player.start()
        self.player.set_wanted(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.player.set_wanted(False)


def _words(side: SideFrame) -> str:
    """What its episode has come to: "return so far 87 · step 87 · policy of iteration 120"."""
    frame = side.frame
    so_far = "return" if frame.ended else "return so far"
    step = f"ended at step {frame.step}" if frame.ended else f"step {frame.step}"
    return f"{so_far} {short_number(frame.reward_so_far, 4)} · {step} · policy of iteration {frame.iteration:,}"


def outcome(names: Sequence[str], shown: tuple[SideFrame, SideFrame]) -> str:
    """Who has ended, and what the episodes of both have come to on average: "run 3 has ended and waits for run 5."."""
    ended = [side.frame.ended for side in shown]
    said = []
    if ended == [True, False]:
        said.append(_WAITS.format(names[0], names[1]))
    elif ended == [False, True]:
        said.append(_WAITS.format(names[1], names[0]))
    elif all(ended):
        said.append("Both have ended.")
    count = min(len(side.returns) for side in shown)
    if count:
        means = [short_number(sum(side.returns[:count]) / count, 4) for side in shown]
        over = "1 episode" if count == 1 else f"{count:,} episodes"
        said.append(f"mean return over {over}: {names[0]} {means[0]}, {names[1]} {means[1]}.")
    return " ".join(f"{each[:1].upper()}{each[1:]}" for each in said)
