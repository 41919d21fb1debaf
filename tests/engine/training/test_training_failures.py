"""What happens to a run when something fails, and in the corners where something might."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from engine.catalogue.methods.specs import UPDATE_SPECS
from engine.config import RunConfig
from engine.config.parameters import with_values
from engine.reports.events import Event, Updated
from engine.runtime.errors import RequestError, RunError
from engine.training.training import Training
from tests.engine.support import (
    Bandit,
    Target,
    Toy,
    collections_of,
    configured,
    estimates_of,
    register,
    reported,
    updates_of,
)

ESTIMATORS = [
    ("total-return", "none"),
    ("total-return", "value"),
    ("reward-to-go", "average"),
    ("reward-to-go", "value"),
]


# --- failures ---------------------------------------------------------------------------------------------------------


def run_until_it_fails(config: RunConfig) -> tuple[Training, list[Event], str]:
    training = Training(config)
    seen: list[Event] = []
    with pytest.raises(RunError) as caught:
        seen.extend(training)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return training, seen, message


def all_finite(training: Training) -> bool:
    return all(parameter.isfinite().all() for parameter in training.policy.parameters())


@pytest.mark.parametrize("reward", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize(("credit", "baseline"), ESTIMATORS)
def test_rewards_that_are_not_finite_stop_the_run_and_leave_the_policy_finite(
    reward: float, credit: str, baseline: str
) -> None:
    id = register("Tests/Infinite-v0", reward=reward)
    config = configured(environment=id, estimator__credit=credit, estimator__baseline=baseline)
    training, _, _ = run_until_it_fails(config)
    assert all_finite(training)


def test_rewards_that_are_not_finite_are_not_blamed_on_the_learning_rate() -> None:
    _, _, message = run_until_it_fails(configured(environment=register("Tests/Infinite-v0", reward=math.inf)))
    assert "reward" in message


def assert_told(update: Updated) -> None:
    """What is always defined was a finite number; anything else would be None."""
    assert None not in [update.metrics[name] for name in ("loss", "entropy", "grad_norm", "advantage_std")]


RULES = list(UPDATE_SPECS)


@pytest.mark.parametrize("update", RULES)
@pytest.mark.parametrize("reward", [1e12, 1e20, 1e29])
def test_huge_rewards_give_finite_numbers_or_a_run_error_whatever_the_rule(update: str, reward: float) -> None:
    id = register("Tests/Huge-v0", reward=reward)
    training = Training(configured(environment=id, update=update, estimator__baseline="average"))
    try:
        for event in training:
            if isinstance(event, Updated):
                assert_told(event)
    except RunError as error:
        assert str(error).endswith(".")  # noqa: PT017 - some survive
    assert all_finite(training)


@pytest.mark.parametrize("baseline", ["none", "average", "value"])
@pytest.mark.parametrize("rule", ["gradient-ascent", "trpo", "ppo-clip"])
def test_rewards_whose_squares_overflow_are_named_with_the_scale_that_mends_it(rule: str, baseline: str) -> None:
    id = register("Tests/Huge-v0", Uneven, size=2.3e20)
    config = configured(environment=id, update=rule, estimator__baseline=baseline)
    training, _, message = run_until_it_fails(config)
    assert all_finite(training)
    said = re.search(
        r"The advantages reach [\d.]+e\+\d\d, .* multiply environment.reward_scale by ([\d.e-]+) ", message
    )
    assert said is not None
    for update in updates_of(with_values(config, {"environment.reward_scale": float(said[1])})):
        mean = update.metrics["mean_return"]
        assert mean is not None
        assert abs(mean) > 1e19  # raw
        lost = {name for name in reported(update) if not math.isfinite(update.metrics[name] or 0.0)}
        assert not lost
        assert update.metrics["grad_norm"] is not None


class Uneven(Toy):
    """Pays up to ``size``."""

    def __init__(self, size: float) -> None:
        super().__init__((3, 5))
        self._size = size

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        observation, _, *rest = super().step(action)
        return observation, self._size * (1.0 + self.np_random.uniform()), *rest


def test_a_report_is_json_whatever_a_metric_came_to() -> None:
    metrics = {"value_loss": math.inf, "explained_variance": math.nan, "loss": 2.3e20, "kl": None}
    line = json.loads(json.dumps(Updated(1, metrics=metrics).report(), allow_nan=False))
    assert [line[name] for name in metrics] == [None, None, 2.3e20, None]


STEPPING = [rule for rule in RULES if rule != "trpo"]
STEPPING_WHERE = [(rule, where) for rule in STEPPING for where in ("episodes", "fixed-length")]


@pytest.mark.parametrize(
    ("update", "collection"), [pair for pair in STEPPING_WHERE if pair != ("off-policy", "fixed-length")]
)
def test_the_largest_steps_of_every_rule_give_finite_numbers_or_a_run_error_and_a_finite_policy(
    update: str, collection: str
) -> None:
    config = configured(environment="Pendulum-v1", update=update, collection=collection, policy__activation="relu")
    limits = {"update.max_grad_norm": 0.0} if hasattr(config.update, "max_grad_norm") else {"update.max_kl": 0.0}
    config = with_values(config, limits | {"update.learning_rate": 100.0, "budget.environment_steps": 2000})
    training = Training(config)
    try:
        for event in training:
            if isinstance(event, Updated):
                assert_told(event)
    except RunError as error:
        assert str(error).endswith(".")  # noqa: PT017 - some survive
    assert all_finite(training)


@pytest.mark.parametrize("reward", [1e20, 1e37, 1e300])
def test_rewards_beyond_single_precision_stop_the_run_and_leave_the_policy_finite(reward: float) -> None:
    id = register("Tests/Huge-v0", reward=reward)
    training, _, _ = run_until_it_fails(configured(environment=id, update__optimizer="sgd"))
    assert all_finite(training)


@pytest.mark.parametrize("environment", ["CartPole-v1", "Pendulum-v1", "Tests/Target-v0"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_largest_learning_rate_gives_finite_numbers_or_a_run_error(environment: str, optimizer: str) -> None:
    register("Tests/Target-v0", Target)
    config = configured(
        environment=environment,
        policy__activation="relu",
        update__learning_rate=100.0,
        update__optimizer=optimizer,
        budget__environment_steps=2000,
    )
    training = Training(config)
    try:
        for event in training:
            if isinstance(event, Updated):
                assert_told(event)
    except RunError as error:
        # Some of these survive; where actions grow without bound, rewards or advantages may be the first to overflow.
        found = ("learning rate", "gave the reward", "would overflow")
        assert any(words in str(error) for words in found)  # noqa: PT017
    assert all_finite(training)


def test_observations_that_are_not_numbers_stop_the_run_and_leave_the_policy_finite() -> None:
    box = spaces.Box(-1.0, 1.0, (2,))
    box.sample = lambda: np.full(2, np.nan, np.float32)  # type: ignore[method-assign, misc, assignment]
    training, _, _ = run_until_it_fails(configured(environment=register("Tests/NaN-v0", observation=box)))
    assert all_finite(training)


def test_an_environment_that_raises_in_a_later_episode_leaves_what_came_before_valid() -> None:
    id = register("Tests/Later-v0", what="raises in episode 2")
    training, seen, message = run_until_it_fails(configured(environment=id))
    updates = [event for event in seen if isinstance(event, Updated)]
    assert [update.iteration for update in updates] == [1, 2]
    assert re.fullmatch(
        r"Tests/Later-v0 with the seed \d+ raised ZeroDivisionError: division by zero, in its step\.",
        message,
    )
    assert all_finite(training)
    training.close()


@pytest.mark.parametrize(
    ("dies", "words"),
    [(False, "has not answered its step for 0.7 s"), (True, "exit status 3")],
    ids=["hangs", "dies"],
)
def test_a_worker_that_hangs_or_dies_stops_the_run_and_leaves_what_was_learned(dies: bool, words: str) -> None:
    id = "tests.engine.custom_environments:Own/Stuck-v0"
    environment = {"id": id, "options": {"dies": dies}, "patience": 0.7, "stepping": "processes"}
    config = configured(environment=environment, policy="tabular", collection__episodes_per_update=2)
    training, seen, message = run_until_it_fails(config)
    training.close()
    assert [event.iteration for event in seen if isinstance(event, Updated)] == [1, 2, 3]
    assert re.search(rf"^{id} with the seed \d+ ", message)
    assert words in message
    assert all_finite(training)


def test_an_environment_that_raises_in_a_fixed_length_rollout_leaves_what_came_before_valid() -> None:
    id = register("Tests/Later-v0", what="raises in episode 2")
    config = configured(environment=id, collection="fixed-length", collection__steps=3, collection__environments=2)
    training, seen, message = run_until_it_fails(config)
    assert [event.iteration for event in seen if isinstance(event, Updated)] == [1, 2]
    assert "in its step" in message
    assert all_finite(training)


def test_an_environment_that_raises_in_reset_is_a_run_error() -> None:
    _, seen, message = run_until_it_fails(configured(environment=register("Tests/Reset-v0", what="raises in reset")))
    assert seen == []
    assert "in its reset" in message


@pytest.mark.parametrize(
    ("space", "sample", "sentence"),
    [
        (spaces.Box(-1.0, 1.0, (2,)), np.zeros(3, np.float32), r"observation of the shape \(3,\) in its reset"),
        (spaces.Discrete(4), 4, r"observes 4 in its reset, which lies outside Discrete\(4\)"),
    ],
)
def test_an_observation_outside_its_space_is_told_before_training(space: Any, sample: Any, sentence: str) -> None:
    space.sample = lambda: sample
    with pytest.raises(RequestError, match=sentence):
        Training(configured(environment=register("Tests/Outside-v0", observation=space)))


def test_a_reward_given_as_an_array_of_one_number_is_that_number_or_a_run_error() -> None:
    id = register("Tests/Array-v0", reward=np.array([2.0]))
    try:
        assert collections_of(configured(environment=id))[0].returns.tolist() == [6.0] * 4
    except RunError as error:
        assert "reward" in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"policy": "tabular"}, "needs discrete states"),
        ({"environment": "CartPole-v7"}, "did you mean"),
        ({"environment": {"id": "CartPole-v1", "hidden": (0, 1, 2, 3)}}, "nothing left to see"),
        ({"environment": {"id": "CartPole-v1", "options": {"colour": 1}}}, "has no option colour"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_at_once(values: dict[str, Any], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        Training(with_values(configured(), values))


# --- corners ----------------------------------------------------------------------------------------------------------


ONE_STEP = [(credit, baseline, 2) for credit, baseline in [*ESTIMATORS, ("total-return", "average")]]
ONE_STEP += [("reward-to-go", "average", 1), ("reward-to-go", "value", 1)]  # of one return alone others are refused


@pytest.mark.parametrize(("credit", "baseline", "episodes"), ONE_STEP)
def test_episodes_of_one_step_can_be_learned_from(credit: str, baseline: str, episodes: int) -> None:
    config = configured(
        environment=register("Tests/Bandit-v0", Bandit),
        estimator__credit=credit,
        estimator__baseline=baseline,
        estimator__normalize_advantages=True,
        collection__episodes_per_update=episodes,
        budget__environment_steps=10,
    )
    for update in updates_of(config):
        assert all(value is None or math.isfinite(value) for value in update.metrics.values())


@pytest.mark.parametrize("gamma", [0.0, 1.0])
def test_the_extreme_discounts_can_be_learned_with(gamma: float) -> None:
    for update in updates_of(configured(estimator__gamma=gamma)):
        assert all(value is None or math.isfinite(value) for value in update.metrics.values())


@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.uint8])
def test_observations_of_any_number_type_can_be_learned_from(dtype: Any) -> None:
    id = register("Tests/Type-v0", observation=spaces.Box(0, 5, (2, 2), dtype))
    assert updates_of(configured(environment=id))


@pytest.mark.parametrize("dtype", [np.float64, np.int64])
def test_actions_of_any_number_type_can_be_learned(dtype: Any) -> None:
    id = register("Tests/Acting-v0", action=spaces.Box(-3, 3, (2, 2), dtype))
    assert updates_of(configured(environment=id))


@pytest.mark.parametrize("truncates", [True, False])
def test_truncated_episodes_are_completed_with_the_value_of_their_final_state(truncates: bool) -> None:
    """With γ = 1, reward 0 and one observation for all, a step's advantage is V − V when cut off, 0 − V when ended."""
    id = register("Tests/Cut-v0", reward=0.0, truncates=truncates, what="ones")
    advantages = estimates_of(configured(environment=id, estimator__gamma=1.0))[0].advantages
    assert np.ptp(advantages) == 0.0
    assert (advantages[0] == 0.0) == truncates


