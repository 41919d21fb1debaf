"""lecture: what causality and a baseline are worth in the lecture's own setting; reported, not judged.

CartPole-v1, one episode per update, Adam, γ = 1 (the lecture's formulas have no discount), one hidden layer of 128
relu, torch on 1 thread. ``reinforce`` (total return, no baseline) against ``reinforce-average-baseline``
(reward-to-go less the average credit; with one episode per update that is the average over the episode's own steps).
Measured: environment steps and episodes until the mean return of the last 100 training episodes is 475; a run that
has not got there within CAP steps did not solve it and counts as the slowest.

The learning rate decides much of the outcome, so both sides use their own best of RATES: the one with the lowest
median of steps over 3 seeds (101–103) that are not among the 10 then measured (1–10); where that median is beyond
SEARCH_CAP steps for all rates, the one with the longest episodes on average. All runs are independent and spread over
one worker process per core. The [lecture] saw about 800k steps against 160k.
"""

from __future__ import annotations

import math
import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from statistics import median

import numpy as np

from tests.benchmarks.engine_side import LECTURE_POLICY, SOLVED, Reached, algorithm, train_until
from tests.benchmarks.figures import Measured, Number, Say

SIDES = {"reinforce": "REINFORCE", "reinforce-average-baseline": "with causality and a baseline"}
RATES = (0.001, 0.003, 0.01)
CAP = 1_500_000
SEARCH_CAP = 250_000


@dataclass(frozen=True)
class Job:
    """One run to make."""

    side: str
    learning_rate: float
    seed: int
    cap: int


Runs = dict[Job, Reached]


def run(job: Job) -> Reached:
    """Train one job in the process at hand."""
    config = algorithm(
        job.side,
        {
            "policy": LECTURE_POLICY,
            "estimator.gamma": 1.0,
            "update.learning_rate": job.learning_rate,
            "collection.episodes_per_update": 1,
            "budget.environment_steps": job.cap,
            "seed": job.seed,
        },
    )
    return train_until(config, SOLVED)


def measure(quick: bool, say: Say) -> Measured:
    seeds, cap, search_cap = (range(1, 3), 20_000, 5_000) if quick else (range(1, 11), CAP, SEARCH_CAP)
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        searched = _run_all(
            pool,
            [Job(side, rate, 100 + seed, search_cap) for side in SIDES for rate in RATES for seed in (1, 2, 3)],
            say,
        )
        rates = {side: _best_rate(searched, side) for side in SIDES}
        runs = _run_all(pool, [Job(side, rates[side], seed, cap) for side in SIDES for seed in seeds], say)
    numbers: list[Number] = []
    medians = []
    for side, name in SIDES.items():
        reached = [found for job, found in runs.items() if job.side == side]
        medians.append(median(map(_steps, reached)))
        numbers += _spread(name, reached)
    numbers.append(Number("median steps, ratio", medians[0] / medians[1] if math.isfinite(medians[1]) else None, "×"))
    numbers += [
        Number(f"search: {SIDES[side]}, α = {rate:g}, median", _finite(_search_median(searched, side, rate)), "steps")
        for side in SIDES
        for rate in RATES
    ]
    best = "; ".join(f"{name} α = {rates[side]:g}" for side, name in SIDES.items())
    detail = (
        f"{len(seeds)} seeds, at most {cap:,} steps each; each side at its own best learning rate of "
        f"{', '.join(f'{rate:g}' for rate in RATES)}: {best}. The lecture saw 800k against 160k steps, 5 ×."
    )
    return Measured({}, tuple(numbers), detail)


def _run_all(pool: ProcessPoolExecutor, jobs: Sequence[Job], say: Say) -> Runs:
    waiting = {pool.submit(run, job): job for job in jobs}
    found: Runs = {}
    for done in as_completed(waiting):
        job, reached = waiting[done], done.result()
        found[job] = reached
        say(
            f"{len(found)}/{len(jobs)} {job.side}, α = {job.learning_rate:g}, seed {job.seed}: "
            f"{'solved after' if reached.solved else 'not solved within'} {reached.steps:,} steps, "
            f"{reached.episodes:,} episodes ({reached.seconds:.0f} s)"
        )
    return found


def _steps(reached: Reached) -> float:
    return reached.steps if reached.solved else math.inf


def _search_median(searched: Runs, side: str, rate: float) -> float:
    return median(_steps(found) for job, found in searched.items() if (job.side, job.learning_rate) == (side, rate))


def _best_rate(searched: Runs, side: str) -> float:
    """The rate with the lowest median; among those that solve nothing, the one that made the longest episodes."""

    def worth(rate: float) -> tuple[float, float]:
        runs = [found for job, found in searched.items() if (job.side, job.learning_rate) == (side, rate)]
        return _search_median(searched, side, rate), -sum(run.steps for run in runs) / sum(run.episodes for run in runs)

    return min(RATES, key=worth)


def _spread(name: str, reached: Sequence[Reached]) -> list[Number]:
    """The five-number summary of steps, the median of episodes, and how many never solved it."""
    steps = np.sort([_steps(run) for run in reached])
    episodes = median(run.episodes if run.solved else math.inf for run in reached)
    summary = {
        "least": steps[0],
        "first quartile": np.quantile(steps, 0.25, method="nearest"),
        "median": median(steps),
        "third quartile": np.quantile(steps, 0.75, method="nearest"),
        "most": steps[-1],
    }
    return [
        *(Number(f"{name}: {words}", _finite(float(value)), "steps") for words, value in summary.items()),
        Number(f"{name}: median", _finite(episodes), "episodes"),
        Number(f"{name}: not solved", sum(not run.solved for run in reached), f"of {len(reached)} runs"),
    ]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
