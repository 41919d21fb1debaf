"""Returns of a frozen policy, played out many times from chosen states: what these are worth, without learning."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.analysis.learned_values import acts_greedily
from engine.analysis.playback import PolicySnapshot, thawed
from engine.catalogue.environments import ENVIRONMENTS
from engine.config import RunConfig
from engine.config.environments import EnvironmentConfig
from engine.environments.batches.batched import BatchedEnvironments, batched
from engine.environments.batches.changed import ChangedBatch, with_changes
from engine.environments.making.known_dynamics import finite_mdp
from engine.environments.making.state_spaces import STATE_SPACES
from engine.policies.distributions import EpsilonGreedy
from engine.policies.policy import Policy
from engine.runtime.errors import RequestError

_LEFT = 1e-3  # of a reward's weight, at which what comes later is left out
_LONGEST = 7_000  # steps that are played at most, which is enough up to γ = 0.999
_TOGETHER = 1_024  # episodes that are played side by side, where not already states are more
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Returns:
    """``mean`` of the returns of ``episodes`` episodes from each of n states, [n], and its standard error [n], NaN of
    one episode."""

    mean: Numbers
    error: Numbers
    episodes: int


def why_not_rolled_out(environment: EnvironmentConfig) -> str:
    """Why no returns can be played from chosen states, in a sentence; empty where they can."""
    if environment.id in STATE_SPACES or finite_mdp(environment.id, environment.options) is not None:
        return ""
    return (
        "Returns from chosen states are played where the equations are the program's own, thousands of episodes at "
        "once: in classic control and in finite worlds."
    )


def horizon(config: RunConfig, time_limit: int | None) -> int:
    """After how many steps a return is cut off: when γᵗ has come down to a thousandth, and without discounting at the
    time limit. The limit does not count else, as values that bootstrap at it know nothing of it."""
    gamma = config.estimator.gamma
    if gamma < 1.0:
        steps = math.ceil(math.log(_LEFT) / math.log(gamma)) if gamma > 0.0 else 1
        return min(steps, _LONGEST)
    return min(time_limit or _LONGEST, _LONGEST)


def rolled_out(
    snapshot: PolicySnapshot,
    states: NDArray[np.generic],
    episodes: int,
    seed: int,
    going_on: Callable[[float], bool] = lambda share: True,
) -> Iterator[Returns]:
    """Play ``episodes`` of ``snapshot`` from each of ``states``, in rounds of several; all so far after each round.

    G = Σ_{t<H} γᵗ r_t, with the rewards as learning sees them but for normalising, and H = ``horizon``. Actions are
    drawn from the policy as it acts, or greedy where values are (``acts_greedily``).

    Args:
        states: as the dynamics have them, float64 [n, d] or int64 [n].
        going_on: told the share that has been played, every few steps; it ends where that returns False.

    Raises:
        RequestError: states of this environment cannot be set to so many at once.
    """
    config, environment = snapshot.config, snapshot.environment
    problem = why_not_rolled_out(config.environment)
    if problem:
        raise RequestError(problem)
    steps = horizon(config, environment.time_limit)
    each = min(episodes, max(1, _TOGETHER // len(states)))  # in a round
    play = _Play(snapshot, np.concatenate([states] * each), steps, seed)
    mean, off, count = np.zeros(len(states)), np.zeros(len(states)), 0
    while count < episodes:
        played = play.round(lambda share, before=count: going_on((before + each * share) / episodes))  # type: ignore[misc]
        if played is None:
            return
        for returns in played.reshape(each, len(states))[: episodes - count]:
            count += 1
            step = returns - mean
            mean = mean + step / count
            off += step * (returns - mean)  # the sum of squares around the mean (Welford, 1962)
        error = np.sqrt(off / (count - 1) / count) if count > 1 else np.full(len(states), np.nan)
        yield Returns(mean, error, count)


class _Play:
    """Environments of one kind, one for each state, and a policy that acts in all of them at once."""

    def __init__(self, snapshot: PolicySnapshot, states: NDArray[np.generic], steps: int, seed: int) -> None:
        config, environment = snapshot.config, snapshot.environment
        self._config, self._states, self._steps = config, states.T, steps
        self._policy: Policy = thawed(snapshot)
        for_play, for_actions = np.random.SeedSequence(seed).spawn(2)
        self._generator = torch.Generator().manual_seed(int(for_actions.generate_state(1)[0]))
        seeds = for_play.generate_state(len(states)).tolist()
        batch = batched(config.environment.model_copy(update={"time_limit": steps}), seeds)
        assert batch is not None
        plain = ENVIRONMENTS[config.environment.id].observation
        space = environment.observation if plain.kind == "discrete" else plain
        self._batch: BatchedEnvironments | ChangedBatch = with_changes(batch, config.environment, space, seeds)

    @torch.inference_mode()
    def round(self, going_on: Callable[[float], bool]) -> Numbers | None:
        """An episode from each state: the returns [n]; None where it was not to go on."""
        changes, gamma = self._config.environment, self._config.estimator.gamma
        returns = np.zeros(self._states.shape[-1])
        observations = self._batch.begin_all_in(self._states)
        running = np.arange(len(returns))
        memory = self._policy.start(len(returns))
        weight = 1.0
        for step in range(self._steps):
            if step % 20 == 0 and not going_on(step / self._steps):
                return None
            actions, memory = self._act(torch.from_numpy(observations), memory)
            moved = self._batch.step(actions, running)
            returns[running] += weight * (changes.reward_scale * moved.rewards + changes.reward_offset)
            weight *= gamma
            going = ~(moved.terminated | moved.truncated)
            if not going.any():
                break
            observations, running = moved.observations[going], running[going]
            memory = None if memory is None else memory[torch.from_numpy(going)]
        return returns

    def _act(self, observations: Tensor, memory: Tensor | None) -> tuple[NDArray[np.generic], Tensor | None]:
        distribution, memory = self._policy.step(observations, memory)
        greedy = isinstance(distribution, EpsilonGreedy) and acts_greedily(self._config)
        chosen = distribution.mode() if greedy or self._policy.deterministic else distribution.sample(self._generator)
        return self._policy.to_environment(chosen).numpy(), memory
