"""museum: which of the doctor's rules sees which bug: every bug of the museum, switched on in short runs of presets.

Each bug is trained from several seeds in each of a few presets, and so is each of these presets without any, as long:
on the CPU with torch on 1 thread, in processes that give way to all others. What each tells is kept in
``results/.museum`` as ``trained`` keeps it, and looked at as ``doctor`` looks: as it was after each of up to 200
iterations. A bug is seen in a seed where some rule says something that the same preset, length and seed without it
did not have said; the table says by which rules, and in how many seeds each spoke with the bug and without.

Beside that stand the probes of the self-test that fail with a bug and pass without, in a method of each kind.

Options: ``--only BUG`` (several times), ``--seeds N`` (10), ``--first-seed N`` (301), and ``--resume``, which trains
nothing that is kept of the same configuration and engine.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import typer

from engine.analysis.doctor.rules import RULES, findings
from engine.catalogue.methods.bugs import BUGS
from engine.config import RunConfig, presets
from engine.config.bugs import NO_BUG
from engine.config.parameters import with_values
from tests.benchmarks import doctor, trained
from tests.benchmarks.children import run_child
from tests.benchmarks.figures import Grid, Measured, Number, Say
from tests.benchmarks.learning import QUICK_STEPS

FIRST_SEED, SEEDS = 301, 10
KEPT = Path(__file__).parent / "results" / ".museum"
SEEN = "bugs that a rule sees in most seeds"  # of each preset
# What is trained, by the preset that it is of: shorter, and with less work in an iteration; the quickest first.
SMALL: dict[str, dict[str, Any]] = {
    "cartpole-fast": {"budget.environment_steps": 60_000},
    "grid-world": {"budget.environment_steps": 60_000},
    "grid-world-sarsa": {"budget.environment_steps": 10_000},
    "mountain-car-discrete": {"budget.environment_steps": 20_000},
    "cartpole-ppo": {"budget.environment_steps": 41_000, "collection.steps": 64, "update.epochs": 4},
    "cartpole": {"budget.environment_steps": 40_000},
    "pendulum-ppo": {
        "budget.environment_steps": 41_000,
        "collection.steps": 64,
        "update.epochs": 4,
        "estimator.baseline.fit_steps": 10,
    },
    "cartpole-dqn": {"budget.environment_steps": 12_000, "update.gradient_steps": 1},
    "pendulum-sac": {"budget.environment_steps": 2_000},
}
CASES: dict[str, tuple[str, ...]] = {
    "wrong-sign": ("cartpole-fast",),
    "discount-twice": ("grid-world",),
    "discount-from-the-end": ("grid-world",),
    "missing-present-reward": ("grid-world",),
    "truncation-as-termination": ("pendulum-ppo", "mountain-car-discrete"),
    "reset-observation": ("pendulum-ppo",),
    "shifted-advantages": ("cartpole-ppo",),
    "clipped-log-prob": ("pendulum-ppo",),
    "missing-log-det": ("pendulum-sac",),
    "mean-over-time": ("grid-world",),
    "normalized-per-episode": ("grid-world",),
    "attached-baseline": ("cartpole", "grid-world"),
    "stale-log-probs": ("cartpole-ppo",),
    "shared-randomness": ("cartpole-ppo",),
    "normalizer-in-evaluation": ("mountain-car-discrete",),
    "clipped-rewards": ("pendulum-ppo",),
    "reversed-epsilon": ("grid-world-sarsa", "cartpole-dqn"),
    "target-never-copied": ("cartpole-dqn",),
    "dones-ignored": ("cartpole-dqn",),
}
METHODS = ("reinforce-causality", "vpg", "ppo", "q-learning", "dqn", "sac")  # that are probed
Job = tuple[str, str, int]  # preset, bug and seed
Failing = list[tuple[str, str]]  # method and probe


def configuration(preset: str, bug: str, seed: int, quick: bool = False) -> RunConfig:
    values = {**SMALL[preset], "device": "cpu", "seed": seed, "bug": bug}
    if quick:
        values["budget.environment_steps"] = QUICK_STEPS
    return with_values(presets.find(preset).config, values)


def measure(
    quick: bool,
    say: Say,
    *,
    only: Sequence[str] = (),
    seeds: int | None = None,
    first_seed: int = FIRST_SEED,
    resume: bool = False,
) -> Measured:
    for name in only:
        if name not in BUGS:
            raise typer.BadParameter(f"{name} is no bug; there is {', '.join(BUGS)}.")
    bugs = list(only or CASES)
    drawn = range(first_seed, first_seed + (seeds or (1 if quick else SEEDS)))
    jobs = _jobs(bugs, drawn)
    KEPT.mkdir(parents=True, exist_ok=True)
    wanted = [job for job in jobs if not (resume and _is_kept(job, quick))]
    left = [[job for job in wanted if job[2] == seed] for seed in drawn]
    with ThreadPoolExecutor(max(1, (os.cpu_count() or 1))) as pool:
        waiting = {pool.submit(_trained, some, quick): some for some in left if some}
        for done in as_completed(waiting):
            say(f"seed {waiting[done][0][2]}: {done.result():.0f} s")
        for name in (NO_BUG, *bugs):
            if not (resume and _probes(name).exists()):
                pool.submit(run_child, "museum", json.dumps([name, quick]), timeout=trained.LONGEST)
    return summary(bugs, drawn)


def _jobs(bugs: Iterable[str], seeds: Iterable[int]) -> list[Job]:
    """What is to be trained, seed by seed, so that whatever is broken off holds some seeds of all."""
    pairs = [(preset, bug) for bug in bugs for preset in CASES[bug]]
    pairs += [(preset, NO_BUG) for preset in dict.fromkeys(preset for preset, _ in pairs)]
    pairs.sort(key=lambda pair: list(SMALL).index(pair[0]))
    return [(preset, bug, seed) for seed in seeds for preset, bug in pairs]


def _file(job: Job) -> Path:
    return KEPT / f"{job[0]}-{job[1]}-{job[2]}.jsonl"


def _is_kept(job: Job, quick: bool) -> bool:
    return trained.is_of(_file(job), configuration(*job, quick).model_dump_json())


def _probes(bug: str) -> Path:
    return KEPT / f"probes-{bug}.json"


def probe(bug: str, methods: Sequence[str]) -> dict[str, float]:
    """Which probes fail with a bug is kept; in this process, which gives way to all others."""
    from engine.analysis.self_test import configured, probed
    from engine.mdp.probes import PROBES

    os.nice(15)
    began, failing = time.perf_counter(), []
    for method in methods:
        for one in PROBES:
            config = configured(method, one, bug)
            if config is not None and not probed(method, one, config).passed:
                failing.append((method, one.title))
    _probes(bug).write_text(json.dumps(failing), "utf-8")
    return {"seconds": time.perf_counter() - began}


def failing(bug: str) -> Failing | None:
    """The probes that fail with a bug and pass without; None where that has not been tried."""
    if not (_probes(bug).exists() and _probes(NO_BUG).exists()):
        return None
    with_bug, without = (json.loads(_probes(name).read_text("utf-8")) for name in (bug, NO_BUG))
    return [(method, title) for method, title in with_bug if [method, title] not in without]


def _trained(jobs: Sequence[Job], quick: bool) -> float:
    """Train them one after the other, in a process of their own; the seconds that it took."""
    found = run_child("museum", json.dumps([jobs, quick]), timeout=trained.LONGEST * len(jobs))
    return float(found["seconds"])


def train(jobs: Sequence[Job], quick: bool) -> dict[str, float]:
    """The same in this process, which gives way to all others."""
    os.nice(15)
    began = time.perf_counter()
    for job in jobs:
        unfinished = _file(job).with_suffix(".part")
        trained.train(configuration(*job, quick), unfinished)
        unfinished.replace(_file(job))
    return {"seconds": time.perf_counter() - began}


def alarms(job: Job) -> frozenset[str] | None:
    """The rules that say anything of a run at any of the looks; None where it has not been trained."""
    if not _file(job).exists():
        return None
    looks = doctor.looks_at(doctor.read(_file(job)))
    return frozenset(finding.rule.name for then in looks for finding in findings(then)) - doctor.OF_THE_MACHINE


def summary(bugs: Sequence[str], seeds: Sequence[int]) -> Measured:
    """Bug by rule, over all seeds that have been trained with the bug and without."""
    found = {job: said for job in _jobs(bugs, seeds) if (said := alarms(job)) is not None}
    lines, data, most = [], [], 0
    for bug in bugs:
        shares = []
        for preset in CASES[bug]:
            both = [s for s in seeds if (preset, bug, s) in found and (preset, NO_BUG, s) in found]
            with_bug = [found[preset, bug, seed] for seed in both]
            without = [found[preset, NO_BUG, seed] for seed in both]
            seen = sum(bool(ill - well) for ill, well in zip(with_bug, without, strict=True))
            names = [rule.name for rule in RULES if any(rule.name in said for said in with_bug)]
            counts = {
                name: (sum(name in said for said in with_bug), sum(name in said for said in without)) for name in names
            }
            told = ", ".join(f"{name} {ill} ({well})" for name, (ill, well) in counts.items())
            failed = failing(bug)
            probes = "not tried" if failed is None else ", ".join(f"{title} ({method})" for method, title in failed)
            lines.append((BUGS[bug].title, preset, f"{seen} of {len(both)}", told or "–", probes or "–"))
            data.append({"bug": bug, "preset": preset, "seeds": both, "seen": seen, "rules": counts, "probes": failed})
            shares.append(seen / max(len(both), 1))
        most += min(shares) > 0.5
    detail = (
        "Seen: seeds in which some rule spoke that was silent without the bug. Behind each rule: seeds with the bug, "
        "and in brackets without it."
    )
    grid = Grid(("bug", "preset", "seen", "rules", "probes that fail"), tuple(lines))
    numbers = (Number("bugs", len(bugs), ""), Number("runs", len(found), ""))
    return Measured({SEEN: most / max(len(bugs), 1)}, numbers, detail, grid, data)


if __name__ == "__main__":
    given, few = json.loads(sys.argv[1])
    if isinstance(given, str):
        print(json.dumps(probe(given, METHODS[:1] if few else METHODS)))
    else:
        print(json.dumps(train([(preset, bug, seed) for preset, bug, seed in given], few)))
