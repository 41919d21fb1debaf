"""The largest mean return that any policy can have, of the environments of which that can be computed."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.session.lookup_thread import LookupThread
from engine.config.environments import EnvironmentConfig

Process = tuple[str, str, int, float]


class OptimalReturns(QObject):
    """Has each computed once, on the thread of the look-ups.

    Signals:
        changed: one more is known.
    """

    changed = Signal()

    def __init__(self, lookups: LookupThread) -> None:
        super().__init__()
        self._lookups = lookups
        self._known: dict[Process, float | None] = {}
        lookups.best_found.connect(self._take)

    def of(self, environment: EnvironmentConfig, *, finite: bool) -> float | None:
        """That of an environment; None where it is not known, or not yet. Only where its process is ``finite`` is it
        asked for."""
        key = process_of(environment)
        if finite and key not in self._known:
            self._known[key] = None
            self._lookups.find_best(environment)
        return self._known.get(key)

    def _take(self, environment: EnvironmentConfig, best: float | None) -> None:
        self._known[process_of(environment)] = best
        if best is not None:
            self.changed.emit()


def process_of(environment: EnvironmentConfig) -> Process:
    """All that the largest mean return depends on."""
    options = repr(sorted(environment.options.items()))
    return environment.id, options, environment.time_limit, environment.sticky_actions
