"""What a run is given to learn from: kept with it, and refused in a sentence where it does not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.catalogue.shipped_teaching import DATASETS, TEACHERS
from engine.config import PolicyGradientConfig
from engine.config.environments import EnvironmentConfig
from engine.config.parameters import with_values
from engine.experience.demonstration_file import to_bytes as dataset_bytes
from engine.experience.demonstrations import Demonstration, Demonstrations
from engine.reports.events import Updated
from engine.runs.giving import given_for, given_of, require_answers, shipped
from engine.runs.library import Library
from engine.runs.records import RunRecord, Status
from engine.runtime.errors import RequestError
from engine.training.checkpoint import from_bytes, to_bytes
from engine.training.forking import forked, taught_alike
from engine.training.given import Given, given_in
from engine.training.training import Training, resumed
from tests.engine.algorithms.imitating import imitating, updates
from tests.engine.runs.recorded import saved
from tests.engine.teaching import demonstrated, teacher

CARTPOLE = EnvironmentConfig(time_limit=20)
SHOWN = demonstrated(teacher(CARTPOLE), (1, 2, 3))


def cloning(environment: str = "CartPole-v1", **values: Any) -> Any:
    config = imitating("behavioural-cloning", environment, imitation__dataset="some", **values)
    return with_values(config, {"environment.time_limit": 20})


def test_what_was_given_is_kept_in_every_state() -> None:
    mixed = Demonstrations(
        CARTPOLE,
        (
            *SHOWN.episodes,
            Demonstration(SHOWN.episodes[0].observations[:2], SHOWN.episodes[0].actions[:2], seed=None),
        ),
    )
    kept = given_in(from_bytes(to_bytes(Given(mixed, teacher(CARTPOLE)).state())))
    assert kept.demonstrations is not None
    assert kept.demonstrations.environment == CARTPOLE
    for one, other in zip(mixed.episodes, kept.demonstrations.episodes, strict=True):
        for field in ("observations", "actions", "rewards", "final_observation"):
            left, right = getattr(one, field), getattr(other, field)
            assert (left is None) == (right is None)
            if left is not None:
                assert np.array_equal(left, right)
                assert left.dtype == right.dtype
        assert (one.terminated, one.truncated, one.seed, one.source) == (
            other.terminated,
            other.truncated,
            other.seed,
            other.source,
        )
    assert kept.teacher is not None
    assert kept.teacher.config == teacher(CARTPOLE).config
    assert kept.teacher.mean_return == 12.5
    training = Training(cloning(), given=Given(SHOWN))
    updates(training, 1)
    on = resumed(from_bytes(to_bytes(training.state())))  # wherever the dataset is by then
    assert updates(on, 1)[0].metrics["training_loss"] == updates(training, 1)[0].metrics["training_loss"]


def test_a_clone_goes_on_as_any_policy_gradient() -> None:
    """Its policy is where another begins, its optimizer's memory of another loss is not."""
    training = Training(cloning(update__epochs=30), given=Given(SHOWN))
    updates(training, 2)
    state = training.state()
    on, said = forked(state, {"update": "ppo-clip", "policy.hidden_sizes": (8,)})
    assert isinstance(on.config, PolicyGradientConfig)
    for one, other in zip(training.policy.parameters(), on.policy.parameters(), strict=True):
        assert torch.equal(one, other)
    assert on.given.state() == {}
    assert on.learner.parts.state()["rule"]["optimizer"]["steps"] == 0.0
    assert any("value function" in sentence and "optimizer" in sentence for sentence in said)
    assert on.environment_steps == training.environment_steps
    assert isinstance(updates(on, 1)[0], Updated)
    back, _ = forked(on.state(), {"update": "behavioural-cloning", "imitation.dataset": "some"}, given=Given(SHOWN))
    assert updates(back, 1)[0].metrics["training_loss"] is not None
    same, _ = forked(state, {"update.learning_rate": 0.01})  # learns from what it learned from
    assert same.given.demonstrations is not None


PENDULUM = Demonstrations(
    EnvironmentConfig(id="Pendulum-v1"),
    (Demonstration(np.zeros((2, 3), np.float32), np.array([[0.5], [2.4]], np.float32), np.zeros(2)),),
)
FIRST = SHOWN.episodes[0]


