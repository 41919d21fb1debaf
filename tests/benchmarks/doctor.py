"""doctor: whether the doctor is silent where all is well: false alarms on every shipped preset.

Each preset is trained as it is shipped from several seeds, on the CPU with torch on 1 thread, in processes that give
way to all others. What each tells is kept, so that thresholds can be looked at again without training: as lines of JSON
in ``results/.doctor``, one for each iteration, with the returns of the episodes that ended in it and when they did.

Then the rules look at every run as it was after each of up to 200 iterations, evenly spread, with what was known then
alone. An alarm is a rule that saw something at any of these; the table says in how many seeds, and at which share of
the looks. A preset whose environment needs an extra that is not installed is left out, and named.

Options: ``--only PRESET`` (several times), ``--seeds N`` (10), ``--first-seed N`` (201), and ``--resume``, which trains
nothing that is kept already.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import typer

from engine.analysis.doctor.reported import Reported, from_rows
from engine.analysis.doctor.rules import RULES, findings
from engine.catalogue.configured import changed, described
from engine.catalogue.environments import ENVIRONMENTS, missing_extra
from engine.config import RunConfig, presets
from engine.config.parameters import with_values
from tests.benchmarks.children import run_child
from tests.benchmarks.figures import Grid, Measured, Number, Say

FIRST_SEED, SEEDS = 201, 10
LOOKS = 200
QUICK_STEPS = 3_000
KEPT = Path(__file__).parent / "results" / ".doctor"
ALARMS = "false alarms"
LONGEST = 3600.0  # seconds for one run


@dataclass(frozen=True)
class Seen:
    """What the rules saw in a run: how often they looked, and by rule at how many of these it saw something, where
    first, as a share of the steps, and what it said then."""

    preset: str
    seed: int
    looks: int
    alarms: dict[str, int]
    first: dict[str, float]
    said: dict[str, str]


def measure(
    quick: bool,
    say: Say,
    *,
    only: Sequence[str] = (),
    seeds: int | None = None,
    first_seed: int = FIRST_SEED,
    resume: bool = False,
) -> Measured:
    chosen = _chosen(only, say)
    count = seeds or (1 if quick else SEEDS)
    jobs = [(preset, seed) for seed in range(first_seed, first_seed + count) for preset in chosen]
    KEPT.mkdir(parents=True, exist_ok=True)
    left = [job for job in jobs if not (resume and _file(*job).exists())]
    with ThreadPoolExecutor(max(1, (os.cpu_count() or 1))) as pool:
        waiting = {pool.submit(_trained, preset, seed, quick): (preset, seed) for preset, seed in left}
        for number, done in enumerate(as_completed(waiting), start=1):
            preset, seed = waiting[done]
            say(f"{number}/{len(left)} {preset}, seed {seed}: {done.result():.0f} s")
    return summary([seen for preset, seed in jobs if (seen := looked_at(preset, seed)) is not None])


def _chosen(only: Sequence[str], say: Say) -> list[str]:
    """The presets that can be trained here, the shortest first."""
    known = presets.shipped()
    for name in only:
        if name not in known:
            raise typer.BadParameter(f"{name} is no preset; there is {', '.join(known)}.")
    wanted = list(only or known)
    missing = [name for name in wanted if missing_extra(ENVIRONMENTS[known[name].config.environment.id].family)]
    if missing:
        say(f"left out, as extras are not installed: {', '.join(missing)}")
    return sorted((name for name in wanted if name not in missing), key=lambda name: known[name].seconds or 60.0)


def _file(preset: str, seed: int) -> Path:
    return KEPT / f"{preset}-{seed}.jsonl"


def _trained(preset: str, seed: int, quick: bool) -> float:
    """Train in a process of its own; the seconds that it took."""
    steps = {"budget.environment_steps": QUICK_STEPS} if quick else {}
    config = with_values(presets.find(preset).config, {"device": "cpu", "seed": seed} | steps)
    path = _file(preset, seed)
    unfinished = path.with_suffix(".part")
    found = run_child("doctor", config.model_dump_json(), str(unfinished), timeout=LONGEST)
    unfinished.replace(path)
    return float(found["seconds"])


def train(config: RunConfig, path: Path) -> dict[str, Any]:
    """One run in this process, which gives way to all others and tells ``path`` what it does."""
    os.nice(15)
    return told(config, path)


def told(config: RunConfig, path: Path) -> dict[str, Any]:
    """One run in this process, which tells ``path`` what it does."""
    import torch

    from engine.reports.events import Collected, Updated
    from engine.runs.giving import given_for
    from engine.training.training import Training

    torch.set_num_threads(1)
    began = time.perf_counter()
    training = Training(config, given=given_for(config, None))
    returns, ends = list[float](), list[int]()
    with path.open("w", encoding="utf-8") as file:
        file.write(config.model_dump_json() + "\n")
        for event in training:
            if isinstance(event, Collected):
                returns += event.returns.tolist()
                ends += event.ends.tolist()
            if isinstance(event, Updated):
                told = {name: value for name, value in event.report().items() if value is not None}
                file.write(json.dumps(told | {"returns": returns, "ends": ends}) + "\n")
                returns, ends = [], []
    training.close()
    return {"seconds": time.perf_counter() - began}


def read(path: Path) -> Reported:
    """What a run told, from the file in which that is kept."""
    from engine.config.validation import validated

    first, *lines = path.read_text("utf-8").splitlines()
    config = validated(json.loads(first))
    rows = [json.loads(line) for line in lines]
    episodes = [(row.pop("returns"), row.pop("ends")) for row in rows]
    returns = np.array([each for given, _ in episodes for each in given], np.float64)
    ends = np.array([each for _, given in episodes for each in given], np.float64)
    plain = described(config.environment)
    assert plain is not None
    return from_rows(config, changed(plain, config.environment), rows, returns, ends)


def looks_at(reported: Reported) -> Iterator[Reported]:
    """A run as it was after each of up to ``LOOKS`` iterations, the last of them among these."""
    count = min(LOOKS, reported.iterations)
    for index in np.unique(np.linspace(0, reported.iterations - 1, count).astype(int)):
        yield reported.until(float(reported.steps[index]))


def looked_at(preset: str, seed: int) -> Seen | None:
    """What the rules see in a run that is kept; None where none is."""
    path = _file(preset, seed)
    if not path.exists():
        return None
    reported = read(path)
    alarms, first, said, looks = Counter[str](), dict[str, float](), dict[str, str](), 0
    for then in looks_at(reported):
        looks += 1
        for finding in findings(then):
            name = finding.rule.name
            alarms[name] += 1
            first.setdefault(name, float(then.steps[-1] / reported.steps[-1]))
            said.setdefault(name, finding.sentence)
    return Seen(preset, seed, looks, dict(alarms), first, said)


def summary(seen: Sequence[Seen]) -> Measured:
    """The table of alarms."""
    by_preset: dict[str, list[Seen]] = {}
    for one in seen:
        by_preset.setdefault(one.preset, []).append(one)
    lines = []
    for preset, runs in by_preset.items():
        names = [rule.name for rule in RULES if any(rule.name in run.alarms for run in runs)]
        for name in names or [""]:
            those = [run for run in runs if name in run.alarms]
            share = sum(run.alarms[name] for run in those) / max(sum(run.looks for run in runs), 1)
            lines.append(
                (
                    preset,
                    str(len(runs)),
                    name or "–",
                    str(len(those)) if name else "–",
                    f"{share:.1%}" if name else "–",
                    those[0].said[name] if those else "",
                )
            )
    total = sum(len(run.alarms) for run in seen)
    numbers = (
        Number("presets", len(by_preset), ""),
        Number("runs", len(seen), ""),
        Number("looks", sum(run.looks for run in seen), ""),
    )
    detail = f"{len(RULES)} rules looked at every run as it was after each of up to {LOOKS} iterations."
    columns = ("preset", "seeds", "rule", "seeds with it", "of all looks", "what it said first")
    data = [run.__dict__ for run in seen]
    return Measured({ALARMS: float(total)}, numbers, detail, Grid(columns, tuple(lines)), data)


if __name__ == "__main__":
    from engine.config.validation import validated

    text, place = sys.argv[1:]
    print(json.dumps(train(validated(json.loads(text)), Path(place))))
