"""What a person has returned in each environment, beside which a run is shown."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from engine.config.environments import EnvironmentConfig


class Standing(NamedTuple):
    """The mean return of a person's ``episodes``."""

    mean: float
    episodes: int

    @property
    def words(self) -> str:
        return f"{self.episodes} episode{'s' if self.episodes > 1 else ''}"


class PersonReturns(QObject):
    """Of episodes that a person has played to their end; one that was broken off says nothing of what it would have
    come to.

    Signals:
        changed: there is one more.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._returns: dict[str, list[float]] = {}

    def add(self, environment: EnvironmentConfig, total: float) -> None:
        self._returns.setdefault(_key(environment), []).append(total)
        self.changed.emit()

    def of(self, environment: EnvironmentConfig) -> Standing | None:
        """In an environment just as it is configured; None where no episode was played to its end."""
        found = self._returns.get(_key(environment))
        return Standing(sum(found) / len(found), len(found)) if found else None


def _key(environment: EnvironmentConfig) -> str:
    """All on which a return depends: what is seen and stepped, and not how fast or where."""
    aside = {"stepping", "patience", "reward_offset", "reward_scale", "normalize_rewards", "normalize_observations"}
    return environment.model_dump_json(exclude=aside)
