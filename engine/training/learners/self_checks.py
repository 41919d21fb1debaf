"""What a run tells now and then of itself, computed apart from the code that learns: numbers that are 0 while all is
well, whatever is learned. Nothing that is learned depends on any of it, and no random number that learning draws."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from engine.algorithms.outcome import Metrics, Outcome
from engine.algorithms.policy_gradient.rule import UpdateInput, measured
from engine.catalogue.methods.credits import CREDIT_SPECS
from engine.catalogue.spaces import Space
from engine.config import PolicyGradientConfig
from engine.config.estimators import GAE, EstimatorConfig, NStepTD, SharedValueBaseline, ValueBaseline
from engine.config.updates import GradientAscent
from engine.experience.batch import Batch, Chunk, LearnedValue
from engine.experience.rollouts import Rollout
from engine.maths.consistency import Residuals, Steps, of_recursion, of_whole, of_window, surprise
from engine.maths.losses import normalized
from engine.policies.distributions import Categorical, DiagonalGaussian, Distribution, EpsilonGreedy
from engine.policies.policy import Policy
from engine.reports.events import Heartbeats
from engine.training.learners.inspection import subtracted
from engine.values.critics import Critic
from engine.values.fitting import ValueFitting, fit_loss

ROWS = 2048  # of a batch, whose actions are looked at
_SMALL, _PICTURES = 256, 128  # numbers in a row, and how many rows are looked at where there are more
_PROBES = 16  # states in which the policy is asked twice
_MOST_STEPS = 64  # of an n-step return that is computed apart


# --- the policy that acted --------------------------------------------------------------------------------------------


class Sounding:
    """What a policy answered in a few made-up states, to be asked again later."""

    def __init__(self, states: Tensor, policy: Policy) -> None:
        distribution = policy(states)
        self._states = states
        self._actions = distribution.sample(torch.Generator(policy.device).manual_seed(0))
        self._log_probs = distribution.log_prob(self._actions)

    @torch.no_grad()
    def moved(self, policy: Policy) -> float:
        """How far the furthest log π of the actions that it drew then is from what it was."""
        apart: Tensor = policy(self._states).log_prob(self._actions) - self._log_probs
        return float(apart.abs().max())


@torch.no_grad()
def sounded(policy: Policy, seen: Space) -> Sounding | None:
    """None where no states can be made up: of pictures, and where a memory belongs to them."""
    if policy.recurrent or seen.shape:
        return None
    if seen.kind == "discrete":
        return Sounding(torch.arange(min(seen.size, _PROBES), device=policy.device), policy)
    states = torch.randn(_PROBES, seen.size, generator=torch.Generator().manual_seed(0)).to(policy.device)
    if policy.normalizer is not None:  # around what it has seen, or most would be cut off
        states = policy.normalizer.mean + policy.normalizer.variance.sqrt() * states
    return Sounding(states, policy)


def variances(distribution: Distribution) -> Tensor | None:
    """Var[log π(a|s)] of each row, [M]; None where it has no simple form."""
    if isinstance(distribution, Categorical | EpsilonGreedy):
        p = distribution.probabilities.double()
        squares: Tensor = (p * p.clamp(min=1e-30).log().square()).sum(-1)
        return squares - distribution.entropy().double().square()
    if isinstance(distribution, DiagonalGaussian):
        mean = distribution.mean
        return mean.new_full(mean.shape[:1], 0.5 * mean.shape[-1])
    return None


def _some(batch: Batch) -> Chunk:
    """Few enough to be passed through a network at once, also where each is a picture."""
    return batch.sample(ROWS if batch.observations[:1].numel() <= _SMALL else _PICTURES)


@torch.no_grad()
def likelihood_gap(policy: Policy, batch: Batch) -> float | None:
    """By how many standard deviations the actions that are learned from are less likely than the policy has it."""
    some = _some(batch)
    distribution = policy.over(some.observations, some.sequences)
    spread = variances(distribution)
    if spread is None:
        return None
    return surprise(distribution.log_prob(some.actions), distribution.entropy(), spread).item()


# --- what is learned from ---------------------------------------------------------------------------------------------


def estimates(rollout: Rollout, batch: Batch, config: EstimatorConfig, critic: Critic | None) -> Heartbeats[Metrics]:
    """``credit_error`` and ``cut_error``: how far advantages, with what was subtracted from them, are from what credit
    is by definition, in shares of the largest number that it is made of; at steps whose credit ends where an episode
    was cut off, and at all others.

    Args:
        rollout: as it was collected, with the rewards that learning is to see.
        batch: what was made of it.
    """
    whole = CREDIT_SPECS[config.credit.kind].whole_return
    if (whole and not rollout.whole_episodes) or (isinstance(config.credit, NStepTD) and config.credit.n > _MOST_STEPS):
        return {}
    shape, device = rollout.mask.shape, rollout.mask.device
    values = final = torch.zeros(shape, device=device)
    if critic is not None and isinstance(batch.baseline, LearnedValue):
        _, final = yield from critic.values(rollout)
        values = rollout.unflat(batch.baseline.values)
    credit = rollout.unflat(batch.advantages + subtracted(batch, whole_return=whole))
    ends = rollout.terminated, rollout.truncated
    steps = Steps(rollout.rewards, *ends, rollout.mask, rollout.elapsed, values, final)
    if whole:
        found = of_whole(steps, credit, config.gamma)
    elif isinstance(config.credit, NStepTD):
        found = of_window(steps, credit, config.gamma, config.credit.n)
    else:
        decay = config.credit.gae_lambda if isinstance(config.credit, GAE) else 1.0
        errors = of_recursion(steps, credit, config.gamma, decay)
        found = Residuals(errors, rollout.truncated & ~rollout.terminated)
    largest = torch.stack([(part * rollout.mask).abs().max() for part in (rollout.rewards, values, credit)]).max()
    inside, at_cuts = (found.errors[rollout.mask & which].abs() for which in (~found.cut, found.cut))
    size = max(largest.item(), 1e-12)
    return {
        "credit_error": inside.max().item() / size if len(inside) else None,
        "cut_error": at_cuts.max().item() / size if len(at_cuts) else None,
    }


def value_pull(fitting: ValueFitting, batch: Batch, config: ValueBaseline) -> float | None:
    """How far the gradient that V is about to be moved by is from that of its squared error, as a share of what that
    would be if V were off everywhere in the same direction by as much."""
    rows, vector = _some(batch).rows, fitting.vector
    values = fitting.value(batch.observations[rows])
    targets, old = batch.learned.targets[rows], batch.learned.values[rows]
    loss = fit_loss(values, targets, old if config.clip_range > 0.0 else None, config.clip_range)
    size = (values.detach() - targets).square().mean().sqrt()
    there = torch.autograd.grad(loss, vector.parameters, retain_graph=True, materialize_grads=True)
    alike = torch.autograd.grad(2.0 * size * values.mean(), vector.parameters, materialize_grads=True)
    vector.zero()
    fitting.add_gradient(batch, rows, config, 1.0)
    taken = vector.gradient.clone()
    vector.zero()
    right, scale = (torch.cat([part.reshape(-1) for part in parts]) for parts in (there, alike))
    most = max(right.norm().item(), scale.norm().item())
    return (taken - right).norm().item() / most if most > 0.0 and size > 1e-6 * targets.abs().max() else None


def shared_value_pull(estimated: Batch, given: Batch) -> float | None:
    """The same of a value of the policy's own network: how far what it is drawn towards is from what was estimated."""
    if not (isinstance(estimated.baseline, LearnedValue) and isinstance(given.baseline, LearnedValue)):
        return None
    right, values = estimated.baseline.targets, estimated.baseline.values
    off = (right - values).norm().item()
    return (given.baseline.targets - right).norm().item() / off if off > 0.0 else None


