"""Seeds trained together: each as if it had the process to itself, and independent of the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats

from engine.algorithms.policy_gradient.rule import UpdateInput, accumulate_gradient
from engine.collection import collectors as collection
from engine.config import RunConfig
from engine.config.parameters import with_values
from engine.config.policies import LinearPolicy, MLPPolicy, PolicyConfig
from engine.config.updates import GradientAscent
from engine.experience.batch import NO_BASELINE, Batch
from engine.networks.optimizers import ParameterVector
from engine.policies.actor import NOT_FINITE
from engine.reports.events import Failed, Updated
from engine.runtime.errors import RequestError, RunError
from engine.training.many_seeds import collectors as collecting
from engine.training.many_seeds import rules as learning
from engine.training.many_seeds.actor import JointActor
from engine.training.many_seeds.refusal import joint_refusal
from engine.training.many_seeds.rules import GradientRequest, ascend
from engine.training.training import Training
from tests.engine.scripted import Scripted, actor_of, collected, episodes_of, policy_of
from tests.engine.support import TIMINGS, configured, register, updates_of
from tests.engine.tiny_mdp import finish

SEEDS = (3, 4, 9)
GREEDY = {"exploration__greedy_start": 1.0, "exploration__greedy_end": 1.0}


def together(config: RunConfig, seeds: Sequence[int] = SEEDS) -> dict[int, list[Updated]]:
    """Every seed's iterations; none may fail."""
    group = Training(config, seeds=seeds)
    found: dict[int, list[Updated]] = {seed: [] for seed in seeds}
    for event in group:
        assert not isinstance(event, Failed)
        if isinstance(event, Updated):
            found[group.runs[event.run]].append(event)
    group.close()
    return found


def alone(config: RunConfig, seed: int) -> list[Updated]:
    return updates_of(with_values(config, {"seed": seed}))


def assert_alike(these: Sequence[Updated], those: Sequence[Updated], first: int = 6) -> None:
    """The same reports but for the clock and rounding, at least of the ``first`` iterations and the totals."""
    assert len(these) == len(those)
    for one, other in list(zip(these, those, strict=True))[:first]:
        mine, theirs = one.report(), other.report()
        for name in mine.keys() - set(TIMINGS):
            assert (mine[name] is None) == (theirs[name] is None), name
            if mine[name] is not None:
                assert mine[name] == pytest.approx(theirs[name], rel=2e-3, abs=1e-4), (name, one.iteration)


# --- what is computed -------------------------------------------------------------------------------------------------

METHODS: dict[str, dict[str, Any]] = {
    "reinforce": {"estimator__credit": "total-return", "estimator__baseline": "none"},
    "average": {"estimator__baseline": "average", "update__entropy_coefficient": 0.05},
    "time average": {"estimator__baseline": "time-average", "update__optimizer": "momentum"},
    "leave one out": {"estimator__baseline": "leave-one-out", "estimator__normalize_advantages": True},
    "optimal": {"estimator__baseline": {"kind": "optimal", "per_parameter": True}},
    "value": {"update__max_grad_norm": 0.5, "estimator__discount_states": True},
    "value on the same": {"estimator__baseline__fitted_on": "same"},
    "value on others": {"estimator__baseline__fitted_on": "independent"},
    "value in minibatches": {"estimator__baseline__minibatch_size": 16},
    "shared value": {"estimator__baseline": "shared-value"},
    "a2c": {"collection": {"kind": "fixed-length", "environments": 3, "steps": 16}, "estimator__credit": "n-step"},
    "gae": {"collection": {"kind": "fixed-length", "environments": 2, "steps": 30}, "estimator__credit": "gae"},
    "ppo": {"collection": {"kind": "fixed-length", "environments": 2, "steps": 32}, "update": "ppo-clip"},
    "linear": {"policy": {"kind": "linear", "features": "rbf", "feature_order": 2}},
    "relu": {"policy": {"kind": "mlp", "hidden_sizes": (7, 5), "activation": "relu"}},
    "normalised": {"environment__normalize_observations": True},
}


