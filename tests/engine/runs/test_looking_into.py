"""An iteration of a run can be looked into long after: its very batch where all was kept before it, and else another,
of which it is said that it is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.analysis.samples import samples_of
from engine.catalogue.configured import changed, described
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.config import PolicyGradientConfig, RunConfig
from engine.config.parameters import with_values
from engine.reports.events import Estimated, Reweighted
from engine.reports.update_events import AfterUpdate, Inspected, UpdateStep
from engine.runs import looking_into
from engine.runs.library import Library
from engine.runs.looking_into import look_into
from engine.runs.records import NotedEvent, Status
from engine.runs.resuming import fork
from engine.runs.snapshot_keeper import SnapshotKeeper
from engine.runs.snapshots import Snapshot, to_bytes
from engine.runtime.errors import RequestError
from engine.training.training import Training
from tests.engine.runs.libraries import filled
from tests.engine.runs.recorded import begun, saved, trained

SMALL: dict[str, Any] = {
    "environment": "CartPole-v1",
    "policy": "mlp",
    "policy.hidden_sizes": [8],
    "environment.normalize_observations": True,
    "collection": "fixed-length",
    "collection.environments": 4,
    "collection.steps": 32,
    "update.epochs": 2,
    "update.minibatch_size": 32,
    "budget.environment_steps": 2_000,
}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path) as opened:
        yield opened


def of(algorithm: str, values: dict[str, Any]) -> RunConfig:
    start = with_values(PolicyGradientConfig(), {"environment": values["environment"], "policy": values["policy"]})
    return with_values(choose(start, ALGORITHMS[algorithm]), values)


def environment_of(config: RunConfig) -> Any:
    plain = described(config.environment)
    assert plain is not None
    return changed(plain, config.environment)


def keep(library: Library, run: str, snapshot: Snapshot | None) -> None:
    assert snapshot is not None
    library.keep_snapshot(run, snapshot.iteration, snapshot.environment_steps, to_bytes(snapshot))


def same(one: Any, other: Any, where: str = "") -> None:
    """All that both tell is the same, to the last bit."""
    if is_dataclass(one):
        for field in fields(one):
            if field.name != "run":
                same(getattr(one, field.name), getattr(other, field.name), f"{where}.{field.name}")
    else:
        assert np.array_equal(one, other) if isinstance(one, np.ndarray) else one == other, where


def last_of(training: Training) -> Snapshot:
    """What is kept of a training by itself that comes to rest here."""
    (kept,) = SnapshotKeeper(clock=lambda: 0.0).between(training, last=True).values()
    return kept


def test_what_is_made_again_is_what_the_live_run_told_to_the_last_bit(library: Library) -> None:
    config = of("ppo", SMALL)
    training, run = begun(library, config)
    first = last_of(training)
    trained(library, training, 2)
    training.change("update.learning_rate", 0.01)  # which holds from the third iteration on
    trained(library, training, 1)
    training.watched = True
    live = []
    for event in training:
        live.append(event)
        if len(live) > 1 and isinstance(live[-1], Reweighted):
            break
    training.watched = False
    trained(library, training, 1)  # the end of the fourth
    training.close()
    keep(library, run.id, first)

    seen: list[tuple[int, int, int]] = []

    def going_on(approach: Any) -> bool:
        seen.append((approach.began, approach.iteration, approach.wanted))
        return True

    found = look_into(library, library.run(run.id), environment_of(config), 4, going_on)
    assert found is not None
    assert found.exact, found.how
    assert "very batch of iteration 4" in found.how
    (batch,) = (event for event in live if isinstance(event, Inspected))
    same(found.batch, batch)
    steps = [event for event in live if isinstance(event, UpdateStep)]
    assert len(found.steps) == len(steps) == 8
    for mine, its in zip(found.steps, steps, strict=True):
        same(mine, its)
    (after,) = (event for event in live if isinstance(event, AfterUpdate))
    assert found.log_probs_after is not None
    assert np.array_equal(found.log_probs_after, after.log_probs)
    assert found.log_ratios is not None
    assert found.reweighted is not None
    assert np.allclose(found.log_ratios, found.reweighted.log_ratios, atol=1e-6)
    assert found.config.update.learning_rate == 0.01
    assert seen[0][0] == 0
    assert {iteration for _, iteration, _ in seen} == {1, 2, 3, 4}
    assert look_into(library, library.run(run.id), environment_of(config), 4, lambda _: False) is None


def test_a_fork_goes_on_from_its_own_beginning_and_shares_what_was_before_it(library: Library) -> None:
    config = of("ppo", SMALL)
    training, run = begun(library, config)
    keep(library, run.id, last_of(training))
    trained(library, training, 2)
    saved(library, training)
    training.close()
    child, record, _ = fork(library, run, None, {"estimator.gamma": 0.5})
    trained(library, child, 1)
    child.close()
    record = library.run(record.id)
    before, after = (look_into(library, record, environment_of(config), at) for at in (2, 3))
    assert before is not None
    assert after is not None
    assert before.exact
    assert before.config.estimator.gamma == config.estimator.gamma
    assert after.exact
    assert after.config.estimator.gamma == 0.5


@pytest.mark.parametrize(
    ("algorithm", "policy", "says"),
    [
        ("reinforce-average-baseline", "mlp", "no state from which the run could go on"),
        ("ppo", "mlp", "The value function was not kept"),
        ("vpg", "tabular", "no state"),
    ],
)
def test_of_a_policy_alone_there_is_a_fresh_batch_that_says_so(
    library: Library, algorithm: str, policy: str, says: str
) -> None:
    corridor = {"environment": "Corridor-v0", "policy": policy, "budget.environment_steps": 9_000}
    config = of(algorithm, SMALL if algorithm == "ppo" else corridor)
    training, run = begun(library, config)
    trained(library, training, 2)
    kept = last_of(training)
    training.close()
    keep(library, run.id, replace(kept, state=None))
    record = library.run(run.id)
    found = look_into(library, record, environment_of(config), 2)
    assert found is not None
    assert not found.exact
    assert "not it" in found.how
    assert says in found.how
    assert "kept after iteration 2" in found.how
    assert found.log_ratios is None
    assert len(found.batch.rewards) == len(found.normalized) > 0
    again = look_into(library, record, environment_of(config), 2)
    assert again is not None
    same(found.batch, again.batch)
    if policy == "tabular":  # whose V of every state is kept beside it
        assert found.batch.values is not None
        kept_values = kept.policy.beside
        assert kept_values is not None
        states = found.batch.observations.reshape(len(found.batch.rewards)).astype(int)
        assert np.allclose(found.batch.values, kept_values.values.numpy()[states], atol=1e-6)


def test_what_does_not_come_to_what_was_recorded_is_not_called_the_runs_own(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = of("ppo", SMALL)
    training, run = begun(library, config)
    keep(library, run.id, last_of(training))
    trained(library, training, 2)
    training.close()
    record = library.run(run.id)
    change = {"path": "update.learning_rate", "old": 0.01, "new": 0.02}
    library.note(run.id, NotedEvent("change", 1, 0, 0, 0.0, change))  # of which the run knew nothing
    found = look_into(library, record, environment_of(config), 2)
    assert found is not None
    assert not found.exact
    assert "does not come to the numbers that were recorded" in found.how
    monkeypatch.setattr(looking_into, "LONGEST", -1.0)
    far = look_into(library, record, environment_of(config), 2)
    assert far is not None
    assert not far.exact
    assert "2 iterations earlier" in far.how


def test_what_cannot_be_looked_into_says_why(library: Library) -> None:
    run = filled(library, {"environment.id": "CartPole-v1"})
    environment = environment_of(run.config)
    with pytest.raises(RequestError, match="Nothing was kept of run 1"):
        look_into(library, run, environment, 2)
    with pytest.raises(RequestError, match="Nothing of run 1 is written down yet"):
        look_into(library, replace(run, status=Status.PAUSED), environment, 2)
    with pytest.raises(RequestError, match="1 to 3, and 4 is none"):
        look_into(library, run, environment, 4)
    planned = of("value-iteration", {"environment": "Corridor-v0", "policy": "tabular"})
    with pytest.raises(RequestError, match="Only runs that learn from steps of their own"):
        look_into(library, replace(run, configuration=planned.model_dump(mode="json")), environment, 2)


def test_what_dqn_draws_out_of_its_buffer_is_drawn_again_as_its_errors_were_told(library: Library) -> None:
    values = {
        "environment": "CartPole-v1",
        "policy": "mlp",
        "policy.hidden_sizes": [8],
        "update.replay.learning_starts": 64,
        "update.replay.minibatch_size": 16,
        "collection.steps": 32,
        "budget.environment_steps": 4_000,
    }
    config = of("dqn", values)
    training, run = begun(library, config)
    keep(library, run.id, last_of(training))
    trained(library, training, 5)
    told = next(event for event in training if isinstance(event, Estimated))
    trained(library, training, 1)
    training.close()
    found = look_into(library, library.run(run.id), environment_of(config), 6)
    assert found is not None
    assert found.exact, found.how
    assert found.replayed
    batch = found.batch
    assert np.array_equal(batch.advantages, told.advantages)
    assert np.allclose(batch.credit - batch.baseline, batch.advantages, atol=1e-5)
    ended = batch.terminated
    assert np.allclose(batch.credit[ended], batch.rewards[ended], atol=1e-6)  # behind the end nothing follows
    samples = samples_of(found)
    assert len(samples.within("advantage", -np.inf, np.inf)) == len(told.advantages)
    assert samples.sequence_of(3).tolist() == [3]
    with pytest.raises(RequestError, match="Nothing was learned"):
        look_into(library, library.run(run.id), environment_of(config), 1)
