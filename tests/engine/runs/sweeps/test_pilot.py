from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.runs.executors.interface import Job
from engine.runs.library import ITERATIONS, Library
from engine.runs.records import Reached, Status
from engine.runs.sweeps.conducting import Conductor
from engine.runs.sweeps.experiments import Experiments
from engine.runs.sweeps.pilot import Trial, estimate, in_words, kind_of, known, pilot, time_in_words
from engine.runs.sweeps.plan import planned
from tests.engine.runs.sweeps.fake_executor import FakeExecutor
from tests.engine.runs.sweeps.sweeps import RATES, bandits


class _Executor(FakeExecutor):
    """Which writes into the library of each job, and has always come as far as after two seconds; it takes a tenth of
    the budget for that, or a twentieth where episodes are many."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.jobs, self.started, self.orders, self.refuses, self._ended = {}, [], [], "", []

    def start(self, job: Job) -> None:
        self.library = Library(job.library)
        super().start(job)
        steps = 40 if job.configuration["collection"]["episodes_per_update"] < 50 else 20
        for run in job.runs:
            self.library.append(run, ITERATIONS, ("iteration", "mean_return"), np.ones((4, 2)))
            self.library.reach(run, Reached(4, steps, 4, 2.0), [])

    def end(self, job: str, *args: object, **kwargs: object) -> None:
        runs = self.jobs[job].runs
        reached = [self.library.run(run).reached for run in runs]
        super().end(job, *args, **kwargs)  # type: ignore[arg-type]
        for run, before in zip(runs, reached, strict=True):
            self.library.reach(run, before, [])
        self.library.close()
        if self.jobs:
            self.library = Library(next(iter(self.jobs.values())).library)


def test_a_pilot_tries_each_kind_of_point_and_reckons_what_all_take() -> None:
    episodes = '[[vary]]\npath = "collection.episodes_per_update"\nvalues = [16, 64]'
    plan, executor = planned(bandits(f"seeds = 2\n{episodes}\n{RATES}")), _Executor(2)
    trials = pilot(plan, executor, seconds=1.0)
    found = estimate(plan, trials, 2)

    assert [(trial.point, trial.seeds, trial.share, trial.whole) for trial in trials] == [
        (0, 2, 0.1, pytest.approx(20.0)),
        (2, 2, 0.05, pytest.approx(40.0)),
    ]
    assert (found.runs, found.jobs, found.slots) == (8, 4, 2)
    # Two jobs of 20 s and two of 40 s on two slots, with half a second for each.
    assert found.seconds == pytest.approx((0.75 * 61.0, 1.5 * 61.0 + 4.0))
    assert trials[0].disk > 10 * 4 * 2 * 8  # ten times as many rows


def test_only_what_is_left_is_reckoned_and_what_was_trained_whole_is_sure() -> None:
    plan = planned(bandits(f"seeds = 2\n{RATES}"))
    trials = [Trial(0, 2, 1.0, 10.0, 1000, 1 << 20), Trial(1, 2, 1.0, 14.0, 2000)]
    found = estimate(plan, trials, 1)

    assert found.seconds == pytest.approx((0.9 * 21.0, 1.2 * 29.0 + 4.0))
    assert in_words(found) == "about 19 s to 39 s in 1 process, 7.8 KB on disk, and 1 MB of memory for each process"
    assert estimate(plan, trials, 1, left=()).seconds[0] == 0.0


def test_what_costs_nothing_makes_no_other_kind() -> None:
    plain, rate, more, other = (
        bandits(f'[[vary]]\npath = "{path}"\nvalues = [{value}]')
        for path, value in (
            ("update.learning_rate", "0.2"),
            ("update.learning_rate", "0.4"),
            ("collection.episodes_per_update", "32"),
            ("policy", '"linear"'),
        )
    )
    kinds = [kind_of(planned(s).points[0].config.model_dump(mode="json")) for s in (plain, rate, more, other)]
    assert kinds[0] == kinds[1]
    assert len(set(kinds)) == 3


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (89.0, "89 s"), (90.0, "2 min"), (5_400.0, "1 h 30 min"), (7_200.0, "2 h"), (200_000.0, "2.3 days")],
)
def test_time_in_words(seconds: float, words: str) -> None:
    assert time_in_words(seconds) == words


def test_a_pilot_that_is_given_up_has_tried_nothing(tmp_path: Path) -> None:
    assert pilot(planned(bandits()), _Executor(2), give_up=lambda: True) == ()


def test_runs_that_were_trained_stand_in_for_a_pilot(tmp_path: Path) -> None:
    with Library(tmp_path) as library:
        record = Experiments(library).add(bandits(f"seeds = 2\n{RATES}"))
        executor = FakeExecutor(library, slots=1)
        with Conductor(library, record.id, executor) as conductor:
            conductor.step(0.0)
            for run in executor.started[0].runs:
                library.reach(run, Reached(25, 400, 400, 8.0), [])
                library.end(run, Status.FINISHED)
        (trial,) = known(library, conductor.plan, record.runs)

    assert (trial.point, trial.seeds, trial.share, trial.seconds) == (0, 2, 0.125, 8.0)
