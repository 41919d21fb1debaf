"""Episodes in which somebody else acts, step by step and with pictures, kept as demonstrations; importable without
torch."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.config.environments import EnvironmentConfig
from engine.environments.batches.rendering import rendered
from engine.experience.demonstrations import Demonstration
from engine.reports.frames import Frame, Image
from engine.runtime.errors import RunError

if TYPE_CHECKING:  # with torch
    from engine.analysis.beginnings import InState

_ONLY = np.array([0])  # a batch of one


class ManualPlay:
    """One environment, as it is changed by its configuration, stepped by the actions that are given to it.

    In a worker process wherever one can make it: what hangs or crashes there is one sentence here.

    Raises:
        RequestError: on construction, when the environment cannot be made.
        RunError: on construction, when it cannot be made to give pictures, or making it takes its worker process down;
            from ``begin`` and ``step``, when it raises, hangs, takes that down or gives no picture. What was played
            until then is kept.
        GivenUp: as ``waited``, while a worker process is waited for.
    """

    def __init__(self, environment: EnvironmentConfig) -> None:
        self.environment = environment
        self._rendered = rendered(environment)
        self._episode = 0
        self._forget(0)

    def _forget(self, seed: int | None) -> None:
        self._seed = seed
        self._observations: list[NDArray[Any]] = []  # [1, …] each, one more than there are actions
        self._actions: list[NDArray[Any]] = []
        self._rewards: list[float] = []
        self._return = 0.0
        self._terminated = self._truncated = False

    @property
    def frames_per_second(self) -> float:
        """The environment's own rate, one frame per step."""
        return self._rendered.frames_per_second

    @property
    def under_way(self) -> bool:
        """Whether an episode has begun and not ended."""
        return bool(self._observations) and not (self._terminated or self._truncated)

    def begin(self, seed: int) -> Frame:
        """Begin an episode from ``seed``, in place of what was played before."""
        self._forget(seed)
        self._observations.append(self._rendered.stepped.begin(seed))
        self._episode += 1
        return self._frame(self._render())

    def begin_in(self, beginning: InState) -> Frame:
        """Begin an episode in a state. It has no seed that leads there, and its return is none of a whole episode."""
        self._forget(None)
        self._observations.append(self._rendered.stepped.begin_in(beginning.state, beginning.earlier))
        self._episode += 1
        return self._frame(self._render())

    def step(self, action: NDArray[Any], render: bool = True) -> Frame:
        """Take ``action`` [...], as a row of what ``EnvironmentBatch`` takes; the frame of the state thus reached.

        A picture is made when ``render`` asks for it, and always of an episode's final state.

        Raises:
            ValueError: no episode is under way.
        """
        if not self.under_way:
            raise ValueError("No episode is under way; begin one before taking steps in it.")
        moved = self._rendered.stepped.step(action[None], _ONLY)
        self._rewards.append(float(moved.rewards[0]))
        self._return += self._rewards[-1]
        self._actions.append(action)
        self._observations.append(moved.observations)
        self._terminated, self._truncated = bool(moved.terminated[0]), bool(moved.truncated[0])
        return self._frame(self._render() if render or not self.under_way else None)

    def led_by(self, seed: int, actions: NDArray[Any], pictures: int) -> list[Frame]:
        """Begin an episode from ``seed`` and take ``actions`` [t, …]; the last ``pictures`` frames of what it comes to,
        fewer where there are not so many.

        Raises:
            RunError: as ``step``; or the episode is over before all have been taken, so that it is another one.
        """
        frames = [self.begin(seed)]
        for taken, action in enumerate(actions, start=1):
            if not self.under_way:
                raise RunError(f"{self.environment.id} does not do again what it did, so there is no picture of this.")
            frames.append(self.step(action, render=taken > len(actions) - pictures))
        return [frame for frame in frames[-pictures:] if frame.image is not None]

    @property
    def observation(self) -> NDArray[Any]:
        """What is observed now [...], as ``EnvironmentBatch`` gives it in a row."""
        last: NDArray[Any] = self._observations[-1][0]
        return last

    def demonstration(self) -> Demonstration | None:
        """The episode as far as it was played; None where no step was taken."""
        if not self._actions:
            return None
        seen = np.concatenate(self._observations)
        return Demonstration(
            observations=seen[:-1],
            actions=np.stack(self._actions),
            rewards=np.array(self._rewards, np.float64),
            final_observation=seen[-1],
            terminated=self._terminated,
            truncated=self._truncated and not self._terminated,
            seed=self._seed,
        )

    def close(self) -> None:
        """Free the environment; how it takes that is of no interest to anybody any more."""
        with suppress(RunError):
            self._rendered.stepped.close()

    def _render(self) -> Image:
        image: Image = self._rendered.rendering.render(0)
        return image

    def _frame(self, image: Image | None) -> Frame:
        seen = self._observations[-1]
        return Frame(
            image=image,
            step=len(self._actions),
            decision=None,
            reward_so_far=self._return,
            terminated=self._terminated,
            truncated=self._truncated,
            iteration=0,
            episode=self._episode,
            state=int(seen[0]) if seen.ndim == 1 else None,
        )
