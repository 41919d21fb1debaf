"""How many seeds the next run is to have, and what that comes to: which runs begin, and how they are trained."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.models.run_state import RunState
from app.models.runs import Difference, KeptRun, Run, SeedGroup
from app.models.seeds import COUNTS, seeds_of
from app.session.going_back import Asked, Begun
from app.session.run_progress import Progress, speed_of
from app.style.format import spans
from engine.catalogue.configured import changed
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.config.parameters import with_values
from engine.runtime.cores import cores
from engine.training.many_seeds.refusal import joint_refusal

if TYPE_CHECKING:
    from app.models.history import History
    from engine.runs.records import RunRecord


class SeedChoice(QObject):
    """``changed`` carries how many seeds are chosen."""

    changed = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.count = COUNTS[0]
        self._taken = self.count  # with the run that is shown

    @property
    def edited(self) -> bool:
        """Whether another count has been chosen since the run that is shown was."""
        return self.count != self._taken

    @property
    def edit(self) -> Difference | None:
        """What has become of it since."""
        return Difference("", "seeds", "", self._taken, self.count) if self.edited else None

    def choose(self, count: int) -> None:
        if count in COUNTS and count != self.count:
            self.count = count
            self.changed.emit(count)

    def take(self) -> None:
        """The run that is shown now has nothing to do with what is chosen later."""
        self._taken = self.count

    def back(self) -> None:
        """Choose again as many as the run that is shown has."""
        self.choose(self._taken)


def how_trained(config: RunConfig, count: int) -> str:
    """How so many seeds of ``config`` are trained, and why so, in a sentence; empty for one."""
    if count == 1:
        return ""
    problem = joint_refusal(config)
    if problem is None:
        return f"{count} seeds are trained together in one process."
    return f"The first of {count} seeds is trained here, the others {_apart(problem)}."


def _apart(problem: str) -> str:
    at_once = f"{beside()} at a time" if beside() > 1 else "one at a time"
    return f"in a process of their own each, {at_once}, since {problem}"


def seed_words(group: SeedGroup, config: RunConfig) -> str:
    """Which seeds are trained, and how: "seeds 1–8, together in one process"."""
    seeds = f"seeds {spans([run.config.seed for run in group.runs])}"
    problem = joint_refusal(config)
    if group.together or problem is None:
        return f"{seeds}, together in one process"
    return f"{seeds}: the first here, the others {_apart(problem)}"


def beside() -> int:
    """How many processes train beside the window, with the cores that it leaves."""
    return max(cores() - 1, 1)


def new_seeds(config: RunConfig, plain: EnvironmentInfo, count: int) -> Asked:
    """A new run, or one for each of so many seeds from that of ``config`` on."""
    if count == 1:
        return Asked(uuid.uuid4().hex, config, plain)
    seeds = {uuid.uuid4().hex: seed for seed in seeds_of(config.seed, count)}
    return Asked(next(iter(seeds)), config, plain, seeds=seeds, together=joint_refusal(config) is None)


def saved_words(group: SeedGroup) -> str:
    """What to say of seeds that were trained until the window was closed, and can go on."""
    what = group.runs[0].name.removesuffix(f" · seed {group.runs[0].config.seed}")
    steps = sum(run.history.environment_steps for run in group.runs)
    return (
        f"{len(group)} seeds of {what} were being trained; {group.numbers} are saved after {steps:,} steps in all, "
        "from where they can go on."
    )


def begun_run(
    asked: Asked, begun: Begun | None, records: Mapping[str, RunRecord], count: int, history: Callable[[str], History]
) -> KeptRun:
    """What is shown of a run that has begun, with its group where it is one of several seeds.

    Args:
        begun: with what it came back from the library.
        records: what the library says of the runs that begin.
        count: the number of the run that last began, for those of which the library says nothing.
        history: gives that of a run, by its id.
    """
    first = config = asked.config
    if begun is not None:
        first, config = begun.record.config, begun.config
    environment = changed(asked.plain, config.environment)
    number = records[asked.id].number if asked.id in records else count + 1
    run = Run(asked.id, number, first, environment, history(asked.id))
    policy = begun.policy if begun is not None else None
    kept = KeptRun(run, config, asked.plain, RunState.RUNNING, policy)
    if begun is not None and begun.together:
        runs = [
            replace(run, id=each.id, number=each.number, config=each.config, history=told)
            for each, told in begun.together
        ]
    else:
        runs = [
            replace(
                run,
                id=id,
                number=records[id].number if id in records else number + place,
                config=with_values(first, {"seed": seed}),
                history=history(id),
            )
            for place, (id, seed) in enumerate(asked.seeds.items())
        ]
    if len(runs) > 1:
        kept.group = SeedGroup(tuple(runs), asked.together, "" if asked.together else asked.id)
        kept.run = kept.group.run(asked.id) or run
    return kept


def going_on(kept: KeptRun, here: str, begun: Begun) -> KeptRun:
    """What is shown of seeds that go on each by itself, ``here`` in the window from what has ``begun``."""
    assert kept.group is not None
    runs = [replace(run, history=begun.history) if run.id == here else run for run in kept.group.runs]
    group = replace(kept.group, runs=tuple(runs), here=here)
    policy = begun.policy if kept.run.id == here else kept.policy
    shown = group.run(kept.run.id) or kept.run
    return replace(kept, run=shown, group=group, state=RunState.RUNNING, policy=policy, record=None)


def of_all(progress: Progress, group: SeedGroup, at_work: Collection[str]) -> Progress:
    """How far all of ``group`` are, where ``progress`` is that of the one that is shown. Those that are trained
    together end at the same time; of others each has a pace of its own, where it is ``at_work``."""
    budget = progress.budget
    steps = sum(min(run.history.environment_steps, budget) for run in group.runs)
    whole = replace(progress, steps=steps, budget=budget * len(group))
    if group.together:
        speed = None if progress.steps_per_second is None else progress.steps_per_second * len(group.going)
        return replace(whole, steps_per_second=speed)
    left = group.left(budget)
    speeds = [speed_of(run.history) or 0.0 for run in left if run.id in at_work]
    if progress.steps_per_second is None or not any(speeds):
        return replace(whole, steps_per_second=None, seconds_left=None)
    to_go = sum(budget - run.history.environment_steps for run in left)
    return replace(whole, steps_per_second=sum(speeds), seconds_left=to_go / sum(speeds))
