"""Which update is shown: what the run has told of last, or one that is made again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.models.inspection import Wanted
from app.models.past import Kept, Past
from app.models.slow_motion import SlowMotion
from app.models.watched_update import WatchedUpdate
from app.panels.record import PanelWidget
from app.panels.update.made_again import MadeAgain, lags
from app.session.batch_lookup import BatchLookup, Found
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ActorCriticConfig, PolicyGradientConfig, RunConfig, ValueBasedConfig

if TYPE_CHECKING:
    from app.models.history import History

_MADE_AGAIN = PolicyGradientConfig | ValueBasedConfig | ActorCriticConfig  # whose iterations can be
_SETTLES = 300  # ms for which the timeline is to rest


class ShownUpdate(QObject):
    """Made again is that of an earlier instant, where the timeline shows one, and that of the last iteration where the
    run waits and it went unwatched: it is the one that a person paused after, or has just stepped through.

    Signals:
        changed: something else is to be seen; whether of another update.
        said: there is nothing to be seen, for this reason.
    """

    changed = Signal(bool)
    said = Signal(str)

    def __init__(self, past: Past, slow: SlowMotion, folder: Path | None, panel: PanelWidget) -> None:
        super().__init__(panel)
        self._past, self._slow, self._panel = past, slow, panel
        self._environment: EnvironmentInfo | None = None
        self._config: RunConfig = PolicyGradientConfig()
        self._live = WatchedUpdate()
        self.update = WatchedUpdate()
        self.made: MadeAgain | None = None  # which the one that is shown was; None where the run has told of it
        self.trained = 0  # iterations, by now
        self.elsewhere = False  # whether what is shown is trained by a process of its own
        self._tried: tuple[tuple[str, int], Sequence[Kept]] | None = None  # what was to be made again, and out of what
        self.lookup = BatchLookup(folder, self)
        self.lookup.found.connect(self._take_found)
        self.lookup.failed.connect(self._fail)
        self._settled = QTimer(self, singleShot=True, interval=_SETTLES)
        self._settled.timeout.connect(self._follow)
        past.changed.connect(self.leave_or_follow)
        past.kept_changed.connect(self.catch_up)

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        """A run of this choice is to be shown."""
        self._environment, self._config = environment, config

    @property
    def can_be_made_again(self) -> bool:
        """Whether an update of such a run can."""
        return isinstance(self._config, _MADE_AGAIN)

    @property
    def settles(self) -> bool:
        """Whether another is made again in a moment."""
        return self._settled.isActive()

    def take(self, history: History) -> None:
        """The run has told more."""
        self.trained = history.iterations
        self._live = history.watched
        if self._past.shown is not None:
            return
        made, coming = self.made, self.lookup.busy and lags(self._live, self.trained)
        if not coming and (made is None or made.is_overtaken(self._live)):
            self._show_live()
        self.catch_up()

    def forget(self) -> None:
        """Nothing is shown of the last run any more."""
        self._live, self.trained, self._tried = WatchedUpdate(), 0, None
        self._show_live()

    # --- what is to be made again -------------------------------------------------------------------------------------

    @property
    def _wanted(self) -> tuple[str, int] | None:
        """The run and the iteration of it that is to be made again; None where that is none."""
        run, shown = self._past.run, self._past.shown
        if self._environment is None or self.elsewhere:
            return None
        if shown is not None:
            return run, shown.at.iteration
        waits = self._slow.waits and self.can_be_made_again
        return (run, self.trained) if waits and lags(self._live, self.trained) else None

    def _trial(self, wanted: tuple[str, int]) -> tuple[tuple[str, int], Sequence[Kept]]:
        """What cannot be made again of a run that waits may be once more is kept, which is written after it is told."""
        return wanted, () if self._past.shown is not None else self._past.kept

    @property
    def _there(self) -> tuple[str, int] | None:
        return None if self.made is None else (self.made.run, self.made.iteration)

    def catch_up(self) -> None:
        """Have made again what is to be and was not tried yet; in a moment, until when a person may have moved on."""
        wanted = self._wanted
        if wanted is None:
            self._tried = None
            return
        comes = self._settled.isActive() or self.lookup.is_after(*wanted)
        if not comes and wanted != self._there and self._tried != self._trial(wanted):
            self._settled.start()

    def leave_or_follow(self) -> None:
        """The timeline has been moved, or the panel has come into sight: back to now at once, into the past once the
        timeline rests."""
        shown = self._past.shown
        now, wanted = (True, self.trained) if shown is None else (False, shown.at.iteration)
        if self.lookup.is_after(self._past.run, wanted) and (not now or lags(self._live, wanted)):
            return  # it comes, be it that a person asked for it
        self.lookup.drop()
        self._settled.stop()
        self._tried = None
        made = self.made
        if self._there == (self._past.run, wanted) and not (now and made is not None and made.is_overtaken(self._live)):
            self.changed.emit(False)  # it is there still
            return
        if now:
            self._show_live()
        if self._panel.watched:
            self.catch_up()

    def _follow(self) -> None:
        """The timeline rests, or the run; where nobody sees it, this comes once somebody does."""
        wanted = self._wanted
        if wanted is None or wanted == self._there or self.lookup.is_after(*wanted) or not self._panel.watched:
            return
        self._tried = self._trial(wanted)
        if wanted[1] == 0:
            self.said.emit("Before the first iteration nothing was learned; move the timeline on.")
        else:
            self.look_into(wanted[1])

    def look_into(self, iteration: int) -> None:
        """Have an iteration made again, out of what was kept of the run."""
        if self._environment is not None:
            self.said.emit(f"The update of iteration {iteration:,} is made again …")
            self.lookup.look(self._past.run, self._environment, Wanted(iteration))

    # --- what has come of it ------------------------------------------------------------------------------------------

    def _take_found(self, found: Found) -> None:
        looked = found.samples.looked
        if self._past.shown is None and not looked.exact and not self._live.is_empty:
            self._show_live()  # which is the run's own, be it an earlier one
            return
        batch = None if looked.single else looked.batch  # what single steps are is seen in what was learned from them
        update = WatchedUpdate(looked.iteration, [], batch, looked.region, list(looked.tries), over=True)
        update.steps = list(looked.steps)
        update.lost = not update.steps and not looked.exact
        self.made = MadeAgain(found.run, looked.iteration, looked.exact, looked.how, looked.single)
        self._show(update)

    def _fail(self, sentence: str) -> None:
        """It cannot be made again, for this reason."""
        if self._past.shown is None and not self._live.is_empty:
            self._show_live()
        else:
            self.said.emit(sentence)

    def _show_live(self) -> None:
        """What the run has told of last."""
        self.lookup.drop()
        self.made = None
        self._show(self._live)

    def _show(self, update: WatchedUpdate) -> None:
        another = update is not self.update
        self.update = update
        self.changed.emit(another)
