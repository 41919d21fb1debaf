"""Asking where a file is to go."""

from __future__ import annotations

import os.path
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget


def file_to_save(parent: QWidget, title: str, proposed: str, kind: str) -> Path | None:
    """The file that a person names, with the ending of its ``kind``, "Presets (*.toml)"; None where they name none."""
    chosen, _ = QFileDialog.getSaveFileName(parent, title, proposed, kind)
    ending = kind.rpartition("*")[2].rstrip(")")
    if not chosen or chosen.endswith(ending):
        return Path(chosen) if chosen else None
    path = Path(f"{chosen}{ending}")  # of which the dialog of files knew nothing, and so has not asked
    return path if not os.path.exists(path) or _may_replace(parent, path) else None


def _may_replace(parent: QWidget, path: Path) -> bool:
    question = f"{path.name} is there already. Replace it?"
    answer = QMessageBox.question(parent, "Replace the file?", question)
    return answer == QMessageBox.StandardButton.Yes
