"""The buttons beneath an environment's details: with which settings it is taken."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from app.models.offers import Offer, Terms, short_title
from app.style.text import set_role
from app.style.theme import Theme
from engine.config.presets import MEASURED, Preset

_LINES = 2  # of the upper button, always
FIRST_TIP = "Double-click a card, or press Return on it, for the same."


class TermsButtons(QWidget):
    """``taken`` carries the terms. A preset has the upper button, which says what it is known to do; the settings that
    there are come beneath, beside the other presets. Each has its place whatever is selected; the main one, which a
    double click stands for, is told by its colour."""

    taken = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._offers: list[Offer] = []
        self._main = 0
        self.first, self.second = QPushButton(), QPushButton()
        self.others = QPushButton("Other presets")
        self.menu = QMenu(self)
        self.menu.setToolTipsVisible(True)
        self.others.setMenu(self.menu)
        self.first.setProperty("lines", _LINES)
        self.first.clicked.connect(lambda: self.taken.emit(self._offers[0].terms))
        self.second.clicked.connect(lambda: self.taken.emit(self._offers[1].terms))
        for button in (self.first, self.second, self.others):
            button.setAutoDefault(False)
        self.row = QHBoxLayout()
        self.row.setSpacing(theme.unit)
        self.row.addWidget(self.second, 1)
        self.row.addWidget(self.others, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.unit)
        column.addWidget(self.first)
        column.addLayout(self.row)

    @property
    def offered(self) -> Terms | None:
        """What the main button stands for."""
        return self._offers[self._main].terms if self._offers else None

    def show_offers(self, offers: list[Offer], *, in_use: bool) -> None:
        """Offer these; where the environment is the one in use, to keep the settings is the main thing, for none may be
        lost by a double click."""
        kept = [offer for offer in offers if offer.terms == "kept"]
        rest = [offer for offer in offers if offer.terms != "kept"]
        self._offers = [*rest[:1], *kept, *rest[1:]]
        self._main = 1 if in_use and rest and kept else 0
        for number, button in enumerate((self.first, self.second)):
            offer = self._offers[number] if number < len(self._offers) else None
            button.setVisible(offer is not None)
            if offer is not None:
                button.setText(_words(offer))
                button.setToolTip("\n".join(filter(None, (_tip(offer), FIRST_TIP if number == self._main else ""))))
            set_role(button, "primary" if number == self._main else None)
        self.updateGeometry()
        self.menu.clear()
        for offer in self._offers[2:]:
            assert isinstance(offer.terms, Preset)
            action = self.menu.addAction("\t".join(filter(None, (short_title(offer.terms), offer.note))))
            action.setToolTip(_tip(offer))
            action.triggered.connect(lambda _checked=False, terms=offer.terms: self.taken.emit(terms))
        self.others.setVisible(len(self._offers) > 2)

    def set_usable(self, usable: bool) -> None:
        for button in (self.first, self.second, self.others):
            button.setEnabled(usable)


def _words(offer: Offer) -> str:
    """With a second line for what is known."""
    return offer.label if offer.terms == "kept" or not offer.note else f"{offer.label}\n{offer.note}"


def _tip(offer: Offer) -> str:
    preset = offer.terms if isinstance(offer.terms, Preset) else None
    lines = [offer.label, preset.summary] if preset is not None else []
    lines.append(f"{offer.note[:1].upper()}{offer.note[1:]}." if offer.note else "")
    return "\n".join(filter(None, (*lines, MEASURED if preset is not None and preset.measured else "")))
