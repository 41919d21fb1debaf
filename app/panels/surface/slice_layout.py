"""The widgets of a slice and how they lie: what is shown, the map with its two axes, and where the slice is laid."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.panels.surface.against import AgainstPlot
from app.panels.surface.held import HeldSliders
from app.panels.surface.slice_map import SliceMap
from app.panels.surface.thumbnail import Thumbnail
from app.session.played_returns import EPISODES
from app.style.combo import SHORTER, Combo
from app.style.theme import Theme
from engine.environments.making.state_spaces import Component

PLAY, PLAY_VISITED, STOP = "Play returns", "Play from visited", "Stop"
_LEAST_PICTURE = 40  # pixels of the agent in small
_LINES = 3  # that what is told has, whatever it says


class SliceLayout(QWidget):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.shows, self.up, self.across = Combo(), Combo(), Combo()
        self.shows.setAccessibleName("What the colours are of")
        self.up.setAccessibleName("Vertical axis")
        self.across.setAccessibleName("Horizontal axis")
        self.map, self.against = SliceMap(theme), AgainstPlot(theme)
        self.views = QStackedWidget()
        self.views.addWidget(self.map)
        self.views.addWidget(self.against)
        self.thumbnail = Thumbnail(theme)
        self.whole = QToolButton()
        self.whole.setText("Whole range")
        self.whole.setToolTip("Show the usual range of both axes again")
        self.whole.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Ignored)  # so that the row stays as high
        self.whole.hide()
        self.held = HeldSliders(theme)
        self.follows = QCheckBox("As in the episode")
        self.follows.setToolTip("Lay the slice where the agent is: what has no axis is held as it is in its state")
        self.play = QPushButton(PLAY)
        self.play.setToolTip(
            f"Play {EPISODES} episodes of this policy from points all over the slice. A disc that vanishes in the map "
            "says that V is right there"
        )
        self.progress = _progress(theme)
        self.told = _told()
        self._lay_out(theme)

    def _lay_out(self, theme: Theme) -> None:
        head = QGridLayout()
        head.setSpacing(theme.unit // 2)
        head.addWidget(self.shows, 0, 0)
        head.addWidget(self.up, 1, 0)
        head.addWidget(self.thumbnail, 0, 1, 2, 1)
        head.setColumnStretch(0, 1)
        foot, buttons = QHBoxLayout(), QHBoxLayout()
        for row in (foot, buttons):
            row.setSpacing(theme.unit // 2)
        foot.addWidget(self.across, 1)
        foot.addWidget(self.whole)
        buttons.addWidget(self.follows, 1)
        buttons.addWidget(self.play)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.unit, theme.unit, theme.unit, theme.unit // 2)
        column.setSpacing(theme.unit // 2)
        column.addLayout(head)
        column.addWidget(self.views, 1)
        column.addLayout(foot)
        column.addWidget(self.held)
        column.addLayout(buttons)
        column.addWidget(self.progress)
        column.addWidget(self.told)

    def offer_axes(self, components: Sequence[Component]) -> None:
        """Let these be chosen as axes; where there is little room, their units are given up first."""
        for combo, sign in ((self.across, "→"), (self.up, "↑")):
            combo.clear()
            for each in components:
                combo.addItem(f"{sign} {each.name}{f' ({each.unit})' * bool(each.unit)}")
                combo.setItemData(combo.count() - 1, f"{sign} {each.name}", SHORTER)
        self._share_head()

    def offer_quantities(self, titles: Sequence[str]) -> None:
        """Let these be chosen as what is shown."""
        self.shows.clear()
        self.shows.addItems(titles)
        self._share_head()

    def _share_head(self) -> None:
        """Leave the agent's picture what room the names beside it do not need, whichever of them is chosen."""
        combos = (self.shows, self.up)
        names = max((each.width_for(each.itemText(row)) for each in combos for row in range(each.count())), default=0)
        room = self.width() - 2 * self._theme.unit - self._theme.unit // 2 - names
        self.thumbnail.setVisible(room >= self._theme.px(_LEAST_PICTURE))
        self.thumbnail.setFixedWidth(max(min(room, self.thumbnail.sizeHint().width()), 1))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_head()

    @property
    def axes(self) -> tuple[int, int]:
        """The coordinates along which the slice extends, (right, up)."""
        return self.across.currentIndex(), self.up.currentIndex()

    def show_axes(self, across: int, up: int) -> None:
        self.across.setCurrentIndex(across)
        self.up.setCurrentIndex(up)
        self.held.show_axes((across, up))

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        for widget in (self.map, self.against, self.thumbnail):
            widget.apply_theme(theme)
        self._share_head()


def _progress(theme: Theme) -> QProgressBar:
    """It has its place when it is hidden, too, so that nothing moves."""
    progress = QProgressBar()
    progress.setRange(0, 100)
    progress.setTextVisible(False)
    progress.setFixedHeight(theme.unit // 2)
    kept = progress.sizePolicy()
    kept.setRetainSizeWhenHidden(True)
    progress.setSizePolicy(kept)
    progress.hide()
    return progress


def _told() -> QLabel:
    told = QLabel()
    told.setWordWrap(True)
    told.setProperty("role", "muted")
    told.setProperty("small", True)
    told.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    told.setMinimumHeight(_LINES * told.fontMetrics().lineSpacing())
    told.setAlignment(Qt.AlignmentFlag.AlignTop)
    return told
