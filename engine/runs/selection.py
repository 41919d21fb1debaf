"""Whether the seeds that judge a setting are those that chose it.

The best of many settings is the best on the seeds that it was tried on, by merit and by luck: on the same seeds it
looks better than it is, and the more settings were tried the more so (Patterson et al. 2023).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.runs.comparison.groups import setting_of
from engine.runs.library import Library
from engine.runs.records import RunRecord
from engine.runs.sweeps.experiments import Experiments
from engine.runs.sweeps.records import ExperimentRecord, Wish

FEWEST = 3  # settings of which one is chosen: two are a comparison


@dataclass(frozen=True)
class Chosen:
    """The ``number`` and ``title`` of the experiment in which a setting is the best ``of`` so many, by the mean return
    at the end of the runs."""

    number: int
    title: str
    of: int

    def sentence(self, name: str) -> str:
        """Said of the setting that is called ``name``."""
        return (
            f"‘{name}’ is the best of {self.of} settings of experiment {self.number} ({self.title}), and these are the "
            "seeds that chose it: by luck alone it looks better than it is. Train it from other seeds to judge it."
        )


@dataclass(frozen=True)
class _Best:
    chosen: Chosen
    runs: tuple[RunRecord, ...]


def chosen_on(library: Library, groups: Sequence[Sequence[RunRecord]]) -> list[Chosen | None]:
    """For each of these ``groups`` of seeds, the experiment of the library in which they, or runs of the same setting
    and the same seed, chose it; None of those of which the library knows of none.

    Raises:
        RunError: the library cannot be read.
    """
    found: list[Chosen | None] = [None] * len(groups)
    asked = [{(setting_of(run), run.seed) for run in runs} for runs in groups]
    for best in _all_best(library):
        those = {(setting_of(run), run.seed) for run in best.runs}
        for index, here in enumerate(asked):
            if here & those and found[index] is None:
                found[index] = best.chosen
    return found


def _all_best(library: Library) -> Iterator[_Best]:
    for experiment in Experiments(library).list():
        yield from _best(library, experiment)


def _best(library: Library, experiment: ExperimentRecord) -> Iterator[_Best]:
    """The best setting of an experiment, in each environment that it has."""
    rows = library.execute(
        "SELECT environment, point, avg(mean_return) AS score FROM experiment_runs JOIN runs ON runs.id = run "
        "WHERE experiment = ? AND wish != ? AND deleted IS NULL AND mean_return IS NOT NULL GROUP BY 1, 2",
        (experiment.id, Wish.DROP),
    ).fetchall()
    for environment in {row["environment"] for row in rows}:
        scores = {row["point"]: row["score"] for row in rows if row["environment"] == environment}
        if len(scores) < FEWEST or min(scores.values()) == max(scores.values()):
            continue
        point = max(scores, key=scores.__getitem__)
        ids = library.execute(
            "SELECT run FROM experiment_runs JOIN runs ON runs.id = run "
            "WHERE experiment = ? AND point = ? AND wish != ? AND deleted IS NULL AND mean_return IS NOT NULL",
            (experiment.id, point, Wish.DROP),
        )
        chosen = Chosen(experiment.number, experiment.title, len(scores))
        yield _Best(chosen, tuple(library.run(row["run"]) for row in ids))