@pytest.mark.parametrize("method", METHODS)
def test_with_greedy_actions_each_seed_has_the_run_it_has_alone(method: str) -> None:
    # The noise of actions is all that differs between the two, and greedy actions have none.
    config = configured(**METHODS[method] | GREEDY | {"update__learning_rate": 0.003})
    found = together(config)
    for seed in SEEDS:
        assert_alike(found[seed], alone(config, seed))


CONTINUOUS: dict[str, dict[str, Any]] = {
    "one spread": {},
    "a spread per state": {"policy__spread": "per-state"},
    "tanh": {"policy__distribution": "tanh-gaussian"},
    "beta": {"policy__distribution": "beta"},
}


@pytest.mark.parametrize("kind", CONTINUOUS)
@pytest.mark.parametrize("how", ["episodes", "fixed-length"])
def test_with_greedy_actions_continuous_policies_run_as_alone(kind: str, how: str) -> None:
    place = register("ShortPendulum-v0", "gymnasium.envs.classic_control.pendulum:PendulumEnv", limit=7)
    some: dict[str, Any] = {"environment": place, "collection": how, "collection__environments": 2}
    if how == "fixed-length":
        some["collection"] = {"kind": "fixed-length", "environments": 2, "steps": 10}
    else:
        some = {"environment": place, "collection__episodes_per_update": 2}
    # Greedy actions lie at the mode, where small steps change little: rounding is not blown up.
    few = {"update__learning_rate": 1e-4, "budget__environment_steps": 80}
    config = configured(**some | CONTINUOUS[kind] | GREEDY | few)
    found = together(config)
    for seed in SEEDS:
        assert_alike(found[seed], alone(config, seed), first=3)


