"""Where the pieces of an equation stand: pure functions over what is drawn of its lines.

Lengths are those of the letters' own size; whoever draws multiplies them by a scale.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from app.panels.experiment.equation.equation_svg import Glyph
from engine.equations import Line, Part

GAP = 12.0  # between rows, with room for the marks of the parts
_INDENT = 24.0  # of what goes on from the row before
_BESIDE = 18.0  # between lines that share a row
_SHORTEST_MARK = 10.0
SMALLEST = 0.75  # scale at which letters can still be read
_SPARED = 5  # steps of the scale that an unbroken line is worth
_SCALES = tuple(1.0 - 0.025 * step for step in range(11))


@dataclass(frozen=True)
class Piece:
    """Terms of one line that stand on one row."""

    line: Line
    glyphs: tuple[Glyph, ...]

    @cached_property
    def left(self) -> float:
        return min(glyph.left for glyph in self.glyphs)

    @cached_property
    def width(self) -> float:
        return max(glyph.right for glyph in self.glyphs) - self.left

    @cached_property
    def top(self) -> float:
        return min(glyph.top for glyph in self.glyphs)

    @cached_property
    def bottom(self) -> float:
        return max(glyph.bottom for glyph in self.glyphs)

    def marks(self) -> list[tuple[Part, float, float]]:
        """What stands for a choice, with its beginning and its end from the piece's beginning; where a choice comes
        again as a mere bracket or comma, it is not marked again."""
        found: list[tuple[Part, float, float]] = []
        for glyph in sorted(self.glyphs, key=lambda glyph: glyph.left):
            part = self.line[glyph.term].part
            start, end = glyph.left - self.left, glyph.right - self.left
            if found and found[-1][0] == part:
                found[-1] = (part, found[-1][1], max(found[-1][2], end))
            else:
                found.append((part, start, end))
        long = [mark for mark in found if mark[2] - mark[1] >= _SHORTEST_MARK]
        told = {part for part, _, _ in long}
        return [mark for mark in found if mark[0] and (mark in long or mark[0] not in told)]


@dataclass(frozen=True)
class Row:
    """Pieces on one base line, each with its distance from the left."""

    pieces: tuple[tuple[float, Piece], ...]

    @property
    def width(self) -> float:
        x, last = self.pieces[-1]
        return x + last.width

    @property
    def above(self) -> float:
        """The height above the base line."""
        return -min(piece.top for _, piece in self.pieces)

    @property
    def height(self) -> float:
        return self.above + max(piece.bottom for _, piece in self.pieces)


Drawn = Sequence[tuple[Line, tuple[Glyph, ...]]]


def height_of(rows: Sequence[Row]) -> float:
    return sum(row.height + GAP for row in rows)


def fitted(drawn: Drawn, width: float, height: float) -> tuple[list[Row], float]:
    """The lines in rows, and their scale: as large as they can be to have room, short lines side by side where that
    helps; as small as they can still be read where there is no room even so."""
    rows, scale = lay_out(drawn, width, beside=False), 1.0
    if height_of(rows) > height:
        tried = [(lay_out(drawn, width / scale, beside=True), scale) for scale in _SCALES]
        first = next((at for at, (rows, scale) in enumerate(tried) if height_of(rows) * scale <= height), -1)
        # A little smaller is better than with a line broken.
        rows, scale = min(tried[first:][:_SPARED], key=lambda found: sum(map(_goes_on, found[0])))
    return rows, min(scale, width / max((row.width for row in rows), default=width))


def _goes_on(row: Row) -> bool:
    """Whether a row goes on with the line of the row before."""
    return row.pieces[0][0] > 0.0


def lay_out(drawn: Drawn, width: float, *, beside: bool) -> list[Row]:
    """Each line on as few rows as the width allows; ``beside`` lets lines that need no second row share one."""
    rows: list[Row] = []
    shared = False  # whether what stands on the last row may have company
    for line, glyphs in drawn:
        pieces = list(_pieces(line, glyphs, width))
        whole = len(pieces) == 1
        if beside and shared and whole and rows[-1].width + _BESIDE + pieces[0].width <= width:
            rows[-1] = Row((*rows[-1].pieces, (rows[-1].width + _BESIDE, pieces[0])))
        else:
            rows.extend(Row(((_INDENT if count else 0.0, piece),)) for count, piece in enumerate(pieces))
            shared = whole
    return rows


def _pieces(line: Line, glyphs: Sequence[Glyph], width: float) -> Iterator[Piece]:
    """The line, broken where it is wider than ``width``; a single term is not broken."""
    first, indent = 0, 0.0
    while first < len(line):
        for count in _breaks(line[first:]):
            piece = Piece(line, tuple(glyph for glyph in glyphs if first <= glyph.term < first + count))
            if not piece.glyphs or indent + piece.width <= width:
                break
        if piece.glyphs:
            yield piece
        first, indent = first + count, _INDENT


def _breaks(line: Line) -> list[int]:
    """How many terms may stand on one row, most first: none begins with what closes a bracket."""
    return [
        count
        for count in range(len(line), 0, -1)
        if count == len(line) or not line[count].latex.lstrip("\\, ").startswith((")", "]"))
    ]
