"""The Compare mode in the window: its page, made when it is first wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QDeadlineTimer, QObject

from app.models.past import Past
from app.models.run_state import ACTIVE
from app.models.runs import KeptRun
from app.session.choice_loader import ChoiceLoader
from app.session.optimal_returns import OptimalReturns
from app.session.run_controller import RunController
from app.session.run_library import RunLibrary
from app.window.frame import Frame
from app.window.modes import ModeAction
from app.window.panels import Panels
from app.window.runs import Runs
from engine.catalogue.configured import described
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.config.parameters import with_values
from engine.config.presets import Preset
from engine.runs.records import RunRecord
from engine.runtime.errors import RequestError

if TYPE_CHECKING:  # with numpy and pyqtgraph, which the window's first picture does not wait for
    from app.compare.page import ComparePage


class CompareMode(QObject):
    """Shows the page of the mode that is chosen.

    Args:
        modes: what chooses each mode, the Train mode first and the Compare mode next.
    """

    def __init__(
        self,
        frame: Frame,
        modes: Sequence[ModeAction],
        choice: ChoiceLoader,
        controller: RunController,
        library: RunLibrary,
    ) -> None:
        super().__init__(frame)
        self._frame, self._choice, self._controller, self._library = frame, choice, controller, library
        self._train, self.action = modes[:2]
        self._twin = ""  # the run that is had again with one thing changed
        self.page: ComparePage | None = None
        self._past: Past | None = None  # of the run that the Train mode shows
        self._optimal: OptimalReturns | None = None
        self._train.toggled.connect(lambda on: frame.modes.setCurrentWidget(frame.train) if on else None)
        self.action.toggled.connect(lambda on: self._enter() if on else None)
        self.action.dropped.connect(self._take)
        controller.began.connect(self._begin)

    def follow(self, panels: Panels, runs: Runs) -> None:
        """Know what the panels of the Train mode know, and which run is to be had again, or to stand beside another."""
        self._past, self._optimal = panels.past, panels.optimal
        runs.shelf.duplicate_asked.connect(self.duplicate)
        runs.beside_asked.connect(self.start_beside)

    def _enter(self) -> None:
        page = self._made()
        self._library.look()
        shown = self._controller.shown
        page.tick_some(shown.run.id if shown is not None else "")
        self._frame.modes.setCurrentWidget(page)

    def _take(self, runs: Sequence[str]) -> None:
        """Compare these runs, too."""
        self._library.draw(runs, True)
        self.action.trigger()

    def duplicate(self, record: RunRecord) -> None:
        """Choose what a run has, for a person to change one thing; the run that then begins is compared with it."""
        if self._controller.state in ACTIVE:
            self._choice.notice.emit("warning", f"Stop the run that trains to duplicate run {record.number}.")
            return
        try:
            preset = Preset(title=f"Run {record.number}", config=record.config)
        except RequestError as error:
            self._choice.notice.emit("error", f"Run {record.number} cannot be duplicated: {error}")
            return
        self._load(record.id, preset)
        self._choice.notice.emit("info", f"This is run {record.number} again: change one thing, then press Start.")

    def duplicate_with(self, shown: KeptRun, values: Mapping[str, Any], words: str) -> None:
        """Choose what the run that is shown has, with one thing changed; the run that then begins is compared with it.

        Args:
            values, words: what is changed, by its paths, and as a person is told of it.
        """
        run = shown.run
        try:
            preset = Preset(title=f"Run {run.number}", config=with_values(shown.config, values))
        except RequestError as error:
            self._choice.notice.emit("error", f"Run {run.number} cannot be had so: {error}")
            return
        self._load(run.id, preset, shown.plain)
        told = f"This is run {run.number} again, with one change: {words[:1].lower()}{words[1:]}. Press Start."
        self._choice.notice.emit("info", told)

    def _load(self, run: str, preset: Preset, plain: EnvironmentInfo | None = None) -> None:
        self._twin = run
        self._train.trigger()
        self._choice.load(preset, plain)

    def start_beside(self, record: RunRecord, config: RunConfig) -> None:
        """Train a run of ``config``, and compare it with that of ``record``."""
        shown = self._controller.shown
        if shown is None or self._controller.state in ACTIVE:
            return
        self._twin = record.id
        self._choice.put_back(config, shown.plain, None)
        self._controller.start(config, shown.plain)

    def _begin(self) -> None:
        """Show a run that has begun beside the one that it was made from."""
        twin, self._twin = self._twin, ""
        shown = self._controller.shown
        if twin and shown is not None:
            self._library.look()
            self._library.show_only([twin, shown.run.id])
            self.action.trigger()
            self._made().show_equations()

    def end(self) -> None:
        """Have what plays in it end as soon as it can."""
        if self.page is not None:
            self.page.race.player.end()
            self.page.difference.work.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        """Whether it has ended before that."""
        at_work = () if self.page is None else (self.page.race.player, self.page.difference.work)
        return all(each.wait(deadline) for each in at_work)

    def _looked_at(self, run: str) -> int | None:
        """The iteration at which a run is looked back at; None where it is not."""
        shown, instant = self._controller.shown, self._past.shown if self._past is not None else None
        return instant.at.iteration if instant is not None and shown is not None and shown.run.id == run else None

    def _known(self, config: RunConfig) -> EnvironmentInfo | None:
        """The environment of a run before its changes, where the catalogue knows it or it has been looked at."""
        known = described(config.environment)
        if known is None and not config.environment.options:
            known = self._choice.experiment.environments.get(config.environment.id)
        return known

    def _made(self) -> ComparePage:
        if self.page is None:
            from app.compare.page import ComparePage

            assert self._frame.theme is not None
            self.page = ComparePage(self._frame.theme, self._library, self._known)
            self.page.duplicate_asked.connect(self.duplicate)
            self.page.difference.looked_at = self._looked_at
            if self._optimal is not None:
                self.page.overlay.mark_optimal(self._optimal)
            self._frame.add_comparison(self.page)
        return self.page
