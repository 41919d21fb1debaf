"""Policies with two parameters, improved by the program's own rules: their paths across the map of J(θ), in step."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engine.algorithms.planning.exact_ascent import ExactAscentRule
from engine.algorithms.policy_gradient.rule import UpdateInput
from engine.algorithms.policy_gradient.rules import make_rule
from engine.analysis.landscape.worlds import GAMMA, Logits, Pair, World
from engine.collection.collectors import EpisodeCollector
from engine.config import PlanningConfig, PolicyGradientConfig
from engine.config.estimators import EstimatorConfig, NoBaseline, TimeAverageBaseline
from engine.config.planning import ExactGradient, ExactNaturalGradient, ReturnConfig
from engine.config.policies import TabularPolicy
from engine.config.updates import TRPO, GradientAscent, PPOClip, UpdateConfig
from engine.environments.batches.batched import finite_environments
from engine.estimation.estimators import estimate
from engine.experience.batch import Batch
from engine.policies.actor import Actor
from engine.policies.policy import Policy
from engine.runtime.errors import RunError
from engine.runtime.seeds import Seeds

CPU = torch.device("cpu")
DAMPING = 1e-4  # of TRPO's Fisher matrix: on a plateau its entries are small
PPO_RATE, PPO_EPOCHS = 0.05, 10  # of Adam's steps, on the whole batch
_T = TypeVar("_T")

RacerName = Literal["gradient", "stochastic", "natural", "trpo", "ppo"]


@dataclass(frozen=True)
class RaceSettings:
    """How all take their steps; what is sampled is sampled from ``seed``.

    Attributes:
        learning_rate: α of gradient ascent and REINFORCE, > 0.
        natural_rate: α of the natural gradient, > 0.
        max_kl: δ of TRPO in nats, > 0.
        clip_range: ε of PPO, > 0.
        episodes: N, in each batch of REINFORCE, TRPO and PPO.
        stretch: c: all step in φ with θ₁ = φ₁ and θ₂ = c φ₂, as if θ₂ were measured in other units. The map and the
            paths stay in θ.
    """

    learning_rate: float = 0.05
    natural_rate: float = 0.5
    max_kl: float = 0.02
    clip_range: float = 0.2
    episodes: int = 16
    seed: int = 1
    stretch: float = 1.0


class Instant(NamedTuple):
    """Where all are after a step: θ [racers, 2] and the exact J(θ) [racers]."""

    theta: NDArray[np.float64]
    returns: NDArray[np.float64]


class _TwoParameters(nn.Module):
    """φ [2], the θ that it stands for, and the logits that this gives each numbered observation."""

    def __init__(self, logits: Logits, start: Pair, stretch: float) -> None:
        super().__init__()
        self.phi = nn.Parameter(torch.tensor((start[0], start[1] / stretch), dtype=torch.float64))
        self._logits, self._units = logits, (1.0, stretch)

    @property
    def theta(self) -> Tensor:
        return self.phi * self.phi.new_tensor(self._units)

    def forward(self, observations: Tensor) -> Tensor:
        return self._logits(self.theta)[observations]


def policy_of(world: World, start: Pair, stretch: float = 1.0) -> Policy:
    """The world's policy at ``start``, in double precision."""
    policy = Policy(TabularPolicy(), world.info, torch.Generator())
    policy.head = _TwoParameters(world.logits, start, stretch)
    return policy.double()


def theta_of(policy: Policy) -> NDArray[np.float64]:
    """Where a policy of ``policy_of`` is on the map, θ [2]."""
    assert isinstance(policy.head, _TwoParameters)
    theta: NDArray[np.float64] = policy.head.theta.detach().numpy()
    return theta


