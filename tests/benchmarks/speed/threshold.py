"""Wall clock until the mean return of the last 100 training episodes is at a threshold.

Ours with a shipped preset, ours at the zoo's settings for PPO, and Stable-Baselines3 at them, with gSDE where the zoo
has it; and SBX, where it is installed, without. All are timed from just before the run is made, with everything
imported and warmed up; SBX compiles its step for every run, and whoever runs it waits for that. A run at the zoo's
settings that is not there within the zoo's budget goes on to three times that, its schedules falling anew; any run is
given up after LIMITS seconds. One at a time, the sides in turns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from importlib.util import find_spec
from statistics import median
from typing import Any

from engine.config import presets
from engine.config.parameters import with_values
from tests.benchmarks.figures import Say, shown
from tests.benchmarks.speed import zoo
from tests.benchmarks.speed.side import Side
from tests.benchmarks.speed.tables import Part, Section

THRESHOLDS = {"CartPole-v1": 475.0, "Acrobot-v1": -100.0, "Pendulum-v1": -200.0, "LunarLander-v3": 200.0}
PRESETS = {
    "CartPole-v1": "cartpole-fast",
    "Acrobot-v1": "acrobot-ppo",
    "Pendulum-v1": "pendulum-ppo",
    "LunarLander-v3": "lunar-lander",
}
LIMITS = {"CartPole-v1": 60.0, "Acrobot-v1": 150.0, "Pendulum-v1": 150.0, "LunarLander-v3": 360.0}  # seconds
SEEDS = {"CartPole-v1": 3}  # elsewhere 1
QUICK_ENVIRONMENTS = ("CartPole-v1", "Pendulum-v1")
SIDES = ("preset", "ours", "SB3")
PEERS = {"SB3": "sb3", "SBX": "sbx"}
COLUMNS = (
    "threshold",
    "preset",
    "preset, s",
    "zoo, ours, s",
    "zoo, theirs, s",
    "theirs / preset",
    "theirs / ours",
    "steps of each",
)


def thresholds(quick: bool, say: Say, seeds: int | None = None) -> Part:
    """All environments; ``seeds`` takes the place of SEEDS."""
    lines, data = [], []
    with ExitStack() as stack:
        ours = stack.enter_context(Side(side="ours"))
        there = {peer: side for peer, side in PEERS.items() if peer == "SB3" or find_spec(side)}
        peers = {peer: stack.enter_context(Side(side=side)) for peer, side in there.items()}
        warm = zoo.PPO["CartPole-v1"]
        ours.run(1, config=zoo.ours(warm, 1).model_dump_json())
        for peer in peers.values():
            peer.run(1, setting=asdict(warm), seed=1)
        for environment in QUICK_ENVIRONMENTS if quick else zoo.ENVIRONMENTS:
            found: dict[str, list[dict[str, Any]]] = {side: [] for side in (*SIDES[:2], *peers)}
            for seed in range(1, 1 + (seeds or (1 if quick else SEEDS.get(environment, 1)))):
                for side in found:
                    run = _until(peers.get(side, ours), side, environment, seed, quick)
                    found[side].append(run | {"seed": seed})
                    say(f"{environment}, {side}, seed {seed}: {_words([run])} s, {run['steps']:,} steps")
            lines += [line(environment, found, peer) for peer in peers]
            data.append({"environment": environment, "threshold": THRESHOLDS[environment], "runs": found})
    counts = ", ".join(f"{at['environment']} {len(at['runs']['SB3'])}" for at in data)
    words = (
        "Thresholds: wall clock until the mean return of the last 100 training episodes is there, median over seeds "
        f"({counts}); > is a run that was not there in that time."
    )
    return Part((Section("wall clock to a threshold", COLUMNS, tuple(lines)),), data, words)


def _until(process: Side, side: str, environment: str, seed: int, quick: bool) -> dict[str, Any]:
    limits = {"target": THRESHOLDS[environment], "limit": 1.0 if quick else LIMITS[environment]}
    setting = zoo.PPO[environment]
    if side in PEERS:
        return process.ask("until", setting=asdict(setting), seed=seed, **limits)
    if side == "ours":
        return process.ask("until", config=zoo.ours(setting, seed).model_dump_json(), **limits)
    preset = presets.find(PRESETS[environment]).config
    config = with_values(preset, {"device": "cpu", "seed": seed})
    return process.ask("until", config=config.model_dump_json(), **limits)


def line(environment: str, found: dict[str, list[dict[str, Any]]], peer: str = "SB3") -> tuple[str, ...]:
    """An environment's line: seconds of each side, and how many times theirs is ours."""
    theirs, sides = found[peer], (*SIDES[:2], peer)
    steps = ", ".join(f"{median(run['steps'] for run in found[side]) / 1000:,.0f}k" for side in sides)
    return (
        f"{environment}, {peer}",
        f"{THRESHOLDS[environment]:g}",
        PRESETS[environment],
        *(_words(found[side]) for side in sides),
        *(_times(found[side], theirs) for side in SIDES[:2]),
        steps,
    )


def _words(runs: Sequence[dict[str, Any]]) -> str:
    """The median, in which a run that did not get there has taken forever, or at least so long."""
    reached = [run["seconds"] if run["reached"] else math.inf for run in runs]
    middle = median(reached)
    return shown(middle) if math.isfinite(middle) else f"> {shown(max(run['seconds'] for run in runs))}"


def _times(ours: Sequence[dict[str, Any]], theirs: Sequence[dict[str, Any]]) -> str:
    """How many times as long theirs took; more than that where theirs did not get there."""
    mine = median(run["seconds"] if run["reached"] else math.inf for run in ours)
    if not math.isfinite(mine):
        return "–"
    more = "> " if not math.isfinite(median(run["seconds"] if run["reached"] else math.inf for run in theirs)) else ""
    return f"{more}{shown(median(run['seconds'] for run in theirs) / mine)} ×"
