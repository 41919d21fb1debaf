"""Whether settings may have been chosen by the very seeds that judge them."""

from __future__ import annotations

from collections.abc import Collection

from engine.runs.sweeps.experiments import Experiments
from engine.runs.sweeps.records import ExperimentRecord, Wish


def chosen_by_judges(experiments: Experiments, runs: Collection[str]) -> str:
    """What is to be said where some of these runs are a part of the settings of an experiment, on its own seeds; empty
    where the library knows nothing of the kind.

    Of many settings the best is partly the luckiest: on the seeds by which it was chosen it looks better than it is.

    Raises:
        RunError: the library cannot be read.
    """
    among = dict.fromkeys(experiment for run in runs for experiment in experiments.of_run(run))
    return " ".join(filter(None, (_said(experiments.get(experiment), runs) for experiment in among)))


def _said(experiment: ExperimentRecord, runs: Collection[str]) -> str:
    trained = [run for run in experiment.runs if run.wish is not Wish.DROP]
    settings = {run.point for run in trained}
    shown = {run.point for run in trained if run.run in runs}
    if not shown or shown == settings:
        return ""
    one = len(shown) == 1
    few, stand, were = ("1", "stands", "it was") if one else (str(len(shown)), "stand", "they were")
    which = f"{few} of the {len(settings)} settings of experiment {experiment.number} ({experiment.title})"
    return (
        f"{which} {stand} here on the seeds of all. If {were} chosen by what came of them, the numbers flatter: train "
        "what was chosen once more, from other seeds, before the difference is believed."
    )
