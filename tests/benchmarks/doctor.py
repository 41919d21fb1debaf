"""doctor: whether the doctor is silent where all is well: false alarms on every shipped preset.

Each preset is trained from ten seeds, the five with which settings are chosen and the five of the row ``learning``, on
the CPU with torch on 1 thread, and what each run tells is kept (``trained``), so that thresholds can be looked at again
without training. Runs of ``learning`` serve as well, of which a few stop at their target.

The rules look at every run as it was after each of up to 200 iterations, evenly spread, with what was known then alone.
A finding is a rule that said something at any of these; the table says in how many seeds, and at which share of the
looks. It is a false alarm unless something is wrong indeed: where the run never came to its target, or where the preset
is shipped to show just that (``SHOWN``). Rules that judge the machine and not the learning are left out: two runs side
by side slow each other. A preset whose environment needs an extra that is not installed is left out, and named.

Options: ``--only PRESET`` (several times), ``--seeds N``, the first N of 101 to 105 and 1 to 5, ``--first-seed N``,
from which on they are then counted, and ``--resume``, which trains nothing that is kept already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import typer

from engine.analysis.doctor.reported import Reported, from_rows
from engine.analysis.doctor.rules import RULES, findings
from engine.catalogue.configured import changed, described
from engine.catalogue.environments import ENVIRONMENTS, missing_extra
from engine.config import presets
from engine.config.validation import validated
from tests.benchmarks.figures import Grid, Measured, Number, Say
from tests.benchmarks.learning import GOALS, Goal, job, run_of
from tests.benchmarks.trained import Job, header, iterations, run_all

SEEDS = (101, 102, 103, 104, 105, 1, 2, 3, 4, 5)
LOOKS = 200
ALARMS = "false alarms"
SHOWN = {  # what presets are shipped to show, by the rule that is right to see it
    # How noisy total return without a baseline is: it falls back, and only now and then does as well as it could.
    "cartpole-reinforce": frozenset({"forgotten", "cannot-repeat"}),
}
OF_THE_MACHINE = frozenset({"slower"})  # rules that see how busy it is


@dataclass(frozen=True)
class Seen:
    """What the rules saw in a run: whether it never came to its target, how often they looked, and by rule at how many
    of these it saw something, where first, as a share of the steps, and what it said then."""

    preset: str
    seed: int
    missed: bool
    looks: int
    alarms: dict[str, int]
    first: dict[str, float]
    said: dict[str, str]

    def is_false(self, rule: str) -> bool:
        """Whether nothing is wrong where this rule says something."""
        return rule in self.alarms and not self.missed and rule not in SHOWN.get(self.preset, ())


def measure(
    quick: bool,
    say: Say,
    *,
    only: Sequence[str] = (),
    seeds: int | None = None,
    first_seed: int | None = None,
    resume: bool = False,
) -> Measured:
    count = seeds or (1 if quick else len(SEEDS))
    drawn = SEEDS[:count] if first_seed is None else range(first_seed, first_seed + count)
    jobs = {_job(preset, seed, quick): (preset, seed) for seed in drawn for preset in _chosen(only, say)}
    seen: dict[tuple[str, int], Seen] = {}

    def take(done: Job) -> None:
        preset, seed = jobs[done]
        one = seen[preset, seed] = looked_at(done.path, preset, seed)
        say(f"{len(seen)}/{len(jobs)} {preset}, seed {seed}: {', '.join(one.alarms) or 'silent'}")

    run_all(list(jobs), resume, take)
    return summary([seen[pair] for pair in sorted(seen)])


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


def _job(preset: str, seed: int, quick: bool) -> Job:
    return job(_goal(preset), seed, quick)


def _goal(preset: str) -> Goal:
    return next((goal for goal in GOALS if goal.preset == preset and goal.policy is None), Goal(preset, None))


def read(path: Path) -> Reported:
    """What a run told, from the file in which that is kept."""
    config = validated(header(path)["config"])
    rows = list(iterations(path))
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


def looked_at(path: Path, preset: str, seed: int) -> Seen:
    """What the rules see in a run that is kept."""
    reported = read(path)
    alarms, first, said, looks = Counter[str](), dict[str, float](), dict[str, str](), 0
    for then in looks_at(reported):
        looks += 1
        for finding in findings(then):
            name = finding.rule.name
            if name in OF_THE_MACHINE:
                continue
            alarms[name] += 1
            first.setdefault(name, float(then.steps[-1] / reported.steps[-1]))
            said.setdefault(name, finding.sentence)
    goal = _goal(preset)
    missed = goal.target is not None and run_of(path, goal, seed).steps_to_target is None
    return Seen(preset, seed, missed, looks, dict(alarms), first, said)


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
                    str(sum(run.is_false(name) for run in those)) if name else "–",
                    f"{share:.1%}" if name else "–",
                    those[0].said[name] if those else "",
                )
            )
    total = sum(run.is_false(name) for run in seen for name in run.alarms)
    numbers = (
        Number("presets", len(by_preset), ""),
        Number("runs", len(seen), ""),
        Number("runs that never came to their target", sum(run.missed for run in seen), ""),
        Number("looks", sum(run.looks for run in seen), ""),
    )
    detail = f"{len(RULES)} rules looked at every run as it was after each of up to {LOOKS} iterations."
    columns = ("preset", "seeds", "rule", "seeds with it", "false", "of all looks", "what it said first")
    data = [run.__dict__ for run in seen]
    return Measured({ALARMS: float(total)}, numbers, detail, Grid(columns, tuple(lines)), data)
