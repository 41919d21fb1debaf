"""The modes of the window, and the bar that shows which of them is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeySequence
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QWidget

from app.models.runs import MIME


@dataclass(frozen=True)
class Mode:
    """One thing to use the window for; ``help`` says what, in a few words; whether it ``takes_runs`` that are dropped
    on its name."""

    title: str
    shortcut: str
    help: str
    takes_runs: bool = False


TRAIN = Mode("Train", "Ctrl+1", "Train an agent and watch it learn")
COMPARE = Mode("Compare", "Ctrl+2", "See runs beside each other, and what one change did", takes_runs=True)
EXPERIMENT = Mode("Experiment", "Ctrl+3", "Train many runs in which something varies, and see what came of it")
MODES = (TRAIN, COMPARE, EXPERIMENT)


class ModeAction(QAction):
    """Chooses a mode; ``dropped`` carries the ids of runs that were let go on its name."""

    dropped = Signal(list)

    def __init__(self, mode: Mode, group: QActionGroup) -> None:
        super().__init__(mode.title, group)
        self.mode = mode


def make_actions(parent: QWidget) -> list[ModeAction]:
    """What chooses each mode; one of them is checked."""
    group = QActionGroup(parent)
    actions = [ModeAction(mode, group) for mode in MODES]
    for mode, action in zip(MODES, actions, strict=True):
        action.setCheckable(True)
        action.setShortcut(QKeySequence(mode.shortcut))
        action.setToolTip(f"{mode.help} ({action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)})")
    actions[0].setChecked(True)
    return actions


class ModeButton(QToolButton):
    """The name of a mode, on which runs may be dropped where the mode takes them."""

    def __init__(self, action: ModeAction) -> None:
        super().__init__()
        self._dropped = action.dropped
        self.setDefaultAction(action)
        self.setProperty("role", "segment")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAcceptDrops(action.mode.takes_runs)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasFormat(MIME):
            self.setDown(True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.setDown(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.setDown(False)
        event.acceptProposedAction()
        self._dropped.emit(bytes(event.mimeData().data(MIME).data()).decode().split())


class ModeBar(QFrame):
    """A segment for each mode."""

    def __init__(self, actions: Sequence[ModeAction]) -> None:
        super().__init__()
        self.setProperty("role", "segments")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for action in actions:
            layout.addWidget(ModeButton(action))
