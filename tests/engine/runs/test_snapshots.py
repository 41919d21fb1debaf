"""What is kept of a run on its way: evenly spread, bounded in number and bytes, exact where a run goes on from it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.catalogue.configured import described
from engine.config import PolicyGradientConfig, presets
from engine.config.parameters import with_values
from engine.reports.events import Estimated, Reweighted, Updated
from engine.runs import snapshot_keeper, snapshots
from engine.runs.host import recorded
from engine.runs.library import Library
from engine.runs.records import RunRecord, Status
from engine.runs.snapshot_keeper import SnapshotKeeper, spacing, thinned
from engine.runs.snapshots import Snapshot, few, from_bytes, last_kept, state_in, to_bytes
from engine.runtime.errors import RequestError
from engine.training import checkpoint
from engine.training.training import RUN, Training, resumed
from tests.engine.training.going_on import fingerprint, reports

CONFIG = with_values(
    PolicyGradientConfig(),
    {
        "environment.id": "Corridor-v0",
        "policy": "tabular",
        "budget.environment_steps": 100_000,
        "collection": "fixed-length",
        "collection.steps": 8,
        "collection.environments": 2,
    },
)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path) as opened:
        yield opened


@pytest.fixture
def run(library: Library) -> str:
    configuration = CONFIG.model_dump(mode="json")
    return library.begin(RunRecord("", 0, configuration, Status.RUNNING, 0.0)).id


@pytest.fixture
def training() -> Iterator[Training]:
    made = Training(CONFIG)
    yield made
    made.close()


def train(training: Training, keeper: SnapshotKeeper, iterations: int) -> list[Snapshot]:
    """What is to be written of so many iterations more."""
    taken = []
    for event in training:
        keeper.put(event)
        if isinstance(event, Updated):
            taken += keeper.between(training).values()
            if event.iteration % iterations == 0:
                break
    return taken


def write(keeper: SnapshotKeeper, library: Library, run: str, taken: list[Snapshot]) -> None:
    """Have them written as those of ``run``."""
    keeper.write(library, {RUN: run}, [(RUN, snapshot) for snapshot in taken])


def at_any_time() -> SnapshotKeeper:
    """Of a clock that stands still, so that freezing a policy seems to take no time."""
    return SnapshotKeeper(clock=lambda: 0.0)


def test_a_long_run_keeps_as_few_as_a_short_one_evenly_spread(
    library: Library, run: str, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_keeper, "MOST", 8)
    keeper = at_any_time()
    write(keeper, library, run, [*keeper.between(training).values()])
    write(keeper, library, run, train(training, keeper, 50))
    assert [iteration for iteration, _, _ in library.snapshots(run)] == [0, 8, 16, 24, 32, 40, 48]
    write(keeper, library, run, [*keeper.between(training, last=True).values()])
    assert library.snapshots(run)[-1][0] == 50
    # Who goes on with it goes on with that spacing; the last one of before is let go with the next.
    gone_on = SnapshotKeeper({RUN: library.snapshots(run)}, clock=lambda: 0.0)
    write(gone_on, library, run, train(training, gone_on, 60))
    assert [iteration for iteration, _, _ in library.snapshots(run)] == [0, 8, 16, 24, 32, 40, 48, 56]


@pytest.mark.parametrize(
    ("sizes", "every", "left"),
    [
        ({0: 1, 1: 1, 2: 1, 3: 1}, 1, [0, 1, 2, 3]),
        ({0: 9, 1: 9, 2: 9, 3: 9}, 4, [0, 3]),
        ({0: 99, 1: 99}, 2, [0, 1]),  # two are kept whatever they take
        ({0: 99}, 1, [0]),
    ],
)
def test_what_takes_much_room_is_kept_seldom(sizes: dict[int, int], every: int, left: list[int]) -> None:
    kept, now = thinned(sizes, 1, 20)
    assert list(kept) == left
    assert now == every
    assert spacing({0: 1, 4: 1, 8: 1, 9: 1}) == 4
    assert spacing({}) == spacing({5: 1}) == 1


def test_keeping_takes_no_more_than_its_share_of_the_time_and_whole_states_less_often(training: Training) -> None:
    now = [0.0]

    def clock() -> float:
        now[0] += 0.001  # between two looks at it, as between those before and after one freezing
        return now[0]

    keeper = SnapshotKeeper(clock=clock)
    assert keeper.between(training)  # which says nothing of what others take
    first = train(training, keeper, 20)
    assert [kept.iteration for kept in first] == list(range(1, len(first) + 1))  # densely at first
    assert len(first) == pytest.approx(snapshot_keeper.SAVED / 0.001, abs=1)
    assert [kept.state is not None for kept in first] == [True] + [False] * (len(first) - 1)
    now[0] += 0.001 / snapshot_keeper.SHARE
    assert len(train(training, keeper, 30)) == 1
    now[0] += 0.002 / snapshot_keeper.STATE_SHARE
    assert train(training, keeper, 35)[0].state is not None


def test_a_run_goes_on_exactly_from_what_is_kept(training: Training) -> None:
    kept = train(training, at_any_time(), 3)[-1]
    state = state_in(to_bytes(kept))
    assert state is not None
    again = resumed(checkpoint.from_bytes(state))
    assert reports(training, 2) == reports(again, 2)
    assert fingerprint(training) == fingerprint(again)
    again.close()


def test_what_is_read_is_what_was_kept(training: Training) -> None:
    kept = train(training, at_any_time(), 2)[-1]
    assert kept.advantages is not None
    ratios = Reweighted(2, np.array([-np.inf, 0.5], np.float32), "step", clip_range=0.2)
    kept = Snapshot(kept.policy, kept.environment_steps, kept.advantages, ratios)
    read = from_bytes(to_bytes(kept), CONFIG, training.environment)
    assert read.iteration == 2
    assert read.environment_steps == kept.environment_steps
    assert read.policy.mean_return == kept.policy.mean_return
    assert read.policy.fits(kept.policy)
    assert all(bool((read.policy.state[name] == value).all()) for name, value in kept.policy.state.items())
    assert isinstance(read.advantages, Estimated)
    assert read.advantages.advantages.tolist() == kept.advantages.advantages.tolist()
    assert read.ratios is not None
    assert read.ratios.log_ratios.tolist() == ratios.log_ratios.tolist()
    assert (read.ratios.of, read.ratios.clip_range, read.ratios.truncation) == ("step", 0.2, None)
    assert read.state is None


def test_the_last_that_is_known_of_a_run_has_the_last_batch_that_was_told(
    library: Library, run: str, training: Training
) -> None:
    assert last_kept(library, library.run(run), training.environment) is None
    told = train(training, at_any_time(), 2)[-1]
    stopped = Snapshot(replace(told.policy, iteration=3), told.environment_steps + 5)  # within its iteration
    for snapshot in (told, stopped):
        library.keep_snapshot(run, snapshot.iteration, snapshot.environment_steps, to_bytes(snapshot))
    last = last_kept(library, library.run(run), training.environment)
    assert last is not None
    assert last.advantages is not None
    assert (last.iteration, last.advantages.iteration) == (3, 2)


def test_a_recorded_run_keeps_its_beginning_and_what_comes_after(library: Library, training: Training) -> None:
    with recorded(training, library.folder, print) as recorder:
        for event in training:
            recorder.put(event)
            if isinstance(event, Updated):
                recorder.between(training)
                if event.iteration == 3:
                    break
    (run,) = library.runs()
    assert library.snapshots(run.id)[0][:2] == (0, 0)


def test_large_states_are_not_kept_but_the_policy_is(training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot_keeper, "LARGEST_STATE", 1000)
    (kept, *_) = train(training, at_any_time(), 2)
    assert kept.state is None
    assert kept.policy.state


@pytest.mark.parametrize(
    ("preset", "acting"),
    [
        ("cartpole-dqn", (1.0, pytest.approx(0.505))),  # halfway from 1 to 0.01, which takes a fifth of the budget
        ("pendulum-td3", (pytest.approx(0.01), None)),  # the variance of its noise
        ("cartpole-ppo", (1.0, None)),
    ],
)
def test_the_policy_of_a_checkpoint_acts_as_its_run_did(preset: str, acting: object) -> None:
    config = presets.shipped()[preset].config
    environment = described(config.environment)
    assert environment is not None
    assert snapshots._exploring(config, environment, 0.1) == acting


def test_of_a_large_batch_evenly_spread_values_are_kept() -> None:
    many = np.random.default_rng(0).normal(size=100_000).astype(np.float32)
    some = few(many)
    assert len(some) == snapshots.VALUES
    assert abs(float(some.mean() - many.mean())) < 0.001
    assert abs(float(some.std() / many.std()) - 1) < 0.005


@pytest.mark.parametrize("damage", ["cut", "foreign", "checkpoint"])
def test_damaged_bytes_are_refused_in_a_sentence(training: Training, damage: str) -> None:
    whole = to_bytes(train(training, at_any_time(), 1)[-1])
    data = {"cut": whole[:-9], "foreign": b"GIF89a", "checkpoint": checkpoint.to_bytes({"iteration": 1})}[damage]
    with pytest.raises(RequestError, match="cannot be read"):
        from_bytes(data, CONFIG, training.environment)


def test_choosing_loads_neither_torch_nor_numpy() -> None:
    look = "import sys, engine.runs.snapshot_keeper; print([m for m in ('torch', 'numpy') if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
