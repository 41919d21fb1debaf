"""An editor that picks components by their names."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint
from PySide6.QtGui import QKeyEvent, QMouseEvent, Qt
from PySide6.QtWidgets import QMenu, QWidget

from app.models.form_rules import Legend
from app.panels.experiment.form.parameter_editor import Editor
from app.style.combo import Combo
from app.style.text import set_role


class ComponentsField(Editor):
    """Opens a list to tick components in; each tick is proposed at once, as a tuple of their numbers."""

    def __init__(self, legend: Legend, parent: QWidget | None = None) -> None:
        self._combo = _MenuCombo()
        super().__init__(self._combo, parent)
        self._value: tuple[int, ...] = ()
        self.set_legend(legend)

    @property
    def menu(self) -> QMenu:
        return self._combo.menu

    def set_legend(self, legend: Legend) -> None:
        self._legend = legend
        self.menu.clear()
        for sign, name in legend:
            action = self.menu.addAction(name)
            action.setCheckable(True)
            action.setData(int(sign))
            action.triggered.connect(self._propose)
        self.set_value(self._value)

    def set_value(self, value: Any) -> None:
        self._value = tuple(value)
        for action in self.menu.actions():
            action.setChecked(action.data() in self._value)
        self._tell()

    def set_wrong(self, wrong: bool) -> None:
        set_role(self._combo, "invalid" if wrong else None)

    def _propose(self) -> None:
        self._tell()
        self.proposed.emit(tuple(action.data() for action in self.menu.actions() if action.isChecked()))

    def _tell(self) -> None:
        names = [action.text() for action in self.menu.actions() if action.isChecked()]
        several = f"{len(names)} of {len(self._legend)}"
        self._combo.setItemText(0, several if len(names) > 1 else "".join(names) or "none")


class _MenuCombo(Combo):
    """Looks like the other choices, but opens a menu."""

    def __init__(self) -> None:
        super().__init__()
        self.menu = _TickMenu(self)
        self.addItem("")

    def showPopup(self) -> None:
        self.menu.setMinimumWidth(self.width())
        self.menu.popup(self.mapToGlobal(QPoint(0, self.height())))

    def hidePopup(self) -> None:
        self.menu.close()
        super().hidePopup()


class _TickMenu(QMenu):
    """A menu that stays open while one entry after another is ticked."""

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        action = self.actionAt(event.position().toPoint())
        if action is not None and action.isEnabled():
            action.trigger()
        else:
            super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        action = self.activeAction()
        if action is not None and event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            action.trigger()
        else:
            super().keyPressEvent(event)
