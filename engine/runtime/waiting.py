"""Waiting for what may never come: whoever waits tells its host meanwhile, and the host may give up.

The engine waits in few places, always for a process that runs code from elsewhere. Which thread, window or command line
stands behind it, it does not know; that one says with ``while_waiting`` what it wants to do in the meantime.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

LONG = 5.0  # seconds after which a person is to be told


class Wait(NamedTuple):
    """What is being waited for: the ``environment``, what it is ``doing`` (in a word: its making, reset, step, render),
    for how many ``seconds`` so far, and after how many (``limit``) it is given up."""

    environment: str
    doing: str
    seconds: float
    limit: float

    @property
    def sentence(self) -> str:
        """For a person, once it has taken long."""
        return (
            f"{self.environment} has not answered its {self.doing} for {self.seconds:.0f} s; it is given up after "
            f"{self.limit:g} s."
        )


class GivenUp(BaseException):
    """Raised by a host that no longer wants what is waited for; no ``except Exception`` on the way holds it up."""


Watcher = Callable[[Wait], None]

_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


@contextmanager
def while_waiting(watcher: Watcher) -> Iterator[None]:
    """Have ``watcher`` told of every wait of this thread in the block; it may raise ``GivenUp``."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def telling(tell: Callable[[str], object]) -> Watcher:
    """A watcher that does nothing but ``tell`` of every wait that takes long, once."""
    told = False

    def watch(wait: Wait) -> None:
        nonlocal told
        is_long = wait.seconds >= LONG
        if is_long and not told:
            tell(wait.sentence)
        told = is_long

    return watch


def waited(wait: Wait) -> None:
    """Tell the host that this thread is still waiting; to be called about every 0.1 s.

    Raises:
        GivenUp: the host does not want it any more; what was asked is to be ended.
    """
    watcher = _watcher.get()
    if watcher is not None:
        watcher(wait)
