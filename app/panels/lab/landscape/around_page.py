"""Around the policy: what its return would be a step away, along the gradient, the last update or at random."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QDeadlineTimer, QTimer
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QStackedWidget

from app.panels.lab.choices import Column, Dial, beside, combo
from app.panels.lab.landscape.around_plots import NAMES, LinePlot, PlanePlot
from app.panels.lab.progress import Busy, say_meanwhile
from app.panels.lab.work import LabWork
from app.panels.looks import Looks
from app.panels.record import PanelContext, PanelWidget
from app.style.format import short_number
from app.style.text import Stage
from app.style.theme import Theme
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig, acts_by_values

if TYPE_CHECKING:  # with torch
    from app.models.history import History
    from engine.analysis.landscape.around import Change, FindChange, Found
    from engine.analysis.landscape.directions import Kind
    from engine.analysis.playback import PolicySnapshot

EVERY = 250  # ms between two looks at which policy there is
_DOING = "Episodes are played with parameters around the policy's"
_EMPTY = (
    "How the return changes around the policy appears here once there is one: episodes are played with parameters a "
    "step away, along the gradient, the last update or at random. While it trains, a click on Look plays them anew."
)
_DIRECTIONS = (
    "The direction in which parameters are changed: the gradient ĝ, or the natural one, as estimated from 4 N episodes "
    "with the run's discount; the last update of the run's own; the newest policy; or at random, every unit's weights "
    "as long as the network's own there"
)
_REACHES = (0.01, 0.03, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_EPISODES = (4, 8, 16, 32, 64, 128)
_LINE = "a line"
_OF_LOG_PI = ("gradient", "natural")  # which ε-greedy policies do not have


@dataclass
class _Asked:
    """What is looked for, until it is not ``wanted`` any more."""

    policy: PolicySnapshot
    wish: tuple[Any, ...]
    training: bool = False  # whether the run goes on, which making its last update again would slow down
    wanted: bool = True


class AroundPage(PanelWidget):
    """Plays on a thread of its own when it is asked to, and only while it can be seen. A look follows the timeline."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__()
        theme = context.theme
        self._playback, self._past, self._library = context.playback, context.past, context.library
        self._environment: EnvironmentInfo | None = None
        self._asked: _Asked | None = None
        self._work = LabWork(self, "around", "What is around the policy could not be found")
        self._work.failed.connect(self._fail)
        kinds = [(words, kind) for kind, words in NAMES.items()]
        self.first = combo("Along", _DIRECTIONS, kinds)
        self.second = combo("And", "A second direction, over which there is a map; without one there is a curve")
        self.second.addItem(_LINE, None)
        for words, kind in kinds:
            self.second.addItem(f"and {words}", kind)
        self.reach = Dial(
            "±", "Reach: how far to look each way, as a share of the parameters' length", _REACHES, _percent
        )
        self.episodes = Dial("N", "Episodes: played at each place, the same at all", _EPISODES, short_number)
        self.seed = Dial("№", "Seed: of the random direction and of the episodes", range(1, 21), short_number)
        self.reach.set_value(0.5)
        self.episodes.set_value(16)
        self.look = QPushButton("Look")
        self.look.setToolTip("Play episodes around the policy that is shown")
        self.column = Column(theme)
        dials = (self.reach, self.episodes, self.seed)
        self.column.set_head(beside(self.look, Busy(self._work)))
        for widget in (self.first, self.second, *dials):
            self.column.add(widget)
        self.line, self.plane = LinePlot(theme), PlanePlot(theme)
        self._plots = QStackedWidget()
        for plot in (self.line, self.plane):
            self._plots.addWidget(plot)
        self._stage = Stage(_EMPTY, self._plots)
        say_meanwhile(self._work, self._stage, _DOING, _EMPTY)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.column)
        layout.addWidget(self._stage, 1)
        self._looks = Looks(self, EVERY, self._follow)
        self._later = QTimer(self, interval=EVERY, singleShot=True)
        self._later.timeout.connect(self._look_again)
        self.look.clicked.connect(self.look_now)
        for box in (self.first, self.second):
            box.activated.connect(self._later.start)
        for dial in (self.reach, self.episodes, self.seed):
            dial.changed.connect(self._later.start)
        context.past.changed.connect(self._looks.request)

    # --- from the window ---

    @property
    def watched(self) -> bool:
        return super().watched or self.line.seen_large or self.plane.seen_large

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        if environment != self._environment:
            self._environment = environment
            self._forget()
        if acts_by_values(config) and self.first.currentData() in _OF_LOG_PI:
            self.first.setCurrentIndex(self.first.findData("step"))

    def refresh(self, history: History) -> None:
        self._looks.request()

    def reset(self) -> None:
        self._forget()

    def name_run(self, name: str) -> None:
        self.line.run = self.plane.run = name

    def apply_theme(self, theme: Theme) -> None:
        for each in (self.column, self.line, self.plane):
            each.apply_theme(theme)

    def end(self) -> None:
        self._looks.stop()
        self._later.stop()
        self._drop()
        self._work.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        return self._work.wait(deadline)

    # --- what is looked for ---

    @property
    def wish(self) -> tuple[Any, ...]:
        """What is asked: both directions, the reach, the episodes and the seed."""
        return (
            self.first.currentData(),
            self.second.currentData(),
            self.reach.value,
            int(self.episodes.value),
            int(self.seed.value),
        )

    def look_now(self) -> None:
        """Look around the policy that is shown."""
        policy = self._playback.policy
        if policy is None or policy.environment != self._environment or not self.watched:
            return
        self._drop()
        self._asked = asked = _Asked(policy, self.wish, self._playback.goes_on)
        plot = self.line if self.second.currentData() is None else self.plane
        run, library = self._past.run, self._library.library if self._library is not None else None
        find = partial(_change, None if library is None else library.folder, run, asked)
        self._work.ask(partial(_look, asked, find), partial(self._take, plot))

    def _look_again(self) -> None:
        if self._asked is not None and self._asked.wish != self.wish:
            self.look_now()

    def _follow(self) -> None:
        """Look once there is a policy, and then at what a person turns to; what trains on is looked at when asked."""
        seen = self.watched
        self._playback.set_wanted(seen, "around")
        if not seen:
            self._looks.stop()
            if self._work.busy:
                self._drop()
                self._work.cancel()
                self._asked = None
            return
        policy = self._playback.policy
        self.look.setEnabled(policy is not None)
        if policy is None or policy.environment != self._environment:
            return
        asked = self._asked
        if asked is None or (asked.policy is not policy and not self._playback.goes_on):
            self.look_now()

    def _drop(self) -> None:
        if self._asked is not None:
            self._asked.wanted = False

    def _take(self, plot: LinePlot | PlanePlot, found: Found) -> None:
        from engine.analysis.landscape.around import Begun, Taken

        if isinstance(found, Begun):
            plot.begin(found)
            self._plots.setCurrentWidget(plot)
            self._stage.fill(True)
        elif isinstance(found, Taken):
            plot.show_taken(found)
        else:
            plot.add(found)

    def _fail(self, sentence: str) -> None:
        self._stage.set_hint(sentence)
        self._stage.fill(False)

    def _forget(self) -> None:
        self._drop()
        self._work.cancel()
        self._asked = None
        self._stage.set_hint(_EMPTY)
        self._stage.fill(False)
        self._looks.request()


def _percent(share: float) -> str:
    return f"{100.0 * share:g} %"


def _look(asked: _Asked, find: FindChange) -> Iterator[tuple[float, Any]]:
    """On the thread."""
    from engine.analysis.landscape.around import Wanted, look_around

    yield from look_around(asked.policy, Wanted(*asked.wish), find)


def _change(folder: Path | None, run: str, asked: _Asked, kind: Kind) -> Change | None:
    from engine.runs.last_update import last_update, to_newest

    if folder is None or not run or (asked.training and kind not in asked.wish):
        return None
    if kind == "newest":
        return to_newest(folder, run, asked.policy)
    return last_update(folder, run, asked.policy, lambda _: asked.wanted)
