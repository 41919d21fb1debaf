"""A person teaches: states that the learner came to are shown, and by key the person says what is to be done there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QToolButton, QVBoxLayout, QWidget

from app.models.history import History
from app.panels.play.frame import GameFrame
from app.panels.play.key_caps import KeyCaps
from app.panels.play.view import GameView
from app.session.teaching import Teaching
from app.style import icons
from app.style.sentence import Sentence
from app.style.theme import Theme
from engine.catalogue.controls import TAKE, Control, Controls, controls_of
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ImitationConfig, RunConfig
from engine.config.imitation import PERSON
from engine.reports.events import NoAction
from engine.runtime.errors import RequestError

if TYPE_CHECKING:  # with numpy
    from engine.analysis.held_controls import HeldControls

EMPTY = (
    "Choose DAgger with the teacher “person”, and states that the learner came to are asked about here, round by round."
)
COMING = "The learner plays; then it asks you about some of the states it came to."
NOT_NOW = "The run does not wait now. Once it goes on, it asks what is still open; what you have answered is kept."
LEARNING = "All answered. The learner learns from it, plays, and asks again."
UNKNOWN, LOST, BACK = "I do not know", "that is lost anyway", "one back"
PADS = "A gamepad answers, too. Left trigger: not known; right: lost; Back: one back."
FRAME = 110  # ms for each picture of a film
LOWEST = 84  # pixels of the picture
_NO_ACTION = {UNKNOWN: NoAction.UNKNOWN, LOST: NoAction.LOST}
_OWN = {UNKNOWN: "UN", LOST: "LX", BACK: ""}


class TeachPage(QWidget):
    """Shows one question of ``teaching`` after the other while a person can see it.

    Signals:
        seen: it can be seen now, or not any more.
    """

    seen = Signal()

    def __init__(self, theme: Theme, teaching: Teaching) -> None:
        super().__init__()
        self.teaching = teaching
        self._theme = theme
        self.controls: Controls | None = None
        self._environment: EnvironmentInfo | None = None
        self._config: RunConfig | None = None
        self._hands: HeldControls | None = None
        self._keys: dict[str, str] = {}  # by control, or by what else can be said
        self._place = 0  # of the picture of the film that is shown
        self._refused = False  # whether the last answer was not heard
        self._gamepad = ""  # the name of one that answers, too
        self.view, self.caps = GameView(), KeyCaps(theme.unit // 2, fixed=True)
        self.words, self.status = Sentence(), Sentence()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Questions answered")
        self.again_button = QToolButton()
        self.again_button.setText("See again")
        self.again_button.setToolTip("How the learner came to this state, once more")
        self.again_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.again_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._frame = GameFrame(self.view, self.caps, theme.unit // 2)
        self._film = QTimer(self, interval=FRAME)
        self._arrange()
        self._wire()
        self.apply_theme(theme)

    def _arrange(self) -> None:
        unit = self._theme.unit
        line = QHBoxLayout()
        line.addWidget(self.words, 1)
        line.addWidget(self.again_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(unit)
        column.addWidget(self._frame, 1)
        column.addWidget(self.bar)
        column.addLayout(line)
        column.addWidget(self.status)

    def _wire(self) -> None:
        view, teaching = self.view, self.teaching
        self._film.timeout.connect(self._show_next)
        self.again_button.clicked.connect(self._see_again)
        view.pressed.connect(self._press)
        view.released.connect(self._release)
        view.escaped.connect(lambda: self.again_button.setFocus(Qt.FocusReason.OtherFocusReason))
        view.deserted.connect(self._follow)
        view.entered.connect(self._follow)
        view.pointed.connect(self._point)
        self.caps.asked.connect(self._click)
        teaching.changed.connect(self._ask)
        teaching.filmed.connect(self._see_again)
        teaching.failed.connect(lambda sentence: view.show_sentence(sentence, "warning"))

    # --- from the panel -----------------------------------------------------------------------------------------------

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        self._config = config
        if environment != self._environment:
            self._environment = environment
            try:
                self.controls = controls_of(environment)
            except RequestError:  # which is told once there is a question
                self.controls = None
            self._make_caps()
        self.teaching.take(None, config.environment)
        self._ask()

    def refresh(self, history: History) -> None:
        if self._config is not None:
            self.teaching.take(history.asked, self._config.environment)

    def reset(self) -> None:
        if self._config is not None:
            self.teaching.take(None, self._config.environment)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.view.setMinimumHeight(theme.px(LOWEST))
        self.again_button.setIconSize(QSize(theme.px(16), theme.px(16)))
        self.status.setMinimumHeight(2 * self.status.fontMetrics().lineSpacing())  # so that the picture stays put
        icons.give(self.again_button, "replay", color=theme.text, color_disabled=theme.muted)
        self._follow()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._see_again()
        self.seen.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._film.stop()
        self.seen.emit()

    def _make_caps(self) -> None:
        """A cap for each action, and for what else can be said."""
        controls = () if self.controls is None else self.controls.controls
        self._keys = {} if self.controls is None else dict(self.controls.keys)
        for words, letters in _OWN.items():
            free = (letter for letter in letters if letter not in self._keys.values())
            self._keys[words] = "Backspace" if words == BACK else next(free, "Delete" if words == LOST else "End")
        own = tuple(Control(words, words, self._keys[words]) for words in _OWN)
        self.caps.show_controls((*controls, *own))
        self.caps.show_keys(self._keys, "", usual=True)

    # --- what a person says -------------------------------------------------------------------------------------------

    def _press(self, key: str) -> None:
        name = self._named(key)
        if name is None:
            self.status.setText(f"{key} is no answer; those that are stand with the picture.")
        elif name in _OWN:
            self.say(name)
        else:
            self.hold(name)

    def _release(self, key: str) -> None:
        name = self._named(key)
        if name is not None:
            self.let_go(name)

    def _named(self, key: str) -> str | None:
        return next((name for name, used in self._keys.items() if used == key), None)

    def hold(self, name: str) -> None:
        """Have a control held."""
        if self._hands is not None:
            self._hands.press(name)
            self.caps.light(self._hands.held)

    def let_go(self, name: str) -> None:
        """What was held together is one answer, given when the first of it is let go."""
        hands, controls = self._hands, self.controls
        if hands is None or controls is None or name not in hands.held:
            return
        if controls.latches and name != TAKE:
            hands.release(name)
            return
        self.give_held()

    def lean(self, tilts: Mapping[str, float]) -> None:
        """Have controls held by sticks, each by so much."""
        if self._hands is not None:
            self._hands.tilt(tilts)
            self.caps.light(self._hands.held)

    def give_held(self) -> None:
        """Answer with what is held."""
        if self._hands is not None:
            self._give(self._hands.action(at_once=True))

    def show_gamepad(self, name: str) -> None:
        """Say that a gamepad answers, too, of this name; empty where it is gone."""
        self._gamepad = name
        self.view.setToolTip(f"{name} answers, too" if name else "")
        self._follow()

    def _click(self, name: str) -> None:
        """A cap was clicked."""
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)
        if name in _OWN:
            self.say(name)
        else:
            self.hold(name)
            self.let_go(name)

    def say(self, name: str) -> None:
        """Answer that there is no action to name, or go back to the question before."""
        if name == BACK:
            self.teaching.go_back()
        else:
            self._give(_NO_ACTION[name])

    def _give(self, action: object) -> None:
        if action is None or self.teaching.question is None:
            return
        self._refused = not self.teaching.answer(action)
        self._follow()

    def _point(self, place: tuple[float, float] | None) -> None:
        if place is not None:
            self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    # --- what is shown ------------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        """Another question, or none."""
        self._film.stop()
        self._refused = False
        question = self.teaching.question
        if question is not None and self.controls is not None:
            from engine.analysis.held_controls import HeldControls  # with numpy

            self._hands = HeldControls(self.controls)
        else:
            self._hands = None
        self.caps.light(())
        if self.teaching.film is not None:
            self._see_again()
        self._follow()

    def _see_again(self) -> None:
        self._place = 0
        self._show_next()
        if self.isVisible() and self.teaching.film is not None:
            self._film.start()

    def _show_next(self) -> None:
        film = self.teaching.film
        if film is None or self._place >= len(film.pictures):
            self._film.stop()
            return
        self.view.show_picture(film.pictures[self._place])
        self._place += 1
        self.view.show_badge("on the way here" if self._place < len(film.pictures) else "")

    def _follow(self) -> None:
        teaching, question = self.teaching, self.teaching.question
        self.view.takes_keys = question is not None
        on = question is not None and self.view.hasFocus()
        self._frame.light(on)
        number, count, round_ = teaching.progress
        self.bar.setMaximum(max(count, 1))
        self.bar.setValue(count if teaching.is_over else max(number - 1, 0))
        self.again_button.setVisible(question is not None)
        self.bar.setVisible(count > 0)
        self.caps.setVisible(question is not None)
        self.words.setText(f"Question {number:,} of {count:,}, round {round_}" if question is not None else "")
        if question is None:
            self.view.show_badge("")
            self.view.show_sentence(self._why_none())
        elif teaching.film is None:
            self.view.show_sentence("The learner was here…")
        self.status.setText(self._told(on) if question is not None else "")

    def _told(self, on: bool) -> str:
        if self._refused:
            return NOT_NOW
        if self.controls is None:
            return "There are no keys for these actions; say only whether you know, or whether it is lost."
        if self._gamepad:
            return PADS
        return "What is to be done here?" if on else "What is to be done here? Click the picture, and keys are answers."

    def _why_none(self) -> str:
        if self.teaching.is_over:
            return LEARNING
        config = self._config
        asks = isinstance(config, ImitationConfig) and config.imitation.teacher == PERSON
        return COMING if asks else EMPTY
