"""The coordinates in which a slice does not extend, each with a slider for the value at which it is held."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QScrollArea, QSizePolicy, QWidget

from app.style.format import short_number
from app.style.slider import Slider
from app.style.text import ElidedLabel
from app.style.theme import Theme
from engine.environments.making.state_spaces import Component

_STEPS = 200  # of a slider
_LEAST = 56  # pixels of a slider
_ROWS = 2.6  # that are seen of many, so that it is seen that there are more


class HeldSliders(QScrollArea):
    """``changed`` tells that a person has pulled one of the sliders."""

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        self._rows: list[tuple[QLabel, Slider, QLabel]] = []
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._theme = theme
        self._components: Sequence[Component] = ()
        self._values: list[float] = []

    def offer(self, components: Sequence[Component], values: Sequence[float]) -> None:
        """A slider for each component."""
        self._components, self._values = components, list(values)
        inner = QWidget()
        grid = QGridLayout(inner)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(self._theme.unit)
        grid.setVerticalSpacing(self._theme.unit // 4)
        self._rows = []
        for index, component in enumerate(components):
            name, slider, value = ElidedLabel(component.name), Slider(), QLabel()
            slider.setRange(0, _STEPS)
            slider.setAccessibleName(component.name)
            slider.setToolTip(f"At which {component.name} the slice is laid")
            slider.valueChanged.connect(lambda step, index=index: self._pulled(index, step))
            for label in (name, value):
                label.setProperty("small", True)
                label.setProperty("role", "muted")
            name.setToolTip(component.name)
            slider.setMinimumWidth(_LEAST)
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            value.setMinimumWidth(value.fontMetrics().horizontalAdvance("−00.00 rad/s"))
            grid.addWidget(name, index, 0)
            grid.addWidget(slider, index, 1)
            grid.addWidget(value, index, 2)
            self._rows.append((name, slider, value))
        grid.setColumnStretch(1, 1)
        self.setWidget(inner)
        self._show_values()

    @property
    def components(self) -> Sequence[Component]:
        """With the ranges that sliders have."""
        return self._components

    @property
    def values(self) -> list[float]:
        return list(self._values)

    def show_values(self, values: Sequence[float]) -> None:
        """Where it is by now, without anybody having pulled."""
        self._values = list(values)
        self._show_values()

    def show_axes(self, axes: tuple[int, int]) -> None:
        """Those of the plane have no slider."""
        for index, row in enumerate(self._rows):
            for widget in row:
                widget.setVisible(index not in axes)
        self._fit()
        self.setVisible(len(self._rows) > 2)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def _fit(self) -> None:
        """Be as high as the sliders that are seen, in whatever size text is."""
        if self._rows:
            each = max(widget.sizeHint().height() for widget in self._rows[0]) + self._theme.unit // 4
            self.setFixedHeight(round(min(len(self._rows) - 2, _ROWS) * each))

    def _show_values(self) -> None:
        for component, value, (_, slider, label) in zip(self._components, self._values, self._rows, strict=True):
            slider.blockSignals(True)
            slider.setValue(round(_STEPS * (value - component.low) / (component.high - component.low)))
            slider.blockSignals(False)
            label.setText(written(component, value))

    def _pulled(self, index: int, step: int) -> None:
        component = self._components[index]
        self._values[index] = component.low + step / _STEPS * (component.high - component.low)
        self._rows[index][2].setText(written(component, self._values[index]))
        self.changed.emit()


def written(component: Component, value: float) -> str:
    """A value with its unit."""
    return f"{short_number(value)} {component.unit}".rstrip()
