"""What is wrong with the run that is shown: looked for now and then, said beneath its plots, and pointed at in them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QTimer

from app.models.run_state import ACTIVE, ENDED, RunState
from app.models.runs import KeptRun
from app.panels.findings.card import FindingsCard
from app.panels.findings.line import FindingsLine
from app.style.theme import Theme
from app.window.compare_mode import CompareMode
from app.window.panels import Panels
from app.window.runs import Runs
from app.window.train_page import TrainPage
from engine.config.bugs import bug_in, is_hidden

if TYPE_CHECKING:  # with numpy, which the window's first picture does not wait for
    from engine.analysis.doctor.reported import Reported
    from engine.analysis.doctor.rule import Finding, Try

_EVERY = 2000  # ms from one look to the next while a run trains
_STAYS = 10.0  # seconds for which a sentence keeps its numbers, so that it can be read
_TWICE = 2  # looks in succession that a finding takes to come while a run trains, and to go again


class Findings(QObject):
    """Keeps the line beneath the plots of the Train mode true to the run and the instant that they show."""

    def __init__(self, page: TrainPage, panels: Panels, runs: Runs, compare: CompareMode) -> None:
        super().__init__(page)
        self._page, self._panels, self._runs, self._compare = page, panels, runs, compare
        self.line, self.card = FindingsLine(), FindingsCard(page)
        self._mark: tuple[object, ...] = ()
        self._reported: Reported | None = None
        self._seen: dict[str, int] = {}  # by rule, in how many looks in succession something was seen; below 0, not
        self._shown: dict[str, tuple[Finding, float]] = {}  # by rule, what is shown and since when
        self._try: tuple[str, Try] | None = None  # of which run, to be had once it has stopped
        page.hold_beneath(self.line)
        self.line.more.setProperty("opens findings", True)
        self.line.pointed.connect(self.point_at)
        self.line.opened.connect(self._open)
        self.card.pointed.connect(self.point_at)
        self.card.tried.connect(self._duplicate)
        self.card.closed.connect(lambda: self.line.more.setChecked(False))
        for watched in (page, page.centre):
            watched.installEventFilter(self)
        page.themed.connect(self._wear)
        self._timer = QTimer(self, interval=_EVERY)
        self._timer.timeout.connect(self.look)
        self._soon = QTimer(self, interval=0, singleShot=True)
        self._soon.timeout.connect(self.look)
        controller = runs.controller
        self._place()
        controller.state_changed.connect(self._follow)
        controller.runs_changed.connect(self._soon.start)
        controller.restored.connect(lambda _kept: self._soon.start())
        panels.past.changed.connect(self._soon.start)
        runs.shelf.drawn_changed.connect(self._soon.start)

    # --- what is seen -------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Look at the run as it is shown, if anybody can see what there is to say of it."""
        shown, past = self._runs.controller.shown, self._panels.past.shown
        if shown is None or is_hidden(bug_in(shown.config)):  # which is to be guessed by the plots alone
            self._forget()
            return
        if not self._page.isVisible() or not self._panels.complete:
            return
        last = self._runs.controller.ghost  # which nobody has chosen to compare with
        ghosts = [run for run in self._runs.shelf.ghosts() if last is None or run.id != last.run.id]
        history, until = shown.run.history, past.at.environment_steps if past is not None else None
        here = (shown.run.id, until)
        mark = (*here, len(history.steps), len(history.episode_returns), tuple(ghost.id for ghost in ghosts))
        if mark == self._mark:
            return
        if here != self._mark[:2]:
            self._forget()
        self._mark = mark
        from app.models.reported import reported
        from engine.analysis.doctor.rules import findings

        self._reported = reported(shown.run, shown.config, until, ghosts)
        live = until is None and shown.state is RunState.RUNNING
        self._show(self._settled(findings(self._reported), live))

    def _settled(self, found: Sequence[Finding], live: bool) -> list[Finding]:
        """What is to be shown: while a run trains, what was seen twice, until it was not seen twice."""
        now, names = time.monotonic(), {finding.rule.name: finding for finding in found}
        for name in {*names, *self._seen}:
            before = self._seen.get(name, 0)
            self._seen[name] = max(before, 0) + 1 if name in names else min(before, 0) - 1
        shown: dict[str, tuple[Finding, float]] = {}
        for name, count in self._seen.items():
            if name in names and (name in self._shown or count >= _TWICE or not live):
                kept = self._shown.get(name)
                fresh = kept is None or not live or now - kept[1] > _STAYS
                shown[name] = (names[name], now) if kept is None or fresh else kept
            elif name in self._shown and live and -count < _TWICE:
                shown[name] = self._shown[name]
        self._shown = shown
        from engine.analysis.doctor.rules import RULES

        return [shown[rule.name][0] for rule in RULES if rule.name in shown]

    def _show(self, findings: Sequence[Finding]) -> None:
        if tuple(findings) == self.line.findings:
            return
        self.line.show_findings(findings)
        if not findings:
            self.card.close_card()  # else it stays as it was opened: what is read and reached for does not move

    def _forget(self) -> None:
        self._mark, self._seen, self._shown, self._reported = (), {}, {}, None
        self._show(())

    def _follow(self, state: RunState) -> None:
        if state is RunState.RUNNING:
            self._timer.start()
        else:
            self._timer.stop()
        if state in ENDED or state is RunState.PAUSED:
            self._mark = self._mark[:2]  # what it was at last is looked at once more
            self._soon.start()
        if self._try is not None and state not in ACTIVE:
            (run, change), self._try = self._try, None
            shown = self._runs.controller.shown
            if shown is not None and shown.run.id == run:
                self._begin_again(shown, change)

    # --- what a person asks -------------------------------------------------------------------------------------------

    def point_at(self, finding: Finding) -> None:
        """Show the plot in which a finding is seen."""
        self.card.close_card()
        widget = self._panels.titled(finding.rule.panel)
        if widget is not None:
            self._page.bring_forward(finding.rule.panel)
            QTimer.singleShot(0, widget, lambda: widget.point_at(finding.rule.curves))

    def _open(self, opened: bool) -> None:
        if not opened:
            self.card.close_card()
            return
        self._fill()
        self.card.open()

    def _fill(self) -> None:
        from engine.analysis.doctor.rule import offered

        told = self._reported
        if told is not None:
            self.card.fill(self.line.findings, lambda finding: offered(finding, told))
            self._place()

    def _place(self) -> None:
        left = self._page.centre_left
        self.line.stand_at(left)
        if self.line.more.isChecked():
            self.card.lie_above(QPoint(self.line.x(), self.line.y()), left)

    def _wear(self, theme: Theme) -> None:
        self.line.apply_theme(theme)
        self.card.apply_theme(theme)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show):
            self._place()
        if event.type() == QEvent.Type.Show and watched is self._page:
            self._soon.start()  # nobody looked while it could not be seen
        return False

    def _duplicate(self, change: Try) -> None:
        """Choose what the run has with one change, once it has stopped."""
        controller = self._runs.controller
        shown = controller.shown
        if shown is None:
            return
        self.card.close_card()
        if controller.state in ACTIVE:
            self._try = shown.run.id, change
            controller.stop()
        else:
            self._begin_again(shown, change)

    def _begin_again(self, shown: KeptRun, change: Try) -> None:
        self._compare.duplicate_with(shown, change.values, change.words)
