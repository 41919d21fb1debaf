"""LaTeX lines as SVG, with each term in the colour of the choice it stands for.

A line is set once, with a stand-in colour for each of its terms. So what is drawn of a term can be told afterwards: how
wide it is, which of it makes a row where the line is broken, and what colour it has in a theme.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from app.style.theme import Theme
from engine.equations import Line

if TYPE_CHECKING:  # it comes with what sets the equation
    from xml.etree.ElementTree import Element

SIZE = 14.0  # pixels of the letters
_STAND_IN = re.compile(r"#01(\d{2})01")
_PATH, _RECT = '<path d="{}" fill="{}"/>', '<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/>'
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


@dataclass(frozen=True)
class Glyph:
    """One drawn element, of the term that has this number in its line; pixels from the line's beginning and base line,
    downwards."""

    term: int
    svg: str
    left: float
    top: float
    right: float
    bottom: float


@lru_cache(maxsize=1024)
def glyphs_of(line: Line) -> tuple[Glyph, ...]:
    # Imported late: the window is shown before the first equation is set.
    import ziamath
    from ziamath.tex import tex2mml

    ziamath.config.svg2 = False  # QtSvg draws SVG 1
    latex = "".join(rf"\textcolor{{#01{number:02}01}}{{{term.latex}}}" for number, term in enumerate(line))
    markup = tex2mml(latex)
    # ziamath stretches every hat over its letter and sets ∇ like a binary operator.
    markup = markup.replace("<mo>&#x00302;</mo>", '<mo stretchy="false">&#710;</mo>')
    markup = markup.replace("<mo>&#x02207;</mo>", '<mi mathvariant="normal">&#x02207;</mi>')
    drawn = ziamath.Math(markup, size=SIZE).svgxml()
    return tuple(_glyphs(drawn, ""))


def _glyphs(element: Element, fill: str) -> Iterator[Glyph]:
    """Those of an element with all that is in it; ``fill`` is the colour that it takes over."""
    fill = element.get("fill", fill)
    for inner in element:
        yield from _glyphs(inner, fill)
    kind = element.tag.rpartition("}")[2]
    if kind == "rect":
        x, y, width, height = (float(element.get(name, 0)) for name in ("x", "y", "width", "height"))
        yield Glyph(_term(fill), _RECT.format(x, y, width, height, fill), x, y, x + width, y + height)
    elif kind == "path":
        drawing = element.get("d", "")
        numbers = [float(number) for number in _NUMBER.findall(drawing)]
        across, down = numbers[0::2], numbers[1::2]
        path = _PATH.format(drawing, fill)
        yield Glyph(_term(fill), path, min(across), min(down), max(across), max(down))


def _term(fill: str) -> int:
    stand_in = _STAND_IN.fullmatch(fill)
    return int(stand_in[1]) if stand_in else 0


def svg_of(glyphs: Iterable[Glyph], line: Line, box: tuple[float, float, float, float], theme: Theme) -> bytes:
    """What is drawn of a line, as an SVG picture in the theme's colours; ``box`` is left, top, width and height."""

    def coloured(glyph: Glyph) -> str:
        return _STAND_IN.sub(getattr(theme, line[glyph.term].part or "text"), glyph.svg)

    left, top, width, height = box
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{left} {top} {width} {height}" '
    return f'{head}width="{width}" height="{height}">{"".join(map(coloured, glyphs))}</svg>'.encode()
