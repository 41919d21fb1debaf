"""The frame of the game, which is lit while all keys are the game's."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QVBoxLayout

from app.panels.play.key_caps import KeyCaps
from app.panels.play.view import GameView
from app.style.text import set_role


class GameFrame(QFrame):
    """Around the picture and the keys beneath it, with ``gap`` pixels between them."""

    def __init__(self, view: GameView, caps: KeyCaps, gap: int) -> None:
        super().__init__()
        self.setProperty("role", "game")
        inside = QVBoxLayout(self)
        inside.setContentsMargins(gap, gap, gap, gap)
        inside.setSpacing(gap)
        inside.addWidget(view, 1)
        inside.addWidget(caps)

    def light(self, on: bool) -> None:
        role = "game on" if on else "game"
        if self.property("role") != role:
            set_role(self, role)
