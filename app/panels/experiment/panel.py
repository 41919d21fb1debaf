"""The experiment panel: what is trained, its equation, and its parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, QObject, QPoint, QSettings, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QMoveEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QApplication, QFrame, QMenu, QScrollArea, QVBoxLayout, QWidget

from app.models.experiment import Experiment
from app.models.form_rules import Legend, legends
from app.models.run_state import LOCKED, STOP_AND_CHANGE
from app.models.slow_motion import SlowMotion
from app.panels.experiment.bug_line import BugLine
from app.panels.experiment.choice_delegate import Choice
from app.panels.experiment.choices import choices_of, family_choices, holds_values, only_distribution, policy_choices
from app.panels.experiment.divider import Divider
from app.panels.experiment.environment_row import EnvironmentRow
from app.panels.experiment.equation.equation_box import EquationBox
from app.panels.experiment.form.parameter_form import ParameterForm
from app.panels.experiment.picker import Picker
from app.panels.experiment.story import Story
from app.panels.record import PanelWidget
from app.style.sentence import Sentence
from app.style.theme import Theme
from engine.catalogue.methods.biases import biases, estimated
from engine.catalogue.methods.bugs import marked
from engine.catalogue.methods.entries import (
    ALGORITHMS,
    BASELINES,
    COLLECTIONS,
    CREDITS,
    DISTRIBUTIONS,
    POLICIES,
    UPDATES,
)
from engine.catalogue.methods.families import FAMILIES, family_of, members
from engine.catalogue.methods.picking import picked, unused
from engine.catalogue.methods.pinned import pinned
from engine.catalogue.methods.spec import Entry
from engine.config import ImitationConfig, RunConfig
from engine.config.bugs import NO_BUG
from engine.config.parameters import parameters_of
from engine.equations import equation
from engine.equations.pseudo_code import lit_terms

_NARROWEST = 296  # pixels; narrower, words would be cut
_SPARING = 640  # pixels; from here on the story has two lines
_ROOMY = 780  # pixels; from here on sentences stand beneath their pickers
_EQUATION_SHARE = 0.25  # of the panel's height that the equation has, if it needs it, whatever stands above
_GLIMPSE = 18  # pixels of what stands below the pinned parameters, so that one sees that there is more
_CUSTOM = "A combination of your own: none of the named algorithms."


class ExperimentPanel(PanelWidget):
    """Pickers and form of one experiment in a column that scrolls, and its equation below a divider."""

    gallery_asked = Signal()
    live_change = Signal(str, object)
    stop_asked = Signal()  # by a press on what is locked while a run is at work
    withdrawn = Signal()  # the wish for an environment that is being looked at

    def __init__(self, experiment: Experiment, theme: Theme, settings: QSettings | None = None) -> None:
        super().__init__()
        self._experiment, self._theme = experiment, theme
        self._edited = self._awaited = ""  # the parameters last set, and that waits for its environment to be looked at
        self._running = self._wished = False
        self._one_distribution = ""  # why there is no other; empty where there is
        self._shown: RunConfig | None = None
        self.names_in_library: Callable[[str], Mapping[str, Legend]] = lambda environment: {}  # who may be learned from
        self._names: Mapping[str, Legend] = {}  # of these, as they are offered
        self._pressed: QWidget | None = None  # what was locked when somebody wanted it
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.Base)
        self.problem, self.bug = Sentence("error"), BugLine()
        self.story = Story()
        self.environment = EnvironmentRow(theme)
        self.pickers: dict[str, tuple[Picker, dict[str, Entry]]] = {
            "family": (Picker("Family", theme), FAMILIES),
            "policy": (Picker("Policy", theme, "policy"), POLICIES),
            "distribution": (Picker("Distribution", theme, "policy"), DISTRIBUTIONS),
            "algorithm": (Picker("Algorithm", theme, tells=True), ALGORITHMS),
            "collection": (Picker("Collection", theme), COLLECTIONS),
            "credit": (Picker("Credit", theme, "credit"), CREDITS),
            "baseline": (Picker("Baseline", theme, "baseline"), BASELINES),
            "update": (Picker("Update rule", theme, "update"), UPDATES),
        }
        self._box = EquationBox(theme)
        self._slow = SlowMotion()
        self.equation, self.bias = self._box.equation, self._box.bias
        self.form = ParameterForm(theme)
        self._scroll = self._lay_out(theme)
        self.divider = Divider(self._scroll, self._box, self._room_for_equation, settings)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.divider)
        self.form.set_tab_before(self.pickers["algorithm"][0].combo, self.pickers["update"][0].combo)
        self._wire()
        self._size()
        self._refresh()

    def _lay_out(self, theme: Theme) -> QScrollArea:
        self._page = page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(theme.unit, theme.unit, theme.unit, 2 * theme.unit)
        column.setSpacing(theme.unit)
        self._first = QWidget()  # what is to be seen without scrolling
        choices = QVBoxLayout(self._first)
        choices.setContentsMargins(0, 0, 0, 0)
        choices.setSpacing(theme.unit)
        choices.addWidget(self.bug)
        choices.addWidget(self.problem)
        head = QVBoxLayout()
        head.addWidget(self.story)
        head.addWidget(self.environment)
        choices.addLayout(head)
        self._airy = (head, choices)
        choices.addLayout(self._close("family", "policy", "algorithm"))
        choices.addWidget(self.form.pinned)
        column.addWidget(self._first)
        column.addSpacing(theme.unit // 2)
        column.addLayout(self._close("distribution", "collection", "credit", "baseline", "update"))
        column.addSpacing(theme.unit // 2)
        column.addWidget(self.form)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(page)
        return scroll

    def _close(self, *names: str) -> QVBoxLayout:
        """Pickers close beneath each other."""
        column = QVBoxLayout()
        column.setSpacing(self._theme.unit // 2)
        for name in names:
            column.addWidget(self.pickers[name][0])
        return column

    def _wire(self) -> None:
        self._experiment.changed.connect(self._refresh)
        self._experiment.adjusted.connect(self.pickers["policy"][0].show_notice)
        self.environment.opened.connect(self.gallery_asked)
        for name, (picker, entries) in self.pickers.items():
            picker.picked.connect(lambda id, name=name, entries=entries: self._pick(name, entries[id]))
        self.form.edited.connect(self._edit)
        self.form.reset_asked.connect(self._reset)
        self.form.map_asked.connect(self._edit_map)
        self._experiment.wished.connect(self._await)
        self.bug.off_asked.connect(lambda: self._experiment.set_value("bug", NO_BUG))
        self.form.opened.connect(self._reveal)
        self._box.height_changed.connect(self.divider.settle)
        for watched in (self.form, self.form.pinned, self._first):
            watched.installEventFilter(self)

    # --- what a person does ---

    def _pick(self, name: str, entry: Entry) -> None:
        take = self._experiment.pick_family if name == "family" else self._experiment.pick
        self.pickers[name][0].show_notice(take(entry) or "")

    def _edit(self, path: str, value: object) -> None:
        self._set(path, lambda: self._experiment.set_value(path, value))

    def _reset(self, path: str) -> None:
        self._set(path, lambda: self._experiment.reset_value(path))

    def _set(self, path: str, change: Callable[[], str | None]) -> None:
        before, self._edited, self._wished = self._value(path), path, False
        reason, self._edited = change(), ""
        if path == self._awaited and not reason and not self._wished:  # what holds has been entered again
            self._awaited = ""
            self.environment.answer.hide()
            self.withdrawn.emit()
        if reason or path != self._awaited:  # else what was entered stands there until the answer comes
            self.form.answer(path, reason)
        self._tell_run(path, before)

    def _await(self) -> None:
        self._awaited, self._wished = self._edited, True

    def _edit_map(self, path: str) -> None:
        from app.panels.experiment.form.map_editor_dialog import MapDialog  # seldom wanted, so not loaded before

        experiment = self._experiment
        dialog = MapDialog(
            next(parameter for parameter in experiment.parameters() if parameter.path == path),
            legends(experiment.plain)[path],
            self._theme,
            lambda rows: experiment.refusal_of_value(path, rows),
            self.window(),
        )
        dialog.applied.connect(lambda rows: self._edit(path, rows))
        dialog.open()

    def _value(self, path: str) -> object:
        return next((p.value for p in parameters_of(self._experiment.config) if p.path == path), None)

    def _tell_run(self, path: str, before: object) -> None:
        value = self._value(path)
        if self._running and value != before:
            self.live_change.emit(path, value)

    # --- what the rest of the window says ---

    def environment_looked_at(self, id: str) -> None:
        """The environment is being looked at, and not here yet."""
        self._awaited = self._edited
        self.environment.say(f"Looking at {id}…", "muted")

    def environment_refused(self, sentence: str) -> None:
        """The environment that was asked for cannot be had; if it was for one of its options, that one is told."""
        if self._awaited:
            awaited, self._awaited = self._awaited, ""
            self.form.answer(awaited, sentence)
            self.environment.answer.hide()
            return
        self.environment.say(sentence, "error")

    def commit(self) -> str:
        """Take what is being typed in the form, as if Return had been pressed; why not where it does not fit."""
        return self.form.commit()

    def set_running(self, running: bool) -> None:
        """While a run trains, only live parameters can be changed."""
        focus = QApplication.focusWidget()
        if running and focus is not None and self.isAncestorOf(focus):
            # Else the focus would move on to the next field that stays enabled, and the page would scroll to it.
            self.form.discard_locked()
            self.setFocus()
        self._running = running
        self.environment.set_locked(LOCKED if running else "")
        self._lock_pickers()
        self.form.set_running(running)
        self.bug.set_locked(running)
        if not running and self._pressed is not None:
            self._pressed.setFocus()
            self._pressed = None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        # What is disabled takes no press, so that it comes here.
        super().mousePressEvent(event)
        pressed = self.childAt(event.position().toPoint())
        if self._running and pressed is not None and not pressed.isEnabled():
            self._offer_to_stop(pressed, event.globalPosition().toPoint())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # What is locked takes no focus either; Return stands for a press while the panel itself has it.
        if self._running and self.hasFocus() and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            picker = self.pickers["algorithm"][0].combo
            self._offer_to_stop(picker, picker.mapToGlobal(picker.rect().bottomLeft()))
        else:
            super().keyPressEvent(event)

    def _offer_to_stop(self, pressed: QWidget, at: QPoint) -> None:
        """Say why what was pressed is locked, and offer to unlock it."""

        def ask() -> None:
            self._pressed = pressed
            self.stop_asked.emit()

        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(LOCKED).setEnabled(False)
        offer = menu.addAction(STOP_AND_CHANGE)
        offer.triggered.connect(ask)
        menu.setActiveAction(offer)  # so that Return takes it
        menu.popup(at)

    def _lock_pickers(self) -> None:
        """Lock what cannot be picked: all while a run trains, and what leaves no choice."""
        for name, (picker, _) in self.pickers.items():
            without = self._one_distribution if name == "distribution" else ""
            picker.set_locked(LOCKED if self._running else without)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.environment.apply_theme(theme)
        for picker, _ in self.pickers.values():
            picker.apply_theme(theme)
        self._box.apply_theme(theme)
        self.form.apply_theme(theme)
        self._size()

    # --- what is shown ---

    def _refresh(self) -> None:
        experiment = self._experiment
        config, environment = experiment.config, experiment.environment
        if config is self._shown and not self._awaited:  # as when the window opens
            return
        self._shown = config
        self.bug.show_mark(marked(config))
        self.problem.setText(experiment.problem() or "")
        self.problem.setVisible(bool(self.problem.text()))
        self.environment.show_environment(environment)
        for name, (picker, entries) in self.pickers.items():
            picker.show_notice("")
            picker.setVisible(unused(config, next(iter(entries.values()))) is None)
            if picker.isVisibleTo(self._page):
                current = family_of(config) if name == "family" else picked(config, entries, environment)
                picker.show_choices(self._choices(name, entries), current.id if current else None, _CUSTOM)
        self.pickers["policy"][0].set_name("Q function" if holds_values(config) else "Policy")
        self._one_distribution = only_distribution(experiment)
        self._lock_pickers()
        self.equation.show_equation(equation(config, environment))
        self._light()
        self.bias.show_biases(biases(config, environment), estimated(config))
        self._names = self._found_names()
        self._show_form()
        if self._awaited:  # whatever came of it, this is what holds now
            awaited, self._awaited = self._awaited, ""
            self.form.answer(awaited, None)

    def refresh_names(self) -> None:
        """Offer who there is to be learned from by now."""
        names = self._found_names()
        if names != self._names:
            self._names = names
            self._show_form()

    def _found_names(self) -> Mapping[str, Legend]:
        experiment = self._experiment
        learns = isinstance(experiment.config, ImitationConfig)
        return self.names_in_library(experiment.environment.id) if learns else {}

    def _show_form(self) -> None:
        experiment, told = self._experiment, legends(self._experiment.plain)
        told |= {path: (*names, *told[path]) for path, names in self._names.items()}
        self.form.show_parameters(experiment.parameters(), told, pinned(experiment.config))

    def follow(self, slow: SlowMotion) -> None:
        """Light the terms of the equation that stand for what is looked at of an iteration, or for where the run is."""
        self._slow = slow
        slow.lit.connect(self._light)

    def _light(self) -> None:
        self._box.light(lit_terms(self.equation.lines, self._slow.meant))

    def _choices(self, name: str, entries: dict[str, Entry]) -> list[Choice]:
        if name == "family":
            return family_choices(self._experiment)
        if name == "policy":
            return policy_choices(self._experiment)
        if name in ("algorithm", "update"):
            entries = members(entries, family_of(self._experiment.config))
        return choices_of(self._experiment, entries)

    def _size(self) -> None:
        self.setMinimumWidth(max(self._theme.px(_NARROWEST), _NARROWEST))  # what is around words does not shrink

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        sparing = self.height() < self._theme.px(_SPARING)
        self.story.set_terse(sparing)
        for column in self._airy:
            column.setSpacing(self._theme.unit // (2 if sparing else 1))
        for picker in (self.environment, self.pickers["algorithm"][0]):
            picker.set_terse(self.height() < self._theme.px(_ROOMY))

    def _room_for_equation(self, height: int) -> int:
        """What it takes of so many pixels by itself: no more than it needs, nor what is to be seen above it."""
        first = self._first.heightForWidth(self._first.width())  # -1 where nothing in it is wrapped
        first = first if first >= 0 else self._first.sizeHint().height()
        above = self._first.y() + first + self._theme.px(_GLIMPSE)
        given = max(min(self._box.wanted, height - above), min(self._box.least, round(_EQUATION_SHARE * height)))
        return self._box.taken(given)

    def _reveal(self, shown: QWidget) -> None:
        """Scroll so that a part of the page is in sight, its beginning above all."""
        page, bar = self._page, self._scroll.verticalScrollBar()
        for widget in (shown, self.form, page):
            if (layout := widget.layout()) is not None:
                layout.activate()
        top = shown.mapTo(page, QPoint(0, 0)).y() - self._theme.unit
        bottom = top + shown.sizeHint().height() + 2 * self._theme.unit
        page.resize(page.width(), max(page.sizeHint().height(), page.height()))
        bar.setMaximum(max(bar.maximum(), page.height() - self._scroll.viewport().height()))
        bar.setValue(min(max(bar.value(), bottom - self._scroll.viewport().height()), top))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._first and event.type() == QEvent.Type.Resize:
            self.divider.settle()
        # What grows or shrinks above must not carry away the field in which a person is at work.
        at_work = self.focusWidget()
        if isinstance(event, QMoveEvent) and isinstance(watched, QWidget) and watched.isAncestorOf(at_work or self):
            shift = event.pos().y() - event.oldPos().y()
            bar = self._scroll.verticalScrollBar()
            bar.setMaximum(max(bar.maximum(), bar.value() + shift))
            bar.setValue(bar.value() + shift)
        return super().eventFilter(watched, event)
