"""Runs that are found by a search, in the order that a person wants."""

from __future__ import annotations

import re

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt, QTimer

from app.models.run_names import method_title
from app.models.run_tree import as_tree
from app.window.run_list import RUN_ROLE, SORT_ROLE, Index, RunList, state_of
from engine.catalogue.environments import ENVIRONMENTS
from engine.runs.records import RunRecord
from engine.runtime.errors import RequestError

_WORDS = re.compile(r"(?:run|seed) \d+|\S+")  # of a search: a number goes with what it is one of


class FoundRuns(QSortFilterProxyModel):
    """Those of a list in which every word of a search is found. By their numbers they stand as a tree: a fork right
    under the run that it comes from, where that is among them."""

    def __init__(self, runs: RunList) -> None:
        super().__init__(runs)
        self.runs = runs
        self._words: tuple[str, ...] = ()
        self._tree: dict[str, tuple[int, tuple[bool, ...]]] = {}  # by run its place among those found, and its rails
        self._grows = QTimer(self, interval=0, singleShot=True)
        self._grows.timeout.connect(self._grow)
        for signal in (self.rowsInserted, self.rowsRemoved, self.modelReset):
            signal.connect(lambda *_: self._grows.start())
        self.setSourceModel(runs)
        self.setSortRole(SORT_ROLE)
        self.sort(0, Qt.SortOrder.DescendingOrder)

    def show(self, runs: RunList) -> None:
        """Find those of another list."""
        self.runs = runs
        self.setSourceModel(runs)

    def rails(self, index: Index) -> tuple[bool, ...]:
        """As those of a ``Branch``, where the runs stand as a tree."""
        if self.sortColumn() != 0:
            return ()
        return self._tree.get(index.data(RUN_ROLE).record.id, (0, ()))[1]

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        super().sort(column, order)
        self._grow()

    def _grow(self) -> None:
        """Bring all that are found into the order of their tree."""
        if self.sortColumn() != 0:
            return
        newest_first = self.sortOrder() == Qt.SortOrder.DescendingOrder
        records = [self.index(row, 0).data(RUN_ROLE).record for row in range(self.rowCount())]
        branches = as_tree(sorted(records, key=lambda record: record.number, reverse=newest_first))
        self._tree = {branch.record.id: (place, branch.rails) for place, branch in enumerate(branches)}
        if [branch.record.id for branch in branches] != [record.id for record in records]:
            self.invalidate()

    def lessThan(self, left: Index, right: Index) -> bool:
        if left.column() != 0:
            return super().lessThan(left, right)
        first, second = (self.runs.chip(index.row()).record for index in (left, right))
        if first.id not in self._tree or second.id not in self._tree:  # until it has grown
            return first.number < second.number
        one, other = self._tree[first.id][0], self._tree[second.id][0]
        return one < other if self.sortOrder() == Qt.SortOrder.AscendingOrder else one > other

    def search(self, text: str) -> None:
        self.beginFilterChange()
        self._words = tuple(_WORDS.findall(text.casefold()))
        self.endFilterChange()
        self._grow()

    def filterAcceptsRow(self, row: int, parent: QModelIndex | QPersistentModelIndex) -> bool:
        if not self._words:
            return True
        text = searched(self.runs.chip(row).record)
        return all((f"{word} " if word[-1].isdecimal() else word) in text for word in self._words)


def searched(record: RunRecord) -> str:
    """All that a run is found by, in small letters."""
    label, where = record.label, record.environment
    words = [f"run {record.number}", label.title, label.note, *label.tags, where, state_of(record)]
    words += [f"seed {record.seed}", ENVIRONMENTS[where].title if where in ENVIRONMENTS else ""]
    words += ["pinned" if label.pinned else ""]
    return f"{' '.join([*words, *_choices(record)])} ".casefold()


_METHODS: dict[tuple[str, ...], str] = {}  # what the method of these choices is called


def _choices(record: RunRecord) -> tuple[str, ...]:
    """The choices that make the method of a run, and what that is called."""
    chosen = record.configuration
    parts = (chosen.get("update"), chosen.get("policy"), *chosen.get("estimator", {}).values())
    kinds = tuple(str(part.get("kind", "")) for part in parts if isinstance(part, dict))
    if kinds not in _METHODS:  # looked up once, since that takes long for thousands
        try:
            _METHODS[kinds] = method_title(record.config)
        except RequestError:
            _METHODS[kinds] = ""
    return (*kinds, _METHODS[kinds])
