"""learning: whether the presets that have a target reach it, from every seed.

Each preset of GOALS is trained from five seeds as it is shipped, on the CPU with torch on 1 thread, one process per
seed and at most two at a time. The seeds are 101 to 105, at which nobody looks while choosing a preset's settings: for
that there are 1 to 5 (``--first-seed 1``). "Reached" means that at the end of some update within the preset's budget
the mean return of the last 100 training episodes, sampled actions included, was at the target; "steps to target" are
the environment steps taken by then. Training goes on to the end of the budget, so that the last mean return tells
whether what was learned is kept, except where the table marks a preset with *: that one stops at its target. Seconds
are those of training alone, with two runs side by side.

Where single episodes say next to nothing, a goal's mean is taken over more of them, and where a budget holds few, over
fewer, which the table marks with ‡.

A goal without a target is there to be compared with the one before it, and is judged by nothing. A preset whose
environment needs an extra that is not installed is left out, and named.

Options: ``--only PRESET`` (several times), ``--seeds N``, ``--first-seed N``, and ``--resume``, which takes over what
is kept of runs of the same configuration and engine (``trained``), those of the row ``doctor`` among them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

import typer

from engine.catalogue.environments import ENVIRONMENTS, missing_extra
from engine.catalogue.methods.entries import ALGORITHMS, BASELINES, CREDITS, UPDATES
from engine.catalogue.methods.picking import picked
from engine.config import RunConfig, presets
from engine.config.parameters import with_values
from tests.benchmarks.figures import Grid, Measured, MissingPackageError, Number, Say, shown
from tests.benchmarks.trained import Job, LatestReturns, Stop, iterations, run_all

FIRST_SEED, SEEDS = 101, 5
QUICK_STEPS = 3_000
SHARE = "seeds that reach it"
COLUMNS = ("preset", "environment", "algorithm", "target", "reached", "mean return at the end", "steps to target", "s")


@dataclass(frozen=True)
class Goal:
    """A preset, and the mean return it is to reach; ``policy`` takes the place of the preset's own.

    ``over`` is how many episodes the mean return covers.
    """

    preset: str
    target: float | None
    stop: bool = False
    policy: str | None = None
    over: int = 100

    @property
    def name(self) -> str:
        return f"{self.preset}, {self.policy}" if self.policy else self.preset


GOALS = (
    Goal("cartpole", 475.0),
    Goal("cartpole-fast", 475.0),
    Goal("cartpole-sac", 475.0),
    Goal("cartpole-q-actor-critic", 475.0),
    Goal("cartpole-dqn", 475.0),
    Goal("cartpole-a2c", 475.0),
    Goal("cartpole-npg", 475.0),
    Goal("cartpole-trpo", 475.0),
    Goal("cartpole-ppo", 475.0),
    Goal("cartpole-lagrangian", 475.0),
    Goal("cartpole-cloning", 475.0),
    Goal("cartpole-dagger", 475.0),
    Goal("cartpole-memory", 400.0),
    Goal("cartpole-memory", None, policy="mlp"),
    Goal("acrobot", -100.0),
    Goal("acrobot-ppo", -100.0),
    Goal("acrobot-dqn", -100.0),
    Goal("mountain-car-discrete", -110.0, stop=True),
    Goal("mountain-car-dqn", -110.0),
    Goal("mountain-car", 90.0),
    Goal("mountain-car-continuous-sac", 90.0),
    Goal("pendulum", -200.0),
    Goal("pendulum-ppo", -200.0),
    Goal("pendulum-td3", -200.0),
    Goal("pendulum-sac", -200.0),
    Goal("lunar-lander", 200.0, stop=True),
    Goal("lunar-lander-cloning", 200.0),
    Goal("lunar-lander-dagger", 200.0),
    Goal("lunar-lander-dqn", 200.0),
    Goal("lunar-lander-continuous", 200.0, stop=True),
    Goal("bipedal-walker-sac", 250.0, stop=True),
    Goal("lunar-lander-continuous-sac", 200.0),
    Goal("bipedal-walker", 250.0, stop=True),
    Goal("frozen-lake", 0.70),
    Goal("frozen-lake-policy-iteration", 0.7),
    Goal("frozen-lake-8x8", 0.85),
    Goal("cliff-walking", -17.5),
    Goal("cliff-walking-planned", -13.0),
    Goal("taxi", 7.0),
    Goal("taxi-planned", 7.0),
    Goal("blackjack", -0.06, over=10_000),
    Goal("blackjack-planned", -0.06, over=10_000),
    Goal("bandit", 0.75),
    Goal("corridor", 4.8),
    Goal("corridor-off-policy", 4.8),
    Goal("grid-world", 8.5),
    Goal("grid-world-exact", 8.5),
    Goal("grid-world-planned", 8.5),
    Goal("grid-world-sarsa", 9.0),
    Goal("frozen-lake-q-learning", 0.7),
    Goal("cliff-walking-q-learning", -50.0),
    Goal("cliff-walking-sarsa", -24.0),
    Goal("taxi-q-learning", 7.0),
    Goal("blackjack-q-learning", -0.06, over=10_000),
    Goal("ledge-policy-iteration", -2.0),
    Goal("ledge-exact", 0.0),
    Goal("grid-world-blocks", 0.0),
    Goal("ledge-sarsa", -2.0),
    Goal("ledge-gradient", 0.0),
    Goal("inverted-pendulum", 950.0),
    Goal("inverted-double-pendulum", 8500.0),
    Goal("reacher", -5.0),
    Goal("hopper", 2000.0),
    Goal("hopper-sac", 2000.0, stop=True),
    Goal("half-cheetah", 1500.0, stop=True),
    Goal("half-cheetah-sac", 5000.0, stop=True),
    Goal("minigrid-empty", 0.9),
    Goal("minigrid-empty-dqn", 0.9),
    Goal("minigrid-empty-8x8", 0.9),
    Goal("pong-dqn", 0.0, over=10),
)


@dataclass(frozen=True)
class Run:
    """What one seed came to; ``steps_to_target`` is None where the target was not reached, or there is none."""

    seed: int
    steps_to_target: int | None
    mean_return: float
    steps: int
    episodes: int
    seconds: float


def measure(
    quick: bool,
    say: Say,
    *,
    only: Sequence[str] = (),
    seeds: int | None = None,
    first_seed: int = FIRST_SEED,
    resume: bool = False,
) -> Measured:
    goals = possible(chosen(only), say)
    count = seeds or (1 if quick else SEEDS)
    drawn = range(first_seed, first_seed + count)
    jobs = {job(goal, seed, quick): (goal, seed) for goal in goals for seed in drawn}
    runs: dict[tuple[Goal, int], Run] = {}

    def take(done: Job) -> None:
        goal, seed = jobs[done]
        run = runs[goal, seed] = run_of(done.path, goal, seed)
        when = "" if goal.target is None else ", never at the target"
        when = when if run.steps_to_target is None else f", at the target after {run.steps_to_target:,} steps"
        say(
            f"{len(runs)}/{len(jobs)} {goal.name}, seed {seed}: mean return {shown(run.mean_return)}{when} "
            f"({run.seconds:.0f} s)"
        )

    run_all(list(jobs), resume, take)
    return summary({goal: [runs[goal, seed] for seed in drawn] for goal in goals})


def chosen(only: Sequence[str]) -> tuple[Goal, ...]:
    """All goals, or those of the presets named.

    Raises:
        typer.BadParameter: there is none for a name.
    """
    names = dict.fromkeys(goal.preset for goal in GOALS)
    for name in only:
        if name not in names:
            raise typer.BadParameter(f"{name} is no preset with a target; there is {', '.join(names)}.")
    return tuple(goal for goal in GOALS if not only or goal.preset in only)


def possible(goals: Sequence[Goal], say: Say) -> tuple[Goal, ...]:
    """Those whose environments can be made; the others are named.

    Raises:
        MissingPackageError: there is none.
    """
    extras = {goal: missing_extra(ENVIRONMENTS[configuration(goal).environment.id].family) for goal in goals}
    for extra in dict.fromkeys(filter(None, extras.values())):
        names = ", ".join(goal.name for goal in goals if extras[goal] == extra)
        say(f"left out, as {extra.title} is not installed: {names}")
    found = tuple(goal for goal in goals if extras[goal] is None)
    if not found:
        raise MissingPackageError(f"needs: {next(filter(None, extras.values())).command}")
    return found


def configuration(goal: Goal) -> RunConfig:
    """The preset as it is shipped, on the CPU."""
    config = with_values(presets.find(goal.preset).config, {"device": "cpu"})
    return config if goal.policy is None else with_values(config, {"policy": goal.policy})


def job(goal: Goal, seed: int, quick: bool = False) -> Job:
    values: dict[str, Any] = {"seed": seed} | ({"budget.environment_steps": QUICK_STEPS} if quick else {})
    name = "-".join((*filter(None, (goal.preset, goal.policy)), str(seed), *(["quick"] if quick else [])))
    stop = Stop(goal.target, goal.over) if goal.stop and goal.target is not None else None
    return Job(name, with_values(configuration(goal), values).model_dump_json(), stop)


def run_of(path: Path, goal: Goal, seed: int) -> Run:
    """What a run that is kept came to, up to its target where it was to stop there."""
    latest, reached, told = LatestReturns(goal.over), None, dict[str, Any]()
    for told in iterations(path):
        latest.add(told["returns"], told.get("mean_return"))
        if reached is None and goal.target is not None and latest.enough and (latest.mean or 0.0) >= goal.target:
            reached = int(told["environment_steps"])
            if goal.stop:
                break
    return Run(
        seed, reached, latest.mean or 0.0, int(told["environment_steps"]), latest.episodes, float(told["seconds"])
    )


# --- what the runs come to --------------------------------------------------------------------------------------------


def summary(by_goal: dict[Goal, list[Run]]) -> Measured:
    """The table, and the share of all seeds with a target that reached it."""
    judged = [run for goal, runs in by_goal.items() if goal.target is not None for run in runs]
    reached = sum(run.steps_to_target is not None for run in judged)
    numbers = (
        Number("seeds with a target", len(judged), ""),
        Number("seeds that reached it", reached, ""),
        Number("training, all seeds together", sum(run.seconds for runs in by_goal.values() for run in runs), "s"),
    )
    detail = (
        "Mean return of the last 100 episodes at the end of the budget: mean ± standard deviation over seeds. Steps to "
        "the target and seconds of training: median (least – most)."
    )
    if any(goal.stop for goal in by_goal):
        detail += " * stopped at the target; its mean return is the one it stopped with."
    for over in sorted({goal.over for goal in by_goal} - {Goal.over}):
        detail += f" ‡ mean return of the last {over:,} episodes."
    if any(goal.policy for goal in by_goal):
        detail += " A line without a target is the preset above it with another policy."
    grid = Grid(COLUMNS, tuple(line(goal, runs) for goal, runs in by_goal.items()))
    data = [_as_json(goal, runs) for goal, runs in by_goal.items()]
    return Measured({SHARE: reached / len(judged)} if judged else {}, numbers, detail, grid, data)


def line(goal: Goal, runs: Sequence[Run]) -> tuple[str, ...]:
    """A goal's line of the table."""
    config = configuration(goal)
    reached = [run.steps_to_target for run in runs if run.steps_to_target is not None]
    return (
        goal.name + ("*" if goal.stop else "") + ("‡" if goal.over != Goal.over else ""),
        config.environment.id,
        _algorithm(config),
        "–" if goal.target is None else f"{goal.target:g}",
        "–" if goal.target is None else f"{len(reached)} of {len(runs)}",
        _mean_and_spread([run.mean_return for run in runs]),
        _median_and_range(reached, lambda steps: f"{steps / 1000:,.0f}k"),
        _median_and_range([run.seconds for run in runs], lambda seconds: f"{seconds:,.0f}"),
    )


