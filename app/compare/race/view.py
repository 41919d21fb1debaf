"""Up to eight agents side by side, in step and ordered by return: what their runs have learned, seen at once."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeySequence, QResizeEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.compare.caveats import of_one_environment
from app.compare.compared import Compared, ComparedRun
from app.compare.race.choosing import common_steps, names_of, racing, said_of
from app.compare.race.controls import RaceControls
from app.compare.race.standings import Standing, Standings
from app.compare.race.tile import MAKING, Tile, best_columns
from app.panels.record import PanelWidget
from app.session.allowance import Allowance
from app.session.side import SideFrame
from app.session.side_by_side import Known, Lineup, Shown, SideBySide, known_in_the_catalogue
from app.style.format import short_number
from app.style.text import ElidedLabel, Stage, as_surface
from app.style.theme import Theme
from engine.runs.racing import ranks
from engine.runs.records import Status

EMPTY = "Tick runs in the list, and their agents play here side by side."
_STANDINGS, _LEAST, _MOST = 0.26, 150, 400  # of the width, and pixels at least and at most
_SOON = 60  # ms until what was not drawn for want of time is looked at again
_ASPECT = 1.5  # width by height, until there are pictures
_EARLY = 0.8  # of the steps that all are to have trained
_AROUND = 52  # pixels of a tile above and beneath its picture


class RaceView(PanelWidget):
    """Plays while it can be seen."""

    filled = Signal(bool)  # whether it is to have all the room of the page

    def __init__(self, theme: Theme, compared: Compared, known: Known = known_in_the_catalogue) -> None:
        super().__init__()
        as_surface(self)
        self._theme, self._compared = theme, compared
        self._runs: tuple[ComparedRun, ...] = ()
        self._titles: list[str] = []  # of them, in the standings
        self._one_scale = True
        self._columns = 0
        self._allowance = Allowance()
        self.player = SideBySide(compared.library.folder, known)
        self.controls = RaceControls(theme, self.player)
        self.tiles: list[Tile] = []
        self.standings = Standings(theme)
        self.said, self.told = QLabel(), ElidedLabel()
        self._later = QTimer(self, singleShot=True, interval=_SOON)
        self._later.timeout.connect(self._show_newest)
        self._arrange()
        self.player.frames_ready.connect(self._show_newest)
        self.player.failed.connect(self._fail)
        self.controls.changed.connect(self._race)
        self.controls.restarted.connect(self._race)
        self._back = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)  # wherever the focus is
        self._back.setEnabled(False)
        self._back.activated.connect(lambda: self.controls.fill_button.setChecked(False))
        self.controls.fill_button.toggled.connect(self.filled)
        self.controls.fill_button.toggled.connect(self._back.setEnabled)
        compared.library.changed.connect(self._note_training)
        compared.follow(self._follow)
        self.apply_theme(theme)
        self._follow()

    def _arrange(self) -> None:
        self.said.setProperty("role", "warning")
        self.said.setWordWrap(True)
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        self.said.hide()
        self.told.setProperty("role", "muted")
        tiles, course = QWidget(), QWidget()
        self._grid = QGridLayout(tiles)
        self._grid.setContentsMargins(0, 0, 0, 0)
        beside = QHBoxLayout(course)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(tiles, 1)
        beside.addWidget(self.standings)
        self._place = tiles
        self._stage = Stage(EMPTY, course)
        self._layout = QVBoxLayout(self)
        self._layout.addWidget(self.controls)
        self._layout.addWidget(self.said)
        self._layout.addWidget(self._stage, 1)
        self._layout.addWidget(self.told)

    # --- who races ----------------------------------------------------------------------------------------------------

    @property
    def runs(self) -> Sequence[ComparedRun]:
        """Those that race, in the order of their tiles."""
        return self._runs

    def _follow(self) -> None:
        """Take the runs that are compared now; those that raced before go on."""
        before = [run.id for run in self._runs]
        compared = self._compared.runs
        self._runs = racing(self._compared.groups)
        self._one_scale = of_one_environment(self._runs)
        self.controls.show_end(common_steps(self._runs))
        said = said_of(compared, self._one_scale)
        self.said.setText(said)
        self.said.setVisible(bool(said))
        self._stage.fill(bool(self._runs))
        while len(self.tiles) < len(self._runs):
            self.tiles.append(Tile(self._theme))
            self.tiles[-1].setParent(self._place)
        names = names_of(self._runs)
        self._titles = [f"{run.record.number} · {name}" for run, name in zip(self._runs, names, strict=True)]
        for tile, run, name in zip(self.tiles, self._runs, names, strict=False):
            tile.show_run(run, name, self._compared.style(run))
        if [run.id for run in self._runs] != before:
            self._columns = 0
            self._place_tiles()
            self._race()
        self._note_training()

    def _race(self) -> None:
        """Have them race from the first round."""
        for tile in self.tiles:
            if not self.player.lineup or not tile.view.isVisible() or tile.view.sentence:
                tile.clear(MAKING)
        self.told.clear()
        named = zip(self._runs, self._titles, strict=True)
        self.standings.show_rows([Standing(run.id, title, self._compared.style(run)) for run, title in named])
        runs = tuple(run.id for run in self._runs)
        self.player.show_lineup(Lineup(runs, self.controls.at, self.controls.alike) if runs else None)

    def _note_training(self) -> None:
        """Take less of the machine while something learns."""
        self.player.set_yields(any(record.status is Status.RUNNING for record in self._compared.library.records()))

    # --- how they do --------------------------------------------------------------------------------------------------

    def _show_newest(self) -> None:
        if not self._allowance.is_left() and self.player.yields:
            self._later.start()
            return
        shown = self.player.take()
        if shown is None or len(shown.sides) != len(self._runs):
            return
        standings = self._standings(shown.sides)
        for tile, side, standing in zip(self.tiles, shown.sides, standings, strict=False):
            tile.show_side(side, standing.rank)
        self.standings.show_rows(standings)
        playing = any(side.frame is not None and not side.frame.ended for side in shown.sides)
        if shown.round == 1 and not playing:
            self.controls.round_ended()
        told = self._words(shown)
        if told != self.told.text():
            self.told.setText(told)
            self.told.setToolTip(told)
        self._place_tiles()

    def _standings(self, sides: Sequence[SideFrame]) -> list[Standing]:
        """Of those that play; where returns are not of one scale nobody has a rank, nor before all have begun."""
        values = [None if side.frame is None else side.frame.reward_so_far for side in sides]
        known = [value for value in values if value is not None]
        places = iter(ranks(known))
        begun = any(side.frame is not None and side.frame.step for side in sides)
        ranked = self._one_scale and begun and len(known) > 1
        found, looks = [], self._compared.looks
        for run, title, side, value in zip(self._runs, self._titles, sides, values, strict=True):
            rank = next(places) if value is not None else None
            style = looks.get(run.id, run.style)
            found.append(Standing(run.id, title, style, rank if ranked else None, value, _rounds(side)))
        return found

    def _words(self, shown: Shown) -> str:
        """Which round it is, who still plays, and at which pace where that is not what was asked for."""
        frames = [side.frame for side in shown.sides if side.frame is not None]
        playing = sum(not frame.ended for frame in frames)
        said = [f"Round {shown.round}"]
        said.append(
            f"{playing} of {len(frames)} still play" if playing else "all have ended, and the next round begins"
        )
        early = [str(run.record.number) for run, side in zip(self._runs, shown.sides, strict=True) if self._early(side)]
        if early:
            said.append(f"of run {', '.join(early)} nothing was kept so late, so that an earlier policy plays")
        if shown.slow is not None:
            why = "a run that trains goes first" if self.player.yields else "this machine shows so many no faster"
            said.append(f"plays at {short_number(shown.slow, 2)}×, as {why}")
        return " · ".join(said)

    def _early(self, side: SideFrame) -> bool:
        """Whether the policy that plays is of clearly fewer steps than all are to have trained."""
        at = self.controls.at
        return isinstance(at, int) and side.frame is not None and side.environment_steps < _EARLY * at

    def _fail(self, sentence: str) -> None:
        for tile in self.tiles:
            tile.clear(sentence, "warning")
        self.told.clear()

    # --- the look -----------------------------------------------------------------------------------------------------

    def set_alone(self, alone: bool) -> None:
        """Whether nothing else can be seen of what it belongs to, as in front of a room."""
        self.controls.fill_button.setVisible(not alone)
        self._back.setEnabled(not alone and self.controls.fill_button.isChecked())

    def _place_tiles(self) -> None:
        """In as many columns as make the pictures largest."""
        count = len(self._runs)
        if not count:
            return
        aspect = min((tile.view.aspect for tile in self.tiles[:count]), default=_ASPECT)
        size = self._place.size()
        columns = best_columns(count, size.width(), size.height(), aspect, self._theme.px(_AROUND))
        if columns == self._columns:
            return
        self._columns = columns
        while self._grid.count():
            self._grid.takeAt(0)
        for at, tile in enumerate(self.tiles):
            if at < count:
                self._grid.addWidget(tile, at // columns, at % columns)
            tile.setVisible(at < count)  # in its place: it would be a window of its own before
        for number in range(len(self.tiles)):
            self._grid.setColumnStretch(number, int(number < columns))
            self._grid.setRowStretch(number, int(number < -(-count // columns)))

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.controls.apply_theme(theme)
        for tile in self.tiles:
            tile.apply_theme(theme)
        self.standings.apply_theme(theme)
        unit = theme.px(theme.unit)
        self._layout.setContentsMargins(unit, unit, unit, unit)
        self._layout.setSpacing(unit // 2)
        self._grid.setSpacing(unit)
        self._fit()

    def _fit(self) -> None:
        wanted = round(_STANDINGS * self.width())
        self.standings.setFixedWidth(min(max(wanted, self._theme.px(_LEAST)), self._theme.px(_MOST)))
        QTimer.singleShot(0, self, self._place_tiles)  # once all have the room that they have now

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self.player.isRunning():
            self.player.start()
        self.player.set_wanted(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.player.set_wanted(False)


def _rounds(side: SideFrame) -> str:
    """What its rounds have come to: "5 rounds: 182 ± 30"."""
    count, mean = len(side.returns), side.mean
    if not count:
        return ""
    if mean is None:
        return f"1 round: {short_number(side.returns[0], 4)}"
    return f"{count:,} rounds: {short_number(mean.value, 4)} ± {short_number(mean.half_width)}"
