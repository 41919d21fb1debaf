"""The run that is shown, and how the present choice differs from it: one row beneath the toolbar."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from PySide6.QtCore import QRectF, QSize, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from app.models.run_state import STOP_AND_CHANGE
from app.models.runs import Difference, in_short
from app.style.text import ElidedLabel, set_role
from app.style.theme import Theme
from app.window.run_chips import draw_ring

SIDE = 12  # pixels of the sign
_LEAST_NAME = "run 88…"  # which is never cut
NOTHING_YET = "No run is shown; Start begins one."


@dataclass(frozen=True)
class RunWords:
    """What the row says: the run's name and state, and all in which the choice differs from it."""

    name: str
    state: str = ""
    edits: tuple[Difference, ...] = ()

    @property
    def edited(self) -> str:
        """What has been edited: "edited: α 0.001 → 0.002, +2 more"."""
        return f"edited: {in_short(self.edits)}" if self.edits else ""


class Ring(QWidget):
    """The sign of the run that is shown, as on its chip."""

    def __init__(self) -> None:
        super().__init__()
        self._colour = "#000000"

    def apply(self, colour: str, side: int) -> None:
        self._colour = colour
        self.setFixedSize(side, side)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw_ring(painter, QRectF(self.rect()), self._colour)
        painter.end()


class RunRow(QWidget):
    """What does not fit is cut from the texts, the name first, and never from the buttons."""

    start_asked = Signal()
    go_on_asked = Signal()
    longer_asked = Signal()
    fork_asked = Signal()
    tune_asked = Signal()
    nothing_asked = Signal()
    back_asked = Signal()
    undo_asked = Signal()
    stop_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._sign = Ring()  # as on its chip
        self.name, self.state, self.edited = ElidedLabel(), QLabel(), ElidedLabel()
        set_role(self.state, "heading")
        self.start_button = self._button("Start as new", "Begin another run with the edited choice")
        self.go_on_button = self._button("Go on", "")
        self.fork_button = self._button(
            "Fork", "Go on from here as a run of its own with the edited choice; this run stays as it is (Ctrl+Shift+F)"
        )
        self.longer_button = self._button("Go on for more", "")
        self.tune_button = self._button(
            "Go on by policy gradient", "Learn from rewards by PPO, as a run of its own that begins with this policy"
        )
        self.nothing_button = self._button(
            "Compare with learning from nothing",
            "Train the same for as long from a policy that has learned nothing, and see both side by side",
        )
        self.back_button = self._button("Back to the run's choices", "Choose again what this run was started with")
        self.undo_button = self._button("Undo reset", "Bring back the run with its curves and its policy (Ctrl+Z)")
        self.stop_button = self._button(
            STOP_AND_CHANGE, "Stop the run, so that everything can be chosen anew; it can still go on as it was"
        )
        self._layout = QHBoxLayout(self)
        for widget in (self._sign, self.name, self.state, self.edited):
            self._layout.addWidget(widget)
        self._layout.addStretch(1)
        for button in self._buttons:
            self._layout.addWidget(button)
        starting = (self.start_asked, self.go_on_asked, self.longer_asked, self.fork_asked)
        following = (self.tune_asked, self.nothing_asked)
        asked = (*starting, *following, self.back_asked, self.undo_asked, self.stop_asked)
        for button, signal in zip(self._buttons, asked, strict=True):
            button.clicked.connect(signal)
        self.words = RunWords("")
        self.show_words(RunWords(NOTHING_YET))
        self.show_buttons()

    @property
    def _buttons(self) -> tuple[QPushButton, ...]:
        starting = (self.start_button, self.go_on_button, self.longer_button, self.fork_button)
        following = (self.tune_button, self.nothing_button)
        return (*starting, *following, self.back_button, self.undo_button, self.stop_button)

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.setProperty("small", True)
        button.hide()
        return button

    def show_words(self, words: RunWords) -> None:
        if words == self.words:
            return
        self.words = words
        self.name.setText(words.name)
        self.name.setToolTip(words.name)
        self.state.setText(f"— {words.state}" if words.state else "")
        self.edited.setText(words.edited)
        listed = "".join(f"<li>{escape(difference.text)}</li>" for difference in words.edits)
        self._share_out()
        self.edited.setToolTip(f"The choice differs from the run that is shown:<ul>{listed}</ul>" if listed else "")

    def offer_to_go_on(self, called: str, how: str) -> None:
        """Name the run, or the runs, that its button goes on with, and say ``how``."""
        self.go_on_button.setText(f"Go on with {called}")
        self.go_on_button.setToolTip(f"Go on with {called} {how}")

    def offer_more(self, steps: int, in_all: int) -> None:
        """Say by how many steps its button makes a finished run longer, and how long that is in all."""
        self.longer_button.setText(f"Go on for {steps:,} more")
        self.longer_button.setToolTip(f"Train this run to {in_all:,} steps in all; what follows its length is told")

    def show_buttons(self, *buttons: QPushButton) -> None:
        """Offer these and no others."""
        for button in self._buttons:
            button.setVisible(button in buttons)
        self._share_out()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_out()

    def _share_out(self) -> None:
        """Leave the name what the rest does not need."""
        margins, others = self._layout.contentsMargins(), [self._sign, self.state, self.edited, *self._buttons]
        shown = [widget for widget in others if not widget.isHidden()]
        taken = margins.left() + margins.right() + sum(widget.sizeHint().width() for widget in shown)
        room = self.width() - taken - (len(shown) + 2) * self._layout.spacing()
        self.name.setMaximumWidth(max(room, self.name.minimumWidth()))

    def sizeHint(self) -> QSize:
        # As tall as with a button, so that nothing moves when one comes.
        return QSize(super().sizeHint().width(), self._height)

    def minimumSizeHint(self) -> QSize:
        return QSize(super().minimumSizeHint().width(), self._height)

    @property
    def _height(self) -> int:
        margins = self._layout.contentsMargins()
        return self.start_button.sizeHint().height() + margins.top() + margins.bottom()

    def apply_theme(self, theme: Theme) -> None:
        half = theme.unit // 2
        self._layout.setContentsMargins(theme.unit, 0, theme.unit, half)
        self._layout.setSpacing(theme.unit)
        self._sign.apply(theme.text, theme.px(SIDE))
        self.name.ensurePolished()
        self.name.setMinimumWidth(self.name.fontMetrics().horizontalAdvance(_LEAST_NAME))
        self._share_out()
        self.updateGeometry()
