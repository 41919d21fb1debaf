"""A form made from the configuration's own metadata; rows that stay are kept as they are when the choice changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.models.form_rules import Legend
from app.panels.experiment.form.map_field import MapField
from app.panels.experiment.form.parameter_group import Group
from app.panels.experiment.form.parameter_row import ParameterRow
from app.panels.experiment.form.pinned_group import PinnedGroup
from app.style.theme import Theme
from engine.config.parameters import Parameter
from engine.equations import Part

# The longest prefix that fits decides. Title, and the picker whose colour it shares.
_GROUPS: dict[str, tuple[str, Part]] = {
    "environment.options.": ("Environment options", ""),
    "environment.": ("Changes to the environment", ""),
    "policy.": ("Policy", "policy"),
    "exploration.": ("Exploration", "policy"),
    "collection.": ("Collection", ""),
    "imitation.": ("Teacher", ""),
    "evaluation.": ("Evaluation", ""),
    "estimator.": ("Advantage", "credit"),
    "estimator.baseline.": ("Baseline", "baseline"),
    "update.": ("Update", "update"),
    "": ("Run", ""),
}
_FOLDED = ("environment.options.", "environment.")  # many, and seldom wanted
_OF_THE_RUN = ("environment.stepping", "environment.patience")  # how, not what


class ParameterForm(QWidget):
    """Rows of parameters in groups. It proposes changes; ``answer`` tells it what became of them.

    The parameters that matter most have their rows in ``pinned``, which stands where whoever holds the form puts it,
    and not in their groups: every parameter is edited in one place.
    """

    edited = Signal(str, object)
    reset_asked = Signal(str)
    map_asked = Signal(str)  # the path of a map that is to be edited
    opened = Signal(QWidget)  # the group that a person has opened

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._running = False
        self._before: tuple[QWidget, QWidget] | None = None
        self._pinned: tuple[str, ...] = ()
        self.rows: dict[str, ParameterRow] = {}
        # Rows not shown now, kept for when they are wanted again: deleting them has crashed inside PySide now and then.
        self._spare: dict[str, list[ParameterRow]] = {}
        self._groups = {
            prefix: Group(title, part, folds=prefix in _FOLDED) for prefix, (title, part) in _GROUPS.items()
        }
        self.pinned = PinnedGroup(theme)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * theme.unit)
        for group in self._groups.values():
            layout.addWidget(group)
            group.opened.connect(lambda group=group: self.opened.emit(group))
        self.apply_theme(theme)

    def show_parameters(
        self,
        parameters: Sequence[Parameter],
        legends: Mapping[str, Legend] | None = None,
        pinned: Sequence[str] = (),
    ) -> None:
        """Show these parameters, of each group in this order.

        Args:
            legends: by path, what the signs stand for of which a value is made.
            pinned: the paths of those that matter most, in their order.
        """
        legends = legends or {}
        parameters = sorted(parameters, key=lambda parameter: parameter.path in _OF_THE_RUN)
        kept = [p.path for p in parameters if p.path in self.rows and self.rows[p.path].serves(p, legends.get(p.path))]
        for path in [path for path in self.rows if path not in kept]:
            self._put_away(path, self.rows.pop(path))
        for path in {*pinned}.symmetric_difference(self._pinned) & self.rows.keys():
            self.rows[path].settle()  # as when it is put away
            self._home(path).remove(self.rows[path])
        self._pinned = tuple(pinned)
        for parameter in parameters:
            path, legend = parameter.path, legends.get(parameter.path, ())
            if path in kept:
                self.rows[path].show_parameter(parameter, legend)
            else:
                self.rows[path] = self._spare_row(parameter, legend) or self._new_row(parameter, legend)
        self.rows = {parameter.path: self.rows[parameter.path] for parameter in parameters}
        for prefix, group in self._groups.items():
            group.show_rows([row for path, row in self.rows.items() if path not in pinned and _prefix(path) == prefix])
        self.pinned.show_rows([self.rows[path] for path in pinned if path in self.rows])
        self._chain_tabs()

    def _home(self, path: str) -> Group | PinnedGroup:
        return self.pinned if path in self._pinned else self._groups[_prefix(path)]

    def _put_away(self, path: str, row: ParameterRow) -> None:
        row.settle()  # else a field in which a person is at work would propose once more as it vanishes
        self._home(path).remove(row)
        self._spare.setdefault(path, []).append(row)

    def _spare_row(self, parameter: Parameter, legend: Legend) -> ParameterRow | None:
        """A row that was put away and serves for the parameter."""
        spare = self._spare.get(parameter.path, [])
        row = next((row for row in spare if row.serves(parameter, legend)), None)
        if row is not None:
            spare.remove(row)
            row.show_parameter(parameter, legend)
            row.settle()
            row.set_locked(self._running and not parameter.live)
        return row

    def _new_row(self, parameter: Parameter, legend: Legend) -> ParameterRow:
        path = parameter.path
        row = ParameterRow(parameter, self._theme, legend)
        row.set_locked(self._running and not parameter.live)
        row.proposed.connect(lambda value: self.edited.emit(path, value))
        row.reset_asked.connect(lambda: self.reset_asked.emit(path))
        if isinstance(row.editor, MapField):
            row.editor.asked.connect(lambda: self.map_asked.emit(path))
        return row

    def _chain_tabs(self) -> None:
        first, last = self.pinned.tab_stops(), [stop for group in self._groups.values() for stop in group.tab_stops()]
        if self._before is not None:
            first.insert(0, self._before[0])
            last.insert(0, self._before[1])
        for before, after in (*pairwise(first), *pairwise(last)):
            QWidget.setTabOrder(before, after)

    def answer(self, path: str, reason: str | None) -> None:
        """What became of an edit: accepted, or refused for this reason."""
        row = self.rows.get(path)
        if row is not None:
            row.settle() if reason is None else row.refuse(reason)
            if reason is not None:
                self._home(path).reveal()

    def set_tab_before(self, pinned: QWidget, rest: QWidget) -> None:
        """The widgets of the same window after which Tab comes to what is pinned, and to the rest of the form."""
        self._before = pinned, rest

    def commit(self) -> str:
        """Propose what is being typed, as if Return had been pressed; the first complaint left, empty without one."""
        for path in tuple(self.rows):  # what is proposed may make other rows come and go
            if path in self.rows:
                self.rows[path].editor.commit()
        return next((row.complaint for row in self.rows.values() if row.complaint), "")

    def discard(self) -> None:
        """Drop what has been typed and refused: the whole choice is another."""
        for row in self.rows.values():
            row.settle()

    def discard_locked(self) -> None:
        """Drop what has been typed where it may not be changed while a run trains."""
        for row in self.rows.values():
            if not row.parameter.live:
                row.settle()

    def set_running(self, running: bool) -> None:
        """While a run trains, only what may change meanwhile can be edited."""
        self._running = running
        for row in tuple(self.rows.values()):  # a field that is left as it is locked proposes what was typed
            row.set_locked(running and not row.parameter.live)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.pinned.apply_theme(theme)
        for group in self._groups.values():
            group.apply_theme(theme)
        for row in (*self.rows.values(), *(row for rows in self._spare.values() for row in rows)):
            row.apply_theme(theme)


def _prefix(path: str) -> str:
    return "" if path in _OF_THE_RUN else max((prefix for prefix in _GROUPS if path.startswith(prefix)), key=len)
