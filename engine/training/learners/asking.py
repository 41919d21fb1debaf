"""Asking a person about states that the learner came to: episodes that can be shown again, questions, answers."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.algorithms.imitation.aggregation import chosen_states
from engine.algorithms.imitation.labelled import Labelled
from engine.catalogue.spaces import Space
from engine.config.environments import EnvironmentConfig
from engine.config.imitation import DAgger
from engine.environments.batches.rendering import in_this_process, unseen
from engine.environments.making import registry
from engine.experience.demonstrations import compact, whole
from engine.policies.actor import Actor
from engine.policies.policy import Policy
from engine.reports.events import Asked, Event, Heartbeat, NoAction, Question
from engine.runtime.errors import RequestError
from engine.runtime.heartbeat import HeartbeatTimer
from engine.runtime.state import Parts, State

EPISODES, LONGEST = 4, 10_000  # that are played for the questions of a round, and the steps of one at most
_ONLY = np.array([0])  # a batch of one


class RoundParts(Parts):
    """Parts whose state, while a round is under way, is that with which it began, but for the answers given so far:
    begun anew from there it comes to the same questions, and these are answered already."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = self.add("answers", Answers())
        self._begun: State | None = None

    @property
    def under_way(self) -> bool:
        """Whether a round is."""
        return self._begun is not None

    def begin(self) -> None:
        """Begin a round."""
        self._begun = super().state()

    def end(self) -> None:
        """All that was asked has been answered, and is learned from."""
        self._begun = None
        self.answers.clear()

    def state(self) -> State:
        if self._begun is None:
            return super().state()
        return self._begun | {"answers": self.answers.state()}

    def load(self, state: Mapping[str, Any]) -> None:
        self._begun = None
        super().load(state)


