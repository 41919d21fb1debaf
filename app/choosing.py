"""Presets and environments that a person asks for, some of which have to be looked at before they can be had."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.models.experiment import Experiment
from app.training_thread import TrainingThread
from engine import presets
from engine.catalogue import ENVIRONMENTS, EnvironmentInfo
from engine.errors import RequestError
from engine.presets import Preset

_FILES = "Presets (*.toml)"


class Choosing(QObject):
    """Looks up what is not in the catalogue in the training thread. Only the latest wish counts: an answer to an
    earlier one, or one that comes after the choice has changed otherwise, is ignored.

    Signals:
        notice: level and sentence for the person.
        refused: why an environment cannot be had.
        taken: what a preset says has replaced the whole choice.
        titled: the preset's title, and whether the choice has moved on from it.
    """

    notice = Signal(str, str)
    refused = Signal(str)
    taken = Signal()
    titled = Signal(str, bool)

    def __init__(self, experiment: Experiment, training: TrainingThread, window: QWidget) -> None:
        super().__init__(window)
        self._experiment, self._training, self._window = experiment, training, window
        self._preset: Preset | None = None  # the one last taken
        self._awaited: tuple[str, Preset | None] | None = None
        experiment.changed.connect(self._on_change)
        training.inspected.connect(self._take_answer)
        training.refused.connect(self._take_refusal)

    @property
    def awaited(self) -> str | None:
        """The id of an environment that is being looked at."""
        return self._awaited[0] if self._awaited else None

    def look_up(self, id: str) -> None:
        """Choose an environment by its id, once it has been looked at."""
        self._await(id, None)

    def load(self, preset: Preset, environment: EnvironmentInfo | None = None) -> None:
        """Choose what a preset says, once its environment is known."""
        id = preset.config.environment.id
        known = environment or ENVIRONMENTS.get(id)
        if known is None:
            self._await(id, preset)
        else:
            self._take(preset, known)

    def load_file(self, path: Path) -> None:
        try:
            self.load(presets.load(path))
        except RequestError as error:
            self.notice.emit("error", str(error))

    def save_file(self, path: Path) -> None:
        try:
            presets.save(Preset(title=path.stem[:80], config=self._experiment.config), path)
        except RequestError as error:
            self.notice.emit("error", str(error))
        else:
            self.notice.emit("info", f"Saved the choices as {path.name}.")

    def ask_for_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self._window, "Load a preset", "", _FILES)
        if path:
            self.load_file(Path(path))

    def ask_where_to_save(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self._window, "Save as a preset", "my-preset.toml", _FILES)
        if path:
            self.save_file(Path(path if path.endswith(".toml") else f"{path}.toml"))

    def _await(self, id: str, preset: Preset | None) -> None:
        self._awaited = id, preset
        self._training.ask("inspect", id)

    def _take_answer(self, environment: EnvironmentInfo) -> None:
        if self.awaited != environment.id:
            return
        assert self._awaited is not None
        _, preset = self._awaited
        self._awaited = None
        if preset is None:
            self._experiment.pick_environment(environment)
        else:
            self._take(preset, environment)

    def _take_refusal(self, id: str, sentence: str) -> None:
        if self.awaited == id:
            self._awaited = None
            self.refused.emit(sentence)
            self.notice.emit("error", sentence)

    def _take(self, preset: Preset, environment: EnvironmentInfo) -> None:
        self._preset = preset
        self._awaited = None
        self._experiment.set_config(preset.config, environment)
        self._on_change()
        self.taken.emit()
        self.notice.emit("info", f"Took the preset {preset.title}.")

    def _on_change(self) -> None:
        self._awaited = None
        if self._preset is not None:
            self.titled.emit(self._preset.title, self._experiment.config != self._preset.config)
