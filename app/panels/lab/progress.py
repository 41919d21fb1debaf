"""How far what a page of the Lab computes has come, and a button that gives it up; both in a place that is always
there."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QToolButton, QWidget

from app.panels.lab.work import LabWork

_WIDE = 72  # pixels
_STEPS = 200


class Busy(QWidget):
    """Seen from the second look on at what is computed, so that what takes a moment does not flash."""

    def __init__(self, work: LabWork) -> None:
        super().__init__()
        self.bar, self.stop = QProgressBar(), QToolButton()
        self.bar.setRange(0, _STEPS)
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(_WIDE)
        self.bar.setAccessibleName("Computed so far")
        self.stop.setText("Stop")
        self.stop.setToolTip("Compute no more; what has been found so far stays")
        self.stop.clicked.connect(work.cancel)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for widget in (self.bar, self.stop):
            policy = widget.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            widget.setSizePolicy(policy)
            widget.hide()
            row.addWidget(widget)
        self._looks = 0
        work.progressed.connect(self._tell)

    def _tell(self, share: float | None) -> None:
        self._looks = 0 if share is None else self._looks + 1
        if share is not None:
            self.bar.setValue(round(_STEPS * share))
        for widget in (self.bar, self.stop):
            widget.setVisible(self._looks > 1)