def test_clipping_the_gradient_leaves_its_reported_norm_alone() -> None:
    plain, clipped = (updates_of(configured(update__max_grad_norm=norm)) for norm in (0.0, 1e-3))
    assert plain[0].metrics["grad_norm"] == clipped[0].metrics["grad_norm"]


def test_a_clipped_step_of_sgd_has_the_length_of_the_bound() -> None:
    config = configured(update__optimizer="sgd", update__learning_rate=1.0, update__max_grad_norm=0.5)
    training = Training(config)
    before = torch.cat([p.detach().flatten().clone() for p in training.policy.parameters()])
    update = next(event for event in training if isinstance(event, Updated))
    after = torch.cat([p.detach().flatten() for p in training.policy.parameters()])
    assert update.metrics["grad_norm"] > 0.5  # type: ignore[operator]
    assert (after - before).norm().item() == pytest.approx(0.5, rel=1e-3)


def test_a_step_of_sgd_is_the_learning_rate_times_the_gradient() -> None:
    training = Training(configured(update__optimizer="sgd", update__learning_rate=0.25))
    before = torch.cat([p.detach().flatten().clone() for p in training.policy.parameters()])
    update = next(event for event in training if isinstance(event, Updated))
    after = torch.cat([p.detach().flatten() for p in training.policy.parameters()])
    assert (after - before).norm().item() == pytest.approx(0.25 * update.metrics["grad_norm"], rel=1e-3)  # type: ignore[operator]
