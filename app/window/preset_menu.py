"""The menu of presets: those that ship, by the family of their environment, and a person's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QAction, QDesktopServices
from PySide6.QtWidgets import QMenu, QWidget

from app.models.run_state import STOP_AND_CHANGE
from app.session.choice_loader import ChoiceLoader
from app.style.text import plain_tip
from app.window.preset_files import PresetFiles
from engine.catalogue.environments import ENVIRONMENTS, FAMILIES, missing_extra
from engine.catalogue.methods.bugs import marked
from engine.config import own_presets
from engine.config.presets import MEASURED, Preset, default, shipped
from engine.runtime.errors import RequestError


class PresetMenu(QMenu):
    """The default first, then a submenu for each family, then the person's own, which are read when it opens. Every
    preset has its summary as tooltip, and beside it what it was measured to do."""

    def __init__(self, loader: ChoiceLoader, files: PresetFiles, actions: dict[str, QAction], window: QWidget) -> None:
        super().__init__("Preset", window)
        self.setToolTipsVisible(True)
        self._loader, self._files = loader, files
        self._picks: list[QAction] = []  # what cannot be had while a run is active
        self._own: list[QAction] = []
        self._locked = False
        self._before = self.addSeparator()
        for name in ("load_preset", "save_preset"):
            self.addAction(actions[name])
        self._picks.append(actions["load_preset"])
        self.stop_action = self.addAction(STOP_AND_CHANGE)
        self.stop_action.triggered.connect(actions["stop"].trigger)
        self.yours = QMenu("Yours", self)
        self.yours.setToolTipsVisible(True)
        self._remove = QMenu("Remove one", self)
        self._filled = False
        self.aboutToShow.connect(self._read)

    def _fill(self) -> None:
        """Show what ships, which is read only now: the window shows sooner without it."""
        self._add(self, default())
        self.insertSeparator(self._before)
        presets = shipped().values()
        for family in FAMILIES.values():
            found = _by_environment([preset for preset in presets if _family(preset) == family.name])
            if found:
                menu = QMenu(family.title, self)
                menu.setToolTipsVisible(True)
                self.insertMenu(self._before, menu)
            for before, preset in zip([None, *found], found, strict=False):
                if before and before.config.environment.id != preset.config.environment.id:
                    menu.addSeparator()
                self._add(menu, preset)
        self.insertSeparator(self._before)
        self.insertMenu(self._before, self.yours)

    def set_locked(self, locked: bool) -> None:
        """While a run is active the choice can be saved, but not replaced."""
        self._locked = locked
        self.stop_action.setVisible(locked)
        for action in (*self._picks, *self._own):
            action.setEnabled(not locked)

    def _add(self, menu: QMenu, preset: Preset) -> None:
        action = QAction("\t".join(filter(None, (preset.title, preset.measured))), menu)
        if menu is self:
            menu.insertAction(self._before, action)
        else:
            menu.addAction(action)
        missing = missing_extra(_family(preset))
        story = "\n".join(filter(None, (preset.summary, MEASURED if preset.measured else "")))
        action.setToolTip(f"{missing.title} is not installed: {missing.command}" if missing else story)
        if missing:
            action.setEnabled(False)
        else:
            action.triggered.connect(lambda: self._loader.load(preset))
            self._picks.append(action)

    def _read(self) -> None:
        """Show what the folder of the person's own holds now."""
        if not self._filled:
            self._filled = True
            self._fill()
        self.yours.clear()
        self._own = []
        found = own_presets.own()
        for path, content in found.items():
            title = own_presets.shown_title(path, content)
            mark = marked(content.config) if isinstance(content, Preset) else ""
            action = self.yours.addAction(" ".join(filter(None, (title.replace("&", "&&"), mark))))
            if isinstance(content, RequestError):
                action.setEnabled(False)
                action.setToolTip(plain_tip(str(content)))
            else:
                action.setToolTip(plain_tip(content.summary or path.name))
                action.triggered.connect(lambda _checked=False, preset=content: self._loader.load(preset))
                self._own.append(action)
        if not found:
            none = self.yours.addAction("None yet: Save preset… keeps the present settings here")
            none.setEnabled(False)
        self.yours.addSeparator()
        self._remove.clear()
        self._remove.setEnabled(bool(found))
        self.yours.addMenu(self._remove)
        for path, content in found.items():
            title = own_presets.shown_title(path, content)
            action = self._remove.addAction(f"{title.replace('&', '&&')}…")
            action.triggered.connect(lambda _checked=False, path=path: self._files.remove(path))
        self.yours.addAction("Open their folder").triggered.connect(self._open_folder)
        self.set_locked(self._locked)

    def _open_folder(self) -> None:
        try:
            folder: Path = own_presets.made_folder()
        except RequestError as error:
            self._files.notice.emit("error", str(error))
            return
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self._files.notice.emit("info", f"Your presets are the files in {folder}.")


def _by_environment(found: Sequence[Preset]) -> list[Preset]:
    """Those of one environment beside each other, whatever they learn by."""
    ids = list(dict.fromkeys(preset.config.environment.id for preset in found))
    return sorted(found, key=lambda preset: ids.index(preset.config.environment.id))


def _family(preset: Preset) -> str:
    info = ENVIRONMENTS.get(preset.config.environment.id)
    return info.family if info else ""
