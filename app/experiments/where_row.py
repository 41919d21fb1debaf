"""Where the runs of an experiment are trained: in processes of this computer, or on a Ray cluster."""

from __future__ import annotations

from PySide6.QtCore import QSettings, Signal
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from app.experiments.fields import Counter, line
from app.models.remembered import whole_number
from app.style.combo import Combo
from app.style.theme import Theme
from engine.runs.executors.interface import NO_RAY, ray_is_installed
from engine.runs.sweeps.detached import Where
from engine.runtime.cores import cores

_HERE, _CLUSTER = "This computer", "Ray cluster"
_WORKERS, _ADDRESS = "experiment_workers", "experiment_cluster"
_UNNAMED = "Enter the cluster's address, as HOST:PORT, or auto where this computer is part of it."
ANSWERS = "If no cluster answers there, nothing is trained, the reason is said, and Go on tries again."


class WhereRow(QWidget):
    """Signals:
    changed: it is elsewhere.
    """

    changed = Signal()

    def __init__(self, theme: Theme, settings: QSettings) -> None:
        super().__init__()
        self._settings = settings
        self.place_box = Combo()
        self.place_box.setAccessibleName("Where the runs are trained")
        self.place_box.setToolTip("Where all runs are trained, also those that Go on goes on with")
        self.place_box.addItems([_HERE, _CLUSTER])
        self.place_box.setSizeAdjustPolicy(Combo.SizeAdjustPolicy.AdjustToContents)
        self.place_box.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        self.workers = Counter("How many runs are trained at once", 1, cores())
        self.workers.setToolTip("How many processes train side by side: no more than there are cores")
        self.workers.setSuffix(" at once")
        self.workers.setValue(whole_number(settings, _WORKERS, cores()))
        self.address = line(
            "Address of the cluster", "HOST:PORT, or auto", f"HOST:PORT, ray://HOST:PORT or auto. {ANSWERS}"
        )
        self.address.setText(str(settings.value(_ADDRESS) or ""))
        self.address.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.unit // 2)
        grid.addWidget(self.place_box, 0, 0)
        for field in (self.workers, self.address):
            grid.addWidget(field, 0, 1)
        grid.setColumnStretch(1, 1)
        self.place_box.currentIndexChanged.connect(lambda _index: self._take())
        self.workers.valueChanged.connect(lambda _count: self._take())
        self.address.textEdited.connect(lambda _text: self._take())
        self._take()

    @property
    def where(self) -> Where:
        """What is chosen."""
        if self.is_cluster:
            return Where(ray=self.address.text().strip())
        return Where(None if self.workers.value() == self.workers.maximum() else self.workers.value())

    @property
    def is_cluster(self) -> bool:
        return self.place_box.currentIndex() == 1

    @property
    def problem(self) -> str:
        """Why nothing can be trained there, in a sentence; empty where it can."""
        if not self.is_cluster:
            return ""
        if not ray_is_installed():
            return NO_RAY
        return "" if self.address.text().strip() else _UNNAMED

    def _take(self) -> None:
        cluster = self.is_cluster
        self.workers.setVisible(not cluster)
        self.address.setVisible(cluster)
        self._settings.setValue(_WORKERS, self.workers.value())
        self._settings.setValue(_ADDRESS, self.address.text().strip())
        self.changed.emit()
