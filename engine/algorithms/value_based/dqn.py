"""DQN: a network of action values, fitted to targets on old experience."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.algorithms.outcome import Metrics, require_finite, scheduled, scheduled_metric
from engine.algorithms.value_based.outcome import ValueOutcome
from engine.algorithms.watching import WatchedStep, drawn_steps
from engine.catalogue.methods.replay import replay_layout
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ValueBasedConfig
from engine.config.value_based import DQN
from engine.experience.replay import Horizon, Replay, Replayed
from engine.experience.transitions import Transitions
from engine.maths.action_values import (
    double_values,
    greedy_values,
    huber_gradient,
    huber_loss,
    one_step_targets,
    taken_values,
)
from engine.networks.optimizers import make_optimizer
from engine.policies.policy import Policy
from engine.reports.update_events import UpdateStep
from engine.runtime.seeds import Seeds
from engine.runtime.state import Parts
from engine.values.action_value import ActionValues
from engine.values.target_network import Following, MakeFollowing, TargetWatch

DELTA = 1.0  # from which error on Huber's loss rises evenly, in the units of the rewards that learning sees
_TOLD = 128  # minibatches and states, at most, of which an iteration tells


@dataclass(frozen=True)
class _Learned:
    """What a gradient step came to: of its minibatch the errors, targets and rewards [B], the weights, and the ages
    [B]; and the gradient's length before any clipping."""

    errors: Tensor
    targets: Tensor
    rewards: Tensor
    weights: Tensor | None
    ages: Tensor
    norm: Tensor


