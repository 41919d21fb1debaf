"""An episode that was recorded, shown again frame by frame: from its seed, by its actions, through the environment that
gives the pictures, with a look at every step at whether what is observed is what was recorded. Importable without
torch."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.config.environments import EnvironmentConfig
from engine.environments.batches.interface import Transitions
from engine.environments.batches.rendering import Rendered, rendered
from engine.experience.demonstrations import Demonstration
from engine.reports.frames import Image
from engine.runtime.errors import RunError

NO_SEED = "This episode has no seed, with which alone pictures can be made of it; what was observed and done is there."
_KEPT = 40  # pictures that are remembered, so that steps back cost nothing
_NEAR = 1e-4  # how far numbers may be apart, of their size: another machine may round otherwise
_ONLY = np.array([0])  # a batch of one


@dataclass(frozen=True)
class ReplayFrame:
    """The moment of an episode before its step ``step``, counted from 0, or behind its last.

    ``image`` is [height, width, 3], None where there is none; ``problem`` says why not, in a sentence. ``observation``
    [...] is what was recorded, None behind the last step where nothing was; ``action`` [...] is what was done next,
    None behind the last step, and ``reward`` what it paid. ``return_so_far`` is the sum of the rewards before.
    """

    step: int
    image: Image | None
    observation: NDArray[Any] | None
    action: NDArray[Any] | None
    reward: float | None
    return_so_far: float | None
    problem: str = ""


class Replay:
    """One episode in ``environment``, in a worker process wherever one can make it. The environment is made when the
    first picture is asked for.

    A step back begins the episode anew, and takes all steps up to there without pictures; the latest are remembered.
    Where the environment no longer does what was recorded, as another version of it may, no picture is shown from
    there on: it would be of another episode.

    Raises:
        GivenUp: from ``frame``, as ``waited``, while a worker process is waited for.
    """

    def __init__(self, environment: EnvironmentConfig, episode: Demonstration) -> None:
        self._environment, self._episode = environment, episode
        self._made: Rendered | None = None
        self._at: int | None = None  # which step the environment stands before
        self._problem = NO_SEED if episode.seed is None else ""
        self._parted = len(episode) + 1  # from where on it is another episode
        self._images: OrderedDict[int, Image] = OrderedDict()

    @property
    def problem(self) -> str:
        """Why there are no pictures, or none from some step on, as far as is known, in a sentence; else empty."""
        return self._problem

    def frame(self, step: int) -> ReplayFrame:
        """The moment before ``step``, 0 to the number of steps."""
        episode, last = self._episode, step == len(self._episode)
        image = self._image(step)
        rewards = episode.rewards
        return ReplayFrame(
            step=step,
            image=image,
            observation=episode.final_observation if last else episode.observations[step],
            action=None if last else episode.actions[step],
            reward=None if last or rewards is None else float(rewards[step]),
            return_so_far=None if rewards is None else float(rewards[:step].sum()),
            problem="" if image is not None else self._problem,
        )

    def close(self) -> None:
        """Free the environment; how it takes that is of no interest to anybody any more."""
        if self._made is not None:
            with suppress(RunError):
                self._made.stepped.close()
        self._made, self._at = None, None

    def _image(self, step: int) -> Image | None:
        if step in self._images:
            self._images.move_to_end(step)
            return self._images[step]
        if self._episode.seed is None or (self._problem and step >= self._parted):
            return None
        try:
            if not self._go_to(step):
                return None
            assert self._made is not None
            image: Image = self._made.rendering.render(0)
        except Exception as error:  # what is from elsewhere raises anything; the numbers are there all the same
            self._fail(error)
            return None
        self._images[step] = image
        if len(self._images) > _KEPT:
            self._images.popitem(last=False)
        return image

    def _fail(self, error: Exception) -> None:
        from engine.runtime.errors import RequestError, describe

        told = str(error) if isinstance(error, RequestError | RunError) else f"{describe(error)}."
        self._problem, self._parted = f"There are no pictures. {told}", 0
        self.close()

    def _go_to(self, step: int) -> bool:
        """Bring the environment to before ``step``; whether it has done there what was recorded."""
        if self._made is None:
            self._made = rendered(self._environment)
        batch, episode = self._made.stepped, self._episode
        assert episode.seed is not None
        if self._at is None or self._at > step:
            seen = batch.begin(episode.seed)
            self._at = 0
            if not self._is(0, _alike(seen[0], episode.observations[0]), "its first observation"):
                return False
        while self._at < step:
            moved = batch.step(episode.actions[self._at][None], _ONLY)
            self._at += 1
            if not self._is(self._at, *self._as_recorded(moved)):
                return False
        return True

    def _as_recorded(self, moved: Transitions) -> tuple[bool, str]:
        """Whether a step has led where it did, and what of it did not."""
        episode, at = self._episode, self._at
        assert at is not None
        last = at == len(episode)
        seen = episode.final_observation if last else episode.observations[at]
        ended = bool(moved.terminated[0]), bool(moved.truncated[0] and not moved.terminated[0])
        broken_off = last and not (episode.terminated or episode.truncated)
        if seen is not None and not _alike(moved.observations[0], seen):
            return False, "what is observed"
        if episode.rewards is not None and not _alike(moved.rewards[0], episode.rewards[at - 1]):
            return False, "the reward"
        expected = (episode.terminated, episode.truncated) if last else (False, False)
        return broken_off or ended == expected, "whether it ends there"

    def _is(self, step: int, as_recorded: bool, what: str) -> bool:
        if not as_recorded and step <= self._parted:
            self._parted = step
            self._problem = (
                f"From step {step:,} on there are no pictures: {what} is not what was recorded, so the environment is "
                "of another version or set otherwise than it was."
            )
            self._at = None
        return as_recorded


def _alike(one: Any, other: Any) -> bool:
    return np.shape(one) == np.shape(other) and bool(np.allclose(one, other, rtol=_NEAR, atol=_NEAR))
