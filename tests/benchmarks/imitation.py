"""imitation: DAgger against cloning at equal numbers of a teacher's answers.

All have the same policy, optimiser and number of answers, and differ in the states that these are for:

- episodes: cloning as it is usually done, of whole episodes that the teacher has played, as many as the answers make;
- states: cloning of states drawn at random among those of many of his episodes, a part of them in each round (β = 1);
- DAgger: the same, but from the second round on of states that the learner came to.

At the end the learner's greedy policy is played; the table shows its mean return over the seeds with a 95 % bootstrap
interval, and that of DAgger's gain over the episodes, seed by seed. A gain is told where its interval leaves 0 out.
Drawing states at random out of many episodes tells more of the teacher than a few episodes do; where that is enough,
DAgger has nothing to add, and where a table has to be filled state by state, it asks about states that do not matter.

Teachers are those that are shipped, and the optimal policy where dynamics are known.

Option: ``--seeds N``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from engine.analysis.playback import PolicySnapshot, frozen
from engine.config import PolicyGradientConfig, RunConfig
from engine.config.parameters import with_values
from engine.experience.demonstrations import Demonstration, Demonstrations
from engine.reports.events import Collected, Updated
from engine.runs.giving import given_for
from engine.training.given import Given
from engine.training.training import Training
from tests.benchmarks.figures import Grid, Measured, Number, Say
from tests.engine.teaching import demonstrated

FIRST_SEED, SEEDS, ROUNDS = 101, 10, 8
BETTER = "environments in which DAgger is better"


@dataclass(frozen=True)
class Case:
    """An environment, who teaches in it, and how many states he is asked about in a round."""

    environment: str
    teacher: str
    labels: int
    values: dict[str, Any] = field(default_factory=dict)


CASES = (
    Case("CartPole-v1", "cartpole", 5),
    Case("LunarLander-v3", "lunar-lander", 25, {"environment.time_limit": 500, "environment.stepping": "in-process"}),
    Case("LunarLander-v3", "lunar-lander", 100, {"environment.time_limit": 500, "environment.stepping": "in-process"}),
    Case("Pendulum-v1", "pendulum", 25),
    Case("Acrobot-v1", "acrobot", 5),
    Case("GridWorld-v0", "optimal", 3, {"policy": "tabular"}),
    Case("FrozenLake-v1", "optimal", 3, {"policy": "tabular"}),
    Case("Taxi-v4", "optimal", 40, {"policy": "tabular", "environment.stepping": "in-process"}),
    Case("Corridor-v0", "optimal", 2, {"policy": "tabular"}),
)
EPISODES, STATES, DAGGER = "episodes", "states", "DAgger"
EPOCHS = 50  # in a round; cloning of whole episodes, which has but one, goes through them as often as the others in all


def configuration(case: Case, way: str, seed: int, rounds: int) -> RunConfig:
    """One of the three ways to learn."""
    tabular = case.values.get("policy") == "tabular"
    common = {
        "environment": case.environment,
        "update.minibatch_size": 64,
        "update.learning_rate": 0.05 if tabular else 0.002,
        "exploration.greedy_start": 1.0,
        "exploration.greedy_end": 1.0,
        "evaluation.episodes": 16,
        "budget.environment_steps": 10**9,
        "device": "cpu",
        "seed": seed,
    }
    asking = {
        "update": "dagger",
        "update.labels": case.labels,
        "update.mixture": "first-round" if way == DAGGER else "decaying",
        "update.decay": 1.0,
        "update.epochs": EPOCHS,
        "imitation.teacher": case.teacher,
    }
    cloning = {
        "update": "behavioural-cloning",
        "update.epochs": EPOCHS * (rounds + 1) // 2,  # as many steps as the others take in all
        "update.patience": 0,
        "imitation.dataset": "episodes",
        "imitation.held_out": 0.0,
    }
    return with_values(PolicyGradientConfig(), (cloning if way == EPISODES else asking) | common | case.values)


def given(case: Case, config: RunConfig, way: str, answers: int) -> Given:
    """The teacher, or whole episodes of his with so many steps, the last cut off."""
    asking = configuration(case, DAGGER, 1, 1)
    found = given_for(asking, None)
    if way != EPISODES:
        return found
    assert found.teacher is not None
    by = replace(found.teacher, config=found.teacher.config.model_copy(update={"environment": config.environment}))
    episodes: list[Demonstration] = []
    seed = 1000 * config.seed
    while (left := answers - sum(map(len, episodes))) > 0:
        (episode,) = demonstrated(by, (seed,), most=left).episodes
        episodes.append(episode)
        seed += 1
    return Given(Demonstrations(config.environment, tuple(episodes)))


def learned(case: Case, way: str, seed: int, rounds: int) -> tuple[list[float], PolicySnapshot]:
    """The learner's mean return after 0, 1 … ``rounds`` rounds, or before and after it cloned, and its last policy."""
    config = configuration(case, way, seed, rounds)
    training = Training(config, given=given(case, config, way, rounds * case.labels))
    returns, played = list[float](), False
    try:
        for event in training:
            if isinstance(event, Collected) and len(event.returns) and not played:
                returns.append(float(event.returns.mean()))
                played = True
                if len(returns) > (1 if way == EPISODES else rounds):
                    break
            if isinstance(event, Updated):
                played = False
        return returns, frozen(training)
    finally:
        training.close()


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """The mean, and a 95 % percentile bootstrap interval of it."""
    numbers = np.asarray(values, np.float64)
    draws = np.random.default_rng(0).choice(numbers, (10_000, len(numbers))).mean(-1)
    low, high = np.quantile(draws, (0.025, 0.975))
    return float(numbers.mean()), float(low), float(high)


def measure(quick: bool, say: Say, seeds: int | None = None) -> Measured:
    count, rounds = (1, 2) if quick else (seeds or SEEDS, ROUNDS)
    numbers, lines, data, better = list[Number](), list[tuple[str, ...]](), list[dict[str, Any]](), set[str]()
    for case in CASES:
        curves: dict[str, list[list[float]]] = {way: [] for way in (EPISODES, STATES, DAGGER)}
        for seed in range(FIRST_SEED, FIRST_SEED + count):
            for way in curves:
                curves[way].append(learned(case, way, seed, rounds)[0])
            told = ", ".join(f"{way} {each[-1][-1]:.4g}" for way, each in curves.items())
            say(f"{case.environment}, {case.labels} answers a round, seed {seed}: {told}")
        last = {way: [curve[-1] for curve in each] for way, each in curves.items()}
        gain = [one - other for one, other in zip(last[DAGGER], last[EPISODES], strict=True)]
        intervals = {way: interval(values) for way, values in (last | {"gain": gain}).items()}
        if intervals["gain"][1] > 0.0:
            better.add(case.environment)
        labels = case.labels * rounds
        lines.append((case.environment, case.teacher, str(labels), *map(shown, intervals.values())))
        asked = f"{case.environment}, {labels} answers"
        numbers.extend(Number(f"{asked}, {way}", mean, "reward") for way, (mean, _, _) in intervals.items())
        data.append({"environment": case.environment, "answers": labels, "returns": curves, "intervals": intervals})
    columns = ("environment", "teacher", "answers", "cloning, episodes", "cloning, states", "DAgger", "gain")
    detail = f"{count} seeds, {rounds} rounds; 95 % bootstrap intervals over seeds."
    return Measured({BETTER: float(len(better))}, tuple(numbers), detail, Grid(columns, tuple(lines)), data)


def shown(told: tuple[float, float, float]) -> str:
    mean, low, high = told
    return f"{mean:.4g} [{low:.4g}, {high:.4g}]"
