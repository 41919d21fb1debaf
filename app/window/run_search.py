"""Runs that are found by a search, in the order that a person wants."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt, QTimer

from app.models.run_names import method_title
from app.models.run_tree import Branch, as_tree
from app.window.run_list import COLUMNS, RUN_ROLE, Index, RunList, state_of
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
        self._texts: dict[str, tuple[RunRecord, str]] = {}  # by run what it was found by, of the record as it was
        self._places: dict[str, int] = {}  # by run, among those found
        self._rails: dict[str, tuple[bool, ...]] = {}
        self._grows = QTimer(self, interval=0, singleShot=True)
        self._grows.timeout.connect(self._order)
        for signal in (self.rowsInserted, self.rowsRemoved, self.modelReset, self.dataChanged):
            signal.connect(lambda *_: self._grows.start())
        self.setSourceModel(runs)
        self.sort(0, Qt.SortOrder.DescendingOrder)

    def show(self, runs: RunList) -> None:
        """Find those of another list."""
        self.runs = runs
        self.setSourceModel(runs)

    def rails(self, index: Index) -> tuple[bool, ...]:
        """As those of a ``Branch``, where the runs stand as a tree."""
        return self._rails.get(index.data(RUN_ROLE).record.id, ())

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._place(self._found(), column, order)
        super().sort(column, order)

    def _order(self) -> None:
        """Bring all that are found into their order."""
        found = self._found()
        self._place(found, self.sortColumn(), self.sortOrder())
        if [self._places[record.id] for record in found] != list(range(len(found))):
            self.invalidate()

    def _found(self) -> list[RunRecord]:
        sources = (self.mapToSource(self.index(row, 0)).row() for row in range(self.rowCount()))
        return [self.runs.chip(row).record for row in sources]

    def _place(self, found: Sequence[RunRecord], column: int, order: Qt.SortOrder) -> None:
        """Find the place of each: told once for all, since a comparison is asked for thousands of times."""
        last_first, key = order == Qt.SortOrder.DescendingOrder, COLUMNS[max(column, 0)].key
        ordered = sorted(found, key=lambda record: record.number, reverse=True)
        ordered.sort(key=key, reverse=last_first)
        branches = as_tree(ordered) if column == 0 else [Branch(record) for record in ordered]
        self._places = {branch.record.id: place for place, branch in enumerate(branches)}
        self._rails = {branch.record.id: branch.rails for branch in branches if branch.rails}

    def search(self, text: str) -> None:
        self.beginFilterChange()
        self._words = tuple(_WORDS.findall(text.casefold()))
        records = (self.runs.chip(row).record for row in range(self.runs.rowCount()))
        self._place([record for record in records if self._holds(record)], self.sortColumn(), self.sortOrder())
        self.endFilterChange()

    def filterAcceptsRow(self, row: int, parent: QModelIndex | QPersistentModelIndex) -> bool:
        return self._holds(self.runs.chip(row).record)

    def _holds(self, record: RunRecord) -> bool:
        """Whether every word is found in what is said of a run."""
        if not self._words:
            return True
        kept = self._texts.get(record.id)
        if kept is None or kept[0] is not record:
            kept = self._texts[record.id] = record, searched(record)
        return all((f"{word} " if word[-1].isdecimal() else word) in kept[1] for word in self._words)

    def lessThan(self, left: Index, right: Index) -> bool:
        first, second = (self.runs.chip(index.row()).record for index in (left, right))
        one, other = self._places.get(first.id, -first.number), self._places.get(second.id, -second.number)
        return one < other if self.sortOrder() == Qt.SortOrder.AscendingOrder else one > other


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
