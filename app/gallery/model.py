"""The gallery's cards: every environment that can be had, which of them a filter lets through, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from engine.catalogue.environments import ENVIRONMENTS, EXTRAS, FAMILIES
from engine.catalogue.family import Extra
from engine.catalogue.spaces import EnvironmentInfo, Space

ITEM_ROLE = Qt.ItemDataRole.UserRole

GROUPS: dict[str, str] = {
    "own": "Your own",
    **{family.name: family.title for family in FAMILIES.values()},
    "registered": "Also registered with Gymnasium",
}


@dataclass(frozen=True)
class Card:
    """One environment; ``info`` is None until it has been looked at, ``missing`` the extra it lacks."""

    id: str
    group: str
    info: EnvironmentInfo | None = None
    missing: Extra | None = None

    @property
    def title(self) -> str:
        """Without the module that may be named in an id."""
        return (self.info.title if self.info else self.id).rpartition(":")[2]


@dataclass(frozen=True)
class Section:
    """The heading of a group; ``missing`` is the extra that all in it lack."""

    title: str
    count: int
    missing: Extra | None = None


@dataclass(frozen=True)
class Filter:
    """What is looked for; an empty field lets everything through."""

    text: str = ""
    actions: str = ""
    sees: str = ""
    group: str = ""
    needs: str = ""

    def lets_through(self, card: Card) -> bool:
        checks: tuple[tuple[str, Callable[[], bool]], ...] = (
            (self.actions, lambda: card.info is not None and kind_of_actions(card.info.action) == self.actions),
            (self.sees, lambda: card.info is not None and kind_of_sight(card.info.observation) == self.sees),
            (self.group, lambda: card.group == self.group),
            (self.needs, lambda: _NEEDS[self.needs](card)),
        )
        return all(holds() for wanted, holds in checks if wanted) and self._finds(card)

    def _finds(self, card: Card) -> bool:
        """Whether every word stands somewhere in what is said of the environment."""
        info = card.info
        said = [card.id, GROUPS[card.group], *((info.title, info.summary, info.teaches) if info else ())]
        whole = "\n".join(said).casefold()
        return all(word in whole for word in self.text.casefold().split())

    @property
    def is_empty(self) -> bool:
        return not any(getattr(self, field.name).strip() for field in fields(self))


_NEEDS: dict[str, Callable[[Card], bool]] = {
    "installed": lambda card: card.missing is None,
    "nothing": lambda card: card.group not in EXTRAS,
    "extra": lambda card: card.group in EXTRAS,
}


def kind_of_actions(space: Space) -> str:
    return "continuous" if space.kind == "box" else "discrete"


def kind_of_sight(space: Space) -> str:
    if space.kind == "discrete":
        return "states"
    return "images" if space.image else "numbers"


def all_cards(looked_at: Iterable[EnvironmentInfo], typed: Iterable[str], registered: Iterable[str]) -> list[Card]:
    """One card for each environment.

    Args:
        looked_at: those that the catalogue does not describe, but that are known by now.
        typed: ids that a person has asked for before.
        registered: further ids that are registered.
    """
    missing = {family: None if extra.installed else extra for family, extra in EXTRAS.items()}
    cards = {id: Card(id, info.family, info, missing.get(info.family)) for id, info in ENVIRONMENTS.items()}
    added = {info.id: Card(info.id, "own", info) for info in looked_at}
    for id in typed:
        added.setdefault(id, Card(id, "own"))
    here = {id.rpartition(":")[2] for id in added}  # what a module registers needs no card without the module
    added |= {id: Card(id, "registered") for id in registered if id not in here}
    return [*cards.values(), *(card for id, card in added.items() if id not in cards)]


def arranged(cards: Sequence[Card], wanted: Filter) -> list[Section | Card]:
    """Those that ``wanted`` lets through, group by group under a heading."""
    rows: list[Section | Card] = []
    for group, title in GROUPS.items():
        found = [card for card in cards if card.group == group and wanted.lets_through(card)]
        if found:
            rows += [Section(title, len(found), found[0].missing), *found]
    return rows


class GalleryModel(QAbstractListModel):
    """Headings, which cannot be selected, and cards, which can; both come as ``ITEM_ROLE``."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.cards: list[Card] = []
        self._wanted = Filter()
        self._rows: list[Section | Card] = []

    def show_cards(self, cards: list[Card]) -> None:
        if cards != self.cards:
            self.cards = cards
            self._arrange()

    def show_only(self, wanted: Filter) -> None:
        if wanted != self._wanted:
            self._wanted = wanted
            self._arrange()

    def _arrange(self) -> None:
        rows = arranged(self.cards, self._wanted)
        if rows != self._rows:
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()

    @property
    def found(self) -> list[Card]:
        return [row for row in self._rows if isinstance(row, Card)]

    def index_of(self, id: str) -> QModelIndex:
        """Where the card of an environment is; no index where it is not shown."""
        for number, row in enumerate(self._rows):
            if isinstance(row, Card) and row.id == id:
                return self.index(number)
        return QModelIndex()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def flags(self, index: QModelIndex | QPersistentModelIndex) -> Qt.ItemFlag:
        if index.isValid() and isinstance(self._rows[index.row()], Card):
            return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
        return Qt.ItemFlag.NoItemFlags

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        if role == ITEM_ROLE:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return row.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return _spoken(row)
        return None


def _spoken(row: Section | Card) -> str:
    if isinstance(row, Section):
        return f"{row.title}, {row.count}"
    parts = [row.title, row.info.summary if row.info else "", "Not installed" if row.missing else ""]
    return ". ".join(part.rstrip(".") for part in parts if part)
