"""How far what a page of the Lab computes has come, and a button that gives it up; both in a place that is always
there."""

from __future__ import annotations

from PySide6.QtWidgets import QToolButton

from app.panels.lab.work import LabWork
from app.style.text import Stage


class Busy(QToolButton):
    """Seen from the second look on at what is computed, so that what takes a moment does not flash."""

    def __init__(self, work: LabWork) -> None:
        super().__init__()
        self.setText("100 % ✕")
        self.setAccessibleName("Stop computing")
        self.setToolTip("How much of it is computed; a click stops it, and what has been found so far stays")
        self.clicked.connect(work.cancel)
        policy = self.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.setSizePolicy(policy)
        self.setMinimumWidth(self.sizeHint().width())
        self.hide()
        self._looks = 0
        work.progressed.connect(self._tell)

    def _tell(self, share: float | None) -> None:
        self._looks = 0 if share is None else self._looks + 1
        if share is not None:
            self.setText(f"{100 * share:.0f} % ✕")
        self.setVisible(self._looks > 1)


def say_meanwhile(work: LabWork, stage: Stage, doing: str, empty: str) -> None:
    """Where there is nothing to be seen yet, say what is computed and how far it has come; ``empty`` says what will
    appear, once nothing is."""

    def tell(share: float | None) -> None:
        stage.set_hint(empty if share is None else f"{doing}: {100 * share:.0f}\u00a0%.")

    work.progressed.connect(tell)
