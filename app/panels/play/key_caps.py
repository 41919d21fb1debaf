"""The keys of a game and what they do, lit while they are held; a click on one gives it another key."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QToolButton, QWidget

from app.panels.play.key_names import cap_of
from app.style.flow import Flow
from engine.catalogue.controls import Control

PRESS = "press a key"


class KeyCaps(QWidget):
    """Signals:
    asked: the name of the control that is to have another key, or where keys are ``fixed``, to be taken as pressed.
    usual_asked: all are to be as at first.
    """

    asked = Signal(str)
    usual_asked = Signal()

    def __init__(self, spacing: int, *, fixed: bool = False) -> None:
        super().__init__()
        self._fixed = fixed
        self._flow = Flow(spacing)
        self._flow.setContentsMargins(0, 0, 0, 0)
        self.setLayout(self._flow)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._caps: dict[str, QToolButton] = {}
        self._usual = self._button("usual keys", "Every key as it was at first", self.usual_asked.emit)

    def _button(self, text: str, tip: str, clicked: Callable[[], object]) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tip)
        button.setProperty("role", "cap")
        button.setProperty("small", True)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.clicked.connect(clicked)
        return button

    def show_controls(self, controls: Collection[Control]) -> None:
        """Have a cap for each."""
        while self._flow.count():
            self._flow.takeAt(0)
        for cap in self._caps.values():
            cap.deleteLater()
        self._caps = {}
        for control in controls:
            tip = control.words if self._fixed else f"Give “{control.words}” another key"
            cap = self._button("", tip, self._asker(control.name))
            cap.setCheckable(True)
            cap.setAccessibleName(f"Key for {control.words}")
            self._caps[control.name] = cap
            self._flow.addWidget(cap)
        self._flow.addWidget(self._usual)
        self._words = {control.name: control.words for control in controls}

    def _asker(self, name: str) -> Callable[[], None]:
        return lambda: self.asked.emit(name)

    def show_keys(self, keys: Mapping[str, str], assigning: str, *, usual: bool) -> None:
        """Write on each which key it is; ``assigning`` is the control whose key is to be pressed."""
        for name, cap in self._caps.items():
            key = PRESS if name == assigning else cap_of(keys[name])
            text = f"{key}  {self._words[name]}"
            if text != cap.text():
                cap.setText(text)
        self._usual.setVisible(not usual)
        self.updateGeometry()

    def light(self, held: Collection[str]) -> None:
        for name, cap in self._caps.items():
            cap.setChecked(name in held)

    def text_of(self, name: str) -> str:
        """What the cap of a control says."""
        return self._caps[name].text()

    def cap(self, name: str) -> QToolButton:
        return self._caps[name]
