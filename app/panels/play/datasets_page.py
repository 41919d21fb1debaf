"""The datasets: what each is of and how often its actions are taken, named, merged, written out and learned from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QItemSelectionModel, QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QSizePolicy, QSplitter, QVBoxLayout, QWidget

from app.models.datasets import COLUMNS, DatasetRow, about, balance, cells, listed, told_of
from app.models.experiment import Experiment
from app.panels.episode.action_drawings import Ink, Row, draw_rows, row_height
from app.panels.play.export_menu import fill_exports
from app.panels.play.recording_dialogs import DatasetDialog, new_name
from app.panels.play.recording_rows import RecordingTable, Shown, TableRows
from app.session.dataset_library import DatasetLibrary
from app.session.import_consent import ImportConsent
from app.style.combo import Combo
from app.style.format import percent
from app.style.sentence import Sentence
from app.style.theme import Theme
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.shipped_teaching import DATASETS
from engine.catalogue.spaces import Space

if TYPE_CHECKING:  # with numpy
    from engine.runs.datasets import DatasetContent
    from engine.runs.recording_records import DatasetRecord

NONE_HERE = (
    "There is no dataset in this environment yet. In Recordings, select what is to be learned from and put it into one."
)
CHOOSE = "Choose a dataset to see what is in it."
SEVERAL = "{} datasets are selected; Merge puts the recordings of all into one."
_SHIPPED = "A dataset that comes with the program stays as it is"


class ShareBars(QWidget):
    """How often each of some actions is taken, a bar for each; it has room for as many as there can be."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rows: list[Row] = []
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("How often each action is taken")

    def show_shares(self, shares: tuple[tuple[str, float], ...]) -> None:
        self._rows = [Row(name, share) for name, share in shares]
        self.setAccessibleDescription(", ".join(f"{name} {percent(share)}" for name, share in shares))
        self.setVisible(bool(shares))
        self.updateGeometry()
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(240), len(self._rows) * row_height(Ink.of(self._theme, self.font())))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw_rows(painter, Ink.of(self._theme, self.font()), QRectF(self.rect()), self._rows)
        painter.end()


