"""Batches of any policy in any environment, as training collects them, and their estimates by training's own code: what
the lab does where the process is not known as tables."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from engine.analysis.lab.policies import NO_DENSITY
from engine.analysis.lab.scores import Numbers
from engine.analysis.lab.settings import Pair, Settings, estimator_of
from engine.analysis.playback import PolicySnapshot, thawed
from engine.catalogue.methods.distribution import policy_of
from engine.config import PolicyGradientConfig
from engine.config.estimators import EstimatorConfig, WholeEpisodes
from engine.estimation.estimators import estimate
from engine.experience.batch import Batch, ParameterBaseline
from engine.experience.rollouts import Rollout
from engine.maths.returns import carried, discount_sequence, discounted_sums
from engine.maths.trust_region import flattened
from engine.policies.policy import Policy
from engine.reports.events import Event
from engine.runtime.errors import RequestError
from engine.runtime.seeds import Seeds
from engine.training.learner import Moment
from engine.training.learners.interaction import RolloutInteraction
from engine.training.training import RUN
from engine.values.critics import Critic, Values

FITTED_ON = 10  # batches that V is fitted to, none of which is estimated with it
_RIDGE = 1e-5  # of the size of the features, which keeps the least squares solvable
_WIDEST = 64  # components of an observation that V is fitted to; of pictures it knows the time step alone
_T = TypeVar("_T")


class Player:
    """Plays batches of N whole episodes; to be closed.

    Raises:
        RequestError: the policy has no probabilities, or the environment cannot be made.
        RunError: the environment fails.
    """

    def __init__(self, snapshot: PolicySnapshot, settings: Settings, stream: int) -> None:
        if snapshot.epsilon is not None or thawed(snapshot).deterministic:
            raise RequestError(NO_DENSITY)
        # In the environment's own units, which are the same in every batch.
        environment = snapshot.config.environment.model_copy(update={"normalize_rewards": False})
        if settings.horizon:
            environment = environment.model_copy(update={"time_limit": settings.horizon})
        self._config = PolicyGradientConfig(
            environment=environment,
            policy=policy_of(snapshot.config, snapshot.environment),
            collection=WholeEpisodes(episodes_per_update=settings.episodes),
            device="cpu",
        )
        self._settings = settings
        seed = int(np.random.SeedSequence((settings.seed, stream)).generate_state(1, np.uint32)[0])
        shared = any(name.startswith("value_head.") for name in snapshot.state)
        self._interaction = RolloutInteraction(self._config, Seeds(seed), shared)
        self.policy: Policy = self._interaction.policy
        self.policy.load_state_dict(snapshot.state)
        self.policy.temperature = snapshot.temperature

    def close(self) -> None:
        self._interaction.close()

    def play(self) -> Iterator[Rollout | None]:
        """The next batch, with the rewards that the lab was asked for; None is a sign of life."""
        moment = Moment(RUN, self._config, 1, 0.0)
        rollout = yield from alive(_collected(self._interaction.collect(moment)))
        yield _with_rewards(rollout, self._settings.added)


def alive(work: Generator[object, None, _T]) -> Generator[None, None, _T]:
    """``work``, of which only is told that it goes on."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            result: _T = stop.value
            return result
        yield None


def _collected(work: Generator[Event, None, tuple[Rollout, object]]) -> Generator[object, None, Rollout]:
    rollout, _ = yield from work
    return rollout


def _with_rewards(rollout: Rollout, added: float) -> Rollout:
    return replace(rollout, rewards=(rollout.rewards + added) * rollout.mask) if added else rollout


