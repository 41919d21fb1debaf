"""Parameters of actor-critics that change while they train, each with an effect, and as a run is forked."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from engine.analysis.playback import frozen
from engine.analysis.surfaces import surface_of
from engine.config import ActorCriticConfig
from engine.config.parameters import parameters_of, with_values
from engine.reports.events import Event, Updated
from engine.reports.update_events import UpdateStep
from engine.training.forking import forked
from engine.training.training import Training
from tests.engine.support import untimed
from tests.engine.training.going_on import reports

SMALL: dict[str, Any] = {
    "device": "cpu",
    "policy.hidden_sizes": (6,),
    "collection.environments": 3,
    "collection.steps": 12,
    "collection.train_frequency": 3,
    "environment.time_limit": 9,
    "update.critic.hidden_sizes": (5,),
    "update.replay.capacity": 90,
    "update.replay.learning_starts": 9,
    "update.replay.minibatch_size": 8,
    "budget.environment_steps": 144,
}
RULES = {
    "sac": {"environment": "Pendulum-v1", "update": "sac"},
    "discrete sac": {"environment": "CartPole-v1", "update": "sac"},
    "td3": {"environment": "Pendulum-v1", "update": "td3"},
    "ddpg": {"environment": "Pendulum-v1", "update": "ddpg"},
    "q-actor-critic": {"environment": "CartPole-v1", "update": "q-actor-critic", "update.traces": "retrace"},
}
# A value that has an effect where others might have none, and what it counts with.
TELLING: dict[str, Any] = {"estimator.n": 3, "update.max_grad_norm": 1e-3, "update.smoothing_limit": 0.01}
COUNTING: dict[str, dict[str, Any]] = {"update.trace_lambda": {"estimator.n": 3}}
# Another rule's, or of a way to draw that is none of these rules'.
ELSEWHERE = {
    "sac": {"update.target_entropy_share", "exploration.noise"},
    "discrete sac": {"update.target_entropy", "exploration.noise"},
    "q-actor-critic": {"exploration.noise"},
}
PRIORITIZED = {"update.replay.priority_exponent", "update.replay.importance_exponent"}


def configured(rule: str, **values: Any) -> ActorCriticConfig:
    config: Any = with_values(ActorCriticConfig(), {"environment": RULES[rule]["environment"]})
    config = with_values(config, {"update": RULES[rule]["update"]})
    return with_values(config, SMALL | RULES[rule] | values)  # type: ignore[return-value]


@cache
def unchanged(rule: str, more: tuple[tuple[str, Any], ...]) -> list[Any]:
    return [untimed(event) for event in Training(configured(rule, **dict(more))) if isinstance(event, Updated)]


def live(rule: str) -> list[str]:
    config = configured(rule)
    found = {parameter.path for parameter in parameters_of(config) if parameter.live}
    return sorted(found - ELSEWHERE.get(rule, set()) - PRIORITIZED - {"budget.environment_steps"})


@pytest.mark.parametrize(("rule", "path"), [(rule, path) for rule in RULES for path in live(rule)])
def test_every_live_parameter_has_an_effect(rule: str, path: str) -> None:
    more = COUNTING.get(path, {})
    training = Training(configured(rule, **more))
    (parameter,) = (each for each in parameters_of(training.config) if each.path == path)
    changed = []
    for event in training:
        if isinstance(event, Updated):
            changed.append(untimed(event))
            if event.iteration == 1:
                training.change(path, TELLING.get(path, other(parameter.value, parameter.choices)))
    wanted = unchanged(rule, tuple(more.items()))
    assert changed[0] == wanted[0]
    assert changed != wanted


def other(value: Any, choices: Any) -> Any:
    if choices:
        return next(choice for choice in reversed(choices) if choice != value)
    if isinstance(value, int):
        return 2 * value + 1
    return 0.5 * value if value else 0.5


# --- as a run is forked -----------------------------------------------------------------------------------------------


@cache
def trained(rule: str) -> Training:
    training = Training(configured(rule))
    reports(training, 3)
    return training


@pytest.mark.parametrize(
    ("rule", "values", "told"),
    [
        ("sac", {"update.critic.hidden_sizes": (7,)}, "The action values begin anew."),
        ("sac", {"update.critic.activation": "tanh"}, "The action values begin anew."),
        ("td3", {"policy.hidden_sizes": (7,)}, "The policy begins anew."),
        ("q-actor-critic", {"update.traces": "off"}, ""),
    ],
)
def test_a_target_network_goes_on_where_the_action_values_do(rule: str, values: dict[str, Any], told: str) -> None:
    """And is as they are where these begin anew; a deterministic policy's own goes with the policy."""
    before: Any = trained(rule)
    training, sentences = forked(before.state(), values)
    after: Any = training.learner
    assert " ".join(sentences) == told
    one, other = after._rule, before.learner._rule
    if told.startswith("The action"):
        assert torch.equal(one._target.vector.values, one._online.vector.values)
    else:
        assert torch.equal(one._target.vector.values, other._target.vector.values)
        assert torch.equal(one._online.vector.values, other._online.vector.values)
        assert not torch.equal(one._target.vector.values, one._online.vector.values)
    if rule == "td3":
        assert torch.equal(one._policy._target.vector.values, one._policy.vector.values)
    reports(training, 1)


