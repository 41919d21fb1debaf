"""horizon: what a learner's errors cost over longer and longer episodes, of cloning and of DAgger.

On the tightrope of ``engine.mdp.compounding`` exactly, at an error of 1 %: ½ ε T² of a clone, ε T of one that was
corrected. On CartPole and LunarLander as it is measured, by ``engine.analysis.horizon_cost``: the reward of the
teacher's first T steps less that of the learner's, greedy both, after they have learned as in ``imitation`` from the
same number of answers, cloning from whole episodes and DAgger from states that the learner came to. The table shows
the mean over the seeds with a 95 % bootstrap interval.

Option: ``--seeds N``.
"""

from __future__ import annotations

from typing import Any

from engine.analysis.horizon_cost import cost_by_horizon
from engine.analysis.playback import PolicySnapshot
from engine.analysis.policy_recording import Wanted, record
from engine.experience.demonstrations import Demonstrations
from engine.mdp.compounding import cost_of_clone, cost_of_corrected
from tests.benchmarks.figures import Grid, Measured, Number, Say
from tests.benchmarks.imitation import (
    CASES,
    DAGGER,
    EPISODES,
    FIRST_SEED,
    ROUNDS,
    SEEDS,
    Case,
    configuration,
    given,
    interval,
    learned,
    shown,
)

HORIZONS = (25, 50, 100, 200, 400)
ERROR = 0.01
PLAYED = 16  # episodes of each policy
MEASURED = (("CartPole-v1", 5), ("LunarLander-v3", 25))  # and how many answers there are in a round


def measure(quick: bool, say: Say, seeds: int | None = None) -> Measured:
    count, rounds = (1, 2) if quick else (seeds or SEEDS, ROUNDS)
    exact = {EPISODES: cost_of_clone, DAGGER: cost_of_corrected}
    lines = [("tightrope", way, *(f"{cost(ERROR, each):.3g}" for each in HORIZONS)) for way, cost in exact.items()]
    numbers, data = list[Number](), list[dict[str, Any]]()
    for case in (each for each in CASES if (each.environment, each.labels) in MEASURED):
        costs = _costs(case, count, rounds, say)
        for way, of_seeds in costs.items():
            intervals = [interval(of_all) for of_all in zip(*of_seeds, strict=True)]
            lines.append((f"{case.environment}, {rounds * case.labels} answers", way, *map(shown, intervals)))
            for horizon, (mean, _, _) in zip(HORIZONS, intervals, strict=True):
                numbers.append(Number(f"cost at T = {horizon}, {case.environment}, {way}", mean, "reward"))
        data.append({"environment": case.environment, "answers": rounds * case.labels, "costs": costs})
    detail = f"{count} seeds, {rounds} rounds, {PLAYED} episodes of each policy; 95 % bootstrap intervals over seeds."
    columns = ("environment", "learner", *(f"cost at T = {horizon}" for horizon in HORIZONS))
    return Measured({}, tuple(numbers), detail, Grid(columns, tuple(lines)), data)


def _costs(case: Case, count: int, rounds: int, say: Say) -> dict[str, list[list[float]]]:
    """By how it has learned, for every seed the costs at all horizons."""
    teacher = _of_teacher(case)
    costs: dict[str, list[list[float]]] = {EPISODES: [], DAGGER: []}
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        for way, found in costs.items():
            found.append(_at_horizons(teacher, _played(learned(case, way, seed, rounds)[1], seed)))
        told = ", ".join(f"{way} {found[-1][-1]:.4g}" for way, found in costs.items())
        say(f"{case.environment}, seed {seed}: cost at T = {HORIZONS[-1]} of {told}")
    return costs


def _of_teacher(case: Case) -> Demonstrations:
    config = configuration(case, DAGGER, 1, 1)
    by = given(case, config, DAGGER, 0).teacher
    assert by is not None
    playing = by.config.model_copy(update={"environment": config.environment})
    from engine.catalogue.configured import changed
    from engine.environments.making.lookup import inspect

    seen = changed(inspect(config.environment.id, config.environment.options), config.environment)
    return _played(PolicySnapshot(playing, seen, dict(by.parameters), 0), 0)


def _played(policy: PolicySnapshot, seed: int) -> Demonstrations:
    return record(policy, Wanted(PLAYED, greedy=True), 10_000 + seed).demonstrations


def _at_horizons(teacher: Demonstrations, learner: Demonstrations) -> list[float]:
    """Beyond the last step of all, nothing is paid any more."""
    found = cost_by_horizon(teacher, learner)
    return [float(found.cost[min(horizon, len(found.cost)) - 1]) for horizon in HORIZONS]
