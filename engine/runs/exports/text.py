"""A run's configuration as a text that fits into a link."""

from __future__ import annotations

from pathlib import Path

from engine.config.shared_text import to_text
from engine.runs.exports.export import Export, Source
from engine.runtime.whole_file import write_whole


def write_text(source: Source, path: Path) -> str:
    """One line, which can be pasted into the window."""
    write_whole(path, f"{to_text(source.run.config_now)}\n".encode())
    changed = ", with what was changed in it since," if source.run.changes else ""
    return f"Wrote the configuration of {source.name}{changed} to {path.name}; paste its text into a window."


TEXT = Export(
    "text",
    "Text of its configuration",
    "One short line that fits into a message; pasted into another window it becomes the choice there.",
    ".txt",
    write_text,
)