class ObjectiveCheck:
    """What an update climbs, summed apart: S = 1/N Σ_i Σ_t γ^t Â_{i,t} log π(a_{i,t}|s_{i,t}), by the policy as it is
    before the update, and of the actions that were taken."""

    def __init__(self, rollout: Rollout, batch: Batch, config: PolicyGradientConfig) -> None:
        self._config = config
        self._batch = replace(batch, rollout=replace(rollout))
        advantages = normalized(batch.advantages) if config.estimator.normalize_advantages else batch.advantages
        self._weights = advantages
        if config.estimator.discount_states:
            self._weights = advantages * torch.pow(config.estimator.gamma, rollout.flat(rollout.elapsed).float())
        self._divisor = rollout.environments if rollout.whole_episodes else batch.size
        self._sum = self._size = self._bonus = 0.0

    def before(self, policy: Policy) -> Heartbeats[None]:
        """Sum, where the rule tells of the same sum."""
        update = self._config.update
        if isinstance(update, GradientAscent):
            log_probs, entropy = yield from measured(policy, self._batch)
            terms = (self._weights * log_probs).double()
            self._sum, self._size = terms.sum().item() / self._divisor, terms.abs().sum().item() / self._divisor
            self._bonus = update.entropy_coefficient * entropy * self._batch.size / self._divisor

    def error(self, given: UpdateInput, outcome: Outcome) -> float | None:
        """How far what the update climbed is from that sum, as a share of it; of rules that tell of another, how far
        the weights of ∇ log π are from γ^t Â, as a share of the largest."""
        config, told = self._config, outcome.metrics.get("loss")
        if not isinstance(config.update, GradientAscent) or told is None:
            most = self._weights.abs().max().item()
            return (given.weights - self._weights).abs().max().item() / most if most > 0.0 else None
        value = 0.0
        if isinstance(config.estimator.baseline, SharedValueBaseline):
            value = config.estimator.baseline.coefficient * (outcome.metrics.get("value_loss") or 0.0)
        size = self._size + self._bonus + value
        return abs(told - (value - self._sum - self._bonus)) / size if self._size > 0.0 else None


class SelfChecks:
    """All of these in one iteration of policy gradients."""

    def __init__(self, policy: Policy, critic: Critic | None, rollout: Rollout, batch: Batch) -> None:
        self._policy, self._critic, self._rollout, self._batch = policy, critic, rollout, batch
        self._objective: ObjectiveCheck | None = None

    def before(self, given: UpdateInput, sounding: Sounding | None) -> Heartbeats[Metrics]:
        """What is told before an update with what is ``given``."""
        told: Metrics = {"policy_drift": None if sounding is None else sounding.moved(self._policy)}
        if given.config.exploration.greedy_start == given.config.exploration.greedy_end == 0.0:  # all are drawn from it
            told["likelihood_gap"] = likelihood_gap(self._policy, given.batch)
        told |= yield from estimates(self._rollout, self._batch, given.config.estimator, self._critic)
        if isinstance(given.config.estimator.baseline, SharedValueBaseline):
            told["value_pull"] = shared_value_pull(self._batch, given.batch)
        self._objective = ObjectiveCheck(self._rollout, self._batch, given.config)
        yield from self._objective.before(self._policy)
        return told

    def after(self, given: UpdateInput, outcome: Outcome) -> Metrics:
        """What is told after it."""
        assert self._objective is not None
        return {"objective_error": self._objective.error(given, outcome)}
