"""An environment of Gymnasium's with what it takes to bring another one to where it is.

What is inside an environment cannot be read in general. But it got there from a beginning that can be, the seed or the
state of its generator, by actions that are known: the same ones lead there again, bit for bit, wherever chance comes
from that generator alone. Where they do not, it shows in what is observed in the end and in the generator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from engine.environments.making.foreign import layer_of
from engine.environments.making.registry import Environment
from engine.environments.making.set_state import put
from engine.runtime.state import State


class RecordedEnvironment:
    """One environment, which remembers how its episode began and what has been done in it since. It is seeded once, at
    its first ``reset``, and again wherever an episode is to ``begin`` from a seed."""

    def __init__(self, environment: Environment, seed: int) -> None:
        self.environment, self._made_with, self._seed = environment, seed, seed
        self._foreign = layer_of(environment)
        self._episodes = 0  # begun so far
        self._before: State | None = None  # its chance when this one began; None where the seed settles it
        self._actions: list[Any] = []
        self._observation: Any = None
        self._over = True

    def reset(self) -> Any:
        """Begin an episode; its first observation."""
        if self._episodes == 0:
            return self.begin(self._seed)
        before = self._chance()
        return self._begun(before, self.environment.reset(seed=None)[0])

    def begin(self, seed: int) -> Any:
        """Begin an episode from ``seed``; its first observation."""
        self._seed = seed
        return self._begun(None, self.environment.reset(seed=seed)[0])

    def begin_in(self, id: str, state: NDArray[Any]) -> Any:
        """Begin an episode in ``state`` of this environment, whose ``id`` that is; its first observation. No other one
        is led there: loading its state breaks the episode off."""
        self.reset()
        self._observation = put(self.environment, id, state)
        return self._observation

    def _begun(self, before: State | None, observation: Any) -> Any:
        self._episodes += 1
        self._before, self._actions, self._observation, self._over = before, [], observation, False
        return observation

    def step(self, action: Any) -> Any:
        """Take one step; what the environment gives."""
        given = action if isinstance(action, int) else action.copy()  # which the environment may write to
        result = self.environment.step(action)
        self._actions.append(given)
        self._observation = result[0]
        self._over = result[2] or result[3]
        if self._over:  # nothing of it is needed any more
            self._before, self._actions, self._observation = None, [], None
        return result

    def state(self) -> State:
        """How the episode under way began and went on, and where the random numbers are."""
        if self._episodes == 0:
            return {"episodes": 0}
        now = self._chance()
        seeded = {} if self._seed == self._made_with else {"seed": self._seed}
        if self._over:
            return {"episodes": self._episodes, "now": now, **seeded}
        return {
            "episodes": self._episodes,
            "now": now,
            **seeded,
            "before": self._before,
            "actions": np.array(self._actions),
            "observation": np.array(self._observation),
        }

    def load(self, state: Mapping[str, Any], alive: Callable[[], None]) -> bool:
        """Go on from ``state``; False where its episode breaks off, and only the next ones go on as they would have.

        ``alive`` is called before each call of the environment.
        """
        self._episodes, self._over = state["episodes"], True
        self._seed = state.get("seed", self._made_with)
        if self._episodes == 0:
            return True
        under_way = "actions" in state
        if under_way:
            with suppress(Exception):  # what has worked before does not now, so it is not the same any more
                if self._repeat(state, alive):
                    return True
        self._restart(state["now"], alive)
        return not under_way

    def _repeat(self, state: Mapping[str, Any], alive: Callable[[], None]) -> bool:
        """Play the episode of ``state`` again; whether that has led there."""
        if state["before"] is not None:
            self._restart(state["before"], alive)
        alive()
        observation = self.environment.reset(seed=self._seed if state["before"] is None else None)[0]
        discrete = isinstance(self.environment.action_space, spaces.Discrete)
        actions = state["actions"].tolist() if discrete else list(state["actions"])
        for action in actions:
            alive()
            observation = self.environment.step(action)[0]
        self._before, self._actions, self._observation, self._over = state["before"], actions, observation, False
        return _equal(np.array(observation), state["observation"]) and _equal(self._chance(), state["now"])

    def _restart(self, chance: State, alive: Callable[[], None]) -> None:
        """Make it ready for an episode that begins with this chance."""
        alive()
        # A seed that no other episode has, for environments that hold other random numbers as well.
        self.environment.reset(seed=int(np.random.SeedSequence([self._seed, self._episodes]).generate_state(1)[0]))
        bare: Any = self.environment.unwrapped
        if chance["generator"] is not None:
            bare.np_random.bit_generator.state = chance["generator"]
        if "emulator" in chance:
            emulator = type(bare.ale.cloneState())
            bare.ale.restoreState(emulator(chance["emulator"].tobytes()))
        if self._foreign is not None:
            self._foreign.load(chance)
        self._over = True

    def _chance(self) -> State:
        """Where its random numbers are."""
        return chance(self.environment) if self._foreign is None else chance(self.environment) | self._foreign.state()


def chance(environment: Environment) -> State:
    """Where the random numbers of an environment are; None for a generator of another kind than Gymnasium's."""
    bare: Any = environment.unwrapped
    bits = None
    with suppress(Exception):  # whatever an environment from elsewhere has in its place
        bits = bare.np_random.bit_generator
    found: State = {"generator": None if bits is None else bits.state}
    if hasattr(bare, "ale"):  # Atari games draw others inside the emulator
        found["emulator"] = np.frombuffer(bare.ale.cloneState(include_rng=True).serialize(), np.uint8).copy()
    return found


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(_equal(value, other[name]) for name, value in one.items())
    return bool(np.array_equal(one, other))
