"""The row of the gallery in which a person says what is looked for."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QWidget

from app.gallery.model import GROUPS, Filter
from app.style.combo import Combo
from app.style.theme import Theme

_CHOICES: dict[str, tuple[str, dict[str, str]]] = {
    "actions": (
        "Actions",
        {"": "Any actions", "discrete": "Discrete actions", "continuous": "Continuous actions"},
    ),
    "sees": ("Observations", {"": "Any observations", "states": "States", "numbers": "Numbers", "images": "Images"}),
    "group": ("Family", {"": "All families"} | {str(group): title for group, title in GROUPS.items()}),
    "needs": (
        "Needs",
        {"": "Installed or not", "installed": "Installed only", "nothing": "Needs no extra", "extra": "Needs an extra"},
    ),
}


class FilterBar(QWidget):
    """``changed`` carries the ``Filter``; ``entered`` and ``left`` are the keys with which a search ends."""

    changed = Signal(object)
    entered = Signal()
    left = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.wanted = Filter()
        self.search = _Search()
        self.search.textChanged.connect(lambda text: self._set("text", text))
        self.search.entered.connect(self.entered)
        self.search.left.connect(self.left)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.unit)
        row.addWidget(self.search, 3)
        self.combos: dict[str, Combo] = {}
        for field, (name, choices) in _CHOICES.items():
            combo = Combo()
            for value, text in choices.items():
                combo.addItem(text, value)
            combo.setAccessibleName(name)
            combo.currentIndexChanged.connect(
                lambda _index, field=field, combo=combo: self._set(field, combo.currentData())
            )
            self.combos[field] = combo
            row.addWidget(combo)
        self.clear_button = QPushButton("Clear")
        self.clear_button.setToolTip("Look for nothing in particular")
        self.clear_button.setAutoDefault(False)
        self.clear_button.setEnabled(False)
        self.clear_button.clicked.connect(self.clear)
        row.addWidget(self.clear_button)
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        """Make every combo as wide as its longest choice, within reason."""
        for combo in self.combos.values():
            metrics = QFontMetrics(self.font())
            longest = max(metrics.horizontalAdvance(combo.itemText(index)) for index in range(combo.count()))
            combo.setFixedWidth(min(longest, theme.px(118)) + 5 * theme.unit)

    def clear(self) -> None:
        """Let everything through again."""
        self.search.clear()
        for combo in self.combos.values():
            combo.setCurrentIndex(0)

    def go_on_typing(self, text: str) -> None:
        """Take what was typed elsewhere."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.insert(text)

    @property
    def words(self) -> str:
        """What is looked for, as a person would say it."""
        chosen = [combo.currentText().lower() for combo in self.combos.values() if combo.currentIndex() > 0]
        text = self.wanted.text.strip()
        return ", ".join([f"“{text}”"] * bool(text) + chosen)

    def _set(self, field: str, value: str) -> None:
        self.wanted = replace(self.wanted, **{field: value})
        self.clear_button.setEnabled(not self.wanted.is_empty)
        self.changed.emit(self.wanted)


class _Search(QLineEdit):
    entered = Signal()
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setPlaceholderText("Search")
        self.setAccessibleName("Search")
        self.setToolTip("Looks through names and what they teach (Ctrl+F, or just type)")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit()
        elif event.key() == Qt.Key.Key_Down:
            self.left.emit()
        else:
            super().keyPressEvent(event)
