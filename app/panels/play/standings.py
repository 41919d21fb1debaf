"""What an episode comes to, beside what the person who plays, the policy and the best have reached."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from app.models.person import Standing
from app.style.format import NOTHING, short_number
from app.style.text import muted
from app.style.theme import tabular
from engine.catalogue.spaces import EnvironmentInfo
from engine.reports.frames import Frame

_ROWS = {
    "episode": "Return so far",
    "step": "Step",
    "you": "You, mean",
    "policy": "Policy, mean of the last 100",
    "best": "Best known",
}


class Standings(QWidget):
    """A row for each, ``titles`` and ``numbers`` by name."""

    def __init__(self, spacing: int) -> None:
        super().__init__()
        self.titles: dict[str, QLabel] = {}
        self.numbers: dict[str, QLabel] = {}
        table = QGridLayout(self)
        table.setContentsMargins(0, 0, 0, 0)
        table.setHorizontalSpacing(spacing)
        table.setVerticalSpacing(2)
        table.setColumnStretch(0, 1)
        for row, (name, words) in enumerate(_ROWS.items()):
            title, number = muted(words), QLabel(NOTHING)
            number.setFont(tabular(number.font()))
            number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            number.setAccessibleName(words)
            title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            table.addWidget(title, row, 0)
            table.addWidget(number, row, 1)
            self.titles[name], self.numbers[name] = title, number
        self.numbers["episode"].setProperty("role", "number")

    def show_episode(self, frame: Frame | None, environment: EnvironmentInfo) -> None:
        """How far the episode has come; None where there is none."""
        self.titles["episode"].setText("Return" if frame is not None and frame.ended else "Return so far")
        self.numbers["episode"].setText(NOTHING if frame is None else short_number(frame.reward_so_far, 4))
        limit = environment.time_limit
        step = NOTHING if frame is None else f"{frame.step:,} of {limit:,}" if limit else f"{frame.step:,}"
        self.numbers["step"].setText(step)

    def show_others(self, you: Standing | None, policy: float | None, environment: EnvironmentInfo) -> None:
        """What others have reached: the person in all episodes, and the policy in its last."""
        self.titles["you"].setText("You, mean" if you is None else f"You, mean of {you.words}")
        self.numbers["you"].setText(NOTHING if you is None else short_number(you.mean, 4))
        self.numbers["policy"].setText(short_number(policy, 4))
        best = environment.best_known
        self.numbers["best"].setText(NOTHING if best is None else short_number(best.value, 4))
        self.numbers["best"].setToolTip("" if best is None else best.source)
