"""A person at play: what the game is at, its pace, its keys and its episodes, without a widget."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING

from PySide6.QtCore import QDeadlineTimer, QObject, QSettings, QTimer, Signal

from app.session.play_thread import PlayThread, Shown
from engine.catalogue.controls import HALF, TAKE, Controls, controls_of, reassigned, tilted
from engine.catalogue.spaces import EnvironmentInfo
from engine.config.environments import EnvironmentConfig
from engine.runtime.errors import RequestError

if TYPE_CHECKING:  # with numpy
    from engine.analysis.beginnings import InState
    from engine.analysis.held_controls import HeldControls

EACH_KEY = 0.0  # the pace at which time stands still until a key is pressed
PACES = (EACH_KEY, 0.1, 0.25, 0.5, 1.0)  # times the environment's own
SLOW = 0.25  # what a person keeps up with where an action goes on by itself
COUNT_FROM = 3
RAMP = 0.4  # seconds from one end of a component to the other, where keys do not move it at once


class GameState(Enum):
    IDLE = "idle"
    STARTING = "starting"
    COUNTING = "counting"
    PLAYING = "playing"
    PAUSED = "paused"
    ENDED = "ended"
    FAILED = "failed"


class Game(QObject):
    """Lives on the main thread; the environment is stepped on another.

    Signals:
        chosen: another environment is to be played.
        changed: its state, its pace or its keys are others.
        shown: there is another picture, ``moment``.
        told: a sentence for the person who plays.
    """

    chosen = Signal()
    changed = Signal()
    shown = Signal()
    told = Signal(str)

    def __init__(self, settings: QSettings, thread: PlayThread) -> None:
        super().__init__()
        self._settings = settings
        self.thread_of_play = thread
        self.thread_of_play.frame_ready.connect(self._take)
        self.thread_of_play.failed.connect(self._fail)
        self.thread_of_play.held_up.connect(self._note_hold_up)
        self.thread_of_play.not_kept.connect(self.told)
        self.state = GameState.IDLE
        self.why = ""  # of a pause that nobody asked for, of a failure, of an environment that cannot be played
        self.count = 0
        self.assigning = ""  # the control whose key is to be pressed
        self.moment: Shown | None = None
        self.controls: Controls | None = None
        self.keys: dict[str, str] = {}  # by control
        self.pace = EACH_KEY
        self.ramps = settings.value("play/ramps") in (True, "true")
        self._environment: EnvironmentConfig | None = None
        self._hands: HeldControls | None = None
        self._tilted: frozenset[str] = frozenset()  # what a stick, or a mouse, has come to hold
        self._meaningless: set[str] = set()  # keys of which it has been said
        self._pause_at_start = False
        self.timer = QTimer(self, interval=700)  # from one number to the next
        self.timer.timeout.connect(self._count_down)

    # --- what is played -----------------------------------------------------------------------------------------------

    @property
    def environment(self) -> EnvironmentConfig | None:
        return self._environment

    def choose(self, info: EnvironmentInfo, environment: EnvironmentConfig) -> None:
        """Ready the game for this environment; another one's episode is broken off."""
        if environment == self._environment:
            return
        self.leave()
        self._environment, self.why = environment, ""
        try:
            self.controls = controls_of(info)
        except RequestError as error:
            self.controls, self.why = None, str(error)
        usual = self.controls.keys if self.controls is not None else {}
        self.keys = usual | _kept(self._settings.value(self._key("keys")), usual)
        self.pace = self._kept_pace()
        self.moment = None
        self.chosen.emit()
        self.changed.emit()

    def _key(self, name: str) -> str:
        return f"play/{name}/{self._environment.id if self._environment else ''}".replace(":", "-")

    def _kept_pace(self) -> float:
        controls = self.controls
        usual = EACH_KEY if controls is None or controls.waits else SLOW if controls.goes_on else 1.0
        try:
            kept = float(str(self._settings.value(self._key("pace"))))
        except ValueError:
            return usual
        return kept if kept in PACES else usual

    @property
    def is_busy(self) -> bool:
        """Whether somebody plays, or is about to."""
        return self.state in (GameState.STARTING, GameState.COUNTING, GameState.PLAYING)

    @property
    def takes_keys(self) -> bool:
        """Whether keys are the game's as long as it has the keyboard."""
        return bool(self.assigning) or self.is_busy or self.state is GameState.ENDED

    # --- wishes -------------------------------------------------------------------------------------------------------

    def play(self) -> None:
        """Go on after a pause, or begin an episode."""
        if self.state is GameState.PAUSED:
            self._get_ready()
        elif self.state in (GameState.IDLE, GameState.ENDED, GameState.FAILED):
            self.restart()

    def restart(self, beginning: InState | None = None) -> None:
        """Begin another episode, in a state where one is given; one under way is broken off, and kept as far as it
        came."""
        if self.controls is None or self._environment is None:
            return
        from engine.analysis.held_controls import HeldControls  # with numpy

        self.timer.stop()
        self._meaningless.clear()
        self._pause_at_start, self.assigning, self.moment = False, "", None
        self._hands = HeldControls(self.controls)
        self.thread_of_play.begin(self._environment, self._hands, beginning or secrets.randbits(31))
        self._become(GameState.STARTING)

    def pause(self, why: str = "") -> None:
        """Let time stand still; ``why`` where nobody asked for it."""
        if self.state is GameState.STARTING:
            self._pause_at_start, self.why = True, why
        elif self.state in (GameState.COUNTING, GameState.PLAYING):
            self._stand_still()
            self._become(GameState.PAUSED, why)

    def leave(self) -> None:
        """Break off the episode, and free its environment."""
        self._stand_still()
        self.assigning = ""
        if self.state is not GameState.IDLE:
            self.thread_of_play.leave()
            self.moment = None
            self._become(GameState.IDLE)

    def end(self) -> None:
        """Break off, with everything kept, and have no thread any more."""
        self._stand_still()
        self.thread_of_play.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        return self.thread_of_play.wait(deadline)

    def set_pace(self, pace: float) -> None:
        """Play at this many times the environment's own pace, here and whenever it is played again."""
        self.pace = pace
        self._settings.setValue(self._key("pace"), pace)
        if self.state is GameState.PLAYING:
            self._run()
        self.changed.emit()

    def set_ramps(self, ramps: bool) -> None:
        """Have held keys move the components of an action bit by bit, or at once."""
        self.ramps = ramps
        self._settings.setValue("play/ramps", ramps)
        self._fit_ramp()
        self.changed.emit()

    # --- keys ---------------------------------------------------------------------------------------------------------

    def press(self, key: str) -> None:
        """A key went down that is the game's."""
        if self.assigning:
            self._assign(key)
        elif self.state is GameState.ENDED:
            if key in ("Return", "Enter"):
                self.restart()
        elif self.state in (GameState.COUNTING, GameState.PLAYING):
            name = next((name for name, used in self.keys.items() if used == key), None)
            if name is not None:
                self.hold(name)
            elif key not in self._meaningless:
                self._meaningless.add(key)
                self.told.emit(f"{key} does nothing here; the keys that do are shown with the picture.")

    def release(self, key: str) -> None:
        for name, used in self.keys.items():
            if used == key:
                self.let_go(name)

    def hold(self, name: str) -> None:
        """Have a control held; where time waits for keys, that is a step."""
        if self._hands is None:
            return
        self._hands.press(name)
        steps = self.pace == EACH_KEY and self.state is GameState.PLAYING
        if steps and not (self.controls is not None and self.controls.latches and name != TAKE):
            action = self._hands.action(at_once=True)
            if action is not None:
                self.thread_of_play.step(action)
        self.changed.emit()

    def let_go(self, name: str) -> None:
        if self._hands is not None:
            self._hands.release(name)
            self.changed.emit()

    def tilt(self, tilts: Mapping[str, float]) -> None:
        """What sticks, or a mouse in their place, hold and by how much."""
        if self._hands is not None:
            self._hands.tilt(tilts)
            self.changed.emit()

    def point(self, place: tuple[float, float] | None) -> None:
        """What a mouse that is pressed points at in the picture, as shares of it: a cell beside the agent, or else how
        far a stick is tilted; None once it is not pressed any more."""
        controls, moment, environment = self.controls, self.moment, self._environment
        if controls is None or moment is None or environment is None or self.state is not GameState.PLAYING:
            return
        from engine.analysis.pictured_places import action_towards, has_places  # with numpy

        if not has_places(environment):
            across, up = (0.0, 0.0) if place is None else (2.0 * place[0] - 1.0, 1.0 - 2.0 * place[1])
            self.lean(tilted(controls, (across, up)))
        elif place is not None and moment.frame.state is not None:
            action = action_towards(environment, moment.frame.state, place)
            if action is None:
                self.told.emit("Nothing leads there at once; click a cell beside the agent, or use the keys.")
            else:
                for name in controls.chords[action]:
                    self.hold(name)
                    self.let_go(name)

    def lean(self, tilts: Mapping[str, float]) -> None:
        """Hold what a stick holds; where time waits for keys, what it comes to hold is a step."""
        before = self._tilted
        self._tilted = frozenset(name for name, share in tilts.items() if share >= HALF)
        if self.pace != EACH_KEY:
            self.tilt(tilts)
        elif self.state is GameState.PLAYING:
            for name in before - self._tilted:
                self.let_go(name)
            for name in self._tilted - before:
                self.hold(name)

    @property
    def held(self) -> frozenset[str]:
        """The names of the controls that are held, or chosen where that stays."""
        hands, controls = self._hands, self.controls
        if hands is None or controls is None or self.state not in (GameState.COUNTING, GameState.PLAYING):
            return frozenset()
        if not controls.parts:
            return hands.held
        chosen = hands.chosen.tolist()
        if controls.space.kind == "multi-binary":
            return frozenset(name for name, on in zip(controls.parts[0], chosen, strict=True) if on)
        return frozenset(names[choice] for names, choice in zip(controls.parts, chosen, strict=True))

    def ask_for_key(self, name: str) -> None:
        """Have the next key that is pressed be that of a control; none where it is the one that is asked for."""
        self.pause()
        self.assigning = "" if self.assigning == name else name
        self.changed.emit()

    def _assign(self, key: str) -> None:
        name, self.assigning = self.assigning, ""
        self.keys = reassigned(self.keys, name, key)
        self._settings.setValue(self._key("keys"), json.dumps(self.keys))
        self.changed.emit()

    @property
    def keys_are_usual(self) -> bool:
        return self.controls is None or self.keys == self.controls.keys

    def use_usual_keys(self) -> None:
        if self.controls is not None:
            self.keys = self.controls.keys
            self._settings.remove(self._key("keys"))
            self.changed.emit()

    # --- how it goes on -----------------------------------------------------------------------------------------------

    def _become(self, state: GameState, why: str = "") -> None:
        self.state, self.why = state, why
        self.changed.emit()

    def _stand_still(self) -> None:
        self.timer.stop()
        self.thread_of_play.set_pace(0.0)
        if self._hands is not None:
            self._hands.release_all()

    def _get_ready(self) -> None:
        if self.pace == EACH_KEY:
            self._run()
            return
        self.count = COUNT_FROM
        self.timer.start()
        self._become(GameState.COUNTING)

    def _count_down(self) -> None:
        self.count -= 1
        if self.count:
            self.changed.emit()
        else:
            self._run()

    def _run(self) -> None:
        self.timer.stop()
        self._fit_ramp()
        self.thread_of_play.set_pace(self.pace)
        self._become(GameState.PLAYING)

    def _fit_ramp(self) -> None:
        if self._hands is not None and self.moment is not None:
            steps = RAMP * self.moment.rate * self.pace
            self._hands.ramp = 1.0 / max(steps, 1.0) if self.ramps else 1.0

    def _take(self) -> None:
        moment = self.thread_of_play.take()
        if moment is None:
            return
        self.moment = moment
        self.shown.emit()
        if self.state is GameState.STARTING:
            if self._pause_at_start:
                self._become(GameState.PAUSED, self.why)
            else:
                self._get_ready()
        if moment.frame.ended and self.state is not GameState.ENDED:
            self._stand_still()
            self._become(GameState.ENDED)

    def _fail(self, sentence: str) -> None:
        self._stand_still()
        self._become(GameState.FAILED, sentence)

    def _note_hold_up(self, sentence: str) -> None:
        self.told.emit(sentence)


def _kept(told: object, usual: Mapping[str, str]) -> dict[str, str]:
    """The keys that a person has given, as far as they make sense."""
    try:
        kept = json.loads(str(told)) if told else {}
    except ValueError:
        return {}
    if not isinstance(kept, dict) or kept.keys() != usual.keys() or len(set(map(str, kept.values()))) < len(kept):
        return {}
    return {name: str(key) for name, key in kept.items()}
