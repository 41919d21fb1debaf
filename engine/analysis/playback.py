"""Episodes of a frozen policy, frame by frame, apart from training: its own environment, policy and randomness."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.analysis.asked_teacher import asked
from engine.analysis.beginnings import AfterActions, Beginning, InState
from engine.analysis.critics import worth_of
from engine.analysis.state_observations import state_in
from engine.catalogue.methods.distribution import policy_of
from engine.catalogue.methods.extent import critic_count
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ActorCriticConfig, RunConfig
from engine.config.parameters import with_values
from engine.environments.batches.interface import SeedableBatch
from engine.environments.batches.rendering import rendered
from engine.networks.normalizer import Normalizer
from engine.policies.distributions import (
    Bernoulli,
    Beta,
    Categorical,
    DiagonalGaussian,
    Distribution,
    EpsilonGreedy,
    MultiCategorical,
    TanhGaussian,
)
from engine.policies.policy import Policy
from engine.reports.frames import (
    GRID,
    BoundedDecision,
    Decision,
    Frame,
    GaussianDecision,
    Image,
    MultiSoftmaxDecision,
    SoftmaxDecision,
    SwitchDecision,
)
from engine.runtime.errors import RunError
from engine.training.given import NOTHING, Given
from engine.training.training import Training
from engine.values.state_values import StateValues

_ONLY = np.array([0])  # a batch of one


@dataclass(frozen=True)
class PolicySnapshot:
    """A policy as it was after ``iteration`` updates; ``state`` shares no memory with it and lies on the CPU.

    ``mean_return`` is what the run reported then, of its last training episodes; None before any has ended. ``given``
    is what the run learns from besides.
    """

    config: RunConfig
    environment: EnvironmentInfo
    state: dict[str, Tensor]
    iteration: int
    temperature: float = 1.0
    mean_return: float | None = None
    epsilon: float | None = None  # of action values, in which it is ε-greedy
    beside: StateValues | None = None  # what each state is worth, as it was learned or planned beside the policy
    critics: Tensor | None = None  # the parameters of the networks of action values that the policy climbs
    given: Given = NOTHING
    value: dict[str, Tensor] | None = None  # the parameters of a network of V beside the policy

    def fits(self, other: PolicySnapshot) -> bool:
        """Whether both are of one kind of policy in one environment, so that one's numbers suit the other's policy."""
        return (
            self.config.environment == other.config.environment
            and policy_of(self.config, self.environment) == policy_of(other.config, other.environment)
            and self.state.keys() == other.state.keys()
            and (self.epsilon is None) == (other.epsilon is None)
            and (self.critics is None) == (other.critics is None)
            and _critic(self.config) == _critic(other.config)
            and self.given.teacher is other.given.teacher
        )

    def is_same_policy(self, other: PolicySnapshot) -> bool:
        """Whether both act alike in one environment: be it that one was loaded once more, or learned nothing since."""
        return self is other or (
            (self.config.environment, self.environment) == (other.config.environment, other.environment)
            and (self.temperature, self.epsilon) == (other.temperature, other.epsilon)
            and policy_of(self.config, self.environment) == policy_of(other.config, other.environment)
            and self.state.keys() == other.state.keys()
            and all(torch.equal(values, other.state[name]) for name, values in self.state.items())
        )


def _critic(config: RunConfig) -> tuple[Any, ...]:
    """What the networks of action values beside a policy are made of."""
    return (config.update.critic, critic_count(config)) if isinstance(config, ActorCriticConfig) else ()


def snapshot(
    policy: Policy,
    config: RunConfig,
    environment: EnvironmentInfo,
    iteration: int,
    mean_return: float | None = None,
    beside: StateValues | None = None,
) -> PolicySnapshot:
    """Freeze ``policy``; cheap enough to be done after every iteration."""
    state = {name: value.detach().to("cpu", copy=True) for name, value in policy.state_dict().items()}
    return PolicySnapshot(
        config, environment, state, iteration, policy.temperature, mean_return, policy.epsilon, beside
    )


def frozen(training: Training, run: str = "") -> PolicySnapshot:
    """What a run has learned by now: its policy, and what was learned beside it; of several, that of ``run``, or of the
    first."""
    if len(training.runs) > 1:
        name = run or next(iter(training.runs))
        totals, config = training.totals[name], with_values(training.config, {"seed": training.runs[name]})
        at = totals.iteration - totals.busy, totals.mean_return
        return replace(
            snapshot(training.learner.policies[name], config, training.environment, *at), given=training.given
        )
    at = training.updates, training.mean_return
    found = snapshot(training.policy, training.config, training.environment, *at, training.state_values())
    return replace(found, critics=training.critics(), given=training.given, value=training.value_network())


def as_made(snapshot: PolicySnapshot) -> Policy:
    """A policy of the kind that was frozen, into which the numbers of ``snapshot`` fit."""
    values = any(name.startswith("value_head.") for name in snapshot.state)
    normalizer = Normalizer(snapshot.environment.observation.size) if "normalizer.mean" in snapshot.state else None
    made = policy_of(snapshot.config, snapshot.environment)
    return Policy(made, snapshot.environment, torch.Generator(), values, normalizer)


def thawed(snapshot: PolicySnapshot) -> Policy:
    """The policy that was frozen, ready to act."""
    policy = as_made(snapshot)
    policy.load_state_dict(snapshot.state)
    policy.temperature, policy.epsilon = snapshot.temperature, snapshot.epsilon
    return policy


class Playback:
    """Plays episodes of a policy one frame at a time; each episode is played by one policy from start to end.

    Raises:
        RequestError: on construction and from ``use``, when the environment cannot be made.
        RunError: on construction and from ``use``, when it cannot be made to give pictures, or making it takes its
            worker process down; from ``advance``, when it raises, hangs, takes that down or gives no picture, or the
            policy's numbers are not finite.
        GivenUp: as ``waited``, while a worker process is waited for.
    """

    def __init__(self, snapshot: PolicySnapshot, seed: int) -> None:
        for_environment, for_actions = np.random.SeedSequence(seed).generate_state(2, np.uint32).tolist()
        self._seed = for_environment
        self._generator = torch.Generator().manual_seed(for_actions)
        self._episode = 0
        self._build(snapshot)

    def _build(self, snapshot: PolicySnapshot) -> None:
        self._playing = self._next = snapshot
        self._policy = as_made(snapshot)
        self._worth = worth_of(snapshot.config, snapshot.environment, self._policy, snapshot.critics)
        self._memory: Tensor | None = None  # of a recurrent policy, within an episode
        self._teacher = asked(snapshot.given.teacher, snapshot.environment)
        self._rendered = rendered(snapshot.config.environment, self._seed)
        self._environment: SeedableBatch = self._rendered.stepped
        self._action_space: Any = self._rendered.rendering.action_space
        self._begun = False  # whether an episode is under way
        self._beginning: Beginning | None = None  # of the next episode, where somebody has asked for one
        self._chosen = False  # whether the one under way began like that
        self._observations: NDArray[Any] = np.empty(0)  # [1, …]
        self._action: NDArray[Any] | None = None  # [1, …] as the environment is to take it when advancing
        self._step = 0
        self._reward = 0.0

    @property
    def playing(self) -> PolicySnapshot:
        """The policy of the episode that was begun last."""
        return self._playing

    @property
    def environment(self) -> EnvironmentInfo:
        """What is being played in."""
        return self._playing.environment

    @property
    def frames_per_second(self) -> float:
        """The environment's own rate, one frame per step."""
        return self._rendered.frames_per_second

    def use(self, snapshot: PolicySnapshot, *, at_once: bool = False) -> None:
        """Play ``snapshot`` from the next episode on; from a new one now where it is ``at_once``, or where it is for
        another environment or kind of policy."""
        if snapshot is self._next or snapshot.fits(self._playing):
            self._next = snapshot
            self._begun &= not at_once
            return
        self.close()
        self._build(snapshot)

    def begin(self, beginning: Beginning) -> None:
        """Begin a new episode there when ``advance`` is called next; those after it begin as ever."""
        self._beginning, self._begun = beginning, False

    def advance(self, greedy: bool, render: bool = True, *, told: bool = True) -> Frame:
        """Begin an episode, or take the action that the last frame showed; the frame of the state thus reached.

        The action decided in it is the policy's most likely one if ``greedy``, else a sampled one. A picture is made
        when ``render`` asks for it, and always of an episode's final state; how the action was decided is not ``told``
        where nobody sees it.
        """
        terminated = truncated = False
        if self._begun:
            terminated, truncated = self._take_step()
        else:
            self._begin()
        ended = terminated or truncated
        decision = None if ended else self._decide(greedy, told)
        would = None if ended or self._teacher is None else self._would(told)
        self._begun = not ended
        seen = self.environment.observation
        return Frame(
            image=self._render() if render or ended else None,
            step=self._step,
            decision=decision,
            reward_so_far=self._reward,
            terminated=terminated,
            truncated=truncated,
            iteration=self._playing.iteration,
            episode=self._episode,
            state=state_in(self._observations[0], self._playing.config.environment, self.environment),
            teachers_action=would,
            observation=self._observations[0] if seen.kind == "box" and not seen.image else None,
            chosen=self._chosen,
        )

    def close(self) -> None:
        """Free the environment; how it takes that is of no interest to anybody any more."""
        with suppress(RunError):
            self._environment.close()

    def _begin(self) -> None:
        self._playing = self._next
        self._policy.load_state_dict(self._playing.state)
        self._policy.temperature, self._policy.epsilon = self._playing.temperature, self._playing.epsilon
        if self._worth is not None and self._playing.critics is not None:
            self._worth.load(self._playing.critics)
        self._memory = self._policy.start(1)
        if self._teacher is not None:
            self._teacher.begin()
        self._episode += 1
        self._step, self._reward = 0, 0.0
        beginning, self._beginning = self._beginning, None
        self._chosen = beginning is not None
        if isinstance(beginning, AfterActions):
            self._go_through(beginning)
        elif isinstance(beginning, InState):
            self._observations = self._environment.begin_in(beginning.state, beginning.earlier)
        else:
            self._observations = self._environment.reset(_ONLY)

    def _go_through(self, beginning: AfterActions) -> None:
        """Do what was done, while policy and teacher look on, as far as they have a memory."""
        self._observations = self._environment.begin(beginning.seed)
        for action in beginning.actions:
            if self._memory is not None:
                with torch.inference_mode():
                    self._memory = self._policy.step(torch.from_numpy(self._observations), self._memory)[1]
            if self._teacher is not None:
                self._would(told=False)
            self._action = action[None]
            if any(self._take_step()):
                raise RunError(
                    f"{self.environment.id} does not do again what it did: its episode was over sooner, so there is "
                    "nothing to be played from there."
                )

    def _take_step(self) -> tuple[bool, bool]:
        assert self._action is not None
        moved = self._environment.step(self._action, _ONLY)
        self._observations = moved.observations
        self._reward += float(moved.rewards[0])
        self._step += 1
        return bool(moved.terminated[0]), bool(moved.truncated[0])

    def _decide(self, greedy: bool, told: bool) -> Decision | None:
        """Decide on the next action; how, where that is to be ``told``, which costs about as much again."""
        with torch.inference_mode():
            distribution, self._memory = self._policy.step(torch.from_numpy(self._observations), self._memory)
            if isinstance(distribution, Bernoulli):  # which refuses to sample from what is no probability
                self._check_finite(distribution.probabilities.numpy())
            action = distribution.mode() if greedy else distribution.sample(self._generator)
            self._action = self._policy.to_environment(action).numpy()
            if told:
                return self._shown(distribution, self._action[0])
            if self._action.dtype.kind == "f":  # of others it is seen when the next is told
                self._check_finite(self._action)
            return None

    def _would(self, told: bool) -> NDArray[Any] | None:
        """What the teacher would do."""
        assert self._teacher is not None
        with torch.inference_mode():
            return self._teacher.action(self._observations, told)

    def _shown(self, distribution: Distribution, action: NDArray[Any]) -> Decision:
        """The one decision of a batch of one, checked to be made of finite numbers."""
        if isinstance(distribution, EpsilonGreedy):
            values = distribution.values[0].numpy()
            self._check_finite(values)
            return SoftmaxDecision(distribution.probabilities[0].numpy(), int(action), values)
        if isinstance(distribution, Categorical | MultiCategorical | Bernoulli):
            chances = distribution.probabilities[0].numpy()
            self._check_finite(chances)
            if isinstance(distribution, Categorical):
                worth = None if self._worth is None else self._worth.of_all(torch.from_numpy(self._observations))
                return SoftmaxDecision(chances, int(action), worth)
            several = MultiSoftmaxDecision if isinstance(distribution, MultiCategorical) else SwitchDecision
            return several(chances, action)
        low, high = self._action_space.low.reshape(-1), self._action_space.high.reshape(-1)
        if isinstance(distribution, DiagonalGaussian):
            mean = self._policy.to_environment(distribution.mean)[0].numpy()
            std = (distribution.log_std.exp().expand_as(distribution.mean)[0] * self._policy.action_unit).numpy()
            self._check_finite(mean)
            self._check_finite(std)
            return GaussianDecision(mean, std, action, low, high, self._along(distribution.mean))
        assert isinstance(distribution, TanhGaussian | Beta)
        densities = _densities(distribution)
        self._check_finite(densities)
        middle, greedy = self._policy.to_environment(distribution.mode())[0].numpy(), distribution.mode().tanh()
        return BoundedDecision(densities, middle, action, low, high, self._along(greedy))

    def _along(self, greedy: Tensor) -> NDArray[np.float32] | None:
        """What actions around this one are worth, where that is known."""
        return None if self._worth is None else self._worth.along(torch.from_numpy(self._observations), greedy)

    def _check_finite(self, numbers: NDArray[np.float32]) -> None:
        if not np.isfinite(numbers).all():
            raise RunError(
                f"The policy of iteration {self._playing.iteration} gives numbers that are not finite, so it has no "
                "action to play; a smaller learning rate usually keeps them finite."
            )

    def _render(self) -> Image:
        image: Image = self._rendered.rendering.render(0)
        return image


def _densities(distribution: TanhGaussian | Beta) -> NDArray[np.float32]:
    """The marginal densities of a batch of one over ``GRID`` bins between the bounds, relative to the greatest."""
    unit = (np.arange(GRID) + 0.5) / GRID
    low, high = np.log(unit), np.log1p(-unit)
    if isinstance(distribution, Beta):
        logs = np.outer(distribution.alpha[0].numpy() - 1.0, low) + np.outer(distribution.beta[0].numpy() - 1.0, high)
    else:
        mean = distribution.base.mean[0].numpy()[:, None]
        std = distribution.base.log_std.exp().expand_as(distribution.base.mean)[0].numpy()[:, None]
        logs = -0.5 * ((0.5 * (low - high) - mean) / std) ** 2 - (low + high)
    densities: NDArray[np.float32] = np.exp(logs - logs.max(1, keepdims=True)).astype(np.float32)
    return densities
