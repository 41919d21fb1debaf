"""Learning from a teacher, against closed forms, the policy gradient's own gradient, and exact occupancies."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.algorithms.imitation.early_stopping import EarlyStopping
from engine.algorithms.imitation.fitting import FitInput, FittingRule
from engine.algorithms.imitation.labelled import Labelled, held_out, labelled, returns_to_go, whole_returns
from engine.algorithms.imitation.measuring import likeness, majority_share
from engine.algorithms.policy_gradient.rule import UpdateInput, accumulate_gradient
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.catalogue.methods.reported import diagnosed
from engine.catalogue.methods.specs import rule_of
from engine.catalogue.spaces import EnvironmentInfo, Space, box, discrete
from engine.config import PolicyGradientConfig
from engine.config.environments import EnvironmentConfig
from engine.config.imitation import BehaviouralCloning
from engine.config.parameters import with_values
from engine.config.policies import GRUPolicy, MLPPolicy, TabularPolicy
from engine.config.updates import GradientAscent
from engine.estimation.estimators import estimate
from engine.experience.demonstrations import Demonstration, Demonstrations
from engine.networks.optimizers import ParameterVector
from engine.policies.policy import MARGIN
from engine.reports.events import Updated
from engine.training.given import Given
from engine.training.training import Training
from tests.engine.algorithms.imitating import imitating, over, policy_in, updates
from tests.engine.teaching import demonstrated, seen_in, teacher

# --- the policy gradient's gradient -----------------------------------------------------------------------------------


@pytest.mark.parametrize("environment", ["CartPole-v1", "Pendulum-v1"])
def test_the_policys_own_episodes_weighed_by_their_returns_are_reinforce(environment: str) -> None:
    """The same run, bit for bit: the same batches, gradients and steps."""
    limit = {"environment.time_limit": 20}
    cloning = imitating("behavioural-cloning", environment, imitation__dataset="own")
    cloning = with_values(
        cloning,
        limit | {"update.weighting": "return", "update.minibatch_size": 0, "update.learning_rate": 0.01},
    )
    climbing = choose(PolicyGradientConfig.model_validate({"environment": environment}), ALGORITHMS["reinforce"])
    climbing = with_values(
        climbing, limit | {"device": "cpu", "policy.hidden_sizes": (8,), "collection.episodes_per_update": 3}
    )
    one, other = Training(cloning), Training(climbing)
    ours, theirs = updates(one, 3), updates(other, 3)
    for mine, reinforce in zip(ours, theirs, strict=True):
        for metric in ("loss", "grad_norm", "mean_return", "advantage_mean"):
            assert mine.metrics[metric] == reinforce.metrics[metric]
    for left, right in zip(one.policy.parameters(), other.policy.parameters(), strict=True):
        assert torch.equal(left, right)


def test_on_one_batch_both_gradients_are_the_same_bit_for_bit() -> None:
    config = with_values(PolicyGradientConfig(), {"estimator.credit": "total-return", "estimator.baseline": "none"})
    assert isinstance(config, PolicyGradientConfig)
    assert isinstance(config.update, GradientAscent)
    by = teacher(EnvironmentConfig(time_limit=15))
    steps = labelled(demonstrated(by, (1, 2, 3)), policy := policy_in(seen_in(by.config.environment)))
    rewards = torch.arange(float(len(steps.known)))
    weighed = Labelled(
        steps.observations, steps.actions, steps.known, whole_returns(rewards, steps.lengths, 0.9), steps.lengths
    )
    batch = weighed.batch(policy)
    reference = over(estimate(batch.rollout, config.estimator, policy, None))
    vector = ParameterVector(policy.parameters())
    given = UpdateInput(
        type(batch)(batch.rollout, weighed.weights, reference.state_weights, batch.baseline), config, 0.0
    )
    over(accumulate_gradient(policy, vector, given, config.update))
    expected = vector.gradient.clone()
    rule = FittingRule(BehaviouralCloning(minibatch_size=0), policy, torch.Generator())
    over(rule.update(FitInput(batch, batch.divisor, BehaviouralCloning(minibatch_size=0), 0.0)))
    assert torch.equal(rule._vector.gradient, expected)


# --- maximum likelihood on a finite process ---------------------------------------------------------------------------


def test_the_gradient_of_cloning_a_table_is_that_of_counts() -> None:
    """∂/∂θ_{s,a} of 1/N Σ_i Σ_t log π(a|s) is (n(s, a) − n(s) π(a|s))/N, with n the counts of N episodes."""
    shown = demonstrated(teacher(EnvironmentConfig(id="FrozenLake-v1"), TabularPolicy()), range(6), most=30)
    seen = seen_in(shown.environment)
    policy = policy_in(seen, TabularPolicy())
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.normal_(generator=generator)
    logits = next(policy.parameters()).detach().double()
    counts = torch.zeros_like(logits)
    for state, action in zip(shown.observations, shown.actions, strict=True):
        counts[state, action] += 1.0
    expected = (counts - counts.sum(1, keepdim=True) * logits.softmax(-1)) / len(shown.episodes)
    steps = labelled(shown, policy)
    count = len(steps)
    equal = next(size for size in range(2, count) if count % size == 0)
    for size in (0, equal):  # one step along all, and minibatches, whose estimates of it have it as their mean
        config = BehaviouralCloning(minibatch_size=size, optimizer="sgd", learning_rate=1e-4)
        rule = FittingRule(config, policy, torch.Generator().manual_seed(2))
        before = rule.weights.clone()
        outcome = over(rule.update(FitInput(steps.batch(policy), len(shown.episodes), config, 0.0)))
        moved = (rule.weights - before).double().view_as(expected) / 1e-4 / outcome.steps
        assert torch.allclose(moved, expected, atol=0.01, rtol=0.01), size


def test_a_cloned_table_comes_to_the_shares_of_the_teachers_actions() -> None:
    """The maximum of the likelihood is π(a|s) = n(s, a)/n(s)."""
    states, actions = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 0, 1, 2, 2])
    environment = EnvironmentConfig(id="FrozenLake-v1")
    shown = Demonstrations(environment, (Demonstration(states, actions, np.zeros(6)),))
    config = imitating("behavioural-cloning", "FrozenLake-v1", imitation__dataset="some", imitation__held_out=0.0)
    config = with_values(config, {"policy": "tabular", "update.epochs": 300, "update.learning_rate": 0.1})
    training = Training(config, given=Given(shown))
    (first, last) = updates(training, 2)
    shares = training.policy(torch.tensor([0, 1, 2]))
    assert isinstance(shares.probabilities, Tensor)  # type: ignore[attr-defined]
    found = shares.probabilities.detach()  # type: ignore[attr-defined]
    assert torch.allclose(found[0], torch.tensor([0.75, 0.25, 0.0, 0.0]), atol=0.02)
    assert found[1, 2] > 0.98
    assert torch.allclose(found[2], torch.full((4,), 0.25))  # of which nobody has said anything
    assert first.metrics["training_loss"] == pytest.approx(np.log(4), abs=1e-6)
    assert last.metrics["training_loss"] == pytest.approx((3 * -np.log(0.75) - np.log(0.25)) / 6, abs=0.02)
    assert first.metrics["majority_share"] == 0.5
    assert "6 steps of 1 episode" in first.note


# --- every policy, every kind of action -------------------------------------------------------------------------------

BOUNDED = box(2, bounds=((-2.0, 4.0),))


SPACES: dict[str, tuple[Space, str]] = {
    "softmax": (discrete(3), "auto"),
    "several softmaxes": (Space("multi-discrete", 5, parts=(2, 3)), "auto"),
    "switches": (Space("multi-binary", 2), "auto"),
    "gaussian": (BOUNDED, "gaussian"),
    "tanh-gaussian": (BOUNDED, "tanh-gaussian"),
    "beta": (BOUNDED, "beta"),
}


def shown_in(kind: str, observations: np.ndarray) -> np.ndarray:
    """What a teacher does in each: one of the actions of that kind, and some of the numbers on a bound."""
    first, second = observations[:, 0], observations[:, 1]
    if kind == "softmax":
        return (first > 0.0).astype(np.int64) + (second > 0.0)
    if kind == "several softmaxes":
        return np.stack([first > 0.0, (second > 0.0) + (second > 0.8)], 1).astype(np.int64)
    if kind == "switches":
        return np.stack([first > 0.0, second > first], 1).astype(np.int64)
    return np.clip(np.stack([1.0 + 2.0 * first, 1.0 - 2.5 * second], 1), -2.0, 4.0).astype(np.float32)


@pytest.mark.parametrize(("kind", "memory"), [*((kind, False) for kind in SPACES), ("softmax", True), ("beta", True)])
def test_every_distribution_learns_what_it_is_shown(kind: str, memory: bool) -> None:
    """Also actions on a bound, of which a density that ends there knows nothing."""
    space, distribution = SPACES[kind]
    observations = np.random.default_rng(0).normal(size=(24, 2)).astype(np.float32)
    actions = shown_in(kind, observations)
    config = GRUPolicy(hidden_size=16) if memory else MLPPolicy(hidden_sizes=(32,))
    environment = EnvironmentInfo("X-v0", "X", "", box(2), space)
    policy = policy_in(environment, config.model_copy(update={"distribution": distribution}))
    parts = [slice(0, 9), slice(9, 24)]
    shown = Demonstrations(
        EnvironmentConfig(), tuple(Demonstration(observations[part], actions[part]) for part in parts)
    )
    steps = labelled(shown, policy)
    fit = BehaviouralCloning(epochs=60, minibatch_size=0, learning_rate=0.05)
    before = over(likeness(policy, steps))
    over(FittingRule(fit, policy, torch.Generator()).update(FitInput(steps.batch(policy), 2, fit, 0.0)))
    after = over(likeness(policy, steps))
    assert before.loss is not None
    assert after.loss is not None
    assert after.loss < before.loss - 0.5
    if actions.dtype.kind == "i":
        assert after.agreement is not None
        assert after.agreement > 0.8
    else:
        assert before.error is not None
        assert after.error is not None
        assert after.error < 0.5 * before.error


@pytest.mark.parametrize("kind", ["gaussian", "tanh-gaussian", "beta"])
def test_actions_of_the_environment_are_taken_back_to_the_policys_own(kind: str) -> None:
    environment = EnvironmentInfo("X-v0", "X", "", box(2), BOUNDED)
    policy = policy_in(environment, MLPPolicy.model_validate({"distribution": kind}))
    inside = torch.tensor([[-1.9, 0.0], [3.9, 1.0]])
    assert torch.allclose(policy.to_environment(policy.from_environment(inside)), inside, atol=1e-4)
    bounds = policy.to_environment(policy.from_environment(torch.tensor([[-2.0, 4.0]])))
    margin = 0.0 if kind == "gaussian" else MARGIN * 6.0
    assert torch.allclose(bounds, torch.tensor([[-2.0 + margin, 4.0 - margin]]), atol=1e-4)


def test_a_memory_is_cloned_over_whole_episodes() -> None:
    """−log π of a step is that of acting through its episode up to there, whatever is held out."""
    by = teacher(EnvironmentConfig(id="CartPolePositions-v0"))
    shown = demonstrated(by, (1, 2), most=7)
    policy = policy_in(seen_in(shown.environment), GRUPolicy(hidden_size=4))
    steps = labelled(shown, policy)
    rows = torch.zeros(len(steps.known), dtype=torch.bool)
    rows[5] = True
    expected = []
    state = policy.start(1)
    first = shown.episodes[0]
    for step in range(6):
        distribution, state = policy.step(torch.from_numpy(first.observations[step : step + 1]), state)
        expected.append(-distribution.log_prob(torch.from_numpy(first.actions[step : step + 1])).item())
    part = steps.part(rows, remembers=True)
    assert len(part) == 1
    assert len(part.lengths) == 1
    assert over(likeness(policy, part)).surprises.tolist() == pytest.approx(expected[5:], abs=1e-5)


# --- what is held out, and when to stop -------------------------------------------------------------------------------


def numbered(lengths: list[int]) -> Labelled:
    count = sum(lengths)
    known = torch.ones(count, dtype=torch.bool)
    return Labelled(
        torch.arange(count), torch.zeros(count, dtype=torch.int64), known, known.float(), torch.tensor(lengths)
    )


def test_whole_episodes_are_held_out_and_single_steps_of_one() -> None:
    generator = torch.Generator().manual_seed(0)
    out = held_out(numbered([3, 4, 5, 2]), 0.5, generator)
    parts = torch.split(out, [3, 4, 5, 2])
    assert [bool(part.all()) or not bool(part.any()) for part in parts] == [True] * 4
    assert sum(bool(part.all()) for part in parts) == 2
    assert int(held_out(numbered([10]), 0.3, generator).sum()) == 3
    assert int(held_out(numbered([10, 10]), 0.01, generator).sum()) == 10  # one at least
    assert int(held_out(numbered([10, 10]), 0.9, generator).sum()) == 10  # and one left
    assert not held_out(numbered([10]), 0.0, generator).any()


def test_learning_stops_where_it_no_longer_carries_over_and_goes_back_to_the_best() -> None:
    weights = torch.zeros(2)
    stopping = EarlyStopping(weights)
    said = []
    for iteration, loss in enumerate([3.0, 1.0, 2.0, 2.0, 5.0], 1):
        weights.fill_(float(iteration))
        said.append(stopping.look(loss, 2, iteration))
    assert [bool(sentence) for sentence in said] == [False, False, False, True, False]
    assert "iteration 2" in said[3]
    assert stopping.over(2)
    assert not stopping.over(3)  # more patience goes on
    assert not stopping.over(0)
    restored = EarlyStopping(torch.zeros(2))
    restored.load(stopping.state())
    assert restored.state()["best"].tolist() == [2.0, 2.0]
    with pytest.raises(ValueError, match="2 parameters"):
        EarlyStopping(torch.zeros(3)).load(stopping.state())


def test_returns_are_counted_within_each_episode() -> None:
    rewards, lengths = torch.tensor([1.0, 2.0, 4.0, 8.0, 16.0]), torch.tensor([3, 2])
    assert returns_to_go(rewards, lengths, 0.5).tolist() == [3.0, 4.0, 4.0, 16.0, 16.0]
    assert whole_returns(rewards, lengths, 0.5).tolist() == [3.0, 3.0, 3.0, 16.0, 16.0]


def test_the_most_frequent_action_says_how_often_it_is() -> None:
    assert majority_share(torch.tensor([1, 1, 0, 2])) == 0.5
    assert majority_share(torch.tensor([[0, 1], [0, 1], [0, 0], [1, 1]])) == 0.5
    assert majority_share(torch.zeros(0, dtype=torch.int64)) is None
    assert majority_share(torch.zeros(3, 1)) is None


@pytest.mark.parametrize("environment", ["CartPole-v1", "Pendulum-v1"])
@pytest.mark.parametrize("algorithm", ["behavioural-cloning", "dagger"])
def test_what_diagnostics_show_is_reported_and_nothing_else_is(algorithm: str, environment: str) -> None:
    by = teacher(EnvironmentConfig(id=environment))
    named = {"imitation__dataset": "mine"} if algorithm == "behavioural-cloning" else {"imitation__teacher": "somebody"}
    config = imitating(algorithm, environment, update__epochs=1, evaluation__episodes=1, **named)
    given = Given(demonstrated(by, (1, 2), most=30)) if algorithm == "behavioural-cloning" else Given(teacher=by)
    training = Training(config, given=given)
    told = next(event for event in training if isinstance(event, Updated)).metrics
    reported = {name for name in set(rule_of(config).metrics) if told[name] is not None}
    assert reported == set(diagnosed(config, training.environment)) - {"steps_per_second"}
    training.close()