class DatasetsPage(QWidget):
    """Shows the datasets in the environment that is chosen, or all of them."""

    def __init__(self, theme: Theme, experiment: Experiment, library: DatasetLibrary, consent: ImportConsent) -> None:
        super().__init__()
        self._theme, self._experiment, self.library, self._consent = theme, experiment, library, consent
        self.listed: list[DatasetRow] = []
        self._contents: dict[DatasetRow, DatasetContent] = {}
        self._asked: set[DatasetRow] = set()  # of which it is being read what is in them
        self.rows = TableRows(COLUMNS)
        self.table = RecordingTable(self.rows, "Datasets")
        self.which_box = Combo()
        self.which_box.setAccessibleName("Which datasets are listed")
        self.which_box.addItems(["This environment", "All environments"])
        self.clone_button = _button("Clone from this", "Choose behavioural cloning of this dataset, in its environment")
        self.rename_button = _button("Rename…", "Call it something else (F2)")
        self.merge_button = _button("Merge…", "Put the recordings of all that are selected into a new dataset")
        self.export_button = _button("Export", "Write it to a file that others can read")
        self.delete_button = _button("Delete", "Its recordings stay, and it can be undone (Del)")
        self.export_button.setMenu(QMenu(self.export_button))
        self.hint, self.source, self.told = Sentence(text=NONE_HERE), Sentence(), Sentence()
        self.bars = ShareBars(theme)
        self._arrange()
        self._wire()
        self.apply_theme(theme)

    def _arrange(self) -> None:
        unit = self._theme.unit
        above, below = QWidget(), QWidget()
        top, actions = QHBoxLayout(), QHBoxLayout()
        for line in (top, actions):
            line.setSpacing(unit // 2)
        top.addWidget(self.which_box, 1)
        top.addWidget(self.clone_button)
        for button in (self.rename_button, self.merge_button, self.export_button, self.delete_button):
            actions.addWidget(button)
        actions.addStretch(1)
        upper, lower = QVBoxLayout(above), QVBoxLayout(below)
        upper.addLayout(top)
        upper.addWidget(self.hint)
        upper.addWidget(self.table, 1)
        upper.addLayout(actions)
        lower.addWidget(self.source)
        lower.addWidget(self.told)
        lower.addWidget(self.bars)
        lower.addStretch(1)
        for column in (upper, lower):
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(unit // 2)
        splitter = QSplitter(Qt.Orientation.Vertical)  # so that the list stays as it is, however much is told of one
        splitter.setChildrenCollapsible(False)
        splitter.setHandleWidth(unit)
        splitter.addWidget(above)
        splitter.addWidget(below)
        splitter.setSizes([300, 200])
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(splitter)

    def _wire(self) -> None:
        self.library.recordings.changed.connect(self.refresh)
        self._experiment.environment_changed.connect(self.refresh)
        self.which_box.activated.connect(self.refresh)
        self.table.selectionModel().selectionChanged.connect(self._select)
        self.table.deleted.connect(self.delete)
        self.table.renamed.connect(self.ask_for_name)
        self.table.doubleClicked.connect(lambda _index: self.clone())
        self.table.customContextMenuRequested.connect(self._open_menu)
        self.clone_button.clicked.connect(self.clone)
        self.rename_button.clicked.connect(self.ask_for_name)
        self.merge_button.clicked.connect(self.ask_where_to_merge)
        self.delete_button.clicked.connect(self.delete)
        menu = self.export_button.menu()
        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(menu.clear)
        menu.aboutToShow.connect(lambda: self.fill_exports(menu))

    # --- what is listed -----------------------------------------------------------------------------------------------

    @property
    def selected(self) -> list[DatasetRow]:
        """In the order in which they are listed."""
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return [self.listed[row] for row in rows if row < len(self.listed)]

    @property
    def datasets(self) -> tuple[DatasetRecord, ...]:
        return self.library.recordings.datasets

    def refresh(self, *_: object) -> None:
        """List what there is, with what is selected still selected."""
        if not self.isVisible():
            return
        recordings, names = self.library.recordings, {row.name for row in self.selected}
        here = "" if self._everywhere else self._experiment.environment.id
        self.listed = listed(recordings.records, recordings.datasets, here)
        self._contents = {row: content for row, content in self._contents.items() if row in self.listed}
        self._put()
        selection = self.table.selectionModel()
        flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        for place, row in enumerate(self.listed):
            if row.name in names:
                selection.select(self.rows.index(place, 0), flags)
        self.hint.setVisible(not self.listed)
        self.table.setVisible(bool(self.listed))
        for row in self.listed:
            if row.shipped:  # of which nothing but that it is there is known otherwise
                self._look_into(row)
        self._select()

    @property
    def _everywhere(self) -> bool:
        return self.which_box.currentIndex() == 1

    def _put(self) -> None:
        self.rows.put(
            [Shown(row.name, cells(row, self._contents.get(row), self._everywhere), about(row)) for row in self.listed]
        )

    def _look_into(self, row: DatasetRow) -> None:
        if row in self._contents or row in self._asked:
            return

        def take(content: DatasetContent) -> None:
            self._asked.discard(row)
            self._contents[row] = content
            self._put()
            self._select()

        self._asked.add(row)
        self.library.look_into(row.name, take)

    def _select(self, *_: object) -> None:
        selected = self.selected
        own = bool(selected) and not any(row.shipped for row in selected)
        one = selected[0] if len(selected) == 1 else None
        self.clone_button.setEnabled(one is not None)
        self.export_button.setEnabled(one is not None)
        self.rename_button.setEnabled(one is not None and own)
        self.merge_button.setEnabled(len(selected) > 1 and own)
        self.delete_button.setEnabled(own)
        for button in (self.rename_button, self.merge_button, self.delete_button):
            button.setStatusTip(_SHIPPED if selected and not own else "")
        if one is None:
            self.source.setText(SEVERAL.format(len(selected)) if selected else CHOOSE if self.listed else "")
            self.told.setText("")
            self.bars.show_shares(())
            return
        self.source.setText(about(one))
        content = self._contents.get(one)
        self.told.setText("Reading what is in it…" if content is None else told_of(content))
        self.bars.show_shares(() if content is None else balance(content, self._space_of(one)))
        self._look_into(one)

    def _space_of(self, row: DatasetRow) -> Space | None:
        chosen = self._experiment.environment
        known = chosen if chosen.id == row.environment else ENVIRONMENTS.get(row.environment)
        return known.action if known is not None else None

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.library.recordings.look()
        self.refresh()

    # --- what a person does -------------------------------------------------------------------------------------------

    def clone(self) -> None:
        """Choose cloning of the one that is selected."""
        selected = self.selected
        if len(selected) == 1:
            name = selected[0].name
            self.library.look_into(name, lambda content: self._experiment.imitate(name, content.environment))

    def delete(self) -> None:
        own = [row.name for row in self.selected if not row.shipped]
        if own:
            self.library.delete(own)

    def ask_for_name(self) -> None:
        """Ask what the one that is selected is to be called."""
        selected = self.selected
        if len(selected) == 1 and not selected[0].shipped:
            before = selected[0].name
            self._ask(before, "Rename the dataset", "Rename", lambda name: self.library.rename(before, name))

    def ask_where_to_merge(self) -> None:
        """Ask what the dataset is to be called in which those that are selected are together."""
        names = [row.name for row in self.selected if not row.shipped]
        if len(names) > 1:
            stem = self.selected[0].environment.rpartition(":")[2].rpartition("-v")[0] or "dataset"
            proposed = new_name(stem, [*DATASETS, *(dataset.name for dataset in self.datasets)])
            self._ask(proposed, "Merge datasets", "Merge", lambda name: self.library.merge(names, name))

    def _ask(self, proposed: str, title: str, words: str, do: Callable[[str], object]) -> None:
        taken = [name for name in (*DATASETS, *(each.name for each in self.datasets)) if name != proposed]
        dialog = DatasetDialog(proposed, taken, self, title, words)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: do(dialog.name))
        dialog.open()

    def fill_exports(self, menu: QMenu) -> None:
        """Offer the forms in which the one that is selected can be written out."""
        selected = self.selected
        if len(selected) == 1:
            name = selected[0].name
            may_run = self._consent.answer(selected[0].environment) is True

            def write(form: str, path: Path) -> None:
                self.library.export(name, form, path)

            fill_exports(menu, self, may_run, name, write)

    def _open_menu(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for button in (self.clone_button, self.rename_button, self.merge_button, self.delete_button):
            if button.isEnabled():
                menu.addAction(button.text()).triggered.connect(button.click)
        if self.export_button.isEnabled():
            self.fill_exports(menu.addMenu("Export"))
        if menu.actions():
            menu.popup(self.table.viewport().mapToGlobal(at))

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.table.apply_theme(theme)
        self.bars.apply_theme(theme)


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setProperty("small", True)
    button.setToolTip(tip)
    return button
