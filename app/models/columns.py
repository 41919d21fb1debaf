"""Growing columns of numbers, read as numpy arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Column:
    """A growing array of numbers; ``values`` is a view of what was appended, valid until the next append.

    A column of whole numbers widens itself when they outgrow its type.
    """

    def __init__(self, dtype: type[np.generic]) -> None:
        self._data: NDArray[Any] = np.empty(1024, dtype)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def values(self) -> NDArray[Any]:
        return self._data[: self._size]

    def extend(self, values: NDArray[Any]) -> None:
        if self._data.dtype.kind == "u" and len(values) and values.max() > np.iinfo(self._data.dtype).max:
            self._data = self._data.astype(np.float64)
        needed = self._size + len(values)
        if needed > len(self._data):
            # A quarter more, not double: memory has to stay flat over a million episodes.
            grown = np.empty(max(needed, len(self._data) + len(self._data) // 4), self._data.dtype)
            grown[: self._size] = self.values
            self._data = grown
        self._data[self._size : needed] = values
        self._size = needed

    def append(self, value: float) -> None:
        self.extend(np.array([value]))


class Table:
    """Growing columns of float32 that are appended to together, a row at a time: one write instead of one for each."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        self._data = np.empty((len(self.names), 1024), np.float32)
        self._size = 0

    def __getitem__(self, name: str) -> TableColumn:
        return TableColumn(self, self.names.index(name))

    def append(self, row: Sequence[float] | Floats) -> None:
        if self._size == self._data.shape[1]:
            self._grow(self._size + self._size // 4)
        self._data[:, self._size] = row
        self._size += 1

    def extend(self, rows: Floats) -> None:
        """Append all of ``rows`` [n, columns]."""
        needed = self._size + len(rows)
        if needed > self._data.shape[1]:
            self._grow(needed)
        self._data[:, self._size : needed] = rows.T
        self._size = needed

    def _grow(self, size: int) -> None:
        grown = np.empty((len(self.names), size), np.float32)
        grown[:, : self._size] = self._data[:, : self._size]
        self._data = grown

    def values(self, index: int) -> NDArray[np.float32]:
        return self._data[index, : self._size]


@dataclass(frozen=True)
class TableColumn:
    """One column of a table; ``values`` is a view of what was appended, valid until the next append."""

    table: Table
    index: int

    @property
    def values(self) -> NDArray[np.float32]:
        return self.table.values(self.index)
