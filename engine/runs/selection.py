"""Whether the seeds that judge a setting are those that chose it.

The best of many settings is the best on the seeds that it was tried on, by merit and by luck: on the same seeds it
looks better than it is, and the more settings were tried the more so (Patterson et al. 2023). What is said of that, in
the window, by ``compare`` and in the report of a sweep, is said here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.runs.comparison.groups import setting_of
from engine.runs.library import Library
from engine.runs.records import RunRecord
from engine.runs.sweeps.experiments import Experiments
from engine.runs.sweeps.records import ExperimentRecord, Wish
from engine.runtime.errors import RequestError

FEWEST = 3  # settings of which one is chosen: two are a comparison


@dataclass(frozen=True)
class Judged:
    """Runs of one setting that are looked at, and what sentences call it."""

    name: str
    runs: Sequence[RunRecord]


def best_of(scores: Sequence[float]) -> tuple[int, ...]:
    """The places of those settings that came to most, where that chooses among them: none of fewer than three, and none
    where all are alike."""
    if len(scores) < FEWEST or min(scores) == max(scores):
        return ()
    return tuple(place for place, score in enumerate(scores) if score == max(scores))


def brief(of: int) -> str:
    """Said of the best of so many settings where all of them are to be seen."""
    return f"The best of {of} settings is chosen by the seeds that judge it: with other seeds it may come to less."


def chosen(library: Library, judged: Sequence[Judged]) -> tuple[str, ...]:
    """What is to be said of what is ``judged``, a sentence for each experiment of the library in which its runs, or
    runs of the same setting and the same seed, may have been chosen; none where the library knows of no such thing.

    Raises:
        RunError: the library cannot be read.
    """
    experiments, looked = Experiments(library), _Looked(judged)
    with_them = {id for run in looked.points_of for id in experiments.of_run(run)}
    said = []
    for experiment in experiments.list():
        those = _said_of_best(library, experiment, looked) if len(experiment.settings) >= FEWEST else []
        if not those and experiment.id in with_them:
            those = _said_of_part(experiments.get(experiment.id), looked)
        said += those
    return tuple(said)


def chosen_within(library: Library, experiment: ExperimentRecord) -> str:
    """What is to be said of all settings of an experiment beside each other; empty where none is chosen."""
    best = _best(library, experiment)
    return brief(best[0].of) if best else ""


class _Looked:
    """What is judged, by run, and by setting and seed, which are found only where they are asked for."""

    def __init__(self, judged: Sequence[Judged]) -> None:
        self.judged = judged
        self.points_of = {run.id: place for place, one in enumerate(judged) for run in one.runs}
        self._settings: list[tuple[str, frozenset[int]]] | None = None

    def at(self, best: _Best, library: Library) -> int | None:
        """The place of what is judged by seeds that made it the best; None where there is none."""
        found = [self.points_of[run] for run in best.runs if run in self.points_of]
        if found:
            return found[0]
        if self._settings is None:
            self._settings = [
                (setting_of(one.runs[0]), frozenset(run.seed for run in one.runs)) if one.runs else ("", frozenset())
                for one in self.judged
            ]
        try:
            those = [library.run(run) for run in best.runs]
        except RequestError:  # one was removed a moment ago
            return None
        setting, seeds = setting_of(those[0]), {run.seed for run in those}
        return next(
            (place for place, (own, judges) in enumerate(self._settings) if own == setting and judges & seeds), None
        )


@dataclass(frozen=True)
class _Best:
    """The runs of a setting that came to most of so many in its environment, alone or ``shared``."""

    runs: tuple[str, ...]
    of: int
    shared: bool


def _said_of_best(library: Library, experiment: ExperimentRecord, looked: _Looked) -> list[str]:
    said = []
    for best in _best(library, experiment):
        place = looked.at(best, library)
        if place is not None:
            rank = "one of the best" if best.shared else "the best"
            said.append(
                f"‘{looked.judged[place].name}’ is {rank} of {best.of} settings {_whose(experiment)}, and these are "
                "the seeds that chose it: by luck alone it looks better than it is. Train it from other seeds to judge "
                "it."
            )
    return said


def _said_of_part(experiment: ExperimentRecord, looked: _Looked) -> list[str]:
    trained = [run for run in experiment.runs if run.wish is not Wish.DROP]
    settings = {run.point for run in trained}
    shown = {run.point for run in trained if run.run in looked.points_of}
    if not shown or shown == settings:
        return []
    few, stand, were = ("1", "stands", "it was") if len(shown) == 1 else (str(len(shown)), "stand", "they were")
    return [
        f"{few} of the {len(settings)} settings {_whose(experiment)} {stand} here on the seeds of all. If {were} "
        "chosen by what came of them, the numbers flatter: train what was chosen once more, from other seeds, before "
        "the difference is believed."
    ]


def _whose(experiment: ExperimentRecord) -> str:
    return f"of experiment {experiment.number} ({experiment.title})"


def _best(library: Library, experiment: ExperimentRecord) -> list[_Best]:
    """The settings that came to most, by interquartile mean as everywhere, in each environment that it has."""
    import numpy as np

    from engine.runs.comparison.aggregates import interquartile_mean

    rows = library.execute(
        "SELECT environment, point, run, mean_return FROM experiment_runs JOIN runs ON runs.id = run "
        "WHERE experiment = ? AND wish != ? AND deleted IS NULL AND abs(mean_return) < 1e300 ORDER BY point, seed",
        (experiment.id, Wish.DROP),
    ).fetchall()
    by_environment: dict[str, dict[int, dict[str, float]]] = {}
    for environment, point, run, score in rows:
        by_environment.setdefault(environment, {}).setdefault(point, {})[run] = score
    found = []
    for points in by_environment.values():
        settings = list(points.values())
        best = best_of([float(interquartile_mean(np.array(list(runs.values())))) for runs in settings])
        found += [_Best(tuple(settings[place]), len(settings), len(best) > 1) for place in best]
    return found
