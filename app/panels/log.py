"""Log: what happened, and when."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QSyntaxHighlighter,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import QFrame, QTextEdit, QVBoxLayout

from app.models.notices import Level
from app.panels.record import PanelWidget
from app.style.text import Stage, as_surface
from app.style.theme import Theme, points, tabular

_LINES = 3000
_EMPTY = "What happens will be written here with its time: runs that start and end, changes, warnings and errors."
_WORDS: dict[Level, str] = {"info": "Info", "warning": "Warning", "error": "Error"}


class LogPanel(PanelWidget):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        as_surface(self)
        self._text = QTextEdit()
        self._text.setReadOnly(True)
        self._text.setAcceptRichText(False)
        self._text.setUndoRedoEnabled(False)
        self._text.setFrameShape(QFrame.Shape.NoFrame)
        self._text.document().setMaximumBlockCount(_LINES)
        self._text.document().setDocumentMargin(theme.unit)
        self._text.setAccessibleName("Log")
        self._text.setFont(tabular(self._text.font()))
        self._layout = QTextBlockFormat()
        self._colours = Colours(self._text.document())
        self._bar = self._text.verticalScrollBar()
        self._follows = True  # whether the newest entry stays in view
        self._bar.valueChanged.connect(self._on_scroll)
        self._bar.rangeChanged.connect(self._on_range)
        self._stage = Stage(_EMPTY, self._text)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stage)
        self.apply_theme(theme)

    def append(self, level: Level, text: str) -> None:
        """Add an entry with the time of day; the view follows if it is at the bottom."""
        time = datetime.now().strftime("%H:%M:%S")
        cursor = QTextCursor(self._text.document())  # not the view's own: that would undo a selection
        cursor.movePosition(QTextCursor.MoveOperation.End)
        for line in entry(time, level, text).split("\n"):
            if self._stage.filled:
                cursor.insertBlock()
            cursor.setBlockFormat(self._layout)
            cursor.insertText(line)
            self._stage.fill(True)

    def _on_scroll(self, value: int) -> None:
        self._follows = value >= self._bar.maximum() - 4

    def _on_range(self, _low: int, high: int) -> None:
        # As an entry is added, and as the panel becomes lower, after which what was at the bottom is not any more.
        if self._follows:
            self._bar.setValue(high)

    @property
    def text(self) -> str:
        return self._text.toPlainText()

    def apply_theme(self, theme: Theme) -> None:
        self._colours.apply_theme(theme)
        self._make_columns(theme)

    def _make_columns(self, theme: Theme) -> None:
        """Times and levels have columns of their own, and text that wraps stays in its column, whatever its size."""
        font = QFont(self._text.font())
        font.setPointSizeF(points(theme))
        column = QFontMetrics(font).horizontalAdvance("00:00:00") + 2 * theme.unit
        if column != self._text.tabStopDistance():
            self._text.setTabStopDistance(column)
            self._layout.setLeftMargin(2 * column)
            self._layout.setTextIndent(-2 * column)
            cursor = QTextCursor(self._text.document())
            cursor.select(QTextCursor.SelectionType.Document)
            cursor.setBlockFormat(self._layout)


def entry(time: str, level: Level, text: str) -> str:
    """One line, in columns; further lines of ``text`` stay part of the entry, indented."""
    return f"{time}\t{_WORDS[level]}\t" + text.rstrip().replace("\n", "\n\t\t")


class Colours(QSyntaxHighlighter):
    """Colours the time and the level of each entry, anew when the theme changes."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self._time = QTextCharFormat()
        self._levels: dict[str, QTextCharFormat] = {}

    def apply_theme(self, theme: Theme) -> None:
        self._time = _format(theme.muted)
        self._levels = {
            "Info": _format(theme.muted),
            "Warning": _format(theme.warning, bold=True),
            "Error": _format(theme.error, bold=True),
        }
        self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        time, _, rest = text.partition("\t")
        level = rest.partition("\t")[0]
        if level in self._levels:
            self.setFormat(0, len(time), self._time)
            self.setFormat(len(time) + 1, len(level), self._levels[level])


def _format(colour: str, *, bold: bool = False) -> QTextCharFormat:
    result = QTextCharFormat()
    result.setForeground(QColor(colour))
    if bold:
        result.setFontWeight(QFont.Weight.DemiBold)
    return result
