"""How fast PPO is on the CPU and on the device, whether ``auto`` chooses the faster, and whether memory stays.

CartPole and Pendulum with 32 steps in each environment, 4 epochs of minibatches of at most 32,768, the other settings
of Stable-Baselines3's zoo without schedules; networks of two layers of 64, torch on 1 thread. An iteration is from
collecting to the end of the update and everything reported; the first SKIPPED, in which graphs are recorded, do not
count. A point takes about SECONDS, at least one iteration.
"""

from __future__ import annotations

import resource
import time
from dataclasses import replace
from statistics import median
from typing import Any

import torch

from engine.config import RunConfig
from engine.reports.events import Collected, Updated
from engine.training.training import Training
from tests.benchmarks.gpu.given import Finding, Given, Say, environments_there, wait
from tests.benchmarks.speed import zoo

ENVIRONMENTS = ("CartPole-v1", "Pendulum-v1")
SIZES, SMALL_SIZES = (64, 256, 1024, 4096, 16_384), (8, 16)
STEPS, EPOCHS, MINIBATCH = 32, 4, 32_768
SKIPPED, SECONDS = 3, 3.0
ALIKE = 1.3  # times the faster device's time, within which either choice is right
GOAL = 1e6  # steps/s on CartPole with 4096 environments on a GPU
GROWTH = 1.02

Point = dict[str, Any]


def setting(environment: str, size: int, small: bool = False) -> zoo.Setting:
    return replace(
        zoo.PPO[environment],
        environments=size,
        steps=8 if small else STEPS,
        epochs=1 if small else EPOCHS,
        minibatch=min(MINIBATCH, size * (8 if small else STEPS)),
        falls=False,
        clip_falls=False,
        normalize=False,
    )


def speeds(given: Given, say: Say) -> list[Point]:
    """Every size on both devices, the smallest first, for as long as there is time."""
    points: list[Point] = []
    for size in SMALL_SIZES if given.small else SIZES:
        for environment in ENVIRONMENTS:
            points.append(_point(environment, size, given, say))
    return points


def _point(environment: str, size: int, given: Given, say: Say) -> Point:
    point: Point = {"environment": environment, "environments": size}
    config = zoo.ours(setting(environment, size, given.small), 1, 10**10, given.device.type)
    name = f"{environment}, {size:,} environments"
    for device in dict.fromkeys((given.device.type, "cpu")):
        if given.left < 12.0 + size / 500:  # seconds that an iteration on the CPU may take, and half as long to begin
            say(Finding(f"{name} on {device}", None, "left out, since the time is up"))
            continue
        point[device] = _timed(config.model_copy(update={"device": device}), given)
        told = point[device]
        words = (
            f"{told['speed']:,.0f} steps/s; an iteration takes {told['milliseconds']:.1f} ms, of which collecting "
            f"{told['collecting']:.1f} and the rest {told['milliseconds'] - told['collecting']:.1f}"
        )
        good = told["speed"] >= GOAL if (device, environment, size) == ("cuda", "CartPole-v1", 4096) else None
        say(Finding(f"{name} on {device}", good, words + (f"; wanted {GOAL:,.0f} steps/s" if good is not None else "")))
    if "cuda" in point and "cpu" in point:
        point["auto"] = _choice(config)
        say(_judged(name, point))
    return point


def _timed(config: RunConfig, given: Given) -> Point:
    device = torch.device(config.device)
    with environments_there(device):
        training = Training(config)
    started = last = time.perf_counter()
    collecting, whole = list[float](), list[float]()
    skipped = 1 if given.small else SKIPPED
    for event in training:
        if isinstance(event, Collected):
            wait(device)
            collecting.append(time.perf_counter() - last)
        if isinstance(event, Updated):
            wait(device)
            now = time.perf_counter()
            whole.append(now - last)
            last = now
            slow = device.type == "cpu" and now - started > 1.5 * SECONDS
            if (len(whole) > skipped and (given.small or now - started > SECONDS)) or (slow and len(whole) > 1):
                break
    training.close()
    counted = slice(min(skipped, len(whole) - 1), None)
    seconds = median(whole[counted])
    each = training.environment_steps / len(whole)
    return {
        "speed": each / seconds,
        "milliseconds": 1e3 * seconds,
        "collecting": 1e3 * median(collecting[counted]),
        "iterations": len(whole[counted]),
        "stepping": training.stepping_reason,
    }


def _choice(config: RunConfig) -> dict[str, str]:
    training = Training(config.model_copy(update={"device": "auto"}))
    training.close()
    return {"device": str(training.learner.choices["device"]), "reason": training.device_reason}


def _judged(name: str, point: Point) -> Finding:
    faster = min(("cpu", "cuda"), key=lambda device: float(point[device]["milliseconds"]))
    times = sorted(float(point[device]["milliseconds"]) for device in ("cpu", "cuda"))
    good = point["auto"]["device"] == faster or times[1] <= ALIKE * times[0]
    return Finding(
        f"{name}, auto", good, f"faster is {faster} by {times[1] / times[0]:.1f} ×; {point['auto']['reason']}"
    )


def memory(given: Given, say: Say) -> None:
    """Of the device and of the process, from iteration to iteration."""
    size, iterations = (8, 6) if given.small else (4096, 40)
    config = zoo.ours(setting("CartPole-v1", size, given.small), 1, 10**10, given.device.type)
    with environments_there(given.device):
        training = Training(config)
    seen: list[tuple[float, float]] = []
    for event in training:
        if isinstance(event, Updated):
            seen.append((_on(given.device), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))
            if len(seen) == iterations or given.left < 10.0:
                break
    training.close()
    first, last = seen[len(seen) // 2], seen[-1]
    good = all(after <= GROWTH * before for before, after in zip(first, last, strict=True))
    words = f"device {first[0]:.1f} → {last[0]:.1f} MB, process {first[1]:.0f} → {last[1]:.0f} MB"
    say(Finding(f"memory over {len(seen)} iterations", good, words))


def _on(device: torch.device) -> float:
    """Megabytes that torch holds there."""
    return torch.cuda.memory_allocated(device) / 2**20 if device.type == "cuda" else 0.0
