"""What can be done next with a policy that was learned from a teacher: learn on from rewards, and compare that with
learning from nothing."""

from __future__ import annotations

from typing import Literal

from app.models.experiment import Experiment
from app.models.run_state import ACTIVE
from app.models.runs import KeptRun
from app.session.run_controller import RunController
from app.session.run_library import RunLibrary
from engine.catalogue.methods.entries import ALGORITHMS
from engine.config import ImitationConfig, PolicyGradientConfig, RunConfig
from engine.config.parameters import with_values
from engine.runs.records import RunRecord
from engine.runtime.errors import RequestError

RULE = "ppo"
_BUDGET = "budget.environment_steps"
_LEAST = 1000  # environment steps


class FineTuning:
    """What can be offered of the run that is shown, once it is at rest."""

    def __init__(self, controller: RunController, library: RunLibrary, experiment: Experiment) -> None:
        self._controller, self._library, self._experiment = controller, library, experiment

    @property
    def offer(self) -> Literal["", "go on", "compare"]:
        """To go on by policy gradient, where the run has learned from a teacher; to compare with learning from nothing,
        where it has gone on so."""
        shown = self._controller.shown
        if shown is None or self._controller.state in ACTIVE:
            return ""
        if isinstance(shown.config, ImitationConfig):
            return "go on" if self._controller.can_fork and shown.run.history.iterations else ""
        return "compare" if self._tuned(shown) is not None else ""

    def _tuned(self, shown: KeptRun) -> RunRecord | None:
        """The record of the run that is shown, where it is a policy gradient that was forked from a copy."""
        record = self._library.record(shown.run.id)
        if record is None or record.origin is None or not isinstance(shown.config, PolicyGradientConfig):
            return None
        parent = self._library.record(record.origin.parent)
        try:
            copied = parent is not None and isinstance(parent.config_now, ImitationConfig)
        except RequestError:  # of a later version of the program
            copied = False
        return record if copied else None

    def choose(self) -> bool:
        """Choose the policy gradient with which the run that is shown is to go on; whether that can be had."""
        return self._experiment.pick(ALGORITHMS[RULE]) is None

    def from_nothing(self) -> tuple[RunRecord, RunConfig] | None:
        """The run that was learned on, and what would learn as it does, for as long, with nothing known before."""
        shown = self._controller.shown
        record = self._tuned(shown) if shown is not None else None
        if shown is None or record is None or record.origin is None:
            return None
        steps = max(shown.config.budget.environment_steps - record.origin.environment_steps, _LEAST)
        return record, with_values(shown.config, {_BUDGET: steps})
