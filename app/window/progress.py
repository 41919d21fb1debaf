"""The run's progress in the toolbar: state, bar, steps, speed and time left."""

from __future__ import annotations

from typing import cast

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QProgressBar, QToolTip, QWidget

from app.models.run_state import WORDS, RunState
from app.session.run_progress import Progress
from app.style.format import duration, short_number
from app.style.theme import Theme

_SPACING = 8


class ProgressView(QWidget):
    """Fixed columns, so that nothing moves when numbers change width."""

    def __init__(self) -> None:
        super().__init__()
        self._shown = RunState.IDLE
        self._state = QLabel()
        self._state.setProperty("role", "heading")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 1000)
        self._bar.setAccessibleName("Progress of the run")
        self._steps, self._speed, self._left = QLabel(), QLabel(), QLabel()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(_SPACING)
        grid.setVerticalSpacing(2)
        grid.addWidget(self._state, 0, 0)
        self._widest = {self._state: "Stopping…", self._steps: "8.88 M of 8.88 M steps", self._speed: "8.88 M steps/s"}
        self._widest[self._left] = "88:88:88 left"
        for column, label in enumerate((self._steps, self._speed, self._left), start=1):
            label.setProperty("role", "muted")
            label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(label, 0, column)
        grid.addWidget(self._bar, 1, 0, 1, 4)

    @property
    def speed_is_shown(self) -> bool:
        return not self._speed.isHidden()

    @property
    def time_left_is_shown(self) -> bool:
        return not self._left.isHidden()

    def show_columns(self, count: int) -> None:
        """Show so many columns beside the state: the speed gives way first, then the time left, the steps last."""
        for needed, label in enumerate((self._steps, self._left, self._speed), start=1):
            label.setVisible(count >= needed)
        self.updateGeometry()  # at once, so that who lays it out knows what it needs now

    def apply_theme(self, theme: Theme) -> None:
        for label, text in self._widest.items():
            label.setMinimumWidth(label.fontMetrics().horizontalAdvance(text) + 4)

    def show_state(self, state: RunState) -> None:
        self._shown = state
        self._show_word()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip:  # made only when it is wanted
            texts = (label.text() for label in (self._state, self._steps, self._speed, self._left))
            QToolTip.showText(cast(QHelpEvent, event).globalPos(), " · ".join(filter(None, texts)), self)
            return True
        return super().event(event)

    @property
    def word(self) -> str:
        """The run's state as it reads."""
        return self._state.text()

    def _show_word(self) -> None:
        self._state.setText(WORDS[self._shown])

    def show_progress(self, progress: Progress, *, active: bool) -> None:
        share = progress.steps / progress.budget if progress.budget else 0.0
        self._bar.setUpdatesEnabled(False)  # else it is painted at once, and by itself
        self._bar.setValue(round(1000 * min(share, 1.0)))
        self._bar.setUpdatesEnabled(True)
        used = min(progress.steps, progress.budget)  # the iteration under way at the end is completed
        done = f"{short_number(used)} of {short_number(progress.budget)} steps" if progress.budget else ""
        self._steps.setText(done)
        speed = progress.steps_per_second
        self._speed.setText("" if speed is None else f"{short_number(speed)} steps/s")
        left = progress.seconds_left
        self._left.setText("" if left is None or not active else f"{duration(left)} left")