@pytest.mark.parametrize(
    ("shown", "values", "sentence"),
    [
        (None, {}, "was not given to this run"),
        (Demonstrations(CARTPOLE, ()), {}, "The dataset some has no steps"),
        (PENDULUM, {}, "of somebody who plays Pendulum-v1, not CartPole-v1"),
        (
            PENDULUM,
            {"environment": "Pendulum-v1"},
            "the action 2.4 in step 2 of episode 1, and Pendulum-v1 takes -2 to 2",
        ),
        (SHOWN, {"environment.frame_stack": 2}, "environment.frame_stack = 1, not 2"),
        (
            Demonstrations(CARTPOLE, (Demonstration(FIRST.observations[:, :3], FIRST.actions),)),
            {},
            "observations of 3 numbers, and those of CartPole-v1 as it is configured are of 4 numbers",
        ),
        (
            Demonstrations(CARTPOLE, (Demonstration(FIRST.observations, FIRST.actions + 1),)),
            {},
            "the action 2 in step 4 of episode 1, and there is only 0 to 1",
        ),
        (
            Demonstrations(CARTPOLE, (replace(FIRST, observations=FIRST.observations * np.float32(np.nan)),)),
            {},
            "observations that are no finite numbers",
        ),
        (
            Demonstrations(CARTPOLE, (replace(FIRST, rewards=None),)),
            {"update.weighting": "return"},
            "says nothing of rewards",
        ),
    ],
    ids=["none", "empty", "foreign", "outside", "stacked", "narrow", "unknown action", "no number", "no rewards"],
)
def test_a_dataset_that_does_not_fit_is_refused_in_a_sentence(
    shown: Demonstrations | None, values: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(RequestError, match=r"[.]$") as refused:
        Training(with_values(cloning(), values), given=Given(shown))
    assert sentence in str(refused.value)


def test_a_teacher_of_something_else_is_refused_in_a_sentence() -> None:
    config = imitating("dagger", "CartPole-v1", imitation__teacher="x")
    with pytest.raises(RequestError, match="The teacher, somebody, plays Pendulum-v1, not CartPole-v1"):
        Training(config, given=Given(teacher=teacher(EnvironmentConfig(id="Pendulum-v1"))))
    with pytest.raises(RequestError, match="The teacher x was not given"):
        Training(config)
    broken = replace(teacher(EnvironmentConfig()), parameters={"a": torch.zeros(1)})
    with pytest.raises(RequestError, match="do not fit the policy"):
        Training(config, given=Given(teacher=broken))


@pytest.mark.parametrize("what", ["datasets", "teachers"])
def test_what_is_shipped_is_what_is_said_of_it(what: str) -> None:
    told = {"datasets": DATASETS, "teachers": TEACHERS}[what]
    assert shipped(what).keys() == told.keys()
    for name, one in told.items():
        algorithm, part = ("behavioural-cloning", "dataset") if what == "datasets" else ("dagger", "teacher")
        config = imitating(algorithm, one.environment, **{f"imitation__{part}": name})
        Training(config, given=given_for(config, None)).close()
        assert len(shipped(what)[name].read_bytes()) < 200_000


def test_names_lead_to_files_and_to_nothing(tmp_path: Path) -> None:
    path = tmp_path / "some.safetensors"
    path.write_bytes(dataset_bytes(SHOWN))
    config = with_values(cloning(), {"imitation.dataset": str(path)})
    assert given_for(config, None).demonstrations is not None
    with pytest.raises(RequestError, match="There is no dataset nobody's"):
        given_for(with_values(config, {"imitation.dataset": "nobody's"}), None)
    asking = imitating("dagger", "CartPole-v1", imitation__teacher=str(path))
    with pytest.raises(RequestError, match="is none that this program has written"):
        given_for(asking, None)
    with pytest.raises(RequestError, match="There is no teacher run 9"):
        given_for(with_values(asking, {"imitation.teacher": "run 9"}), None)
    with pytest.raises(RequestError, match="in the window only"):
        require_answers(with_values(asking, {"imitation.teacher": "person"}))
    assert given_for(with_values(config, {"imitation.dataset": "own"}), None).state() == {}


@pytest.mark.parametrize(
    ("values", "begins_anew"),
    [
        ({"update.learning_rate": 0.01}, False),
        ({"imitation.dataset": "other"}, True),
        ({"imitation.held_out": 0.5}, True),
        ({"policy.activation": "relu"}, True),
        ({"seed": 5}, True),
    ],
    ids=["nothing", "dataset", "share", "policy", "seed"],
)
def test_a_loss_on_other_steps_or_of_another_policy_stops_no_fork(values: dict[str, Any], begins_anew: bool) -> None:
    """Nor does learning go back to the parameters of a policy of another kind."""
    training = Training(cloning(), given=Given(SHOWN))
    updates(training, 2)
    on, _ = forked(training.state(), values, given=Given(SHOWN) if "imitation.dataset" in values else None)
    assert (on.learner.parts.state()["stopping"]["lowest"] is None) == begins_anew


@pytest.mark.parametrize(
    ("values", "answers"),
    [
        ({"update.learning_rate": 0.01}, 12),
        ({"environment.time_limit": 30}, 12),
        ({"policy.activation": "relu"}, 12),
        ({"policy.distribution": "beta"}, 0),
        ({"imitation.teacher": "another"}, 0),
        ({"imitation.dataset": "other"}, 0),
    ],
    ids=["nothing", "limit", "policy", "units", "teacher", "dataset"],
)
def test_answers_go_on_in_a_fork_where_they_answer_what_it_asks(values: dict[str, Any], answers: int) -> None:
    """Those of another teacher are none, and of another distribution actions are in other units."""
    limited = EnvironmentConfig(id="Pendulum-v1", time_limit=20)
    config = imitating("dagger", "Pendulum-v1", imitation__teacher="x", environment__time_limit=20, update__labels=12)
    training = Training(config, given=Given(teacher=teacher(limited)))
    updates(training, 1)
    given = Given(teacher=teacher(limited, seed=7)) if "imitation" in next(iter(values)) else None
    on, said = forked(training.state(), values, given=given)
    assert on.learner.parts.state()["dataset"]["given"] == answers
    assert any("the teacher has answered so far" in sentence for sentence in said) == (answers == 0)


def test_what_is_optimal_is_asked_for_anew_where_something_else_is() -> None:
    before = imitating("dagger", "FrozenLake-v1", imitation__teacher="optimal")
    assert taught_alike(before, with_values(before, {"update.learning_rate": 0.5}))
    assert not taught_alike(before, with_values(before, {"estimator.gamma": 0.5}))
    assert not taught_alike(before, with_values(before, {"environment.options": {"is_slippery": False}}))


def test_weights_by_rewards_that_are_not_known_are_refused_while_training_too() -> None:
    training = Training(cloning(), given=Given(Demonstrations(CARTPOLE, (replace(FIRST, rewards=None),))))
    updates(training, 1)
    with pytest.raises(RequestError, match="says nothing of rewards"):
        training.change("update.weighting", "return")
    assert updates(training, 1)[0].metrics["gradient_steps"] == 1


def test_pictures_are_kept_in_a_fourth_of_their_room() -> None:
    seen = np.random.default_rng(0).integers(0, 256, (50, 100)).astype(np.float32)
    for observations, room in ((seen, 5_000), (seen + np.float32(0.5), 20_000)):
        given = Given(Demonstrations(CARTPOLE, (Demonstration(observations, np.zeros(50, np.int64)),)))
        state = given.state()
        assert state["demonstrations"]["observations"].nbytes == room
        kept = given_in(from_bytes(to_bytes(state))).demonstrations
        assert kept is not None
        assert kept.observations.dtype == np.float32
        assert np.array_equal(kept.observations, observations)


def test_what_a_run_of_the_library_was_given_is_read_by_whoever_asks_for_it(
    library_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not by who opens the run, which is the window's thread."""
    with Library(library_place) as library:
        config = cloning()
        training = Training(config, "one", given=Given(SHOWN))
        run = library.begin(RunRecord("one", 0, config.model_dump(mode="json"), Status.STOPPED, 1.0))
        checkpoint = saved(library, training)
        given = given_of(library, run)
        assert given_of(library, run) is given
        read: list[Path] = []
        whole = Path.read_bytes
        monkeypatch.setattr(Path, "read_bytes", lambda path: (read.append(path), whole(path))[1])
        assert read == []
        assert given.demonstrations is not None
        assert np.array_equal(given.demonstrations.actions, SHOWN.actions)
        assert given.teacher is None
        assert read == [library.checkpoint_file(checkpoint)]
    # What cannot be read any more is nothing.
    with Library(library_place) as library:
        record = replace(run, id="another")
        assert given_of(library, record).demonstrations is None
