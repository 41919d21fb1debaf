"""Runs of a library go on from their checkpoints exactly, and are forked from them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.config import RunConfig
from engine.config.parameters import with_values
from engine.environments.batches import envpool as envpool_batch
from engine.reports.events import Collected
from engine.runs.library import EPISODES, ITERATIONS, Library
from engine.runs.records import NotedEvent
from engine.runs.resuming import BUDGET, branch, extend, fork, resume
from engine.runtime.errors import RequestError
from main import main
from tests.engine.environments import envpool_stand_in
from tests.engine.runs.recorded import begun, saved, trained
from tests.engine.training.going_on import fingerprint, reports
from tests.engine.training.test_state import FIXED, KINDS, method

PPO: dict[str, Any] = FIXED | {
    "environment": "CartPole-v1",
    "estimator.baseline": "value",
    "update.learning_rate_schedule": "linear",
}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path) as library:
        yield library


def ppo(**values: Any) -> RunConfig:
    return with_values(method("ppo", "mlp", PPO), values)


# --- going on ---------------------------------------------------------------------------------------------------------


def test_a_run_goes_on_from_its_last_checkpoint_as_if_nothing_had_happened(library: Library) -> None:
    training, record = begun(library, ppo())
    trained(library, training, 2)
    training.change("update.learning_rate", 0.002)
    trained(library, training, 2)
    saved(library, training)
    before = [library.series(record.id, stream).rows.tobytes() for stream in (ITERATIONS, EPISODES)]
    training.change("exploration.temperature", 1.25)
    wanted = trained(library, training, 3)  # which no checkpoint has seen
    steps = training.environment_steps
    wanted += reports(training, 2)

    again = resume(library, library.run(record.id))
    assert again.inexact == ()
    assert list(again.runs) == [record.id]
    assert [library.series(record.id, stream).rows.tobytes() for stream in (ITERATIONS, EPISODES)] == before
    found = library.run(record.id)
    assert (found.reached.iteration, found.reached.environment_steps) == (4, again.environment_steps)
    assert again.environment_steps < steps
    assert found.changes == {"update.learning_rate": 0.002}
    assert library.events(record.id)[-1].data == {"from": "checkpoint", "forgotten": 3}
    again.change("exploration.temperature", 1.25)
    assert trained(library, again, 5) == wanted
    assert fingerprint(again) == fingerprint(training)


def test_a_run_goes_on_from_an_earlier_checkpoint_and_later_ones_are_gone(library: Library) -> None:
    training, record = begun(library, ppo())
    for _ in range(3):
        trained(library, training, 1)
        last = saved(library, training)
    again = resume(library, record, at=2)
    assert again.iteration == 2
    assert [each.iteration for each in library.checkpoints(record.id)] == [2, 1]
    assert not library.checkpoint_file(last).exists()


def test_where_the_last_checkpoint_is_broken_a_run_goes_on_from_the_one_before(library: Library) -> None:
    training, record = begun(library, ppo())
    trained(library, training, 1)
    saved(library, training, "best")
    trained(library, training, 1)
    file = library.checkpoint_file(saved(library, training))
    data = bytearray(file.read_bytes())
    data[-9] ^= 4
    file.write_bytes(data)
    with pytest.raises(RequestError, match="broken one"):
        resume(library, record, at=2)
    again = resume(library, record)
    assert again.iteration == 1
    assert "goes on from iteration 1" in again.inexact[0]
    library.checkpoint_file(library.checkpoints(record.id)[0]).unlink()
    with pytest.raises(RequestError, match="cannot be read"):
        resume(library, record)


def test_what_does_not_go_on_exactly_is_told_and_noted(library: Library) -> None:
    """An environment from elsewhere has no state that can be read whole."""
    training, record = begun(library, method("a2c", "cnn", FIXED | KINDS["pictures"]))
    trained(library, training, 1)
    saved(library, training)
    again = resume(library, record)
    assert again.inexact
    assert library.run(record.id).inexact == again.inexact
    assert trained(library, again, 1)[0]["iteration"] == 2


def test_where_envpool_steps_new_episodes_begin_and_that_is_told(
    library: Library, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(envpool_batch, "_envpool", lambda _environment: envpool_stand_in)
    config = ppo(**{"environment.stepping": "envpool", "budget.environment_steps": 400})
    training, record = begun(library, config)
    trained(library, training, 2)  # of 20 steps each in 2 environments, which ends in the middle of an episode
    saved(library, training)
    again = [resume(library, record) for _ in range(2)]
    weights = training.policy.state_dict()
    assert all(torch.equal(each.policy.state_dict()[name], weights[name]) for each in again for name in weights)
    assert [each.inexact for each in again] == [(envpool_batch.HIDDEN,)] * 2
    told = [[event for event in each if isinstance(event, Collected)] for each in again]
    lengths, others = ([event.lengths.tolist() for event in each] for each in told)
    assert lengths == others
    assert max(lengths[0], default=0) <= 20  # none had begun before
    library.update(record.id, inexact="[]")
    assert main(["resume", "1", "--library", str(library.folder)]) == 0
    assert envpool_batch.HIDDEN in capsys.readouterr().err
    assert library.run(record.id).inexact == (envpool_batch.HIDDEN,)


def test_a_run_of_a_device_that_is_not_here_goes_on_elsewhere(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    training, record = begun(library, ppo(device="auto"))
    trained(library, training, 1)
    monkeypatch.setitem(training.learner.choices, "device", "cuda")
    saved(library, training)
    monkeypatch.setattr("engine.training.devices._accelerator", lambda: None)
    again = resume(library, record)
    assert again.inexact == ("There is no cuda here, so the run goes on elsewhere and not exactly.",)
    assert trained(library, again, 1)[0]["iteration"] == 2


def test_without_a_checkpoint_there_is_nothing_to_go_on_from(library: Library) -> None:
    training, record = begun(library, ppo())
    trained(library, training, 1)
    with pytest.raises(RequestError, match="Run 1 has no checkpoint to go on from"):
        resume(library, record)
    saved(library, training)
    with pytest.raises(RequestError, match="no checkpoint after iteration 9; it has them after 1"):
        fork(library, record, 9, {})


def test_a_finished_run_becomes_longer_and_says_what_becomes_of_its_schedules(library: Library) -> None:
    training, record = begun(library, ppo(**{BUDGET: 80}))
    trained(library, training, 99)
    saved(library, training)
    again = resume(library, record)
    assert list(again) == []
    with pytest.raises(RequestError, match="has taken 80 steps already"):
        extend(again, 80)
    (said,) = extend(again, 160)
    assert said == "Learning rate: its schedule now spans 160 steps, so that it goes on at 0.0005, after 1e-09."
    (first, second) = trained(library, again, 99)
    assert first["learning_rate"] == pytest.approx(0.0005)
    assert second["environment_steps"] == 160
    assert library.run(record.id).reached.iteration == 4


# --- forking ----------------------------------------------------------------------------------------------------------


def test_a_fork_without_a_change_is_its_parent_over_again(library: Library) -> None:
    training, record = begun(library, ppo())
    trained(library, training, 2)
    training.change("update.learning_rate", 0.002)
    saved(library, training)
    wanted = trained(library, training, 3)
    child, of_child, lost = fork(library, record, None, {})
    assert lost == ()
    assert of_child.origin is not None
    assert (of_child.origin.parent, of_child.origin.iteration) == (record.id, 2)
    assert (of_child.number, of_child.reached.iteration) == (2, 2)
    assert trained(library, child, 3) == wanted
    assert fingerprint(child) == fingerprint(training)
    for stream in (ITERATIONS, EPISODES):
        parents, childs = library.series(record.id, stream), library.series(of_child.id, stream)
        assert childs["iteration"].tolist() == parents["iteration"].tolist()
    assert library.checkpoints(record.id)[0].kinds == ("last", "fork")
    again = resume(library, library.run(of_child.id))  # from where it was forked, which is its own by now
    assert reports(again, 3) == wanted


def test_a_fork_with_another_learning_rate_sees_what_its_parent_saw(library: Library) -> None:
    training, record = begun(library, ppo())
    trained(library, training, 2)
    library.note(record.id, NotedEvent("solved", 1, 90, 3, 0.5, {"mean_return": 480.0, "threshold": 475.0}))
    child, of_child, lost = branch(library, record, training.state(), {"update.learning_rate": 0.01})
    assert lost == ()
    assert of_child.reached.solved == (90, 0.5)  # as all that it tells of its parent
    assert of_child.configuration["update"]["learning_rate"] == 0.01
    (parents,), (childs,) = reports(training, 1), reports(child, 1)
    same = {name for name in parents if parents[name] == childs[name]}
    assert {"mean_return", "advantage_mean", "explained_variance", "grad_norm"} <= same
    assert "approx_kl" not in same


def test_what_its_parent_changed_before_is_no_change_of_a_fork(library: Library) -> None:
    training, record = begun(library, ppo())
    training.change("update.learning_rate", 0.002)
    trained(library, training, 1)
    saved(library, training)
    _, of_child, _ = fork(library, record, None, {"update.learning_rate": 0.02})
    resume(library, of_child)
    found = library.run(of_child.id)
    assert found.changes == {}
    assert found.configuration["update"]["learning_rate"] == 0.02


@pytest.mark.parametrize(
    ("values", "lost"),
    [
        (
            {"estimator.baseline": "none", "estimator.credit": "reward-to-go", "collection": "episodes"},
            "The episodes under way begin anew.",
        ),
        ({"estimator.baseline": "shared-value"}, "The value that the policy's network predicts and what the policy's"),
        ({"policy.hidden_sizes": (5,)}, "The policy begins anew."),
        ({"policy.activation": "relu"}, "The policy begins anew."),
        ({"update.optimizer": "rmsprop"}, "What the policy's optimizer had gathered begins anew."),
        ({"estimator.baseline.hidden_sizes": (5,)}, "The value function begins anew."),
        ({"collection.environments": 3}, "The episodes under way begin anew."),
        ({"collection.steps": 30}, ""),
        ({"environment.time_limit": 50}, "The episodes under way begin anew. The mean return begins anew"),
        ({"environment": "Acrobot-v1"}, "The policy, the episodes under way and the value function begin anew."),
        ({"seed": 9}, "The random numbers begin anew, from the seed 9. The episodes under way begin anew."),
        ({"update": "trpo"}, ""),
        ({"environment.normalize_observations": True}, "The mean and spread of the observations begin anew."),
    ],
    ids=str,
)
def test_what_fits_is_carried_over_and_the_rest_begins_anew_and_is_told(
    library: Library, values: dict[str, Any], lost: str
) -> None:
    training, record = begun(library, ppo())
    trained(library, training, 2)
    child, _, said = branch(library, record, training.state(), values)
    assert " ".join(said).startswith(lost)
    assert bool(said) == bool(lost)
    assert trained(library, child, 2)[1]["iteration"] == 4


def test_a_fork_that_cannot_be_leaves_nothing_behind(library: Library) -> None:
    training, record = begun(library, ppo(**{BUDGET: 80}))
    trained(library, training, 2)
    saved(library, training)
    for values, why in (
        ({"policy": "tabular"}, "discrete states"),
        ({"update.learning_rate": -1.0}, "learning_rate"),
        ({"no.such": 1}, "no"),
        ({}, "has taken 80 steps by then, of 80 in all; make it longer to go on"),
    ):
        with pytest.raises(RequestError, match=why):
            fork(library, record, None, values)
    assert len(library.runs()) == 1
    assert len(list((library.folder / "runs").iterdir())) == 1
