"""Whether the estimate of a gradient or value is unbiased, in one line that opens to all the reasons why not."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app.style.sentence import Sentence

EXACT = "Nothing is sampled: the dynamics are known"
_GRADIENT = "∇J"
_TRUE = {  # what theory says it is on average: where it is unbiased, and where it is not
    _GRADIENT: (
        "Averaged over all batches that could have been collected, it is the true policy gradient.",
        "even averaged over all batches that could be collected, it is not the true policy gradient.",
    ),
    "q*": (
        "Averaged over all that could follow, a target is what the action is worth under the best policy.",
        "even averaged over all that could follow, a target is not what the action is worth under the best policy.",
    ),
    "q_π": (
        "Averaged over all that could follow, a target is what the action is worth under the policy that acts.",
        "even averaged over all that could follow, a target is not what the action is worth under the policy that "
        "acts.",
    ),
    "the teacher": (
        "What is learned is what the teacher would do in the states that the policy comes to.",
        "what is learned need not be what the teacher would do in the states that the policy comes to.",
    ),
}
_ROOM = 22  # pixels for the arrow


def _shown(of: str) -> str:
    """A subscript cannot be written here."""
    return "the policy's q" if of == "q_π" else of


class BiasLine(QWidget):
    """Keeps to one line, the reasons on hover; a click, Space or Enter shows them beneath."""

    def __init__(self) -> None:
        super().__init__()
        self._reasons: tuple[str, ...] = ()
        self._of = _GRADIENT
        self._plain = QLabel()
        self._plain.setProperty("role", "muted")
        self._plain.setProperty("small", True)
        self.button = _LineButton()
        self.button.setProperty("role", "line")
        self.button.setCheckable(True)
        self.button.setProperty("small", True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.button.toggled.connect(self._tell)
        self.all_reasons = Sentence()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for widget in (self._plain, self.button, self.all_reasons):
            layout.addWidget(widget)
        self.show_biases(())

    @property
    def text(self) -> str:
        """What the line says, however much of it there is room for."""
        if not self._reasons:
            return self._plain.text()
        count = len(self._reasons)
        return f"Biased estimate of {_shown(self._of)}: {count} reason{'s' if count > 1 else ''}"

    @property
    def line_height(self) -> int:
        """Its height while it keeps to one line."""
        return (self.button if self._reasons else self._plain).sizeHint().height()

    def show_biases(self, reasons: Sequence[str], of: str = _GRADIENT) -> None:
        """The reasons why the estimate is biased, and what it is an estimate ``of``, empty where there is none."""
        self._reasons, self._of = tuple(reasons), of
        unbiased, biased = _TRUE.get(
            of, ("All is computed from the known dynamics, so there is nothing to be off.", "")
        )
        self._plain.setText(f"Unbiased estimate of {_shown(of)}" if of else EXACT)
        self._plain.setToolTip(unbiased)
        self.all_reasons.setText("\n".join(f"• {reason}" for reason in self._reasons))
        self.button.setToolTip("<br>".join([f"<b>Biased</b>: {biased}", *(f"• {reason}" for reason in self._reasons)]))
        self.button.setAccessibleName(f"Why the estimate of {_shown(of)} is biased")
        self.button.setAccessibleDescription(" ".join(self._reasons))
        self._tell()

    def _tell(self) -> None:
        biased, opened = bool(self._reasons), self.button.isChecked()
        self._plain.setVisible(not biased)
        self.button.setVisible(biased)
        self.all_reasons.setVisible(biased and opened)
        self.button.setArrowType(Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow)
        self._elide()

    def _elide(self) -> None:
        room = max(self.width() - _ROOM, 40)
        self.button.setText(self.button.fontMetrics().elidedText(self.text, Qt.TextElideMode.ElideRight, room))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._elide()


class _LineButton(QToolButton):
    """Enter does what Space does."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)
