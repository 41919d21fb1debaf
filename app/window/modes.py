"""The modes of the window, and the bar that shows which of them is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QWidget


@dataclass(frozen=True)
class Mode:
    """One thing to use the window for; ``help`` says what, in a few words."""

    title: str
    shortcut: str
    help: str


TRAIN = Mode("Train", "Ctrl+1", "Train an agent and watch it learn")
COMPARE = Mode("Compare", "Ctrl+2", "See runs beside each other, and what one change did")
MODES = (TRAIN, COMPARE)


def make_actions(parent: QWidget) -> list[QAction]:
    """What chooses each mode; one of them is checked."""
    group = QActionGroup(parent)
    for mode in MODES:
        action = QAction(mode.title, group)
        action.setCheckable(True)
        action.setShortcut(QKeySequence(mode.shortcut))
        action.setToolTip(f"{mode.help} ({action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)})")
    group.actions()[0].setChecked(True)
    return group.actions()


class ModeBar(QFrame):
    """A segment for each mode."""

    def __init__(self, actions: Sequence[QAction]) -> None:
        super().__init__()
        self.setProperty("role", "segments")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for action in actions:
            button = QToolButton()
            button.setProperty("role", "segment")
            button.setDefaultAction(action)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            layout.addWidget(button)
