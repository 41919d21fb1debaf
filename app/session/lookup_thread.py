"""The QThread that looks at environments, so that neither training nor a look-up ever waits for the other."""

from __future__ import annotations

import threading
from collections import deque
from functools import partial

from PySide6.QtCore import QThread, Signal

from app.session.failures import failure, print_trace
from engine.config.environments import EnvironmentConfig
from engine.runtime.errors import RequestError
from engine.runtime.waiting import LONG, GivenUp, Wait, while_waiting


class LookupThread(QThread):
    """Makes environments once to see what they are; every method may be called from any thread.

    The newest wish wins: an older one is dropped, also while its environment does not answer, and its answer never
    comes. Started only when torch is loaded, since two threads that import the same packages at once may each see half
    of them.
    """

    inspected = Signal(object, object)  # EnvironmentConfig, and what it is before its changes: EnvironmentInfo
    refused = Signal(object, str)  # EnvironmentConfig, and why it cannot be had
    best_found = Signal(object, object)  # EnvironmentConfig, and the largest mean return in it: float, or None
    listed = Signal(object)  # ids that are registered and not in the catalogue: tuple[str, ...]
    log = Signal(str, str)  # level, sentence

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("look-ups")
        self._changed = threading.Condition()
        self._wanted: EnvironmentConfig | None = None
        self._best_wanted: deque[EnvironmentConfig] = deque()
        self._list_wanted = self._dropped = self._stopping = False
        self._waited: tuple[EnvironmentConfig, Wait] | None = None  # what was last waited for

    # --- asked by the window ------------------------------------------------------------------------------------------

    def look_up(self, environment: EnvironmentConfig) -> None:
        """Say by ``inspected`` what an environment is, or by ``refused`` why it cannot be had."""
        with self._changed:
            self._wanted = environment
            self._changed.notify()

    def drop(self) -> None:
        """Whatever is being looked at is of no interest any more."""
        with self._changed:
            self._wanted, self._dropped = None, True

    def wait_for(self, environment: EnvironmentConfig) -> Wait | None:
        """What keeps the answer to the wish for ``environment``, where that is a process that does not answer."""
        with self._changed:
            waited = self._waited
        return waited[1] if waited is not None and waited[0] == environment else None

    def find_best(self, environment: EnvironmentConfig) -> None:
        """Say by ``best_found`` what the best policy returns, where the process is known."""
        with self._changed:
            self._best_wanted.append(environment)
            self._changed.notify()

    def list_registered(self) -> None:
        """Say by ``listed`` what there is that the catalogue lacks."""
        with self._changed:
            self._list_wanted = True
            self._changed.notify()

    def end(self) -> None:
        """Have the thread end as soon as it can."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    # --- the thread itself --------------------------------------------------------------------------------------------

    def run(self) -> None:
        self._start_server()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted or self._best_wanted or self._list_wanted or self._stopping)
                if self._stopping:
                    return
                wanted = self._wanted
                best = self._best_wanted.popleft() if wanted is None and self._best_wanted else None
                self._wanted, self._dropped, self._waited = None, False, None
                if wanted is None and best is None:
                    self._list_wanted = False
            if wanted is not None:
                self._inspect(wanted)
            elif best is not None:
                self._find_best(best)
            else:
                self._list()

    def _start_server(self) -> None:
        """Before the first episode is to be watched, which is played in a worker process."""
        try:
            import engine.environments.batches.processes  # noqa: F401  (says what to import there)
            from engine.runtime.worker_process import start_server

            start_server()
        except BaseException as error:  # who needs it tries again, and tells
            print_trace(error)

    def _find_best(self, environment: EnvironmentConfig) -> None:
        try:
            from engine.analysis.known_process import optimal_return

            self.best_found.emit(environment, optimal_return(environment))
        except BaseException as error:  # that it cannot be made is told where it is chosen
            if not isinstance(error, RequestError):
                print_trace(error)

    def _list(self) -> None:
        try:
            from engine.environments.making.installed import other_registered_ids

            with while_waiting(self._while_listing):
                found = other_registered_ids()
            self.listed.emit(found.ids)
            if found.problem:
                self.log.emit("warning", found.problem)
        except GivenUp:
            with self._changed:
                self._list_wanted = True  # once what somebody waits for has been looked at
        except BaseException as error:
            self.log.emit("warning", failure(error, "What is registered could not be listed"))

    def _while_listing(self, _wait: Wait) -> None:
        if self._stopping or self._wanted is not None:
            raise GivenUp

    def _inspect(self, environment: EnvironmentConfig) -> None:
        try:
            from engine.environments.making.lookup import inspect

            with while_waiting(partial(self._while_inspecting, environment)):
                found = inspect(environment.id, environment.options, environment.patience)
            self.inspected.emit(environment, found)
        except GivenUp:
            pass  # as wished
        except BaseException as error:
            self.refused.emit(environment, failure(error, f"{environment.id} could not be looked at"))

    def _while_inspecting(self, environment: EnvironmentConfig, wait: Wait) -> None:
        """While the environment does not answer: what is registered can be listed all the same, and a newer wish ends
        the waiting."""
        with self._changed:
            if self._wanted is not None or self._dropped or self._stopping:
                raise GivenUp
            self._waited = environment, wait
            listing = self._list_wanted and wait.seconds >= LONG  # else it may as well come after
            if listing:
                self._list_wanted = False
        if listing:
            self._list()
