"""The buttons beneath an environment's details: with which settings it is taken."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from app.models.offers import Offer, Terms, short_title
from app.style.text import set_role
from app.style.theme import Theme
from engine.config.presets import Preset

FIRST_TIP = "Double-click a card, or press Return on it, for the same."


class TermsButtons(QWidget):
    """``taken`` carries the terms. The first offer has the main button, which says what it is known to do; the
    settings that there are come beneath, beside the other presets."""

    taken = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._offers: list[Offer] = []
        self.first, self.second = QPushButton(), QPushButton()
        self.others = QPushButton("Other presets")
        self.menu = QMenu(self)
        self.menu.setToolTipsVisible(True)
        self.others.setMenu(self.menu)
        self.first.setProperty("role", "primary")
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
        return self._offers[0].terms if self._offers else None

    def show_offers(self, offers: list[Offer], *, in_use: bool) -> None:
        """Offer these; where the environment is the one in use, to keep the settings comes first, for none may be lost
        by a double-click."""
        kept = [offer for offer in offers if offer.terms == "kept"]
        rest = [offer for offer in offers if offer.terms != "kept"]
        self._offers = [*kept, *rest] if in_use else [*rest[:1], *kept, *rest[1:]]
        for number, button in enumerate((self.first, self.second)):
            offer = self._offers[number] if number < len(self._offers) else None
            button.setVisible(offer is not None)
            if offer is not None:
                button.setText(_words(offer, number == 0))
                button.setToolTip("\n".join(filter(None, (_tip(offer), FIRST_TIP if number == 0 else ""))))
        self.first.setProperty("lines", self.first.text().count("\n") + 1)
        set_role(self.first, "primary")
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


def _words(offer: Offer, main: bool) -> str:
    """The main button has a second line for what is known; elsewhere there is room for the kind of offer only."""
    if not main:
        return offer.label.partition(":")[0]
    return offer.label if offer.terms == "kept" or not offer.note else f"{offer.label}\n{offer.note}"


def _tip(offer: Offer) -> str:
    lines = [offer.label, offer.terms.summary] if isinstance(offer.terms, Preset) else []
    return "\n".join((*lines, f"{offer.note[:1].upper()}{offer.note[1:]}." if offer.note else ""))
