"""The recordings of the library: looked at step by step, trimmed, named, merged, given away and taken in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QDeadlineTimer, QItemSelectionModel, QPoint, Qt
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from app.models.experiment import Experiment
from app.models.past import Past
from app.models.recordings import called, found
from app.panels.play.export_menu import fill_exports
from app.panels.play.recording_dialogs import DatasetDialog, LabelDialog, RecordDialog, RunChoice, new_name
from app.panels.play.recording_rows import RecordingRows, RecordingTable
from app.panels.play.recording_view import EMPTY, SEVERAL, RecordingView
from app.session.import_consent import ImportConsent
from app.session.replay_thread import ReplayThread
from app.session.run_library import RunLibrary
from app.style.combo import Combo
from app.style.sentence import Sentence
from app.style.text import search_field
from app.style.theme import Theme
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.shipped_teaching import DATASETS
from engine.catalogue.spaces import Space
from engine.runs.recording_records import RecordingRecord
from engine.runtime.errors import RunError

if TYPE_CHECKING:  # with torch
    from engine.analysis.policy_recording import Progress, Wanted

_MANY = 6  # recordings, from which on they are searched
_MOST_RUNS = 200  # that are offered to be recorded
_NOTHING_YET = "There is no recording yet. Every episode that you play is one, and a run's policy can be recorded."
_NOT_FOUND = "No recording has these words in its name, its tags or its note."
_NOTHING_HERE = "There is no recording in this environment yet; look among all, or play one."


class RecordingsList(QWidget):
    """Shows the recordings in the environment that is chosen, or all of them."""

    def __init__(
        self, theme: Theme, experiment: Experiment, library: RunLibrary, past: Past, consent: ImportConsent
    ) -> None:
        super().__init__()
        self._theme, self._experiment, self._library, self._past = theme, experiment, library, past
        self._consent = consent
        self.recordings = library.recordings
        self.rows = RecordingRows()
        self.table = RecordingTable(self.rows)
        self.view = RecordingView(theme, ReplayThread(library.folder))
        self.which_box = Combo()
        self.which_box.setAccessibleName("Which recordings are listed")
        self.which_box.addItems(["This environment", "All environments"])
        self.record_button = self._button("Record a policy…", "Record episodes that a run's policy plays")
        self.import_button = self._button("Open…", "Take recordings from files into the library")
        self.dataset_button = self._menu_button("Into dataset", "Merge what is selected into a dataset, to learn from")
        self.export_button = self._menu_button("Export", "Write what is selected to a file that others can read")
        self.label_button = self._button("Name…", "Its name, tags and a note (F2)")
        self.delete_button = self._button("Delete", "Put it aside; it can be undone (Del)")
        self.search = search_field("Search: name, tag, note, by whom …", "Search the recordings")
        self.status = Sentence()
        self.hint = Sentence()
        self._splitter = QSplitter(Qt.Orientation.Vertical)
        self._menu: QMenu | None = None
        self._arrange()
        self._wire()
        self.apply_theme(theme)

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setProperty("small", True)
        button.setToolTip(tip)
        return button

    def _menu_button(self, text: str, tip: str) -> QPushButton:
        button = self._button(text, tip)
        menu = QMenu(button)
        menu.setToolTipsVisible(True)
        button.setMenu(menu)
        return button

    def _arrange(self) -> None:
        unit = self._theme.unit
        above, below = QWidget(), QWidget()
        top, actions, labels = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        for line in (top, actions, labels):
            line.setSpacing(unit // 2)
        top.addWidget(self.which_box, 1)
        top.addWidget(self.record_button)
        top.addWidget(self.import_button)
        for button in (self.dataset_button, self.export_button, self.label_button, self.delete_button):
            actions.addWidget(button)
        actions.addStretch(1)
        upper = QVBoxLayout(above)
        upper.addLayout(top)
        upper.addWidget(self.search)
        upper.addWidget(self.status)
        upper.addWidget(self.hint)
        upper.addWidget(self.table, 1)
        upper.addLayout(actions)
        lower = QVBoxLayout(below)
        lower.addWidget(self.view, 1)
        for column in (upper, lower):
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(unit // 2)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.setHandleWidth(unit)
        self._splitter.addWidget(above)
        self._splitter.addWidget(below)
        self._splitter.setStretchFactor(1, 1)
        self._splitter.setSizes([200, 300])
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._splitter)
        self.status.hide()

    def _wire(self) -> None:
        recordings = self.recordings
        recordings.changed.connect(self.refresh)
        recordings.came.connect(self.select)
        recordings.progressed.connect(self._show_progress)
        recordings.recording_changed.connect(self._follow_recording)
        self._experiment.changed.connect(self.refresh)
        self.which_box.activated.connect(self.refresh)
        self.search.textChanged.connect(self.refresh)
        self.table.selectionModel().selectionChanged.connect(self._select)
        self.table.stepped.connect(self.view.step)
        self.table.deleted.connect(self.delete)
        self.table.renamed.connect(self.ask_for_label)
        self.table.customContextMenuRequested.connect(self._open_menu)
        self.view.trimmed.connect(recordings.trim)
        self.record_button.clicked.connect(self.ask_for_policy)
        self.import_button.clicked.connect(self.ask_for_files)
        self.label_button.clicked.connect(self.ask_for_label)
        self.delete_button.clicked.connect(self.delete)
        for button, fill in ((self.dataset_button, self.fill_datasets), (self.export_button, self.fill_exports)):
            button.menu().aboutToShow.connect(partial(_refill, button.menu(), fill))

    # --- what is listed -----------------------------------------------------------------------------------------------

    @property
    def selected(self) -> list[RecordingRecord]:
        """In the order in which they are listed."""
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return [self.rows.records[row] for row in rows if row < len(self.rows.records)]

    def refresh(self, *_: object) -> None:
        """List what there is, with what is selected still selected."""
        if not self.isVisible():
            return
        here = self.which_box.currentIndex() == 0
        environment = self._experiment.environment.id if here else ""
        records = found(self.recordings.records, environment, self.search.text())
        before = {record.id for record in self.selected}
        self.rows.show(records, self.recordings.datasets)
        if before != {record.id for record in self.selected}:
            self._select_again(before)
        searched = bool(self.search.text().strip())
        self.search.setVisible(searched or len(self.recordings.records) >= _MANY)
        self.hint.setText(_NOT_FOUND if searched else _NOTHING_HERE if self.recordings.records else _NOTHING_YET)
        self.hint.setVisible(not records)
        self.table.setVisible(bool(records))
        self._select()

    def select(self, ids: Sequence[str]) -> None:
        """Select these, as far as they are listed."""
        self.table.clearSelection()
        self._select_again(set(ids))

    def _select_again(self, ids: set[str]) -> None:
        selection = self.table.selectionModel()
        select = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        for row, record in enumerate(self.rows.records):
            if record.id in ids:
                selection.select(self.rows.index(row, 0), select)

    def _select(self, *_: object) -> None:
        selected = self.selected
        for button in (self.dataset_button, self.export_button, self.delete_button):
            button.setEnabled(bool(selected))
        self.label_button.setEnabled(len(selected) == 1)
        if len(selected) != 1:
            self.view.show_none(SEVERAL if selected else EMPTY)
            return
        may_run = self._consent.answer(selected[0].environment_id) is True
        self.view.show_recording(selected[0], self._action_space(selected[0]), may_run)

    def _action_space(self, record: RecordingRecord) -> Space | None:
        chosen = self._experiment.environment
        known = chosen if chosen.id == record.environment_id else ENVIRONMENTS.get(record.environment_id)
        return known.action if known is not None else None

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.recordings.watched = True
        self.recordings.look()
        self.refresh()
        self.view.look_again()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.recordings.watched = False

    # --- what a person does -------------------------------------------------------------------------------------------

    def delete(self) -> None:
        """Put what is selected aside."""
        self.recordings.delete([record.id for record in self.selected])

    def ask_for_label(self) -> None:
        """Ask what the one that is selected is to be called."""
        selected = self.selected
        if len(selected) != 1:
            return
        dialog = LabelDialog(selected[0], self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.recordings.label(selected[0].id, dialog.label))
        dialog.open()

    def ask_for_files(self) -> None:
        """Open the recordings that a person picks."""
        kinds = "Recordings (*.safetensors);;Datasets of Minari's (metadata.json)"
        paths, _ = QFileDialog.getOpenFileNames(self, "Open recordings", "", kinds)
        # Of a dataset of Minari's, which is a folder, the file in it is picked that says what it is.
        self.recordings.open([path.parent if path.name == "metadata.json" else path for path in map(Path, paths)])

    def ask_for_policy(self) -> None:
        """Ask which policy is to be recorded, or stop recording one."""
        if self.recordings.recording:
            self.recordings.stop()
            return
        runs = self._runs()
        if not runs:
            self.recordings.told.emit("warning", "No policy has been kept yet; train a run, and it can be recorded.")
            return
        instant = self._past.shown
        dialog = RecordDialog(runs, None if instant is None else instant.at.iteration, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self._record(dialog))
        dialog.open()

    def _record(self, dialog: RecordDialog) -> None:
        asked = dialog.wanted

        def wanted() -> Wanted:
            from engine.analysis.policy_recording import Wanted

            return Wanted(*asked)

        self.recordings.record_policy(dialog.run, dialog.iteration, wanted, seed=self.recordings.next_seed())

    def _runs(self) -> list[RunChoice]:
        """Those that can be recorded, the one that is shown first, then those in the environment that is chosen."""
        library, here = self._library.library, self._experiment.environment.id
        if library is None:
            return []
        records = self._library.records()
        records.sort(key=lambda record: (record.id != self._past.run, record.environment != here))
        choices = []
        for record in records[:_MOST_RUNS]:
            try:
                kept = {iteration for iteration, _, _ in library.snapshots(record.id)}
                kept |= {checkpoint.iteration for checkpoint in library.checkpoints(record.id)}
            except RunError:  # of which the library has told
                continue
            if kept:
                where = "" if record.environment == here else f" in {record.environment}"
                words = f"run {record.number}: {self._library.name(record)}{where}"
                choices.append(RunChoice(record.id, words, tuple(sorted(kept))))
        return choices

    def _follow_recording(self, recording: bool) -> None:
        self.record_button.setText("Stop recording" if recording else "Record a policy…")
        self.status.setVisible(recording)
        self.status.setText("Recording…" if recording else "")

    def _show_progress(self, progress: Progress) -> None:
        self.status.setText(f"Recording: {progress.kept:,} kept of {progress.played:,} played.")

    # --- menus --------------------------------------------------------------------------------------------------------

    def fill_datasets(self, menu: QMenu) -> None:
        """Offer the datasets that what is selected can be put into, and taken out of."""
        selected = self.selected
        ids = [record.id for record in selected]
        here = {record.environment_id for record in selected}
        for dataset in self.recordings.datasets:
            if {dataset.environment} == here:
                within = set(ids) <= set(dataset.recordings)
                count = f"{dataset.episodes:,} episode{'' if dataset.episodes == 1 else 's'}"
                action = menu.addAction(f"{dataset.name} ({count})".replace("&", "&&"))
                action.setCheckable(True)
                action.setChecked(within)
                action.setToolTip("Take it out of this dataset" if within else "Put it into this dataset")
                do = self.recordings.take_out if within else self.recordings.merge
                action.triggered.connect(partial(_call, do, dataset.name, ids))
        if menu.actions():
            menu.addSeparator()
        menu.addAction("New dataset…").triggered.connect(partial(_call, self._ask_for_dataset, ids))

    def _ask_for_dataset(self, ids: Sequence[str]) -> None:
        stem = self.selected[0].environment_id.rpartition(":")[2].rpartition("-v")[0] or "dataset"
        taken = [*DATASETS, *(dataset.name for dataset in self.recordings.datasets)]
        dialog = DatasetDialog(new_name(stem, taken), taken, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.recordings.merge(dialog.name, ids))
        dialog.open()

    def fill_exports(self, menu: QMenu) -> None:
        """Offer the forms in which what is selected can be written out."""
        selected = self.selected
        if not selected:
            return
        ids = [record.id for record in selected]
        may_run = all(self._consent.answer(record.environment_id) is True for record in selected)
        stem = called(selected).replace(" ", "-") if len(selected) > 1 else selected[0].title
        fill_exports(menu, self, may_run, stem, lambda form, path: self.recordings.export(ids, form, path))

    def _open_menu(self, at: QPoint) -> None:
        """What can be done with what is selected, and with what was deleted."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        selected = self.selected
        if len(selected) == 1:
            menu.addAction("Name, tags, note…").triggered.connect(self.ask_for_label)
        if selected:
            menu.addAction("Delete").triggered.connect(self.delete)
            self.fill_datasets(menu.addMenu("Dataset"))
            self.fill_exports(menu.addMenu("Export"))
        gone = self.recordings.deleted()
        if gone:
            back = menu.addMenu("Bring back")
            for record in gone[:20]:
                action = back.addAction(record.title.replace("&", "&&"))
                action.triggered.connect(partial(_call, self.recordings.restore, [record.id]))
        if menu.actions():
            menu.popup(self.table.viewport().mapToGlobal(at))

    # --- from the window ----------------------------------------------------------------------------------------------

    def end(self) -> None:
        """Begin no work any more."""
        self.recordings.end()
        self.view.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        """Wait until all work has come to its end; whether it has."""
        recordings = self.recordings
        return all([self.view.wait(deadline), recordings.work.wait(deadline), recordings.recorder.wait(deadline)])

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.table.apply_theme(theme)
        self.view.apply_theme(theme)


def _refill(menu: QMenu, fill: Callable[[QMenu], None]) -> None:
    menu.clear()
    fill(menu)


def _call(do: Callable[..., object], *arguments: object) -> None:
    """``do`` with its arguments, whatever a signal adds to them."""
    do(*arguments[: -1 if isinstance(arguments[-1], bool) else None])
