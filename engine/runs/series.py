"""Numbers of a run that become more, as the library keeps them: in chunks of rows, which are read as one table."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a list of runs is shown before numpy is loaded
    import numpy as np
    from numpy.typing import NDArray

CHUNK = 512  # rows that one blob holds at most


@dataclass(frozen=True)
class Series:
    """Numbers of a run, one row for each iteration or episode: ``rows`` [n, columns] float64, NaN where undefined."""

    columns: tuple[str, ...]
    rows: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, column: str) -> NDArray[np.float64]:
        found: NDArray[np.float64] = self.rows[:, self.columns.index(column)]
        return found


def joined(chunks: Sequence[sqlite3.Row], since: int) -> Series:
    """The rows of ``chunks``, which follow each other, after the first ``since`` of the stream; none where there is
    no chunk."""
    import numpy as np

    if not chunks:
        return Series((), np.empty((0, 0)))
    told = {chunk["columns"]: None for chunk in chunks}  # one text, as a rule
    names = list(dict.fromkeys(name for columns in told for name in json.loads(columns)))
    known = max(since - chunks[0]["start"], 0)  # of the first chunk
    if len(told) == 1:
        whole = np.frombuffer(b"".join(chunk["rows"] for chunk in chunks), np.float64)
        return Series(tuple(names), whole.reshape(-1, len(names))[known:])
    parts = []  # a later version of the program may have gone on with columns of its own
    for chunk in chunks:
        own = json.loads(chunk["columns"])
        rows = np.frombuffer(chunk["rows"], np.float64).reshape(-1, len(own))
        part = np.full((len(rows), len(names)), np.nan)
        part[:, [names.index(name) for name in own]] = rows
        parts.append(part)
    return Series(tuple(names), np.concatenate(parts)[known:])
