"""The QThread that looks at environments, so that neither training nor a look-up ever waits for the other."""

from __future__ import annotations

import threading

from PySide6.QtCore import QThread, Signal

from engine.config.environments import EnvironmentConfig
from engine.runtime.errors import RequestError

SHUTDOWN_PATIENCE = 1000  # ms; an environment that is still being looked at is of no use to anybody any more


class LookupThread(QThread):
    """Makes environments once to see what they are; every method may be called from any thread.

    The newest wish wins: an older one that has not been begun is dropped, and its answer never comes. Started only
    when torch is loaded, since two threads that import the same packages at once may each see half of them.
    """

    inspected = Signal(object, object)  # EnvironmentConfig, and what it is before its changes: EnvironmentInfo
    refused = Signal(object, str)  # EnvironmentConfig, and why it cannot be had
    listed = Signal(object)  # ids that are registered and not in the catalogue: tuple[str, ...]
    log = Signal(str, str)  # level, sentence

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("look-ups")
        self._changed = threading.Condition()
        self._wanted: EnvironmentConfig | None = None
        self._list_wanted = self._stopping = False

    # --- asked by the window ------------------------------------------------------------------------------------------

    def look_up(self, environment: EnvironmentConfig) -> None:
        """Say by ``inspected`` what an environment is, or by ``refused`` why it cannot be had."""
        with self._changed:
            self._wanted = environment
            self._changed.notify()

    def list_registered(self) -> None:
        """Say by ``listed`` what there is that the catalogue lacks."""
        with self._changed:
            self._list_wanted = True
            self._changed.notify()

    def shutdown(self, patience: int = SHUTDOWN_PATIENCE) -> bool:
        """End the thread; False when an environment did not return within ``patience`` ms."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        return self.wait(patience)

    # --- the thread itself --------------------------------------------------------------------------------------------

    def run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted or self._list_wanted or self._stopping)
                if self._stopping:
                    return
                listing, wanted = self._list_wanted, self._wanted
                self._list_wanted, self._wanted = False, None
            if listing:
                self._list()
            if wanted is not None:
                self._inspect(wanted)

    def _list(self) -> None:
        try:
            from engine.environments.making.installed import other_registered_ids

            self.listed.emit(other_registered_ids())
        except (Exception, SystemExit) as error:
            self.log.emit("warning", f"What is registered could not be listed: {type(error).__name__}: {error}.")

    def _inspect(self, environment: EnvironmentConfig) -> None:
        try:
            from engine.environments.making.lookup import inspect

            self.inspected.emit(environment, inspect(environment.id, environment.options))
        except RequestError as error:
            self.refused.emit(environment, str(error))
        except (Exception, SystemExit) as error:
            sentence = f"{environment.id} could not be looked at: {type(error).__name__}: {error}."
            self.refused.emit(environment, sentence)
