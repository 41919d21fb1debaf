"""What an experiment starts from: what Train has, a preset, a ready experiment, or a file."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QPushButton, QSizePolicy

from app.style.text import plain_tip
from engine.catalogue.environments import ENVIRONMENTS, FAMILIES, missing_extra
from engine.config import own_presets
from engine.config.presets import Preset, shipped
from engine.runs.sweeps import files


class StartButton(QPushButton):
    """Signals:
    train_asked: start from what is chosen in the Train mode.
    preset_asked: from this Preset.
    sweep_asked: be this Sweep, which is ready.
    file_asked: from a file that is still to be chosen.
    """

    train_asked = Signal()
    preset_asked = Signal(object)
    sweep_asked = Signal(object)
    file_asked = Signal()

    def __init__(self) -> None:
        super().__init__("Start from…")
        self.setToolTip("What all runs have in common, or a whole experiment")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.source = QMenu(self)
        self.source.setToolTipsVisible(True)
        self.setMenu(self.source)
        self.source.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """What there is now: a person's presets are files, which come and go."""
        self.source.clear()
        self.source.addAction("What Train has now").triggered.connect(lambda: self.train_asked.emit())
        self._add_ready()
        self._add_presets()
        self.source.addSeparator()
        self.source.addAction("A file…").triggered.connect(lambda: self.file_asked.emit())

    def _add_ready(self) -> None:
        menu = self.source.addMenu("A ready experiment")
        menu.setToolTipsVisible(True)
        for sweep in files.shipped().values():
            action = menu.addAction(sweep.title.replace("&", "&&"))
            action.setToolTip(plain_tip(sweep.shows))
            action.triggered.connect(lambda _checked=False, sweep=sweep: self.sweep_asked.emit(sweep))

    def _add_presets(self) -> None:
        menu = self.source.addMenu("A preset")
        menu.setToolTipsVisible(True)
        for family in FAMILIES.values():
            found = [preset for preset in shipped().values() if _family(preset) == family.name]
            if found and missing_extra(family.name) is None:
                of_family = menu.addMenu(family.title)
                of_family.setToolTipsVisible(True)
                for preset in found:
                    self._add(of_family, preset)
        own = [content for content in own_presets.own().values() if isinstance(content, Preset)]
        if own:
            menu.addSeparator()
            for preset in own:
                self._add(menu, preset)

    def _add(self, menu: QMenu, preset: Preset) -> None:
        action = menu.addAction(preset.title.replace("&", "&&"))
        action.setToolTip(plain_tip(preset.summary))
        action.triggered.connect(lambda _checked=False: self.preset_asked.emit(preset))


def _family(preset: Preset) -> str:
    info = ENVIRONMENTS.get(preset.config.environment.id)
    return info.family if info else ""
