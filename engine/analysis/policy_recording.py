"""Episodes of a frozen policy, recorded as demonstrations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor

from engine.analysis.playback import PolicySnapshot, thawed
from engine.config.environments import EnvironmentConfig
from engine.environments.batches.interface import SeedableBatch
from engine.environments.batches.rendering import in_this_process, unseen
from engine.environments.making import registry
from engine.experience.demonstrations import Demonstration, Demonstrations
from engine.policies.distributions import EpsilonGreedy
from engine.policies.policy import Policy
from engine.runtime.errors import RequestError, RunError

TOGETHER = 8  # episodes that are played at the same time, where that costs little
TRIES = 20  # episodes that are played for each that is wanted, at most, where a return is asked for
LONGEST = 100_000  # steps, after which an episode is broken off that nothing ends
_ONLY = np.array([0])  # a batch of one


@dataclass(frozen=True)
class Wanted:
    """Which episodes are to be recorded: so many ``episodes``, with the policy's most likely actions (``greedy``) or
    with actions sampled as it acts in training, and of a return of ``at_least`` so much, where that is given. Then at
    most ``tries`` are played, by default ``TRIES`` for each that is wanted."""

    episodes: int = 1
    greedy: bool = False
    at_least: float | None = None
    tries: int | None = None

    def __post_init__(self) -> None:
        if self.episodes < 1:
            raise RequestError(f"At least 1 episode is recorded, not {self.episodes}.")
        if self.tries is not None and self.tries < self.episodes:
            raise RequestError(f"For {self.episodes} episodes at least as many are played, not {self.tries}.")

    @property
    def most(self) -> int:
        """Episodes that are played at most."""
        return self.tries or self.episodes * (1 if self.at_least is None else TRIES)


@dataclass(frozen=True)
class Progress:
    """How far recording has come: episodes ``kept`` of those ``played``, and the ``best`` return of these."""

    kept: int = 0
    played: int = 0
    best: float | None = None


@dataclass(frozen=True)
class Recorded:
    """What has come of it; ``demonstrations`` may have fewer episodes than were wanted, where tries ran out or it was
    stopped, but never none."""

    demonstrations: Demonstrations
    progress: Progress
    wanted: Wanted

    @property
    def sentence(self) -> str:
        """For a person."""
        kept, played, at_least = self.progress.kept, self.progress.played, self.wanted.at_least
        if at_least is None:
            return f"Recorded {_episodes(kept)}."
        missing = f" of the {self.wanted.episodes:,} wanted" if kept < self.wanted.episodes else ""
        return f"Recorded {_episodes(kept)}{missing} with a return of at least {at_least:g}, of {played:,} played."


def record(
    snapshot: PolicySnapshot, wanted: Wanted, seed: int, going_on: Callable[[Progress], bool] = lambda progress: True
) -> Recorded:
    """Record episodes of ``snapshot``, each from a seed of its own that follows from ``seed``.

    Each is begun before it is known how those before it end, and is counted in the order of these beginnings, so that
    short ones, which end sooner, are not kept more often than long ones.

    Args:
        going_on: told how far it has come, after every few steps; recording stops where it returns False.

    Raises:
        RequestError: no episode with such a return was played, or it was stopped before one had ended; the environment
            cannot be made.
        RunError: the environment fails, or the policy's numbers are not finite.
        GivenUp: as ``waited``, while a worker process is waited for.
    """
    for_policy, for_episodes = np.random.SeedSequence(seed).spawn(2)
    seeds = iter(_distinct(for_episodes))
    player = _Player(snapshot, wanted.greedy, int(for_policy.generate_state(1)[0]))
    with ExitStack() as stack:
        lanes = _lanes(snapshot.config.environment, min(wanted.most, TOGETHER), stack)
        told = _play(player, lanes, seeds, wanted, going_on)
    kept = [episode for episode in told.ended.values() if _is_wanted(episode, wanted)][: wanted.episodes]
    progress = _progress(told.ended, wanted)
    if not kept:
        raise RequestError(_nothing(told.stopped, progress, wanted))
    return Recorded(Demonstrations(snapshot.config.environment, tuple(kept)), progress, wanted)


def _nothing(stopped: bool, progress: Progress, wanted: Wanted) -> str:
    if stopped or progress.best is None:
        return "Recording was stopped before an episode that is wanted had ended, so that nothing was kept."
    return (
        f"None of {_episodes(progress.played)} had a return of at least {wanted.at_least:g}, the best had "
        f"{progress.best:g}; ask for less, or record a policy that is better."
    )


@dataclass
class _Lane:
    """An environment and the episode that is played in it, which was the ``number``-th to begin."""

    batch: SeedableBatch
    bounds: tuple[NDArray[Any], NDArray[Any]] | None = None  # of a box of actions, [d] each
    number: int = -1
    seed: int = 0
    observations: list[NDArray[Any]] = field(default_factory=list)  # [1, …] each, one more than actions
    actions: list[NDArray[Any]] = field(default_factory=list)  # […] each
    rewards: list[float] = field(default_factory=list)

    def begin(self, number: int, seed: int) -> None:
        self.number, self.seed = number, seed
        self.observations, self.actions, self.rewards = [self.batch.begin(seed)], [], []

    def step(self, action: NDArray[Any]) -> Demonstration | None:
        """Take a step; the episode, where it has ended. Of an action beyond its bounds, what the environment makes of
        it is recorded: what was done, and not what was drawn."""
        if self.bounds is not None:
            action = np.clip(action, *self.bounds)
        moved = self.batch.step(action[None], _ONLY)
        self.observations.append(moved.observations)
        self.actions.append(action)
        self.rewards.append(float(moved.rewards[0]))
        terminated, truncated = bool(moved.terminated[0]), bool(moved.truncated[0])
        if not (terminated or truncated or len(self.actions) == LONGEST):
            return None
        seen = np.concatenate(self.observations)
        return Demonstration(
            observations=seen[:-1],
            actions=np.stack(self.actions),
            rewards=np.array(self.rewards),
            final_observation=seen[-1],
            terminated=terminated,
            truncated=truncated and not terminated,
            seed=self.seed,
        )


@dataclass
class _Told:
    """What was played: the episodes that ended, by the number of their beginning and in that order."""

    ended: dict[int, Demonstration]
    stopped: bool


class _Player:
    """A policy that acts in several episodes at once, with a memory of its own in each."""

    def __init__(self, snapshot: PolicySnapshot, greedy: bool, seed: int) -> None:
        self._policy: Policy = thawed(snapshot)
        self._iteration, self._greedy = snapshot.iteration, greedy
        self._generator = torch.Generator().manual_seed(seed)
        self._memory: dict[int, Tensor | None] = {}

    def begin(self, lane: int) -> None:
        self._memory[lane] = self._policy.start(1)

    def act(self, lanes: list[int], observations: NDArray[Any]) -> NDArray[Any]:
        """The actions of these lanes, [n, …], as environments take them."""
        held = [memory for lane in lanes if (memory := self._memory[lane]) is not None]
        with torch.inference_mode():
            distribution, memory = self._policy.step(torch.from_numpy(observations), torch.cat(held) if held else None)
            likely = distribution.mode()
            numbers = distribution.values if isinstance(distribution, EpsilonGreedy) else distribution.log_prob(likely)
            if numbers.isnan().any():  # before sampling, which some refuse then
                raise RunError(_NOT_FINITE.format(self._iteration))
            chosen = likely if self._greedy else distribution.sample(self._generator)
            taken: NDArray[Any] = self._policy.to_environment(chosen).numpy()
        if memory is not None:
            self._memory |= {lane: memory[row : row + 1] for row, lane in enumerate(lanes)}
        return taken


def _play(
    player: _Player,
    lanes: list[_Lane],
    seeds: Iterator[int],
    wanted: Wanted,
    going_on: Callable[[Progress], bool],
) -> _Told:
    """Play until enough is kept, or as many were played as may be. An episode that began before the last one that is
    needed is played to its end, since it comes first if it is wanted."""
    ended: dict[int, Demonstration] = {}
    begun = 0
    busy: dict[int, _Lane] = {}
    while True:
        while len(busy) < len(lanes) and begun < wanted.most and not _enough(ended, wanted, begun):
            lane = next(index for index in range(len(lanes)) if index not in busy)
            lanes[lane].begin(begun, next(seeds))
            player.begin(lane)
            busy[lane] = lanes[lane]
            begun += 1
        last = _last_needed(ended, wanted)
        busy = {index: lane for index, lane in busy.items() if last is None or lane.number < last}
        if not busy:
            break
        order = sorted(busy)
        actions = player.act(order, np.concatenate([busy[index].observations[-1] for index in order]))
        for index, action in zip(order, actions, strict=True):
            if (episode := busy[index].step(action)) is not None:
                ended[busy.pop(index).number] = episode
        if not going_on(_progress(ended, wanted)):
            return _Told(dict(sorted(ended.items())), stopped=True)
    last = _last_needed(ended, wanted)
    return _Told(
        {number: episode for number, episode in sorted(ended.items()) if last is None or number <= last}, stopped=False
    )


def _enough(ended: dict[int, Demonstration], wanted: Wanted, begun: int) -> bool:
    """Whether no other episode need begin: all that are wanted are there, or surely will be."""
    return _last_needed(ended, wanted) is not None or (wanted.at_least is None and begun >= wanted.episodes)


def _last_needed(ended: dict[int, Demonstration], wanted: Wanted) -> int | None:
    """The episode after which as many as are wanted have been found; None where they have not."""
    numbers = sorted(number for number, episode in ended.items() if _is_wanted(episode, wanted))
    return numbers[wanted.episodes - 1] if len(numbers) >= wanted.episodes else None


def _progress(ended: dict[int, Demonstration], wanted: Wanted) -> Progress:
    returns = [episode.total_return for episode in ended.values() if episode.total_return is not None]
    kept = sum(_is_wanted(episode, wanted) for episode in ended.values())
    return Progress(min(kept, wanted.episodes), len(returns), max(returns, default=None))


def _is_wanted(episode: Demonstration, wanted: Wanted) -> bool:
    total = episode.total_return
    return wanted.at_least is None or (total is not None and total >= wanted.at_least)


def _lanes(environment: EnvironmentConfig, count: int, stack: ExitStack) -> list[_Lane]:
    """Environments that play at the same time, to be closed by ``stack``: one in a worker process of its own where its
    code is from elsewhere, else several in this one, for which a policy is then computed at once."""
    lanes = []
    known = registry.is_known(environment.id)
    for _ in range(count if known else 1):
        made = in_this_process(environment) if known else unseen(environment)
        stack.callback(_close, made.stepped)
        lanes.append(_Lane(made.stepped, _bounds(made.rendering.action_space)))
    return lanes


def _bounds(space: Any) -> tuple[NDArray[Any], NDArray[Any]] | None:
    if not isinstance(space, spaces.Box):
        return None
    return space.low.reshape(-1).astype(np.float32), space.high.reshape(-1).astype(np.float32)


def _close(batch: SeedableBatch) -> None:
    with suppress(RunError):  # how it takes that is of no interest to anybody any more
        batch.close()


def _distinct(sequence: np.random.SeedSequence) -> Iterator[int]:
    generator, seen = np.random.default_rng(sequence), set[int]()
    while True:
        seed = int(generator.integers(2**31))
        if seed not in seen:
            seen.add(seed)
            yield seed


def _episodes(count: int) -> str:
    return f"{count:,} episode{'' if count == 1 else 's'}"


_NOT_FINITE = (
    "The policy of iteration {} gives numbers that are not finite, so it has no action to play; a smaller learning "
    "rate usually keeps them finite."
)
