"""Processes apart for code from elsewhere: it may hang, crash or leave, and this process only hears of it."""

from __future__ import annotations

import atexit
import ctypes
import io
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Concatenate, ParamSpec
from weakref import WeakSet

from engine.runtime.interrupts import kept_from_children

CLOSING = 1.0  # seconds in which workers that are no longer wanted may end by themselves
PERIOD = 0.1  # seconds between looks at what workers are doing, at most
# Never fork, which would copy the locks that threads of the window and of torch hold. A fork server holds none, and has
# what takes long to import at hand; it is found on more systems than Linux, but libraries there do not outlive a fork.
_METHOD = "forkserver" if sys.platform == "linux" else "spawn"
_PLAIN = ("builtins", "collections", "engine", "gymnasium", "numpy")  # packages whose objects are taken from a worker
_KILL_WITH_PARENT = 1  # PR_SET_PDEATHSIG

_preloaded: list[str] = []  # what the fork server imports
_lock = threading.Lock()  # whoever starts a process also asks how the others are, of which only one may be told
_P = ParamSpec("_P")


def preload(*modules: str) -> None:
    """Have the fork server, where there is one, import ``modules``, which each worker would wait for otherwise; to be
    called before the first worker is started."""
    _preloaded.extend(modules)


def start_server() -> None:
    """Start the fork server, where there is one, so that it has imported what the first worker would wait for."""
    with _lock, kept_from_children():
        _context()
        if _METHOD == "forkserver":
            forkserver.ensure_running()


def start(process: BaseProcess, ours: Connection, theirs: Connection) -> None:
    """Start a process that has the other end of a pipe, ``theirs``; where it cannot be started, no end is left open."""
    try:
        with kept_from_children():
            process.start()
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()


class WorkerProcess:
    """``target(connection, *arguments)`` in the main thread of a process of its own, which ends when that returns.

    ``connection`` is this end of the pipe; when it is closed, the other one's ``recv_bytes`` raises ``EOFError``, which
    ``target`` need not catch. The process leads a group of its own, with which all that it has started is ended.
    """

    def __init__(
        self, name: str, target: Callable[Concatenate[Connection, _P], None], *arguments: _P.args, **_: _P.kwargs
    ) -> None:
        with _lock:
            context = _context()
            self.connection, theirs = context.Pipe()
            self.process: BaseProcess = context.Process(
                target=_run, args=(theirs, target, arguments), name=name, daemon=True
            )
            start(self.process, self.connection, theirs)
        _living.add(self)

    @property
    def pid(self) -> int:
        pid = self.process.pid
        assert pid is not None
        return pid

    def how_it_ended(self) -> str:
        """In words, of one that no longer answers."""
        wait([self.process.sentinel], CLOSING)  # how it ended is known a moment after its end
        return in_words(self._exit_code())

    def _exit_code(self) -> int | None:
        with _lock:
            return self.process.exitcode

    def _kill(self) -> None:
        """End it, and whatever it has started."""
        with suppress(OSError):  # it has ended already
            if os.name == "posix":
                os.killpg(self.pid, signal.SIGKILL)
            else:
                self.process.kill()
        with suppress(OSError):  # while it is only beginning it leads no group
            if self._exit_code() is None:
                self.process.kill()


def end_all(workers: Sequence[WorkerProcess], patience: float) -> list[int | None]:
    """End ``workers``, killing those that are not done after ``patience`` seconds.

    Returns:
        How each has ended: its exit status, minus the number of a signal, or None where it had to be killed.
    """
    for worker in workers:
        worker.connection.close()  # which tells it to end
    until = time.monotonic() + patience
    codes: list[int | None] = []
    for worker in workers:
        if patience > 0.0:
            wait([worker.process.sentinel], max(until - time.monotonic(), 0.0))
        codes.append(worker._exit_code())
        worker._kill()
    for worker in workers:
        wait([worker.process.sentinel], CLOSING)
        with _lock, suppress(ValueError):  # not even a kill ends what the system itself holds up
            if worker.process.exitcode is not None:
                worker.process.close()
        _living.discard(worker)
    return codes


