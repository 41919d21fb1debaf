"""Every action once: its words, icon, shortcut and place; menus and toolbar are built from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QIcon, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QSlider,
)

from app.theme import Theme

Menu = Literal["Run", "Preset", "View", "Help"]


@dataclass(frozen=True)
class Spec:
    """One action; ``tip`` completes the words for someone who does not know them."""

    text: str
    icon: str
    shortcut: str
    menu: Menu
    tip: str
    checkable: bool = False


SPECS: dict[str, Spec] = {
    "start": Spec("Start", "mdi6.play", "Space", "Run", "Train, or go on after a pause"),
    "step": Spec("Step", "mdi6.skip-next", "Right", "Run", "Train for exactly one iteration, then pause"),
    "stop": Spec("Stop", "mdi6.stop", "Ctrl+.", "Run", "End the run; its curves and its policy stay"),
    "reset": Spec("Reset", "mdi6.restart", "Ctrl+R", "Run", "End the run and clear its curves"),
    "load_preset": Spec("Load preset…", "mdi6.folder-open-outline", "Ctrl+O", "Preset", "Load a preset from a file"),
    "save_preset": Spec("Save preset…", "mdi6.content-save-outline", "Ctrl+S", "Preset", "Save the choices as a file"),
    "theme_system": Spec("Follow the system", "", "", "View", "Dark or light as the desktop asks", True),
    "theme_dark": Spec("Dark", "", "", "View", "Light on dark", True),
    "theme_light": Spec("Light", "", "", "View", "Dark on light", True),
    "toggle_theme": Spec("Switch dark / light", "mdi6.theme-light-dark", "Ctrl+T", "View", "Switch dark and light"),
    "restore_layout": Spec("Restore the layout", "mdi6.view-dashboard-outline", "Ctrl+0", "View", "Panels as at first"),
    "full_screen": Spec("Full screen", "mdi6.fullscreen", "F11", "View", "For showing in front of a room", True),
    "quit": Spec("Quit", "", "Ctrl+Q", "Run", "Stop and close the window"),
    "shortcuts": Spec("Keyboard shortcuts", "mdi6.keyboard-outline", "F1", "Help", "What the keys do"),
    "about": Spec("About", "mdi6.information-outline", "", "Help", "Versions and licence"),
}


def make_actions(parent: QObject) -> dict[str, QAction]:
    """The actions by name, with words and shortcuts; ``set_icons`` gives them their icons."""
    actions = {}
    for name, spec in SPECS.items():
        action = QAction(spec.text, parent)
        action.setObjectName(name)
        action.setCheckable(spec.checkable)
        if spec.shortcut:
            action.setShortcut(QKeySequence(spec.shortcut))
        describe(action, spec.text, spec.tip)
        actions[name] = action
    return actions


def describe(action: QAction, text: str, tip: str) -> None:
    """Set an action's words; the tooltip names its shortcut."""
    action.setText(text)
    keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    action.setToolTip(f"{tip} ({keys})" if keys else tip)
    action.setStatusTip("")


def icon(name: str, theme: Theme, *, on_accent: bool = False) -> QIcon:
    """A themed icon by its name in Material Design Icons."""
    import qtawesome  # not at the top: its fonts take time, and the window should show first

    return qtawesome.icon(name, color=theme.accent_text if on_accent else theme.text, color_disabled=theme.muted)


def set_icons(actions: dict[str, QAction], theme: Theme) -> None:
    for name, spec in SPECS.items():
        if spec.icon and name != "start":
            actions[name].setIcon(icon(spec.icon, theme))


class KeysWhileEditing(QObject):
    """Leaves plain keys such as Space to the widget that has the focus, where it means something there."""

    _OWN = (Qt.Key.Key_Space, Qt.Key.Key_Right)
    _USERS = (
        QAbstractButton,
        QAbstractItemView,
        QAbstractSpinBox,
        QComboBox,
        QLineEdit,
        QPlainTextEdit,
        QSlider,
    )

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() in self._OWN
            and event.modifiers() == Qt.KeyboardModifier.NoModifier
            and isinstance(QApplication.focusWidget(), self._USERS)
        ):
            event.accept()
            return True
        return super().eventFilter(watched, event)
