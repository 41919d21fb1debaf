"""The gallery: every environment as a card, what is known of the selected one, and any other by its id."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from app.gallery.cards import CardView
from app.gallery.details import Details
from app.gallery.filters import FilterBar
from app.gallery.id_entry import IdEntry
from app.gallery.model import Card, Filter, GalleryModel, all_cards
from app.models.experiment import Experiment
from app.models.offers import Terms
from app.models.remembered import strings
from app.models.run_state import LOCKED
from app.style.text import SteadyLabel, muted
from app.style.theme import Theme
from engine.catalogue.environments import ENVIRONMENTS

_KEY = "environments"  # ids that a person has used and the catalogue lacks
_KEPT = 50


class Gallery(QDialog):
    """``asked`` carries an id and the terms on which its environment is wanted, ``forgotten`` an id."""

    asked = Signal(str, object)
    forgotten = Signal(str)
    stop_asked = Signal()

    def __init__(self, experiment: Experiment, settings: QSettings, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Environments")
        self._experiment, self._settings = experiment, settings
        self._registered: Sequence[str] = ()
        self._awaited = ""
        self.model = GalleryModel(self)
        self.filters = FilterBar(theme)
        self.cards = CardView(self.model, theme)
        self.details = Details(theme)
        self.id_entry = IdEntry(theme)
        self._count = SteadyLabel("0000 of 0000", "muted")
        self._count.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.nothing = muted()
        self.show_all = QPushButton("Show all")
        self._stage = QStackedWidget()
        self._lay_out(theme)
        self._wire()
        self.refresh()

    def _lay_out(self, theme: Theme) -> None:
        unit = theme.unit
        empty = QWidget()
        centred = QVBoxLayout(empty)
        centred.setSpacing(2 * unit)
        self.nothing.setWordWrap(True)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.show_all.setAutoDefault(False)
        centred.addStretch(1)
        centred.addWidget(self.nothing)
        centred.addWidget(self.show_all, 0, Qt.AlignmentFlag.AlignCenter)
        centred.addStretch(2)
        self._stage.addWidget(self.cards)
        self._stage.addWidget(empty)
        top = QHBoxLayout()
        top.setSpacing(unit)
        top.addWidget(self.filters, 1)
        top.addWidget(self._count)
        left = QVBoxLayout()
        left.setSpacing(unit)
        left.addWidget(self._stage, 1)
        left.addWidget(self.id_entry)
        middle = QHBoxLayout()
        middle.setSpacing(2 * unit)
        middle.addLayout(left, 1)
        middle.addWidget(self.details)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(2 * unit, 2 * unit, 2 * unit, 2 * unit)
        whole.setSpacing(unit)
        whole.addLayout(top)
        whole.addLayout(middle, 1)

    def _wire(self) -> None:
        self.filters.changed.connect(self._filter)
        self.filters.entered.connect(lambda: self._use_first(self.cards.card))
        self.filters.left.connect(lambda: self.cards.setFocus(Qt.FocusReason.OtherFocusReason))
        self.cards.typed.connect(self.filters.go_on_typing)
        self.cards.shown.connect(self._show)
        self.cards.used.connect(self._use_first)
        self.details.used.connect(self._use)
        self.details.forgotten.connect(self._forget)
        self.details.stop_asked.connect(self.stop_asked)
        self.id_entry.asked.connect(self._ask)
        self.show_all.clicked.connect(self.filters.clear)
        self._experiment.environment_changed.connect(self._on_environment)
        QShortcut(QKeySequence.StandardKey.Find, self).activated.connect(self._search)

    # --- what the rest of the window says ---

    def present(self) -> None:
        """Show it, with the environment of the experiment selected."""
        self.refresh()
        self.id_entry.explain()
        if not self.isVisible():
            self.cards.select(self._experiment.plain.id)
            self.cards.setFocus(Qt.FocusReason.OtherFocusReason)
        self.show()
        self.raise_()
        self.activateWindow()

    def show_registered(self, ids: Sequence[str]) -> None:
        """What is registered with Gymnasium and not in the catalogue."""
        self._registered = ids
        self.refresh()

    def show_looking(self, id: str) -> None:
        self.id_entry.say(f"Looking at {id}…", "muted")

    def refuse(self, sentence: str) -> None:
        """Say why what was asked for cannot be had."""
        self._awaited = ""
        self.id_entry.say(sentence, "error")

    def set_running(self, running: bool) -> None:
        """While a run is active one can look around, but not change the environment."""
        reason = LOCKED if running else ""
        self.details.set_locked(reason)
        self.id_entry.set_locked(reason)

    def apply_theme(self, theme: Theme) -> None:
        self.cards.apply_theme(theme)
        self.details.apply_theme(theme)
        self.filters.apply_theme(theme)

    def refresh(self) -> None:
        """Show what there is now; the selection stays."""
        looked_at = [info for id, info in self._experiment.environments.items() if id not in ENVIRONMENTS]
        typed = list(dict.fromkeys([*self._typed(), *(info.id for info in looked_at)]))[-_KEPT:]
        if typed != self._typed():
            self._settings.setValue(_KEY, typed)
        self._keeping_selection(lambda: self.model.show_cards(all_cards(looked_at, typed, self._registered)))
        self.cards.set_used(self._experiment.plain.id)
        self.id_entry.offer([*self._registered, *typed])
        self._tell()

    # --- what a person does ---

    def _filter(self, wanted: Filter) -> None:
        self._keeping_selection(lambda: self.model.show_only(wanted))
        self._tell()

    def _keeping_selection(self, change: Callable[[], None]) -> None:
        card = self.cards.card
        change()
        self.cards.select(card.id if card else "")
        if self.cards.card is None and self.model.found:
            self.cards.select(self.model.found[0].id)
        self._show(self.cards.card)

    def _search(self) -> None:
        self.filters.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.filters.search.selectAll()

    def _show(self, card: Card | None) -> None:
        self.details.show_card(card, in_use=self._experiment.plain.id)

    def _use_first(self, card: Card | None) -> None:
        """Take the first of what is offered with the card, which is the one that the details show."""
        self._use(card, self.details.terms.offered)

    def _use(self, card: Card | None, terms: Terms | None) -> None:
        if card is None or terms is None or self.details.refusal(card):
            return  # which the details say
        if terms == "kept" and card.id == self._experiment.plain.id:
            self.accept()
            return
        self._awaited = card.id
        self.asked.emit(card.id, terms)

    def _ask(self, id: str, terms: Terms | None) -> None:
        """Take what was typed, on these terms or the first that are offered with it."""
        card = next((card for card in self.model.cards if card.id == id), None)
        if card is not None:
            self.id_entry.explain()
            self.filters.clear()
            self.cards.select(id)
            self._use(card, terms or self.details.terms.offered)
        else:
            self._awaited = id
            self.asked.emit(id, terms or "starting")

    def _forget(self, card: Card) -> None:
        self._settings.setValue(_KEY, [id for id in self._typed() if id != card.id])
        self._experiment.forget(card.id)
        self.forgotten.emit(card.id)
        self.refresh()

    def _on_environment(self) -> None:
        self.refresh()
        if self._awaited == self._experiment.plain.id:
            self._awaited = ""
            self.id_entry.field.clear()
            self.accept()

    def _typed(self) -> list[str]:
        return strings(self._settings, _KEY)

    def _tell(self) -> None:
        found, total = len(self.model.found), len(self.model.cards)
        self._count.setText(f"{found} of {total}")
        self._stage.setCurrentIndex(0 if found else 1)
        if not found:
            self.nothing.setText(
                f"None of the {total} environments is what you look for: {self.filters.words}.\n"
                "Look for something else, or type the id of any other below."
            )
