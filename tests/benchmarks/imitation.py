"""imitation: DAgger against cloning at equal numbers of a teacher's answers, and what each costs by horizon.

Both are the same learner with the same policy, optimiser and number of answers in every round; they differ in whose
states the teacher is asked about. With cloning he plays all rounds himself (β = 1), with DAgger the learner does from
the second on. States are drawn at random among those of the round. After every round the learner's greedy policy is
played; the table shows its mean return after the last, over the seeds, with a 95 % bootstrap interval, and that of the
difference seed by seed. A difference is told where its interval leaves 0 out.

Teachers are those that are shipped, and the optimal policy where dynamics are known. In the corridor there is nothing
to be gained: whoever errs there comes to no state that the teacher would not pass.

Cost by horizon: on the tightrope of ``engine.mdp.compounding`` exactly, at an error of 1 %; on CartPole as the steps
that are lost up to T, T less the length of an episode, averaged over the last episodes of all seeds.

Option: ``--seeds N``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.config import PolicyGradientConfig, RunConfig
from engine.config.parameters import with_values
from engine.mdp.compounding import cost_of_clone, cost_of_corrected
from engine.reports.events import Collected, Updated
from engine.runs.giving import given_for
from engine.training.training import Training
from tests.benchmarks.figures import Grid, Measured, Number, Say

FIRST_SEED, SEEDS, ROUNDS = 101, 10, 8
HORIZONS = (25, 50, 100, 200, 400)
ERROR = 0.01
BETTER = "environments in which DAgger is better"


@dataclass(frozen=True)
class Case:
    """An environment, who teaches in it, and how many states he is asked about in a round."""

    environment: str
    teacher: str
    labels: int
    values: dict[str, Any] = field(default_factory=dict)


CASES = (
    Case("CartPole-v1", "cartpole", 20),
    Case("LunarLander-v3", "lunar-lander", 100, {"environment.time_limit": 500}),
    Case("FrozenLake-v1", "optimal", 3, {"policy": "tabular", "estimator.gamma": 1.0}),
    Case("Taxi-v4", "optimal", 40, {"policy": "tabular"}),
    Case("GridWorld-v0", "optimal", 3, {"policy": "tabular"}),
    Case("Corridor-v0", "optimal", 2, {"policy": "tabular"}),
)


def configuration(case: Case, aggregates: bool, seed: int) -> RunConfig:
    """DAgger, or with β = 1 in all rounds cloning."""
    return with_values(
        PolicyGradientConfig(),
        {
            "update": "dagger",
            "environment": case.environment,
            "imitation.teacher": case.teacher,
            "update.labels": case.labels,
            "update.mixture": "first-round" if aggregates else "decaying",
            "update.decay": 1.0,
            "update.epochs": 50,
            "update.minibatch_size": 64,
            "update.learning_rate": 0.05 if case.values.get("policy") == "tabular" else 0.002,
            "exploration.greedy_start": 1.0,
            "exploration.greedy_end": 1.0,
            "evaluation.episodes": 16,
            "budget.environment_steps": 10**9,
            "device": "cpu",
            "seed": seed,
        }
        | case.values,
    )


def learned(config: RunConfig, rounds: int) -> tuple[list[float], NDArray[np.int64]]:
    """The learner's mean return after 0, 1 … ``rounds`` rounds, and the lengths of the last episodes."""
    training, returns, lengths = Training(config, given=given_for(config, None)), list[float](), np.zeros(0, np.int64)
    try:
        played = False
        for event in training:
            if isinstance(event, Collected) and len(event.returns) and not played:
                returns.append(float(event.returns.mean()))
                lengths, played = event.lengths, True
                if len(returns) > rounds:
                    break
            if isinstance(event, Updated):
                played = False
    finally:
        training.close()
    return returns, lengths


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """The mean, and a 95 % percentile bootstrap interval of it."""
    numbers = np.asarray(values, np.float64)
    draws = np.random.default_rng(0).choice(numbers, (10_000, len(numbers))).mean(-1)
    low, high = np.quantile(draws, (0.025, 0.975))
    return float(numbers.mean()), float(low), float(high)


def measure(quick: bool, say: Say, seeds: int | None = None) -> Measured:
    count, rounds = (1, 2) if quick else (seeds or SEEDS, ROUNDS)
    numbers, lines, data, better = list[Number](), list[tuple[str, ...]](), list[dict[str, Any]](), 0
    for case in CASES:
        curves: dict[bool, list[list[float]]] = {False: [], True: []}
        ended: dict[bool, list[NDArray[np.int64]]] = {False: [], True: []}
        for seed in range(FIRST_SEED, FIRST_SEED + count):
            for aggregates in (False, True):
                curve, lengths = learned(configuration(case, aggregates, seed), rounds)
                curves[aggregates].append(curve)
                ended[aggregates].append(lengths)
            say(f"{case.environment}, seed {seed}: {curves[False][-1][-1]:.4g} and {curves[True][-1][-1]:.4g}")
        last = {aggregates: [curve[-1] for curve in each] for aggregates, each in curves.items()}
        gain = [one - other for one, other in zip(last[True], last[False], strict=True)]
        told = [interval(values) for values in (last[False], last[True], gain)]
        better += told[2][1] > 0.0
        labels = case.labels * rounds
        lines.append((case.environment, case.teacher, str(labels), *map(_shown, told)))
        for name, (mean, _, _) in zip(("cloning", "DAgger", "difference"), told, strict=True):
            numbers.append(Number(f"{case.environment}, {name}", mean, "reward"))
        data.append(
            {"environment": case.environment, "labels": labels, "cloning": curves[False], "dagger": curves[True]}
        )
        if case.environment == "CartPole-v1":
            data[-1]["cost"] = {T: [_lost(ended[each], T) for each in (False, True)] for T in HORIZONS}
    costs = data[0]["cost"]
    for horizon in HORIZONS:
        exact = cost_of_clone(ERROR, horizon), cost_of_corrected(ERROR, horizon)
        numbers.extend(
            Number(f"cost at T = {horizon}, {name}", value, "steps")
            for name, value in zip(
                ("tightrope, clone", "tightrope, DAgger", "CartPole, clone", "CartPole, DAgger"),
                (*exact, *costs[horizon]),
                strict=True,
            )
        )
        lines.append(
            (
                f"cost at T = {horizon}",
                "",
                "",
                *(f"{a:.3g} / {b:.3g}" for a, b in zip(exact, costs[horizon], strict=True)),
                "",
            )
        )
    columns = ("environment", "teacher", "answers", "cloning", "DAgger", "difference")
    detail = (
        f"{count} seeds, {rounds} rounds; costs are those of the tightrope / of CartPole, in steps. "
        "95 % bootstrap intervals over seeds."
    )
    return Measured({BETTER: float(better)}, tuple(numbers), detail, Grid(columns, tuple(lines)), data)


def _lost(lengths: Sequence[NDArray[np.int64]], horizon: int) -> float:
    """T less the length of an episode that is cut off there, on average."""
    return float(np.mean([np.maximum(horizon - each, 0).mean() for each in lengths]))


def _shown(told: tuple[float, float, float]) -> str:
    mean, low, high = told
    return f"{mean:.4g} [{low:.4g}, {high:.4g}]"