def answers(
    workers: Sequence[WorkerProcess], period: float, idle: Callable[[list[WorkerProcess]], None]
) -> Iterator[tuple[WorkerProcess, bytes | None]]:
    """The answers of ``workers`` as they come, None from one that has ended without any.

    ``idle`` is told after each ``period`` seconds in which none has come, with all that have not answered yet.
    """
    pending = {worker.connection: worker for worker in workers}
    while pending:
        answered = wait(list(pending), period)
        if not answered:
            idle(list(pending.values()))
        for connection in answered:
            assert isinstance(connection, Connection)
            try:
                answer = connection.recv_bytes()
            except (EOFError, OSError):
                yield pending.pop(connection), None
            else:
                yield pending.pop(connection), answer


def loaded(data: bytes) -> Any:
    """What a worker has pickled, made of numbers, texts, arrays and classes that are known.

    Raises:
        UnpicklingError: it holds an object of another kind, whose module would have to be imported here.
    """
    return _PlainUnpickler(io.BytesIO(data)).load()


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] not in _PLAIN:
            raise pickle.UnpicklingError(f"{module}.{name} is of a module from elsewhere.")
        return super().find_class(module, name)


def in_words(code: int | None) -> str:
    """How a process ended, from its exit status or minus the number of a signal."""
    if code is None:
        return "no longer answers"
    if code >= 0:
        return f"ended with the exit status {code}"
    memory = ", as the system does when memory runs out" if code == -9 else ""
    return f"was ended by the signal {signal.Signals(-code).name}{memory}"


def _context() -> Any:
    context: Any = multiprocessing.get_context(_METHOD)
    if _METHOD == "forkserver":
        ours = _is_found_by_server()
        context.set_forkserver_preload([name for name in _preloaded if ours or not name.startswith("engine.")])
    return context


def _is_found_by_server() -> bool:
    """Whether the fork server, which looks for modules in the working directory first, finds this very program."""
    spec = find_spec("engine")
    folders = spec.submodule_search_locations if spec is not None else None
    return bool(folders) and not sys.flags.safe_path and Path(next(iter(folders or ()))).parent == Path.cwd()


def _run(connection: Connection, target: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """What a worker process does from its beginning to its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the process that asks
    multiprocessing.current_process().daemon = False  # which may not start processes, as some environments do
    if sys.platform == "linux":
        _end_with_server()
    if os.name == "posix":
        os.setpgrp()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    code = 0
    try:
        with suppress(EOFError, OSError):  # nobody is there any more
            target(connection, *arguments)
    except BaseException:
        traceback.print_exc()
        code = 1
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # code from elsewhere may have replaced or closed it
            stream.flush()
    if os.name == "posix":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)  # whatever it has started and left
    os._exit(code)  # at once: threads and libraries from elsewhere may hang or crash on the way out


def _end_with_server() -> None:
    """Even where code holds the lock of Python's interpreter: when the fork server ends, which it does with the last
    process that holds it. This one is not to be that, whatever hangs in it."""
    server: Any = forkserver._forkserver
    with suppress(AttributeError, OSError, TypeError):  # as other versions of Python may have it
        os.close(server._forkserver_alive_fd)
        server._forkserver_address = server._forkserver_alive_fd = server._forkserver_pid = None
    ctypes.CDLL(None).prctl(_KILL_WITH_PARENT, signal.SIGKILL)


def _end_with_parent() -> None:
    """A hung environment would outlive the program if it were killed, and nobody would know why the fan turns."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


_living: WeakSet[WorkerProcess] = WeakSet()


@atexit.register  # before multiprocessing waits for them, which some would never end
def kill_all() -> None:
    """End all that are left, and whatever they have started; for the end of the program."""
    for worker in tuple(_living):
        worker._kill()
