"""The runs that are on screen, as chips on the shelf: the one that is shown, and the one that is its grey ghost."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal, SignalInstance
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from app.models.runs import KeptRun, differences
from app.style.theme import Theme

SIDE = 12  # pixels of a sign


class RunChips(QWidget):
    """``cleared`` asks for the ghost to go, ``swapped`` for it to be shown in place of the run that is."""

    cleared = Signal()
    swapped = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._shown_sign, self._ghost_sign = Ring(), Ring(dashed=True)
        self.shown = QLabel()
        self.ghost = self._button("", self.swapped)
        self.clear = self._button("×", self.cleared)
        self.ghost.setAccessibleName("Earlier run, shown in grey")
        self.clear.setAccessibleName("Clear the ghost")
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self._shown_sign, self.shown, self._ghost_sign, self.ghost, self.clear):
            self._layout.addWidget(widget)
        self.show_runs(None, None)

    def _button(self, text: str, asks: SignalInstance) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setProperty("role", "line")
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.clicked.connect(asks)
        return button

    def show_runs(self, shown: KeptRun | None, ghost: KeptRun | None) -> None:
        """Show a chip for each that there is."""
        for widget in (self._shown_sign, self.shown):
            widget.setVisible(shown is not None)
        for button in (self._ghost_sign, self.ghost, self.clear):
            button.setVisible(ghost is not None)
        if shown is not None:
            self.shown.setText(f"run {shown.run.number}")
            self.shown.setToolTip(f"{shown.run.name}: shown in colour")
        if ghost is not None:
            self._show_ghost(ghost, shown)

    def _show_ghost(self, ghost: KeptRun, shown: KeptRun | None) -> None:
        number = ghost.run.number
        found = differences(shown.config, ghost.config) if shown is not None else []
        told = f" ({found[0].new_text}{', …' if len(found) > 1 else ''})" if found else ""
        self.ghost.setText(f"run {number}{told}")
        drawn = shown is None or shown.run.compares_with(ghost.run)
        how = "shown in grey behind the other run" if drawn else "not drawn beside a run in another environment"
        lines = [f"{ghost.run.name}: {how}", *(difference.text for difference in found)]
        self.ghost.setToolTip("\n".join([*lines, "Click to show it in colour"]))
        self.clear.setToolTip(f"Clear run {number} from the plots")

    def set_swappable(self, swappable: bool) -> None:
        """Whether the ghost could be shown in place of the run that is, which it cannot while that one is at work."""
        self.ghost.setEnabled(swappable)

    def apply_theme(self, theme: Theme) -> None:
        self._layout.setSpacing(theme.unit // 2)
        self._shown_sign.apply(theme.text, theme.px(SIDE))
        self._ghost_sign.apply(theme.muted, theme.px(SIDE))


class Ring(QWidget):
    """A ring around a dot for what is shown, a dashed one around nothing for a ghost."""

    def __init__(self, *, dashed: bool = False) -> None:
        super().__init__()
        self._dashed, self._colour = dashed, QColor()

    def apply(self, colour: str, side: int) -> None:
        self._colour = QColor(colour)
        self.setFixedSize(side, side)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = self.width()
        pen = QPen(self._colour, 1.5)
        if self._dashed:
            pen.setDashPattern([1.5, 1.5])
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.drawEllipse(QRectF(1, 1, side - 2, side - 2))
        if not self._dashed:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._colour)
            painter.drawEllipse(QRectF(side / 2, side / 2, 0, 0).adjusted(-side / 4, -side / 4, side / 4, side / 4))
        painter.end()
