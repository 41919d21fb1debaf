"""Opening files and texts that hold settings or runs, writing runs out, and the present settings as a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMenu

from app.models.run_state import ACTIVE
from app.session.choice_loader import ChoiceLoader
from app.session.file_work import FileWork
from app.session.run_controller import RunController
from app.session.run_library import RunLibrary
from app.style.files import file_to_save
from app.style.text import plain_tip
from app.window.invitation import DropWindow, contents
from app.window.run_shelf import RunShelf
from engine.config import RunConfig
from engine.config.presets import Preset
from engine.config.shared_text import to_text
from engine.runs.records import RunRecord
from engine.runtime.errors import RequestError, RunError

if TYPE_CHECKING:  # with sqlite3, which the window's first picture does not wait for
    from engine.runs.copying import Taken
    from engine.runs.exports.export import Export

_STOP_FIRST = "While a run trains its settings stay; stop the run, then open “{}” again."


@dataclass(frozen=True)
class _Opened:
    """What has come of opening: settings, runs that came into the library, and why something could not be opened."""

    presets: list[Preset]
    taken: list[Taken]
    refused: list[str]


@dataclass(frozen=True)
class RunNamed:
    """A run of the library, and what a file of it is called after."""

    id: str
    number: int
    environment: str


class RunFiles(QObject):
    """Does the reading and writing on a thread of its own."""

    def __init__(
        self,
        controller: RunController,
        loader: ChoiceLoader,
        library: RunLibrary,
        shelf: RunShelf,
        window: DropWindow,
    ) -> None:
        super().__init__(window)
        self._controller, self._loader, self._window = controller, loader, window
        self._library, self._shelf = library, shelf
        self.work = FileWork(self)
        self.work.failed.connect(lambda sentence: self._tell("error", sentence))
        self.export_menu = QMenu("Export run as", window)
        self.export_menu.setToolTipsVisible(True)
        self.export_menu.aboutToShow.connect(self._fill)
        window.dropped.connect(self.open)
        shelf.exports_asked.connect(self._offer)
        library.recordings.told.connect(self._tell)

    def answer(self, actions: dict[str, QAction]) -> None:
        """Do what these are for when they are chosen."""
        actions["open_file"].triggered.connect(self.ask_for_file)
        actions["open_runs"].triggered.connect(self.ask_for_folder)
        actions["paste"].triggered.connect(self.paste)
        actions["copy_text"].triggered.connect(self.copy_text)

    # --- in -----------------------------------------------------------------------------------------------------------

    def open(self, what: Sequence[Path | str]) -> None:
        """Choose the settings that files or a text hold, and take the runs of others into the library."""
        if what:
            self.work.ask(lambda: _opened(what, self._library.folder), self._take)

    def ask_for_file(self) -> None:
        """Open the files that a person picks."""
        paths, _ = QFileDialog.getOpenFileNames(self._window, "Open settings or runs")
        self.open([Path(path) for path in paths])

    def ask_for_folder(self) -> None:
        """Open the folder of a run or of a library that a person picks."""
        path = QFileDialog.getExistingDirectory(self._window, "Open the folder of a run or of a library")
        self.open([Path(path)] if path else [])

    def paste(self) -> None:
        """Open what was copied elsewhere."""
        found = contents(QGuiApplication.clipboard().mimeData())
        if found:
            self.open(found)
        else:
            self._tell("warning", "There is nothing to paste; copy a configuration's text or a file first.")

    def _take(self, opened: _Opened) -> None:
        for sentence in opened.refused:
            self._tell("error", sentence)
        for taken in opened.taken:
            self._tell("warning" if taken.failed or taken.recordings.failed else "info", taken.sentence)
        self._show(opened.taken)
        if len(opened.presets) > 1:
            titles = ", ".join(f"“{preset.title}”" for preset in opened.presets)
            self._tell("warning", f"Only one choice of settings can hold; open one of {titles} alone.")
        elif opened.presets and self._controller.state in ACTIVE:
            self._tell("warning", _STOP_FIRST.format(opened.presets[0].title))
        elif opened.presets:
            self._loader.load(opened.presets[0])

    def _show(self, taken: list[Taken]) -> None:
        """Show the runs that came: one by itself, several in the list of all."""
        self._library.take_in([id for each in taken for id in each.added])
        self._library.recordings.take_in([id for each in taken for id in each.recordings.added])
        found = [id for each in taken for id in (*each.added, *each.there)]
        if len(found) == 1:
            self._shelf.open(found[0])
        elif found:
            self._shelf.list_asked.emit(found)

    # --- out ----------------------------------------------------------------------------------------------------------

    def copy_text(self) -> None:
        """Put the present settings on the clipboard, as a text that can be pasted into another window."""
        self._copy("all settings", self._loader.experiment.config)

    def _copy(self, what: str, config: RunConfig) -> None:
        text = to_text(config)
        QGuiApplication.clipboard().setText(text)
        self._tell("info", f"Copied {what} as a text of {len(text)} characters; paste it into another window.")

    def _copy_of(self, run: RunRecord) -> None:
        """The same of a run's settings, as they are now."""
        try:
            self._copy(f"the settings of run {run.number}", run.config_now)
        except RequestError as error:
            self._tell("error", str(error))

    def export(self, run: RunNamed, export: Export) -> None:
        """Write a run out to where a person wants it."""
        path = self._place(run, export)
        if path is None:
            return

        def write() -> str:
            return _written(self._library.folder, run.id, export.name, path)

        self._tell("info", f"Writing run {run.number} to {path.name} …")
        self.work.ask(write, lambda sentence: self._tell("info", sentence))

    def fill_exports(self, menu: QMenu, run: RunNamed) -> None:
        """Put all forms in which a run can be written out into ``menu``."""
        from engine.runs.exports.registry import EXPORTS

        for export in EXPORTS.values():
            action = menu.addAction(f"{export.title}…")
            action.setToolTip(plain_tip(f"{export.missing}." if export.missing else export.summary))
            action.setEnabled(not export.missing)
            action.triggered.connect(lambda _checked=False, export=export: self.export(run, export))

    def _offer(self, menu: QMenu, run: RunRecord) -> None:
        menu.setToolTipsVisible(True)
        self.fill_exports(menu, RunNamed(run.id, run.number, run.environment))
        menu.addSeparator()
        menu.addAction("Copy configuration as text").triggered.connect(lambda: self._copy_of(run))

    def _fill(self) -> None:
        """Offer what the run that is shown can be written out as."""
        self.export_menu.clear()
        shown = self._controller.shown
        if shown is not None:
            run = RunNamed(shown.run.id, shown.run.number, shown.run.environment.id)
            self.fill_exports(self.export_menu, run)
        else:
            self.export_menu.addAction("No run is shown").setEnabled(False)

    def _place(self, run: RunNamed, export: Export) -> Path | None:
        """Where a person wants a run; None where they want it no more."""
        from engine.runs.exports.registry import proposed_name

        proposed = str(Path.home() / proposed_name(run.number, run.environment, export))
        if not export.ending:  # a folder, whose name is asked for as that of a file is
            path, _ = QFileDialog.getSaveFileName(self._window, export.title, proposed, "Folder (*)")
            return Path(path) if path else None
        return file_to_save(self._window, export.title, proposed, f"{export.title} (*{export.ending})")

    def _tell(self, level: str, sentence: str) -> None:
        self._loader.notice.emit(level, sentence)


def _opened(what: Sequence[Path | str], folder: Path) -> _Opened:
    from engine.runs.imports import recognised
    from engine.runs.library import Library

    opened = _Opened([], [], [])
    for each in what:
        try:
            found = recognised(each)
            if isinstance(found, Preset):
                opened.presets.append(found)
            else:
                with Library(folder) as target:
                    opened.taken.append(found.take(target))
        except (RequestError, RunError) as error:
            opened.refused.append(str(error))
    return opened


def _written(folder: Path, run: str, form: str, path: Path) -> str:
    from engine.runs.exports.export import Source
    from engine.runs.exports.registry import write
    from engine.runs.library import Library

    with Library(folder) as library:
        return write(Source(library, library.run(run)), form, path)
