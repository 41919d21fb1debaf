"""Small environments with known behaviour, and shorthands for configurations, shared by the engine's tests."""

from __future__ import annotations

import time
from typing import Any, TypeVar

import gymnasium
import numpy as np
from gymnasium import spaces

from engine.catalogue.methods.specs import RULE_SPECS, UPDATE_SPECS
from engine.config import PolicyGradientConfig, RunConfig
from engine.config.parameters import with_values
from engine.reports.events import Collected, Estimated, Event, Updated
from engine.training.training import Training

_T = TypeVar("_T")


class Toy(gymnasium.Env[Any, Any]):
    """An environment whose episodes have the given lengths in turn; ``what`` says how it misbehaves or looks.

    Episode k of an environment has length ``lengths[k % len(lengths)]``, or a random one of them where ``shuffled``.
    """

    received: list[Any] = []  # noqa: RUF012 - every action that any Toy was given; cleared by the test that reads it

    def __init__(
        self,
        lengths: tuple[int, ...] = (3,),
        shuffled: bool = False,
        reward: Any = 1.0,
        what: str = "",
        observation: Any = None,
        action: Any = None,
        truncates: bool = False,
        render_mode: str | None = None,
    ) -> None:
        if what == "raises in init":
            raise OSError("no such rom.\nLook elsewhere.")
        if what == "misses a package":
            raise ModuleNotFoundError("No module named 'frobnicate'", name="frobnicate.core")
        self.observation_space = spaces.Box(-1.0, 1.0, (2,)) if observation is None else observation
        self.action_space = spaces.Discrete(2) if action is None else action
        self._lengths, self._shuffled, self._reward = lengths, shuffled, reward
        self._what, self._truncates = what, truncates
        self._episode = -1

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        if self._what == "raises in reset":
            raise OSError("the level file is gone")
        self._episode += 1
        turn = int(self.np_random.integers(len(self._lengths))) if self._shuffled else self._episode
        self._left = self._lengths[turn % len(self._lengths)]
        return self._observe(), {}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        Toy.received.append(action)
        if self._what.startswith("raises in episode") and self._episode == int(self._what.split()[-1]):
            raise ZeroDivisionError("division by zero")
        if self._what == "sleeps":
            time.sleep(0.005)
        self._left -= 1
        ended = self._left == 0 and self._what != "never ends"
        return self._observe(), self._reward, ended and not self._truncates, ended and self._truncates, {}

    def _observe(self) -> Any:
        return self.observation_space.sample() if self._what != "ones" else np.ones(2, np.float32)


class Unrendered(Toy):
    """An environment that has never heard of rendering, like many a home-made one."""

    def __init__(self) -> None:
        super().__init__()


class Bandit(gymnasium.Env[Any, Any]):
    """One step, two arms: arm 1 pays 1."""

    observation_space = spaces.Discrete(1)
    action_space = spaces.Discrete(2)

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        return 0, {}

    def step(self, action: int) -> tuple[int, int, bool, bool, dict[str, Any]]:
        return 0, int(action == 1), True, False, {}


class Corridor(gymnasium.Env[Any, Any]):
    """Six states in a row from 0; going right from the last pays 10 and ends; every step costs 1; at most 30 steps."""

    observation_space = spaces.Discrete(6)
    action_space = spaces.Discrete(2)

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self._position = 0
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        self._position = max(0, self._position + (1 if action == 1 else -1))
        if self._position == 6:
            return 5, 10.0, True, False, {}
        return self._position, -1.0, False, False, {}


class Recall(gymnasium.Env[Any, Any]):
    """A cue of 0 or 1 is shown once, then two steps of nothing; 1 for the last action if it equals the cue."""

    observation_space = spaces.Discrete(3)
    action_space = spaces.Discrete(2)

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self._cue, self._steps = int(self.np_random.integers(2)), 0
        return self._cue, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        self._steps += 1
        over = self._steps == 3
        return 2, float(over and action == self._cue), over, False, {}


class Target(gymnasium.Env[Any, Any]):
    """One step: the state is a number in [−1, 1], and the best action is (2 s, −s)."""

    observation_space = spaces.Box(-1.0, 1.0, (1,))
    action_space = spaces.Box(-np.inf, np.inf, (2,))

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._state = self.np_random.uniform(-1.0, 1.0, 1).astype(np.float32)
        return self._state, {}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        best = np.concatenate((2.0 * self._state, -self._state)).astype(np.float64)
        return self._state, -np.square(action - best).sum(), True, False, {}


def register(id: str, entry_point: Any = Toy, limit: int | None = None, **kwargs: Any) -> str:
    """Register a test environment and return its id."""
    gymnasium.registry.pop(id, None)
    gymnasium.register(id, entry_point=entry_point, max_episode_steps=limit, kwargs=kwargs)
    return id


# The rules, and the named algorithms, by which a policy's own parameters climb a gradient.
CLIMBING = [*UPDATE_SPECS, "exact-gradient"]
CLIMBING_ALGORITHMS = [entry.id for rule in CLIMBING for entry in RULE_SPECS[rule].algorithms]


def configured(**values: Any) -> RunConfig:
    """The default configuration, on the CPU with small networks; ``update__optimizer`` stands for the dotted path."""
    small = with_values(
        PolicyGradientConfig(),
        {
            "device": "cpu",
            "policy.hidden_sizes": (8,),
            "estimator.baseline.hidden_sizes": (8,),
            "collection.episodes_per_update": 4,
            "budget.environment_steps": 200,
        },
    )
    for path, value in values.items():
        small = with_values(small, {path.replace("__", "."): value})
    return small


# What is told of numbers that are computed twice, and the most that it may come to in a run that is as it should be:
# rounding, and of actions, which are drawn by chance, some standard deviations.
COMPUTED_TWICE = {
    **dict.fromkeys(
        ("policy_drift", "credit_error", "cut_error", "objective_error", "value_pull", "density_error"), 1e-4
    ),
    "likelihood_gap": 6.0,
}


def reported(update: Updated) -> set[str]:
    """The metrics that are defined in an iteration, but for what is computed twice in some."""
    return {name for name, value in update.metrics.items() if value is not None} - COMPUTED_TWICE.keys()


def events_of(config: RunConfig) -> list[Event]:
    """Every event of a whole run."""
    training = Training(config)
    try:
        return list(training)
    finally:
        training.close()


def updates_of(config: RunConfig) -> list[Updated]:
    return [event for event in events_of(config) if isinstance(event, Updated)]


def collections_of(config: RunConfig) -> list[Collected]:
    return [event for event in events_of(config) if isinstance(event, Collected)]


def estimates_of(config: RunConfig) -> list[Estimated]:
    return [event for event in events_of(config) if isinstance(event, Estimated)]


TIMINGS = ("seconds", "steps_per_second")


def untimed(update: Updated) -> dict[str, float | None]:
    """What an iteration reports, less what depends on the clock."""
    return {name: value for name, value in update.report().items() if name not in TIMINGS}
