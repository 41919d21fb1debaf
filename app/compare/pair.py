"""Which two of the runs that are compared stand beside each other."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.compare.compared import Compared, ComparedRun
from app.plotting.run_sign import RunSign
from app.style.combo import Combo
from app.style.text import muted
from app.style.theme import Theme


class PairChoice(QWidget):
    """Signals:
    changed: it is another pair.

    Args:
        beside: what each is called, and what stands beside it and chooses something of it; then a run may be paired
            with itself, as one that is ticked alone is.
    """

    changed = Signal()

    def __init__(self, compared: Compared, beside: Sequence[tuple[str, QWidget]] = ()) -> None:
        super().__init__()
        self._doubled = False  # the only run there is stands at both sides
        self._compared, self._least = compared, 1 if beside else 2
        self._theme: Theme | None = None
        self._ids: tuple[str, ...] = ()
        self.boxes = Combo(), Combo()
        self.signs = RunSign(), RunSign()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for number, (sign, box, side) in enumerate(zip(self.signs, self.boxes, ("left", "right"), strict=True)):
            box.setAccessibleName(f"Run at the {side}")
            if beside:
                layout.addWidget(muted(beside[number][0]))
            layout.addWidget(sign)
            layout.addWidget(box, 2)
            if beside:
                layout.addWidget(beside[number][1], 1)
            box.currentIndexChanged.connect(lambda _index: self._tell())
        compared.follow(self._offer)
        self._offer()

    @property
    def pair(self) -> tuple[ComparedRun, ComparedRun] | None:
        """The two; None where there are not as many."""
        runs = {run.id: run for run in self._compared.runs}
        one, other = (runs.get(box.currentData()) for box in self.boxes)
        return None if one is None or other is None or len(runs) < self._least else (one, other)

    def _offer(self) -> None:
        """Offer the runs there are; what was chosen stays where it is still there, else it is the first of the first
        two settings, or of one setting the first two."""
        runs, before = self._compared.runs, [box.currentData() for box in self.boxes]
        ids = [run.id for run in runs]
        numbers, first = {run.id: run.record.number for run in runs}, {group.id for group in self._compared.groups}
        free = [id for id in ids if id not in before]
        if self._least == 1:  # the earlier one first, from which the later one differs
            free.sort(key=lambda id: numbers[id])
        free.sort(key=lambda id: id not in first)  # two settings before two seeds of one
        wanted: list[str | None] = [id if id in ids else (free.pop(0) if free else None) for id in before]
        if self._doubled and free:
            wanted[1] = free.pop(0)
        self._doubled = self._least == 1 and len(ids) == 1
        if self._doubled:
            wanted = [ids[0], ids[0]]
        for box, id in zip(self.boxes, wanted, strict=True):
            box.blockSignals(True)
            box.clear()
            for run in runs:
                box.addItem(run.title, run.id)
            box.setCurrentIndex(ids.index(id) if id is not None else -1)
            box.blockSignals(False)
        self._tell()

    def _tell(self) -> None:
        ids = tuple(str(box.currentData()) for box in self.boxes)
        self._show_signs()
        if ids != self._ids:
            self._ids = ids
            self.changed.emit()

    def _show_signs(self) -> None:
        if self._theme is not None:
            pair = self.pair
            for index, sign in enumerate(self.signs):
                sign.show_style(None if pair is None else self._compared.style(pair[index]), self._theme)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._show_signs()
