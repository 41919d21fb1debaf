"""The life of a run: its budget, its changes, its stopwatch and its totals, around a learner that does the learning.

``Training`` knows no thread, no window and no clock but its own stopwatch. Its host iterates over it and may do
anything between two events: stop, wait, or change a live parameter.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from engine.catalogue.methods.compatibility import refusal
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.config.migrations import VERSION, migrated
from engine.config.parameters import parameters_of, with_values
from engine.config.validation import validated
from engine.policies.policy import Policy
from engine.reports.events import Collected, EpisodeEnded, Event, Failed, Heartbeat, Updated
from engine.runtime.errors import RefusedError, RequestError, RunError, describe
from engine.runtime.state import State, inexact
from engine.runtime.stopwatch import Stopwatch
from engine.training.given import NOTHING, Given, given_in
from engine.training.learner import AskingLearner, Learner, Moment
from engine.training.learners.interaction import InteractingLearner
from engine.training.learners.teaching import require_weights
from engine.training.length import told_of_length
from engine.training.make import make_learner
from engine.training.many_seeds.learner import ManySeedsLearner
from engine.training.totals import Totals
from engine.values.state_values import StateValues

RUN = "run"  # what a run goes by whose host gives it no name


class Training:
    """Iterating gives the events of a run, until its budget of environment steps is used.

    With ``seeds``, it is a run for each of them, trained together: each has the whole budget, and ends or fails alone.

    Args:
        config: of the run; of all runs but for their seed, where there are ``seeds``.
        run: its name, which every event carries; several runs are called NAME/SEED.
        seeds: of several runs, all different.
        names: of several runs, where they are to be called otherwise.
        given: what is learned from beside experience; kept in every state.

    Raises:
        RequestError: on construction, when the configuration cannot work.
        RunError: while iterating, when the environment raises or the numbers are no longer finite, and what was yielded
            before stays valid; on construction, when the environment fails already while its cost is measured.
    """

    def __init__(
        self,
        config: RunConfig,
        run: str = RUN,
        seeds: Sequence[int] = (),
        names: Sequence[str] = (),
        given: Given = NOTHING,
    ) -> None:
        if len(set(seeds)) < len(seeds):
            raise RequestError(f"Seeds trained together must be different numbers, not {list(seeds)}.")
        self.config, self.given = config, given
        called = names or [f"{run}/{seed}" for seed in seeds]
        self.runs = dict(zip(called, seeds, strict=True)) if seeds else {run: config.seed}
        self._seeds = tuple(seeds)
        self.watched = False  # whether somebody wants to see every gradient step
        self.watched_run = ""  # of which of several; empty is of all
        self.inexact: tuple[str, ...] = ()  # what of a state that was loaded may not go on exactly, in sentences
        self.learner: Learner = ManySeedsLearner(config, self.runs) if seeds else make_learner(config, run, given)
        self.totals = {name: Totals() for name in self.runs}
        self._moments: dict[str, Moment] = {}  # with which the latest iteration of each run began
        self._pending: dict[str, Any] = {}
        self._iterations: Iterator[Event] | None = None  # those under way
        self._stopwatch = Stopwatch()

    # --- what is known of it ------------------------------------------------------------------------------------------

    @property
    def environment(self) -> EnvironmentInfo:
        """What is learned in, as learning sees it."""
        return self.learner.environment

    @property
    def policy(self) -> Policy:
        """What is learned; the first run's, where there are several."""
        return next(iter(self.learner.policies.values()))

    def state_values(self) -> StateValues | None:
        """What every numbered state is worth, as it is learned or planned beside the policy; None where it is not, or
        of several runs."""
        return self.learner.state_values() if isinstance(self.learner, InteractingLearner) else None

    def critics(self) -> Tensor | None:
        """The parameters of the networks of action values that the policy climbs; None where it climbs none, or of
        several runs."""
        return self.learner.critics() if isinstance(self.learner, InteractingLearner) else None

    def value_network(self) -> dict[str, Tensor] | None:
        """The parameters of a network of V beside the policy, by their names; None without one, or of several runs."""
        return self.learner.value_network() if isinstance(self.learner, InteractingLearner) else None

    @property
    def device_reason(self) -> str:
        """Where networks are computed, and why there."""
        return self.learner.device_reason

    @property
    def stepping_reason(self) -> str:
        """How environments are stepped, and what a first look at them found, in a sentence."""
        return "; ".join(filter(None, (self.learner.stepping_reason, self.environment.notice)))

    @property
    def next_config(self) -> RunConfig:
        """That of the next iteration, with what has been changed since the last began."""
        return with_values(self.config, self._pending)

    @property
    def iteration(self) -> int:
        """The iteration that is under way, or the last one; the sum over several runs."""
        return sum(totals.iteration for totals in self.totals.values())

    @property
    def environment_steps(self) -> int:
        """Those taken so far, by all runs."""
        return sum(totals.environment_steps for totals in self.totals.values())

    @property
    def episodes(self) -> int:
        """Those ended so far, in all runs."""
        return sum(totals.episodes for totals in self.totals.values())

    @property
    def updates(self) -> int:
        """How many iterations are over, in all runs; the policy is what these have made of it, and of the one under way
        what it has done so far."""
        return self.iteration - sum(totals.busy for totals in self.totals.values())

    @property
    def resting(self) -> bool:
        """Whether the state can be taken: no run is in the middle of an iteration, or would come to where it is again.
        So it is whenever an ``Updated`` has just been given by a run alone, and by several together at the last of
        those that they give at once."""
        busy = [run for run, totals in self.totals.items() if totals.busy]
        begun = all(self._moments[run].config is self.config and self.learner.repeats(run) for run in busy)
        return begun and not (busy and self._pending)

    @property
    def whole(self) -> bool:
        """Whether no iteration is under way; of several runs, none of which anything would be lost where the state is
        taken."""
        return self.resting if len(self.runs) > 1 else self.updates == self.iteration

    @property
    def mean_return(self) -> float | None:
        """That of the latest training episodes, as reported; the first run's, where there are several."""
        return next(iter(self.totals.values())).mean_return

    @property
    def seconds(self) -> float:
        """Seconds spent training so far; what the host does between events does not count."""
        return self._stopwatch.seconds

    @property
    def solving(self) -> bool:
        """Whether a ``Solved`` follows at once, before anything else is done: to be asked after an ``Updated``, by
        whoever would stop or wait there."""
        return any(totals.is_solving(self.environment.solved_at) for totals in self.totals.values())

    @property
    def ending(self) -> bool:
        """Whether more is told at once of what has just ended, before anything else is done: as ``solving``, or the
        ``Updated`` of other seeds."""
        more = self.learner.ending if isinstance(self.learner, ManySeedsLearner) else 0
        return self.solving or more > 0

    # --- its life -----------------------------------------------------------------------------------------------------

    def change(self, path: str, value: Any) -> None:
        """Set a live parameter from the next iteration on.

        Raises:
            RequestError: there is no such parameter, it may not change while training, or the value does not fit.
        """
        changed = with_values(self.config, self._pending | {path: value})
        if path not in {parameter.path for parameter in parameters_of(self.config) if parameter.live}:
            raise RequestError(f"{path} cannot change while training; stop the run to change it.")
        problem = refusal(changed, self.environment)
        if problem is not None:
            raise RefusedError(problem)
        require_weights(self.given.demonstrations, changed)
        self._pending[path] = {parameter.path: parameter.value for parameter in parameters_of(changed)}[path]

    @property
    def asking(self) -> bool:
        """Whether a person has to answer before anything goes on, as ``Asked`` has told."""
        return isinstance(self.learner, AskingLearner) and self.learner.asking

    def answer(self, number: int, action: Any) -> None:
        """A person's answer to a question: an action, or a ``NoAction``.

        Raises:
            RequestError: as ``AskingLearner.answer``; or nobody is asked anything.
        """
        if not isinstance(self.learner, AskingLearner):
            raise RequestError("Nobody is asked anything in this run.")
        self.learner.answer(number, action)

    def answers(self) -> State:
        """What a person has answered in the iteration under way, which ``answered`` puts into a state from before it.

        Raises:
            ValueError: nobody is asked anything in this run.
        """
        if not isinstance(self.learner, AskingLearner):
            raise ValueError("Nobody is asked anything in this run.")
        return {"iteration": self.iteration, "answers": self.learner.answers()}

    def close(self) -> None:
        """Free the environments."""
        self.learner.close()

    def __iter__(self) -> Iterator[Event]:
        """The events from here on. Who breaks off and iterates again goes on where that was; after a ``RunError`` there
        is nothing to go on with."""
        return self._stopwatch.timing(self._events())

    def _events(self) -> Generator[Event, None, None]:
        yield from self._solved(self.seconds)  # where the host broke off, or the state was taken, right before
        while True:
            if self._iterations is None:
                self._apply_changes()
                moments = [self._moment(run) for run, totals in self.totals.items() if self._goes_on(totals)]
                if not moments:
                    return
                self._iterations = self.learner.iterate(moments)
            try:
                event = next(self._iterations, None)
            except RunError:
                self._iterations = None
                for totals in self.totals.values():
                    totals.failed = True
                raise
            if event is None:
                self._iterations = None
            else:
                told = self._completed(event)
                yield told
                if isinstance(told, Updated):
                    yield from self._solved(told.seconds)

    def _solved(self, seconds: float) -> Iterator[Event]:
        threshold = self.environment.solved_at
        for run, totals in self.totals.items():
            if threshold is not None and totals.is_solving(threshold):
                yield totals.solved(run, threshold, seconds)

    def _goes_on(self, totals: Totals) -> bool:
        left = totals.environment_steps < self.config.budget.environment_steps
        return not totals.failed and (totals.busy or left)

    def _moment(self, run: str) -> Moment:
        totals = self.totals[run]
        progress = min(totals.environment_steps / self.config.budget.environment_steps, 1.0)
        began = not totals.busy
        if began:
            totals.begin(self.seconds)
        watched = self.watched and self.watched_run in ("", run)
        moment = Moment(run, self.config, totals.iteration, progress, watched, totals.episodes)
        if began:
            self._moments[run] = moment
        return moment

    def _completed(self, event: Event) -> Event:
        """``event`` with what only the life of its run can tell."""
        totals = self.totals[event.run]
        if isinstance(event, Heartbeat | EpisodeEnded):
            return replace(event, environment_steps=totals.environment_steps + event.environment_steps)
        if isinstance(event, Collected):
            return totals.collected(event, self.seconds)
        if isinstance(event, Updated):
            told = totals.updated(event, self.seconds)
            of_length = told_of_length(self.config, told.iteration, totals.environment_steps)
            return replace(told, note=told.note or of_length)
        if isinstance(event, Failed):
            totals.busy, totals.failed = False, True
        return event

    def _apply_changes(self) -> None:
        if not self._pending:
            return
        pending, self._pending = self._pending, {}
        before = {parameter.path: parameter.value for parameter in parameters_of(self.config)}
        self.config = with_values(self.config, pending)
        after = {parameter.path: parameter.value for parameter in parameters_of(self.config)}
        for totals in self.totals.values():
            for path in pending:
                totals.change(path, before[path], after[path])

    # --- its state ----------------------------------------------------------------------------------------------------

    def state(self) -> State:
        """All that it takes to go on exactly from here, as plain data; to be asked for while it is ``resting``. What
        the runs are called is left out.

        Raises:
            ValueError: an iteration is under way.
        """
        if not self.resting:
            raise ValueError(_TOGETHER if self._seeds else _ALONE)
        return {
            "version": VERSION,
            "config": self.config.model_dump(mode="json"),
            "seeds": list(self._seeds),
            "choices": dict(self.learner.choices),
            "pending": dict(self._pending),
            "stopwatch": self._stopwatch.state(),
            "totals": [totals.state() for totals in self.totals.values()],
            "learner": self.learner.parts.state(),
            "given": self.given.state(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from where ``state`` was taken, in a run made with the same configuration; what it was in the middle of
        is left.

        Raises:
            ValueError: the state is of another kind of run.
        """
        self.load_life(state)
        self.learner.parts.load(state["learner"])
        self.inexact = inexact(state["learner"])

    def load_life(self, state: Mapping[str, Any]) -> None:
        """As ``load``, of all but what the learner remembers."""
        if list(state["seeds"]) != list(self._seeds):
            raise ValueError(f"This state is of the seeds {state['seeds']}, not of {list(self._seeds)}.")
        self.config = config_of(state)
        self._pending = dict(state["pending"])
        self._iterations = None
        self._stopwatch.load(state["stopwatch"])
        for totals, counted in zip(self.totals.values(), state["totals"], strict=True):
            totals.load(counted)


_ALONE = "A run can be saved between two iterations, not in the middle of one."
_TOGETHER = "Seeds trained together can be saved when all of them have done all that they can until more is collected."


def answered(state: Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
    """``state`` with the answers that were ``given`` since, where they are of the iteration that comes next."""
    (totals, *others), learner = state["totals"], state["learner"]
    if others or "answers" not in learner or totals["iteration"] + 1 != given["iteration"]:
        return state
    return {**state, "learner": {**learner, "answers": given["answers"]}}


def config_of(state: Mapping[str, Any]) -> RunConfig:
    """The configuration of the run that ``state`` is of.

    Raises:
        RequestError: this version of the program knows none like it.
    """
    saved = {"version": state.get("version", 2), "config": state["config"]}  # early states do not say
    return validated(migrated(saved)["config"])


def resumed(state: Mapping[str, Any], run: str = RUN, names: Sequence[str] = ()) -> Training:
    """A run that goes on from ``state``, wherever it was taken and whatever it was called there; as many runs as it
    is of. They are called as ``Training`` calls them.

    Raises:
        RequestError: its configuration cannot work here, or this is no state of a run, or a damaged one.
        RunError: its environment fails.
    """
    training = None
    try:
        config = with_values(config_of(state), state["choices"])
        training = Training(config, run, state["seeds"], names, given_in(state.get("given", {})))
        training.load(state)
    except Exception as error:
        if training is not None:
            training.close()
        if isinstance(error, RequestError | RunError):
            raise
        raise RequestError(f"This state does not fit the run that it is of: {describe(error)}.") from error
    return training