class Answers:
    """What was answered so far in a round, by the question's number: an action in the environment's units, or why
    there is none.

    With each the observation that was asked about is kept: an answer is one to that alone.
    """

    def __init__(self) -> None:
        self.given: dict[int, NDArray[Any] | NoAction] = {}
        self._seen: dict[int, NDArray[Any]] = {}

    def take(self, question: Question, action: NDArray[Any] | NoAction) -> None:
        """Note an answer to a question, in place of an earlier one."""
        self.given[question.number], self._seen[question.number] = action, question.observation

    def keep_to(self, questions: Sequence[Question]) -> None:
        """Forget what is no answer to these: what was shown under the number of a question was something else, as where
        another policy, or another machine, has come to other states."""
        asked = {question.number: question.observation for question in questions}
        self.given = {
            number: action
            for number, action in self.given.items()
            if number in asked and number in self._seen and np.array_equal(self._seen[number], asked[number])
        }
        self._seen = {number: asked[number] for number in self.given}

    def without(self, why: NoAction) -> list[int]:
        """The numbers of those that name no action, for that reason."""
        return [number for number, action in self.given.items() if action is why]

    def clear(self) -> None:
        """Forget all of them."""
        self.given, self._seen = {}, {}

    def state(self) -> State:
        known = {number: action for number, action in self.given.items() if not isinstance(action, NoAction)}
        seen = list(self._seen.values())
        return {
            "numbers": list(known),
            "actions": np.stack(list(known.values())) if known else None,
            **{str(why): self.without(why) for why in NoAction},
            "asked": list(self._seen),
            "seen": compact(np.stack(seen)) if seen else None,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        actions, seen = state["actions"], state.get("seen")  # which earlier versions did not keep
        self.given = dict(zip(state["numbers"], [] if actions is None else actions, strict=True))
        for why in NoAction:  # which earlier versions took for one
            self.given |= dict.fromkeys(state.get(str(why), ()), why)
        self._seen = dict(zip(state.get("asked", ()), () if seen is None else whole(seen), strict=True))


class Asking:
    """Plays the learner's own episodes, each from a seed of its own so that its pictures can be made again, and asks
    about some of their states. Its state is that between two rounds.

    Args:
        generators: of the actions, of the episodes' seeds, and of the choice of states.

    Raises:
        RequestError: on construction, when the environment cannot be made.
    """

    def __init__(
        self, environment: EnvironmentConfig, space: Space, policy: Policy, generators: Sequence[torch.Generator]
    ) -> None:
        made = (in_this_process if registry.is_known(environment.id) else unseen)(environment)
        self._batch, self._space, self._policy = made.stepped, space, policy
        playing, self._seeding, self._choosing = generators
        self._actor = Actor(policy, playing, policy.device)
        self._asked: tuple[Question, ...] = ()
        self._parts = Parts()
        self._parts.add("actor", self._actor)
        self._parts.add_generator("seeds", self._seeding)
        self._parts.add_generator("choosing", self._choosing)

    def state(self) -> State:
        return self._parts.state()

    def load(self, state: Mapping[str, Any]) -> None:
        self._asked = ()
        self._parts.load(state)

    def close(self) -> None:
        """Free the environment."""
        self._batch.close()

    def begin(self, questions: tuple[Question, ...], answers: Answers) -> None:
        """From now on these are asked, but for those that have been answered."""
        self._asked = questions
        answers.keep_to(questions)

    def open_of(self, answers: Answers) -> tuple[Question, ...]:
        """The questions without an answer."""
        return tuple(question for question in self._asked if question.number not in answers.given)

    def asked(self, answers: Answers, iteration: int, round_: int) -> Asked:
        """The event that tells of them."""
        return Asked(iteration, round_, self.open_of(answers), len(self._asked))

    def answered(self, visited: Labelled, answers: Answers) -> Labelled:
        """The steps whose action is known now that all have been answered."""
        actions, known = visited.actions.clone(), torch.zeros_like(visited.known)
        for question in self._asked:
            answer = answers.given[question.number]
            if not isinstance(answer, NoAction):
                row = torch.from_numpy(np.asarray(answer)[None]).to(actions.device)
                actions[question.number] = self._policy.from_environment(row)[0]
                known[question.number] = True
        self._asked = ()
        told = Labelled(visited.observations, actions, known, known.float(), visited.lengths)
        return told.part(known, self._policy.recurrent)

    def answer(self, answers: Answers, number: int, action: Any) -> None:
        """Take ``action``, or why there is none, as the answer to a question.

        Raises:
            RequestError: nobody asks that, or there is no such action.
        """
        question = next((question for question in self._asked if question.number == number), None)
        if question is None:
            raise RequestError(f"Nobody asks question {number}; answer one of those that are asked.")
        answers.take(question, action if isinstance(action, NoAction) else self._checked(action))

    def _checked(self, action: Any) -> NDArray[Any]:
        space = self._space
        wanted = () if space.kind == "discrete" else (len(space.parts) or space.size,)
        try:
            answer = np.asarray(action, np.float32 if space.kind == "box" else np.int64)
        except (TypeError, ValueError, OverflowError):
            answer = np.empty(0)  # no number at all
        if answer.shape != wanted or not _inside(answer, space):
            raise RequestError(f"There is no action {np.asarray(action).tolist()}; answer with one that there is.")
        return answer

    def questions(self, config: DAgger) -> Generator[Event, None, tuple[Labelled, tuple[Question, ...]]]:
        """Play some episodes; their steps, with the learner's own actions, and what is asked of them. A question's
        number is its step's."""
        timer, seeds = HeartbeatTimer(), list[int]()
        observed, acted = list[NDArray[Any]](), list[NDArray[Any]]()
        for _ in range(EPISODES):
            seeds.append(int(torch.randint(2**31, (1,), generator=self._seeding)))
            observations, memory = self._batch.begin(seeds[-1]), self._actor.start(1)
            seen, done = list[NDArray[Any]](), list[NDArray[Any]]()
            for _ in range(LONGEST):
                actions, _, memory = self._actor.act(observations, memory)
                taken = self._actor.to_environment(actions)
                seen.append(observations[0].copy())
                done.append(taken[0].copy())
                moved = self._batch.step(taken, _ONLY)
                observations = moved.observations
                if timer.due():
                    yield Heartbeat("collecting", sum(map(len, observed)) + len(seen))
                if moved.terminated[0] or moved.truncated[0]:
                    break
            observed.append(np.stack(seen))
            acted.append(np.stack(done))
        device, lengths = self._policy.device, torch.tensor([len(each) for each in observed])
        known = torch.ones(int(lengths.sum()), dtype=torch.bool, device=device)
        visited = Labelled(
            torch.from_numpy(np.concatenate(observed)).to(device),
            self._policy.from_environment(torch.from_numpy(np.concatenate(acted)).to(device)),
            known,
            known.float(),
            lengths,
        )
        rows = chosen_states(self._policy, visited, config, self._choosing).tolist()
        starts, found = np.cumsum([0, *lengths.tolist()]), []
        for row in rows:
            episode = int(np.searchsorted(starts, row, side="right")) - 1
            step = row - int(starts[episode])
            found.append(Question(row, observed[episode][step], seeds[episode], acted[episode][:step]))
        return visited, tuple(found)


def _inside(answer: NDArray[Any], space: Space) -> bool:
    if space.kind == "box":
        limits = space.bounds or space.ranges
        low, high = np.broadcast_to(np.array(limits or ((-np.inf, np.inf),)), (space.size, 2)).T
        return bool(np.isfinite(answer).all() and (answer >= low).all() and (answer <= high).all())
    counts: dict[str, Sequence[int]] = {"discrete": [space.size], "multi-discrete": space.parts}
    most = np.array(counts.get(space.kind, [2] * space.size))
    return bool(((answer >= 0) & (answer.reshape(-1) < most)).all())
