"""What it takes to train on with a run of the library, made on the thread that trains."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.session.together import steps_words
from engine.catalogue.configured import described
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.config.parameters import with_values
from engine.runs.records import RunRecord
from engine.runtime.errors import RequestError

if TYPE_CHECKING:  # with torch and numpy
    from app.models.history import History
    from app.models.runs import KeptRun
    from engine.analysis.playback import PolicySnapshot
    from engine.runs.library import Library
    from engine.training.training import Training


@dataclass(frozen=True)
class Begun:
    """A run that goes on, with what it has told so far; ``said`` are sentences for a person. ``together`` are all that
    go on with it, itself included, where it is one of several seeds."""

    training: Training
    record: RunRecord
    config: RunConfig
    history: History
    policy: PolicySnapshot
    said: tuple[str, ...] = ()
    together: tuple[tuple[RunRecord, History], ...] = ()


@dataclass(frozen=True)
class Resuming:
    """Going on with ``record`` from its last checkpoint, with ``changes`` of live parameters; ``together`` with the
    seeds that it was trained with, where those can go on from there."""

    record: RunRecord
    changes: Mapping[str, Any] = field(default_factory=dict)
    together: bool = True

    def begun(self, folder: Path) -> Begun:
        """
        Raises:
            RequestError, RunError: as ``engine.runs.resuming.resume``; or a change does not fit.
        """
        from engine.runs.library import Library
        from engine.runs.resuming import resume
        from engine.training.schedules import rescheduled

        with Library(folder) as library:
            training = resume(library, self.record, together=self.together)
            try:
                before = training.next_config
                for path, value in self.changes.items():
                    training.change(path, value)
                config = training.next_config
                said = (*training.inexact, *rescheduled(before, config, training.environment_steps))
                steps = steps_words(training.environment_steps, training)
                who = f"Run {self.record.number} goes on" if len(training.runs) == 1 else "All seeds go on together"
                began = f"{who} after {steps}."
                return _begun(library, training, library.run(self.record.id), config, (began, *said))
            except BaseException:
                training.close()
                raise


@dataclass(frozen=True)
class Forking:
    """A run ``id`` of its own that goes on from ``record`` as it was after ``at`` iterations, None where it was last
    saved, or from the ``state`` that it was held in, with ``changes``."""

    id: str
    record: RunRecord
    at: int | None
    changes: Mapping[str, Any]
    state: Mapping[str, Any] | None = None

    def is_of(self, runs: Collection[str]) -> bool:
        """Whether it goes on from where one of ``runs`` came to rest."""
        return self.at is None and self.record.id in runs

    def begun(self, folder: Path) -> Begun:
        """
        Raises:
            RequestError, RunError: as ``engine.runs.resuming.fork``.
        """
        from engine.runs.library import Library
        from engine.runs.resuming import branch, fork

        with Library(folder) as library:
            if self.state is None:
                training, record, lost = fork(library, self.record, self.at, self.changes, self.id)
            else:
                training, record, lost = branch(library, self.record, self.state, self.changes, self.id)
            number, steps = self.record.number, training.environment_steps
            began = f"Run {record.number} goes on from run {number} as it was after {steps:,} steps."
            return _begun(library, training, record, training.config, (began, *lost))


def _begun(library: Library, training: Training, record: RunRecord, config: RunConfig, said: tuple[str, ...]) -> Begun:
    from app.models.history import History
    from engine.analysis.playback import frozen
    from engine.runs.library import EPISODES, ITERATIONS

    def told(run: str) -> History:
        iterations, episodes = (library.series(run, stream) for stream in (ITERATIONS, EPISODES))
        return History.from_series(iterations, episodes, library.events(run))

    if len(training.runs) == 1:
        return Begun(training, record, config, told(record.id), frozen(training), said)
    going = [run for run, totals in training.totals.items() if not totals.failed]
    together = tuple((library.run(run), told(run)) for run in going)
    history = next(history for each, history in together if each.id == record.id)
    return Begun(training, record, config, history, frozen(training, record.id), said, together)


@dataclass(frozen=True)
class Asked:
    """A run that is asked for; ``plain`` is its environment before the changes that ``config`` makes to it, and ``how``
    says in what way it comes back from the library, where it is no new one. ``seeds`` are those of several new runs, by
    their ids, of which ``id`` is the first, trained ``together`` or each by itself. ``group`` is what is shown of seeds
    that go on each by itself, of which ``id`` goes on in the window."""

    id: str
    config: RunConfig
    plain: EnvironmentInfo
    how: Resuming | Forking | None = None
    seeds: Mapping[str, int] = field(default_factory=dict)
    together: bool = True
    group: KeptRun | None = None


def asked_back(how: Resuming | Forking, id: str, plain: EnvironmentInfo | None) -> Asked:
    """The run ``id`` that comes back so, in its environment ``plain``, which the catalogue knows where it is None.

    Raises:
        RequestError: its configuration cannot be read here, a change does not fit, or the environment is not known.
    """
    config = with_values(how.record.config_now, how.changes)
    known = plain or described(config.environment)
    if known is None:
        raise RequestError(f"{config.environment.id} has to be looked at first; open run {how.record.number}.")
    return Asked(id, config, known, how)
