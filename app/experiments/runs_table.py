"""A row for each run of an experiment: how it stands, and why it failed where it did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from app.experiments.sorted_table import Column, SortedTable
from app.models.experiment_results import SettingResult
from app.style.format import NOTHING, percent, short_number
from app.style.theme import Theme, tabular
from engine.runs.sweeps.records import Progress, Wish
from engine.runs.sweeps.standings import Standing


class RunsTable(SortedTable):
    def __init__(self, theme: Theme) -> None:
        super().__init__("The runs of the experiment")
        self._runs: dict[tuple[int, int], str] = {}
        self.setToolTip("Return or a double click opens the selected runs in Compare")
        self.apply_theme(theme)

    def show_results(self, results: Sequence[SettingResult], budget: int) -> None:
        """Show all runs of these, each of which trains for ``budget`` environment steps."""
        runs = [(one, run) for one in results for run in one.runs]
        standings = [run for _, run in runs]
        columns = [
            Column("Setting", "What varies", [one.title for one, _ in runs], [one.point for one, _ in runs]),
            _numbers("Seed", "", [run.seed for run in standings]),
            _numbers("Run", "What it goes by in the library", [run.number for run in standings]),
            Column(
                "Standing",
                "How far it is",
                [standing_words(run) for run in standings],
                [standing_words(run) for run in standings],
                tips=[f"{standing_words(run)}\n{run.reason}".strip() for run in standings],
            ),
            Column(
                "Trained",
                "Of the environment steps that it is to train for",
                [percent(min(run.environment_steps / budget, 1.0)) for run in standings],
                [run.environment_steps for run in standings],
                is_number=True,
            ),
            _numbers("Return", "The mean return of its last 100 episodes", [run.mean_return for run in standings]),
        ]
        # by point and seed, since what stands for them may become another run of the library
        self._runs = {(run.point, run.seed): run.run for run in standings}
        self.show_cells(list(self._runs), columns)

    @property
    def chosen_runs(self) -> list[str]:
        """The runs that are selected, from above."""
        return [self._runs[cast("tuple[int, int]", row)] for row in self.chosen]

    def apply_theme(self, theme: Theme) -> None:
        self.setFont(tabular(self.font()))
        self.fit()


def _numbers(title: str, help: str, values: Sequence[float | None]) -> Column:
    cells = [short_number(value, 4) if value is not None else NOTHING for value in values]
    return Column(title, help, cells, values, is_number=True)


def standing_words(run: Standing) -> str:
    """How a run stands, and what is wanted of it where that has not come about yet."""
    if run.wish is Wish.DROP:
        return "dropped"
    if run.failed:
        tries = f" ({run.attempts} tries)" if run.attempts > 1 else ""
        return f"failed{tries}: {run.reason}" if run.reason else f"failed{tries}"
    wanted = {Wish.PAUSE: Progress.PAUSED, Wish.STOP: Progress.STOPPED}.get(run.wish)
    if wanted is not None and run.progress in (Progress.TRAINING, Progress.WAITING):
        return f"{run.progress}, to be {wanted}"
    return str(run.progress)
