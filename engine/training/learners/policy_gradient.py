"""Learning by policy gradients: collect, estimate advantages, update the policy, fit the value function."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from engine.algorithms.outcome import Metrics, Outcome
from engine.algorithms.policy_gradient.proximal import fits_value_jointly
from engine.algorithms.policy_gradient.rule import UpdateInput, UpdateRule
from engine.algorithms.policy_gradient.rules import make_rule
from engine.config import PolicyGradientConfig
from engine.config.estimators import EstimatorConfig, SharedValueBaseline, ValueBaseline
from engine.estimation.estimators import estimate
from engine.experience.batch import Batch, retargeted
from engine.experience.rollouts import Rollout
from engine.policies.policy import Policy
from engine.reports.events import Collected, Event, Heartbeats, Reweighted, Updated, detailed
from engine.reports.metrics import METRICS
from engine.runtime.seeds import Seeds
from engine.runtime.state import State
from engine.training.learner import Moment
from engine.training.learners.condition import condition, ends_are_looked_at, is_looked_at
from engine.training.learners.inspection import after_update, inspected
from engine.training.learners.interaction import InteractingLearner, MakeCollector, RolloutInteraction
from engine.training.learners.self_checks import SelfChecks, estimates, sounded, value_pull
from engine.training.learners.summary import beginnings, estimated, require_computable, summary
from engine.values.critics import Critic, SeparateCritic, SharedCritic
from engine.values.fitting import ValueFitting
from engine.values.state_values import MOST_SHOWN, StateValues
from engine.values.value_function import ValueFunction

RATIOS = 20_000  # of a batch that are handed on to be shown; more look the same

MakeRule = Callable[[PolicyGradientConfig, Policy, torch.Generator, ValueFitting | None], UpdateRule]
MakeFitting = Callable[[ValueBaseline, ValueFunction, torch.Generator], ValueFitting]
Estimate = Callable[[Rollout, EstimatorConfig, Policy, Critic | None], Heartbeats[Batch]]


@dataclass(frozen=True)
class Making:
    """What the parts of a learner are made with, where they are to be others than those of a run by itself;
    ``learned_from`` makes what the policy is updated with, and whoever looks into it sees, of what was estimated."""

    collector: MakeCollector | None = None
    rule: MakeRule = make_rule
    fitting: MakeFitting = ValueFitting
    estimate: Estimate = estimate
    learned_from: Callable[[Batch, Policy], Batch] = lambda batch, policy: batch


class PlayedForValue:
    """What the iteration under way has played for V alone, and the loss at which V was fitted to it; nothing before it,
    and nothing any more once there is what the policy learns from.

    Several seeds may be saved while one of them waits for the latter. As its V is fitted by then, its iteration begins
    anew from there, and tells once more of what was played.
    """

    def __init__(self) -> None:
        self.told: tuple[Collected, float] | None = None

    def state(self) -> State:
        if self.told is None:
            return {}
        played, loss = self.told
        arrays = {name: getattr(played, name).copy() for name in ("returns", "lengths", "ends")}
        return {"iteration": played.iteration, "steps": played.environment_steps, **arrays, "loss": loss}

    def load(self, state: Mapping[str, Any]) -> None:
        self.told = None
        if state:
            arrays = {name: state[name].copy() for name in ("returns", "lengths", "ends")}
            played = Collected(iteration=state["iteration"], environment_steps=state["steps"], **arrays)
            self.told = played, state["loss"]


class PolicyGradientLearner(InteractingLearner[RolloutInteraction]):
    """One iteration collects a batch, estimates its advantages and updates the policy with them.

    Raises:
        RequestError, RunError: on construction, as ``RolloutInteraction``.
    """

    def __init__(self, config: PolicyGradientConfig, run: str, making: Making | None = None) -> None:
        making = making or Making()
        self._estimated, self._learned_from = making.estimate, making.learned_from
        seeds, baseline = Seeds(config.seed), config.estimator.baseline
        shared = isinstance(baseline, SharedValueBaseline)
        super().__init__(run, RolloutInteraction(config, seeds, shared, making.collector))
        self._critic: Critic | None = SharedCritic(self.policy) if shared else None
        self._fitting: ValueFitting | None = None
        if isinstance(baseline, ValueBaseline):
            value = self.parts.add("value", _value_function(config, baseline, self._interaction))
            self._fitting = making.fitting(baseline, value, seeds.generator())
            self.parts.add("fitting", self._fitting.parts)
            self._critic = SeparateCritic(value)
        self._for_value = PlayedForValue()
        if self._fitted_on(config) == "independent":
            self.parts.add_later("played for value", self._for_value)
        self._rule = making.rule(config, self.policy, seeds.generator(), self._fitting)
        self.parts.add("rule", self._rule.parts)

    @torch.no_grad()
    def state_values(self) -> StateValues | None:
        """A critic's; None as well of more states than are shown."""
        seen = self.environment.observation
        if seen.kind != "discrete" or seen.size > MOST_SHOWN or self.policy.recurrent:
            return None
        states = torch.arange(seen.size, device=self.policy.device)
        if isinstance(self._critic, SeparateCritic):
            values: torch.Tensor = self._critic.value(states)
            return StateValues(values.cpu().double())
        return StateValues(self.policy.evaluate(states, None)[1].cpu().double()) if self._critic is not None else None

    def value_network(self) -> dict[str, torch.Tensor] | None:
        if not isinstance(self._critic, SeparateCritic):
            return None
        parameters = self._critic.value.network.state_dict()
        return {name: value.detach().to("cpu", copy=True) for name, value in parameters.items()}

    def _iteration(self, moment: Moment) -> Generator[Event, None, None]:
        config = moment.config
        assert isinstance(config, PolicyGradientConfig)
        fitted: Metrics = {"value_loss": None}
        self._interaction.explore(config, moment.progress)
        if self._fitted_on(config) == "independent":
            fitted = yield from self._fit_independently(moment, config)
        looks = is_looked_at(moment.iteration)
        sounding = sounded(self.policy, self.environment.observation) if looks else None
        rollout, collected = yield from self._interaction.collect(moment)
        self._for_value.told = None
        batch, told = yield from self._estimate(rollout, collected, moment)
        if self._fitted_on(config) == "same":
            fitted = yield from self._fit(batch, config, looks)
            batch, told = yield from self._estimate(rollout, collected, moment)
        learned_from = self._learned_from(batch, self.policy)
        given = UpdateInput(learned_from, config, moment.progress, moment.watched, moment.iteration)
        checks = SelfChecks(self.policy, self._critic, rollout, batch) if looks else None
        if checks is not None:
            told |= yield from checks.before(given, sounding)
        elif ends_are_looked_at(moment.episodes, len(collected.returns)):
            told |= yield from estimates(rollout, batch, config.estimator, self._critic)
        yield estimated(moment.iteration, given.batch.advantages, given.normalized)
        if moment.watched:
            yield (yield from inspected(given, self.policy))
        outcome = yield from self._rule.update(given)
        if moment.watched:
            yield (yield from after_update(given, self.policy, outcome))
        if outcome.log_ratios is not None:
            yield _reweighted(moment, outcome)
        if checks is not None:
            told |= checks.after(given, outcome)
        if self._fitted_on(config) == "previous" and not fits_value_jointly(config):
            fitted = yield from self._fit(retargeted(batch, outcome.targets), config, looks)
        told |= self._condition(batch, moment.iteration)
        self._look_at(batch)
        metrics = dict.fromkeys(METRICS) | fitted | outcome.metrics | told | {"gradient_steps": outcome.steps}
        yield Updated(moment.iteration, metrics=metrics)

    def _estimate(self, rollout: Rollout, collected: Collected, moment: Moment) -> Heartbeats[tuple[Batch, Metrics]]:
        """The batch, and what is reported of it."""
        assert isinstance(moment.config, PolicyGradientConfig)
        batch = yield from self._estimated(rollout, moment.config.estimator, self.policy, self._critic)
        told = summary(collected, batch, self.environment)
        told |= beginnings(rollout, batch, moment.config.estimator.gamma)
        require_computable(told, batch, moment)
        return batch, told

    def _fitted_on(self, config: PolicyGradientConfig) -> str | None:
        """What a value function of its own is fitted to; None without one."""
        baseline = config.estimator.baseline
        return baseline.fitted_on if isinstance(baseline, ValueBaseline) else None

    def _fit_independently(self, moment: Moment, config: PolicyGradientConfig) -> Generator[Event, None, Metrics]:
        """Fit V to trajectories played for it alone ([textbook]); their episodes count like all others."""
        if self._for_value.told is not None:
            played, loss = self._for_value.told
            yield played
            return {"value_loss": loss}
        collecting = self._interaction.collect(moment)
        rollout, collected = yield from detailed(collecting, "independent trajectories")
        batch, _ = yield from self._estimate(rollout, collected, moment)
        loss = yield from self._loss(batch, config)
        self._look_at(batch)
        self._for_value.told = collected, loss
        return {"value_loss": loss}

    def _fit(self, batch: Batch, config: PolicyGradientConfig, looks: bool) -> Heartbeats[Metrics]:
        """Fit V; in an iteration that is looked at, with a look at what moves it."""
        assert self._fitting is not None
        assert isinstance(config.estimator.baseline, ValueBaseline)
        pulled = {"value_pull": value_pull(self._fitting, batch, config.estimator.baseline)} if looks else {}
        return {**pulled, "value_loss": (yield from self._loss(batch, config))}

    def _loss(self, batch: Batch, config: PolicyGradientConfig) -> Heartbeats[float]:
        """Fit V to a batch; the loss at the last step."""
        baseline = config.estimator.baseline
        assert self._fitting is not None
        assert isinstance(baseline, ValueBaseline)
        return (yield from self._fitting.fit(batch, baseline))

    def _condition(self, batch: Batch, iteration: int) -> Metrics:
        """What state the policy's network is in, in iterations that become rarer as the run goes on."""
        return condition(self.policy, batch.observations) if is_looked_at(iteration) else {}

    def _look_at(self, batch: Batch) -> None:
        """Take the batch's observations into their running mean and spread, once all has been learned from them."""
        if self._interaction.normalizer is not None:
            self._interaction.normalizer.update(batch.observations)


def _value_function(
    config: PolicyGradientConfig, baseline: ValueBaseline, interaction: RolloutInteraction
) -> ValueFunction:
    seen, convolutional = interaction.environment.observation, config.policy.kind == "cnn"
    value = ValueFunction(baseline, seen, interaction.value_generator, convolutional, interaction.normalizer)
    return value.to(interaction.device)


def _reweighted(moment: Moment, outcome: Outcome) -> Reweighted:
    assert outcome.log_ratios is not None
    thinned = outcome.log_ratios[:: 1 + len(outcome.log_ratios) // RATIOS]
    return Reweighted(
        moment.iteration,
        thinned.cpu().numpy(),
        outcome.of,
        outcome.clip_range,
        outcome.truncation,
        outcome.effective_sample_size,
    )
