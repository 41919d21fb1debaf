"""All that is to be said of a run: what is seen, what it usually means, and what to try, with a button for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.style.theme import Theme

if TYPE_CHECKING:  # with numpy, which the window's first picture does not wait for
    from engine.analysis.doctor.rule import Finding, Try

_WIDTH = 560  # pixels, for text of the system's size
_SHARE = 0.7  # of the page's height, which it takes at most

Offers = Callable[["Finding"], "Sequence[Try]"]


class FindingsCard(QFrame):
    """Lies over its page, above the line that opens it. Escape or a click beside it closes it.

    Signals:
        pointed: the finding that a person wants to see in its plot.
        tried: the ``Try`` with which the run is wanted once more.
        closed: it is not seen any more.
    """

    pointed = Signal(object)
    tried = Signal(object)
    closed = Signal()

    def __init__(self, page: QWidget) -> None:
        super().__init__(page)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setProperty("role", "tag")
        self.setAccessibleName("What to try")
        self._page = page
        self._theme: Theme | None = None
        self.buttons: list[QPushButton] = []
        self._content = QWidget()
        self._column = QVBoxLayout(self._content)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setAccessibleName("What to try")
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(self._content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.addWidget(self._scroll)
        self.hide()

    def fill(self, findings: Sequence[Finding], offers: Offers) -> None:
        """Say all of these, with what each has to offer."""
        self._content = QWidget()  # the old one goes with all that is in it
        self._column = QVBoxLayout(self._content)
        self._space()
        self._scroll.setWidget(self._content)
        self.buttons = []
        for number, finding in enumerate(findings):
            if number:
                self._column.addSpacing(8)
            self._column.addLayout(self._heading(finding))
            self._column.addWidget(_label(finding.sentence))
            self._column.addWidget(_label(finding.rule.meaning, "muted"))
            self._add_tries(offers(finding))
            self._column.addWidget(_label(f"Threshold: {finding.rule.source}", "muted", small=True))
        self._column.addStretch(1)

    def _heading(self, finding: Finding) -> QHBoxLayout:
        """What is wrong, and a button that shows where it is seen."""
        show = QToolButton()
        show.setText(f"Show it in {finding.rule.panel}")
        show.setProperty("role", "more")
        show.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        show.clicked.connect(partial(self.pointed.emit, finding))
        row = QHBoxLayout()
        row.addWidget(_label(finding.rule.title, "heading"), 1)
        row.addWidget(show)
        return row

    def _add_tries(self, tries: Sequence[Try]) -> None:
        changes = [change for change in tries if change.values]
        if changes:
            self._column.addWidget(_label("What may help, in a run of its own that is else as this one:"))
        for change in changes:
            button = QPushButton(change.words)
            paths = ", ".join(f"{path} = {value}" for path, value in change.values.items())
            button.setToolTip(f"Choose all that this run has, but {paths}, for you to start; the run stays as it is.")
            button.clicked.connect(partial(self.tried.emit, change))
            self._column.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
            self.buttons.append(button)
        for change in tries:
            if not change.values:
                self._column.addWidget(_label(f"What to try: {change.words}"))

    def lie_above(self, line: QPoint, left: int) -> None:
        """Lie right above the line whose left upper corner this is, from ``left`` on."""
        scale = self._theme.text_scale if self._theme is not None else 1.0
        width = min(round(_WIDTH * scale), self._page.width() - left - 8)
        self._content.setFixedWidth(max(width - 14, 100))
        height = self._content.heightForWidth(width - 14) if self._content.hasHeightForWidth() else -1
        height = (height if height > 0 else self._content.sizeHint().height()) + 6
        height = min(height, round(_SHARE * line.y()))
        self.setGeometry(left, line.y() - height, width, height)

    def open(self) -> None:
        self.show()
        self.raise_()
        cast(QApplication, QApplication.instance()).installEventFilter(self)
        first = next(iter(self.findChildren(QToolButton)), None)
        if first is not None:
            first.setFocus(Qt.FocusReason.PopupFocusReason)

    def close_card(self) -> None:
        if self.isVisible():
            cast(QApplication, QApplication.instance()).removeEventFilter(self)
            self.hide()
            self.closed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonPress:
            inside = self.rect().contains(self.mapFromGlobal(event.globalPosition().toPoint()))
            if not inside and isinstance(watched, QWidget) and not watched.property("opens findings"):
                self.close_card()
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_card()
            event.accept()
            return
        super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH, 200)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._space()

    def _space(self) -> None:
        unit = self._theme.unit if self._theme is not None else 8
        self._column.setContentsMargins(unit, unit, unit, unit)
        self._column.setSpacing(unit // 2)


def _label(text: str, role: str = "", *, small: bool = False) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    if role:
        label.setProperty("role", role)
    if small:
        label.setProperty("small", True)
    return label
