"""What a person drags over the window: an invitation to let it go there, and what was let go."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
)
from PySide6.QtWidgets import QLabel, QMainWindow, QVBoxLayout, QWidget

from app.style.text import set_role

_LONGEST = 60  # characters of a name or a text that are shown
_MARGIN, _ROUNDING = 16, 12  # pixels of the dashed frame


def contents(mime: QMimeData | None) -> list[Path | str]:
    """The files that are dragged or were copied, or else the text; nothing where there is neither."""
    if mime is None:  # of an empty clipboard, whatever the stubs say
        return []
    files: list[Path | str] = [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
    if files:
        return files
    return [mime.text()] if mime.hasText() and mime.text().strip() else []


class DropWindow(QMainWindow):
    """A window over which anything from elsewhere that can be opened may be let go, wherever on it.

    Signals:
        dropped: what was let go, as ``contents`` has it.
    """

    dropped = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setAcceptDrops(True)
        self.invitation: Invitation | None = None

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        found = contents(event.mimeData()) if event.source() is None else []  # what is moved in the window is no file
        if not found:
            return
        if self.invitation is None:
            self.invitation = Invitation(self)
            self.invitation.dropped.connect(self.dropped)
        self.invitation.invite(found)
        _copy(event)


class Invitation(QWidget):
    """Covers the window while something is dragged over it, and so takes what is let go, whatever is beneath."""

    dropped = Signal(object)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._found: list[Path | str] = []
        self.hide()
        self.setAcceptDrops(True)
        self.title, self.what = QLabel(), QLabel()
        self.hint = QLabel("Settings become the choice; runs and recordings come into your library.")
        set_role(self.title, "number")
        set_role(self.hint, "muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*4 * (3 * _MARGIN,))
        layout.setSpacing(_MARGIN // 2)
        layout.addStretch(1)
        for label in (self.title, self.what, self.hint):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setWordWrap(True)
            layout.addWidget(label)
        layout.addStretch(1)

    def invite(self, found: list[Path | str]) -> None:
        """Say what is dragged, over all of the window."""
        self._found, first = found, found[0]
        name = _beginning(first.name or str(first)) if isinstance(first, Path) else f"“{_beginning(first)}”"
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        self.title.setText("Drop it here to open it")
        self.what.setText(f"{name}{more}")
        self.setGeometry(self._window.rect())
        self.show()
        self.raise_()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        _copy(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        _copy(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        found = contents(event.mimeData()) or self._found  # whoever dragged it may be gone by now
        _copy(event)
        self.hide()
        self.dropped.emit(found)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = QColor(self.palette().color(QPalette.ColorRole.Window))
        veil.setAlphaF(0.9)
        painter.fillRect(self.rect(), veil)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 2, Qt.PenStyle.DashLine))
        frame = QRectF(self.rect()).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        painter.drawRoundedRect(frame, _ROUNDING, _ROUNDING)
        painter.end()


def _copy(event: QDropEvent) -> None:
    """Take it without its being moved, which would delete it where it was."""
    event.setDropAction(Qt.DropAction.CopyAction)
    event.accept()


def _beginning(text: str) -> str:
    line = " ".join(text[: 4 * _LONGEST].split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
