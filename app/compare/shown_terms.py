"""Which terms of an equation show a parameter: a learning rate is the α in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from app.panels.experiment.equation.equation_view import Outlined
from engine.equations import Line, Part, Term

# What the LaTeX of a parameter's symbol looks like, by the symbol.
_LETTER = r"(?<![A-Za-z\\]){}(?![A-Za-z_])"
_WRITTEN: dict[str, str] = {
    "α": r"\\alpha(?:_k)?(?![A-Za-z_])",
    "α_λ": r"\\alpha_\{\\lambda\}",
    "β": r"\\beta(?![A-Za-z])",
    "γ": r"\\gamma(?![A-Za-z])",
    "δ": r"\\delta(?![A-Za-z_])",
    "ε": r"\\varepsilon(?:_k)?(?![A-Za-z_])",
    "ε_V": r"\\varepsilon_V",
    "κ₀": r"\\kappa(?![A-Za-z])",
    "κ₁": r"\\kappa(?![A-Za-z])",
    "λ": r"(?<!_\{)\\lambda(?![A-Za-z])",
    "λ₀": r"(?<!_\{)\\lambda(?![A-Za-z])",
    "ξ": r"\\xi(?![A-Za-z])",
    "log σ₀": r"\\sigma(?![A-Za-z])",
    "τ": r"\\tau(?![A-Za-z])",
    "c_V": "c_V",
    "N": r"(?<!\\mathcal\{)" + _LETTER.format("N"),
    "T": _LETTER.format("T"),
    "n": _LETTER.format("n"),
}
_PARTS: dict[str, tuple[Part, ...]] = {  # those that a symbol stands in, which means something else in others
    "update": ("update",),
    "credit": ("credit",),
}


class Shown:
    """Where a parameter at a ``path`` of a configuration, with a ``symbol``, stands in equations."""

    def __init__(self, path: str, symbol: str) -> None:
        written = _WRITTEN.get(symbol)
        self._pattern = re.compile(written) if written else None
        of = "update" if path.startswith("update.") else "credit" if path.startswith("estimator.credit.") else ""
        self._parts = _PARTS.get(of, ())

    def is_in(self, term: Term) -> bool:
        fits = not self._parts or term.part in self._parts
        return fits and self._pattern is not None and self._pattern.search(term.latex) is not None

    def apart(self, term: Term) -> Iterator[Term]:
        """The term in pieces, those that are the symbol by themselves where nothing encloses it."""
        if not self.is_in(term):
            yield term
            return
        assert self._pattern is not None
        end = 0
        for found in self._pattern.finditer(term.latex):
            if _encloses_nothing(term.latex[: found.start()]):
                if term.latex[end : found.start()].strip():
                    yield Term(term.latex[end : found.start()], term.part)
                yield Term(found.group(), term.part)
                end = found.end()
        if term.latex[end:].strip():
            yield Term(term.latex[end:], term.part)


def taken_apart(lines: Sequence[Line], shown: Sequence[Shown]) -> tuple[Line, ...]:
    """``lines`` in which every one that is ``shown`` is a term of its own, as far as that can be."""
    found = tuple(lines)
    for each in shown:
        found = tuple(tuple(piece for term in line for piece in each.apart(term)) for line in found)
    return found


def terms_of(lines: Sequence[Line], shown: Sequence[Shown]) -> Outlined:
    """The terms in which any of these stands."""
    return frozenset(
        (line, number) for line in lines for number, term in enumerate(line) if any(each.is_in(term) for each in shown)
    )


def _encloses_nothing(before: str) -> bool:
    """Whether no brace is open after this much of LaTeX, and what follows is no exponent or index by itself."""
    open_braces = before.count("{") - before.count("}") - before.count(r"\{") + before.count(r"\}")
    return open_braces == 0 and not before.rstrip().endswith(("^", "_"))
