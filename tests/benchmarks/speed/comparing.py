"""Training compared: at equal settings against Stable-Baselines3 and SBX, and REINFORCE against one episode at a time.

The sides are processes that take turns. Each run is a fresh one, from its first step to its last update; making the
environments and networks does not count. One short run of each side goes before and does not count either.

Against Stable-Baselines3 both have the zoo's settings but gSDE, the same seeds and the same number of steps. Ours is as
it is installed without extras: environments that have no dynamics of ours are stepped in this process or in worker
processes, whichever it takes to be faster, and not in EnvPool, which has a line of its own; theirs are stepped in one
process, as the zoo has it and as is faster there. PPO is also set against SBX, which does in compiled JAX what
Stable-Baselines3 does in torch; its compiling does not count, while all of ours does. Against the loop both sides have
one hidden layer of 128 relu, untrained, and a learning rate so small that it stays so: 64 episodes side by side per
update, against one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from importlib.util import find_spec
from typing import Any

from tests.benchmarks.figures import Say
from tests.benchmarks.speed import zoo
from tests.benchmarks.speed.side import Compared, Run, Side, memory, speed
from tests.benchmarks.speed.tables import Part, Section, number, ratio

REPEATS = 5
STEPS = {"ppo": 8_192, "a2c": 4_000}  # of a run, or one iteration where that is more
QUICK = (zoo.PPO["CartPole-v1"], zoo.PPO["LunarLander-v3"], zoo.A2C["Pendulum-v1"])
QUICK_LENGTH, QUICK_STEPS = 64, 512
HELD = "LunarLander PPO against SB3"
AGAINST_SBX = ", against SBX"
QUICK_ENVIRONMENTS = ("CartPole-v1", "Pendulum-v1")
EPISODES, HIDDEN, STILL = 64, 128, 1e-12
SECONDS = 1.5  # of a run beside the loop's
COLUMNS = ("ours, steps/s", "theirs", "ours / theirs", "ours, peak MB", "theirs", "ours, return", "theirs")


def training(quick: bool, say: Say) -> Part:
    """PPO and A2C of both, on all environments."""
    lines, data, splits, held = [], [], {}, {}
    for chosen in QUICK if quick else (*zoo.PPO.values(), *zoo.A2C.values()):
        setting = replace(chosen, sde=False)
        if quick:
            setting = replace(setting, steps=min(setting.steps, QUICK_LENGTH))
        found, split = _at_zoo_settings(setting, quick)
        splits[setting.name] = split
        if chosen is zoo.PPO["LunarLander-v3"]:
            held[HELD] = found[""].ratio
        for how, compared in found.items():
            name = f"{setting.name}{how}"
            lines.append(_line(name, compared))
            data.append(_as_json(name, compared) | {"setting": asdict(setting)})
            say(f"{name}: {speed(compared.ours):,.0f} steps/s against {speed(compared.theirs):,.0f}")
    words = (
        f"Training: the zoo's settings without gSDE on both sides; medians of {1 if quick else REPEATS} runs of each, "
        "in turns; in brackets the least and the greatest ratio of neighbours. MB is the most that the training "
        "process has held, torch included, workers apart. Return is that of the last episodes of such a short run."
    )
    section = Section("training, against SB3 where not SBX", COLUMNS, tuple(lines))
    return Part((section,), data, words, splits, held)


def _at_zoo_settings(setting: zoo.Setting, quick: bool) -> tuple[dict[str, Compared], dict[str, Any]]:
    """Both sides by how ours is stepped, and where the time of ours goes."""
    steps = max(QUICK_STEPS if quick else STEPS[setting.algorithm], setting.iteration)

    def config(seed: int) -> str:
        return zoo.ours(setting, seed, steps).model_dump_json()

    with ExitStack() as stack:
        sides = {"": stack.enter_context(Side(side="ours"))}
        if setting.environment == "LunarLander-v3" and setting.algorithm == "ppo" and find_spec("envpool"):
            sides[", EnvPool"] = stack.enter_context(Side(side="ours", envpool=True))
        peers = {"": stack.enter_context(Side(side="sb3", setting=asdict(setting)))}
        if setting.algorithm == "ppo" and find_spec("sbx"):
            peers[AGAINST_SBX] = stack.enter_context(Side(side="sbx", setting=asdict(setting)))
        runs = turns(
            [
                *(lambda seed, side=side: side.run(steps, seed=seed) for side in peers.values()),
                *(lambda seed, side=side: side.run(steps, config=config(seed)) for side in sides.values()),
            ],
            1 if quick else REPEATS,
        )
        split = sides[""].ask("split", config=config(1), steps=steps)
    theirs, mine = runs[: len(peers)], dict(zip(sides, runs[len(peers) :], strict=True))
    found = {how: Compared(of, theirs[0]) for how, of in mine.items()}
    return found | {how: Compared(mine[""], of) for how, of in zip(peers, theirs, strict=True) if how}, split


def turns(sides: Sequence[Callable[[int], Run]], repeats: int) -> list[tuple[Run, ...]]:
    """What each of ``sides`` gives for the seeds 1 … ``repeats``, one side after the other for each, after one run
    that does not count."""
    for run in sides:
        run(0)
    rounds = [[run(seed) for run in sides] for seed in range(1, repeats + 1)]
    return list(zip(*rounds, strict=True))


def episodes(quick: bool, say: Say) -> Part:
    """REINFORCE of ours against the lecture's loop, on all environments."""
    lines, data, splits = [], [], {}
    for environment in QUICK_ENVIRONMENTS if quick else zoo.ENVIRONMENTS:
        config = zoo.reinforce(environment, 8 if quick else EPISODES, (HIDDEN,), STILL).model_dump_json()
        with (
            Side(side="ours", config=config) as ours,
            Side(side="loop", environment=environment, hidden=HIDDEN, learning_rate=STILL) as loop,
        ):
            seconds = 0.2 if quick else SECONDS
            mine, theirs = _for(ours, seconds), _for(loop, seconds)
            compared = Compared(*turns([mine, theirs], 1 if quick else 3))
            name = f"{environment} REINFORCE"
            splits[name] = ours.ask("split", steps=compared.ours[-1].steps)
        lines.append(_line(name, compared)[:6])
        data.append(_as_json(name, compared))
        say(f"{name}: {speed(compared.ours):,.0f} steps/s against {speed(compared.theirs):,.0f}")
    words = (
        f"One episode at a time: REINFORCE with {EPISODES} episodes side by side per update against the lecture's loop "
        "with 1, written for speed, both untrained and kept so. As the lecture writes it, and with a trained policy on "
        "CartPole: the row reinforce-speed."
    )
    section = Section("REINFORCE, against one episode at a time", COLUMNS[:5], tuple(lines))
    return Part((section,), data, words, splits)


def _for(side: Side, seconds: float) -> Callable[[int], Run]:
    """A function that lets ``side`` run for about so long."""
    first = side.run(1)
    return lambda seed: side.run_for(seconds, first)


def _line(name: str, compared: Compared) -> tuple[str, ...]:
    return (
        name,
        number(speed(compared.ours)),
        number(speed(compared.theirs)),
        ratio(compared.ratios),
        number(memory(compared.ours)),
        number(memory(compared.theirs)),
        number(compared.ours[-1].mean_return),
        number(compared.theirs[-1].mean_return),
    )


def _as_json(name: str, compared: Compared) -> dict[str, Any]:
    return {
        "name": name,
        "ratio": compared.ratio,
        "ours": [asdict(run) for run in compared.ours],
        "theirs": [asdict(run) for run in compared.theirs],
    }
