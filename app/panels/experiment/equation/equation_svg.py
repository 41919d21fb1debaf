"""LaTeX lines as SVG, with each term in the colour of the choice it stands for."""

from __future__ import annotations

from functools import lru_cache

from app.style.theme import Theme
from engine.equations import Line, Part

# Stand-ins for the colours, so that a change of theme need not set the equation anew.
_STAND_INS: dict[Part, str] = {
    "": "#010101",
    "policy": "#010102",
    "credit": "#010103",
    "baseline": "#010104",
    "update": "#010105",
}
_SIZE = 14.0


@lru_cache(maxsize=1024)
def _svg(line: Line) -> str:
    # Imported late: the window is shown before the first equation is set.
    import ziamath
    from ziamath.tex import tex2mml

    ziamath.config.svg2 = False  # QtSvg draws SVG 1
    latex = "".join(rf"\textcolor{{{_STAND_INS[term.part]}}}{{{term.latex}}}" for term in line)
    markup = tex2mml(latex)
    # ziamath stretches every hat over its letter and sets ∇ like a binary operator.
    markup = markup.replace("<mo>&#x00302;</mo>", '<mo stretchy="false">&#710;</mo>')
    markup = markup.replace("<mo>&#x02207;</mo>", '<mi mathvariant="normal">&#x02207;</mi>')
    return ziamath.Math(markup, size=_SIZE).svg()


def svg_of(line: Line, theme: Theme) -> bytes:
    """The line as an SVG picture in the theme's colours."""
    text = _svg(line)
    for part, stand_in in _STAND_INS.items():
        text = text.replace(stand_in, getattr(theme, part or "text"))
    return text.encode()
