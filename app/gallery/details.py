"""All that is known of the selected environment, and the buttons that take it."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QGuiApplication, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.gallery.model import Card
from app.gallery.pictures import ASPECT, picture
from app.gallery.terms import TermsButtons
from app.models.offers import offers
from app.models.run_state import STOP_AND_CHANGE
from app.style.environment_text import details
from app.style.sentence import Sentence
from app.style.text import muted
from app.style.theme import Theme

_WIDTH = 320  # of the stored pictures, so that this one is shown as it is where text has its usual size
_WIDEST = 448  # with larger text; beyond, nothing would be left for the cards
_UNKNOWN = (
    "Not opened yet: what it observes and which actions it has is known once it has been used for the first time."
)


class Details(QWidget):
    """``used`` carries the card and the terms on which it is taken, ``forgotten`` the card.

    ``stop_asked`` wants the run to stop that stands in the way.
    """

    used = Signal(object, object)
    forgotten = Signal(object)
    stop_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._card: Card | None = None
        self._locked = ""
        self._picture = _Picture(theme)
        self._title, self._id = QLabel(), muted()
        self._title.setProperty("role", "number")
        self._id.setProperty("code", True)
        self._title.setWordWrap(True)
        self._id.setWordWrap(True)
        self._id.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._summary, self._teaches = _text(), _text()
        self._lesson = muted("What it teaches")
        self._facts = _Facts(theme)
        self._install = _Install(theme)
        self.terms = TermsButtons(theme)
        self.terms.taken.connect(lambda terms: self.used.emit(self._card, terms))
        self.forget = QPushButton("Forget it")
        self.forget.setToolTip("Take it off this list, and ask again before its module is imported.")
        self._reason = Sentence("warning")
        self.stop_button = QPushButton(STOP_AND_CHANGE)
        self.stop_button.setAutoDefault(False)
        self.stop_button.clicked.connect(self.stop_asked)
        self.forget.setAutoDefault(False)
        self.forget.clicked.connect(lambda: self.forgotten.emit(self._card))
        self._lay_out(theme)
        self.show_card(None, in_use="")

    def _lay_out(self, theme: Theme) -> None:
        unit = theme.unit
        page = _Page()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(unit)
        names = QVBoxLayout()
        names.setSpacing(2)
        names.addWidget(self._title)
        names.addWidget(self._id)
        column.addWidget(self._picture)
        column.addLayout(names)
        lesson = QVBoxLayout()
        lesson.setSpacing(2)
        lesson.addWidget(self._lesson)
        lesson.addWidget(self._teaches)
        column.addWidget(self._summary)
        column.addLayout(lesson)
        column.addWidget(self._facts)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(page)
        self.terms.row.addWidget(self.forget)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(unit)
        whole.addWidget(scroll, 1)
        whole.addWidget(self._install)
        whole.addWidget(self._reason)
        whole.addWidget(self.stop_button)
        whole.addWidget(self.terms)
        self._page = page
        self._size(theme)

    def _size(self, theme: Theme) -> None:
        width = min(theme.px(_WIDTH), _WIDEST)
        self._page.setFixedWidth(width)
        self._picture.setFixedSize(width, round(width * ASPECT))
        self.setFixedWidth(width + theme.unit)

    def show_card(self, card: Card | None, *, in_use: str) -> None:
        """Tell of a card, and offer it; ``in_use`` is the environment of the experiment."""
        self._card = card
        info = card.info if card else None
        self._picture.show_card(card)
        self._title.setText(card.title if card else "")
        self._id.setText(card.id if card and card.id != card.title else "")
        self._id.setVisible(bool(self._id.text()))
        self._summary.setText(info.summary if info else (_UNKNOWN if card else ""))
        self._teaches.setText(info.teaches if info else "")
        for label in (self._lesson, self._teaches):
            label.setVisible(bool(self._teaches.text()))
        self._facts.show_rows(details(info) if info else [])
        self._install.show_card(card)
        self.forget.setVisible(card is not None and card.group == "own" and card.id != in_use)
        found = offers(card.id, info) if card and not card.missing else []
        self.terms.show_offers(found, in_use=card is not None and card.id == in_use)
        self._tell()

    def set_locked(self, reason: str) -> None:
        """Nothing can be used for a reason; an empty one frees it again."""
        self._locked = reason
        self._tell()

    def refusal(self, card: Card | None) -> str:
        """Why the card's environment cannot be used now; empty where it can."""
        if card is None:
            return "Select an environment first."
        if card.missing:
            return f"{card.title} needs the extra {card.missing.name}, which is not installed."
        return self._locked

    def apply_theme(self, theme: Theme) -> None:
        self._picture.theme = theme
        self._size(theme)
        self._picture.update()

    def _tell(self) -> None:
        reason = self.refusal(self._card)
        self.terms.set_usable(not reason)
        self._reason.setText(reason)
        self._reason.setVisible(bool(reason and self._card and not self._card.missing))  # else it is said above
        self.stop_button.setVisible(bool(reason) and reason == self._locked)


class _Page(QWidget):
    """As tall as its wrapped texts need, however low the window is: it scrolls."""

    def event(self, event: QEvent) -> bool:
        done, layout = super().event(event), self.layout()
        if layout is not None and event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            self.setMinimumHeight(max(layout.heightForWidth(self.width()), 0))
        return done


class _Picture(QWidget):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._card: Card | None = None

    def show_card(self, card: Card | None) -> None:
        """In its colours even where it cannot be used yet: here is what there would be to see."""
        self._card = replace(card, missing=None) if card else None
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._card is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        outline = QPainterPath()
        outline.addRoundedRect(self.rect(), self.theme.radius, self.theme.radius)
        painter.setClipPath(outline)
        painter.drawPixmap(0, 0, picture(self._card, self.size(), self.devicePixelRatioF(), self.theme))
        painter.end()


class _Facts(QWidget):
    """A table of names and values."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(2 * theme.unit)
        self._grid.setVerticalSpacing(theme.unit // 2 + 2)
        self._grid.setColumnStretch(1, 1)
        self._rows: list[tuple[QLabel, QLabel]] = []

    def show_rows(self, rows: list[tuple[str, str]]) -> None:
        while len(self._rows) < len(rows):
            name, value = muted(), QLabel()
            for column, label in enumerate((name, value)):
                label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
                self._grid.addWidget(label, len(self._rows), column)
            value.setWordWrap(True)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._rows.append((name, value))
        for number, pair in enumerate(self._rows):
            for label, text in zip(pair, rows[number] if number < len(rows) else ("", ""), strict=True):
                label.setText(text)
                label.setVisible(number < len(rows))


class _Install(QWidget):
    """The command that installs what is missing, to be copied."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._sentence = _text()
        self.command = QLineEdit()
        self.command.setReadOnly(True)
        self.command.setProperty("code", True)
        self.command.setAccessibleName("Install command")
        self._copy = QPushButton("Copy")
        self._copy.setAutoDefault(False)
        self._copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.command.text()))
        row = QHBoxLayout()
        row.setSpacing(theme.unit)
        row.addWidget(self._sentence, 1)
        row.addWidget(self._copy, 0, Qt.AlignmentFlag.AlignBottom)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.unit // 2)
        column.addLayout(row)
        column.addWidget(self.command)

    def show_card(self, card: Card | None) -> None:
        missing = card.missing if card else None
        self.setVisible(missing is not None)
        if missing is not None:
            self._sentence.setText(
                f"To install {missing.title}, type this in the folder of this program, then open it again:"
            )
            self.command.setText(missing.command)
            self.command.setCursorPosition(0)


def _text() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label
