"""The file that ``--report`` names: one JSON object per line."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.runtime.errors import RequestError, RunError


class ReportError(RunError):
    """The report can no longer be written, whichever run it is of."""


class Report:
    """Lines at the end of a file, each there as soon as it is written, and whole.

    Nothing is held back: a line that finds no room fails at once, and closing has nothing left to write.

    Raises:
        RequestError: the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("ab", buffering=0)
        except (OSError, ValueError) as error:
            raise RequestError(f"The report cannot be written to {path}: {_reason(error)}.") from None

    def write(self, row: Mapping[str, float | str | None]) -> None:
        """Append a line.

        Raises:
            ReportError: it could not be written; what had come of it is taken back.
        """
        line = memoryview(json.dumps(row).encode() + b"\n")
        written = 0
        try:
            while written < len(line):
                written += self._file.write(line[written:]) or 0
        except OSError as error:
            self._take_back(written)
            reason = f"The report could not be written on: {_reason(error)}; earlier iterations are in it."
            raise ReportError(reason) from None

    def _take_back(self, written: int) -> None:
        """See to it that no part of a line stays, on which the next report would go on."""
        with suppress(OSError):
            about = os.fstat(self._file.fileno())
            if written and stat.S_ISREG(about.st_mode):
                os.ftruncate(self._file.fileno(), about.st_size - written)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(OSError):  # nothing was left to write
            self._file.close()


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
