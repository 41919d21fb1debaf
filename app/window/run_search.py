"""Runs that are found by a search, in the order that a person wants."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import QObject, Qt, Signal

from app.models.run_names import method_title
from app.models.run_tree import Branch, as_tree
from app.session.run_library import RunLibrary
from app.window.run_list import COLUMNS, Chip, Index, RunList, state_of
from engine.catalogue.environments import ENVIRONMENTS
from engine.runs.records import RunRecord
from engine.runtime.errors import RequestError

_WORDS = re.compile(r"(?:run|seed) \d+|\S+")  # of a search: a number goes with what it is one of


class FoundRuns(RunList):
    """Those runs in which every word of a search is found, in the order of a column. By their numbers they stand as a
    tree: a fork right under the run that it comes from, where that is among them.

    Runs are found and put in order here, and not by a proxy of Qt's, which asks thousands of times which of two comes
    first.

    Signals:
        renewed: what is there or found is another than before, or something of it; whether other runs are there.
    """

    renewed = Signal(bool)

    def __init__(self, library: RunLibrary, parent: QObject | None = None) -> None:
        super().__init__(library, parent)
        self._all: list[Chip] = []
        self._instead: list[Chip] | None = None
        self._words: tuple[str, ...] = ()
        self._texts: dict[str, tuple[RunRecord, str]] = {}  # by run what it was found by, of the record as it was
        self._column, self._last_first = 0, True
        self._rails: dict[str, tuple[bool, ...]] = {}

    def show(self, chips: Sequence[Chip]) -> None:
        """Find those of these; they are all runs from now on."""
        if self._all == list(chips):
            return
        others = {chip.record.id for chip in self._all} != {chip.record.id for chip in chips}
        self._all = list(chips)
        if self._instead is None:
            self._find()
        self.renewed.emit(others)

    def show_instead(self, chips: Sequence[Chip] | None) -> None:
        """Find those of these, for as long as they are shown in place of all runs; None ends that."""
        self._instead = None if chips is None else list(chips)
        self._find()
        self.renewed.emit(False)

    @property
    def count(self) -> int:
        """How many there are, found or not."""
        return len(self._there)

    @property
    def _there(self) -> list[Chip]:
        return self._all if self._instead is None else self._instead

    def rails(self, index: Index) -> tuple[bool, ...]:
        """As those of a ``Branch``, where the runs stand as a tree."""
        return self._rails.get(self.chip(index.row()).record.id, ())

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        wanted = max(column, 0), order == Qt.SortOrder.DescendingOrder
        if wanted != (self._column, self._last_first):
            self._column, self._last_first = wanted
            self._find()

    def search(self, text: str) -> None:
        self._words = tuple(_WORDS.findall(text.casefold()))
        self._find()
        self.renewed.emit(False)

    def _find(self) -> None:
        """Hold those that are found, each in its place."""
        found = {chip.record.id: chip for chip in self._there if self._holds(chip.record)}
        ordered = sorted((chip.record for chip in found.values()), key=lambda record: record.number, reverse=True)
        ordered.sort(key=COLUMNS[self._column].key, reverse=self._last_first)
        branches = as_tree(ordered) if self._column == 0 else [Branch(record) for record in ordered]
        before, self._rails = self._rails, {branch.record.id: branch.rails for branch in branches if branch.rails}
        super().show([found[branch.record.id] for branch in branches])
        if self._rails != before and found:
            self.tell_of(0, len(found) - 1)

    def _holds(self, record: RunRecord) -> bool:
        """Whether every word is found in what is said of a run."""
        if not self._words:
            return True
        kept = self._texts.get(record.id)
        if kept is None or kept[0] is not record:
            kept = self._texts[record.id] = record, searched(record)
        return all((f"{word} " if word[-1].isdecimal() else word) in kept[1] for word in self._words)


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