def _algorithm(config: RunConfig) -> str:
    environment = ENVIRONMENTS[config.environment.id]
    named = picked(config, ALGORITHMS, environment)
    if named:
        return named.title
    parts = (picked(config, entries, environment) for entries in (UPDATES, CREDITS, BASELINES))
    return ", ".join(part.title.lower() if number else part.title for number, part in enumerate(parts) if part)


def _mean_and_spread(values: Sequence[float]) -> str:
    digits = 3 if max(map(abs, values)) < 10 else 1
    spread = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{mean(values):.{digits}f}{spread}"


def _median_and_range(values: Sequence[float], words: Callable[[float], str]) -> str:
    if not values:
        return "–"
    if len(values) == 1:
        return words(values[0])
    return f"{words(median(values))} ({words(min(values))} – {words(max(values))})"


def _as_json(goal: Goal, runs: Sequence[Run]) -> dict[str, Any]:
    config = configuration(goal)
    return {
        "preset": goal.preset,
        "policy": config.policy.kind,
        "environment": config.environment.id,
        "algorithm": _algorithm(config),
        "target": goal.target,
        "stops_at_target": goal.stop,
        "episodes_in_mean": goal.over,
        "budget": config.budget.environment_steps,
        "runs": [asdict(run) for run in runs],
    }
