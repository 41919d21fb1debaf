"""Environments in worker processes: the same numbers as in this one, and failures that are told in a sentence."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.config.environments import EnvironmentConfig
from engine.environments.batches import processes as process_batch
from engine.environments.batches.choice import random_actions
from engine.environments.batches.gymnasium import GymnasiumBatch
from engine.environments.batches.interface import EnvironmentBatch, Transitions
from engine.environments.batches.processes import ProcessBatch
from engine.runtime.errors import RequestError, RunError
from engine.runtime.waiting import GivenUp, Wait, while_waiting
from tests.engine.environments.misbehaving import EVERY, MISBEHAVING, SEEDS, SPACES, misbehaving, pids, wait_until_gone
from tests.engine.support import Toy, register

PATIENCE = "; if it only takes long, set environment.patience to more than"
STAY = np.zeros(5, np.int64)


@pytest.fixture
def closing() -> Iterator[list[EnvironmentBatch]]:
    batches: list[EnvironmentBatch] = []
    yield batches
    for batch in batches:
        batch.close()


def identical(one: Transitions, other: Transitions) -> None:
    for mine, theirs in zip(one, other, strict=True):
        assert mine.dtype == theirs.dtype
        assert np.array_equal(mine, theirs)


@pytest.mark.parametrize("kind", ["box", "double", "bytes", "scalar", "discrete", "several"])
def test_worker_processes_give_exactly_what_this_process_gives(kind: str, closing: list[EnvironmentBatch]) -> None:
    """Over resets, and steps in which environments whose episode has ended are left out."""
    configuration = EnvironmentConfig(id=SPACES, options={"kind": kind})
    here, there = GymnasiumBatch(configuration, SEEDS), ProcessBatch(configuration, SEEDS, 2)
    closing += [here, there]
    here.action_space.seed(0)
    for _ in range(3):
        indices = EVERY
        first = here.reset(indices), there.reset(indices)
        assert first[0].dtype == first[1].dtype
        assert np.array_equal(*first)
        while len(indices):
            actions = random_actions(here.action_space, len(indices))
            mine, theirs = here.step(actions, indices), there.step(actions, indices)
            identical(mine, theirs)
            indices = indices[~(mine.terminated | mine.truncated)]


@pytest.mark.parametrize("workers", [1, 3, 9])
def test_any_number_of_workers_steps_any_environments(workers: int, closing: list[EnvironmentBatch]) -> None:
    configuration = EnvironmentConfig(id="Acrobot-v1", time_limit=7)
    here, there = GymnasiumBatch(configuration, SEEDS), ProcessBatch(configuration, SEEDS, workers)
    closing += [here, there]
    assert len(pids(there)) == min(workers, len(SEEDS))
    assert np.array_equal(here.reset(EVERY), there.reset(EVERY))
    for indices in ([0, 1, 2, 3, 4], [3], [0, 4], [1, 2, 4], [0], [2, 3]):
        some = np.array(indices)
        identical(here.step(STAY[some], some), there.step(STAY[some], some))
        assert np.array_equal(here.reset(some[:1]), there.reset(some[:1]))


def test_what_was_given_is_not_overwritten_by_the_next_step(closing: list[EnvironmentBatch]) -> None:
    batch = misbehaving("")
    closing.append(batch)
    first = batch.reset(EVERY)
    before = first.copy()
    moved = batch.step(STAY, EVERY)
    stepped = moved.observations.copy()
    batch.step(STAY, EVERY)
    assert np.array_equal(first, before)
    assert np.array_equal(moved.observations, stepped)


@pytest.mark.parametrize(
    ("what", "during"), [("hangs", "reset"), ("spins", "step"), ("holds the lock", "step"), ("hangs", "render")]
)
def test_a_hung_environment_is_named_with_its_seed(
    what: str, during: str, closing: list[EnvironmentBatch], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = misbehaving(what, during, patience=0.5, render=True)
    closing.append(batch)
    workers = pids(batch)
    monkeypatch.setattr(process_batch, "MAKING", 0.5)
    with pytest.raises(RunError) as raised:
        play(batch)
    told = f"with the seed 7 has not answered its {during} for 0.5 s, so its worker process was ended"
    assert str(raised.value) == f"{MISBEHAVING} {told}{PATIENCE} 0.5."
    for pid in workers:
        wait_until_gone(pid)


def test_slow_environments_that_go_on_are_not_taken_for_hung(closing: list[EnvironmentBatch]) -> None:
    """Four resets of 0.3 s in one worker take longer together than one may."""
    options = {"what": "is slow", "during": "reset"}
    configuration = EnvironmentConfig(id=MISBEHAVING, options=options, patience=1.0)
    batch = ProcessBatch(configuration, [1, 3, 5, 7], 1)
    closing.append(batch)
    assert batch.reset(EVERY[:4]).shape == (4, 2)


def test_an_environment_that_hangs_on_the_way_to_where_it_was_is_named(
    closing: list[EnvironmentBatch], monkeypatch: pytest.MonkeyPatch
) -> None:
    sound, hanging = misbehaving(""), misbehaving("hangs", patience=0.5)
    closing += [sound, hanging]
    monkeypatch.setattr(process_batch, "MAKING", 0.5)
    sound.reset(EVERY)
    for _ in range(2):
        sound.step(STAY, EVERY)
    with pytest.raises(RunError, match=r"with the seed 7 has not answered its reset for 0\.5 s, so its worker"):
        hanging.load(sound.state())


def test_environments_that_are_long_on_the_way_to_where_they_were_are_not_taken_for_hung(
    closing: list[EnvironmentBatch],
) -> None:
    """Two resets of 0.3 s and two steps in each of three environments in one worker."""
    options = {"what": "is slow", "during": "reset"}
    batch = ProcessBatch(EnvironmentConfig(id=MISBEHAVING, options=options, patience=1.0), [1, 3, 5], 1)
    closing.append(batch)
    batch.reset(EVERY[:3])
    batch.step(STAY[:3], EVERY[:3])
    batch.load(batch.state())
    assert not len(batch.interrupted)


@pytest.mark.skipif(os.name != "posix", reason="signals are named so on POSIX systems only")
@pytest.mark.parametrize(
    ("what", "during", "how"),
    [
        ("exits", "step", "it ended with the exit status 3"),
        ("exits", "reset", "it ended with the exit status 3"),
        ("exits", "render", "it ended with the exit status 3"),
        ("crashes", "step", "it was ended by the signal SIGSEGV"),
        ("is killed", "step", "it was ended by the signal SIGKILL, as the system does when memory runs out"),
    ],
)
def test_a_worker_that_dies_is_told_of(what: str, during: str, how: str, closing: list[EnvironmentBatch]) -> None:
    batch = misbehaving(what, during, render=True)
    closing.append(batch)
    workers = pids(batch)
    with pytest.raises(RunError) as raised:
        play(batch)
    told = f"with the seed 7 took its worker process down in its {during}: {how}"
    assert str(raised.value) == f"{MISBEHAVING} {told}."
    for pid in workers:
        wait_until_gone(pid)


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_a_worker_killed_between_steps_is_told_of(closing: list[EnvironmentBatch]) -> None:
    batch = misbehaving("")
    closing.append(batch)
    batch.reset(EVERY)
    (pid, _) = pids(batch)
    os.kill(pid, signal.SIGKILL)
    wait_until_gone(pid)
    with pytest.raises(RunError, match="took its worker process down in its step: it was ended by the signal SIGKILL"):
        batch.step(STAY, EVERY)


@pytest.mark.parametrize("during", ["step", "reset"])
def test_an_environment_that_raises_is_told_of_as_in_this_process(during: str, closing: list[EnvironmentBatch]) -> None:
    configuration = EnvironmentConfig(id=MISBEHAVING, options={"what": "raises", "during": during})
    told = []
    for batch in (GymnasiumBatch(configuration, SEEDS), ProcessBatch(configuration, SEEDS, 2)):
        closing.append(batch)
        with pytest.raises(RunError) as raised:
            play(batch)
        told.append(str(raised.value))
    assert told[0] == f"{MISBEHAVING} with the seed 7 raised OSError: the level file is gone, in its {during}."
    assert told[1] == told[0]


def test_a_batch_goes_on_after_an_environment_has_raised(closing: list[EnvironmentBatch]) -> None:
    """No answer to an earlier question is taken for one to a later."""
    batch = misbehaving("raises")
    closing.append(batch)
    with pytest.raises(RunError):
        play(batch)
    others = np.array([0, 1])  # those of the other worker, which have taken both steps
    here = GymnasiumBatch(EnvironmentConfig(id=MISBEHAVING), SEEDS)
    closing.append(here)
    here.reset(EVERY)
    for _ in range(2):
        here.step(STAY, EVERY)
    identical(batch.step(STAY[others], others), here.step(STAY[others], others))


def test_a_failed_batch_says_so_when_it_is_stepped_again(closing: list[EnvironmentBatch]) -> None:
    batch = misbehaving("exits", "reset")
    closing.append(batch)
    for _ in range(2):
        with pytest.raises(RunError) as raised:
            batch.reset(EVERY)
    assert str(raised.value) == f"{MISBEHAVING} is no longer stepped, since its worker processes have ended."


def test_an_environment_that_takes_for_ever_to_be_made_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_batch, "MAKING", 1.0)
    with pytest.raises(
        RunError, match=rf"^{MISBEHAVING} could not be made in a worker process within 1 s{PATIENCE} 1\.$"
    ):
        misbehaving("hangs", "making", patience=1.0)


def test_an_environment_that_ends_its_worker_while_being_made_is_told_of() -> None:
    told = rf"^{MISBEHAVING} could not be made in a worker process, which ended with the exit status 3\.$"
    with pytest.raises(RunError, match=told):
        misbehaving("exits", "making")


def test_what_only_workers_cannot_make_is_a_wrong_request() -> None:
    with pytest.raises(RequestError, match=r"could not be made.*the level file is gone"):
        misbehaving("raises", "making")


def test_what_only_this_process_has_registered_is_a_wrong_request() -> None:
    id = register("Tests/OnlyHere-v0", Toy)
    with pytest.raises(RequestError, match="no environment Tests/OnlyHere-v0"):
        ProcessBatch(EnvironmentConfig(id=id), SEEDS, 2)


def test_workers_do_not_load_torch() -> None:
    program = (
        "import sys, engine.environments.batches.worker\n"
        "assert not {'torch', 'PySide6', 'scipy'} & set(sys.modules), 'a worker would take long to start'"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[3])


def test_a_first_answer_may_take_longer_than_later_ones(closing: list[EnvironmentBatch]) -> None:
    """As where an environment imports what it needs only then."""
    batch = misbehaving("is slow", "first step", patience=0.1)
    closing.append(batch)
    batch.reset(EVERY)
    batch.step(STAY, EVERY)
    batch.reset(EVERY)
    with pytest.raises(RunError, match=r"has not answered its step for 0\.1 s"):
        batch.step(STAY, EVERY)


@pytest.mark.parametrize("during", ["making", "reset", "step", "render"])
def test_whoever_waits_tells_its_host_which_may_give_up(during: str, closing: list[EnvironmentBatch]) -> None:
    told: list[Wait] = []

    def watch(wait: Wait) -> None:
        told.append(wait)
        if wait.doing == during and wait.seconds > 0.15:
            raise GivenUp

    def given_up() -> None:
        closing.append(misbehaving("holds the lock", during, patience=5.0, workers=1, render=True))
        play(closing[0])

    before = len(active_children())
    with while_waiting(watch), pytest.raises(GivenUp):
        given_up()
    last = told[-1]
    limit = 5.0 if during == "step" else process_batch.MAKING  # its second one, but the first of all others
    assert (last.environment, last.doing, last.limit) == (MISBEHAVING, during, limit)
    assert 0.15 < last.seconds < 1.0
    assert len(active_children()) == before
    for batch in closing:
        with pytest.raises(RunError, match="is no longer stepped"):
            batch.reset(EVERY)


def test_a_picture_comes_as_the_environment_gives_it(closing: list[EnvironmentBatch]) -> None:
    batch = misbehaving("", render=True)
    closing.append(batch)
    assert batch.metadata == {"render_fps": 25.0}
    batch.reset(EVERY)
    batch.step(STAY[3:4], EVERY[3:4])
    assert batch.render(3).tolist() == np.ones((2, 3, 3)).tolist()
    assert batch.render(0).tolist() == np.zeros((2, 3, 3)).tolist()


def play(batch: Any) -> None:
    batch.reset(EVERY)
    for _ in range(2):
        batch.step(STAY, EVERY)
    batch.render(2)
