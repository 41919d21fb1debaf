"""What the symbols of the equation mean, in words."""

from __future__ import annotations

from collections.abc import Iterable

from engine.equations import SYMBOLS, Line


def glossary(lines: Iterable[Line]) -> str:
    """The symbols that occur in ``lines`` with their meanings, as a rich-text table."""
    latex = " ".join(term.latex for line in lines for term in line)
    found = dict.fromkeys((symbol.written, symbol.meaning) for symbol in SYMBOLS if symbol.occurs(latex))
    rows = (
        f"<tr><td style='padding-right:8px; white-space:nowrap'><i>{symbol}</i></td><td>{meaning}</td></tr>"
        for symbol, meaning in found
    )
    return f"<table>{''.join(rows)}</table>"
