"""Presets and environments that a person asks for, some of which have to be looked at before they can be had.

What is looked at passes one gate: code that an id names is imported only where the person has allowed it.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.models.experiment import Experiment
from app.session.import_consent import ImportConsent, module_of, question
from app.session.lookup_thread import LookupThread
from engine.catalogue.configured import described
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import presets
from engine.config.environments import EnvironmentConfig
from engine.config.presets import Preset
from engine.runtime.errors import RequestError
from engine.runtime.waiting import LONG

_FILES = "Presets (*.toml)"


class ChoiceLoader(QObject):
    """Has what is not in the catalogue looked at by ``lookups``. Only the latest wish counts: an answer to an
    earlier one, or one that comes after the choice has changed otherwise, is ignored.

    Signals:
        notice: level and sentence for the person.
        looking: the id of an environment that is being looked at now.
        held_up: that it has not answered for long, and what can be done.
        refused: why an environment cannot be had.
        taken: what a preset says has replaced the whole choice.
        titled: the preset's title, and whether the choice has moved on from it.
    """

    notice = Signal(str, str)
    looking = Signal(str)
    held_up = Signal(str)
    refused = Signal(str)
    taken = Signal()
    titled = Signal(str, bool)

    def __init__(self, experiment: Experiment, lookups: LookupThread, consent: ImportConsent, window: QWidget) -> None:
        super().__init__(window)
        self._consent = consent
        self._experiment, self._lookups, self._window = experiment, lookups, window
        self._preset: Preset | None = None  # the one last taken
        self._awaited: tuple[EnvironmentConfig, Preset | None] | None = None
        experiment.changed.connect(self._on_change)
        experiment.wished.connect(self.look_up)
        lookups.inspected.connect(self._take_answer)
        lookups.refused.connect(self._take_refusal)
        self._long = QTimer(self, singleShot=True, interval=int(1000 * LONG))
        self._long.timeout.connect(self._tell_hold_up)

    @property
    def awaited(self) -> EnvironmentConfig | None:
        """The environment that is being looked at."""
        return self._awaited[0] if self._awaited else None

    def look_up(self, environment: EnvironmentConfig) -> None:
        """Choose an environment, once it has been looked at."""
        self._await(environment, None)

    def drop(self) -> None:
        """What is being looked at is not wanted any more."""
        if self._awaited is not None:
            self._awaited = None
            self._lookups.drop()

    def forget(self, id: str) -> None:
        """Ask again before the module that ``id`` names is imported."""
        self._consent.forget(module_of(id))

    def load(self, preset: Preset, plain: EnvironmentInfo | None = None) -> None:
        """Choose what a preset says, once its environment is known."""
        environment = preset.config.environment
        try:
            known = plain or described(environment)
            if known is None:
                self._await(environment, preset)
            else:
                self._take(preset, known)
        except RequestError as error:
            self.notice.emit("error", str(error))

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

    def _await(self, environment: EnvironmentConfig, preset: Preset | None) -> None:
        self._awaited = environment, preset
        allowed = self._consent.answer(environment.id)
        if allowed or (allowed is False and preset is not None):
            self._go_on(environment, allowed)
        else:  # an id that is typed again after a refusal is asked for again; a file has no such say
            self._lookups.drop()
            self._ask(environment)

    def _ask(self, environment: EnvironmentConfig) -> None:
        def answered(allowed: bool) -> None:
            self._consent.remember(module_of(environment.id), allowed)
            self._go_on(environment, allowed)

        box = question(environment.id, self._window)
        box.accepted.connect(lambda: answered(True))
        box.rejected.connect(lambda: answered(False))
        box.open()

    def _go_on(self, environment: EnvironmentConfig, allowed: bool) -> None:
        if self.awaited != environment:
            return
        if allowed:
            self.looking.emit(environment.id)
            self._lookups.look_up(environment)
            self._long.start()
            return
        self._awaited = None
        self._refuse(
            f"{environment.id} cannot be had, since its module {module_of(environment.id)} may not be imported; type "
            "the id in the gallery to be asked again."
        )

    def _take_answer(self, environment: EnvironmentConfig, plain: EnvironmentInfo) -> None:
        if self.awaited != environment:
            return
        assert self._awaited is not None
        _, preset = self._awaited
        self._awaited = None
        try:
            if preset is None:
                self._experiment.take_environment(environment, plain)
            else:
                self._take(preset, plain)
        except RequestError as error:
            self._refuse(str(error))

    def _take_refusal(self, environment: EnvironmentConfig, sentence: str) -> None:
        if self.awaited == environment:
            self._awaited = None
            self._refuse(sentence)

    def _tell_hold_up(self) -> None:
        """Say that an answer is long in coming, and what can be done."""
        environment = self.awaited
        if environment is None:
            return
        wait = self._lookups.wait_for(environment)
        why = f"{environment.id} has been looked at for {LONG:.0f} s without an answer"
        if wait is not None:
            why += f", and is given up after {wait.limit:g} s"
        elif not self._lookups.isRunning():
            why = f"{environment.id} is looked at once the learning engine is loaded"
        sentence = f"{why}; choose any environment, the present one too, to go on without it."
        self.held_up.emit(sentence)
        self.notice.emit("warning", sentence)

    def _refuse(self, sentence: str) -> None:
        self.refused.emit(sentence)
        self.notice.emit("error", sentence)

    def _take(self, preset: Preset, plain: EnvironmentInfo) -> None:
        self._experiment.set_config(preset.config, plain)
        self._preset = preset
        self._on_change()
        self.taken.emit()
        self.notice.emit("info", f"Took the preset {preset.title}.")

    def _on_change(self) -> None:
        self.drop()
        if self._preset is not None:
            self.titled.emit(self._preset.title, self._experiment.config != self._preset.config)
