"""Presets and environments that a person asks for, some of which have to be looked at before they can be had, and what
the choice that comes of them goes by.

What is looked at passes one gate: code that an id names is imported only where the person has allowed it.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from app.models.experiment import Experiment
from app.models.offers import ChoiceName, Terms, starting_preset
from app.session.import_consent import ImportConsent, module_of, question
from app.session.lookup_thread import LookupThread
from engine.catalogue.configured import described
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig, presets
from engine.config.environments import EnvironmentConfig
from engine.config.presets import Preset
from engine.runtime.errors import RequestError
from engine.runtime.waiting import LONG


class ChoiceLoader(QObject):
    """Has what is not in the catalogue looked at by ``lookups``. Only the latest wish counts: an answer to an
    earlier one, or one that comes after the choice has changed otherwise, is ignored.

    Signals:
        notice: level and sentence for the person.
        looking: the id of an environment that is being looked at now.
        held_up: that it has not answered for long, and what can be done.
        refused: why an environment cannot be had.
        taken: what a preset says has replaced the whole choice.
        named: what the choice goes by now, as a ``ChoiceName``.
    """

    notice = Signal(str, str)
    looking = Signal(str)
    held_up = Signal(str)
    refused = Signal(str)
    taken = Signal()
    named = Signal(object)

    def __init__(self, experiment: Experiment, lookups: LookupThread, consent: ImportConsent, window: QWidget) -> None:
        super().__init__(window)
        self._consent = consent
        self.experiment, self._lookups, self._window = experiment, lookups, window
        self._preset: Preset | None = None  # the one last taken; None where its environment was left
        self._awaited: tuple[EnvironmentConfig, Terms] | None = None
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

    @property
    def preset(self) -> Preset | None:
        """The one that the choice began with, where it is still in that one's environment."""
        return self._preset

    @property
    def name(self) -> ChoiceName:
        """What the choice goes by."""
        config = self.experiment.config
        if self._preset is None:
            title = f"{self.experiment.plain.title.rpartition(':')[2]}: your settings"
            return ChoiceName(title, "Settings of your own, kept when the environment was changed.")
        return ChoiceName(self._preset.title, self._preset.summary, config != self._preset.config)

    def choose(self, id: str, terms: Terms) -> None:
        """Choose an environment as it comes, once it has been looked at, with the settings that ``terms`` are."""
        if isinstance(terms, Preset):
            self.load(terms)
            return
        plain = self.experiment.environments.get(id)
        if plain is None:
            self._await(EnvironmentConfig(id=id), terms)
        else:
            self._decide(EnvironmentConfig(id=id), plain, terms)

    def look_up(self, environment: EnvironmentConfig) -> None:
        """Go to an environment with the settings there are, once it has been looked at."""
        self._await(environment, "kept")

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
        except RequestError as error:
            self._refuse(str(error))
            return
        if known is None and not environment.options:
            known = self.experiment.environments.get(environment.id)  # looked at before
        if known is None:
            self._await(environment, preset)
        else:
            self._decide(environment, known, preset)

    def put_back(self, config: RunConfig, plain: EnvironmentInfo, preset: Preset | None) -> None:
        """Choose again what was chosen before, which began with ``preset``.

        Raises:
            RequestError: its changes cannot be made to its environment.
        """
        self._preset = preset
        self.experiment.set_config(config, plain)

    def load_file(self, path: Path) -> None:
        try:
            self.load(presets.load(path))
        except RequestError as error:
            self.notice.emit("error", str(error))

    def save_file(self, path: Path, title: str, summary: str) -> None:
        """Keep the present choice as a preset, whose name it then goes by."""
        preset = Preset(title=title, summary=summary, config=self.experiment.config)
        try:
            presets.save(preset, path)
        except RequestError as error:
            self.notice.emit("error", str(error))
        else:
            self._preset = preset
            self.named.emit(self.name)
            self.notice.emit("info", f"Saved the preset {title} as {path.name}.")

    def _await(self, environment: EnvironmentConfig, terms: Terms) -> None:
        self._awaited = environment, terms
        allowed = self._consent.answer(environment.id)
        if allowed or (allowed is False and isinstance(terms, Preset)):
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
        _, terms = self._awaited
        self._awaited = None
        self._decide(environment, plain, terms)

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

    def _decide(self, environment: EnvironmentConfig, plain: EnvironmentInfo, terms: Terms) -> None:
        """Go to an environment that is known, with these settings."""
        preset = starting_preset(plain) if terms == "starting" else None if terms == "kept" else terms
        try:
            if preset is None:
                self.experiment.take_environment(environment, plain)
            else:
                self._take(preset, plain)
        except RequestError as error:
            self._refuse(str(error))

    def _take(self, preset: Preset, plain: EnvironmentInfo) -> None:
        """
        Raises:
            RequestError: its changes cannot be made to its environment.
        """
        before, self._preset = self._preset, preset
        try:
            self.experiment.set_config(preset.config, plain)
        except RequestError:
            self._preset = before
            raise
        self.taken.emit()
        measured = f", which {preset.measured}" if preset.measured else ""
        self.notice.emit("info", f"All settings are those of “{preset.title}”{measured}.")

    def _on_change(self) -> None:
        self.drop()
        if self._preset is not None and self._preset.config.environment.id != self.experiment.plain.id:
            self._preset = None
        self.named.emit(self.name)
