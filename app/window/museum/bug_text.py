"""What is said of a bug, as rich text: what is wrong, the right line and the wrong one, and what is seen of it."""

from __future__ import annotations

from html import escape

from engine.catalogue.methods.bugs import Bug


def capitalised(title: str) -> str:
    """Of Greek letters and formulas there are no capitals."""
    return title[:1].upper() + title[1:] if title[:2].isascii() else title


def told(bug: Bug) -> str:
    """All of it, as a page."""
    return "".join(
        [
            f"<h3>{escape(capitalised(bug.title))}</h3>",
            f"<p>{escape(bug.wrong)}</p>",
            f"<p>Right:<br>{_line(bug.right_line)}</p>",
            f"<p>Wrong:<br>{_line(bug.wrong_line)}</p>",
            f"<p><b>What is seen.</b> {escape(bug.seen)}</p>",
            f"<p><small>{escape(bug.source)}.</small></p>",
        ]
    )


def _line(code: str) -> str:
    return f"<code>{escape(code).replace(' ', '&nbsp;')}</code>"
