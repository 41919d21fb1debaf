"""What a teacher would do in the states of an episode that the learner plays."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.catalogue.spaces import EnvironmentInfo
from engine.runtime.errors import RequestError
from engine.training.given import Teacher


class AskedTeacher:
    """Says the teacher's greedy action in each state; one with a memory sees all of the episode's."""

    def __init__(self, teacher: Teacher, environment: EnvironmentInfo) -> None:
        self._policy = teacher.policy(environment, torch.device("cpu"))
        self._memory: Tensor | None = None

    def begin(self) -> None:
        """An episode begins."""
        self._memory = self._policy.start(1)

    def action(self, observations: NDArray[Any], told: bool) -> NDArray[Any] | None:
        """What he would do in the one state of ``observations`` [1, …], as the environment takes it, […]; None where
        that is not to be ``told``."""
        if not (told or self._policy.recurrent):
            return None
        distribution, self._memory = self._policy.step(torch.from_numpy(observations), self._memory)
        action: NDArray[Any] = self._policy.taken(distribution.mode())[0].numpy()
        return action if told else None


def asked(teacher: Teacher | None, environment: EnvironmentInfo) -> AskedTeacher | None:
    """The teacher, ready to be asked; None where there is none, or he does not fit."""
    if teacher is None:
        return None
    try:
        return AskedTeacher(teacher, environment)
    except RequestError:
        return None
