"""Every action once: its words, icon, shortcut and place; menus and toolbar are built from here."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from app.style import icons
from app.style.theme import Theme


@dataclass(frozen=True)
class Spec:
    """One action; ``tip`` completes the words for someone who does not know them.

    ``shortcut`` may mean something else to what has the keyboard; ``anywhere`` is a key that never does.
    """

    text: str
    icon: str
    shortcut: str
    tip: str
    checkable: bool = False
    anywhere: str = ""


SPECS: dict[str, Spec] = {
    "start": Spec("Start", "play", "Space", "Train, pause, or go on after a pause or a stop", anywhere="F5"),
    "step": Spec("Step", "skip-next", "Right", "Train for exactly one iteration, then pause", anywhere="F6"),
    "next_stop": Spec(
        "Next stop",
        "debug-step-into",
        "Shift+Right",
        "Go on within the iteration: collect, credit, subtract the baseline, weight ∇log π, move θ",
        anywhere="F7",
    ),
    "stop": Spec("Stop", "stop", "Ctrl+.", "End the run; it can go on, and its curves and its policy stay"),
    "reset": Spec(
        "Reset", "restart", "Ctrl+R", "End the run and clear its curves; it can be undone, and it stays on the shelf"
    ),
    "fork": Spec(
        "Fork",
        "source-fork",
        "Ctrl+Shift+F",
        "Go on from here as a run of its own, with what has been edited; the run that is shown stays as it is",
    ),
    "undo": Spec("Undo", "undo", "Ctrl+Z", "Go back before what was tried last: an edit, a reset, a deletion"),
    "redo": Spec("Redo", "redo", "Ctrl+Shift+Z", "Do again what was undone"),
    "all_runs": Spec("All runs", "format-list-bulleted", "Ctrl+L", "Search, name, tag, open and delete any run", True),
    "environments": Spec("Environments…", "view-grid-outline", "Ctrl+E", "See all environments, and choose one"),
    "open_file": Spec(
        "Open…",
        "file-import-outline",
        "Ctrl+Shift+O",
        "Open settings or runs: a preset, a script, a policy or a library that was written here",
    ),
    "open_runs": Spec("Open a folder of runs…", "", "", "Take the runs of a library, or one run, into your library"),
    "paste": Spec("Paste", "content-paste", "Ctrl+V", "Open what was copied: a configuration's text, or a file"),
    "copy_text": Spec(
        "Copy configuration as text",
        "content-copy",
        "Ctrl+Shift+C",
        "All settings as a short text, which can be pasted into another window",
    ),
    "load_preset": Spec("Load preset…", "folder-open-outline", "Ctrl+O", "Load a preset from a file"),
    "save_preset": Spec("Save preset…", "content-save-outline", "Ctrl+S", "Keep all settings as a preset of your own"),
    "theme_system": Spec("Follow the system", "", "", "Dark or light as the desktop asks", True),
    "theme_dark": Spec("Dark", "", "", "Light on dark", True),
    "theme_light": Spec("Light", "", "", "Dark on light", True),
    "toggle_theme": Spec("Switch dark / light", "circle-half-full", "Ctrl+T", "Switch dark and light"),
    "text_larger": Spec("Larger text", "format-font-size-increase", "Ctrl++", "All text larger", anywhere="Ctrl+="),
    "text_smaller": Spec("Smaller text", "format-font-size-decrease", "Ctrl+-", "All text smaller"),
    "text_normal": Spec("Normal text size", "", "Ctrl+0", "Text as large as the system has it"),
    "restore_layout": Spec(
        "Restore the layout",
        "view-dashboard-outline",
        "Ctrl+Shift+0",
        "Put every panel back where it was at first",
    ),
    "present": Spec("Present", "presentation", "P", "One panel alone and twice as large, for a room", True),
    "full_screen": Spec("Full screen", "fullscreen", "F11", "For showing in front of a room", True),
    "quit": Spec("Quit", "", "Ctrl+Q", "Stop and close the window"),
    "museum": Spec("Museum of bugs…", "bug-outline", "", "Classic mistakes, to be switched on in the next run"),
    "guess": Spec("Guess the bug…", "help-circle-outline", "", "A run with a hidden bug, or with none: say which"),
    "self_test": Spec(
        "Self-test…", "check-circle-outline", "", "Algorithms in worlds so small that it is known what must be learned"
    ),
    "shortcuts": Spec("Keyboard shortcuts", "keyboard-outline", "F1", "What the keys do"),
    "about": Spec("About", "information-outline", "", "Versions and licence"),
}


def make_actions(parent: QWidget) -> dict[str, QAction]:
    """The actions by name, with words and shortcuts; ``set_icons`` gives them their icons."""
    actions = {}
    for name, spec in SPECS.items():
        action = QAction(spec.text, parent)
        action.setObjectName(name)
        action.setCheckable(spec.checkable)
        action.setIconVisibleInMenu(name != "start")  # whose icon has the colour of what is written on its button
        action.setAutoRepeat(name in ("step", "next_stop"))  # others would be done and undone while a key is held
        if spec.shortcut:
            action.setShortcut(QKeySequence(spec.shortcut))
        if spec.anywhere:  # also before another window of ours, unless that has to be answered first
            key = QShortcut(QKeySequence(spec.anywhere), parent, context=Qt.ShortcutContext.ApplicationShortcut)
            key.setAutoRepeat(action.autoRepeat())
            key.activated.connect(action.trigger)
        describe(action, spec.text, spec.tip)
        actions[name] = action
    return actions


def native(key: str) -> str:
    """A key as it is called where the program runs."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText).replace("Right", "→")


def describe(action: QAction, text: str, tip: str) -> None:
    """Set an action's words; the tooltip names its shortcut."""
    action.setText(text)
    keys = native(action.shortcut().toString())
    action.setToolTip(f"{tip} ({keys})" if keys else tip)
    action.setStatusTip("")


def set_icons(actions: dict[str, QAction], theme: Theme) -> None:
    for name, spec in SPECS.items():
        if spec.icon and name != "start":
            icons.give(actions[name], spec.icon, color=theme.text, color_disabled=theme.muted)
