"""The forms in which recordings and datasets can be written out, as a menu, and where to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from app.style.files import file_to_save
from app.style.text import plain_tip

if TYPE_CHECKING:
    from engine.runs.recording_files import RecordingForm

NOT_IMPORTED = (
    "This needs code from elsewhere, of which you have not said that it may run; choose its environment first."
)


def fill_exports(menu: QMenu, parent: QWidget, may_run: bool, stem: str, write: Callable[[str, Path], object]) -> None:
    """Offer the forms; ``write`` is called with the name of one and the path that a person has chosen, which is
    proposed to be called ``stem``.

    Args:
        may_run: whether the code of the environment may be imported. Minari is told its spaces by itself, for which it
            has to be made.
    """
    from engine.runs.recording_files import FORMS

    for form in FORMS.values():
        why = f"{form.missing}." if form.missing else NOT_IMPORTED if form.extra and not may_run else ""
        action = menu.addAction(f"{form.title}…")
        action.setEnabled(not why)
        action.setToolTip(plain_tip(why))

        def choose(_checked: bool = False, form: RecordingForm = form) -> None:
            path = _asked(parent, form, stem)
            if path is not None:
                write(form.name, path)

        action.triggered.connect(choose)


def _asked(parent: QWidget, form: RecordingForm, stem: str) -> Path | None:
    """Where a person wants a file, or where it has no ending a folder; None where nowhere."""
    name = "".join(sign if sign.isalnum() or sign in "-_. " else "-" for sign in stem)[:60]
    if form.ending:
        proposed = str(Path.home() / f"{name}{form.ending}")
        return file_to_save(parent, form.title, proposed, f"{form.title} (*{form.ending})")
    chosen, _ = QFileDialog.getSaveFileName(parent, form.title, str(Path.home() / f"{name}-v0"), "Folder (*)")
    return Path(chosen) if chosen else None
