"""The page of the Experiment mode: the design at the left, and what has come of the library's experiments."""

from __future__ import annotations

from PySide6.QtCore import QSettings, QSize, Qt
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from app.experiments.design_form import DesignForm
from app.experiments.launch import Launch
from app.experiments.results import ResultsPanel
from app.models.sweep_draft import SweepDraft
from app.session.experiment_watch import ExperimentWatch
from app.style.text import as_surface
from app.style.theme import Theme

_LEFT, _SHARE, _WIDEST = 304, 0.28, 440  # pixels of the design at least, and its share of a wide window, up to so many


class ExperimentsPage(QWidget):
    """Follows the library's experiments while it is seen."""

    def __init__(self, theme: Theme, draft: SweepDraft, watch: ExperimentWatch, settings: QSettings) -> None:
        super().__init__()
        self.draft, self.watch = draft, watch
        self.form = DesignForm(theme, draft)
        self.launch = Launch(theme, draft, settings)
        left = QWidget()
        as_surface(left)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.form, 1)
        column.addWidget(self.launch)
        self.results = ResultsPanel(theme)
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.addWidget(left)
        self._split.addWidget(self.results)
        self._split.setChildrenCollapsible(False)
        self._split.setStretchFactor(0, 0)
        self._split.setStretchFactor(1, 1)
        self._shared_out = False
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._split)
        self.launch.where_changed.connect(self._move)
        self._move()
        self.results.chosen.connect(watch.choose)
        watch.listed.connect(self._list)
        watch.renewed.connect(self.results.show_results)
        self._list()

    def _move(self) -> None:
        self.watch.where = self.launch.where_row.where

    def _list(self) -> None:
        counts = self.watch.counts
        titles = [
            (each.id, f"{each.number} · {each.title} · {counts.get(each.id, '0')}") for each in self.watch.records
        ]
        self.results.show_list(titles, self.watch.chosen)

    @property
    def words(self) -> str:
        """Which experiment is shown, and what it shows."""
        shown = self.watch.record
        return "" if shown is None else " · ".join(filter(None, (shown.title, shown.sweep.shows)))

    def minimumSizeHint(self) -> QSize:
        return QSize(320, 200)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._shared_out:
            self._shared_out = True
            left = max(_LEFT, min(round(_SHARE * self.width()), _WIDEST))
            self._split.setSizes([left, max(self.width() - left, 1)])
        self.watch.set_watched(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.watch.set_watched(self.results.taken)

    def apply_theme(self, theme: Theme) -> None:
        self.form.apply_theme(theme)
        self.launch.apply_theme(theme)
        self.results.apply_theme(theme)
