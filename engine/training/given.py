"""What a run is given besides its configuration: demonstrations, and a teacher.

It is kept in every state of the run, so that the run goes on from there whatever became of the dataset or the run that
these were taken from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.catalogue.methods.distribution import policy_of
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig, acts_by_values
from engine.config.environments import EnvironmentConfig
from engine.config.migrations import VERSION, migrated
from engine.config.validation import validated
from engine.experience.demonstrations import Demonstration, Demonstrations
from engine.networks.normalizer import Normalizer
from engine.policies.policy import Policy
from engine.runtime.errors import RequestError
from engine.runtime.state import State

# What of an environment decides on what is seen of it, and by which actions it is steered.
SEEN = ("id", "options", "hidden", "frame_stack")


@dataclass(frozen=True)
class Teacher:
    """A frozen policy that can be asked what it would do.

    Attributes:
        name: what it is called in sentences, "run 4".
        config: of the run that it was learned in.
        parameters: those of its policy by name, on the CPU.
        mean_return: what that run reported of it; None where that is not known.
    """

    name: str
    config: RunConfig
    parameters: Mapping[str, Tensor] = field(repr=False)
    mean_return: float | None = None

    def policy(self, environment: EnvironmentInfo, device: torch.device) -> Policy:
        """The policy, ready to be asked for its greedy action.

        Args:
            environment: as the learner's, whose observations and actions are the same.

        Raises:
            RequestError: the parameters are not those of such a policy.
        """
        values = any(name.startswith("value_head.") for name in self.parameters)
        normalizer = Normalizer(environment.observation.size) if "normalizer.mean" in self.parameters else None
        policy = Policy(policy_of(self.config, environment), environment, torch.Generator(), values, normalizer)
        try:
            policy.load_state_dict(dict(self.parameters))
        except RuntimeError:
            raise RequestError(
                f"The parameters of {self.name} do not fit the policy that its configuration describes; name another "
                "teacher."
            ) from None
        if acts_by_values(self.config):
            policy.epsilon = 0.0
        return policy.to(device)

    def require_of(self, environment: EnvironmentConfig) -> None:
        """Raises RequestError where it plays in another environment, or sees something else of it."""
        difference = difference_between(self.config.environment, environment)
        if difference:
            raise RequestError(f"The teacher, {self.name}, {difference}; name a teacher of the same.")


class Given:
    """The dataset that is learned from, and the teacher who is asked; each None where there is none."""

    def __init__(self, demonstrations: Demonstrations | None = None, teacher: Teacher | None = None) -> None:
        self._found = demonstrations, teacher
        self._load: Callable[[], Given] | None = None

    @classmethod
    def later(cls, load: Callable[[], Given]) -> Given:
        """What ``load`` returns, which is called once either is asked for, on whichever thread that is: it may be a
        large file that has to be read."""
        given = cls()
        given._load = load
        return given

    @property
    def demonstrations(self) -> Demonstrations | None:
        return self._now()[0]

    @property
    def teacher(self) -> Teacher | None:
        return self._now()[1]

    def _now(self) -> tuple[Demonstrations | None, Teacher | None]:
        if self._load is not None:
            with _LOADING:
                load, self._load = self._load, None
                if load is not None:  # else another thread has just done it
                    found = load()
                    self._found = found.demonstrations, found.teacher
        return self._found

    def state(self) -> State:
        """As plain data, of which ``given_in`` makes it again."""
        found: State = {}
        if self.demonstrations is not None:
            found["demonstrations"] = _as_state(self.demonstrations)
        if self.teacher is not None:
            teacher = self.teacher
            found["teacher"] = {
                "name": teacher.name,
                "version": VERSION,
                "config": teacher.config.model_dump(mode="json"),
                "parameters": dict(teacher.parameters),
                "mean_return": teacher.mean_return,
            }
        return found


NOTHING = Given()
_LOADING = Lock()


def given_in(state: Mapping[str, Any]) -> Given:
    """What ``Given.state`` was taken of.

    Raises:
        RequestError: it is of a configuration that this version of the program does not know.
    """
    shown, told = state.get("demonstrations"), state.get("teacher")
    teacher = None
    if told is not None:
        config = validated(migrated({"version": told["version"], "config": told["config"]})["config"])
        teacher = Teacher(told["name"], config, dict(told["parameters"]), told["mean_return"])
    return Given(None if shown is None else _from_state(shown), teacher)


def difference_between(theirs: EnvironmentConfig, ours: EnvironmentConfig) -> str:
    """How what was played in differs from what is learned in, as the end of a sentence; empty where it is alike."""
    if theirs.id != ours.id:
        return f"plays {theirs.id}, not {ours.id}"
    differing = [name for name in SEEN if getattr(theirs, name) != getattr(ours, name)]
    if not differing:
        return ""
    name = differing[0]
    there, here = getattr(theirs, name) or "nothing", getattr(ours, name) or "nothing"
    return f"plays {ours.id} with environment.{name} = {there}, not {here}"


def _as_state(shown: Demonstrations) -> State:
    episodes = shown.episodes
    finals = [each.final_observation for each in episodes if each.final_observation is not None]
    rewards = [each.rewards for each in episodes if each.rewards is not None]
    return {
        "environment": shown.environment.model_dump(mode="json"),
        "observations": shown.compact,
        "actions": shown.actions,
        "rewards": np.concatenate(rewards) if rewards else None,
        "finals": np.stack(finals) if finals else None,
        "episodes": [
            {
                "length": len(each),
                "rewarded": each.rewards is not None,
                "final": each.final_observation is not None,
                "terminated": each.terminated,
                "truncated": each.truncated,
                "seed": each.seed,
                "source": each.source,
            }
            for each in episodes
        ],
    }


def _from_state(state: Mapping[str, Any]) -> Demonstrations:
    steps = rewarded = final = 0
    episodes, seen = [], state["observations"]
    if seen.dtype == np.uint8:  # kept in a fourth of the room
        seen = seen.astype(np.float32)
    for each in state["episodes"]:
        rows = slice(steps, steps + each["length"])
        paid = slice(rewarded, rewarded + each["length"])
        episodes.append(
            Demonstration(
                seen[rows],
                state["actions"][rows],
                state["rewards"][paid] if each["rewarded"] else None,
                state["finals"][final] if each["final"] else None,
                each["terminated"],
                each["truncated"],
                each["seed"],
                each["source"],
            )
        )
        steps = rows.stop
        rewarded = paid.stop if each["rewarded"] else rewarded
        final += each["final"]
    return Demonstrations(EnvironmentConfig.model_validate(state["environment"]), tuple(episodes))
