"""How agents race: at which pace, with which of their policies, and from where."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QLabel, QToolButton, QWidget

from app.session.playback_thread import SPEEDS
from app.session.side_by_side import SideBySide
from app.style import icons
from app.style.combo import Combo
from app.style.flow import Flow
from app.style.slider import Slider
from app.style.text import SteadyLabel, muted
from app.style.theme import Theme
from engine.runs.racing import Instant

_NOTCHES = 100  # of the slider from no step to all
_HOLD = 700  # ms for which an end is seen, before they race anew with longer training
_SOON = 200  # ms after the slider was moved last
_SLIDER, _PACE = 150, 80  # pixels of the sliders
_AT = (
    ("the last policies", "Each plays with the last policy that was kept of its run"),
    ("the best policies", "Each plays with the policy of its run whose mean return was best"),
    ("policies after equal steps", "Each plays with what it had learned after the same number of environment steps"),
)


class RaceControls(QWidget):
    """Signals:
    changed: other policies or other beginnings are to be played; they race anew.
    restarted: they are to race anew.
    """

    changed = Signal()
    restarted = Signal()

    def __init__(self, theme: Theme, player: SideBySide) -> None:
        super().__init__()
        self._theme, self._player = theme, player
        self._steps = self._end = 0
        self.play_button, self.restart_button, self.fill_button = (_button() for _ in range(3))
        self.pace_slider, self.steps_slider = (Slider() for _ in range(2))
        self.pace_text, self.steps_text = SteadyLabel("0.25×"), QLabel()
        self.sampled_button, self.greedy_button, self.longer_button = QToolButton(), QToolButton(), QToolButton()
        self.at_box, self.start_box = Combo(), Combo()
        self._soon = QTimer(self, singleShot=True, interval=_SOON)
        self._soon.timeout.connect(self.changed)
        self._longer = QTimer(self, singleShot=True, interval=_HOLD)
        self._longer.timeout.connect(self._train_on)
        self._equal = _together(self.steps_slider, self.steps_text, self.longer_button)
        self._fill_boxes()
        self._wire()
        layout = Flow(theme.unit)
        layout.setContentsMargins(0, 0, 0, 0)
        pace = _together(muted("Pace"), self.pace_slider, self.pace_text)
        for widget in (self.play_button, self.restart_button, pace, self._ways()):
            layout.addWidget(widget)
        layout.add_right(self.fill_button)
        for widget in (self.start_box, self.at_box, self._equal):
            layout.addWidget(widget)
        self.setLayout(layout)
        self.apply_theme(theme)
        self._follow()

    @property
    def at(self) -> Instant:
        """Which of their policies play."""
        instants: tuple[Instant, ...] = "last", "best", self._steps
        return instants[self.at_box.currentIndex()]

    @property
    def alike(self) -> bool:
        """Whether all begin alike."""
        return self.start_box.currentIndex() == 0

    def show_end(self, steps: int) -> None:
        """So many environment steps all have taken."""
        if self._steps == self._end or self._steps > steps:
            self._steps = steps
        self._end = steps
        self.steps_slider.blockSignals(True)
        self.steps_slider.setValue(round(_NOTCHES * self._steps / max(steps, 1)))
        self.steps_slider.blockSignals(False)
        self._follow()

    def _fill_boxes(self) -> None:
        for text, tip in _AT:
            self.at_box.addItem(text)
            self.at_box.setItemData(self.at_box.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.start_box.addItems(["all begin alike", "each begins anew"])
        for box, name, tip in (
            (self.at_box, "Policies that race", "Which policy of each run plays"),
            (
                self.start_box,
                "Where episodes begin",
                "Alike: in a round all episodes begin from one seed of the environment, in the next round from "
                "another. Anew: each from a seed of its own, in every round.",
            ),
        ):
            box.setSizeAdjustPolicy(Combo.SizeAdjustPolicy.AdjustToContents)
            box.setAccessibleName(name)
            box.setToolTip(tip)

    def _wire(self) -> None:
        self.pace_slider.setRange(0, len(SPEEDS) - 1)
        self.pace_slider.setPageStep(1)
        self.pace_slider.setValue(SPEEDS.index(self._player.speed))
        self.pace_slider.setAccessibleName("Pace of all")
        self.pace_slider.setToolTip("How fast all play; 1× is the own pace of the slowest environment among theirs")
        self.steps_slider.setRange(0, _NOTCHES)
        self.steps_slider.setValue(_NOTCHES)
        self.steps_slider.setPageStep(_NOTCHES // 10)
        self.steps_slider.setAccessibleName("Environment steps of training")
        self.steps_slider.setToolTip(
            "How long each has trained: up to the steps that all of them have taken. Of what was kept of each run, the "
            "last policy of no more steps plays."
        )
        self.restart_button.setAccessibleName("Race anew")
        self.restart_button.setToolTip("Begin anew with the first round")
        self.fill_button.setCheckable(True)
        self.fill_button.setAccessibleName("Race alone")
        self.fill_button.setToolTip("Give the race all the room of the page, and back")
        self.longer_button.setText("Longer each round")
        self.longer_button.setAccessibleName("Longer training each round")
        self.longer_button.setToolTip("Once all have ended they race anew, having trained a tenth of the way longer")
        self.longer_button.setCheckable(True)
        self.longer_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.longer_button.toggled.connect(self._begin_short)
        self.play_button.clicked.connect(self._play_or_pause)
        self.restart_button.clicked.connect(self._restart)
        self.pace_slider.valueChanged.connect(self._pace)
        self.steps_slider.valueChanged.connect(self._take_steps)
        self.at_box.currentIndexChanged.connect(lambda _index: self._change())
        self.start_box.currentIndexChanged.connect(lambda _index: self._change())

    def _ways(self) -> QWidget:
        """Whether their actions are sampled."""
        ways, group = QFrame(), QButtonGroup(self)
        ways.setProperty("role", "segments")
        beside = QHBoxLayout(ways)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(0)
        for button, text, tip in (
            (self.sampled_button, "Sampled", "Of all, each action is drawn from the policy's probabilities"),
            (self.greedy_button, "Greedy", "Of all, the most likely action is taken at every step"),
        ):
            button.setText(text)
            button.setToolTip(tip)
            button.setAccessibleName(f"{text} actions of all")
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.setProperty("role", "segment")
            group.addButton(button)
            beside.addWidget(button)
        self.sampled_button.setChecked(True)
        self.greedy_button.toggled.connect(self._player.set_greedy)
        return ways

    def _play_or_pause(self) -> None:
        self._player.set_paused(not self._player.paused)
        self._follow()

    def _restart(self) -> None:
        self._player.set_paused(False)
        self._follow()
        self.restarted.emit()

    def _pace(self, at: int) -> None:
        self._player.set_speed(SPEEDS[at])
        self._follow()

    def _take_steps(self, notch: int) -> None:
        self._steps = round(self._end * notch / _NOTCHES)
        self._follow()
        self._soon.start()

    def _begin_short(self, on: bool) -> None:
        """Begin with what had hardly trained, where all are at the end already."""
        if on and self.steps_slider.value() == _NOTCHES:
            self.steps_slider.setValue(0)

    def round_ended(self) -> None:
        """To be told when all have ended in the first round: in a moment they race anew, where they are to have trained
        longer."""
        longer = self.longer_button.isChecked() and self.at_box.currentIndex() == len(_AT) - 1
        if longer and self.steps_slider.value() < _NOTCHES and not self._longer.isActive():
            self._longer.start()

    def _train_on(self) -> None:
        if self.longer_button.isChecked() and not self._soon.isActive():
            self.steps_slider.setValue(self.steps_slider.value() + _NOTCHES // 10)
        self.longer_button.setChecked(self.longer_button.isChecked() and self.steps_slider.value() < _NOTCHES)

    def _change(self) -> None:
        self._follow()
        self.changed.emit()

    def _follow(self) -> None:
        """Say what is chosen."""
        paused = self._player.paused
        icons.give(self.play_button, "play" if paused else "pause", color=self._theme.text)
        self.play_button.setAccessibleName("Play the agents" if paused else "Pause the agents")
        self.play_button.setToolTip("Play on" if paused else "Hold all where they are; training goes on")
        self.pace_text.setText(f"{self._player.speed:g}×")
        self._equal.setVisible(self.at_box.currentIndex() == len(_AT) - 1)
        self.steps_text.setText(f"after {self._steps:,} steps")

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        for button, icon in ((self.restart_button, "restart"), (self.fill_button, "arrow-expand-all")):
            icons.give(button, icon, color=theme.text)
        for button in (self.play_button, self.restart_button, self.fill_button):
            button.setIconSize(QSize(theme.px(16), theme.px(16)))
        self.pace_slider.setFixedWidth(theme.px(_PACE))
        self.steps_slider.setFixedWidth(theme.px(_SLIDER))
        self._follow()


def _button() -> QToolButton:
    button = QToolButton()
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button


def _together(*widgets: QWidget) -> QWidget:
    """These in one line that is not broken."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        layout.addWidget(widget)
    return row
