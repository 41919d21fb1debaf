"""The runs as a person meets them in the window: their row, their chips, their pace, and what can be done with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QToolButton, QWidget

from app.models.run_state import ACTIVE, RunState, longer, state_words
from app.models.runs import Difference, KeptRun, differences, live_changes
from app.session.choice_loader import ChoiceLoader
from app.session.looking_back import LookingBack
from app.session.playback_thread import PlaybackThread
from app.session.run_controller import RunController
from app.session.run_library import RunLibrary
from app.session.seed_following import SeedFollowing
from app.session.seed_workers import SeedWorkers
from app.session.thumbnails import Thumbnails
from app.style.theme import Theme
from app.window.fine_tuning import FineTuning
from app.window.frame import Frame
from app.window.offer import Offer
from app.window.pace import PaceControl
from app.window.panels import Panels
from app.window.run_opener import RunOpener
from app.window.run_row import NOTHING_YET, RunRow, RunWords
from app.window.run_shelf import RunShelf
from app.window.undoing import Undoing
from engine.config.parameters import values_between, with_values

if TYPE_CHECKING:
    from app.window.run_table import RunTable


_BUDGET = "budget.environment_steps"


class Runs(QObject):
    """Keeps the widgets true to the controller and the choice.

    ``start_asked`` and ``go_on_asked`` want the choice to be looked at first, what is still being typed included, which
    ``is_sound`` does; ``log`` carries level and sentence. ``beside_asked`` wants a run of this RunConfig to be trained,
    and compared with that of this RunRecord.
    """

    start_asked = Signal()
    go_on_asked = Signal()
    log = Signal(str, str)
    beside_asked = Signal(object, object)

    def __init__(
        self,
        controller: RunController,
        library: RunLibrary,
        choice: ChoiceLoader,
        playback: PlaybackThread,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        experiment = choice.experiment
        self._controller, self._experiment, self._playback = controller, experiment, playback
        self._library = library
        self.is_sound: Callable[[], bool] = lambda: True  # tells a person what is not
        self._table: RunTable | None = None  # made when it is first wanted
        self.row, self.pace = RunRow(), PaceControl()
        self.shelf = RunShelf(controller, library, experiment, self)
        self.chips = self.shelf.chips
        self.workers = self.shelf.workers = SeedWorkers(controller, library, self)
        self.workers.log.connect(self.log)
        self.workers.waiting_changed.connect(self.shelf.refresh)
        self.seeds = SeedFollowing(controller, library, playback)
        self.seeds.log.connect(self.log)
        self.seeds.awaits = self.workers.awaits
        controller.saved_record = lambda run: library.record(run) if library.has_checkpoint(run) else None
        self.opener = RunOpener(controller, library, self.shelf, choice, controller.training)
        self.offer = Offer(controller, library, self.opener)
        self.offer.changed.connect(self.refresh)
        self.tuning = FineTuning(controller, library, experiment)
        self.thumbnails = Thumbnails(controller, playback, library)
        self.undoing = Undoing(library.undo_stack, choice, controller, self)
        self.shelf.refused.connect(lambda sentence: self.log.emit("warning", sentence))
        self.undoing.refused.connect(lambda sentence: self.log.emit("warning", sentence))
        self.opener.log.connect(self.log)
        library.failed.connect(lambda sentence: self.log.emit("warning", sentence))
        library.undo_stack.indexChanged.connect(lambda _index: self.refresh())
        self.shelf.swapped.connect(self.back)
        self.row.start_asked.connect(self.start_asked)
        self.row.go_on_asked.connect(self.go_on_asked)
        self.row.longer_asked.connect(self.go_on_longer)
        self.row.fork_asked.connect(self.fork)
        self.row.tune_asked.connect(lambda: self.fork() if self.tuning.choose() else None)
        self.row.nothing_asked.connect(self._ask_for_nothing)
        self.row.back_asked.connect(self.back)
        self.row.undo_asked.connect(self.undoing.undo)
        self.row.stop_asked.connect(controller.stop)
        self.pace.paced.connect(controller.set_pace)
        self.pace.followed.connect(playback.set_follow)
        playback.follow_changed.connect(self.pace.show_follow)
        experiment.changed.connect(self.refresh)
        controller.seeds.changed.connect(lambda _count: self.refresh())
        controller.state_changed.connect(self.refresh)
        controller.runs_changed.connect(self.refresh)
        self.refresh()

    @property
    def controller(self) -> RunController:
        """What trains them."""
        return self._controller

    def list_in(self, frame: Frame, action: QAction, theme: Callable[[], Theme]) -> None:
        """Have ``action`` open the list of all runs, and the shelf say how many there are."""
        self._list_button = list_button(action)
        self.shelf.is_seen = lambda: frame.modes.currentWidget() is frame.train
        frame.modes.currentChanged.connect(lambda _index: self.shelf.refresh())
        frame.shelf.add(self.chips, 1)
        frame.shelf.add(self._list_button)

        def make() -> QWidget:
            from app.window.run_table import RunTable  # seldom wanted at first

            table = RunTable(self.shelf.all_runs(), self._library, theme())
            table.opened.connect(self.shelf.open)
            table.eyed.connect(self.shelf.draw_all)
            table.deleted.connect(self.shelf.delete)
            table.menu_asked.connect(self.shelf.fill_menu)
            table.apply_theme(theme())
            table.room.told.connect(self.log)
            self._table = table
            return table

        frame.add_list(action, make)

        def show(runs: list[str]) -> None:
            action.setChecked(True)
            if self._table is not None:
                self._table.select(runs)

        def search(opened: bool) -> None:
            if opened and self._table is not None and not self._list_button.underMouse():  # by the keyboard
                self._table.search.setFocus(Qt.FocusReason.ShortcutFocusReason)

        action.triggered.connect(search)
        self.shelf.list_asked.connect(show)
        self._library.changed.connect(self._count)
        action.toggled.connect(self._count)
        self._count()

    def _count(self) -> None:
        count = len(self._library.records())
        mark = "▾" if self._list_button.isChecked() else "▸"
        self._list_button.setText(f"{mark} {count:,} {'run' if count == 1 else 'runs'}")

    # --- what a person asks -------------------------------------------------------------------------------------------

    def go_on(self) -> None:
        """Go on with the run that is shown, or where there is none with the one that is offered; of an edited choice
        what may change while training is taken along, and the rest is chosen again as the run has it."""
        if self._controller.shown is None:
            self.offer.accept()
            return
        self._controller.go_on(self._experiment.config)
        if self._controller.state is RunState.RUNNING:
            self.back()

    def go_on_longer(self) -> None:
        """Go on with the run that has finished, which becomes longer."""
        shown = self._controller.shown
        if shown is not None and self._experiment.set_value(_BUDGET, _longer(shown)[1]) is None:
            self.go_on_asked.emit()

    def fork(self, iteration: int | None = None) -> None:
        """Go on with what has been edited as a run of its own, from the run that is shown as it was after so many
        iterations; None is as it is now."""
        shown = self._controller.shown
        record = self._library.record(shown.run.id) if shown is not None else None
        if shown is None or record is None:
            unrecorded = "This run is not in the library, so it cannot be forked."
            self.log.emit("warning", "No run is shown that could be forked." if shown is None else unrecorded)
            return
        if not self.is_sound():
            return
        done = shown.run.history.environment_steps
        if iteration is None and done >= self._experiment.config.budget.environment_steps:
            in_all = _longer(shown)[1]  # else there would be nothing left for it to do
            if self._experiment.set_value(_BUDGET, in_all) is None:
                number = shown.run.number
                self.log.emit("info", f"Run {number} has taken {done:,} steps; its fork goes on to {in_all:,}.")
        changes = values_between(shown.config, self._experiment.config)
        self._controller.fork(record, iteration, changes, self._experiment.plain)

    def _ask_for_nothing(self) -> None:
        found = self.tuning.from_nothing()
        if found is not None:
            self.beside_asked.emit(*found)

    def back(self) -> None:
        """Choose again what the run that is shown has."""
        shown = self._controller.shown
        if shown is not None:
            self._experiment.set_config(shown.config, shown.plain)
            self._controller.seeds.back()

    # --- what is shown ------------------------------------------------------------------------------------------------

    def tell_to(self, panels: Panels) -> None:
        """Have ``panels`` always show the data of the right runs, of the instant that is looked at."""
        looking = LookingBack(self._controller, self._library, self._playback, panels.past)
        panels.past.fork_asked.connect(lambda: self.fork(looking.forks_at))
        self._controller.restored.connect(lambda kept: self.restore(kept, panels))
        self._controller.completed.connect(lambda kept: self._complete(kept, panels))
        self._controller.followed.connect(lambda kept: self._follow_seed(kept, panels))
        self._controller.runs_changed.connect(lambda: self.tell(panels))
        self._controller.heard_at_rest.connect(lambda: panels.refresh(self._controller.history))
        self.seeds.told.connect(lambda: self._tell_of_seeds(panels))
        self.shelf.drawn_changed.connect(lambda: self.tell(panels))

    def _follow_seed(self, kept: KeptRun, panels: Panels) -> None:
        """Show another seed of those that are shown already; its policy comes from where it is trained."""
        panels.reset()
        panels.set_choice(kept.run.environment, kept.config)
        panels.refresh(kept.run.history)

    def tell(self, panels: Panels) -> None:
        """Tell the panels whose data they show."""
        shown = self._controller.shown
        panels.name_run(shown.run.name if shown is not None else "")
        panels.show_ghosts(self.shelf.ghosts())
        self._tell_of_seeds(panels)

    def _tell_of_seeds(self, panels: Panels) -> None:
        shown = self._controller.shown
        id = shown.run.id if shown is not None else ""
        panels.show_seeds(self._controller.group, id, self._controller.follow)

    def restore(self, kept: KeptRun, panels: Panels) -> None:
        """Show a run that was shown before, with its policy; what one that trains has is chosen again."""
        if kept.state is RunState.RUNNING:
            self.back()
        panels.reset()
        panels.set_choice(kept.run.environment, kept.config)
        panels.refresh(kept.run.history)
        if kept.policy is not None:
            self._playback.offer(kept.policy, new_run=True)
        else:
            self._playback.reset()

    def _complete(self, kept: KeptRun, panels: Panels) -> None:
        """Show the policy as well, and leave all as it is that a person has asked for meanwhile."""
        panels.refresh(kept.run.history)
        if kept.policy is not None:
            self._playback.offer(kept.policy)

    def refresh(self) -> None:
        controller, config = self._controller, self._experiment.config
        shown = controller.shown
        edits = [] if shown is None or controller.state in ACTIVE else differences(shown.config, config)
        if shown is not None and controller.state not in ACTIVE and controller.seeds.edit is not None:
            edits.append(controller.seeds.edit)
        self.show_state(tuple(edits))
        row = self.row
        if controller.state is RunState.PAUSED:
            row.show_buttons(row.stop_button)
        elif shown is None and self.offer.record is not None:
            row.offer_to_go_on(self.offer.called, "from where it was saved")
            row.show_buttons(row.go_on_button)
        elif shown is None:
            row.show_buttons(*([row.undo_button] if self.undoing.undoes_reset else []))
        elif not edits:
            more, in_all = _longer(shown)
            becomes_longer = shown.state is RunState.FINISHED and controller.goes_on(
                with_values(config, {_BUDGET: in_all})
            )
            row.offer_more(more, in_all)
            next_ = {"go on": [row.tune_button], "compare": [row.nothing_button]}.get(self.tuning.offer, [])
            row.show_buttons(*([row.longer_button] if becomes_longer else []), *next_)
        else:
            called = shown.group.numbers if shown.group is not None else f"run {shown.run.number}"
            row.offer_to_go_on(called, _what_becomes(len(edits), len(live_changes(shown.config, config))))
            goes_on = [row.go_on_button] if controller.goes_on(config) else []
            forks = [row.fork_button] if controller.can_fork else []
            row.show_buttons(row.start_button, *goes_on, *forks, row.back_button)

    def show_state(self, edits: tuple[Difference, ...] | None = None) -> None:
        """Say which run is shown, and what it is at; ``edits`` are as they were where they are None."""
        self.row.show_words(self._words(self.row.words.edits if edits is None else edits))

    def _words(self, edits: tuple[Difference, ...]) -> RunWords:
        controller = self._controller
        shown = controller.shown
        if shown is not None:
            group = shown.group
            solved = group is None and shown.run.history.solved is not None
            state = state_words(shown.state, solved, controller.activity)
            if group is not None:
                told = ", ".join(filter(None, (state, group.words)))
                return RunWords(f"{group.numbers} · {group.name(shown.run)}", told, edits)
            return RunWords(f"run {shown.run.number} · {shown.run.name}", state, edits)
        if controller.state in ACTIVE:
            return RunWords("New run", state_words(controller.state, solved=False))
        if self.offer.record is not None:
            return RunWords(*self.offer.words)
        cleared = controller.last_cleared
        return RunWords(f"Run {cleared[0].run.number} was cleared." if cleared is not None else NOTHING_YET)

    def apply_theme(self, theme: Theme) -> None:
        for widget in (self.row, self.chips, self.pace):
            widget.apply_theme(theme)
        if self._table is not None:
            self._table.apply_theme(theme)


def _longer(finished: KeptRun) -> tuple[int, int]:
    return longer(finished.config.budget.environment_steps, finished.run.history.environment_steps)


def _what_becomes(edits: int, live: int) -> str:
    """What becomes of the edits, of which so many may change while training, where the run goes on all the same."""
    if live == edits:
        return "with the edited choice from here on"
    if not live:
        return "as it was; the choice goes back to the run's"
    return "with what may change while training as edited; the rest of the choice goes back to the run's"


def list_button(action: QAction) -> QToolButton:
    """What opens the list of all runs from the shelf."""
    button = QToolButton()
    button.setProperty("role", "line")
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    button.setToolTip(action.toolTip())
    button.setAccessibleName(action.text())
    button.setCheckable(True)
    button.clicked.connect(action.trigger)
    action.toggled.connect(button.setChecked)
    return button
