"""The state of a run: every part of every method has one, and a run that goes on from it is the run it was."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from engine.algorithms.policy_gradient.proximal import Multiplier
from engine.catalogue.methods.compatibility import refusal
from engine.catalogue.methods.entries import ALGORITHMS, POLICIES
from engine.catalogue.methods.picking import choose
from engine.collection.collectors import UnfinishedEpisodes
from engine.collection.reward_scaling import RewardScaling
from engine.config import PolicyGradientConfig, RunConfig
from engine.config.parameters import parameters_of, with_values
from engine.environments.batches.streams import Generators
from engine.environments.making.lookup import inspect
from engine.networks.optimizers import Adam
from engine.policies.actor import Actor
from engine.reports.events import Collected, Updated
from engine.runtime.state import inexact
from engine.training.checkpoint import from_bytes, to_bytes
from engine.training.training import Training, resumed
from tests.engine import picture_environment
from tests.engine.teaching import given_to, named
from tests.engine.training.going_on import fingerprint, reports
from tests.engine.training.walking import leaves

ROOT = Path(__file__).parents[3]

# --- every part ----------------------------------------------------------------------------------------------------

# What changes while a run goes on and need not be remembered: written anew before it is read, or a clock.
SCRATCH = {
    "HeartbeatTimer._last": "a clock",
    "ParameterVector.gradient": "the last gradient, zeroed before the next is gathered",
    "Policy.temperature": "set from the configuration as an iteration begins",
    "Policy.epsilon": "set from the configuration as an iteration begins",
    "SweepRule._best": "the best values, computed when they are first needed",
    "SweepRule._returned": "what the policy returns, computed anew for another policy",
    "AsynchronousValueIteration._predecessors": "what leads to a state, computed when it is first needed",
    "TabularRule._errors": "of one iteration, emptied as the next begins",
    "TabularRule._acted_in": "of one iteration, emptied as the next begins",
    "DiscountedReturns._ended": "of one iteration, emptied as the next begins",
    "TrueValues._best": "computed from the known dynamics when it is first asked for",
    "Dynamics.possible": "which steps of a known process are possible, found when it is first asked for",
    "DQNRule._progress": "set from the life of the run as an iteration begins",
    "DQNRule._steps": "of one iteration, counted from 0 as the next begins",
    "DQNRule._learned": "of one iteration, emptied as the next begins",
    "DQNRule._seen": "of one iteration, emptied as the next begins",
    "ActorCriticRule._progress": "set from the life of the run as an iteration begins",
    "ActorCriticRule._steps": "of one iteration, counted from 0 as the next begins",
    "ActorCriticRule._learned": "of one iteration, emptied as the next begins",
    "ActorCriticRule._norms": "of one iteration, emptied as the next begins",
    "SquashedImprovement._entropy": "of the latest step, only to be told",
    "AllActionsImprovement._entropy": "of the latest step, only to be told",
    "AllActionsImprovement._latest": "of the latest step, only to be told",
    "ProximalRule._old": "the policy before an update, taken anew at the update's start",
    "EpisodeCollector._storage": "room for the steps of one collection",
    "EpisodeCollector._used": "how much of that room is to be cleared",
    "FixedLengthCollector._storage": "room for the steps of one collection",
    "FixedLengthCollector._terminated": "room for the steps of one collection",
    "FixedLengthCollector._truncated": "room for the steps of one collection",
    "FixedLengthCollector._elapsed": "room for the steps of one collection",
    "GymnasiumBatch._progress": "what a worker process tells of the call it is in",
    "GymnasiumBatch._settings": "what held for this process before, to be set back",
    "ProcessBatch._arrays": "memory through which worker processes are talked to",
    "ProcessBatch._progress": "what worker processes tell of the calls they are in",
    "ProcessBatch._fresh": "which environments have not been called yet and may be slow",
}

KINDS: dict[str, dict[str, Any]] = {
    "batched": {"environment": "CartPole-v1", "environment.time_limit": 7},
    "finite": {"environment": "FrozenLake-v1", "environment.time_limit": 7},
    "stepped here": {
        "environment": "CliffWalking-v1",
        "environment.time_limit": 7,
        "environment.stepping": "in-process",
    },
    "in workers": {"environment": "CliffWalking-v1", "environment.time_limit": 7, "environment.stepping": "processes"},
    "changed": {
        "environment": "Pendulum-v1",
        "environment.time_limit": 7,
        "environment.observation_noise": 0.1,
        "environment.frame_stack": 2,
        "environment.sticky_actions": 0.2,
        "environment.normalize_observations": True,
        "environment.normalize_rewards": True,
    },
    "replayed": {
        "environment": "Pendulum-v1",
        "environment.time_limit": 7,
        "environment.frame_stack": 2,
        "environment.normalize_observations": True,
    },
    "pictures": {
        "environment": picture_environment.ID,
        "environment.time_limit": 3,
        "environment.stepping": "in-process",
        "collection.steps": 5,
        "update.epochs": 1,
    },
}
FIXED = {"collection.environments": 2, "collection.steps": 20}
SMALL = {
    "device": "cpu",
    "exploration.temperature": 1.5,
    "exploration.persistence": 0.7,
    "policy.hidden_sizes": (4,),
    "policy.hidden_size": 4,
    "estimator.baseline.hidden_sizes": (4,),
    "estimator.baseline.minibatch_size": 8,
    "estimator.baseline.fit_steps": 2,
    "collection.episodes_per_update": 2,
    "evaluation.episodes": 2,
    "collection.environments": 2,
    "collection.steps": 8,
    "update.epochs": 2,
    "update.minibatch_size": 8,
    "estimator.n": 3,
    "update.traces": "retrace",
    "update.labels": 5,
    "update.critic.hidden_sizes": (4,),
    "update.replay.minibatch_size": 8,
    "update.replay.learning_starts": 6,
    "update.replay.capacity": 30,
    "budget.environment_steps": 100_000,
}


def method(algorithm: str, policy: str, values: dict[str, Any]) -> RunConfig:
    """A small run of a method, and with ``values`` whether they are small or not."""
    config: RunConfig = with_values(
        PolicyGradientConfig(), {name: values[name] for name in values if name.startswith("environment")}
    )
    config = with_values(choose(config, POLICIES[policy]), {"policy.distribution": "auto"})
    config = choose(choose(config, ALGORITHMS[algorithm]), POLICIES[policy])  # some algorithms come with another policy
    config = named(config)
    there = {parameter.path for parameter in parameters_of(config)}
    config = with_values(config, {path: values.get(path, SMALL[path]) for path in SMALL if path in there})
    for path in [path for path in values if path not in SMALL]:
        config = with_values(config, {path: values[path]})
    return config


def fits(config: RunConfig) -> bool:
    return refusal(config, looked_at(config.environment.id)) is None


looked_at = cache(inspect)  # which starts a process for one from elsewhere


@cache  # since the same ways lead through run after run
def scratch(path: str) -> bool:
    return any(step.partition("[")[0] in SCRATCH for step in path.split())


def remembered(training: Training) -> dict[str, str]:
    """What a run holds, less what is written anew before it is read."""
    return {path: value for path, value in leaves(training.learner).items() if not scratch(path)}


@cache
def small(algorithm: str, policy: str, kind: str) -> RunConfig:
    return method(algorithm, policy, KINDS[kind])


@cache
def taken(algorithm: str, policy: str, kind: str) -> bool:
    """All that fit; in worker processes, which take long to start, one policy with each algorithm, each in turn."""
    if kind == "replayed" and fits(small(algorithm, policy, "changed")):
        return False  # which is the same and more
    turn = list(ALGORITHMS).index(algorithm) + list(POLICIES).index(policy)
    return (kind != "in workers" or turn % 4 == 0) and fits(small(algorithm, policy, kind))


def test_every_algorithm_and_policy_is_looked_at_in_environments_of_every_kind() -> None:
    cases = [case for case in product(ALGORITHMS, POLICIES, KINDS) if taken(*case)]
    assert {algorithm for algorithm, _, _ in cases} == ALGORITHMS.keys()
    assert {policy for _, policy, _ in cases} == POLICIES.keys()
    assert {kind for _, _, kind in cases} == KINDS.keys()
    assert len(cases) > 250


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_part_that_changes_is_in_the_state(algorithm: str, kind: str) -> None:
    """A fresh run that loads the state holds, leaf by leaf, what the run holds that it was taken from, and goes on with
    the same numbers."""
    for policy in [policy for policy in POLICIES if taken(algorithm, policy, kind)]:
        config = small(algorithm, policy, kind)
        one, other = (Training(config, given=given_to(config)) for _ in range(2))
        try:
            reports(one, 2)
            fresh = remembered(other)
            other.load(from_bytes(to_bytes(one.state())))
            wanted, found = remembered(one), remembered(other)
            assert wanted != fresh  # or nothing would be proven
            missing = {path for path in wanted.keys() | found.keys() if wanted.get(path) != found.get(path)}
            assert not missing, (policy, sorted(missing)[:5])
            assert reports(other, 1) == reports(one, 1), policy
        finally:
            one.close()
            other.close()


@pytest.mark.parametrize("part", [Adam, Actor, UnfinishedEpisodes, RewardScaling, Generators, Multiplier])
def test_a_part_that_is_forgotten_is_noticed(part: type, monkeypatch: pytest.MonkeyPatch) -> None:
    config = method("ppo-lagrangian", "mlp", FIXED | KINDS["changed"])
    one, other = Training(config), Training(config)
    reports(one, 2)
    monkeypatch.setattr(part, "load", lambda self, state: None)
    other.load(one.state())
    assert remembered(one) != remembered(other)


# --- going on exactly ----------------------------------------------------------------------------------------------

N = 3
CHANGED = ("exploration.temperature", "exploration.noise", "update.learning_rate")
WORLDS: dict[str, Any] = {"environment": "LunarLander-v3", "environment.time_limit": 60}
GOING_ON: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a table": ("reinforce", "tabular", {"environment": "FrozenLake-v1"}),
    "a learned value": ("reinforce-learned-baseline", "mlp", {"estimator.baseline.fitted_on": "independent"}),
    "episodes under way": ("a2c", "mlp", FIXED | {"update.optimizer": "rmsprop"}),
    "a memory": (
        "ppo",
        "gru",
        FIXED | {"environment": "CartPolePositions-v0", "update.learning_rate_schedule": "linear"},
    ),
    "a shared value": ("ppo", "mlp", FIXED | {"estimator.baseline": "shared-value"}),
    "features and a line search": ("trpo", "linear", {"policy.features": "rbf", "policy.feature_order": 2}),
    "a multiplier": ("ppo-lagrangian", "mlp", FIXED | KINDS["changed"] | {"policy.distribution": "beta"}),
    "weights": ("off-policy-pg", "mlp", {"exploration.greedy_start": 0.4, "update.optimizer": "momentum"}),
    "planning": ("exact-gradient", "tabular", {"environment": "GridWorld-v0"}),
    "noise that lasts": ("td3", "mlp", {"environment": "Pendulum-v1"}),
    "critics that are replayed": ("sac", "mlp", KINDS["replayed"]),
    "priorities": ("dqn", "mlp", {"update.replay.sampling": "prioritized", "update.target.every": 5}),
    "two tables, over three steps": ("double-q-learning", "tabular", {"environment": "CliffWalking-v1"}),
    "sweeps": ("asynchronous-value-iteration", "tabular", {"environment": "GridWorld-v0", "update.backups": 7}),
    "a dataset, from which nothing is learned any more": (
        "behavioural-cloning",
        "gru",
        {"environment": "CartPolePositions-v0", "imitation.dataset": "some", "update.patience": 1},
    ),
    "a teacher's turns": ("dagger", "mlp", {"update.mixture": "decaying", "update.states": "unsure"}),
    "worker processes": ("npg", "tabular", KINDS["in workers"]),
    "pictures, and an environment from elsewhere": ("ppo", "cnn", FIXED | KINDS["pictures"]),
    "Box2D, in the middle of episodes": ("ppo", "mlp", FIXED | WORLDS | {"environment.stepping": "in-process"}),
}


def test_a_run_goes_on_exactly_in_another_process(tmp_path: Path) -> None:
    """2N iterations in one go, and N, bytes, a fresh process, N more: the same reports and the same hash."""
    expected: dict[str, tuple[Any, str]] = {}
    for name, (algorithm, policy, values) in GOING_ON.items():
        config = method(algorithm, policy, values)
        whole, part = (Training(config, given=given_to(config)) for _ in range(2))
        for training in (whole, part):
            reports(training, 1)
            training.change("budget.environment_steps", 90_000)
            reports(training, N - 1)
            there = {parameter.path: parameter for parameter in parameters_of(config)}
            path = next(path for path in CHANGED if path in there and there[path].live)
            training.change(path, 0.75)
        state = part.state()
        assert (inexact(state) == ()) == ("from elsewhere" not in name), name
        (tmp_path / name).write_bytes(to_bytes(state))
        expected[name] = reports(whole, N), fingerprint(whole)
        whole.close()
        part.close()
    program = [sys.executable, "-m", "tests.engine.training.going_on", str(N)]
    done = subprocess.run(
        [*program, *(str(tmp_path / name) for name in GOING_ON)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for line, (name, (went_on, fingerprint_of_whole)) in zip(done.stdout.splitlines(), expected.items(), strict=True):
        found = json.loads(line)
        assert found["reports"] == went_on, name
        assert found["fingerprint"] == fingerprint_of_whole, name


@pytest.mark.parametrize(("algorithm", "values"), [("a2c", FIXED), ("reinforce", {"environment": "FrozenLake-v1"})])
def test_several_seeds_go_on_exactly_whatever_they_are_called(algorithm: str, values: dict[str, Any]) -> None:
    config = method(algorithm, "mlp", values)
    seeds = Training(config, "first", seeds=(3, 8))
    while True:
        reports(seeds, 1)
        if seeds.iteration >= 2 * N and not any(totals.busy for totals in seeds.totals.values()):
            break
    state = from_bytes(to_bytes(seeds.state()))
    again = resumed(state, "again")
    assert again.runs == {"again/3": 3, "again/8": 8}
    assert reports(again, 4 * N) == reports(seeds, 4 * N)


def test_a_run_goes_on_under_another_name() -> None:
    training = Training(method("reinforce", "mlp", KINDS["batched"]), "first")
    reports(training, 1)
    again = resumed(training.state(), "again")
    assert again.runs == {"again": 1}
    assert reports(again, N) == reports(training, N)


def test_a_change_that_no_iteration_has_begun_with_is_told_of_when_one_does() -> None:
    training = Training(with_values(method("reinforce", "mlp", KINDS["batched"]), {"budget.environment_steps": 10}))
    list(training)
    training.change("update.learning_rate", 0.5)
    assert list(training) == []
    again = resumed(from_bytes(to_bytes(training.state())))
    again.change("budget.environment_steps", 20)
    first, *rest = (event for event in again if isinstance(event, Updated))
    assert [(change.path, change.new) for change in first.changes] == [
        ("update.learning_rate", 0.5),
        ("budget.environment_steps", 20),
    ]
    assert not any(event.changes for event in rest)


def test_a_state_is_taken_between_iterations() -> None:
    training = Training(method("ppo", "mlp", KINDS["batched"]))
    for event in training:
        if isinstance(event, Collected):
            with pytest.raises(ValueError, match="between two iterations"):
                training.state()
            return


def test_a_state_of_another_run_is_refused() -> None:
    one = Training(method("ppo", "mlp", KINDS["batched"]))
    other = Training(method("a2c", "mlp", KINDS["batched"]))
    with pytest.raises(ValueError, match="This state is of"):
        other.load(one.state())
