"""The menu of the stops within an iteration, to which a run can be taken one after the other."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from app.models.slow_motion import SlowMotion
from app.session.run_controller import RunController
from app.window.actions import native
from app.window.toolbar import Toolbar
from engine.catalogue.methods.stops import STOPS, Stop, Until, reason_against
from engine.config import RunConfig

_ENTRIES: dict[Stop, tuple[str, str]] = {
    "episode": ("Next episode", "Play on until an episode has ended"),
    "collect": ("Collect", "Play all that the next update learns from, and show its rewards"),
    "credit": ("Credit", "Show what every step is credited with: Ψ"),
    "baseline": ("Subtract the baseline", "Show what is subtracted from it, and the advantage that is left: Â = Ψ − b"),
    "weight": ("Weight ∇log π", "Show how strongly every step pushes the probability of its action"),
    "step": ("Move θ", "Take one gradient step: of PPO one minibatch, of TRPO one try of its line search"),
    "iteration": ("Next iteration", "Train to the end of an iteration, and show where the policy has come to"),
}


class StepMenu(QMenu):
    """Stands beneath the toolbar's Step, and in the menu Run; its entries and keys ask ``controller`` through ``step``.

    Args:
        choice: what a run that is begun by it would be of.
    """

    def __init__(
        self,
        toolbar: Toolbar,
        actions: dict[str, QAction],
        step: Callable[[Until], object],
        controller: RunController,
        choice: Callable[[], RunConfig],
    ) -> None:
        super().__init__("Step to", toolbar)
        self._controller, self._choice, self._step = controller, choice, step
        self.setToolTipsVisible(True)
        self.addAction(actions["next_stop"])
        self.addSeparator()
        self.entries: dict[Stop, QAction] = {}
        for stop in STOPS:
            text, tip = _ENTRIES[stop]
            entry = self.addAction(f"{text}\t{native('Right')}" if stop == "iteration" else text)
            entry.setToolTip(tip)
            entry.triggered.connect(lambda _checked=False, stop=stop: step(stop))
            self.entries[stop] = entry
        actions["step"].triggered.connect(lambda: step("iteration"))
        actions["next_stop"].triggered.connect(lambda: step("next"))
        slow: SlowMotion = controller.slow
        slow.asked.connect(step)
        self.aboutToShow.connect(self.follow)
        toolbar.add_steps(self)

    def follow(self) -> None:
        """Enable what the run that would be stepped can stop at."""
        config = self._controller.config
        if config is None or self._controller.would_start_anew(self._choice()):
            config = self._choice()
        possible = self.actions()[0].isEnabled()
        for stop, entry in self.entries.items():
            reason = reason_against(config, stop)
            entry.setEnabled(possible and not reason)
            entry.setToolTip(reason or _ENTRIES[stop][1])