def test_likelihoods_that_were_not_kept_are_not_made_up() -> None:
    """Old steps without them are left behind where traces are to be counted."""
    training = Training(configured("q-actor-critic", **{"update.traces": "off"}))
    reports(training, 3)
    forked_one, sentences = forked(training.state(), {"update.traces": "retrace"})
    assert sentences == ("The replay buffer begins anew.",)
    reports(forked_one, 1)


def test_a_fork_goes_on_from_the_temperature_that_it_is_given() -> None:
    kept, _ = forked(trained("sac").state(), {})
    given, _ = forked(trained("sac").state(), {"update.temperature": 0.3})
    for training in (kept, given):
        learner: Any = training.learner
        rule = learner._rule
        rule.begin(training.config, 0.0)
        moved = float(rule._policy._temperature.value)
        assert (moved == pytest.approx(0.3)) == (training is given)


# --- what is shown of the values --------------------------------------------------------------------------------------


def test_numbered_states_are_worth_what_the_policy_makes_of_its_action_values() -> None:
    """V = Σ_a π(a|s) Q(s, a) by the smaller of the networks, beside the values of the policy itself in the surface."""
    config: Any = with_values(ActorCriticConfig(), {"environment": "FrozenLake-v1", "policy": "tabular"})
    table = {"update.critic.hidden_sizes": (), "update.replay.learning_starts": 9, "collection.steps": 12}
    training = Training(with_values(config, table | {"device": "cpu"}))
    reports(training, 2)
    learner: Any = training.learner
    states = torch.arange(16)
    with torch.no_grad():
        chances = training.policy(states).probabilities  # type: ignore[attr-defined]
    worth = learner._rule._online.judge(states).values.amin(0)
    surface = surface_of(frozen(training))
    assert surface is not None
    assert surface.critic is not None
    torch.testing.assert_close(torch.from_numpy(surface.critic).float(), (chances * worth).sum(-1))
    assert Training(configured("sac")).state_values() is None


@pytest.mark.parametrize("rule", RULES)
def test_a_watched_run_tells_every_gradient_step_and_learns_the_same(rule: str) -> None:
    ends, told = [], list[Event]()
    for watched in (False, True):
        training = Training(configured(rule))
        training.watched = watched
        told = list(training)
        ends.append((frozen(training), training.critics()))
        training.close()
        assert watched is any(isinstance(event, UpdateStep) for event in told)
    (unseen, unseen_critics), (seen, critics) = ends
    assert all(torch.equal(tensor, seen.state[name]) for name, tensor in unseen.state.items())
    assert unseen_critics is not None
    assert critics is not None
    assert torch.equal(unseen_critics, critics)
    for iteration, updated in enumerate((event for event in told if isinstance(event, Updated)), 1):
        steps = [event for event in told if isinstance(event, UpdateStep) and event.iteration == iteration]
        assert [step.step for step in steps] == list(range(1, len(steps) + 1))
        assert len(steps) == updated.metrics["gradient_steps"]
        assert np.mean([2.0 * step.losses["value"] for step in steps]) == pytest.approx(updated.metrics["value_loss"])
        climbed = [step for step in steps if step.grad_norm > 0.0]
        assert [step.parameter_change.any() for step in steps] == [step.grad_norm > 0.0 for step in steps]
        assert np.mean([step.grad_norm for step in climbed]) == pytest.approx(updated.metrics["grad_norm"])
