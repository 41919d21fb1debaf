"""What the policy of one run gains over that of another, or over an earlier one of its own: J(π′) − J(π), where the
process is known."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.compare.compared import Compared
from app.compare.pair import PairChoice
from app.compare.share_cells import ShareCells
from app.compare.state_bars import StateBars
from app.session.file_work import FileWork
from app.style.combo import Combo
from app.style.format import short_number
from app.style.text import Stage, as_surface, muted
from app.style.theme import Theme, tabular
from engine.runs.records import ALIVE

if TYPE_CHECKING:  # with torch
    from pathlib import Path

    from engine.analysis.policy_difference import PolicyDifference
    from engine.analysis.state_grids import StateGrid

EMPTY = "Tick one run or two, and what the policy of one gains over the other stands here, where the rules are known."
_WAITS = "J of both policies is being computed…"
_UNEXPECTED = "What one policy gains over the other could not be computed"
_SELDOM = 3000  # ms, from one look at what a run that trains has learned to the next
_NEWEST = "newest"


class Told(NamedTuple):
    """A number of the instrument: its name, what it is called in the engine, and what it means."""

    title: str
    name: str
    help: str


NUMBERS = (
    Told("J(π′) − J(π)", "difference", "By how much the expected discounted return of the new policy is larger."),
    Told(
        "lemma: Σ d′(s) Ā(s)",
        "lemma",
        "The performance difference lemma: the mean advantage Ā(s) = Σ π′(a|s) A(s, a) of the new policy's actions "
        "over the old policy, summed over the states that the new policy visits. It is the difference itself.",
    ),
    Told(
        "surrogate: Σ d(s) Ā(s)",
        "surrogate",
        "The same sum over the states that the old policy visits, which is all that its episodes tell. What TRPO and "
        "PPO climb.",
    ),
    Told(
        "surely at least",
        "guaranteed",
        "The surrogate, less by how much it can be wrong at the most where the policy has moved as far as it has.",
    ),
    Told(
        "worst-case advantage: min Ā(s)",
        "worst_gain",
        "In no state do the new policy's actions lose more than this against the old policy.",
    ),
    Told(
        "at the very worst",
        "worst_case",
        "The difference if every step were taken in that state: the worst-case advantage, times the number of "
        "discounted steps.",
    ),
    Told("J(π)", "old_return", "The expected discounted return of the old policy."),
    Told("J(π′)", "new_return", "The expected discounted return of the new policy."),
)


class Found(NamedTuple):
    """What came of a look into the library: the difference, the iterations that are kept of the two runs, and the cells
    of their environment, None where it has none."""

    difference: PolicyDifference
    kept: tuple[tuple[int, ...], tuple[int, ...]]
    grid: StateGrid | None


class Difference(QWidget):
    """Of the newest policies of two runs, or of the newest of one run and its first, or of any that are chosen.

    Attributes:
        looked_at: the iteration at which the window looks back at a run, by its id; None where it shows it as it is.
    """

    def __init__(self, theme: Theme, compared: Compared) -> None:
        super().__init__()
        as_surface(self)
        self._theme, self._compared = theme, compared
        self.looked_at: Callable[[str], int | None] = lambda _run: None
        self.iterations = Combo(), Combo()
        self.choice = PairChoice(compared, tuple(zip(("π", "π′"), self.iterations, strict=True)))
        self.work = FileWork(self, "differences", _UNEXPECTED)
        self.sentence = QLabel()
        self.sentence.setWordWrap(True)
        self.sentence.setProperty("role", "heading")
        self.numbers = {told.name: QLabel() for told in NUMBERS}
        self.units = muted()
        self.units.setWordWrap(True)
        self.bars, self.cells = StateBars(theme), ShareCells(theme)
        self.view = Combo()
        self.view.setAccessibleName("How the states are shown")
        self.view.addItems(["by cell", "by state, the largest first"])
        self.view.activated.connect(self._show_view)
        self._has_cells = False
        self._stage = Stage(EMPTY, self._arranged(theme))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.unit, theme.unit, theme.unit, theme.unit)
        layout.addWidget(self.choice)
        layout.addWidget(self._stage, 1)
        self._again = QTimer(self, singleShot=True, interval=_SELDOM)
        self._again.timeout.connect(self._ask)
        self._asked, self._pair = 0, ("", "")
        self._stale = True
        for box, words in zip(self.iterations, ("old", "new"), strict=True):
            box.setAccessibleName(f"Iteration of the {words} policy")
            box.setToolTip(f"Which of the policies that are kept of this run is the {words} one")
            box.addItem(_NEWEST, None)
            box.activated.connect(lambda _index: self._ask())
        self.choice.changed.connect(self._choose)
        self.work.failed.connect(self._say)
        compared.follow(self._follow)
        self.apply_theme(theme)
        self._choose()

    def _arranged(self, theme: Theme) -> QWidget:
        """The sentence above; the numbers beneath at the left, the picture at the right."""
        table = QWidget()
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 0, theme.unit, 0)
        grid.setHorizontalSpacing(2 * theme.unit)
        grid.setVerticalSpacing(theme.unit // 4)
        for row, told in enumerate(NUMBERS):
            title, number = muted(told.title), self.numbers[told.name]
            number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            number.setFont(tabular(number.font()))
            number.setAccessibleName(told.title)
            for column, label in enumerate((title, number)):
                label.setToolTip(told.help)
                grid.addWidget(label, row, column)
        grid.addWidget(self.units, len(NUMBERS), 0, 1, 2)
        grid.setRowStretch(len(NUMBERS) + 1, 1)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setAccessibleName("The numbers of the difference")
        scroll.setWidget(table)
        self._scroll, self._table = scroll, table
        whole = QWidget()
        layout = QVBoxLayout(whole)
        layout.setContentsMargins(0, 0, 0, 0)
        head = QHBoxLayout()
        head.addWidget(self.sentence, 1)
        head.addWidget(self.view)
        layout.addLayout(head)
        beside = QHBoxLayout()
        beside.addWidget(scroll)
        picture = QVBoxLayout()
        picture.addWidget(self.bars, 1)
        picture.addWidget(self.cells, 1)
        beside.addLayout(picture, 1)
        layout.addLayout(beside, 1)
        return whole

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.choice.apply_theme(theme)
        self.bars.apply_theme(theme)
        self.cells.apply_theme(theme)
        self._fit()

    def _fit(self) -> None:
        """The numbers are as wide as they are written."""
        bar = self._scroll.verticalScrollBar().sizeHint().width()
        self._scroll.setFixedWidth(self._table.minimumSizeHint().width() + bar)

    # --- which policies -----------------------------------------------------------------------------------------------

    def _choose(self) -> None:
        """Other runs: their newest policies, or of one run its newest and the one before that is of most interest."""
        pair = self.choice.pair
        ids = ("", "") if pair is None else (pair[0].id, pair[1].id)
        if ids != self._pair:
            self._pair = ids
            for box in self.iterations:
                box.clear()
                box.addItem(_NEWEST, None)
            if ids[0] and ids[0] == ids[1]:
                self._offer(0, (0,), self.looked_at(ids[0]) or 0)
        self._ask()

    def _offer(self, side: int, kept: tuple[int, ...], chosen: int | None) -> None:
        """Offer what is kept of a run; ``chosen`` is one of them, None the newest."""
        box = self.iterations[side]
        known = [box.itemData(index) for index in range(box.count())]
        wanted = [*dict.fromkeys((*kept, *((chosen,) if chosen is not None else ())))]
        if known != [None, *sorted(wanted)]:
            box.clear()
            box.addItem(_NEWEST, None)
            for iteration in sorted(wanted):
                box.addItem(f"iteration {iteration:,}", iteration)
        box.setCurrentIndex(max(box.findData(chosen), 0) if chosen is not None else 0)

    def _follow(self) -> None:
        """Runs have told more."""
        pair = self.choice.pair
        if pair is not None and any(run.record.status in ALIVE for run in pair) and not self._again.isActive():
            self._again.start()

    # --- what comes of it ---------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        """Have it computed, where anyone can see it."""
        self._stale = not self.isVisible()
        self._asked += 1
        pair = self.choice.pair
        if pair is None:
            self._say(EMPTY)
        elif not self._stale:
            if not self._stage.filled:
                self._stage.set_hint(_WAITS)
            chosen = tuple(box.currentData() for box in self.iterations)
            both = (pair[0].id, chosen[0]), (pair[1].id, chosen[1])
            self.work.ask(partial(_look, self._compared.library.folder, both), partial(self._show, self._asked))

    def _show(self, asked: int, found: Found) -> None:
        if asked != self._asked:
            return
        for side, kept in enumerate(found.kept):
            self._offer(side, kept, self.iterations[side].currentData())
        told = found.difference
        self.sentence.setText(told.sentence)
        for name, label in self.numbers.items():
            value = getattr(told.numbers, name)
            label.setText("none" if value == float("-inf") else short_number(value, 4))
        self.numbers["worst_gain"].setToolTip(f"In {told.worst}")
        other = "" if told.other_gamma is None else f" of the old policy's run; the new one's is {told.other_gamma:g}"
        self.units.setText(f"All in units of reward, discounted by γ = {told.gamma:g}{other}.")
        self.bars.show_states(told.states)
        self._has_cells = ShareCells.fits(found.grid)
        if found.grid is not None and self._has_cells:
            self.cells.show_states(told.states, found.grid)
        self._show_view()
        self._fit()
        self._stage.fill(True)

    def _show_view(self) -> None:
        """The states as cells or as bars, where there is a choice."""
        by_cell = self._has_cells and self.view.currentIndex() == 0
        self.view.setVisible(self._has_cells)
        self.cells.setVisible(by_cell)
        self.bars.setVisible(not by_cell)

    def _say(self, sentence: str) -> None:
        """Why nothing is shown."""
        self._stage.set_hint(sentence)
        self._stage.fill(False)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        looked_at = self.looked_at(self._pair[0])
        if self._pair[0] and looked_at is not None:
            self._offer(0, tuple(self._kept(0)), looked_at)
            self._stale = True
        if self._stale:
            self._ask()

    def _kept(self, side: int) -> list[int]:
        box = self.iterations[side]
        return [box.itemData(index) for index in range(1, box.count())]

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._again.stop()


def _look(folder: Path, both: tuple[tuple[str, int | None], tuple[str, int | None]]) -> Found:
    """Compute it from what the library has; on a thread of its own."""
    from engine.analysis.state_grids import state_grid
    from engine.runs.library import Library
    from engine.runs.policy_differences import difference_between

    with Library(folder) as library:
        old, new = ((library.run(run), iteration) for run, iteration in both)
        kept = [tuple(iteration for iteration, _, _ in library.snapshots(run)) for run, _ in both]
        grid = state_grid(old[0].config_now.environment)
        return Found(difference_between(library, old, new), (kept[0], kept[1]), grid)
