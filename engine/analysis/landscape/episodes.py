"""The returns of many neighbouring policies in the same episodes: one environment's chance, one policy's luck, for all.

Each of E episodes has a seed of the environment's and a stream of random numbers that actions are drawn with, and both
are the same for every policy: common random numbers. What differs between two returns is then due to the policies far
more than to luck, and a small step is told from none by few episodes.

Source: Ng & Jordan (2000), "PEGASUS", for policies compared over the same random numbers.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Generator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import stdtrit
from torch import Tensor

from engine.analysis.playback import PolicySnapshot, thawed
from engine.catalogue.methods.distribution import policy_of
from engine.config.environments import EnvironmentConfig
from engine.config.policies import PolicyConfig
from engine.environments.batches.batched import batched
from engine.environments.batches.interface import EnvironmentBatch
from engine.environments.batches.make import make_batch
from engine.environments.making import registry
from engine.environments.making.lookup import inspect
from engine.networks.optimizers import ParameterVector
from engine.policies.actor import NOT_FINITE
from engine.policies.distributions import (
    Categorical,
    DiagonalGaussian,
    Distribution,
    TanhGaussian,
)
from engine.policies.policy import Policy
from engine.runtime.errors import RunError
from engine.training.many_seeds.actor import StackedNetworks, activation_of
from engine.training.many_seeds.refusal import STACKED

LONGEST = 20_000  # steps, after which an episode is cut off that nothing ends
TOGETHER, FEW = 1024, 128  # environments of our own that are stepped at once, few where networks are not stacked
_SIGN_EVERY = 16  # steps

Returns = NDArray[np.float64]
"""Undiscounted sums of raw rewards, [policies, episodes]."""


class CommonEpisodes:
    """Plays ``episodes`` episodes of each policy that it is given the parameters of.

    Args:
        snapshot: what the policies are like, and where they act.
        seed: of the environments and of the actions.

    Raises:
        RequestError: as ``inspect`` and ``make_batch``.
    """

    def __init__(self, snapshot: PolicySnapshot, episodes: int, seed: int) -> None:
        self.episodes, environment = episodes, played_here(snapshot.config.environment)
        self._space = inspect(environment.id, environment.options, environment.patience).observation
        for_environments, for_actions = np.random.SeedSequence(seed).spawn(2)
        self._seeds = for_environments.generate_state(episodes, np.uint32).tolist()
        self._actions = int(for_actions.generate_state(1, np.uint32)[0])
        self._kind, self._first = policy_of(snapshot.config, snapshot.environment), thawed(snapshot)
        self._stacked = self._kind.kind in STACKED and self._first.epsilon is None
        self._copies: list[tuple[Policy, ParameterVector]] = []
        ours = batched(environment, self._seeds[:1]) is not None
        self._environment = environment
        self.together = max((TOGETHER if self._stacked else FEW) // episodes, 1) if ours else 1
        """How many policies are played at once, at most."""

    def returns(self, parameters: Tensor) -> Generator[None, None, Returns]:
        """Of the policies with these ``parameters`` [K, P]; yields signs of life.

        Raises:
            RunError: the environment fails, or a policy's numbers are not finite.
        """
        acting = _Acting(self._policies(parameters), self.episodes, self._actions)
        if self._stacked:
            acting.stack(self._kind, parameters)
        batch, _ = make_batch(self._environment, self._space, self._seeds * len(parameters))
        try:
            return (yield from self._played(batch, acting))
        finally:
            batch.close()

    def _policies(self, parameters: Tensor) -> list[Policy]:
        """One for each row; of those that are stacked, only what is not learned is asked for."""
        if self._stacked:
            return [self._first] * len(parameters)
        while len(self._copies) < len(parameters):
            policy = copy.deepcopy(self._first)
            self._copies.append((policy, ParameterVector(policy.parameters())))
        for (_, vector), row in zip(self._copies, parameters, strict=False):
            vector.values.copy_(row)
        return [policy for policy, _ in self._copies[: len(parameters)]]

    def _played(self, batch: EnvironmentBatch, acting: _Acting) -> Generator[None, None, Returns]:
        rows = batch.size
        running = np.arange(rows)
        observations = batch.reset(running)
        found = np.zeros(rows)
        for step in range(LONGEST):
            if step % _SIGN_EVERY == 0:
                yield
            actions = acting.act(observations, step)
            moved = batch.step(actions[running], running)
            found[running] += moved.rewards
            observations[running] = moved.observations
            running = running[~(moved.terminated | moved.truncated)]
            if not len(running):
                break
        return found.reshape(-1, self.episodes)


def played_here(environment: EnvironmentConfig) -> EnvironmentConfig:
    """The same, stepped in this process where that is without danger: it is made anew for every place, and processes
    take long to begin."""
    if not registry.is_known(environment.id):
        return environment
    ours = batched(environment, [0]) is not None
    return environment.model_copy(update={"stepping": "auto" if ours else "in-process"})


class _Acting:
    """Chooses the actions of all episodes of some policies, [policies · episodes], with the same luck for each of
    them."""

    def __init__(self, policies: Sequence[Policy], episodes: int, seed: int) -> None:
        self._policies, self._episodes = policies, episodes
        self._generator, self._seed = torch.Generator(), seed
        self._memory = [policy.start(episodes) for policy in policies]
        self._networks: StackedNetworks | None = None
        self._log_std: Tensor | None = None

    def stack(self, kind: PolicyConfig, parameters: Tensor) -> None:
        """Compute the networks with these ``parameters`` [K, P] as one."""
        one, spreads = copy.deepcopy(self._policies[0]), list[Tensor]()
        vector = ParameterVector(one.parameters())
        self._networks = StackedNetworks(self._policies, self._episodes, activation_of(kind))
        for number, row in enumerate(parameters):
            vector.values.copy_(row)
            self._networks.refresh(number, one)
            if one.log_std is not None:
                spreads.append(one.log_std.detach().repeat(self._episodes, 1))
        self._log_std = torch.cat(spreads) if spreads else None

    def act(self, observations: NDArray[Any], step: int) -> NDArray[Any]:
        """What the environments take at this step."""
        with torch.inference_mode():
            actions = self._chosen(torch.from_numpy(observations), step)
        if actions.dtype.kind == "f" and not np.isfinite(actions).all():
            raise RunError(NOT_FINITE)
        return actions

    def _chosen(self, seen: Tensor, step: int) -> NDArray[Any]:
        if self._networks is not None:
            distribution = self._policies[0].distribution(self._networks.outputs(seen), self._log_std)
            chosen = self._drawn(distribution, step, len(self._policies))
        else:
            each = []
            for number, (policy, part) in enumerate(
                zip(self._policies, torch.split(seen, self._episodes), strict=True)
            ):
                distribution, self._memory[number] = policy.step(part, self._memory[number])
                each.append(self._drawn(distribution, step, 1))
            chosen = torch.cat(each)
        actions: NDArray[Any] = self._policies[0].to_environment(chosen).numpy()
        return actions

    def _drawn(self, distribution: Distribution, step: int, times: int) -> Tensor:
        """Actions, of which those of the e-th episode are drawn with the same random numbers ``times`` over."""
        generator = self._generator.manual_seed(self._seed + step)
        if isinstance(distribution, Categorical):
            luck = torch.rand(self._episodes, generator=generator).repeat(times)
            return by_inversion(distribution.probabilities, luck)
        if isinstance(distribution, DiagonalGaussian | TanhGaussian):
            size = distribution.mode().shape[-1]
            return distribution.at(torch.randn(self._episodes, size, generator=generator).repeat(times, 1))
        if times == 1:
            return distribution.sample(generator)
        parts = []
        for part in range(times):
            rows = distribution.rows(slice(part * self._episodes, (part + 1) * self._episodes))
            parts.append(rows.sample(generator.manual_seed(self._seed + step)))  # from where it was
        return torch.cat(parts)


def by_inversion(probabilities: Tensor, uniforms: Tensor) -> Tensor:
    """The action in whose share of [0, 1) each number falls, int64 [n], of probabilities [n, A]: the first a with
    Σ_{b≤a} π(b) > u. A small change of the policy changes few actions."""
    cumulative = probabilities.cumsum(-1)
    beyond = (cumulative <= uniforms.unsqueeze(-1)).sum(-1)
    return beyond.clamp_(max=probabilities.shape[-1] - 1)


# --- what they tell ---------------------------------------------------------------------------------------------------


class Mean(NamedTuple):
    """A mean of n numbers and half of its 95 % interval by Student's t, 0 where all are the same."""

    value: float
    half_width: float


def mean_of(numbers: NDArray[np.float64]) -> Mean:
    """The mean of independent ``numbers`` [n], n ≥ 2."""
    count = len(numbers)
    spread = float(numbers.std(ddof=1)) / math.sqrt(count)
    return Mean(float(numbers.mean()), student(count - 1) * spread)


def student(freedom: int) -> float:
    """The 97.5 % quantile of Student's t with so many degrees of freedom."""
    return float(stdtrit(freedom, 0.975))
