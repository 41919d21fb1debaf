"""The equations of two runs beside each other, in which the terms that differ are outlined."""

from __future__ import annotations

from difflib import SequenceMatcher

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.compare.compared import Compared, ComparedRun
from app.compare.pair import PairChoice
from app.compare.shown_terms import Shown, taken_apart, terms_of
from app.models.runs import Difference, differences, within_a_sentence
from app.panels.experiment.equation.equation_view import OUTLINED, EquationView, Outlined
from app.style.text import as_surface, muted
from app.style.theme import Theme
from engine.catalogue.configured import changed, described
from engine.catalogue.methods.entries import CHOICES
from engine.config import RunConfig
from engine.equations import Line, equation
from engine.runtime.errors import RequestError

EMPTY = "Tick two runs to see their equations beside each other."
ALIKE = "Both have the same equation; what differs between them is in the table."
_WRITTEN = "The equations are being written…"
SAME = "Both have the same choice; there is nothing that differs between them."
_DIFFERS = "Outlined is what one has otherwise than the other."
_MOST = 3  # that a sentence names


class Equations(QWidget):
    """Of the two runs that are chosen.

    Signals:
    beside_changed: the paths of what differs between the two and has no term in their equations.
    """

    beside_changed = Signal(object)

    def __init__(self, theme: Theme, compared: Compared) -> None:
        super().__init__()
        as_surface(self)
        self.choice = PairChoice(compared)
        self.pair = EquationPair(theme)
        self._sentence = muted(EMPTY)
        self._told = EMPTY
        self._sentence.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.unit, theme.unit, theme.unit, theme.unit)
        layout.addWidget(self.choice)
        layout.addWidget(self._sentence)
        self._scroll = QScrollArea()
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setAccessibleName("Equations of both runs")
        self._scroll.setWidget(self.pair)
        for view in self.pair.views:
            view.height_changed.connect(self._say)
        layout.addWidget(self._scroll, 1)
        self.choice.changed.connect(self.refresh)
        self.apply_theme(theme)
        self.refresh()

    def refresh(self) -> None:
        pair = self.choice.pair
        said, beside = (EMPTY, ()) if pair is None else self.pair.show_configs(*map(_config, pair))
        self._told = said
        self.beside_changed.emit(beside)
        self._scroll.setVisible(pair is not None)
        self._say()

    def _say(self) -> None:
        """Say what is to be said of them, and before they can be seen, that they are to come."""
        seen = self.choice.pair is None or all(view.shows_something for view in self.pair.views if view.lines)
        self._sentence.setText(self._told if seen else _WRITTEN)

    def apply_theme(self, theme: Theme) -> None:
        self.choice.apply_theme(theme)
        self.pair.apply_theme(theme)


class EquationPair(QWidget):
    """Two equations, each as large as its half allows."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.views = EquationView(theme, OUTLINED), EquationView(theme, OUTLINED)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3 * theme.unit)
        for view in self.views:
            layout.addWidget(view, 1)
            view.height_changed.connect(self._fit)

    def show_configs(self, one: RunConfig | None, other: RunConfig | None) -> tuple[str, tuple[str, ...]]:
        """Show their equations; what is to be said of them, and the paths of what differs but has no term in them."""
        different = differences(one, other) if one is not None and other is not None else []
        numbers = {each.path: each for each in different if each.path not in CHOICES}
        shown = {path: Shown(path, each.symbol) for path, each in numbers.items()}
        known = list(shown.values())
        plain = _equation(one), _equation(other)
        lines = taken_apart(plain[0], known), taken_apart(plain[1], known)
        outlined = differing(*lines)
        for view, each, terms in zip(self.views, lines, outlined, strict=True):
            view.show_equation(each)
            view.outline(terms | terms_of(each, known))
        if not all(lines):
            said = "The equation of one of them cannot be written here; what differs between them is in the table."
            return said, tuple(numbers)
        beside = tuple(path for path in numbers if not any(terms_of(each, [shown[path]]) for each in lines))
        some = any(outlined) or len(beside) < len(numbers)
        return _said(some, [numbers[path] for path in beside], bool(different)), beside

    def apply_theme(self, theme: Theme) -> None:
        for view in self.views:
            view.apply_theme(theme)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Be as tall as the taller one, which is scrolled where there is less room."""
        around = self.parentWidget()
        room = around.height() if around is not None else self.height()
        for view in self.views:
            view.set_room(QSize(max(view.width(), 1), max(room, 1)), 0)
        self.setMinimumHeight(max(view.height_in_use for view in self.views))


def _said(some_outlined: bool, beside: list[Difference], differ: bool) -> str:
    if not differ:
        return SAME
    if not beside:
        return _DIFFERS if some_outlined else ALIKE
    names = [within_a_sentence(each.title) for each in beside[:_MOST]] + (["more"] if len(beside) > _MOST else [])
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    other = f"The equation has no term for {listed}; the table shows what differs, in bold."
    return f"{_DIFFERS} {other}" if some_outlined else f"Both have the same equation. {other}"


def differing(one: tuple[Line, ...], other: tuple[Line, ...]) -> tuple[Outlined, Outlined]:
    """The terms of each that the other lacks, as lines and the numbers of terms in them."""
    flat = [[(line, number) for line in lines for number in range(len(line))] for lines in (one, other)]
    terms = [[line[number] for line, number in each] for each in flat]
    blocks = SequenceMatcher(None, terms[0], terms[1], autojunk=False).get_matching_blocks()
    alike = [{block[side] + offset for block in blocks for offset in range(block.size)} for side in (0, 1)]
    found = [
        frozenset(at for index, at in enumerate(each) if index not in shared)
        for each, shared in zip(flat, alike, strict=True)
    ]
    return found[0], found[1]


def _config(run: ComparedRun) -> RunConfig | None:
    try:
        return run.record.config_now
    except RequestError:
        return None


def _equation(config: RunConfig | None) -> tuple[Line, ...]:
    """That of a configuration; nothing where its environment has to be looked at to be known."""
    if config is None:
        return ()
    try:
        plain = described(config.environment)
        return () if plain is None else equation(config, changed(plain, config.environment))
    except RequestError:
        return ()
