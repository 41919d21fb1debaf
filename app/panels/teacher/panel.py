"""Where the policy parts from its teacher: how far its states are from his along the episode, and where one sees it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QDeadlineTimer
from PySide6.QtWidgets import QButtonGroup, QStackedWidget, QToolButton, QVBoxLayout

from app.models.past import Past
from app.panels.looks import Looks
from app.panels.record import PanelWidget
from app.panels.teacher.clouds import CloudsPlot
from app.panels.teacher.distance import DistancePlot
from app.panels.teacher.horizon import HorizonPage
from app.panels.teacher.shares import CellShares, grid_of_numbers
from app.session.file_work import FileWork
from app.session.playback_thread import PlaybackThread
from app.style.combo import Combo
from app.style.flow import Flow
from app.style.text import Stage, SteadyLabel, as_surface
from app.style.theme import Theme
from engine.analysis.state_grids import StateGrid, state_grid
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ImitationConfig, RunConfig

if TYPE_CHECKING:  # with torch
    from app.models.history import History
    from engine.analysis.parting import Parting, Reference
    from engine.analysis.playback import PolicySnapshot
    from engine.analysis.policy_recording import Progress

EVERY = 250  # ms between two looks at which policy there is
REST = 4.0  # times as long as it took nothing is computed while a run goes on, which it would slow down
LONGEST_REST = 10.0  # seconds
DISTANCE, STATES, HORIZON = range(3)
_EMPTY = (
    "How far the policy's states are from its teacher's appears here once training starts; it plays episodes for that."
)
_NO_TEACHER = (
    "Only runs that learn from a teacher part from one. Choose the family Imitation, and how far the copy strays from "
    "him appears here."
)
_VIEWS = (
    ("Distance", "How far each state is from the nearest of the teacher's, by time step"),
    ("States", "The states of both, in two components or in their cells: where they part"),
    (
        "Horizon",
        "What errors cost over longer and longer episodes, ε T² of cloning and ε T of DAgger, where it is exact",
    ),
)


@dataclass
class _Asked:
    """What is computed: of which policy, and how it acts; until it is not ``wanted`` any more."""

    policy: PolicySnapshot
    greedy: bool
    wanted: bool = True
    since: float = 0.0


class TeacherPanel(PanelWidget):
    """Plays and compares on a thread of its own, seldom, and only while it can be seen."""

    def __init__(self, theme: Theme, playback: PlaybackThread, past: Past) -> None:
        super().__init__()
        as_surface(self)
        self._playback = playback
        self._environment: EnvironmentInfo | None = None
        self._config: RunConfig | None = None
        self._grid: StateGrid | None = None
        self._asked: _Asked | None = None  # what is being computed
        self._shown: _Asked | None = None
        self.parting: Parting | None = None
        self._rests_until = 0.0
        self._comparison = _Comparison()
        self._work = FileWork(self, "teacher", "The policy could not be compared with its teacher")
        self._work.failed.connect(self._fail)
        self._looks = Looks(self, EVERY, self._follow, lambda: isinstance(self._config, ImitationConfig))
        self.distance, self.clouds, self.cells = DistancePlot(theme), CloudsPlot(theme), CellShares(theme)
        self.horizon = HorizonPage(theme, self._work)
        self._places = QStackedWidget()
        for widget in (self.distance, self.clouds, self.cells):
            self._places.addWidget(widget)
        self._stage = Stage(_NO_TEACHER, self._places)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._stage)
        self._pages.addWidget(self.horizon)
        self._views = QButtonGroup(self)
        header = Flow(theme.unit // 2)
        header.setContentsMargins(theme.unit, theme.unit, theme.unit, theme.unit // 2)
        for number, (text, tip) in enumerate(_VIEWS):
            button = QToolButton()
            button.setText(text)
            button.setToolTip(tip)
            button.setCheckable(True)
            self._views.addButton(button, number)
            header.addWidget(button)
        self.choices = Combo(), Combo()
        for combo in self.choices:
            combo.setSizeAdjustPolicy(Combo.SizeAdjustPolicy.AdjustToContents)
            combo.activated.connect(self._show_states)
        self._name_choices()
        for combo in (*self.choices, *self.horizon.choices):
            combo.hide()
            header.addWidget(combo)
        self._iteration = SteadyLabel("iteration 00,000", "muted")
        self._iteration.setToolTip("After how many iterations the policy was such that played these episodes")
        header.add_right(self._iteration)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, theme.unit // 2)
        layout.setSpacing(0)
        layout.addLayout(header)
        layout.addWidget(self._pages, 1)
        self._views.button(DISTANCE).setChecked(True)
        self._views.idToggled.connect(self._turn)
        self.horizon.turned.connect(self._turn_horizon)
        self._hint(_NO_TEACHER)
        past.changed.connect(self._looks.request)

    # --- from the window ---

    @property
    def watched(self) -> bool:
        plots = (self.distance, self.clouds, self.horizon.measured)
        return super().watched or any(plot.seen_large for plot in plots)

    @property
    def view(self) -> int:
        return self._views.checkedId()

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        if (environment, config) == (self._environment, self._config):
            return
        if self._environment != environment:
            self._forget()
        self._environment, self._config = environment, config
        self._grid = state_grid(config.environment)
        self._hint(_EMPTY if isinstance(config, ImitationConfig) else _NO_TEACHER)
        if not isinstance(config, ImitationConfig):
            self._forget()
        self._looks.request()

    def refresh(self, history: History) -> None:
        self._looks.request()

    def reset(self) -> None:
        self._forget()
        self._hint(_EMPTY if isinstance(self._config, ImitationConfig) else _NO_TEACHER)

    def _hint(self, sentence: str) -> None:
        for stage in (self._stage, self.horizon.stage):
            stage.set_hint(sentence)

    def name_run(self, name: str) -> None:
        self.distance.run = self.clouds.run = self.horizon.measured.run = name

    def apply_theme(self, theme: Theme) -> None:
        for each in (self.distance, self.clouds, self.cells, self.horizon):
            each.apply_theme(theme)

    def end(self) -> None:
        self._looks.stop()
        self._drop()
        self._work.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        return self._work.wait(deadline)

    # --- what is computed ---

    def _follow(self) -> None:
        """Compute what is to be seen, while it can be."""
        seen = self.watched and self._measures and isinstance(self._config, ImitationConfig)
        self._playback.set_wanted(seen, "teacher")
        if not seen:
            self._looks.stop()
            self._drop()
            return
        policy, greedy = self._playback.policy, self._playback.greedy
        if policy is None or policy.environment != self._environment:
            return
        if not isinstance(policy.config, ImitationConfig):
            return
        asked = self._asked
        if asked is not None:
            if asked.policy.iteration > policy.iteration or asked.policy.given is not policy.given:
                self._drop()  # another run, or an earlier instant that somebody looks at
            return
        shown = self._shown
        if shown is not None and shown.policy is policy and shown.greedy == greedy:
            return
        if self._playback.goes_on and shown is not None and time.monotonic() < self._rests_until:
            return
        self._asked = _Asked(policy, greedy, since=time.monotonic())
        self._work.ask(partial(self._comparison.compute, self._asked), partial(self._take, self._asked))

    def _drop(self) -> None:
        """Let what is computed come to nothing."""
        if self._asked is not None:
            self._asked.wanted = False

    def _take(self, asked: _Asked, found: Parting | None) -> None:
        self._asked = None
        now = time.monotonic()
        self._rests_until = now + min(REST * (now - asked.since), LONGEST_REST)
        if found is not None and asked.wanted:
            self._shown, self.parting = asked, found
            self._offer_components(found)
            self.distance.show_parting(found)
            self.horizon.show_parting(found)
            self._show_states()
            self._iteration.setText(f"iteration {found.iteration:,}")
            self._stage.fill(True)

    def _fail(self, sentence: str) -> None:
        asked, self._asked = self._asked, None
        if asked is not None and asked.wanted:
            self._shown = asked  # which would fail again
            self._hint(sentence)
            self._stage.fill(False)
            self.horizon.stage.fill(False)

    def _forget(self) -> None:
        self._drop()
        self._shown = self.parting = None
        self._rests_until = 0.0
        self._iteration.clear()
        self.distance.show_parting(None)
        self.horizon.show_parting(None)
        self.clouds.forget()
        for combo in self.choices:
            combo.clear()
            combo.hide()
        self._stage.fill(False)

    # --- what is shown ---

    def _turn(self, _number: int, on: bool) -> None:
        if on:
            self._pages.setCurrentIndex(self.view == HORIZON)
            self.horizon.show_choices(self.view == HORIZON)
            self._iteration.setVisible(self._measures)
            self._show_states()
            if self.view == HORIZON:
                self.horizon.show_costs()
            self._looks.request()
            self._follow()

    @property
    def _measures(self) -> bool:
        """Whether episodes of the run are what is shown."""
        return self.view != HORIZON or self.horizon.measures

    def _turn_horizon(self) -> None:
        self._iteration.setVisible(self._measures)
        self._looks.request()
        self._follow()

    def _offer_components(self, found: Parting) -> None:
        """At first the two components in which both part the most; then what a person chose."""
        if any(combo.count() for combo in self.choices):
            return
        if found.furthest:
            names = self._component_names(len(found.furthest))
            first = (*found.furthest[:2], found.furthest[0])[:2]
            for combo, component in zip(self.choices, sorted(first), strict=True):
                combo.addItems(names)
                combo.setCurrentIndex(component)
            self._name_choices()
            return
        for combo, (name, options) in zip(self.choices, self._grid.choices if self._grid else (), strict=False):
            combo.addItems([f"{name}: {option}" for option in options])
            combo.setAccessibleName(name)
            combo.setToolTip(name)

    def _name_choices(self) -> None:
        for combo, which in zip(self.choices, ("across", "upwards"), strict=True):
            combo.setAccessibleName(f"Component {which}")
            combo.setToolTip(f"The component of the observation that is drawn {which}")

    def _component_names(self, count: int) -> list[str]:
        assert self._environment is not None
        labels = self._environment.observation.labels
        return list(labels) if len(labels) == count else [f"component {number}" for number in range(count)]

    def _show_states(self) -> None:
        found, states = self.parting, self.view == STATES
        for combo in self.choices:
            combo.setVisible(states and combo.count() > 0)
        if not states or found is None:
            self._places.setCurrentWidget(self.distance)
            return
        if not found.furthest:
            assert self._environment is not None
            grid = self._grid or grid_of_numbers(self._environment.observation.size)
            page = 0
            for combo, (_, options) in zip(self.choices, grid.choices, strict=False):
                page = page * len(options) + max(combo.currentIndex(), 0)
            self.cells.show_page(page)
            self.cells.show_parting(found, grid)
            self._places.setCurrentWidget(self.cells)
            return
        across, upwards = (combo.currentIndex() for combo in self.choices)
        names = self.choices[0].currentText(), self.choices[1].currentText()
        self.clouds.show_parting(found, (across, upwards), names)
        self._places.setCurrentWidget(self.clouds)


class _Comparison:
    """Keeps what the teacher has shown, as long as he is the same; used on the thread alone."""

    def __init__(self) -> None:
        self._of: tuple[object, object, object] = (None, None, None)
        self._reference: Reference | None = None

    def compute(self, asked: _Asked) -> Parting | None:
        """What there is to be seen; None where it is not wanted any more."""
        from engine.analysis.parting import parting_of, reference_of  # with torch, loaded since there is a policy
        from engine.runtime.errors import RequestError
        from engine.runtime.waiting import GivenUp, Wait, while_waiting

        def going_on(_progress: Progress) -> bool:
            return asked.wanted

        def meanwhile(_wait: Wait) -> None:
            if not asked.wanted:
                raise GivenUp

        policy = asked.policy
        given = policy.given
        of = (given.teacher, given.demonstrations, policy.config)
        try:
            with while_waiting(meanwhile):
                if self._reference is None or any(a is not b for a, b in zip(of[:2], self._of[:2], strict=True)):
                    self._reference = None
                    self._reference = reference_of(policy, going_on)
                    self._of = of
                return parting_of(policy, self._reference, greedy=asked.greedy, going_on=going_on)
        except GivenUp:
            return None
        except RequestError:
            if asked.wanted:
                raise
            return None
