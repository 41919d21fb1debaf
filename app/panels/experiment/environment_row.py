"""The environment of the experiment, on a button that opens the gallery, and what is known of it beneath."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QVBoxLayout,
    QWidget,
)

from app.panels.experiment.picker import NAME_WIDTH
from app.style.environment_text import environment_facts
from app.style.sentence import Sentence
from app.style.swatch import PartSign
from app.style.text import set_role
from app.style.theme import Theme
from engine.catalogue.spaces import EnvironmentInfo

_SIGN_ROOM = 1.9  # of the height of a letter, at the right end of the button


class EnvironmentRow(QWidget):
    """``opened`` asks for the gallery."""

    opened = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._locked = self._title = ""
        self.button = _GalleryButton()
        self.button.clicked.connect(self.opened)
        self.sentence = Sentence()
        self._facts = Sentence()
        self.answer = Sentence()
        self.answer.hide()
        self._name, self._sign = QLabel("Environment"), PartSign("")
        self._name.setBuddy(self.button)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self._sign)
        row.addWidget(self._name)
        row.addWidget(self.button, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.unit // 2)
        column.addLayout(row)
        for beneath in (self.sentence, self._facts, self.answer):
            column.addWidget(beneath)
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        self._name.setFixedWidth(theme.px(NAME_WIDTH))
        self._sign.apply_theme(theme)

    def show_environment(self, environment: EnvironmentInfo) -> None:
        self._title = environment.title
        self.button.setText(environment.title.rpartition(":")[2])  # a module's name would leave no room for it
        self.sentence.setText(environment.summary)
        self.button.setAccessibleDescription(environment.summary)
        self._facts.setText(environment_facts(environment))
        self._facts.setToolTip(self.facts)
        self.answer.hide()
        self._tell()

    @property
    def facts(self) -> str:
        return self._facts.text()

    def say(self, text: str, role: str) -> None:
        """One sentence on what was asked for, until the next choice."""
        set_role(self.answer, role)
        self.answer.setText(text)
        self.answer.show()

    def set_terse(self, terse: bool) -> None:
        """Keep to two lines where room is dear, and the rest to the hover."""
        self.sentence.setVisible(not terse)
        self._facts.set_one_line(terse)

    def set_locked(self, reason: str) -> None:
        """The gallery may be looked at all the same, and says the reason too."""
        self._locked = reason
        self._tell()

    def _tell(self) -> None:
        self.setToolTip("\n".join(filter(None, (self._title, self.sentence.text(), self._locked))))


class _GalleryButton(QPushButton):
    """Reads like a combo box, with a sign for the gallery in place of the arrow."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Environment")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QStylePainter(self)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        text, option.text = option.text, ""
        painter.drawControl(QStyle.ControlElement.CE_PushButton, option)
        place = self.rect().adjusted(9, 0, -round(_SIGN_ROOM * self.fontMetrics().height()), 0)
        painter.setPen(option.palette.buttonText().color())
        text = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.palette().placeholderText())
        side = self.fontMetrics().height() / 3
        left, top = self.width() - 10.0 - 2 * side, self.height() / 2 - side
        for x in (0.0, side):
            for y in (0.0, side):
                painter.drawRoundedRect(QRectF(left + x, top + y, side - 1, side - 1), 1, 1)
        painter.end()
