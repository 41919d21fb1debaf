"""What a panel is to the window: a record of which its dock, its menu entry, its shortcut and its turns are made."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import QDeadlineTimer, QSettings
from PySide6.QtWidgets import QWidget

from app.models.axis_choice import AxisChoice
from app.models.experiment import Experiment
from app.models.inspection import Inspection
from app.models.past import Past
from app.models.person import PersonReturns
from app.models.slow_motion import SlowMotion
from app.session.optimal_returns import OptimalReturns
from app.session.playback_thread import PlaybackThread
from app.session.run_library import RunLibrary
from app.style.flash import Flash
from app.style.theme import Theme
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.reports.events import Event

if TYPE_CHECKING:  # with numpy, which the first picture of the window does not wait for
    from app.models.history import History
    from app.models.runs import Run, SeedGroup

Appearance = Literal["first", "soon", "seen"]
"""When a panel is made: for the first picture of the window, soon after it, or once it is seen."""
Region = Literal["left", "centre", "lower", "right", "foot"]
"""Where panels stand at first; several in one region are tabs of it, and what is at the foot opens above the shelf."""


@dataclass(frozen=True)
class PanelContext:
    """What panels are made from; ``settings`` keep what a panel remembers, and ``library`` what is never to be lost; by
    ``answer`` a run is told what it asks a person, and ``slow`` says at which stop of an iteration it is."""

    theme: Theme
    experiment: Experiment
    playback: PlaybackThread
    x_axis: AxisChoice
    settings: QSettings
    past: Past = field(default_factory=Past)
    optimal: OptimalReturns | None = None
    person: PersonReturns = field(default_factory=PersonReturns)
    library: RunLibrary | None = None
    inspection: Inspection = field(default_factory=Inspection)
    answer: Callable[[int, Any], bool] = lambda _number, _action: False
    slow: SlowMotion = field(default_factory=SlowMotion)


class PanelWidget(QWidget):
    """The widget of a panel; it takes up what concerns it of what the window says to all."""

    @property
    def watched(self) -> bool:
        """Whether any of what it draws can be seen now."""
        return self.isVisible() and not self.visibleRegion().isEmpty()

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        """Ready it for a run of this choice."""

    def refresh(self, history: History) -> None:
        """Show what the run has told so far."""

    def reset(self) -> None:
        """Show nothing of the last run any more."""

    def name_run(self, name: str) -> None:
        """Say whose data is shown; empty where there is none."""

    def show_ghosts(self, ghosts: Sequence[Run]) -> None:
        """Draw these other runs behind the one that is shown."""

    def show_seeds(self, group: SeedGroup | None, shown: str, follow: Callable[[str], object]) -> None:
        """Draw all seeds of ``group``, of which the run ``shown`` is one; ``follow`` shows another."""

    def point_at(self, curves: Collection[str]) -> None:
        """Show a person where something is to be seen: in the curves of these metrics, or in all there is."""
        Flash(self)

    def end(self) -> None:
        """Begin no work any more that is done on another thread."""

    def wait(self, deadline: QDeadlineTimer) -> bool:
        """Wait until such work has come to its end; whether it has."""
        return True

    def apply_theme(self, theme: Theme) -> None:
        """Take on another look."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A panel of the window.

    It is refreshed when the run has told one of ``events``, at the earliest ``interval`` ms after the last time, and
    only while it can be seen; 0 where it shows nothing of a run's history. ``help`` says what it shows. ``names_run``
    panels have in their title which run they show. What takes long to load, as pyqtgraph does, has to come after the
    ``first`` picture of the window, and is imported by ``make`` alone; what has nothing to do before anybody looks at
    it is made when it is ``seen``.
    """

    title: str
    region: Region
    events: frozenset[type[Event]]
    interval: int
    help: str
    names_run: bool
    made: Appearance
    make: Callable[[PanelContext], PanelWidget]
