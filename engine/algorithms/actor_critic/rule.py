"""Learning action values from old experience, and a policy by them: what all rules of the family have in common."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.algorithms.actor_critic.all_actions import AllActionsImprovement
from engine.algorithms.actor_critic.improvements import MakeImprovement, make_improvement
from engine.algorithms.actor_critic.traced import traced_targets
from engine.algorithms.outcome import Metrics, require_finite, scheduled, scheduled_metric
from engine.algorithms.value_based.outcome import ValueOutcome
from engine.algorithms.watching import WatchedStep, drawn_steps
from engine.catalogue.methods.replay import replay_layout
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ActorCriticConfig
from engine.config.actor_critic import QActorCritic
from engine.experience.replay import Horizon, Replay
from engine.experience.replay_buffer import Minibatch
from engine.experience.transitions import Transitions
from engine.maths.action_values import one_step_targets
from engine.networks.optimizers import make_optimizer
from engine.policies.policy import Policy
from engine.reports.update_events import UpdateStep
from engine.runtime.seeds import Seeds
from engine.runtime.state import Parts
from engine.values.action_critics import Critics
from engine.values.target_network import Following, MakeFollowing, TargetWatch

_TOLD = 128  # minibatches, at most, of which an iteration tells


@dataclass(frozen=True)
class _Learned:
    """What a gradient step came to: the errors [k, B] of the k networks, the targets and the rewards [B], and the ages
    [B]."""

    errors: Tensor
    targets: Tensor
    rewards: Tensor
    ages: Tensor


@dataclass(frozen=True)
class RuleMaking:
    """What the parts of the rule are made with, where they are to be others."""

    improvement: MakeImprovement = make_improvement
    following: MakeFollowing = Following


class ActorCriticRule:
    """φ_i ← φ_i − η_Q ∇ ½ mean (y − Q_i(s, a))² for each network i of action values, and a step of the policy along
    what they say, on minibatches drawn from a replay buffer, with

    y = Σ_{l<h} γ^l r_{t+l} + γ^h v(s_{t+h})

    where the second term is 0 behind a termination, h is n or as far as the episode goes, and v, by target networks,
    is what the ``Improvement`` makes of it; or, with traces, as ``traced_targets`` has it.
    """

    def __init__(
        self,
        config: ActorCriticConfig,
        policy: Policy,
        environment: EnvironmentInfo,
        seeds: Seeds,
        making: RuleMaking | None = None,
    ) -> None:
        making = making or RuleMaking()
        update = config.update
        self.parts = Parts()
        self._config, self._update, self._progress, self._device = config, update, 0.0, policy.device
        self._acting = policy
        self._policy = making.improvement(config, policy, environment, seeds.generator(policy.device))
        self.parts.add("improvement", self._policy.parts)
        self._optimizer = self.parts.add("optimizer", make_optimizer(update.optimizer, self._policy.vector))
        self._online = Critics(update.critic, self._policy.critics, environment, policy, seeds.generator())
        self.parts.add("critics", self._online)
        self._critic_optimizer = make_optimizer(update.optimizer, self._online.vector)
        self.parts.add("critic_optimizer", self._critic_optimizer)
        self._target = self._online.copy()
        self._following = self.parts.add("target", making.following(self._online.vector, self._target.vector))
        self._watch = self.parts.add_later("target watch", TargetWatch(self._online.vector, self._target.vector))
        self._traced = isinstance(update, QActorCritic) and update.traces != "off"
        layout = replay_layout(environment, config.environment, self._traced)
        self._blindly = -math.log(max(1, environment.action.size))  # log μ of any action before anything is learned
        self._replay = Replay(update.replay, layout, config.collection.environments, seeds.generator())
        self.parts.add("replay", self._replay.parts)
        self._is_watched = False
        self._steps = 0  # of the action values, in this iteration
        self._norms: deque[Tensor] = deque(maxlen=_TOLD)  # of the policy's gradients
        self._learned: deque[_Learned] = deque(maxlen=_TOLD)

    @property
    def explores_only(self) -> bool:
        """Whether actions are to be random, as nothing has been learned yet."""
        return self._replay.acts_randomly(self._update.replay)

    def begin(self, config: ActorCriticConfig, progress: float, watched: bool = False) -> None:
        """An iteration begins, with these settings at this share of the budget, 0 … 1; where it is ``watched``, every
        gradient step is told."""
        self._config, self._update, self._progress, self._is_watched = config, config.update, progress, watched
        self._policy.begin(config)
        self._following.begin()
        self._steps = 0
        self._norms.clear()
        self._learned.clear()

    def broke_off(self, environments: NDArray[np.int64]) -> None:
        """The episodes in these environments will not go on."""
        self._replay.broke_off(environments)

    def values(self, observations: Tensor) -> Tensor:
        """What the policy's likeliest actions in these states are taken to be worth, [n], by the smaller of the
        networks that learn."""
        with torch.inference_mode():
            return self._policy.values(observations, self._online)

    @property
    def critics(self) -> Tensor:
        """The parameters of all networks of action values that learn, [P]."""
        return self._online.vector.values

    def action_values(self, observations: Tensor) -> Tensor:
        """Q(s, ·) of a few discrete actions, by the smaller of the networks that learn, [n, A]."""
        return self._online.judge(observations).smallest

    def learn(self, transitions: Transitions) -> Iterator[UpdateStep | None]:
        """Update with the latest steps; whoever watches may stop it between two gradient steps, and is told each: of
        all networks of action values and, where it takes one, of the policy, whose gradient and change are told.

        Raises:
            RunError: a value or an action is no longer a finite number.
        """
        environment, update = self._config.environment, self._update
        taken = replace(transitions, actions=self._policy.as_judged(transitions.actions))
        rewards = environment.reward_scale * transitions.rewards + environment.reward_offset
        self._replay.append(taken, rewards, self._log_probs(transitions) if self._traced else None)
        if not self._replay.ready(update.replay):
            return
        horizon = Horizon(self._config.estimator.n, self._config.estimator.gamma)
        for drawn in self._replay.draws(update.replay, horizon, update.gradient_steps, self._progress, self._device):
            yield self._step(drawn.batch)

    @torch.no_grad()
    def _log_probs(self, transitions: Transitions) -> NDArray[np.float32]:
        """log μ(a|s) [T, N] of what has just acted: the policy as it is, or chance alone."""
        shape = transitions.rewards.shape
        if self.explores_only:
            return np.full(shape, self._blindly, np.float32)
        assert isinstance(self._policy, AllActionsImprovement)
        seen, actions = (
            torch.from_numpy(rows.reshape(-1, *rows.shape[2:])).to(self._device)
            for rows in (transitions.observations, transitions.actions)
        )
        found: NDArray[np.float32] = self._policy.log_probs(seen, actions).cpu().numpy().reshape(shape)
        return found

    def _targets(self, batch: Minibatch) -> Tensor:
        """y [B]."""
        policy, update, estimator = self._policy, self._update, self._config.estimator
        if not self._traced:
            return one_step_targets(batch.rewards, batch.discounts, policy.next_values(batch, self._target))
        assert isinstance(policy, AllActionsImprovement)
        assert isinstance(update, QActorCritic)
        windows = self._replay.windows(batch, Horizon(estimator.n, estimator.gamma), self._device)
        return traced_targets(windows, update, policy, self._target)

    @torch.no_grad()
    def _step(self, batch: Minibatch) -> UpdateStep | None:
        update, online, policy = self._update, self._online, self._policy
        targets = self._targets(batch)
        judged = online.judge(batch.observations, None if online.discrete else batch.actions, learn=True)
        if online.discrete:
            which = batch.actions.expand(online.count, -1).unsqueeze(-1)
            errors = targets - judged.values.gather(-1, which).squeeze(-1)
            gradients = torch.zeros_like(judged.values).scatter_(-1, which, errors.unsqueeze(-1) / -len(targets))
        else:
            errors = targets - judged.values
            gradients = errors / -len(targets)
        online.vector.zero()
        online.backward(judged, gradients)
        self._critic_optimizer.step(self._scheduled(update.critic.learning_rate))
        self._steps += 1
        self._learned.append(_Learned(errors, targets, batch.rewards, batch.ages))
        climbs = policy.climbs()
        if climbs:
            policy.vector.zero()
            policy.add_gradient(batch, online)
            self._norms.append(policy.vector.clip(update.max_grad_norm))
        seen = self._watched(errors, climbs=climbs) if self._is_watched else None
        if climbs:
            rate = self._scheduled(update.learning_rate)
            self._optimizer.step(rate)
            policy.stepped(rate)
            self._following.step(update.target)
        if seen is None:
            return None
        return replace(seen.event(0, self._steps), drawn=drawn_steps(batch, targets, errors))

    def _watched(self, errors: Tensor, *, climbs: bool) -> WatchedStep:
        """The step that is about to be taken; the policy's gradient is 0 where it waits."""
        losses, norm = {"value": 0.5 * float(errors.square().mean())}, float(self._norms[-1]) if climbs else 0.0
        vector, nothing = self._policy.vector, torch.zeros(0)
        return WatchedStep(self._acting, vector, losses, norm, log_ratios=nothing, errors=errors)

    def _scheduled(self, rate: float) -> float:
        return scheduled(rate, self._update.learning_rate_schedule, self._progress)

    def outcome(self) -> ValueOutcome:
        """What the updates since ``begin`` came to."""
        rate = self._scheduled(self._update.learning_rate)
        metrics: Metrics = {
            "gradient_steps": self._steps,
            "target_age": self._watch.age(self._steps),
            **scheduled_metric(self._update.learning_rate_schedule, rate),
        }
        if not self._learned:
            return ValueOutcome(np.zeros(0, np.float32), metrics)
        columns = ("errors", "targets", "rewards")
        errors, targets, rewards = (torch.stack([getattr(one, name) for one in self._learned]) for name in columns)
        ages = torch.stack([one.ages for one in self._learned])
        loss = float(errors.square().mean())
        require_finite([loss], self._scheduled(self._update.critic.learning_rate))
        metrics |= {
            "value_loss": loss,
            "td_error_mean": float(errors.mean()),
            "td_error_size": float(errors.abs().mean()),
            "target_mean": float(targets.mean()),
            "estimate_mean": float((targets.unsqueeze(1) - errors).mean()),
            "replay_age": float(ages.double().mean()),
        }
        if not self._traced:  # whose targets hold more rewards than are drawn with them
            metrics["final_targets"] = float((targets == rewards).double().mean())
        if self._norms:
            norm = float(torch.stack(list(self._norms)).mean())
            require_finite([norm], rate)
            metrics |= {"grad_norm": norm, **self._policy.told()}
        return ValueOutcome(errors.flatten().cpu().numpy(), metrics)