class LinearValue:
    """V(o) = w · φ(o), fitted by least squares to rewards-to-go; φ are 1, the observation and its squares, one number
    for each of a discrete one, and with ``by_time`` how many steps came before, its square and its cube.

    As a critic it completes what was cut off, unless it knows the time: then nothing follows, as in a process with a
    horizon.

    Source: the linear baseline of Duan et al. (2016), "Benchmarking deep reinforcement learning for continuous
        control".
    """

    def __init__(self, discrete: int | None, *, by_time: bool) -> None:
        self._discrete, self._by_time = discrete, by_time
        self._gram: Tensor | None = None
        self._products: Tensor | None = None
        self._weights: Tensor | None = None

    def add(self, rollout: Rollout, gamma: float) -> None:
        """Take in the rewards-to-go of a batch."""
        carry = carried(discount_sequence(gamma, rollout.terminated), rollout.truncated)
        returns = rollout.flat(discounted_sums(rollout.rewards, carry)).double()
        features = self._features(rollout.flat(rollout.observations), rollout.flat(rollout.elapsed))
        gram, products = features.T @ features, features.T @ returns
        self._gram = gram if self._gram is None else self._gram + gram
        self._products = products if self._products is None else self._products + products

    def fit(self) -> None:
        """Find w for what was taken in."""
        assert self._gram is not None
        ridge = _RIDGE * self._gram.diagonal().mean() * torch.eye(len(self._gram), dtype=torch.float64)
        assert self._products is not None
        self._weights = torch.linalg.solve(self._gram + ridge, self._products)

    def values(self, rollout: Rollout) -> Values:
        assert self._weights is not None
        yield from ()
        features = self._features(rollout.flat(rollout.observations), rollout.flat(rollout.elapsed))
        seen = rollout.unflat((features @ self._weights).float())
        if self._by_time:
            return seen, torch.zeros_like(seen)
        nothing = torch.zeros(len(rollout.final_observations))
        after = self._features(rollout.final_observations, nothing) @ self._weights
        return seen, rollout.at_cuts(after.float())

    def _features(self, observations: Tensor, elapsed: Tensor) -> Tensor:
        ones = torch.ones(len(observations), 1, dtype=torch.float64)
        columns = [ones]
        if self._discrete is not None:
            columns = [torch.nn.functional.one_hot(observations.long(), self._discrete).double()]
        elif observations[:1].numel() <= _WIDEST:
            seen = observations.flatten(1).double().clamp(-10.0, 10.0)
            columns += [seen, seen.square()]
        if self._by_time:
            time = elapsed.double().unsqueeze(1) / 100.0
            columns += [time, time**2, time**3]
        return torch.cat(columns, 1)


def gradients(
    policy: Policy, rollout: Rollout, pairs: Sequence[Pair], settings: Settings, value: Critic | None
) -> Iterator[tuple[Numbers, float] | None]:
    """ĝ of the batch by each of the pairs, [P], and the seconds that it took; None is a sign of life."""
    for pair in pairs:
        began = time.perf_counter()
        for found in gradient(policy, rollout, estimator_of(pair, settings), value if pair.has_value else None):
            yield None if found is None else (found, time.perf_counter() - began)


def gradient(
    policy: Policy, rollout: Rollout, config: EstimatorConfig, value: Critic | None
) -> Iterator[Numbers | None]:
    """ĝ of the batch by this estimator, [P]; None is a sign of life."""
    batch = yield from alive(estimate(rollout, config, policy, value))
    found = yield from summed(policy, batch, batch.weights())
    if isinstance(batch.baseline, ParameterBaseline):
        scores = yield from summed(policy, batch, batch.state_weights)
        found = found - batch.baseline.amounts.double().numpy() * scores
    yield found


def by_hand(
    policy: Policy, rollout: Rollout, pair: Pair, settings: Settings
) -> Generator[None, None, tuple[Numbers, Numbers, float]]:
    """ĝ without a baseline, the mean scores, [P] each, and the mean credit."""
    batch = yield from alive(estimate(rollout, estimator_of(pair, settings), policy, None))
    found = yield from summed(policy, batch, batch.weights())
    scores = yield from summed(policy, batch, batch.state_weights)
    credit = rollout.unflat(batch.advantages)
    return found, scores, float((credit.sum(0) / rollout.mask.sum(0)).mean())


def summed(policy: Policy, batch: Batch, weights: Tensor) -> Generator[None, None, Numbers]:
    """1/N Σ w ∇ log π(a|s) over all steps of the batch, [P]."""
    parameters = list(policy.parameters())
    found = np.zeros(sum(parameter.numel() for parameter in parameters))
    for chunk in batch.chunks():
        log_probs = policy.over(chunk.observations, chunk.sequences).log_prob(chunk.actions)
        total = (log_probs * weights[chunk.rows]).sum() / batch.divisor
        found += flattened(torch.autograd.grad(total, parameters, materialize_grads=True)).double().numpy()
        yield None
    return found
