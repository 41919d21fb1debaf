"""What becomes of reading a library in which something is not as it was written."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

from engine.runtime.errors import RequestError, RunError, describe

BROKEN = (sqlite3.Error, UnicodeError)  # what comes of a database that is broken itself
NONSENSE = (ValueError, LookupError, TypeError, OverflowError, RecursionError)  # and of a row that says what none says

_Method = TypeVar("_Method", bound=Callable[..., Any])


class DamageError(RunError):
    """Something in the library in ``folder`` is not as it was written; ``reason`` says what."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"The run library in {folder} is damaged: {reason}.")
        self.reason = reason


def reads(method: _Method) -> _Method:
    """``method`` of a library tells of damage by a ``DamageError``."""

    @wraps(method)
    def read(library: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(library, *args, **kwargs)
        except RequestError:
            raise
        except (*BROKEN, *NONSENSE) as error:
            raise DamageError(library.folder, reason(error)) from None

    return cast(_Method, read)


def reason(error: Exception) -> str:
    """Why something of the library could not be used, in a few words."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return describe(error).partition(": ")[2] or describe(error)
