"""What stands at the top of the script: what it is, what it needs (in a block as PEP 723 has it, which tools read), and
the configuration that it was written from, as the text by which the program knows it again without running anything."""

from __future__ import annotations

from collections.abc import Sequence

from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import picked
from engine.config.shared_text import to_text
from engine.runs.exports.script.plan import FAMILIES, Plan

_LONGEST = 112  # columns of the description
_DESCRIPTION = (
    "Everything is here, from top to bottom: settings, networks, environments, advantages, updates, and the run "
    "itself. It draws the same random numbers in the same order as the program does on a CPU, one seed at a time, so "
    "that both tell the same of every iteration, up to rounding; where rounding decides after all which action is "
    "taken, or whether a step is clipped, as it will in a long run, they are from then on two runs of one algorithm."
)


def header(plan: Plan, remarks: Sequence[str]) -> str:
    """The top of the script; ``remarks`` are sentences on what of the run the script does not do."""
    needed = ('"torch"', '"numpy"', f'"{FAMILIES[plan.environment.family]}"')
    paragraphs = [_paragraph(text) for text in (_DESCRIPTION, *remarks)]
    return "\n".join(
        [
            "# /// script",
            '# requires-python = ">=3.11"',
            f"# dependencies = [{', '.join(needed)}]",
            "# ///",
            '"""' + _heading(plan),
            "",
            "\n\n".join(paragraphs),
            "",
            f"    pip install {' '.join(needed)}",
            "    python THIS_FILE [--report FILE.jsonl]",
            '"""',
            "",
            "# The configuration, which the program takes when this file is dropped on its window, or the line pasted:",
            f"# {to_text(plan.config)}",
        ]
    )


def _heading(plan: Plan) -> str:
    entry = picked(plan.config, ALGORITHMS, plan.environment)
    method = entry.title if entry is not None else "A policy gradient"
    return f"{method} on {plan.environment.id}, in plain PyTorch and Gymnasium."


def _paragraph(text: str) -> str:
    """Words in rows, safe inside a docstring."""
    rows, row = [], ""
    for word in text.replace("\\", "/").replace('"', "'").split():
        if row and len(row) + 1 + len(word) > _LONGEST:
            rows.append(row)
            row = word
        else:
            row = f"{row} {word}".strip()
    return "\n".join([*rows, row])
