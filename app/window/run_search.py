"""Runs that are found by a search, in the order that a person wants."""

from __future__ import annotations

import re

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt

from app.models.run_names import method_title
from app.window.run_list import RUN_ROLE, SORT_ROLE, STATUS_WORDS, RunList
from engine.catalogue.environments import ENVIRONMENTS
from engine.runs.records import RunRecord
from engine.runtime.errors import RequestError

_WORDS = re.compile(r"(?:run|seed) \d+|\S+")  # of a search: a number goes with what it is one of


class FoundRuns(QSortFilterProxyModel):
    """Those of a list in which every word of a search is found."""

    def __init__(self, runs: RunList) -> None:
        super().__init__(runs)
        self.runs = runs
        self._words: tuple[str, ...] = ()
        self.setSourceModel(runs)
        self.setSortRole(SORT_ROLE)
        self.sort(0, Qt.SortOrder.DescendingOrder)

    def show(self, runs: RunList) -> None:
        """Find those of another list."""
        self.runs = runs
        self.setSourceModel(runs)

    def search(self, text: str) -> None:
        self.beginFilterChange()
        self._words = tuple(_WORDS.findall(text.casefold()))
        self.endFilterChange()

    def filterAcceptsRow(self, row: int, parent: QModelIndex | QPersistentModelIndex) -> bool:
        if not self._words:
            return True
        chip = self.runs.index(row, 0).data(RUN_ROLE)
        text = searched(chip.record)
        return all((f"{word} " if word[-1].isdecimal() else word) in text for word in self._words)


def searched(record: RunRecord) -> str:
    """All that a run is found by, in small letters."""
    label, where = record.label, record.environment
    words = [f"run {record.number}", label.title, label.note, *label.tags, where, STATUS_WORDS[record.status]]
    words += [f"seed {record.seed}", ENVIRONMENTS[where].title if where in ENVIRONMENTS else ""]
    words += ["solved" if record.reached.solved else "", "pinned" if label.pinned else ""]
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
