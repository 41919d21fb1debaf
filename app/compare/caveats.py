"""What cannot be compared of some runs, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from app.compare.compared import ComparedGroup, ComparedRun
from app.models.run_names import environment_title
from engine.catalogue.methods.imitated import is_own
from engine.config import ImitationConfig
from engine.config.imitation import BehaviouralCloning
from engine.runs.records import TOGETHER, TOGETHER_ONCE
from engine.runtime.errors import RequestError

_NAMED = 3  # that a sentence has room for


def of_one_environment(runs: Sequence[ComparedRun]) -> bool:
    """Whether the returns of all are of one scale."""
    return len({run.record.environment for run in runs}) <= 1


def of_one_clock(runs: Sequence[ComparedRun]) -> bool:
    """Whether the seconds of each are its own: seeds that are trained together share theirs."""
    return len({_is_together(run) for run in runs}) <= 1


def clock_caveat(runs: Sequence[ComparedRun]) -> str:
    """What is to be said where seconds are beside each other; empty where they can be compared."""
    together = [] if of_one_clock(runs) else [run for run in runs if _is_together(run)]
    if not together:
        return ""
    those = "Run" if len(together) == 1 else "Runs"
    was, its = ("was", "its") if len(together) == 1 else ("were", "their")
    numbers = _listed([str(run.record.number) for run in together])
    return (
        f"{those} {numbers} {was} trained together with other seeds: {its} seconds are those of all together, and "
        "cannot be compared with those of a run by itself."
    )


def repeated_caveat(groups: Sequence[ComparedGroup]) -> str:
    """What is to be said of runs of seeds that are there already; empty where there are none."""
    numbers = [str(run.record.number) for group in groups for run in group.repeated]
    if not numbers:
        return ""
    if len(numbers) == 1:
        said = f"Run {numbers[0]} has a seed that another run of its setting has, too, and is not counted"
    else:
        said = f"Runs {_listed(numbers)} have seeds that others of their setting have, too, and are not counted"
    return f"{said}: one seed is one observation."


def caveats(runs: Sequence[ComparedRun]) -> str:
    """What is to be said of their curves; empty where all can be compared."""
    said = []
    if not of_one_environment(runs):
        titles = list(dict.fromkeys(environment_title(run.record.environment) for run in runs))
        said.append(
            f"These runs are of {len(titles)} environments ({_listed(titles)}), whose returns are not of one scale: "
            "which curve is higher says nothing of which run is better."
        )
    planned = [run for run in runs if _plans(run)]
    if planned and len(planned) < len(runs):
        those, play = ("Run", "plays") if len(planned) == 1 else ("Runs", "play")
        numbers = _listed([str(run.record.number) for run in planned])
        said.append(
            f"{those} {numbers} {play} episodes only to show what is planned, and learned nothing from their steps: "
            "align by iterations, or see what each comes to beside the optimal return."
        )
    copied = [run for run in runs if _copies(run)]
    if copied and len(copied) < len(runs):
        those, play = ("Run", "plays") if len(copied) == 1 else ("Runs", "play")
        numbers = _listed([str(run.record.number) for run in copied])
        said.append(
            f"{those} {numbers} {play} episodes only to show what was learned from a dataset, whose steps are none of "
            "these: align by iterations."
        )
    return " ".join(said)


def _plans(run: ComparedRun) -> bool:
    """Whether it plans in a known process."""
    try:
        return run.record.config.family == "planning"
    except RequestError:
        return False


def _copies(run: ComparedRun) -> bool:
    """Whether it learns from what somebody else has done."""
    try:
        config = run.record.config
    except RequestError:
        return False
    return isinstance(config, ImitationConfig) and isinstance(config.update, BehaviouralCloning) and not is_own(config)


class CaveatLabel(QLabel):
    """Says them, and takes no room where there are none."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "warning")
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.hide()

    def tell(self, said: str) -> None:
        if said != self.text():
            self.setText(said)
            self.setVisible(bool(said))


def _is_together(run: ComparedRun) -> bool:
    return not {TOGETHER, TOGETHER_ONCE}.isdisjoint(run.record.inexact)


def _listed(words: Sequence[str]) -> str:
    """ "3, 4 and 2 more"."""
    more = len(words) - _NAMED
    shown = ", ".join(words[:_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown
