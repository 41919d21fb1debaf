"""The three plot panels as one: made together, and fed in turn so that no single moment is long."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.models.history import History, XAxis
from app.panels.advantages import AdvantagesPanel
from app.panels.diagnostics import DiagnosticsPanel
from app.panels.returns import ReturnsPanel
from app.style.theme import Theme
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig


class Plots(QObject):
    """Signals:
    x_axis_changed: what the horizontal axes count was chosen anew.
    """

    x_axis_changed = Signal(str)

    def __init__(self, theme: Theme, x_axis: XAxis) -> None:
        super().__init__()
        self.returns = ReturnsPanel(theme)
        self.advantages = AdvantagesPanel(theme)
        self.diagnostics = DiagnosticsPanel(theme)
        self._all = (self.returns, self.advantages, self.diagnostics)
        self._turn = 0
        self.returns.x_axis = x_axis
        self.diagnostics.set_x_axis(x_axis)
        self.returns.x_axis_changed.connect(self.diagnostics.set_x_axis)
        self.returns.x_axis_changed.connect(self.x_axis_changed)

    @property
    def panels(self) -> dict[str, QWidget]:
        """By the titles of their docks."""
        return {"Returns": self.returns, "Advantages": self.advantages, "Diagnostics": self.diagnostics}

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        """What to mark as solved, and what the method gives to be plotted."""
        self.returns.set_environment(environment)
        self.advantages.set_method(config)
        self.diagnostics.set_method(config)

    def refresh_next(self, history: History) -> None:
        """Bring the next panel up to date, if it can be seen."""
        self._turn = (self._turn + 1) % len(self._all)
        panel = self._all[self._turn]
        if panel.isVisible() and not panel.visibleRegion().isEmpty():
            panel.refresh(history)

    def refresh(self, history: History) -> None:
        for panel in self._all:
            panel.refresh(history)

    def reset(self) -> None:
        for panel in self._all:
            panel.reset()

    def apply_theme(self, theme: Theme) -> None:
        for panel in self._all:
            panel.apply_theme(theme)
