"""Where the networks are computed: a box in the toolbar and, where there is no room for that, a menu."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QWidget

from app.style.combo import Combo
from app.style.theme import Theme
from engine.catalogue.methods.entries import DEVICES


class DeviceChoice(QObject):
    """The same choice twice: ``box`` holds a label and a combo box, ``menu`` the same entries."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.box, self._label, self.combo = QWidget(), QLabel("Device"), Combo()
        self._label.setProperty("role", "muted")
        self._label.setBuddy(self.combo)
        self.combo.addItems(DEVICES)
        self.combo.setAccessibleName("Device")
        self.combo.activated.connect(lambda index: self.chosen.emit(DEVICES[index]))
        layout = QHBoxLayout(self.box)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._label)
        layout.addWidget(self.combo)
        self.menu = QMenu("Device", parent)
        self.menu.setToolTipsVisible(True)
        self._entries = QActionGroup(self.menu)
        for device in DEVICES:
            entry = self._entries.addAction(device)
            entry.setCheckable(True)
            entry.triggered.connect(lambda _checked=False, device=device: self.chosen.emit(device))
        self.menu.addActions(self._entries.actions())
        self.explain("")

    def show_device(self, device: str) -> None:
        self.combo.setCurrentText(device)
        for entry in self._entries.actions():
            entry.setChecked(entry.text() == device)

    def set_locked(self, locked: bool) -> None:
        self.combo.setEnabled(not locked)
        self.menu.setEnabled(not locked)

    def explain(self, reason: str) -> None:
        """Say in the tooltip why training happens where it does."""
        tip = "Where the networks are computed; auto takes what is faster for their size."
        self.combo.setToolTip(f"{tip}\nThis run: {reason}." if reason else tip)
        self.menu.menuAction().setToolTip(self.combo.toolTip())

    def apply_theme(self, theme: Theme) -> None:
        self.combo.setFixedWidth(max(map(self.combo.width_for, DEVICES)))
