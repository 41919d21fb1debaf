"""At which stop within an iteration the run is, and who wants to see more of it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from engine.catalogue.methods.stops import Stop, Until


class SlowMotion(QObject):
    """Lives on the main thread.

    Signals:
        changed: the run waits or lingers at another stop, or goes on.
        lit: what is meant of the equation is another stop's terms.
        asked: a person wants the run to go on to there.
        looked: whether anybody sees what is shown of an iteration.
    """

    changed = Signal()
    asked = Signal(str)
    looked = Signal(bool)
    lit = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.at: Stop | None = None
        self.until: Until | None = None  # as it was last asked
        self.waits = False  # whether the run is paused, be it at a stop or anywhere else
        self._looked_at = False
        self._seen: Stop | None = None

    @property
    def meant(self) -> Stop | None:
        """Whose terms of the equation are meant: those of what a person looks at, else of where the run is."""
        return self.at if self._seen is None else self._seen

    def show(self, stop: Stop | None) -> None:
        """This is what a person sees of an iteration now, be it live or long over; None is nothing."""
        if stop != self._seen:
            self._seen = stop
            self.lit.emit()

    def ask(self, until: Until | None) -> None:
        """The run goes on to there; None is without a stop."""
        self.until = until
        if until is None:
            self.come_to(None)

    def come_to(self, stop: Stop | None) -> None:
        """Where the run waits or lingers now; None as it goes on."""
        self.at = stop
        self.changed.emit()
        self.lit.emit()

    def wait(self, waits: bool) -> None:
        """The run is paused now, or no more."""
        if waits != self.waits:
            self.waits = waits
            self.changed.emit()

    @property
    def has_missed(self) -> bool:
        """Whether the run waits at an iteration's end only because what was asked for has not come."""
        return self.at == "iteration" and self.until not in (None, "iteration", "next")

    def look(self, looked_at: bool) -> None:
        """Say whether anybody sees what is shown of an iteration."""
        if looked_at != self._looked_at:
            self._looked_at = looked_at
            self.looked.emit(looked_at)
