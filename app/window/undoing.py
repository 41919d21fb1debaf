"""What was tried in this window, as one list that can be gone back along: edits of the choice, resets, deletions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QUndoCommand, QUndoStack
from PySide6.QtWidgets import QMenu, QWidget

from app.models.run_state import ACTIVE, LOCKED
from app.models.runs import differences, in_short, live_changes
from app.session.choice_loader import ChoiceLoader
from app.session.run_controller import RunController
from app.session.tried import Tried
from app.window import actions as acts
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.config.presets import Preset

_TOGETHER = 1.5  # seconds within which edits of one parameter are one
_MOST_LISTED = 40
_RESET = "Reset"


@dataclass(frozen=True)
class Choice:
    """What was chosen, and the preset that it began with."""

    config: RunConfig
    plain: EnvironmentInfo
    preset: Preset | None


class Undoing(QObject):
    """Puts edits of the choice and resets onto the stack, on which the library puts what is done with runs.

    ``refused`` says why something cannot be undone now.
    """

    refused = Signal(str)

    def __init__(
        self, stack: QUndoStack, choice: ChoiceLoader, controller: RunController, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.stack = stack
        self._choice, self._experiment, self._controller = choice, choice.experiment, controller
        self._held = self._present
        self._quiet = False  # while the choice is put back
        self._experiment.changed.connect(self._note_edit)
        controller.cleared.connect(self._note_reset)

    def forget(self) -> None:
        """Begin a new list with the choice as it is."""
        self.stack.clear()
        self._held = self._present

    @property
    def _present(self) -> Choice:
        return Choice(self._experiment.config, self._experiment.plain, self._choice.preset)

    def show_in(self, actions: Mapping[str, QAction]) -> None:
        """Have what undoes and what does again say what that would be."""

        def follow(*_: object) -> None:
            for name, possible, what in (
                ("undo", self.stack.canUndo(), self.stack.undoText()),
                ("redo", self.stack.canRedo(), self.stack.redoText()),
            ):
                spec = acts.SPECS[name]
                actions[name].setEnabled(possible)
                acts.describe(actions[name], f"{spec.text} {_inside(what)}" if possible else spec.text, spec.tip)

        self.stack.indexChanged.connect(follow)
        self.stack.undoTextChanged.connect(follow)
        actions["undo"].triggered.connect(self.undo)
        actions["redo"].triggered.connect(self.redo)
        follow()

    @property
    def undoes_reset(self) -> bool:
        """Whether what would be undone now is a reset."""
        index = self.stack.index()
        return index > 0 and self.stack.text(index - 1).startswith(_RESET) and not self._at_rest()

    # --- what is put onto it ------------------------------------------------------------------------------------------

    def _note_edit(self) -> None:
        before, after = self._held, self._present
        self._held = after
        if self._quiet or before.config == after.config:
            return
        found = differences(before.config, after.config)
        text = in_short(found) if found else "the choice"
        self.stack.push(Edit(text, before, after, self._put))

    def _quietly(self, do: Callable[[], object]) -> None:
        self._quiet = True
        try:
            do()
        finally:
            self._quiet = False

    def _put(self, wanted: Choice) -> None:
        """Choose again what was chosen, and have a run that trains follow where it may."""
        running = self._controller.state in ACTIVE
        changes = live_changes(self._experiment.config, wanted.config)
        if not running:
            self._quietly(lambda: self._choice.put_back(wanted.config, wanted.plain, wanted.preset))
            return
        for path, value in changes.items():
            self._quietly(partial(self._experiment.set_value, path, value))
            self._controller.change(path, value)

    def _note_reset(self) -> None:
        cleared = self._controller.last_cleared
        if cleared is None:
            return
        run, ghost = cleared
        reset = Tried(
            f"{_RESET} run {run.run.number}",
            self._controller.reset,
            partial(self._controller.bring_back, run, ghost),
            done=True,
            possible=self._at_rest,
        )
        self.stack.push(reset)

    def _at_rest(self) -> str:
        return "Stop the run to go back before a reset." if self._controller.state in ACTIVE else ""

    # --- going along it -----------------------------------------------------------------------------------------------

    def undo(self) -> None:
        self.go_to(self.stack.index() - 1)

    def redo(self) -> None:
        self.go_to(self.stack.index() + 1)

    def go_to(self, index: int) -> None:
        """Undo, or do again, all that lies between here and ``index``, up to what cannot be now."""
        index = min(max(index, 0), self.stack.count())
        while self.stack.index() != index:
            back = index < self.stack.index()
            command = self.stack.command(self.stack.index() - 1 if back else self.stack.index())
            hindrance = command.hindrance() if isinstance(command, Tried) else ""
            if not hindrance and isinstance(command, Edit):
                hindrance = self._hindrance(command.before if back else command.after)
            if hindrance:
                self.refused.emit(hindrance)
                return
            if back:
                self.stack.undo()
            else:
                self.stack.redo()

    def _hindrance(self, wanted: Choice) -> str:
        """Why a choice cannot be had now: while a run is active, only what may change while training can."""
        if self._controller.state not in ACTIVE:
            return ""
        now = self._experiment.config
        live = live_changes(now, wanted.config)
        fixed = [each for each in differences(now, wanted.config) if each.path not in live]
        return f"{in_short(fixed)} cannot be undone while a run trains. {LOCKED}" if fixed else ""


class Edit(Tried):
    """From one choice to another; those of one parameter that follow each other soon are one."""

    def __init__(self, what: str, before: Choice, after: Choice, put: Callable[[Choice], object]):
        super().__init__(f"Edit: {what}", lambda: put(self.after), lambda: put(self.before), done=True)
        self.before, self.after = before, after
        self._paths = {difference.path for difference in differences(before.config, after.config)}
        self._when = time.monotonic()

    def id(self) -> int:
        return 1  # of commands that may be one

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, Edit) or len(self._paths) != 1 or other._paths != self._paths:
            return False
        if other._when - self._when > _TOGETHER:
            return False
        self.after, self._when = other.after, other._when
        found = differences(self.before.config, self.after.config)
        self.setText(f"Edit: {in_short(found)}" if found else "")
        self.setObsolete(not found)  # it is as it was
        return True


class TriedMenu(QMenu):
    """All that was tried, the newest first; what is chosen is gone back to."""

    def __init__(self, undoing: Undoing, parent: QWidget) -> None:
        super().__init__("What was tried", parent)
        self._undoing = undoing
        self.aboutToShow.connect(self._fill)

    def _fill(self) -> None:
        self.clear()
        stack = self._undoing.stack
        here = stack.index()
        for index in range(stack.count(), max(stack.count() - _MOST_LISTED, 0), -1):
            self._add(stack.text(index - 1), index, checked=index == here)
        self._add("As it was at first", 0, checked=here == 0)

    def _add(self, text: str, index: int, *, checked: bool) -> None:
        action = QAction(text.replace("&", "&&"), self)
        action.setCheckable(True)
        action.setChecked(checked)
        action.triggered.connect(lambda _checked=False: self._undoing.go_to(index))
        self.addAction(action)


def _inside(text: str) -> str:
    """A command's words after "Undo": "Undo delete run 3"."""
    return (text[:1].lower() + text[1:]).replace("&", "&&")
