"""Presets as files: which one to load, where to save, and how one is removed."""

from __future__ import annotations

import os.path
from pathlib import Path

from PySide6.QtCore import QFile, QObject, Signal
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from app.models.experiment import Experiment
from app.models.runs import differences
from app.session.choice_loader import ChoiceLoader
from app.style.files import file_to_save
from app.window.save_dialog import SaveDialog
from engine.config import own_presets
from engine.config.presets import LONGEST_SUMMARY
from engine.runtime.errors import RequestError

_FILES = "Presets (*.toml)"


class PresetFiles(QObject):
    """Asks in the window, from the folder for presets on.

    Signals:
        notice: level and sentence for the person.
    """

    notice = Signal(str, str)

    def __init__(self, experiment: Experiment, loader: ChoiceLoader, window: QWidget) -> None:
        super().__init__(window)
        self._experiment, self._loader, self._window = experiment, loader, window
        self.notice.connect(loader.notice)

    def ask_for_file(self) -> None:
        """Load the preset that a person picks."""
        folder = own_presets.folder()
        start = str(folder) if os.path.isdir(folder) else ""
        path, _ = QFileDialog.getOpenFileName(self._window, "Load a preset", start, _FILES)
        if path:
            self._loader.load_file(Path(path))

    def ask_where_to_save(self) -> None:
        """Keep the present choice under the title that a person gives it."""
        dialog = SaveDialog(*self._words(), self._window)
        dialog.accepted.connect(lambda: self._save(dialog))
        dialog.elsewhere.clicked.connect(lambda: self._save_elsewhere(dialog))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def remove(self, path: Path) -> None:
        """Move a preset's file to the trash, once the person has agreed."""
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("Remove a preset?")
        box.setText(f"Remove the preset {path.name}?")
        box.setInformativeText("Its file goes to the trash, from which it can be taken back.")
        box.addButton("Remove", QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.accepted.connect(lambda: self._remove(path))
        box.finished.connect(box.deleteLater)
        box.open()

    def _remove(self, path: Path) -> None:
        if QFile(str(path)).moveToTrash():
            self.notice.emit("info", f"Moved the preset {path.name} to the trash.")
        else:
            self.notice.emit("error", f"There is no trash for {path.name}; delete its file in {path.parent}.")

    def _words(self) -> tuple[str, str]:
        """Title and summary of the present choice: its own where it is as it was taken, else what it has otherwise."""
        name, preset = self._loader.name, self._loader.preset
        if preset is None or not name.edited:
            return name.title, name.summary if preset else ""
        changes = ", ".join(each.text for each in differences(preset.config, self._experiment.config))
        return f"{name.title}, edited", f"{name.title} with {changes}."[:LONGEST_SUMMARY]

    def _save(self, dialog: SaveDialog) -> None:
        try:
            own_presets.made_folder()
        except RequestError as error:
            self.notice.emit("error", str(error))
        else:
            self._loader.save_file(dialog.path, *dialog.words)

    def _save_elsewhere(self, dialog: SaveDialog) -> None:
        start = str(Path.home() / dialog.path.name)
        path = file_to_save(dialog, "Save as a preset", start, _FILES)
        if path is not None:
            words = dialog.words
            dialog.reject()
            self._loader.save_file(path, *words)
