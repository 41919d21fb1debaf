"""The trajectory inspector: the steps behind a bar, a dot or a moment, one by one, with all that became of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QDeadlineTimer, QPoint, Qt, QTimer
from PySide6.QtGui import QHideEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QToolTip, QVBoxLayout, QWidget

from app.models.inspection import Bar, BatchStep, Chosen, EpisodeDot, Inspection, Wanted
from app.models.past import Instant, Kept, Past
from app.panels.inspector.choosing import behind, row_of
from app.panels.inspector.play_from import PlayFromHere
from app.panels.inspector.rows import SampleRows, SampleTable
from app.panels.inspector.sample_view import SampleView
from app.panels.inspector.strip import EpisodeStrip
from app.panels.inspector.words import approach_words, headings
from app.panels.record import PanelWidget
from app.session.batch_lookup import BatchLookup, Found, Pictured
from app.session.playback_thread import PlaybackThread
from app.style.text import ElidedLabel, Stage, as_surface, set_role
from app.style.theme import Theme
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ActorCriticConfig, PolicyGradientConfig, RunConfig, ValueBasedConfig

if TYPE_CHECKING:  # with torch
    from app.models.history import History
    from engine.analysis.samples import Samples

EMPTY = (
    "Click a bar of Signal or a dot of Returns, and the steps behind it appear here: what was seen and done, its "
    "credit, baseline and advantage, and what the update made of it."
)
NO_RUN = "Train a run, then click a bar of Signal or a dot of Returns, and the steps behind it appear here."
OTHERWISE = (
    "Only runs that learn from steps of their own can be looked into step by step: policy gradients, and what learns "
    "action values. This run learns otherwise."
)
NO_EPISODES = (
    "Action values are learned from single steps of many episodes; click a bar of Signal, and those in it appear here."
)
BEFORE = "Before the first iteration nothing was collected; move the timeline on."
_LOOKS = 120  # ms between two looks at how far making again has come
_SETTLES = 300  # ms for which the timeline is to rest
_NARROW = 470  # pixels: what is narrower shows the list alone


class SamplesPanel(PanelWidget):
    """Makes iterations again on a thread of its own, when somebody asks for it; it has nothing to do with the run that
    trains."""

    def __init__(
        self, theme: Theme, playback: PlaybackThread, past: Past, inspection: Inspection, folder: Path | None
    ) -> None:
        super().__init__()
        as_surface(self)
        self._theme, self._past = theme, past
        self._environment: EnvironmentInfo | None = None
        self._config: RunConfig | None = None
        self._newest = 0  # iteration of the run that is shown
        self._found: Found | None = None
        self._told = NO_RUN  # in place of samples
        self._chosen: Chosen | None = None
        self._wanted: tuple[Wanted, Sequence[Kept]] | None = None  # what is not had yet, and what was kept then
        self._followed: Instant | None = None  # of the timeline, when anything was asked for last
        self.lookup = BatchLookup(folder, self)
        self.lookup.found.connect(self._take)
        self.lookup.failed.connect(self._fail)
        self.lookup.pictured.connect(self._show_picture)
        self._progress = QTimer(self, interval=_LOOKS)
        self._progress.timeout.connect(self._say_progress)
        self._settled = QTimer(self, singleShot=True, interval=_SETTLES)
        self._settled.timeout.connect(self._follow_past)
        self.play_button = PlayFromHere(playback, inspection, lambda: self._looked_at)
        self._build(theme)
        inspection.asked.connect(self.ask)
        past.changed.connect(self._settled.start)
        past.kept_changed.connect(self._ask_again)
        self.apply_theme(theme)
        self._offer()

    def _build(self, theme: Theme) -> None:
        self.heading, self.kind = ElidedLabel(), QLabel()
        self.heading.setProperty("small", True)
        set_role(self.kind, "muted")
        self.all_button, self.look_button = QToolButton(), QToolButton()
        self.all_button.setText("All")
        self.all_button.setToolTip("List every step of the batch")
        self.all_button.clicked.connect(lambda: self._choose(None))
        self.look_button.clicked.connect(self._look_or_cancel)
        self.play_button.refused.connect(self._refuse)
        header = QHBoxLayout()
        header.setSpacing(theme.unit // 2)
        header.setContentsMargins(theme.unit, theme.unit // 2, theme.unit, theme.unit // 2)
        for widget in (self.heading, self.kind):
            header.addWidget(widget)
        header.addStretch(1)
        for button in (self.all_button, self.look_button, self.play_button):
            header.addWidget(button)
        self.rows = SampleRows()
        self.table = SampleTable(self.rows)
        self.table.looked_at.connect(self._look_at)
        self.table.played.connect(lambda: self.play_button.play())
        self.table.customContextMenuRequested.connect(self._offer_menu)
        self.strip = EpisodeStrip(theme)
        self.strip.chosen.connect(self.walk_to)
        self.sample = SampleView(theme)
        left = QVBoxLayout()
        left.setSpacing(theme.unit // 2)
        left.addWidget(self.table, 1)
        left.addWidget(self.strip)
        content = QWidget()
        beside = QHBoxLayout(content)
        beside.setContentsMargins(theme.unit, 0, theme.unit, 0)
        beside.setSpacing(theme.unit)
        beside.addLayout(left, 3)
        beside.addWidget(self.sample, 2)
        self.stage = Stage(NO_RUN, content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, theme.unit // 2)
        layout.setSpacing(0)
        layout.addLayout(header)
        layout.addWidget(self.stage, 1)

    # --- from the window ----------------------------------------------------------------------------------------------

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        if (environment, config) == (self._environment, self._config):
            return
        self._environment, self._config = environment, config
        if self._found is None and not self.lookup.busy:
            self._empty()

    def refresh(self, history: History) -> None:
        self._newest = history.iterations
        if self._told == NO_RUN and self._past.run:
            self._empty()
        self._offer()

    def reset(self) -> None:
        self.lookup.drop()
        self.lookup.leave()
        self._progress.stop()
        self._newest, self._found, self._chosen, self._followed, self._wanted = 0, None, None, None, None
        self._empty()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        for part in (self.table, self.strip, self.sample, self.play_button):
            part.apply_theme(theme)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.sample.setVisible(self.width() >= self._theme.px(_NARROW))

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.lookup.leave()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._past.shown is not self._followed and not self._settled.isActive():
            self._settled.start()  # it may have been behind another tab, of which nothing else tells

    def end(self) -> None:
        self._progress.stop()
        self._settled.stop()
        self.lookup.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        return self.lookup.wait(deadline)

    @property
    def _fits(self) -> bool:
        """Whether iterations of such a run can be looked into."""
        return isinstance(self._config, PolicyGradientConfig | ValueBasedConfig | ActorCriticConfig)

    # --- which are looked at ------------------------------------------------------------------------------------------

    @property
    def samples(self) -> Samples | None:
        """Those of the iteration that is looked into."""
        return None if self._found is None else self._found.samples

    def ask(self, wanted: Wanted) -> None:
        """Show the steps that are wanted, for which their iteration may have to be made again."""
        found, self._followed, self._wanted = self._found, self._past.shown, None
        if found is not None and found.run == self._past.run and wanted.iteration == found.samples.looked.iteration:
            self.lookup.drop()
            self._progress.stop()
            self._choose(wanted.chosen)
            self.stage.fill(True)
        elif not self._fits:
            self._say(OTHERWISE)
        elif isinstance(wanted.chosen, EpisodeDot) and not isinstance(self._config, PolicyGradientConfig):
            self._say(NO_EPISODES)
        elif not self._past.run or self._environment is None:
            self._say(NO_RUN)
        elif wanted.iteration == 0:
            self._say(BEFORE)
        else:
            self._wanted = wanted, self._past.kept
            self._say("The iteration is looked for …")
            self.lookup.look(self._past.run, self._environment, wanted)
            self._progress.start()
        self._offer()

    def _say_progress(self) -> None:
        if not self.lookup.busy:
            self._progress.stop()
        elif self.lookup.approach is not None:
            self.stage.set_hint(approach_words(self.lookup.approach))

    def _follow_past(self) -> None:
        """Look into the iteration at which the timeline has come to rest, if anybody looks on."""
        shown = self._past.shown
        if shown is None:
            self._followed = None
            self._offer()
        elif shown is not self._followed and self.watched:
            # What is one of this batch's own is nothing in another.
            lasting = isinstance(self._chosen, Bar) and self._chosen.taken is None
            chosen = self._chosen if lasting else None
            self.ask(Wanted(shown.at.iteration, chosen))

    def _ask_again(self) -> None:
        """More is kept of the run, which is written after it is told: what could not be had before may be now."""
        if self._wanted is not None and not self.lookup.busy and self._wanted[1] is not self._past.kept:
            self.ask(self._wanted[0])

    def _take(self, found: Found) -> None:
        self._progress.stop()
        self._found, self._wanted = found, None
        self.sample.picture.forget_sizes()
        looked = found.samples.looked
        self.kind.setText("exact" if looked.exact else "a batch like it")
        self.kind.setToolTip(looked.how)
        set_role(self.kind, "muted" if looked.exact else "warning")
        self.stage.fill(True)
        self._choose(found.wanted.chosen)
        self._offer()

    def _fail(self, sentence: str) -> None:
        self._progress.stop()
        self._say(sentence)
        self._offer()
        self._ask_again()

    def _say(self, sentence: str) -> None:
        """A sentence in place of samples."""
        self._told = sentence
        self._found = self._chosen = None
        self.rows.show(None, np.zeros(0, np.int64))
        self.stage.set_hint(sentence)
        self.stage.fill(False)
        self.lookup.leave()

    def _empty(self) -> None:
        self._say((EMPTY if self._past.run else NO_RUN) if self._fits or self._config is None else OTHERWISE)
        self._offer()

    def _choose(self, chosen: Chosen | None) -> None:
        """List some of the samples, or all."""
        samples, found = self.samples, self._found
        if samples is None or found is None:
            return
        self._chosen = chosen
        rows, words = behind(samples, chosen, found.place if chosen == found.wanted.chosen else None)
        count = len(rows)
        if not count:
            rows = np.arange(len(samples))  # so that there is something to be seen, too
        heading, self.heading.shorter = headings(samples, words, count)
        self.heading.setText(heading)
        self.heading.setToolTip(f"{heading}. {samples.looked.how}")
        self.rows.show(samples, rows)
        self.table.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.DescendingOrder)
        meant = row_of(samples, chosen) if isinstance(chosen, BatchStep) else None
        self.table.look_at(meant if meant is not None and meant in rows else int(rows[0]))
        self._offer()

    # --- one of them --------------------------------------------------------------------------------------------------

    def walk_to(self, row: int) -> None:
        """Look at a step, which is listed with all others where it was not."""
        if self.samples is None:
            return
        if not bool((self.rows.rows == row).any()):
            self._choose(None)
        self.table.look_at(row)

    def _look_at(self, row: int) -> None:
        samples = self.samples
        if samples is None:
            return
        self.strip.setVisible(not samples.looked.single)
        self.strip.show_step(samples, row, self.rows.rows)
        self.sample.show_step(samples, row)
        if self.sample.isVisible():
            self.lookup.picture(samples, row)

    def _show_picture(self, pictured: Pictured) -> None:
        if pictured.row != self.table.row:
            return
        if pictured.picture is not None:
            self.sample.picture.show_picture(pictured.picture)
        else:
            self.sample.show_no_picture(pictured.why)

    @property
    def _looked_at(self) -> tuple[Samples, int] | None:
        samples, row = self.samples, self.table.row
        return None if samples is None or row is None else (samples, row)

    def _refuse(self, sentence: str) -> None:
        """No episode can begin in the state that is looked at, for this reason."""
        self.sample.say(sentence)
        if not self.sample.isVisible():
            QToolTip.showText(self.play_button.mapToGlobal(QPoint(0, 0)), sentence, self.play_button)

    def _offer_menu(self, place: QPoint) -> None:
        self.play_button.offer_menu(self.table.viewport().mapToGlobal(place))

    # --- what is offered ----------------------------------------------------------------------------------------------

    @property
    def _here(self) -> int:
        """The iteration that is shown elsewhere."""
        return self._newest if self._past.shown is None else self._past.shown.at.iteration

    def _look_or_cancel(self) -> None:
        if self.lookup.busy:
            self.lookup.drop()
            self._wanted = None
            self._empty()
        else:
            self.ask(Wanted(self._here))

    def _offer(self) -> None:
        """Say what can be done now."""
        there, busy = self._found is not None, self.lookup.busy
        for widget in (self.heading, self.kind, self.play_button):
            widget.setVisible(there)
        self.all_button.setVisible(there and self._chosen is not None)
        here = self._here
        looked = self._found.samples.looked.iteration if self._found is not None else None
        self.look_button.setVisible(busy or (self._fits and here > 0 and here != looked and bool(self._past.run)))
        words = f"Iteration {here:,}" if there else f"Look into iteration {here:,}"
        self.look_button.setText("Cancel" if busy else words)
        self.look_button.setToolTip("" if busy else f"Look into iteration {here:,} instead")