class DQNRule:
    """θ ← θ − α ∇ mean_i w_i ℓ(y_i − Q_θ(s_i, a_i)) on minibatches drawn from a replay buffer, with

    y = Σ_{l<h} γ^l r_{t+l} + γ^h max_b Q⁻(s_{t+h}, b)                       DQN (Mnih et al., 2015)
    y = Σ_{l<h} γ^l r_{t+l} + γ^h Q⁻(s_{t+h}, argmax_b Q_θ(s_{t+h}, b))      double (van Hasselt et al., 2016)

    where the second term is 0 behind a termination, h is n or as far as the episode goes, and Q⁻ is the target network.
    ℓ(e) is ½ e², or Huber's loss; w are the weights of prioritised replay (Schaul et al., 2016), else 1. With two heads
    Q = V + A − mean A (Wang et al., 2016).
    """

    def __init__(
        self,
        config: ValueBasedConfig,
        policy: Policy,
        environment: EnvironmentInfo,
        seeds: Seeds,
        following: MakeFollowing = Following,
    ) -> None:
        update = config.update
        assert isinstance(update, DQN)
        self.parts = Parts()
        self._config, self._update, self._progress, self._is_watched = config, update, 0.0, False
        self._online = ActionValues(policy)
        self._target = self._online.copy()
        self._following = self.parts.add("target", following(self._online.vector, self._target.vector))
        self._watch = self.parts.add_later("target watch", TargetWatch(self._online.vector, self._target.vector))
        self._optimizer = self.parts.add("optimizer", make_optimizer(update.optimizer, self._online.vector))
        environments = config.collection.environments
        layout = replay_layout(environment, config.environment)
        self._replay = Replay(update.replay, layout, environments, seeds.generator())
        self.parts.add("replay", self._replay.parts)
        self._steps = 0  # gradient steps of this iteration
        self._learned: deque[_Learned] = deque(maxlen=_TOLD)
        self._seen: deque[NDArray[Any]] = deque(maxlen=-(-_TOLD // environments))

    @property
    def explores_only(self) -> bool:
        return self._replay.acts_randomly(self._update.replay)

    def begin(self, config: ValueBasedConfig, progress: float, watched: bool = False) -> None:
        assert isinstance(config.update, DQN)
        self._config, self._update, self._progress, self._is_watched = config, config.update, progress, watched
        self._following.begin()
        self._steps = 0
        self._learned.clear()
        self._seen.clear()

    def broke_off(self, environments: NDArray[np.int64]) -> None:
        self._replay.broke_off(environments)

    def learn(self, transitions: Transitions) -> Iterator[UpdateStep | None]:
        environment, update = self._config.environment, self._update
        self._replay.append(transitions, environment.reward_scale * transitions.rewards + environment.reward_offset)
        self._seen.append(transitions.observations[-1])
        if not self._replay.ready(update.replay):
            return
        horizon = Horizon(self._config.estimator.n, self._config.estimator.gamma)
        rate = scheduled(update.learning_rate, update.learning_rate_schedule, self._progress)
        device = self._online.vector.values.device
        for drawn in self._replay.draws(update.replay, horizon, update.gradient_steps, self._progress, device):
            yield self._step(drawn, rate)

    @torch.no_grad()
    def _step(self, drawn: Replayed, rate: float) -> UpdateStep | None:
        update, batch, online = self._update, drawn.batch, self._online
        targets = one_step_targets(batch.rewards, batch.discounts, self._following_values(batch.next_observations))
        evaluated = online.forward(batch.observations)
        errors = targets - taken_values(evaluated.values.detach(), batch.actions)
        slopes = huber_gradient(errors, DELTA) if update.loss == "huber" else errors
        slopes = slopes if drawn.weights is None else slopes * drawn.weights
        gradients = torch.zeros_like(evaluated.values)
        gradients.scatter_(1, batch.actions.unsqueeze(1), slopes.unsqueeze(1) * (-1.0 / len(errors)))
        online.vector.zero()
        online.backward(evaluated, gradients)
        norm = online.vector.clip(update.max_grad_norm)
        seen = self._watched(errors, drawn.weights, norm) if self._is_watched else None
        self._optimizer.step(rate)
        self._following.step(update.target)
        self._steps += 1
        self._learned.append(_Learned(errors, targets, batch.rewards, drawn.weights, batch.ages, norm))
        if drawn.weights is not None:
            require_finite([float(norm)], rate)
            self._replay.learned(update.replay, batch, errors)
        if seen is None:
            return None
        return replace(seen.event(0, self._steps), drawn=drawn_steps(batch, targets, errors, drawn.weights))

    def _losses(self, errors: Tensor, weights: Tensor | None) -> Tensor:
        """w ℓ(δ) of each, in the shape of the errors."""
        losses = huber_loss(errors, DELTA) if self._update.loss == "huber" else 0.5 * errors.square()
        return losses if weights is None else losses * weights

    def _watched(self, errors: Tensor, weights: Tensor | None, norm: Tensor) -> WatchedStep:
        losses = {"value": float(self._losses(errors, weights).mean())}
        nothing = torch.zeros(0)
        online = self._online
        return WatchedStep(online.policy, online.vector, losses, float(norm), log_ratios=nothing, errors=errors)

    def _following_values(self, observations: Tensor) -> Tensor:
        """What the states that minibatches lead to are taken to be worth, [B]."""
        judged = self._target.values(observations)
        return (
            double_values(self._online.values(observations), judged) if self._update.double else greedy_values(judged)
        )

    def outcome(self) -> ValueOutcome:
        update = self._update
        rate = scheduled(update.learning_rate, update.learning_rate_schedule, self._progress)
        seen = torch.from_numpy(np.concatenate(self._seen)[-_TOLD:]).to(self._online.vector.values.device)
        metrics: Metrics = {
            "largest_value": float(self._online.values(seen).amax(-1).mean()),
            "gradient_steps": self._steps,
            "target_age": self._watch.age(self._steps),
            **scheduled_metric(update.learning_rate_schedule, rate),
        }
        if not self._learned:
            return ValueOutcome(np.zeros(0, np.float32), metrics)
        columns = ("errors", "targets", "rewards")
        errors, targets, rewards = (torch.stack([getattr(one, name) for one in self._learned]) for name in columns)
        weights = [one.weights for one in self._learned if one.weights is not None]
        norms = torch.stack([one.norm for one in self._learned])
        ages = torch.stack([one.ages for one in self._learned])
        metrics |= {
            "value_loss": float(self._losses(errors, torch.stack(weights) if weights else None).mean()),
            "grad_norm": float(norms.mean()),
            "td_error_mean": float(errors.mean()),
            "td_error_size": float(errors.abs().mean()),
            "target_mean": float(targets.mean()),
            "estimate_mean": float((targets - errors).mean()),
            "final_targets": float((targets == rewards).double().mean()),
            "replay_age": float(ages.double().mean()),
        }
        require_finite([metrics["value_loss"] or 0.0, metrics["grad_norm"] or 0.0], rate)
        return ValueOutcome(errors.flatten().cpu().numpy(), metrics)
