"""One sample: a picture of its state, where it is on the clipped surrogate, and what is known of it in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.panels.episode.frame_view import FrameView
from app.panels.inspector.clip_curve import ClipCurve
from app.panels.inspector.words import advantage_words, case_words, cut_words, done, probability_words, state_words
from app.style.theme import Theme

if TYPE_CHECKING:  # with torch
    from engine.analysis.samples import Samples

_LOW = 120  # pixels; what is less high shows no curve

NO_PICTURE = "No picture"


class SampleView(QWidget):
    """Stands beside the list; where there is little room, what is drawn makes place for the words."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._clipped = False
        self.picture, self.curve = FrameView(), ClipCurve(theme)
        self.picture.setAccessibleName("The state of the sample")
        self.words = QLabel()
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setWordWrap(True)
        self.words.setProperty("small", True)
        self.words.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.words.setAccessibleName("What is known of the sample")
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._told = QScrollArea()
        self._told.setWidget(self.words)
        self._told.setWidgetResizable(True)
        self._told.setProperty("role", "scrolled")
        self._told.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._told.setAccessibleName("All that is known of the sample")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.unit // 2)
        drawn = QHBoxLayout()
        drawn.setSpacing(theme.unit // 2)
        drawn.addWidget(self.picture, 3)
        drawn.addWidget(self.curve, 2)
        column.addLayout(drawn, 4)
        column.addWidget(self._told, 5)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.curve.apply_theme(theme)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.curve.setVisible(self._clipped and self.height() >= self._theme.px(_LOW))

    def say(self, sentence: str) -> None:
        """What a person has to know now, before all else."""
        rest = [line for line in self.words.text().split("\n") if line != sentence]
        self.words.setText("\n".join([sentence, *rest]))
        self._told.verticalScrollBar().setValue(0)

    def show_no_picture(self, why: str) -> None:
        """Say why there is none, where there is room for a sentence."""
        self.picture.show_sentence(NO_PICTURE)
        if why not in self.words.text().split("\n"):
            self.words.setText(f"{self.words.text()}\n{why}")

    def show_step(self, samples: Samples, row: int) -> None:
        """Show all but its picture, which takes longer."""
        looked = samples.looked
        environment, batch = looked.policy.environment, looked.batch
        action = done(batch.actions[row], environment.action)
        lines = (
            f"{action[:1].upper()}{action[1:]} · {state_words(batch.observations[row], environment, looked.config)}",
            advantage_words(samples, row),
            cut_words(samples, row),
            probability_words(samples, row, environment.action),
            case_words(samples, row),
            looked.how,
        )
        self.words.setText("\n".join(filter(None, lines)))
        self._told.verticalScrollBar().setValue(0)
        self._clipped = samples.cases is not None
        self.curve.show_step(samples, row)
        self._fit()
