"""The shelf: which runs stand on it, which are drawn beside the one that is shown, and what can be done with each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QMenu

from app.models.experiment import Experiment
from app.models.run_state import ACTIVE, RunState, longer
from app.models.run_style import HUES
from app.models.runs import KeptRun, Run
from app.session.run_controller import RunController
from app.session.run_library import RunLibrary
from app.session.seed_workers import SeedWorkers
from app.session.tried import Tried
from app.window.run_chips import RunChips
from app.window.run_list import Chip, RunList
from engine.catalogue.configured import changed, described
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.runs.executors.interface import Order
from engine.runs.records import ALIVE, Reached, RunRecord, Status
from engine.runtime.errors import RequestError

if TYPE_CHECKING:  # with numpy, which the first picture of the window does not wait for
    from app.models.history import History
    from app.window.run_search import FoundRuns

_MOST = 60  # runs on the shelf, those that are pinned not counted; all are in the list that opens from it
_SLICE = 0.02  # seconds of reading, after which the window has its turn
_STATUS = {
    RunState.FINISHED: Status.FINISHED,
    RunState.FAILED: Status.FAILED,
    RunState.STOPPED: Status.STOPPED,
    RunState.PAUSED: Status.PAUSED,
}


class RunShelf(QObject):
    """Keeps the chips true to the library and to what is on screen.

    Signals:
        drawn_changed: other runs are to be drawn beside the one that is shown.
        open_asked: the RunRecord of a run that is to be shown.
        swapped: the ghost is shown in place of the run that was.
        list_asked: the list of all runs is wanted, with these selected.
        refused: why a wish cannot be met.
        duplicate_asked: the RunRecord of a run that is to be had again with one thing changed.
        exports_asked: a menu that is to offer what the run of a RunRecord can be written out as.
    """

    drawn_changed = Signal()
    open_asked = Signal(object)
    swapped = Signal()
    list_asked = Signal(list)
    refused = Signal(str)
    duplicate_asked = Signal(object)
    exports_asked = Signal(QMenu, object)

    def __init__(
        self, controller: RunController, library: RunLibrary, experiment: Experiment, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._controller, self._library, self._experiment = controller, library, experiment
        self.list = RunList(library, self)
        self.workers: SeedWorkers | None = None
        self._all: FoundRuns | None = None  # made when it is first wanted
        self.chips = RunChips(self.list)
        self._drawn: tuple[object, ...] = ()
        self._unread: list[str] = []  # of the runs that are drawn, those of which nothing has been read yet
        self._ghosts: list[Run] = []
        self._wanted = 0  # of them, however many are drawn
        self._reading = QTimer(self, interval=0)
        self._reading.timeout.connect(self._read_on)
        self._here = ""  # the run that is shown
        self.is_seen: Callable[[], bool] = lambda: True  # whether the plots are on which runs are drawn beside
        self.chips.opened.connect(self.open)
        self.chips.eyed.connect(self.draw)
        self.chips.pinned.connect(library.pin)
        self.chips.deleted.connect(self.delete)
        self.chips.menu_asked.connect(self.fill_menu)
        library.changed.connect(self.refresh)
        library.shown_changed.connect(self.refresh)
        controller.runs_changed.connect(self._look)
        controller.state_changed.connect(self._look)

    def _look(self, *_: object) -> None:
        self._library.look()
        shown = self._controller.shown
        if shown is not None and self._controller.state is RunState.RUNNING:
            record = self._library.record(shown.run.id)
            if record is not None and record.deleted is not None:
                self._library.restore([record.id])  # it goes on, so it is wanted
        self.refresh()

    def refresh(self) -> None:
        """Put on the shelf what is there, the newest first after what is pinned."""
        shown, ghost = self._controller.shown, self._controller.ghost
        records = {record.id: record for record in self._library.records()}
        for kept in (ghost, shown):  # which a library that cannot be used does not hold
            if kept is not None and self._library.record(kept.run.id) is None:
                records[kept.run.id] = _record_of(kept)
            elif kept is not None and (known := records.get(kept.run.id)) is not None and known.status in ALIVE:
                ours = kept.group is None or not kept.group.is_elsewhere(known.id)
                status = _STATUS.get(kept.state, Status.RUNNING) if ours else known.status  # of which it hears later
                records[kept.run.id] = replace(known, status=status)
        drawn = set(self.drawn_ids)
        ordered = sorted(records.values(), key=lambda record: (not record.label.pinned, -record.number))
        pinned = sum(record.label.pinned for record in ordered)
        here = shown.run.id if shown is not None else ""
        awaits = self.workers.awaits if self.workers is not None else lambda _run: ""
        chips = [
            Chip(record, record.id == here, record.id in drawn, _parent(record, records), awaits(record.id))
            for record in ordered
        ]
        seen = [chip for place, chip in enumerate(chips) if place < pinned + _MOST or chip.shown or chip.drawn]
        self.list.show(seen)
        if here != self._here:
            self._here = here
            self.chips.come_to(here)
        if self._all is not None:
            self._all.show(chips)
        told = ((run, records[run].reached, records[run].status) for run in self.drawn_ids if run in records)
        ghost_of = ghost.run.environment.id if ghost is not None else ""
        marks = (self._where, ghost_of, *told)
        if marks != self._drawn and self.is_seen():  # else all that they have told would be read for nobody
            self._drawn = marks
            there = (run for run in self.drawn_ids if run in records)
            behind = [run for run in there if records[run].environment == self._where]
            self._unread, self._ghosts = behind[:HUES], []
            self._say_how_many(len(behind))
            self._read_on()

    def _say_how_many(self, wanted: int) -> None:
        """Say, once, where not all that are wanted can be told apart behind the run that is shown."""
        if wanted > HUES and wanted != self._wanted:
            self.refused.emit(f"Of {wanted} runs that are ticked {HUES} are drawn here; Compare has room for all.")
        self._wanted = wanted

    def _read_on(self) -> None:
        """Read what the runs that are drawn have told, as far as the time of one turn goes; tell once all is read."""
        began = time.monotonic()
        while self._unread:
            run = self._run_of(self._unread.pop(0), self._where)
            if run is not None and run.environment.id == self._where:
                self._ghosts.append(run)
            if self._unread and time.monotonic() - began > _SLICE:
                self._reading.start()
                return
        self._reading.stop()
        self.drawn_changed.emit()

    @property
    def _where(self) -> str:
        """The environment that is shown, of which returns can be drawn beside each other."""
        shown = self._controller.shown
        return shown.run.environment.id if shown is not None else self._experiment.environment.id

    def all_runs(self) -> FoundRuns:
        """All runs of the library, kept true from now on."""
        if self._all is None:
            from app.window.run_search import FoundRuns  # seldom wanted at first

            self._all = FoundRuns(self._library, self)
            self.refresh()
        return self._all

    # --- what is drawn beside -----------------------------------------------------------------------------------------

    @property
    def drawn_ids(self) -> list[str]:
        """The runs that are to be drawn beside the one that is shown: the ghost, and those that a person has chosen."""
        shown, ghost = self._controller.shown, self._controller.ghost
        wanted = [*([ghost.run.id] if ghost is not None else []), *self._library.shown]
        return [run for run in dict.fromkeys(wanted) if shown is None or run != shown.run.id]

    def ghosts(self) -> list[Run]:
        """Those of them whose returns are of the environment that is shown, as far as they have been read."""
        drawn = self.drawn_ids
        return [run for run in self._ghosts if run.environment.id == self._where and run.id in drawn]

    def _run_of(self, run: str, where: str) -> Run | None:
        ghost = self._controller.ghost
        if ghost is not None and ghost.run.id == run:
            return ghost.run
        record = self._library.record(run)
        if record is None or record.environment != where:  # before all that it told is read
            return None
        try:
            return self.made_run(record, self._library.history(run))
        except RequestError as error:
            self.refused.emit(str(error))
            return None

    def made_run(self, record: RunRecord, history: History) -> Run:
        """
        Raises:
            RequestError: its configuration cannot be read here, or its environment has to be looked at first.
        """
        plain = self.plain(record.config)
        if plain is None:
            raise RequestError(f"{record.environment} has to be looked at first; open run {record.number} for that.")
        environment = changed(plain, record.config.environment)
        return Run(record.id, record.number, record.config, environment, history)

    def plain(self, config: RunConfig) -> EnvironmentInfo | None:
        """Its environment before the changes that it makes to it, where that is known."""
        known = described(config.environment)
        if known is None and not config.environment.options:
            known = self._experiment.environments.get(config.environment.id)
        return known

    def draw(self, run: str, drawn: bool) -> None:
        """Draw a run beside the one that is shown, or no more, which can be undone."""
        self.draw_all([run], drawn)

    def draw_all(self, runs: Sequence[str], drawn: bool) -> None:
        """The same of several at once."""
        ghost = self._controller.ghost
        if ghost is not None and ghost.run.id in runs and not drawn:
            self._clear_ghost(ghost, runs)
        else:
            self._library.draw(runs, drawn)
        for record in map(self._library.record, runs if drawn else ()):
            if record is not None and not self._fits(record):
                self.refused.emit(
                    f"Run {record.number} is of {record.environment}; it is drawn once a run of that is shown."
                )
        self.refresh()

    def _fits(self, record: RunRecord) -> bool:
        shown = self._controller.shown
        return shown is None or shown.run.environment.id == record.environment

    def _clear_ghost(self, ghost: KeptRun, runs: Sequence[str]) -> None:
        """Hide these, of which one is the ghost."""

        def undo() -> None:
            if self._controller.ghost is None and self._controller.shown is not ghost:
                self._controller.set_ghost(ghost)

        others = len({*runs} & {*self._library.shown, ghost.run.id}) - 1
        words = f"Hide {others + 1} runs" if others else f"Hide run {ghost.run.number}"
        stack = self._library.undo_stack
        stack.beginMacro(words)
        stack.push(Tried(words, lambda: self._controller.set_ghost(None), undo))
        self._library.draw(runs, False)
        stack.endMacro()

    # --- what can be done with them -----------------------------------------------------------------------------------

    def open(self, run: str) -> None:
        """Have a run shown."""
        record = self._library.record(run)
        ghost = self._controller.ghost
        if ghost is not None and ghost.run.id == run:
            self._controller.show_ghost_instead()
            self.swapped.emit()
        elif self._controller.group is not None and self._controller.group.run(run) is not None:
            self._controller.follow(run)
        elif record is not None and (self._controller.shown is None or self._controller.shown.run.id != run):
            self.open_asked.emit(record)

    def delete(self, runs: Sequence[str]) -> None:
        """Put runs aside; a person is told of those that cannot go now, and how they come back."""
        records = [record for run in runs if (record := self._library.record(run)) is not None]
        busy = [record for record in records if record.status in ALIVE]
        ghost = self._controller.ghost
        if ghost is not None and ghost.run.id in runs:
            self._library.show_only([*self._library.shown, ghost.run.id])  # as it is again where it comes back
            self._controller.set_ghost(None)
        self._library.delete([record.id for record in records])
        if busy:
            self.refused.emit(f"Run {busy[0].number} is being trained; stop it to delete it.")

    def fill_menu(self, menu: QMenu, runs: Sequence[str]) -> None:
        """Offer what can be done with these runs."""
        records = [record for run in runs if (record := self._library.record(run)) is not None]
        if not records:
            return
        ids, drawn = [record.id for record in records], set(self.drawn_ids)
        record = records[0]
        if len(records) == 1:
            _entry(menu, "Open", partial(self.open, record.id), "Return")
            self._offer_to_go_on(menu, record)
            self._offer_of_a_seed(menu, record)
            _entry(menu, "Duplicate and change one thing…", partial(self.duplicate_asked.emit, record))
        all_drawn = all(run in drawn for run in ids)
        _entry(menu, "Hide from the plots" if all_drawn else "Draw beside", partial(self.draw_all, ids, not all_drawn))
        if len(records) == 1:
            pinned = record.label.pinned
            _entry(menu, "Unpin" if pinned else "Pin to the shelf", partial(self._library.pin, record.id, not pinned))
            menu.addSeparator()
            _entry(menu, "Rename…", partial(self.chips.edit_name, record.id), "F2")
        _entry(menu, "Tags and note…" if len(records) == 1 else "Show in the list", partial(self.list_asked.emit, ids))
        if len(records) == 1:
            self.exports_asked.emit(menu.addMenu("Export as"), record)
        menu.addSeparator()
        _entry(menu, "Delete" if len(ids) == 1 else f"Delete {len(ids)} runs", partial(self.delete, ids), "Del")

    def _offer_of_a_seed(self, menu: QMenu, record: RunRecord) -> None:
        """Offer what one of several seeds can do alone, or say why it cannot."""
        group, workers = self._controller.group, self.workers
        if workers is not None and workers.has(record.id):
            for words, order in (("Pause", Order.PAUSE), ("Go on", Order.GO_ON), ("Stop", Order.STOP)):
                waits = record.id in workers.waiting  # which can only be kept from beginning
                if words == "Stop" or (not waits and (words == "Go on") is (record.status is Status.PAUSED)):
                    _entry(menu, f"{words} this seed", partial(workers.order, record.id, order))
            return
        if group is None or workers is None or group.run(record.id) is None or self._controller.state not in ACTIVE:
            return
        if group.together:
            why = menu.addAction(f"Trained together with {len(group) - 1} others: they pause and stop as one")
            why.setEnabled(False)
        elif not group.is_elsewhere(record.id):
            why = menu.addAction("Trained in this window: it pauses and stops with the bar, and all others with it")
            why.setEnabled(False)
        elif record.status not in ALIVE:
            _entry(menu, "Go on with this seed", partial(workers.go_on, record.id))

    def _offer_to_go_on(self, menu: QMenu, record: RunRecord) -> None:
        """Offer to train on with a run at rest: to its end, or where it is there, for more, as its row does."""
        if record.status in ALIVE or not self._library.has_checkpoint(record.id):
            return
        try:
            config = record.config_now
        except RequestError:
            return
        budget, done = config.budget.environment_steps, record.reached.environment_steps
        resume = partial(self._controller.resume, record, plain=self.plain(config))
        more, in_all = longer(budget, done)
        if done < budget:
            _entry(menu, "Go on", resume)
        else:
            _entry(menu, f"Go on for {more:,} more", partial(resume, steps=in_all))


def _parent(record: RunRecord, records: Mapping[str, RunRecord]) -> int | None:
    """The number of the run that one was forked from, where that is among these."""
    parent = records.get(record.origin.parent) if record.origin is not None else None
    return parent.number if parent is not None else None


def _entry(menu: QMenu, text: str, do: Callable[[], object], key: str = "") -> None:
    action = menu.addAction(f"{text}\t{key}" if key else text)
    action.triggered.connect(lambda _checked=False: do())


def _record_of(kept: KeptRun) -> RunRecord:
    """What a library would say of a run that none holds."""
    run = kept.run
    means = run.history.metrics["mean_return"].values
    told = float(means[-1]) if len(means) else None
    reached = Reached(run.history.iterations, run.history.environment_steps, len(run.history.episode_returns))
    return RunRecord(
        id=run.id,
        number=run.number,
        configuration=run.config.model_dump(mode="json"),
        status=_STATUS.get(kept.state, Status.RUNNING),
        created=time.time(),
        reached=replace(reached, mean_return=told if told == told else None),
    )
