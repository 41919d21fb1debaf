"""Whose code may be imported: a module that an environment's id names is asked for once, and the answer remembered."""

from __future__ import annotations

import sys

from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

from app.models.remembered import strings

_KEY = "modules"


def module_of(id: str) -> str:
    """The module that ``module:Id`` names; empty where the id names none."""
    return id.rpartition(":")[0]


class ImportConsent:
    """A person's answers, by module, kept in ``settings``."""

    def __init__(self, settings: QSettings) -> None:
        self._settings = settings

    def answer(self, id: str) -> bool | None:
        """Whether looking ``id`` up may import what it names; None where nobody has said yet.

        What needs no import, or is a module that this program itself has imported, runs nothing new. Others are only
        ever imported in processes apart, and so are never taken for that.
        """
        module = module_of(id)
        if not module or module in sys.modules:
            return True
        return self._answers().get(module)

    def remember(self, module: str, allowed: bool) -> None:
        self._keep(self._answers() | {module: allowed})

    def forget(self, module: str) -> None:
        """Ask again the next time."""
        self._keep({name: allowed for name, allowed in self._answers().items() if name != module})

    def _answers(self) -> dict[str, bool]:
        lines = strings(self._settings, _KEY)
        return {line[1:]: line[0] == "+" for line in lines if line[:1] in ("+", "-")}

    def _keep(self, answers: dict[str, bool]) -> None:
        self._settings.setValue(_KEY, [f"{'+' if allowed else '-'}{name}" for name, allowed in answers.items()])


def question(id: str, parent: QWidget) -> QMessageBox:
    """Asks whether the module that ``id`` names may be imported; accepted when it may."""
    module = module_of(id)
    box = QMessageBox(QApplication.activeWindow() or parent)
    box.setWindowModality(Qt.WindowModality.ApplicationModal)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle("Import a module?")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(f"{id} is defined in the Python module {module}.")
    box.setInformativeText(
        "Importing it runs its code with everything you yourself may do on this computer. Import it only if you know "
        "where it comes from. The answer is remembered for this module."
    )
    box.addButton("Import", QMessageBox.ButtonRole.AcceptRole)
    refuse = box.addButton("Do not import", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(refuse)
    box.setEscapeButton(refuse)
    return box
