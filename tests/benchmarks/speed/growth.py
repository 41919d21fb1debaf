"""How cost grows with environments and hidden units, and what a GPU makes of many of both.

CartPole-v1 throughout. PPO takes 32 steps in each environment and 4 epochs of minibatches of at most 4096, with the
other settings of the zoo; REINFORCE plays one episode in each environment and keeps its policy untrained, with two
layers of 64, as PPO has. Hidden units are those of each of two layers, with 8 environments for PPO and 64 episodes for
REINFORCE. Stable-Baselines3 and SBX are asked at some of the points only.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, replace
from importlib.util import find_spec
from typing import Any

from tests.benchmarks.figures import Say
from tests.benchmarks.speed import zoo
from tests.benchmarks.speed.comparing import STILL, turns
from tests.benchmarks.speed.side import Run, Side, speed
from tests.benchmarks.speed.tables import Part, Section, number
from tests.benchmarks.speed.threshold import PEERS

ENVIRONMENTS, UNITS = (1, 8, 64, 512, 1024, 4096), (64, 128, 256, 512, 1024)
QUICK_ENVIRONMENTS, QUICK_UNITS = (1, 64), (64, 256)
MOST_EPISODES, MOST_THEIRS = 1024, 512  # environments: as many as REINFORCE can have, and as SB3 is given
THEIR_UNITS = (64, 1024)
SPLIT = (1, 64, 4096)  # environments for which it is told what bounds them
SECONDS, REPEATS = 0.5, 3
PPO = replace(zoo.PPO["CartPole-v1"], epochs=4, minibatch=4096, falls=False, clip_falls=False)
ENDLESS = 10_000_000_000  # steps

GPU = replace(PPO, environments=4096, minibatch=32_768)
GPU_STEPS, GPU_SKIPPED = 20_000_000, 5  # of which the first iterations, in which graphs are captured, do not count
HELD = "CartPole PPO on a GPU, 4096 environments"

Runs = dict[str, tuple[Run, ...]]


def growth(quick: bool, say: Say) -> Part:
    """From 1 to 4096 environments and from 64 to 1024 hidden units."""
    by_size: dict[int, Runs] = {}
    by_units: dict[int, Runs] = {}
    splits: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        ours = stack.enter_context(Side(side="ours"))
        there = {peer: side for peer, side in PEERS.items() if peer == "SB3" or find_spec(side)}
        peers = {peer: stack.enter_context(Side(side=side)) for peer, side in there.items()}
        for size in QUICK_ENVIRONMENTS if quick else ENVIRONMENTS:
            setting = replace(PPO, environments=size)
            episodes = size if size <= MOST_EPISODES else None
            by_size[size] = _at(ours, peers if size <= MOST_THEIRS else {}, setting, episodes, quick)
            if size in SPLIT:
                splits[f"CartPole-v1 PPO, {size} × 32"] = ours.ask("split", config=_config(setting), steps=1)
            say(f"{size} environments: {_said(by_size[size])}")
        for units in QUICK_UNITS if quick else UNITS:
            setting = replace(PPO, hidden=(units, units))
            by_units[units] = _at(ours, peers if units in THEIR_UNITS else {}, setting, 64, quick)
            if units == max(UNITS):
                splits[f"CartPole-v1 PPO, {units} units"] = ours.ask("split", config=_config(setting), steps=1)
            say(f"{units} hidden units: {_said(by_units[units])}")
    sections = (_section("CartPole-v1, environments", by_size), _section("CartPole-v1, hidden units", by_units))
    data = {
        name: {point: {side: [asdict(run) for run in runs] for side, runs in at.items()} for point, at in by.items()}
        for name, by in (("environments", by_size), ("hidden units", by_units))
    }
    words = (
        "Growth: PPO with 32 steps in each environment, 4 epochs and minibatches of at most 4096; REINFORCE with an "
        "episode in each, untrained; 8 environments and 64 episodes where hidden units grow. ms are per iteration."
    )
    return Part(sections, data, words, splits)


def _config(setting: zoo.Setting) -> str:
    return zoo.ours(setting, 1, ENDLESS).model_dump_json()


def _at(ours: Side, peers: dict[str, Side], setting: zoo.Setting, episodes: int | None, quick: bool) -> Runs:
    """Runs of both sides at one point, in turns."""
    sides: dict[str, Callable[[int], Run]] = {"PPO": _timed(ours, quick, config=_config(setting))}
    for peer, side in peers.items():
        sides[f"{peer}'s PPO"] = _timed(side, quick, setting=asdict(setting), seed=1)
    if episodes is not None:
        config = zoo.reinforce(setting.environment, episodes, setting.hidden, STILL).model_dump_json()
        sides["REINFORCE"] = _timed(ours, quick, config=config)
    return dict(zip(sides, turns(list(sides.values()), 1 if quick else REPEATS), strict=True))


def _timed(side: Side, quick: bool, **request: Any) -> Callable[[int], Run]:
    """A function that runs one iteration when it is first called, and then for about SECONDS."""
    first: list[Run] = []

    def timed(_: int) -> Run:
        run = side.run_for(0.1 if quick else SECONDS, first[0], **request) if first else side.run(1, **request)
        first.append(run)
        return run

    return timed


def _said(runs: Runs) -> str:
    return ", ".join(f"{name} {speed(of):,.0f} steps/s" for name, of in runs.items())


def _section(title: str, by: dict[int, Runs]) -> Section:
    names = list(dict.fromkeys(name for runs in by.values() for name in runs))
    lines = []
    for name in names:
        found = [runs.get(name) for runs in by.values()]
        lines.append((f"{name}, steps/s", *(number(of and speed(of)) for of in found)))
        lines.append((f"{name}, ms", *(number(of and _milliseconds(of)) for of in found)))
    return Section(title, tuple(f"{point:,}" for point in by), tuple(lines))


def _milliseconds(runs: tuple[Run, ...]) -> float:
    """Of an iteration, in the run that was neither fast nor slow."""
    return sorted(run.per_iteration for run in runs)[len(runs) // 2]


def on_gpu(quick: bool, say: Say) -> Part:
    """CartPole's PPO with 4096 environments, there and on the CPU; nothing where torch has no CUDA device."""
    import torch

    if not torch.cuda.is_available():
        return Part((), None, "No GPU here that torch can use.")
    runs = {}
    for device, steps in (("cuda", GPU_STEPS // (20 if quick else 1)), ("cpu", GPU.iteration)):
        config = zoo.ours(GPU, 1, 2 * GPU_STEPS, device).model_dump_json()
        with Side(side="ours", config=config) as side:
            runs[device] = side.run(steps, skip=GPU_SKIPPED if device == "cuda" else 1)
        say(f"{device}: {runs[device].speed:,.0f} steps/s")
    name = torch.cuda.get_device_name()
    lines = tuple(
        (
            f"CartPole-v1 PPO, {GPU.environments} × {GPU.steps}, {device}",
            *(number(value) for value in (run.speed, run.per_iteration, run.memory, run.mean_return)),
        )
        for device, run in runs.items()
    )
    section = Section(f"on {name}", ("steps/s", "ms per iteration", "host's peak MB", "return"), lines)
    words = (
        f"GPU ({name}): {GPU.epochs} epochs of minibatches of {GPU.minibatch:,}; the first {GPU_SKIPPED} iterations do "
        "not count."
    )
    data = {"device": name} | {device: asdict(run) for device, run in runs.items()}
    return Part((section,), data, words, held={HELD: runs["cuda"].speed / 1e6})
