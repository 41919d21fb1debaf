"""Behavioural cloning: what is known of the policy as it is, and an update by maximum likelihood."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from engine.algorithms.imitation.early_stopping import EarlyStopping
from engine.algorithms.imitation.fitting import FitInput, FittingRule
from engine.algorithms.imitation.labelled import Labelled, held_out, labelled, returns_to_go, whole_returns
from engine.algorithms.imitation.measuring import likeness, majority_share
from engine.algorithms.outcome import Metrics
from engine.catalogue.methods.imitated import is_own
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ImitationConfig
from engine.config.estimators import EstimatorConfig, NoBaseline, RewardToGo, TotalReturn
from engine.config.imitation import BehaviouralCloning
from engine.estimation.estimators import estimate
from engine.experience.batch import Batch
from engine.experience.demonstrations import Demonstrations
from engine.experience.rollouts import Rollout
from engine.policies.policy import MARGIN, Policy
from engine.reports.events import Collected, Estimated, Event, Heartbeats, Updated
from engine.reports.metrics import METRICS
from engine.runtime.errors import RequestError
from engine.runtime.seeds import Seeds
from engine.training.given import Given
from engine.training.learner import Moment
from engine.training.learners.interaction import InteractingLearner, RolloutInteraction
from engine.training.learners.summary import estimated, require_computable, summary
from engine.training.learners.teaching import require_fitting, require_weights

_NAMED = 6  # actions whose shares are told


class CloningLearner(InteractingLearner[RolloutInteraction]):
    """One iteration plays some episodes to show what the policy does, measures how like the teacher it is, and then
    learns some more. All that an iteration tells is of the policy as it began.

    Raises:
        RequestError, RunError: on construction, as ``RolloutInteraction``; or the dataset is missing or does not fit.
    """

    def __init__(self, config: ImitationConfig, run: str, given: Given) -> None:
        seeds = Seeds(config.seed)
        super().__init__(run, RolloutInteraction(config, seeds, with_value=False))
        splitting, minibatches = seeds.generator(), seeds.generator()
        assert isinstance(config.update, BehaviouralCloning)
        try:
            self._dataset = None if is_own(config) else _Dataset(config, self._interaction, given, splitting)
        except BaseException:
            self.close()
            raise
        self._rule = FittingRule(config.update, self.policy, minibatches)
        self.parts.add("rule", self._rule.parts)
        self._stopping = self.parts.add("stopping", EarlyStopping(self._rule.weights))

    def _iteration(self, moment: Moment) -> Generator[Event, None, None]:
        config = moment.config
        assert isinstance(config, ImitationConfig)
        self._interaction.explore(config, moment.progress)
        rollout, collected = yield from self._interaction.collect(moment)
        if self._dataset is None:
            yield from self._from_own(rollout, collected, moment)
        else:
            yield from self._from_dataset(self._dataset, collected, moment)

    def _from_dataset(self, dataset: _Dataset, collected: Collected, moment: Moment) -> Generator[Event, None, None]:
        config, update = moment.config, moment.config.update
        assert isinstance(config, ImitationConfig)
        assert isinstance(update, BehaviouralCloning)
        known = yield from likeness(self.policy, dataset.learned)
        unseen = yield from likeness(self.policy, dataset.held_out)
        surprises = known.surprises.cpu().numpy()
        yield Estimated(moment.iteration, surprises, surprises)
        shown = unseen if unseen.loss is not None else known
        told: Metrics = {
            "mean_length": _mean_length(collected),
            "entropy": known.entropy,
            "training_loss": known.loss,
            "held_out_loss": unseen.loss,
            "agreement": shown.agreement,
            "action_error": shown.error,
            "majority_share": dataset.majority_share,
            "teacher_return": dataset.mean_return,
            "dataset_size": float(len(dataset.learned)),
            "gradient_steps": 0.0,
        }
        note = dataset.said if moment.iteration == 1 else ""
        if unseen.loss is not None:
            note = self._stopping.look(unseen.loss, update.patience, moment.iteration) or note
        if not self._stopping.over(update.patience):
            batch = dataset.weighted(config).batch(self.policy)
            given = FitInput(
                batch, dataset.episodes, update, moment.progress, moment.iteration if moment.watched else None
            )
            outcome = yield from self._rule.update(given)
            told |= outcome.metrics | {"gradient_steps": outcome.steps}
        yield Updated(moment.iteration, metrics=dict.fromkeys(METRICS) | told, note=note)

    def _from_own(self, rollout: Rollout, collected: Collected, moment: Moment) -> Generator[Event, None, None]:
        """Learn from the episodes that have just been played; weighed by returns, this is REINFORCE."""
        config, update = moment.config, moment.config.update
        assert isinstance(update, BehaviouralCloning)
        batch = yield from self._own(rollout, config.estimator.gamma, update)
        told: Metrics = dict(summary(collected, batch, self.environment))
        require_computable(told, batch, moment)
        yield estimated(moment.iteration, batch.advantages)
        known = torch.ones(batch.size, dtype=torch.bool, device=batch.advantages.device)
        steps = Labelled(batch.observations, batch.actions, known, batch.advantages, batch.lengths)
        like = yield from likeness(self.policy, steps)
        given = FitInput(batch, batch.divisor, update, moment.progress, moment.iteration if moment.watched else None)
        outcome = yield from self._rule.update(given)
        if self._interaction.normalizer is not None:
            self._interaction.normalizer.update(batch.observations)
        told |= outcome.metrics | {
            "entropy": like.entropy,
            "training_loss": like.loss,
            "agreement": like.agreement,
            "action_error": like.error,
            "majority_share": majority_share(batch.actions),
            "dataset_size": float(batch.size),
            "gradient_steps": outcome.steps,
        }
        yield Updated(moment.iteration, metrics=dict.fromkeys(METRICS) | told)

    def _own(self, rollout: Rollout, gamma: float, update: BehaviouralCloning) -> Heartbeats[Batch]:
        credit = RewardToGo() if update.weighting == "return-to-go" else TotalReturn()
        batch = yield from estimate(
            rollout, EstimatorConfig(credit=credit, baseline=NoBaseline(), gamma=gamma), self.policy, None
        )
        if update.weighting != "one":
            return batch
        return Batch(rollout, torch.ones_like(batch.advantages), batch.state_weights, batch.baseline)


class _Dataset:
    """The dataset of a run: what is learned from, what is held out, and what is to be said of it.

    Raises:
        RequestError: on construction, when there is none, or it does not fit.
    """

    def __init__(
        self, config: ImitationConfig, interaction: RolloutInteraction, given: Given, generator: torch.Generator
    ) -> None:
        shown, self._policy = given.demonstrations, interaction.policy
        if shown is None:
            raise RequestError(f"The dataset {config.imitation.dataset} was not given to this run; start it anew.")
        require_fitting(shown, config, interaction.environment)
        self._steps = labelled(shown, self._policy)
        require_weights(shown, config)
        self._rewards = _rewards(shown, config)
        out = held_out(self._steps, config.imitation.held_out, generator)
        self._learned = ~out
        self.learned, self.held_out = (self._steps.part(rows, self._policy.recurrent) for rows in (self._learned, out))
        if interaction.normalizer is not None:
            interaction.normalizer.update(self._steps.observations[self._learned])
        chosen = torch.split(self._learned.cpu(), self._steps.lengths.tolist())
        self.episodes = sum(bool(each.any()) for each in chosen)
        self.majority_share = majority_share(self.learned.actions[self.learned.known])
        returns = [each.total_return for each in shown.episodes]
        known = [each for each in returns if each is not None]
        self.mean_return = float(np.mean(known)) if known else None
        self.said = said_of(shown, interaction.environment, self._policy)

    def weighted(self, config: ImitationConfig) -> Labelled:
        """What is learned from, with what ∇ log π of each step is multiplied by."""
        assert isinstance(config.update, BehaviouralCloning)
        steps, weighting = self._steps, config.update.weighting
        if weighting == "one" or self._rewards is None:
            return self.learned
        counted = returns_to_go if weighting == "return-to-go" else whole_returns
        weights = counted(self._rewards, steps.lengths, config.estimator.gamma).to(steps.weights.device)
        return replace(steps, weights=weights).part(self._learned, self._policy.recurrent)


def _rewards(shown: Demonstrations, config: ImitationConfig) -> Tensor | None:
    """As learning is to see them, [M]; None where they are not known of every episode."""
    episodes = [each.rewards for each in shown.episodes if len(each)]
    known = [each for each in episodes if each is not None]
    if len(known) < len(episodes):
        return None
    seen = config.environment
    return torch.from_numpy(seen.reward_scale * np.concatenate(known) + seen.reward_offset).float()


def said_of(shown: Demonstrations, environment: EnvironmentInfo, policy: Policy) -> str:
    """What a person should know of a dataset: how often each action is in it, and what of them is changed."""
    actions, space = shown.actions, environment.action
    count = sum(bool(len(each)) for each in shown.episodes)
    steps = f"{len(actions):,} step{'' if len(actions) == 1 else 's'}"
    begun = f"The dataset has {steps} of {count:,} episode{'' if count == 1 else 's'}"
    if space.kind == "discrete":
        shares = np.bincount(actions, minlength=space.size) / len(actions)
        names = space.labels or tuple(f"action {action}" for action in range(space.size))
        told = [
            f"{names[action]} {100.0 * shares[action]:.0f} %" for action in np.argsort(-shares, kind="stable")[:_NAMED]
        ]
        rest = ", …" if space.size > _NAMED else ""
        return f"{begun}: {', '.join(told)}{rest}."
    if not policy.stays_inside:
        return f"{begun}."
    low, high = np.broadcast_to(np.array(space.bounds), (space.size, 2)).T
    share = (actions - low) / (high - low)
    near = float(((share < MARGIN) | (share > 1.0 - MARGIN)).any(-1).mean())
    if near == 0.0:
        return f"{begun}."
    return (
        f"{begun}; {100.0 * near:.0f} % of them have an action on a bound, where this policy cannot go, and count as a "
        "thousandth of the range inside."
    )


def _mean_length(collected: Collected) -> float | None:
    return float(collected.lengths.mean()) if len(collected.lengths) else None
