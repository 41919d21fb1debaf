"""One iteration of a run, looked into: the batch that it learned from, step by step, and the update that it made.

Where all of a run was kept some iterations before, a training of its own goes on from there and comes to the very same
batch. Where only a policy was kept, it plays another batch of the same size, which is like it and not it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.algorithms.policy_gradient.rule import UpdateInput
from engine.analysis.minibatches import Networks, of_minibatches
from engine.analysis.playback import PolicySnapshot, frozen
from engine.config import ActorCriticConfig, PolicyGradientConfig, RunConfig, ValueBasedConfig
from engine.config.bugs import NO_BUG
from engine.config.estimators import NoBaseline, RewardToGo, SharedValueBaseline, ValueBaseline
from engine.config.replay import ReplayConfig
from engine.estimation.estimators import estimate
from engine.experience.rollouts import Rollout
from engine.maths.losses import normalized
from engine.reports.events import Collected, Estimated, Event, Reweighted, Updated
from engine.reports.update_events import AfterUpdate, Inspected, LineSearchTry, TrustRegion, UpdateStep
from engine.runtime.errors import RequestError
from engine.runtime.seeds import Seeds
from engine.training.learner import Moment
from engine.training.learners.inspection import inspected
from engine.training.learners.interaction import RolloutInteraction
from engine.training.training import RUN, Training, resumed
from engine.values.critics import Critic, SharedCritic, Values
from engine.values.state_values import StateValues

MOST_BYTES = 128 << 20  # of what the gradient steps did to the parameters, that are kept
TOLD_MINIBATCHES = 128  # the latest ones that were drawn out of a replay buffer, as many as errors are told of
OTHER_FAMILIES = (
    "Only runs that learn from steps of their own can be looked into step by step: policy gradients, and what learns "
    "action values. This run learns otherwise."
)
_EXACT = "This is the very batch of iteration {iteration:,}, made again from all that was kept of the run after {of}."
_NO_VALUES = (
    "The value function was not kept with the policy, so credit is the reward-to-go of what was played, and nothing is "
    "subtracted from it."
)
_NO_BUG_HERE = "Whatever bug the run is made with is not in it."
_NEW_SCALE = "By which spread of returns rewards were divided was not kept either; here it is this batch's alone."

BatchConfig = PolicyGradientConfig | ValueBasedConfig | ActorCriticConfig


@dataclass(frozen=True)
class Approach:
    """How far going on has come: to ``iteration``, on the way from after ``began`` to the one that is ``wanted``."""

    began: int
    iteration: int
    wanted: int


GoingOn = Callable[[Approach], bool]
"""Told of every sign of life; whether to go on."""


class LiveChange(Protocol):
    """A parameter that was changed while training: ``new`` holds from ``iteration`` on."""

    @property
    def path(self) -> str: ...
    @property
    def new(self) -> Any: ...
    @property
    def iteration(self) -> int: ...


@dataclass(frozen=True)
class LookedInto:
    """One iteration: its ``batch``, and the update that was made with it.

    Where steps are ``single``, the batch is of those that action values learned from: those that the last gradient
    steps drew out of a replay buffer, as often as they did, or all of the iteration, where a table learns from each as
    it is taken. Each is by itself: its credit is the target y, its baseline the value Q(s, a), its advantage the error
    δ = y − Q(s, a), its reward the discounted sum of those in y, and ``elapsed`` how many steps ago it was taken, or
    its place among those of the iteration. Where several networks learn the values, ``networks`` [k, M] are those of
    each, and the baseline is their mean.

    ``config`` is what held in it, and ``policy`` the one that acted, before the update. ``normalized`` [M] are the
    batch's advantages at mean 0 and standard deviation 1, whether the update took them so or not. ``steps`` are those
    of the update, whose changes of parameters are left out where they take too much room; ``log_probs_after`` [M] are
    log π(a|s) once it was over, ``held_against`` the ratios of ``AfterUpdate``, and the last of ``collected`` tells of
    the episodes that ended in the batch; those before it were played for V alone. ``region`` and ``tries`` tell of a
    trust region, where the rule has one. Of a policy that was kept alone there is no update: no ``steps``, and none of
    the rest. ``exact`` says whether it is the run's own batch, and ``how`` in sentences what it is.
    """

    batch: Inspected
    normalized: NDArray[np.float32]
    config: BatchConfig
    policy: PolicySnapshot
    exact: bool
    how: str
    steps: tuple[UpdateStep, ...] = ()
    log_probs_after: NDArray[np.float32] | None = None
    held_against: NDArray[np.float32] | None = None
    reweighted: Reweighted | None = None
    updated: Updated | None = None
    collected: tuple[Collected, ...] = ()
    region: TrustRegion | None = None
    tries: tuple[LineSearchTry, ...] = ()
    networks: Networks | None = None

    @property
    def iteration(self) -> int:
        return self.batch.iteration

    @property
    def single(self) -> bool:
        """Whether each step is by itself, as action values learn from it."""
        return not isinstance(self.config, PolicyGradientConfig)

    @property
    def replayed(self) -> bool:
        """Whether the steps were drawn out of a replay buffer."""
        return isinstance(getattr(self.config.update, "replay", None), ReplayConfig)

    @property
    def log_ratios(self) -> NDArray[np.float32] | None:
        """log π_new(a|s)/π_old(a|s) of every step, [M], by the update; None where none was made. With PPO's rules π_old
        is what they hold π_new against."""
        if self.held_against is not None:
            return self.held_against
        return None if self.log_probs_after is None else self.log_probs_after - self.batch.log_probs


def require_batches(config: RunConfig) -> BatchConfig:
    """``config``, of a run whose iterations can be looked into.

    Raises:
        RequestError: it learns otherwise.
    """
    if isinstance(config, PolicyGradientConfig | ValueBasedConfig | ActorCriticConfig):
        return config
    raise RequestError(OTHER_FAMILIES)


# --- the run's own batch ----------------------------------------------------------------------------------------------


def remade(
    state: Mapping[str, Any], iteration: int, changes: Iterable[LiveChange] = (), going_on: GoingOn = lambda _: True
) -> LookedInto | None:
    """The run of ``state`` goes on from there to the end of that ``iteration``, into which is looked; None where it is
    not to go on any more. What the run itself does is not touched.

    It is exact where the environments go on exactly, on the same kind of machine and with as many threads.

    Args:
        state: of a run by itself, taken before the iteration began.
        changes: what was changed in the run since.

    Raises:
        RequestError: the state cannot be gone on from here, or is too late, or the run ends before that iteration, or
            is of another family.
        RunError: the environment fails.
    """
    training = resumed(state)
    try:
        config = require_batches(training.config)
        began = training.iteration
        if began >= iteration:
            raise RequestError(f"What was kept is of iteration {began:,}, which is not before {iteration:,}.")
        looked = _Looking()
        for event in _until(training, iteration, tuple(changes)):
            if isinstance(event, _Begins):
                config = require_batches(training.next_config)
                looked.policy = replace(frozen(training), config=config)
                looked.begin(config)
                if isinstance(config, PolicyGradientConfig):
                    looked.policy = replace(looked.policy, temperature=config.exploration.temperature)
            else:
                looked.take(event)
            if not going_on(Approach(began, training.iteration, iteration)):
                return None
        of = "no iteration at all" if began == 0 else f"iteration {began:,}"
        found = looked.found(config, _EXACT.format(iteration=iteration, of=of))
    finally:
        training.close()
    if training.inexact:
        return replace(found, exact=False, how=like(iteration, " ".join(training.inexact)))
    return found


class _Begins(Event):
    """The iteration to be looked into is about to begin."""


def _until(training: Training, iteration: int, changes: tuple[LiveChange, ...]) -> Iterator[Event]:
    """What ``training`` tells up to the end of that iteration, in which it is watched."""

    def next_up() -> Iterator[Event]:
        for change in changes:
            if change.iteration == training.iteration + 1:
                training.change(change.path, change.new)
        if training.iteration + 1 == iteration:
            training.watched = True
            yield _Begins()

    yield from next_up()
    for event in training:
        yield event
        if isinstance(event, Updated):
            if event.iteration >= iteration:
                return
            yield from next_up()
    raise RequestError(f"The run ends after iteration {training.iteration:,}, before {iteration:,}.")


class _Looking:
    """Gathers what an iteration tells while it is looked into."""

    def __init__(self) -> None:
        self.policy: PolicySnapshot | None = None
        self._batch: Inspected | None = None
        self._normalized: NDArray[np.float32] | None = None
        self._steps: list[UpdateStep] = []
        self._after: AfterUpdate | None = None
        self._reweighted: Reweighted | None = None
        self._collected: list[Collected] = []
        self._updated: Updated | None = None
        self._region: TrustRegion | None = None
        self._tries: list[LineSearchTry] = []
        self._room = MOST_BYTES
        self._replays = False

    def begin(self, config: BatchConfig) -> None:
        """The iteration is about to begin."""
        self._replays = isinstance(getattr(config.update, "replay", None), ReplayConfig)

    def take(self, event: Event) -> None:
        if self.policy is None:
            return
        if isinstance(event, Estimated):
            self._normalized = event.normalized
        elif isinstance(event, Collected):
            self._collected.append(event)
        elif isinstance(event, Inspected):
            self._batch = event
        elif isinstance(event, UpdateStep):
            self._room -= event.parameter_change.nbytes
            if self._room < 0:
                event = replace(event, parameter_change=np.zeros(0, np.float32))
            self._steps.append(event)
            if event.drawn is not None and self._replays and len(self._steps) > TOLD_MINIBATCHES:
                del self._steps[0]
        elif isinstance(event, TrustRegion):
            self._region = event
        elif isinstance(event, LineSearchTry):
            self._tries.append(event)
        elif isinstance(event, AfterUpdate):
            self._after = event
        elif isinstance(event, Reweighted):
            self._reweighted = event
        elif isinstance(event, Updated):
            self._updated = event

    def found(self, config: BatchConfig, how: str) -> LookedInto:
        """
        Raises:
            RequestError: nothing was drawn in that iteration.
        """
        networks = None
        if not isinstance(config, PolicyGradientConfig):
            self._batch, networks = of_minibatches(self._steps, drawn_again=self._replays)
            self._normalized = self._batch.advantages
        assert self._batch is not None
        assert self._normalized is not None
        assert self.policy is not None
        return LookedInto(
            batch=self._batch,
            normalized=self._normalized,
            config=config,
            policy=self.policy,
            exact=True,
            how=how,
            steps=tuple(self._steps),
            log_probs_after=None if self._after is None else self._after.log_probs,
            held_against=None if self._after is None else self._after.log_ratios,
            reweighted=self._reweighted,
            updated=self._updated,
            collected=tuple(self._collected),
            region=self._region,
            tries=tuple(self._tries),
            networks=networks,
        )


# --- a batch of a policy that was kept --------------------------------------------------------------------------------


def sampled(
    policy: PolicySnapshot, iteration: int, why: str, going_on: GoingOn = lambda _: True, *, progress: float = 0.0
) -> LookedInto | None:
    """Another batch of a run, as large as that of its ``iteration``, by a ``policy`` that was kept; no update is made
    with it. None where it is not to go on any more.

    V is what was kept beside the policy, or what its own network predicts. Where it was a network apart, of which
    nothing was kept, credit is the reward-to-go with no baseline, and ``how`` says so.

    Args:
        why: it is not the run's own batch, in a sentence.
        progress: the share of the budget that was used before, 0 … 1, on which exploration may depend.

    Raises:
        RequestError: the run is of another family, or its environment cannot be made here.
        RunError: the environment fails.
    """
    config = require_batches(policy.config)
    if not isinstance(config, PolicyGradientConfig):
        raise RequestError(f"{why} What was drawn out of a replay buffer cannot be drawn again without it.")
    plays = config
    baseline = config.estimator.baseline
    shared, separate = isinstance(baseline, SharedValueBaseline), isinstance(baseline, ValueBaseline)
    said = [why]
    if separate and policy.beside is None:
        said.append(_NO_VALUES)
        plain = config.estimator.model_copy(update={"credit": RewardToGo(), "baseline": NoBaseline()})
        config = config.model_copy(update={"estimator": plain})
    if config.environment.normalize_rewards:
        said.append(_NEW_SCALE)
    if config.bug != NO_BUG:
        said.append(_NO_BUG_HERE)
    interaction = RolloutInteraction(plays, _fresh(config.seed, iteration), shared)
    try:
        interaction.policy.load_state_dict(policy.state)
        interaction.explore(config, progress)
        critic: Critic | None = SharedCritic(interaction.policy) if shared else None
        if separate and policy.beside is not None:
            critic = _Kept(policy.beside, interaction.device)
        work = _batch(interaction, config, critic, Moment(RUN, config, iteration, progress, watched=True))
        while True:
            try:
                next(work)
            except StopIteration as stop:
                batch, standard = stop.value
                break
            if not going_on(Approach(policy.iteration, iteration, iteration)):
                return None
    finally:
        interaction.close()
    return LookedInto(batch, standard, config, policy, exact=False, how=like(iteration, " ".join(said)))


def _batch(
    interaction: RolloutInteraction, config: PolicyGradientConfig, critic: Critic | None, moment: Moment
) -> Generator[Event, None, tuple[Inspected, NDArray[np.float32]]]:
    rollout, _ = yield from interaction.collect(moment)
    batch = yield from estimate(rollout, config.estimator, interaction.policy, critic)
    given = UpdateInput(batch, config, moment.progress, iteration=moment.iteration)
    found = yield from inspected(given, interaction.policy)
    return found, normalized(batch.advantages).cpu().numpy()


class _Kept:
    """V of numbered states as it was kept beside a policy."""

    def __init__(self, kept: StateValues, device: torch.device) -> None:
        self._values = kept.values.to(device, torch.float32)

    def values(self, rollout: Rollout) -> Values:
        yield from ()
        seen, after = self._of(rollout.flat(rollout.observations)), self._of(rollout.final_observations)
        return rollout.unflat(seen), rollout.at_cuts(after)

    def _of(self, states: Tensor) -> Tensor:
        return self._values[states.reshape(len(states)).long()]


def _fresh(seed: int, iteration: int) -> Seeds:
    """Random numbers that the run itself has not drawn, the same each time."""
    return Seeds(int(np.random.SeedSequence([seed, iteration]).generate_state(1, np.uint32)[0]))


def like(iteration: int, why: str) -> str:
    """What to say of a batch that is not the run's own, for a reason in sentences."""
    return f"This batch is like that of iteration {iteration:,} and not it: {why[:1].lower()}{why[1:]}"
