"""One row of the parameter form: name, reset button, editor, and a sentence when the entry was refused."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QToolButton, QWidget

from app.models.form_rules import Legend
from app.models.run_state import LOCKED
from app.panels.experiment.form.parameter_editors import editor_of
from app.style import icons
from app.style.parameter_text import in_words, symbol, tool_tip
from app.style.sentence import Sentence
from app.style.swatch import Bolt
from app.style.text import restyle
from app.style.theme import Theme
from engine.config.parameters import Parameter

EDITOR_WIDTH = 116  # pixels
_UNLIMITED = 16_777_215
_SHORT_LIST = 3  # numbers that fit into it


class ParameterRow(QWidget):
    """Shows one parameter and proposes changes to it; ``set_stacked`` puts the editor beneath the name."""

    proposed = Signal(object)
    reset_asked = Signal()

    def __init__(self, parameter: Parameter, theme: Theme, legend: Legend = ()) -> None:
        super().__init__()
        self.parameter = parameter
        self._legend = legend
        self._theme = theme
        self._locked = self._stacked = False
        self._bolt = Bolt()
        self._name = QLabel()
        self._name.setWordWrap(True)
        self._name.setTextFormat(Qt.TextFormat.RichText)
        self.editor = editor_of(parameter, legend)
        self._name.setBuddy(self.editor.field)
        self.reset_button = _reset_button()
        self._complaint = Sentence("error")
        self._complaint.hide()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(3)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)
        self.editor.set_value(parameter.value)
        self.editor.proposed.connect(self.proposed)
        self.reset_button.clicked.connect(self.reset_asked)
        self.apply_theme(theme)
        self._tell()

    def _lay_out(self) -> None:
        grid = self._grid
        if self._stacked:
            grid.addWidget(self._name, 0, 0, 1, 2 if self.parameter.live else 3)
            grid.addWidget(self._bolt, 0, 2, Qt.AlignmentFlag.AlignCenter)
            grid.addWidget(self.editor, 1, 0, 1, 2)
            grid.addWidget(self.reset_button, 1, 2)
        else:
            grid.addWidget(self._bolt, 0, 0)
            grid.addWidget(self._name, 0, 1)
            grid.addWidget(self.reset_button, 0, 2)
            place = (1, 1, 1, 3) if _is_long(self.parameter, self._legend) else (0, 3, 1, 1)
            grid.addWidget(self.editor, *place)
        if self._stacked or _is_long(self.parameter, self._legend):
            self.editor.setMinimumWidth(0)
            self.editor.setMaximumWidth(_UNLIMITED)
        else:
            self.editor.setFixedWidth(self._theme.px(EDITOR_WIDTH))
        if not self._stacked:
            grid.addWidget(self._complaint, 2, 1, 1, 3)
        # Editors side by side stand at one height, though one of the names above them may be wrapped.
        grid.setRowStretch(0, int(self._stacked))
        self._name.setAlignment(Qt.AlignmentFlag.AlignBottom if self._stacked else Qt.AlignmentFlag.AlignVCenter)
        self._bolt.setVisible(self.parameter.live or not self._stacked)

    def set_stacked(self, stacked: bool) -> None:
        if stacked != self._stacked:
            self._stacked = stacked
            across = QSizePolicy.Policy.Ignored if stacked else QSizePolicy.Policy.Preferred  # all equally wide
            self.setSizePolicy(across, QSizePolicy.Policy.Preferred)
            self._lay_out()
            self._name.setProperty("small", stacked)
            restyle(self._name)

    def serves(self, parameter: Parameter, legend: Legend | None) -> bool:
        """Whether it can show the parameter too: only value, default, bounds, help and legend may be others."""
        same = ("type", "choices", "title", "symbol", "unit", "live")
        return (
            bool(legend) is bool(self._legend)
            and _is_long(parameter, legend) is _is_long(self.parameter, self._legend)
            and all(getattr(self.parameter, name) == getattr(parameter, name) for name in same)
        )

    def show_parameter(self, parameter: Parameter, legend: Legend = ()) -> None:
        """Show the parameter as it now holds; what is being typed stays unless the value has become another."""
        changed = parameter.value != self.parameter.value
        self.parameter = parameter
        if legend != self._legend:
            self._legend = legend
            self.editor.set_legend(legend)
        if changed:
            self.settle()
        self._tell()

    def refuse(self, reason: str) -> None:
        """Say under the field why what was entered does not hold."""
        self._complaint.setText(reason)
        self._complaint.show()
        self.editor.set_wrong(True)
        self.editor.field.setAccessibleDescription(self._complaint.text())

    def settle(self) -> None:
        """Show the value that holds, and no complaint."""
        self.editor.set_value(self.parameter.value)
        self.editor.set_wrong(False)
        self._complaint.hide()
        self.editor.field.setAccessibleDescription(self.parameter.help)

    @property
    def complaint(self) -> str:
        return "" if self._complaint.isHidden() else self._complaint.text()

    @property
    def complaint_label(self) -> QWidget:
        """Where the complaint stands; of a stacked row, whoever has stacked it finds it a place."""
        return self._complaint

    def tab_stops(self) -> tuple[QWidget, QWidget]:
        return self.editor.field, self.reset_button

    def set_locked(self, locked: bool) -> None:
        if locked != self._locked:
            self._locked = locked
            self._tell()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._lay_out()
        name = escape(self.parameter.title)
        if self.parameter.symbol:
            name += f"&nbsp;<span style='color:{theme.muted}'>{symbol(self.parameter.symbol)}</span>"
        self._name.setText(name)
        self._bolt.apply_theme(theme, shown=self.parameter.live)
        self.editor.apply_theme(theme)
        self.reset_button.setIconSize(QSize(theme.px(14), theme.px(14)))
        self.reset_button.setFixedSize(theme.px(18), theme.px(18))
        icons.give(self.reset_button, "restore", color=theme.muted, color_active=theme.text)

    def _tell(self) -> None:
        parameter, field = self.parameter, self.editor.field
        help_text = tool_tip(parameter) + (f"<p style='margin:0'><b>{LOCKED}</b></p>" if self._locked else "")
        self.setToolTip(help_text)
        field.setAccessibleName(parameter.title)
        if not self.complaint:
            field.setAccessibleDescription(parameter.help)
        self.editor.setEnabled(not self._locked)
        self._name.setEnabled(not self._locked)
        self.reset_button.setVisible(parameter.value != parameter.default and not self._locked)
        default = in_words(parameter.default)
        self.reset_button.setToolTip(f"Reset to the default, {default}")
        self.reset_button.setAccessibleName(f"Reset {parameter.title} to its default, {default}")


def _is_long(parameter: Parameter, legend: Legend | None) -> bool:
    """Whether the value takes a line of its own: a list of many numbers that has to be typed."""
    return parameter.type is tuple and not legend and len(parameter.default) > _SHORT_LIST


def _reset_button() -> QToolButton:
    button = QToolButton()
    button.setProperty("role", "quiet")
    button.setAutoRaise(True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    # The row keeps its shape when the button comes and goes.
    policy = button.sizePolicy()
    policy.setRetainSizeWhenHidden(True)
    button.setSizePolicy(policy)
    return button
