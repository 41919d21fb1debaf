"""What a thread says of an exception that it survives, whatever kind of exception that is.

Code from elsewhere may raise what is no ``Exception`` (``asyncio.CancelledError``, a panic in Rust), and its exceptions
may fail to be printed; a thread that ended over it would leave the window waiting for good.
"""

from __future__ import annotations

import traceback
from contextlib import suppress

from engine.runtime.errors import RequestError, RunError, describe


def failure(error: BaseException, what: str) -> str:
    """The sentence for ``error``: its own where the engine wrote it, else that ``what`` happened and by which one;
    where that came from goes to stderr."""
    if isinstance(error, (RequestError, RunError)):
        return str(error)
    print_trace(error)
    return f"{what}: {describe(error)}."


def print_trace(error: BaseException) -> None:
    """Write where ``error`` came from to stderr, where that is possible."""
    with suppress(BaseException):  # nobody may be left to read it
        traceback.print_exception(error)
