"""Which editor suits which parameter."""

from __future__ import annotations

from app.models.form_rules import Legend
from app.panels.experiment.form.components_field import ComponentsField
from app.panels.experiment.form.map_field import MapField
from app.panels.experiment.form.parameter_editor import ChoiceEditor, Editor, NameEditor, SwitchEditor, TextEditor
from engine.config.parameters import Parameter


def editor_of(parameter: Parameter, legend: Legend = ()) -> Editor:
    """The editor that suits the parameter; with a ``legend`` it shows what signs in the value stand for."""
    if parameter.choices:
        return ChoiceEditor(parameter)
    if legend and parameter.type is tuple:
        of_texts = bool(parameter.default) and isinstance(parameter.default[0], str)
        return MapField(legend) if of_texts else ComponentsField(legend)
    if legend and parameter.type is str:
        return NameEditor(legend)
    return SwitchEditor() if parameter.type is bool else TextEditor(parameter, legend)
