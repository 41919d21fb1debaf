"""lab: how long the Lab takes to put a thousand batches through every estimator.

The untrained table of logits on the grid world, 1,000 batches of 20 episodes, all 16 estimators that fit, from nothing
to the last interval, in a process of its own on 1 thread; the median of several. Beside it stands how soon the first
picture of it is there, and how long it takes again with another discount, for which nothing is played anew.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from statistics import median
from typing import Any

from tests.benchmarks.children import run_child
from tests.benchmarks.figures import Measured, Number, Say

BATCHES, EPISODES, REPEATS = 1000, 20, 5


def measure(quick: bool, say: Say) -> Measured:
    repeats, batches = (1, 50) if quick else (REPEATS, BATCHES)
    found = []
    for _ in range(repeats):
        found.append(run_child("lab", str(batches)))
        say(f"{found[-1]['whole']:.2f} s, the first picture after {found[-1]['first']:.2f} s")
    numbers = (
        Number("estimators", found[0]["estimators"], ""),
        Number("first picture", median(one["first"] for one in found), "s"),
        Number("again with another discount", median(one["again"] for one in found), "s"),
        Number("environment steps", found[0]["steps"], ""),
    )
    held = {"16 estimators, 1,000 batches of 20 episodes": median(one["whole"] for one in found)}
    return Measured(held, numbers, f"Median of {repeats} processes; {batches:,} batches of {EPISODES} episodes.")


def compare(batches: int) -> dict[str, Any]:
    """All estimators, in this process."""
    import torch

    from engine.analysis.lab.estimator_lab import EstimatorLab
    from engine.analysis.lab.policies import untrained
    from engine.analysis.lab.settings import PAIRS, Settings, misfit
    from engine.catalogue.environments import ENVIRONMENTS
    from engine.config import PolicyGradientConfig
    from engine.config.environments import EnvironmentConfig
    from engine.config.policies import TabularPolicy

    torch.set_num_threads(1)
    config = PolicyGradientConfig(environment=EnvironmentConfig(id="GridWorld-v0"), policy=TabularPolicy())
    environment = ENVIRONMENTS["GridWorld-v0"]
    snapshot, settings = untrained(config, environment), Settings(batches=batches, episodes=EPISODES)
    pairs = [pair for pair in PAIRS if misfit(pair, settings, config, environment) is None]
    lab, began, first, steps = EstimatorLab(), time.perf_counter(), None, 0
    for _, found in lab.compare(snapshot, settings, pairs):
        if found is not None:
            first, steps = first or time.perf_counter() - began, found.steps
    whole, began = time.perf_counter() - began, time.perf_counter()
    for _ in lab.compare(snapshot, replace(settings, gamma=0.9), pairs):
        pass
    again = time.perf_counter() - began
    return {"whole": whole, "first": first, "again": again, "estimators": len(pairs), "steps": steps}


if __name__ == "__main__":
    print(json.dumps(compare(int(sys.argv[1]))))
