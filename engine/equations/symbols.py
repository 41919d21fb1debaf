"""What a symbol of the equation means, in words; each file of equations holds those that it writes."""

from __future__ import annotations

import re
from typing import NamedTuple


class Symbol(NamedTuple):
    """What to look for in the LaTeX, as it stands or as a regular expression; the symbol as rich text; its meaning."""

    sign: str
    written: str
    meaning: str
    regex: bool = False

    def occurs(self, latex: str) -> bool:
        return re.search(self.sign, latex) is not None if self.regex else self.sign in latex
