"""The runs as a person meets them in the window: their row, their chips, their pace, and what can be done with them."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.models.experiment import Experiment
from app.models.run_state import ACTIVE, WORDS, RunState
from app.models.runs import Difference, KeptRun, differences, live_changes
from app.session.playback_thread import PlaybackThread
from app.session.run_controller import RunController
from app.style.theme import Theme
from app.window.pace import PaceControl
from app.window.panels import Panels
from app.window.run_chips import RunChips
from app.window.run_row import NOTHING_YET, RunRow, RunWords, state_words


class Runs(QObject):
    """Keeps the widgets true to the controller and the choice.

    ``start_asked`` and ``go_on_asked`` want the choice to be looked at first, what is still being typed included.
    """

    start_asked = Signal()
    go_on_asked = Signal()

    def __init__(
        self, controller: RunController, experiment: Experiment, playback: PlaybackThread, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._controller, self._experiment, self._playback = controller, experiment, playback
        self.row, self.chips, self.pace = RunRow(), RunChips(), PaceControl()
        self.row.start_asked.connect(self.start_asked)
        self.row.go_on_asked.connect(self.go_on_asked)
        self.row.back_asked.connect(self.back)
        self.row.undo_asked.connect(controller.undo_reset)
        self.row.stop_asked.connect(controller.stop)
        self.chips.cleared.connect(controller.clear_ghost)
        self.chips.swapped.connect(controller.show_ghost_instead)
        self.pace.paced.connect(controller.set_pace)
        self.pace.followed.connect(playback.set_follow)
        playback.follow_changed.connect(self.pace.show_follow)
        experiment.changed.connect(self.refresh)
        controller.state_changed.connect(self.refresh)
        controller.runs_changed.connect(self.refresh)
        self.refresh()

    # --- what a person asks -------------------------------------------------------------------------------------------

    def go_on(self) -> None:
        """Go on with the run that is shown; of an edited choice what may change while training is taken along, and the
        rest is chosen again as the run has it."""
        self._controller.go_on(self._experiment.config)
        if self._controller.state is RunState.RUNNING:
            self.back()

    def back(self) -> None:
        """Choose again what the run that is shown has."""
        shown = self._controller.shown
        if shown is not None:
            self._experiment.set_config(shown.config, shown.plain)

    # --- what is shown ------------------------------------------------------------------------------------------------

    def tell(self, panels: Panels) -> None:
        """Tell the panels whose data they show."""
        shown, ghost = self._controller.shown, self._controller.ghost
        panels.name_run(shown.run.name if shown is not None else "")
        drawn = ghost is not None and (shown is None or shown.run.compares_with(ghost.run))
        panels.show_ghost(ghost.run if ghost is not None and drawn else None)

    def restore(self, kept: KeptRun, panels: Panels) -> None:
        """Show a run that was shown before, with its policy."""
        panels.reset()
        panels.set_choice(kept.run.environment, kept.config)
        panels.refresh(kept.run.history)
        if kept.policy is not None:
            self._playback.offer(kept.policy, new_run=True)
        else:
            self._playback.reset()

    def refresh(self) -> None:
        controller, config = self._controller, self._experiment.config
        shown = controller.shown
        edits = [] if shown is None or controller.state in ACTIVE else differences(shown.config, config)
        self.show_state(tuple(edits))
        self.chips.show_runs(shown, controller.ghost)
        self.chips.set_swappable(controller.state not in ACTIVE)
        row = self.row
        if controller.state is RunState.PAUSED:
            row.show_buttons(row.stop_button)
        elif shown is None:
            row.show_buttons(*([row.undo_button] if controller.can_undo else []))
        elif not edits:
            row.show_buttons()
        elif controller.goes_on(config):
            row.offer_to_go_on(shown.run.number, _what_becomes(len(edits), len(live_changes(shown.config, config))))
            row.show_buttons(row.go_on_button, row.back_button)
        else:
            row.show_buttons(row.start_button, row.back_button)

    def show_state(self, edits: tuple[Difference, ...] | None = None) -> None:
        """Say which run is shown, and what it is at; ``edits`` are as they were where they are None."""
        self.row.show_words(self._words(self.row.words.edits if edits is None else edits))

    def _words(self, edits: tuple[Difference, ...]) -> RunWords:
        controller = self._controller
        shown = controller.shown
        if shown is not None:
            state = state_words(shown.state, controller.activity, solved=shown.run.history.solved is not None)
            return RunWords(f"run {shown.run.number} · {shown.run.name}", state, edits)
        if controller.state in ACTIVE:
            return RunWords(f"run {controller.next_number}", WORDS[controller.state].lower())
        cleared = controller.last_reset
        return RunWords(f"Run {cleared.run.number} was cleared." if cleared is not None else NOTHING_YET)

    def apply_theme(self, theme: Theme) -> None:
        for widget in (self.row, self.chips, self.pace):
            widget.apply_theme(theme)


def _what_becomes(edits: int, live: int) -> str:
    """What becomes of the edits, of which so many may change while training, where the run goes on all the same."""
    if live == edits:
        return "with the edited choice from here on"
    if not live:
        return "as it was; the choice goes back to the run's"
    return "with what may change while training as edited; the rest of the choice goes back to the run's"
