"""The small dialogs: About, and the keyboard shortcuts."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QLabel, QVBoxLayout, QWidget

from app.window.actions import SPECS, native

if TYPE_CHECKING:
    from collections.abc import Iterable

_PACKAGES = ("PySide6_Essentials", "pyqtgraph", "torch", "gymnasium", "numpy", "pygame", "pydantic")


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def versions() -> list[tuple[str, str]]:
    """Name and version of everything a bug report should name."""
    rows = [("Policy Gradient Playground", _version("policy-gradient-playground"))]
    rows += [("Python", platform.python_version()), ("System", platform.platform(terse=True))]
    return rows + [(package.replace("_", " "), _version(package)) for package in _PACKAGES]


def about(parent: QWidget) -> QDialog:
    dialog = _dialog(parent, "About Policy Gradient Playground")
    layout = dialog.layout()
    assert isinstance(layout, QVBoxLayout)
    text = QLabel("Pick an environment, a policy and an algorithm, press Start, and watch an agent learn.")
    text.setWordWrap(True)
    layout.insertWidget(0, text)
    layout.insertWidget(1, _table(versions()))
    licence = QLabel("Free software under the MIT licence.")
    licence.setProperty("role", "muted")
    layout.insertWidget(2, licence)
    return dialog


def shortcuts(parent: QWidget, panels: int) -> QDialog:
    dialog = _dialog(parent, "Keyboard shortcuts")
    layout = dialog.layout()
    assert isinstance(layout, QVBoxLayout)
    rows = [
        (" or ".join(native(key) for key in keys), f"{spec.text.rstrip('…')}: {spec.tip}")
        for spec in SPECS.values()
        if (keys := [key for key in (spec.shortcut, spec.anywhere) if key])
    ]
    rows += [
        ("Tab", "Go on to the next control, whose own keys then come first"),
        ("Esc", "Leave a field with what held in it before, or a control"),
        (f"Alt+1 … Alt+{min(panels, 9)}", "Show or hide a panel"),
        (f"1 … {min(panels, 9)}", "While presenting: show that panel"),
        ("Page Down, Page Up", "While presenting: show the next panel, or the one before"),
        ("S", "While presenting: turn the halo around the mouse on and off"),
        (
            "Return, F2, Ins, Del",
            "On the shelf and in the list of runs: open a run, name it, draw it beside, delete it",
        ),
        ("A", "In a plot: show everything again, as a double click does"),
        ("E", "In a plot: enlarge it, or put it back"),
        ("Ctrl+C", "In a plot: copy its numbers"),
        ("Wheel", "Over a plot: zoom; with Ctrl or Shift, or over an axis, along one axis alone"),
    ]
    layout.insertWidget(0, _table(rows))
    return dialog


def _dialog(parent: QWidget, title: str) -> QDialog:
    dialog = QDialog(parent)
    dialog.setWindowTitle(title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(24, 24, 24, 16)
    layout.setSpacing(16)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    layout.addWidget(buttons)
    dialog.setMinimumWidth(420)
    return dialog


def _table(rows: Iterable[tuple[str, str]]) -> QWidget:
    table = QWidget()
    grid = QGridLayout(table)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(24)
    grid.setVerticalSpacing(6)
    grid.setColumnStretch(1, 1)
    for row, (left, right) in enumerate(rows):
        name, value = QLabel(left), QLabel(right)
        name.setProperty("role", "heading")
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        grid.addWidget(name, row, 0)
        grid.addWidget(value, row, 1)
    return table
