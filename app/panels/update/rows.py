"""Numbers of an update as rows with bars: the step in θ by layer and by component, and the tries of a line search."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.style.format import minus, percent, short_number
from app.style.theme import Theme, tabular
from engine.reports.update_events import ComponentChange, LayerChange, LineSearchTry, UpdateStep

_GAP = 6
_BESIDE = 420  # pixels from which on layers and components stand side by side
_LOW = 1.5  # heights of a line for a row, where there is room


class Rows(QWidget):
    """Lines of words and bars, as many as have room."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(60, 40)

    def sizeHint(self) -> QSize:
        return QSize(200, 120)

    def wear(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def _begin(self) -> QPainter:
        painter = QPainter(self)
        painter.setFont(tabular(self.font()))
        return painter

    def _write(self, painter: QPainter, place: QRectF, text: str, *, muted: bool = False, right: bool = False) -> None:
        painter.setPen(QColor(self._theme.muted if muted else self._theme.text))
        align = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(place.width()))
        painter.drawText(place, align | Qt.AlignmentFlag.AlignVCenter, shown)

    def _heading(self, painter: QPainter, place: QRectF, text: str, numbers: str = "") -> None:
        """``text`` over a list, and over its numbers at the right what these are, where there is room for both."""
        font = QFont(painter.font())
        heavy = QFont(font)
        heavy.setBold(True)
        painter.setFont(heavy)
        self._write(painter, place, text)
        left = place.width() - painter.fontMetrics().horizontalAdvance(text) - _GAP
        painter.setFont(font)
        if painter.fontMetrics().horizontalAdvance(numbers) <= left:
            self._write(painter, place, numbers, muted=True, right=True)