def done(work: Generator[object, None, _T]) -> _T:
    """What ``work`` returns at its end."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            result: _T = stop.value
            return result


class Racer(Protocol):
    """A policy and what improves it."""

    policy: Policy

    def step(self) -> None:
        """One iteration.

        Raises:
            RunError: a number is no longer finite.
        """


class _Exact:
    """Climbs what is computed from the known dynamics."""

    def __init__(
        self, world: World, start: Pair, update: ExactGradient | ExactNaturalGradient, settings: RaceSettings
    ) -> None:
        self.policy = policy_of(world, start, settings.stretch)
        self._config = PlanningConfig(estimator=ReturnConfig(gamma=GAMMA), update=update)
        self._rule = ExactAscentRule(update, self.policy, world.mdp)
        self._observations = torch.arange(world.mdp.observations)

    def step(self) -> None:
        done(self._rule.update(self._observations, self._config, 0.0))


class SampledRacer:
    """Plays episodes, credits each action with the reward from there on, less the batch's average at the same step, and
    updates as a run does. Where all N episodes are equally long, the mean of its estimate is (1 − 1/N) ∇J."""

    def __init__(self, world: World, start: Pair, update: UpdateConfig, settings: RaceSettings) -> None:
        seeds = Seeds(settings.seed)
        self.policy = policy_of(world, start, settings.stretch)
        # With one episode, the average would be the episode's own return.
        baseline = TimeAverageBaseline() if settings.episodes > 1 else NoBaseline()
        estimator = EstimatorConfig(baseline=baseline, gamma=GAMMA)
        self._config = PolicyGradientConfig(estimator=estimator, update=update)
        environments = finite_environments(world.mdp, seeds.integers(settings.episodes))
        self._collector = EpisodeCollector(environments, world.info, CPU)
        self._actor = Actor(self.policy, seeds.generator(), CPU)
        self._rule = make_rule(self._config, self.policy, seeds.generator(), None)

    def batch(self) -> Batch:
        """Of the policy as it is."""
        rollout, _ = done(self._collector.collect(self._actor))
        return done(estimate(rollout, self._config.estimator, self.policy, None))

    def step(self) -> None:
        done(self._rule.update(UpdateInput(self.batch(), self._config, 0.0)))


def _gradient(world: World, start: Pair, settings: RaceSettings) -> Racer:
    return _Exact(world, start, ExactGradient(optimizer="sgd", learning_rate=settings.learning_rate), settings)


def _natural(world: World, start: Pair, settings: RaceSettings) -> Racer:
    return _Exact(world, start, ExactNaturalGradient(learning_rate=settings.natural_rate), settings)


def _stochastic(world: World, start: Pair, settings: RaceSettings) -> Racer:
    return SampledRacer(world, start, GradientAscent(optimizer="sgd", learning_rate=settings.learning_rate), settings)


def _trpo(world: World, start: Pair, settings: RaceSettings) -> Racer:
    return SampledRacer(world, start, TRPO(max_kl=settings.max_kl, damping=DAMPING, solver="exact"), settings)


def _ppo(world: World, start: Pair, settings: RaceSettings) -> Racer:
    update = PPOClip(
        clip_range=settings.clip_range, epochs=PPO_EPOCHS, minibatch_size=0, learning_rate=PPO_RATE, max_grad_norm=0.0
    )
    return SampledRacer(world, start, update, settings)


@dataclass(frozen=True)
class RacerSpec:
    """``title`` is what a person reads, ``told`` how it goes, ``sampled`` whether episodes are played for it."""

    title: str
    told: str
    sampled: bool
    make: Callable[[World, Pair, RaceSettings], Racer]


RACERS: dict[RacerName, RacerSpec] = {
    "gradient": RacerSpec("Gradient ascent", "θ + α ∇J, exact", False, _gradient),
    "stochastic": RacerSpec("REINFORCE", "θ + α ĝ, of N episodes", True, _stochastic),
    "natural": RacerSpec("Natural gradient", "θ + α F⁻¹∇J, exact", False, _natural),
    "trpo": RacerSpec("TRPO", "the longest step with KL ≤ δ, of N episodes", True, _trpo),
    "ppo": RacerSpec("PPO", "steps within 1 ± ε, of N episodes", True, _ppo),
}


def race(world: World, start: Pair, settings: RaceSettings, racers: Sequence[RacerName]) -> Iterator[Instant]:
    """Where all are at the start, and then after each step that all take; it never ends. Whoever's numbers are no
    longer finite stays where he was."""
    running = [RACERS[name].make(world, start, settings) for name in racers]
    theta = np.array([start] * len(running), np.float64)
    stuck: set[int] = set()
    while True:
        yield Instant(theta.copy(), world.returns(torch.from_numpy(theta)).numpy())
        for index, racer in enumerate(running):
            if index in stuck:
                continue
            try:
                racer.step()
                reached = theta_of(racer.policy)
            except RunError:
                reached = np.full(2, np.nan)
            if np.isfinite(reached).all():
                theta[index] = reached
            else:
                stuck.add(index)
