"""What a person has returned in each environment, beside which a run is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from engine.config.environments import EnvironmentConfig
from engine.runs.recording_records import RecordingRecord
from engine.runtime.errors import RequestError


class Standing(NamedTuple):
    """The mean return of a person's ``episodes``."""

    mean: float
    episodes: int

    @property
    def words(self) -> str:
        return f"{self.episodes} episode{'s' if self.episodes > 1 else ''}"


class PersonReturns(QObject):
    """Of episodes that a person has played from their beginning to their end; one that was broken off says nothing of
    what it would have come to, and one that was begun in a state somebody chose is no whole one. They are those of the
    recordings in the library, and those that are not kept yet.

    Signals:
        changed: others than before count.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._kept: dict[str, tuple[RecordingRecord, str, list[float]]] = {}  # by the id of the recording
        self._fresh: list[tuple[str, float]] = []

    def add(self, environment: EnvironmentConfig, total: float) -> None:
        """An episode has just been played."""
        self._fresh.append((_key(environment), total))
        self.changed.emit()

    def note_kept(self, record: RecordingRecord) -> None:
        """What was played before anything else that is not kept yet is ``record`` now."""
        key, returns = _told_by(record)
        for total in returns:
            if (key, total) in self._fresh:
                self._fresh.remove((key, total))
        self._kept[record.id] = record, key, returns

    def take(self, records: Sequence[RecordingRecord]) -> None:
        """These are the recordings that there are."""
        before, self._kept = self._kept, {}
        for record in records:
            if record.source.kind == "person":
                found = before.get(record.id)
                known = found is not None and found[0] == record
                self._kept[record.id] = found if known and found is not None else (record, *_told_by(record))
        if before != self._kept:
            self.changed.emit()

    def of(self, environment: EnvironmentConfig) -> Standing | None:
        """In an environment just as it is configured; None where no episode was played to its end."""
        wanted = _key(environment)
        found = [total for _, key, returns in self._kept.values() if key == wanted for total in returns]
        found += [total for key, total in self._fresh if key == wanted]
        return Standing(sum(found) / len(found), len(found)) if found else None


def _told_by(record: RecordingRecord) -> tuple[str, list[float]]:
    """Where it was played, and the returns of its whole episodes."""
    try:
        key = _key(record.config)
    except RequestError:  # of another version of the program
        return "", []
    whole = (each for each in record.episodes if each.end and not each.trimmed and each.seed is not None)
    return key, [episode.total_return for episode in whole if episode.total_return is not None]


def _key(environment: EnvironmentConfig) -> str:
    """All on which a return depends: what is seen and stepped, and not how fast or where."""
    aside = {"stepping", "patience", "reward_offset", "reward_scale", "normalize_rewards", "normalize_observations"}
    return environment.model_dump_json(exclude=aside)
