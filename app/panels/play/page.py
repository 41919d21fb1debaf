"""A person plays: the picture and the keys, how fast, and what the episode comes to beside what others reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QHBoxLayout,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.models.experiment import Experiment
from app.models.history import History
from app.models.person import PersonReturns
from app.panels.play.frame import GameFrame
from app.panels.play.key_caps import KeyCaps
from app.panels.play.standings import Standings
from app.panels.play.view import GameView
from app.session.game import EACH_KEY, PACES, Game, GameState
from app.session.play_thread import Played
from app.style import icons
from app.style.combo import Combo
from app.style.halves import TALLEST_PICTURE, arrange
from app.style.text import muted
from app.style.theme import Theme
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.runs.recording_records import RecordingRecord

if TYPE_CHECKING:  # with torch
    from engine.analysis.beginnings import InState

EMPTY = "Press Play, and {} is yours to play here."
STARTING = "Getting {} ready…"
HIDDEN = "Paused, since the game could not be seen."
BRIEF = 4000  # ms for which a sentence is read
LOWEST_PICTURE = 84  # pixels
WIDE = 1.2  # times as wide as high, from which on the picture stands beside what is told of it
EDGE = 3  # pixels, of the frame
_FAST = {EACH_KEY: "each key"}


class GamePage(QWidget):
    """Plays the environment that is chosen; ``game`` is what it is at."""

    def __init__(self, theme: Theme, experiment: Experiment, game: Game, person: PersonReturns) -> None:
        super().__init__()
        self._theme, self._experiment, self.game, self._person = theme, experiment, game, person
        self._history: History | None = None
        self._trained: RunConfig | None = None  # of the run that is shown
        self._kept = ""  # what became of the last episode
        self._told = ""  # the last sentence for who plays
        self._state = game.state  # as it was last shown
        self._brief = QTimer(self, interval=BRIEF, singleShot=True)
        self._brief.timeout.connect(lambda: self._tell(""))
        self.view, self.caps = GameView(), KeyCaps(theme.unit // 2)
        self.play_button, self.restart_button = QToolButton(), QToolButton()
        self.pace_box, self.ramps_box = Combo(), QCheckBox("Keys act bit by bit")
        self.status = muted()
        self.standings = Standings(theme.unit)
        self._frame = GameFrame(self.view, self.caps, theme.unit // 2)
        self._make_controls()
        self._arrange()
        self._wire()
        self.apply_theme(theme)
        self._choose()

    # --- assembly -----------------------------------------------------------------------------------------------------

    def _make_controls(self) -> None:
        for button in (self.play_button, self.restart_button):
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.restart_button.setText("Restart")
        self.restart_button.setToolTip("Begin another episode; what has been played of this one is kept")
        self.pace_box.setAccessibleName("Pace of the game")
        self.pace_box.setToolTip("How fast time goes: 1× is its own pace; slower, or a step with each key")
        for pace in PACES:
            self.pace_box.addItem(_FAST.get(pace, f"{pace:g}×"), pace)
        self.ramps_box.setToolTip("A held key moves its part of the action gradually, as a stick would, or all at once")
        self.status.setWordWrap(True)
        self.status.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.status.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def _arrange(self) -> None:
        unit = self._theme.unit
        controls = QHBoxLayout()
        controls.setSpacing(unit // 2)
        controls.addWidget(self.play_button)
        controls.addWidget(self.restart_button)
        controls.addStretch(1)
        controls.addWidget(self.pace_box)
        self._halves = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._halves.setContentsMargins(0, 0, 0, 0)
        self._halves.setSpacing(unit)
        self._halves.addWidget(self._frame, 1000)
        column = QVBoxLayout()
        column.setSpacing(unit)
        column.addWidget(self.status)
        column.addLayout(controls)
        column.addWidget(self.ramps_box)
        column.addWidget(self.standings)
        column.addStretch(1)
        self._halves.addLayout(column, 1)

    def _wire(self) -> None:
        game, view = self.game, self.view
        self.play_button.clicked.connect(self._play_or_pause)
        self.restart_button.clicked.connect(self._restart)
        self.pace_box.activated.connect(lambda _index: game.set_pace(self.pace_box.currentData()))
        self.ramps_box.toggled.connect(game.set_ramps)
        view.pressed.connect(game.press)
        view.released.connect(game.release)
        view.escaped.connect(self._escape)
        view.deserted.connect(self._note_desertion)
        view.entered.connect(self._follow)
        view.pointed.connect(self._point)
        self.caps.asked.connect(self._ask_for_key)
        self.caps.usual_asked.connect(game.use_usual_keys)
        game.chosen.connect(self._make_room)
        game.changed.connect(self._follow)
        game.shown.connect(self._show_moment)
        game.told.connect(self._tell)
        game.thread_of_play.played.connect(self._note_played)
        game.thread_of_play.kept.connect(self._note_kept)
        self._experiment.changed.connect(self._choose)
        self._person.changed.connect(self._show_numbers)

    # --- from the panel -----------------------------------------------------------------------------------------------

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        self._trained, self._history = config, None
        self._show_numbers()

    def refresh(self, history: History) -> None:
        self._history = history
        self._show_numbers()

    def reset(self) -> None:
        self._history = None
        self._show_numbers()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._settle(wide=self.width() > WIDE * self.height())

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.game.pause(HIDDEN)
        self._settle(wide=False)  # wherever it is put next asks how much room it needs

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        px = theme.px
        self.view.setMinimumHeight(px(LOWEST_PICTURE))
        self._limit_picture()
        for button in (self.play_button, self.restart_button):
            button.setIconSize(QSize(px(16), px(16)))
        icons.give(self.restart_button, "restart", color=theme.text, color_disabled=theme.muted)
        self.status.setMinimumHeight(2 * self.status.fontMetrics().lineSpacing())
        self._follow()

    # --- what a person does -------------------------------------------------------------------------------------------

    def _choose(self) -> None:
        """Another environment is chosen, or the same with other settings."""
        self.game.choose(self._experiment.environment, self._experiment.config.environment)

    def _make_room(self) -> None:
        controls = self.game.controls
        self._kept = self._told = ""
        self.view.forget_sizes()
        self.caps.show_controls(controls.controls if controls is not None else ())
        self._limit_picture()
        self.ramps_box.setVisible(controls is not None and bool(controls.axes))
        self._show_numbers()

    def _play_or_pause(self) -> None:
        if self.game.is_busy:
            self.game.pause()
        else:
            self.view.setFocus(Qt.FocusReason.OtherFocusReason)
            self.game.play()

    def play_from(self, beginning: InState) -> None:
        """Begin an episode in that state."""
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)
        self.game.restart(beginning)

    def _restart(self) -> None:
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)
        self.game.restart()

    def _escape(self) -> None:
        if self.game.assigning:
            self.game.ask_for_key(self.game.assigning)
        else:
            self.game.pause()
        self.play_button.setFocus(Qt.FocusReason.OtherFocusReason)  # so that Space goes on here, and trains nothing

    def _note_desertion(self) -> None:
        if self.game.assigning:
            self.game.ask_for_key(self.game.assigning)
        self.game.pause("Paused, since the keyboard went elsewhere.")
        self._follow()

    def _ask_for_key(self, name: str) -> None:
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)
        self.game.ask_for_key(name)

    def _point(self, place: tuple[float, float] | None) -> None:
        if place is not None and self.game.state in (GameState.IDLE, GameState.PAUSED, GameState.FAILED):
            self._play_or_pause()
        else:
            self.game.point(place)

    # --- what is shown ------------------------------------------------------------------------------------------------

    def _follow(self) -> None:
        """Make picture, buttons and words say what is the case."""
        game = self.game
        if game.state is not self._state:
            self._state, self._told = game.state, ""
        on = game.takes_keys and self.view.hasFocus()
        self.view.takes_keys = game.takes_keys
        self._frame.light(on)
        icon, words, tip = _BUTTON[game.is_busy, game.state is GameState.PAUSED]
        icons.give(self.play_button, icon, color=self._theme.text, color_disabled=self._theme.muted)
        self.play_button.setText(words)
        self.play_button.setToolTip(tip)
        possible = game.controls is not None
        self.play_button.setEnabled(possible)
        self.restart_button.setEnabled(possible and game.state is not GameState.IDLE)
        self.pace_box.setEnabled(possible)
        self.pace_box.setCurrentIndex(PACES.index(game.pace))
        if self.ramps_box.isChecked() != game.ramps:
            self.ramps_box.setChecked(game.ramps)
        self.view.show_count(game.count if game.state is GameState.COUNTING else 0)
        self.view.show_badge("Paused" if game.state is GameState.PAUSED and game.moment is not None else "")
        self._show_sentence()
        self.caps.show_keys(game.keys, game.assigning, usual=game.keys_are_usual)
        self.caps.light(game.held | ({game.assigning} if game.assigning else set()))
        self._show_status()

    def _show_sentence(self) -> None:
        """In place of a picture, where there is none."""
        game, title = self.game, self._experiment.environment.title
        if game.state is GameState.FAILED or game.controls is None:
            self.view.show_sentence(game.why, "error" if game.state is GameState.FAILED else "muted")
        elif game.moment is None:
            self.view.show_sentence((STARTING if game.state is GameState.STARTING else EMPTY).format(title))

    def _show_status(self) -> None:
        self.status.setText(self._words())

    def _words(self) -> str:
        """Whose the keys are, and what comes next."""
        game, state = self.game, self.game.state
        if game.assigning:
            return "Press the key that is to do this. Esc leaves it as it is."
        if self._told and state is not GameState.IDLE:
            return self._told
        if state is GameState.PLAYING:
            if self._waits_for_first_key():
                return "Time runs from your first key on, and what you did last goes on while no key is held."
            each = "Each key is a step. " if game.pace == EACH_KEY else ""
            return f"{each}Keys go to the game; Esc pauses and gives them back."
        if state is GameState.COUNTING:
            return "Keys go to the game; get ready."
        if state is GameState.PAUSED:
            return f"{game.why or 'Paused.'} Play, or a click on the picture, goes on."
        if state is GameState.ENDED:
            next_ = "Enter plays again; Esc gives the keys back." if self.view.hasFocus() else "Play begins another."
            return f"{self._ending()} {next_}"
        return self._kept

    def _waits_for_first_key(self) -> bool:
        """Whether time would run, if anybody had said what is to be done."""
        game = self.game
        begun = game.moment is not None and game.moment.frame.step > 0
        return game.controls is not None and game.controls.goes_on and game.pace != EACH_KEY and not begun

    def _ending(self) -> str:
        moment = self.game.moment
        if moment is None:
            return self._kept
        how = "Over" if moment.frame.terminated else "Time limit reached"
        step = moment.frame.step
        return f"{how} after {step:,} step{'s' if step > 1 else ''}. {self._kept}".rstrip()

    def _tell(self, sentence: str) -> None:
        """Say ``sentence`` for a while, or until the game is at something else."""
        self._told = sentence
        if sentence:
            self._brief.start()
        self._show_status()

    def _show_moment(self) -> None:
        moment = self.game.moment
        if moment is None:
            return
        if self.visibleRegion().isEmpty() and moment.frame.step:  # behind another tab, of which nothing else tells
            self.game.pause(HIDDEN)
        before = self.view.aspect
        self.view.show_picture(moment.picture)
        if self.view.aspect != before:
            self._limit_picture()
        if moment.frame.step == 1:
            self._show_status()
        self._show_numbers()

    def _note_played(self, played: Played) -> None:
        """An episode has ended, or was broken off."""
        demonstration = played.demonstration
        ended = demonstration.terminated or demonstration.truncated
        whole = ended and demonstration.seed is not None  # and not begun in a state that somebody chose
        if whole and demonstration.total_return is not None:
            self._person.add(played.environment, demonstration.total_return)

    def _note_kept(self, record: RecordingRecord) -> None:
        self._kept = f"Kept as {record.title[:1].lower()}{record.title[1:]}."
        self._show_status()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._settle(wide=self.isVisible() and self.width() > WIDE * self.height())

    def _settle(self, *, wide: bool) -> None:
        arrange(self._halves, wide=wide)
        self._limit_picture()

    def _limit_picture(self) -> None:
        """No taller than the picture and its keys at full width, so that what is below stays close to them."""
        if self._halves.direction() is QBoxLayout.Direction.LeftToRight:
            self._frame.setMaximumHeight(TALLEST_PICTURE)
            return
        half = self._theme.unit // 2
        around = 2 * (half + EDGE)
        width = max(self.width() - around, 1)
        picture = max(round(width / self.view.aspect), self.view.minimumHeight())
        tallest = picture + half + self.caps.heightForWidth(width) + around
        self._frame.setMaximumHeight(min(tallest, TALLEST_PICTURE))

    def _show_numbers(self) -> None:
        game, environment = self.game, self._experiment.environment
        self.standings.show_episode(game.moment.frame if game.moment is not None else None, environment)
        mine = self._person.of(game.environment) if game.environment is not None else None
        self.standings.show_others(mine, self._policy_mean(), environment)

    def _policy_mean(self) -> float | None:
        """The mean return of the last training episodes, where the run that is shown is of the same environment."""
        history, trained = self._history, self._trained
        if history is None or trained is None or trained.environment != self.game.environment:
            return None
        means = history.metrics["mean_return"].values
        return float(means[-1]) if len(means) else None


_BUTTON = {  # by whether it is busy, and whether it has paused
    (True, False): ("pause", "Pause", "Let time stand still; Esc does, too, and gives the keys back to the window"),
    (False, True): ("play", "Go on", "Go on with the episode"),
    (False, False): ("play", "Play", "Begin an episode, in which the keys are yours"),
}