class ThetaRows(Rows):
    """The step in θ: how long it was in every layer beside what was there, and the parameters that moved furthest."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._step: UpdateStep | None = None
        self.called: Callable[[ComponentChange], str] = lambda one: one.layer  # names a parameter
        self._names = self._numbers = 0.0  # pixels of the longest name, and of the longest numbers

    def show_step(self, step: UpdateStep | None) -> None:
        self._step = step
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        step = self._step
        painter = self._begin()
        if step is None:
            painter.end()
            return
        metrics = painter.fontMetrics()
        line = metrics.height() + 3.0
        called = [layer.name for layer in step.layers] + [self.called(one) for one in step.largest]
        self._names = max((float(metrics.horizontalAdvance(name)) for name in called), default=0.0) + _GAP
        whole = sum(layer.change**2 for layer in step.layers) ** 0.5
        beside = self.width() >= self._theme.px(_BESIDE)
        width = self.width() / 2 - _GAP if beside else float(self.width())
        top_line = QRectF(0, 0, width, line)
        self._heading(painter, top_line, f"step in θ: ‖Δθ‖ = {short_number(whole)}", "‖Δ‖ (of ‖θ‖)")
        y = line
        rows = min(len(step.layers), int((self.height() - y) / line))
        if not beside:
            rows = min(rows, max(int(self.height() / line) - 4, 2))
        layers, components = [*map(_layer_numbers, step.layers)], [*map(_component_numbers, step.largest)]
        numbers = "before, change"
        self._numbers = float(metrics.horizontalAdvance("−0.00000 +0.00000 "))  # so that bars do not jump
        if self._names + self._numbers > width:  # none of which names have room beside, however
            self._numbers = _widest(metrics, layers, components)
        if self._names + self._numbers > width:  # a name tells more than what was there before
            layers, components = ([words.split()[at] for words in of] for of, at in ((layers, 0), (components, 1)))
            numbers, self._numbers = "change", _widest(metrics, layers, components)
        for layer, words in zip(step.layers[:rows], layers, strict=False):
            self._bar(painter, QRectF(0, y, width, line), layer.name, layer.change / max(whole, 1e-300), words)
            y += line
        left, top = (width + 2 * _GAP, 0.0) if beside else (0.0, y)
        if self.height() - top < 2 * line:
            painter.end()
            return
        self._heading(painter, QRectF(left, top, width, line), "moved furthest", numbers)
        largest = max((abs(one.change) for one in step.largest), default=1.0)
        shown = step.largest[: max(int((self.height() - top) / line) - 1, 0)]
        for number, (one, words) in enumerate(zip(shown, components, strict=False), 1):
            place = QRectF(left, top + number * line, width, line)
            self._bar(painter, place, self.called(one), one.change / max(largest, 1e-300), words)
        painter.end()

    def _bar(self, painter: QPainter, place: QRectF, name: str, share: float, words: str) -> None:
        """A bar of ``share`` of its room, hatched where that is negative, between a name and its numbers."""
        numbers = self._numbers
        names = min(self._names, max(place.width() - numbers, 0.0))
        self._write(painter, QRectF(place.left(), place.top(), names - 4, place.height()), name, muted=True)
        room = place.width() - names - numbers - _GAP
        if room > 8:
            bar = QRectF(place.left() + names, place.top() + 3, max(abs(share) * room, 1.0), place.height() - 7)
            colour = QColor(self._theme.positive if share >= 0 else self._theme.negative)
            painter.fillRect(bar, colour)
            if share < 0:
                painter.fillRect(bar, self._stripes())
        right = QRectF(place.right() - numbers, place.top(), numbers, place.height())
        self._write(painter, right, words, right=True)

    def _stripes(self) -> QColor:
        striped = QColor(self._theme.surface)
        striped.setAlphaF(0.25)
        return striped


def _widest(metrics: QFontMetrics, *lists: Sequence[str]) -> float:
    """Pixels for the longest of their words, and a gap."""
    return max((float(metrics.horizontalAdvance(words)) for of in lists for words in of), default=0.0) + _GAP


def _layer_numbers(layer: LayerChange) -> str:
    """How long the step was in it, and that as a share of what was there."""
    relative = f"  ({percent(layer.change / layer.before)})" if layer.before > 0 else ""
    return f"{short_number(layer.change)}{relative}"


def _component_numbers(one: ComponentChange) -> str:
    """What it was before, and the change."""
    sign = "+" if one.change >= 0 else ""
    return f"{minus(f'{one.before:.3g}')} {minus(f'{sign}{one.change:.2g}')}"


class TryRows(Rows):
    """Every share of the step that a line search tried: its divergence against the bound, and what it gained."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._tries: Sequence[LineSearchTry] = ()

    def show_tries(self, tries: Sequence[LineSearchTry]) -> None:
        self._tries = tuple(tries)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = self._begin()
        metrics, width = painter.fontMetrics(), float(self.width())
        line = metrics.height() + 4.0
        self._heading(painter, QRectF(0, 0, width, line), "line search")
        shown = self._tries[-max(int(self.height() / line) - 2, 1) :]
        if not shown:
            painter.end()
            return
        share = float(metrics.horizontalAdvance("0.000 × s "))
        gain = float(metrics.horizontalAdvance("−0.00000 "))
        verdict = float(metrics.horizontalAdvance("✗ "))
        limit = shown[0].kl_limit
        room = max(width - share - gain - verdict - 2 * _GAP, 20.0)
        most = max(limit, max(one.kl for one in self._tries)) * 1.1
        scale = room / most if most > 0 else 1.0
        bound = share + limit * scale
        top = QRectF(share, line, room, line)
        self._write(painter, QRectF(0, line, share, line), "try", muted=True)
        self._write(painter, top, f"KL ≤ {short_number(limit)}", muted=True)
        self._write(painter, QRectF(share + room + _GAP, line, gain, line), "gain", muted=True)
        for number, one in enumerate(shown, 2):
            y = number * line
            self._write(painter, QRectF(0, y, share, line), f"{short_number(one.fraction, 3)} × s")
            fits = one.kl <= one.kl_limit
            colour = QColor(self._theme.threshold if fits else self._theme.negative)
            painter.fillRect(QRectF(share, y + 3, min(max(one.kl * scale, 1.0), room), line - 7), colour)
            x = share + room + _GAP
            sign = "+" if one.gain > 0 else ""
            self._write(painter, QRectF(x, y, gain, line), minus(f"{sign}{one.gain:.2g}"))
            self._write(painter, QRectF(x + gain, y, verdict, line), "✓" if one.accepted else "✗")
        painter.setPen(QColor(self._theme.error))
        painter.drawLine(int(bound), int(2 * line), int(bound), int((len(shown) + 2) * line))
        painter.end()
