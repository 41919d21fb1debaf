"""The experiments of the library as the window sees them: followed while they are watched, and told what is wanted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QDeadlineTimer, QObject, QTimer, Signal

from app.models.experiment_results import Results
from app.session.file_work import FileWork
from app.session.run_library import RunLibrary
from engine.runs.library import Library
from engine.runs.sweeps.conducted import is_conducted
from engine.runs.sweeps.detached import Began, Where, begin_conducting, last_words
from engine.runs.sweeps.experiments import Experiments
from engine.runs.sweeps.records import ExperimentRecord, Progress, Wish
from engine.runs.sweeps.spec import Sweep

if TYPE_CHECKING:
    from app.session.experiment_figures import Figures

_OFTEN = 0.5  # seconds from one look at the library to the next, at least
_AGAIN = 1500  # ms from one look to the next while somebody conducts, though nothing be written
_SHARE = 0.1  # of a core, which looking takes at most


@dataclass(frozen=True)
class _Looked:
    """What a look has found: all experiments, the newest first, and how many runs of each are done; how the one that
    is shown stands; why what was begun here to conduct one has ended too soon, if it has; and how long the look took,
    in seconds of a core."""

    records: tuple[ExperimentRecord, ...]
    counts: Mapping[str, str]
    results: Results | None
    trouble: str
    seconds: float


@dataclass
class _Known:
    """What the thread that looks knows from the last time: the experiments, as long as they are marked so, and the
    figures of the one that is shown."""

    begun: dict[str, Began] = field(default_factory=dict)  # by experiment, what was begun here to conduct it
    mark: tuple[object, ...] | None = None
    records: tuple[ExperimentRecord, ...] = ()
    figures: dict[str, Figures] = field(default_factory=dict)


class ExperimentWatch(QObject):
    """All reading and writing is done on a thread of its own, one thing after the other.

    Signals:
    listed: there are other experiments, or another is shown.
    renewed: the Results of the one that is shown.
    failed: why something could not be done, in a sentence.
    """

    listed = Signal()
    renewed = Signal(object)
    failed = Signal(str)

    def __init__(self, library: RunLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._work = FileWork(self, "experiments", "Something unexpected happened with an experiment")
        self._work.failed.connect(self._fail)
        self.records: tuple[ExperimentRecord, ...] = ()
        self.counts: Mapping[str, str] = {}  # how many runs of each are done
        self.chosen = ""
        self.where = Where()
        """Where runs are trained from now on."""
        self._known = _Known()
        self._watched = self._stale = self._busy = False
        self._looked, self._every = 0.0, _OFTEN
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._look)
        library.written.connect(self.look)

    @property
    def record(self) -> ExperimentRecord | None:
        """The experiment that is shown."""
        return next((record for record in self.records if record.id == self.chosen), None)

    def set_watched(self, watched: bool) -> None:
        """Look at the library, or not while nobody can see what comes of it."""
        self._watched = watched
        if watched:
            self.look()
        else:
            self._timer.stop()

    def choose(self, experiment: str) -> None:
        """Show another."""
        if experiment != self.chosen:
            self.chosen = experiment
            self.listed.emit()
            self._every = 0.0
            self.look()

    def look(self) -> None:
        """Take in what has been written, as soon as it is time to."""
        self._stale = True
        if self._watched and not self._busy:
            self._timer.start(max(round(1000 * (self._looked + self._every - time.monotonic())), 0))

    def _look(self) -> None:
        if self._busy or self._library.library is None:
            return
        self._stale, self._busy = False, True
        folder, chosen, known = self._library.folder, self.chosen, self._known
        self._work.ask(lambda: _looked(folder, chosen, known), self._take)

    def _take(self, found: _Looked) -> None:
        self._busy, self._looked = False, time.monotonic()
        self._every = max(_OFTEN, found.seconds / _SHARE)
        others = [_told(record) for record in found.records] != [_told(record) for record in self.records]
        others = others or found.counts != self.counts
        self.records, self.counts = found.records, found.counts
        if found.results is not None and not self.chosen:
            self.chosen = found.results.record.id
            others = True
        if self.record is None and self.chosen:
            self.chosen = ""
            self._stale = bool(self.records)
        if others:
            self.listed.emit()
        if found.results is not None and found.results.record.id == self.chosen:
            self.renewed.emit(found.results)
        if found.trouble:
            self.failed.emit(found.trouble)
        if self._stale:
            self.look()
        elif self._watched and found.results is not None and found.results.conducted:
            self._timer.start(_AGAIN)  # who conducts may be killed, and then writes nothing

    def _fail(self, sentence: str) -> None:
        self._busy, self._looked = False, time.monotonic()
        self.failed.emit(sentence)

    # --- what is wanted -----------------------------------------------------------------------------------------------

    def begin(self, sweep: Sweep) -> None:
        """Have all runs of a sweep trained by a process of its own, which outlives the window, and show them."""
        folder, known, where = self._library.folder, self._known, self.where

        def work(experiments: Experiments) -> str:
            record = experiments.add(sweep)
            experiments.wish(record.id, Wish.RUN)
            _conduct(folder, record.id, known, where)
            return record.id

        self.do(work, self.choose)

    def wish(self, wish: Wish, runs: Sequence[str]) -> None:
        """What is wanted of the experiment that is shown, or of these runs of it where there are any."""
        folder, known, experiment, where = self._library.folder, self._known, self.chosen, self.where

        def work(experiments: Experiments) -> None:
            if runs:
                experiments.wish_of(experiment, runs, wish)
            else:
                experiments.wish(experiment, wish)
            if wish is Wish.RUN and experiments.get(experiment).wish is Wish.RUN:
                _conduct(folder, experiment, known, where)

        self.do(work)

    def retry(self, runs: Sequence[str]) -> None:
        """Try these runs of the experiment that is shown again."""
        folder, known, experiment, where = self._library.folder, self._known, self.chosen, self.where

        def work(experiments: Experiments) -> None:
            experiments.retry(experiment, runs)
            if experiments.get(experiment).wish is Wish.RUN:
                _conduct(folder, experiment, known, where)

        self.do(work)

    def do(self, work: Callable[[Experiments], Any], then: Callable[[Any], object] = lambda _: None) -> None:
        """Do something with the library's experiments, and ``then`` here with what has come of it; look at them
        again."""
        folder = self._library.folder

        def done(result: Any) -> None:
            then(result)
            self._library.look()
            self._every = 0.0
            self.look()

        self._work.ask(lambda: _done(folder, work), done)

    def end(self) -> None:
        self._timer.stop()
        self._work.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        return self._work.wait(deadline)


def _told(record: ExperimentRecord) -> tuple[object, ...]:
    return record.id, record.title, record.wish, record.note


def _done(folder: Path, work: Callable[[Experiments], Any]) -> Any:
    with Library(folder) as library:
        return work(Experiments(library))


def _looked(folder: Path, chosen: str, known: _Known) -> _Looked:
    """Everything, on the thread that looks."""
    from app.session.experiment_figures import Figures

    began = time.thread_time()
    with Library(folder) as library:
        experiments = Experiments(library)
        mark = experiments.mark()[0]
        if mark != known.mark:  # each is a configuration to be read
            known.mark, known.records = mark, tuple(experiments.list())
        records = known.records
        shown = next((record for record in records if record.id == chosen), records[0] if records else None)
        results, trouble = None, _trouble(folder, known)
        if shown is not None:
            if shown.id not in known.figures:
                known.figures.clear()  # of one at a time: curves of thousands of runs take their room
                known.figures[shown.id] = Figures(shown)
            results = known.figures[shown.id].read(library, shown, _is_conducted(folder, shown.id, known))
        counts = {id: _done_of(each) for id, each in experiments.counts().items()}
    return _Looked(records, counts, results, trouble, time.thread_time() - began)


def _done_of(counts: Mapping[Progress, int]) -> str:
    """ "12 of 60"."""
    return f"{counts.get(Progress.FINISHED, 0)} of {sum(counts.values())}"


def _conduct(folder: Path, experiment: str, known: _Known, where: Where) -> None:
    """Have it conducted, if nobody does."""
    began = begin_conducting(folder, experiment, where)
    if began is not None:
        known.begun[experiment] = began


def _is_conducted(folder: Path, experiment: str, known: _Known) -> bool:
    """Whether somebody conducts it, or is about to."""
    began = known.begun.get(experiment)
    return (began is not None and began.poll() is None) or is_conducted(folder, experiment)


def _trouble(folder: Path, known: _Known) -> str:
    """What was said last by what was begun here and ended with something wrong; empty where nothing has."""
    ended = {id: began for id, began in known.begun.items() if began.poll() is not None}
    known.begun = {id: began for id, began in known.begun.items() if id not in ended}
    said = (last_words(folder, id) for id, began in ended.items() if began.returncode)
    return next(filter(None, said), "")
