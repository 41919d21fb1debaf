"""Which states of a run are kept: some by time, the best and the last always, and never more than so many."""

from __future__ import annotations

import errno
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from engine.reports.events import Updated
from engine.runs import autosave
from engine.runs import recorder as recording
from engine.runs.autosave import EVERY, FIRST, IMPROVED, Autosave, Standing, Taken, keep
from engine.runs.host import recorded
from engine.runs.library import Library
from engine.runs.records import CheckpointRecord, RunRecord, Status
from engine.runs.retention import MOST, surplus
from engine.training.checkpoint import from_bytes
from engine.training.training import Training
from tests.engine.support import configured


class _Run:
    """What an autosave asks of a training."""

    def __init__(self) -> None:
        self.updates = self.iteration = self.environment_steps = self.episodes = 0
        self.mean_return: float | None = None
        self.busy = self.failed = False
        self.totals = {"mine": self}

    def state(self) -> dict[str, object]:
        return {"totals": [{"iteration": self.updates, "environment_steps": self.environment_steps}]}

    def iterate(self, mean: float | None = None, episodes: int = 0) -> None:
        self.updates += 1
        self.episodes += episodes
        self.mean_return = mean


def taken_at(seconds: list[float], means: list[float], episodes: int) -> list[tuple[float, bool]]:
    """When a state is taken of a run whose iterations end at ``seconds``, and whether it was the best."""
    clock = [0.0]
    saving, run, found = Autosave(clock=lambda: clock[0]), _Run(), []
    for clock[0], mean in zip(seconds, means, strict=True):
        run.iterate(mean, episodes)
        taken = saving.between(run)  # type: ignore[arg-type]
        if taken is not None:
            (standing,) = taken.standings
            found.append((clock[0], standing.best))
    return found


def test_at_most_a_minute_is_lost_and_little_while_a_run_is_young() -> None:
    seconds = [float(second) for second in range(1, 400)]
    taken = [at for at, _ in taken_at(seconds, [1.0] * len(seconds), episodes=1)]
    assert taken[:4] == [FIRST, 2.0, 4.0, 8.0]
    assert max(later - earlier for earlier, later in zip(taken, [*taken[1:], 400.0], strict=True)) <= EVERY


def test_a_new_best_is_taken_but_not_every_one() -> None:
    seconds = [64.0 + second for second in range(1, 30)]
    means = [float(second) for second in range(1, 30)]
    taken = taken_at([1.0, 64.0, *seconds], [0.0, 0.0, *means], episodes=200)
    assert [at for at, best in taken if best and at > 64.0][:3] == [64.0 + step * IMPROVED for step in (1, 2, 3)]


@pytest.fixture
def library(library_place: Path) -> Library:
    library = Library(library_place)
    library.begin(RunRecord("mine", 0, configured().model_dump(mode="json"), Status.RUNNING, created=1.0))
    return library


def kept(library: Library, iteration: int, mean: float, best: bool) -> None:
    standing = Standing("mine", iteration, 10 * iteration, mean, best)
    keep(library, {"mine": "mine"}, Taken({"iteration": iteration}, iteration, (standing,)))


def test_the_best_and_the_last_are_always_there_and_all_is_bounded(library: Library) -> None:
    for iteration in range(1, 60):
        kept(library, iteration, float(iteration == 7), best=iteration in (1, 7))
    checkpoints = library.checkpoints("mine")
    assert len(checkpoints) == MOST
    by_kind = {kind: each.iteration for each in checkpoints for kind in each.kinds}
    assert by_kind == {"best": 7, "last": 59}
    files = sorted((library.run_folder("mine") / "checkpoints").iterdir())
    assert {file.name for file in files} == {checkpoint.file for checkpoint in checkpoints}
    assert {from_bytes(file.read_bytes())["iteration"] for file in files} == {each.iteration for each in checkpoints}
    gaps = [later.iteration - earlier.iteration for later, earlier in pairwise(checkpoints)]
    assert max(gaps) <= 12
    library.close()


def test_what_somebody_wants_is_never_dropped() -> None:
    plain = CheckpointRecord("mine", 0, 0, 1.0, "", 1)
    wanted = [replace(plain, iteration=at, kinds=("fork",)) for at in range(20)]
    found = surplus([*wanted, *(replace(plain, iteration=at) for at in range(20, 25))], most=3)
    assert {checkpoint.iteration for checkpoint in found} == {20, 21, 22, 23}


def test_a_full_disk_leaves_what_was_there_and_is_told_once(
    library: Library, monkeypatch: pytest.MonkeyPatch, library_place: Path
) -> None:
    monkeypatch.setattr(recording, "EVERY", 0.01)
    monkeypatch.setattr(recording, "RETRY", 0.0)
    monkeypatch.setattr(autosave, "FIRST", 0.0)
    said: list[str] = []
    training = Training(configured(budget__environment_steps=2000), "other")
    written = autosave.write_whole

    def full(path: Path, content: bytes) -> None:
        if path.stem != "1":
            raise OSError(errno.ENOSPC, "No space left on device")
        written(path, content)

    monkeypatch.setattr(autosave, "write_whole", full)
    with recorded(training, library_place, said.append) as recorder:
        for event in training:
            recorder.put(event)
            if isinstance(event, Updated):
                recorder.between(training)
                if event.iteration == 1:
                    while not library.checkpoints("other"):
                        pass
    assert [checkpoint.iteration for checkpoint in library.checkpoints("other")] == [1]
    assert sum("No space left on device" in sentence for sentence in said) == 1
    assert len(library.series("other", "iterations")) == training.iteration
    library.close()


def test_what_is_kept_at_the_end_is_what_the_run_has_come_to(library_place: Path) -> None:
    training = Training(configured(budget__environment_steps=300), "mine")
    with recorded(training, library_place, print) as recorder:
        for event in training:
            recorder.put(event)
    with Library(library_place) as library:
        last = library.checkpoints("mine")[0]
        data = (library.run_folder("mine") / "checkpoints" / last.file).read_bytes()
        assert last.iteration == library.run("mine").reached.iteration == training.iteration
        assert set(last.kinds) == {"last", "best"}
    assert from_bytes(data)["totals"][0]["environment_steps"] == training.environment_steps