@pytest.mark.parametrize("room", [collection.FIRST_ROOM, 2000])
def test_seeds_in_their_own_time_keep_their_steps_apart(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Few rows of memory, used over and over, and with little room made larger, by seeds that never wait for company.
    monkeypatch.setattr(collection, "FIRST_ROOM", room)
    monkeypatch.setattr(collecting, "PATIENCE", 1)
    place = register("ShortCart-v0", "gymnasium.envs.classic_control.cartpole:CartPoleEnv", limit=10)
    config = configured(environment=place, **GREEDY, budget__environment_steps=300)
    found = together(config, range(5))
    for seed in range(5):
        assert_alike(found[seed], alone(config, seed))


def test_tabular_policies_run_as_alone() -> None:
    config = configured(environment="Corridor-v0", policy="tabular", estimator__baseline="average", **GREEDY)
    found = together(config)
    for seed in SEEDS:
        assert_alike(found[seed], alone(config, seed))


@pytest.mark.parametrize(
    ("policy", "bonus"),
    [(MLPPolicy(hidden_sizes=(5, 6)), 0.0), (MLPPolicy(hidden_sizes=(5,)), 0.1), (LinearPolicy(), 0.1)],
)
def test_gradients_in_one_pass_are_those_of_one_network_at_a_time(policy: PolicyConfig, bonus: float) -> None:
    config = configured(update__entropy_coefficient=bonus, estimator__baseline="none")
    assert isinstance(config.update, GradientAscent)
    asked, expected = [], []
    for seed, lengths in enumerate([(3, 1), (7, 2), (1, 1)]):
        own = policy_of(policy, seed)
        rollout, _, _ = collected(episodes_of(Scripted(lengths)), actor_of(own, seed))
        advantages = torch.randn(sum(lengths), generator=torch.Generator().manual_seed(seed))
        given = UpdateInput(Batch(rollout, advantages, torch.ones_like(advantages), NO_BASELINE), config, 0.0)
        vector = ParameterVector(own.parameters())
        sums = finish(accumulate_gradient(own, vector, given, config.update))
        expected.append((vector.gradient.clone(), sums))
        vector.gradient.fill_(7.0)
        asked.append(GradientRequest(own, vector, given, config.update))
    ascend(asked)
    for one, (gradient, sums) in zip(asked, expected, strict=True):
        torch.testing.assert_close(one.vector.gradient, gradient, rtol=1e-4, atol=1e-6)
        assert one.sums is not None
        assert (one.sums.loss, one.sums.entropy) == pytest.approx((sums.loss, sums.entropy), rel=1e-4)


# --- what is random ---------------------------------------------------------------------------------------------------

CORRIDOR = configured(
    environment="Corridor-v0",
    policy="tabular",
    estimator__baseline="none",
    collection__episodes_per_update=2,
    update__learning_rate=0.1,
    budget__environment_steps=1000,
)
MANY = range(100, 132)


Outcomes = list[tuple[float, float]]


def outcomes(training: Training) -> Outcomes:
    """Of every run, how much likelier going right has become than left, in log-odds summed over the states, and the
    mean return."""
    for _ in training:
        pass
    found = []
    for run, policy in training.learner.policies.items():
        (rows,) = policy.parameters()
        mean = training.totals[run].mean_return
        assert mean is not None
        found.append((float((rows[:, 1] - rows[:, 0]).detach().sum()), mean))
    return found


def outcomes_together() -> Outcomes:
    return outcomes(Training(CORRIDOR, seeds=MANY))


@pytest.fixture(scope="module")
def outcomes_alone() -> Outcomes:
    return [outcomes(Training(with_values(CORRIDOR, {"seed": seed})))[0] for seed in range(32)]


def differ(these: Outcomes, those: Outcomes) -> bool:
    """Whether two samples can hardly come from one distribution, in location or in spread."""
    pairs = list(zip(zip(*these, strict=True), zip(*those, strict=True), strict=True))
    return any(test(*pair).pvalue < 1e-3 for test in (stats.ks_2samp, stats.levene) for pair in pairs)


def test_seeds_together_learn_what_seeds_alone_learn(outcomes_alone: Outcomes) -> None:
    assert not differ(outcomes_together(), outcomes_alone)


def test_seeds_that_act_with_one_network_would_be_noticed(
    outcomes_alone: Outcomes, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh = JointActor.refresh

    def first_for_all(self: JointActor, seed: int, greedy_share: float) -> None:
        refresh(self, seed, greedy_share)
        self._network.refresh(seed, self._policies[0])

    monkeypatch.setattr(JointActor, "refresh", first_for_all)
    assert differ(outcomes_together(), outcomes_alone)


def test_gradients_averaged_over_seeds_would_be_noticed(
    outcomes_alone: Outcomes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def averaged(asked: Sequence[GradientRequest]) -> None:
        ascend(asked)
        mean = torch.stack([each.vector.gradient for each in asked]).mean(0)
        for each in asked:
            each.vector.gradient.copy_(mean)

    monkeypatch.setattr(learning, "ascend", averaged)
    assert differ(outcomes_together(), outcomes_alone)


def first_actions(monkeypatch: pytest.MonkeyPatch) -> NDArray[Any]:
    """What six seeds with equal policies do at first in 256 equal environments each, [6, 256]."""
    config = configured(environment="Corridor-v0", policy="tabular", collection__episodes_per_update=256)
    act, seen = JointActor.act, []

    def recorded(self: JointActor, observations: Any, state: Any) -> Any:
        seen.append(act(self, observations, state))
        return seen[-1]

    monkeypatch.setattr(JointActor, "act", recorded)
    for _ in Training(with_values(config, {"budget.environment_steps": 1}), seeds=range(6)):
        pass
    first: NDArray[Any] = seen[0][0].reshape(6, 256)
    return first


def together_too_much(actions: NDArray[Any]) -> bool:
    """Whether seeds' actions go together more than independent ones would, once in 10⁵ times."""
    correlations = np.corrcoef(actions)[np.triu_indices(len(actions), 1)]
    least = stats.norm.isf(0.5e-5 / len(correlations)) / np.sqrt(actions.shape[1])
    return bool(np.abs(correlations).max() > least)


def test_seeds_share_no_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not together_too_much(first_actions(monkeypatch))


def test_shared_noise_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    act = JointActor.act

    def alike(self: JointActor, observations: Any, state: Any) -> Any:
        actions, greedy, after = act(self, observations, state)
        return np.tile(actions.reshape(6, -1)[0], 6), greedy, after  # as if noise were drawn for one seed only

    monkeypatch.setattr(JointActor, "act", alike)
    assert together_too_much(first_actions(monkeypatch))


def test_the_same_seeds_give_the_same_runs() -> None:
    first, second = (together(configured()) for _ in range(2))
    for seed in SEEDS:
        assert [update.environment_steps for update in first[seed]] == [u.environment_steps for u in second[seed]]
        assert [update.metrics["loss"] for update in first[seed]] == [u.metrics["loss"] for u in second[seed]]


def test_every_seed_uses_its_budget() -> None:
    found = together(configured(budget__environment_steps=300))
    assert all(updates[-1].environment_steps >= 300 > updates[-2].environment_steps for updates in found.values())


# --- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["episodes", "fixed-length"])
def test_a_seed_whose_numbers_blow_up_ends_alone(how: str) -> None:
    place = register("ShortPendulum-v0", "gymnasium.envs.classic_control.pendulum:PendulumEnv", limit=7)
    some = {"kind": how} | ({"environments": 2, "steps": 10} if how == "fixed-length" else {})
    config = configured(environment=place, collection=some, **GREEDY, update__learning_rate=1e-4)
    group = Training(config, seeds=SEEDS)
    found: dict[int, list[Updated]] = {seed: [] for seed in SEEDS}
    failures: dict[int, str] = {}
    for event in group:
        seed = group.runs[event.run]
        if isinstance(event, Failed):
            failures[seed] = event.reason
        if isinstance(event, Updated):
            found[seed].append(event)
            if seed == 4 and event.iteration == 1:
                with torch.no_grad():
                    list(group.learner.policies[event.run].parameters())[-1].fill_(torch.nan)
    assert failures == {4: NOT_FINITE}
    assert len(found[4]) == 1
    for seed in (3, 9):
        assert_alike(found[seed], alone(config, seed), first=3)


@pytest.mark.parametrize("how", ["episodes", "fixed-length"])
def test_the_group_ends_when_all_its_seeds_have(how: str) -> None:
    place = register("Huge-v0", reward=1e29)
    some = {"kind": how} | ({"environments": 2, "steps": 10} if how == "fixed-length" else {})
    group = Training(configured(environment=place, collection=some, update__optimizer="sgd"), seeds=SEEDS)
    assert [group.runs[event.run] for event in group if isinstance(event, Failed)] == list(SEEDS)


def test_an_environment_that_raises_ends_all() -> None:
    place = register("Fragile-v0", what="raises in episode 1")
    with pytest.raises(RunError, match="division by zero"):
        together(configured(environment=place))


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"policy": "gru"}, "GRU"),
        ({"device": "cuda"}, "CPU"),
        ({"environment": "Corridor-v0", "policy": "tabular", "update": "exact-gradient"}, "planning"),
    ],
)
def test_what_cannot_be_trained_together_says_why(values: dict[str, Any], why: str) -> None:
    config = configured(**values)
    assert why in (joint_refusal(config) or "")
    with pytest.raises(RequestError, match=why):
        Training(config, seeds=SEEDS)


def test_a_seed_twice_is_refused() -> None:
    with pytest.raises(RequestError, match="different"):
        Training(configured(), seeds=(1, 1))
