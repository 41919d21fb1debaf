"""Gradients of several seeds' networks in one pass, as far as their batches are small.

For small batches most of a gradient's time is the cost of calling operations at all, which several seeds can share by
stacking their networks, [k, …], and their batches, [k, rows]. Large ones are arithmetic, and faster one at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import torch
from torch import Tensor

from engine.algorithms.policy_gradient.gradient_ascent import GradientAscentRule
from engine.algorithms.policy_gradient.rule import LossSums, UpdateInput, added, ascent_losses
from engine.config.estimators import SharedValueBaseline, ValueBaseline
from engine.config.updates import GradientAscent
from engine.experience.batch import Batch, ParameterBaseline
from engine.maths.losses import value_loss
from engine.networks.dense import NONLINEARITIES, Nonlinearity, outputs_of, stacked_linear
from engine.networks.networks import Table
from engine.networks.optimizers import ParameterVector
from engine.policies.policy import Policy
from engine.reports.events import Heartbeat, Heartbeats
from engine.runtime.heartbeat import HeartbeatTimer
from engine.training.many_seeds.actor import activation_of, weighted
from engine.values.fitting import ValueFitting
from engine.values.value_function import ValueFunction

_T = TypeVar("_T")
MOST_ROWS = 384  # of one seed's batch; with more, one network at a time is as fast (measured, 64 to 128 units)


@dataclass
class GradientRequest:
    """A policy's gradient that is waited for; ``sums`` are there once it is in ``vector.gradient``."""

    policy: Policy
    vector: ParameterVector
    given: UpdateInput
    config: GradientAscent
    sums: LossSums | None = None


@dataclass
class FitRequest:
    """All steps of fitting a value function that are waited for; ``loss`` is there, the last one's, once they are."""

    fitting: ValueFitting
    batch: Batch
    config: ValueBaseline
    loss: float | None = None


@dataclass
class JointRequests:
    """What runs need computed: they wait until ``compute`` has done it for all of them at once."""

    ascents: list[GradientRequest] = field(default_factory=list)
    fits: list[FitRequest] = field(default_factory=list)

    def compute(self) -> Heartbeats[None]:
        """Compute everything handed in; yields signs of life."""
        ascents, self.ascents = self.ascents, []
        fits, self.fits = self.fits, []
        # After a change, seeds that are still in an iteration from before it learn as that began.
        for some in _alike(ascents, lambda each: (each.config.entropy_coefficient, each.policy.temperature)):
            ascend(some)
        for others in _alike(fits, lambda each: each.config.fit_steps):
            yield from fit(others)

    def forget(self) -> None:
        """Compute nothing of what has been asked for."""
        self.ascents, self.fits = [], []


class JointGradientAscent(GradientAscentRule):
    """Gradient ascent whose gradient may be computed in one pass with those of other seeds."""

    def __init__(self, config: GradientAscent, policy: Policy, requests: JointRequests) -> None:
        super().__init__(config, policy)
        self._requests = requests
        self.waiting = False

    def _gathered(self, given: UpdateInput, config: GradientAscent) -> Heartbeats[LossSums]:
        alone = isinstance(given.config.estimator.baseline, SharedValueBaseline)
        if alone or isinstance(given.batch.baseline, ParameterBaseline) or given.batch.size > MOST_ROWS:
            return (yield from super()._gathered(given, config))
        asked = GradientRequest(self._policy, self._vector, given, config)
        self._requests.ascents.append(asked)
        self.waiting = True
        while asked.sums is None:
            yield Heartbeat("updating the policy")
        self.waiting = False
        return asked.sums


class JointFitting(ValueFitting):
    """Fitting whose steps may be taken in one pass with those of other seeds."""

    def __init__(
        self, config: ValueBaseline, value: ValueFunction, generator: torch.Generator, requests: JointRequests
    ) -> None:
        super().__init__(config, value, generator)
        self._requests = requests
        self.waiting = False

    def fit(self, batch: Batch, config: ValueBaseline) -> Heartbeats[float]:
        minibatches = 0 < config.minibatch_size < batch.size
        if batch.size > MOST_ROWS or config.clip_range > 0.0 or minibatches:
            return (yield from super().fit(batch, config))
        asked = FitRequest(self, batch, config)
        self._requests.fits.append(asked)
        self.waiting = True
        while asked.loss is None:
            yield Heartbeat("fitting the value function")
        self.waiting = False
        self.require_finite(config, asked.loss)
        return asked.loss


def _alike(asked: Sequence[_T], what: Callable[[_T], Hashable]) -> list[list[_T]]:
    """Those of whom ``what`` is the same, in the order in which they asked."""
    groups: dict[Hashable, list[_T]] = {}
    for each in asked:
        groups.setdefault(what(each), []).append(each)
    return list(groups.values())


def ascend(asked: Sequence[GradientRequest]) -> None:
    """Each policy's −ĝ into its vector, and what its batch came to; as ``accumulate_gradient``, k policies at once.

    L_s = −1/N_s Σ_m [ log π_s(a_m|s_m) Â_m + β H(π_s(·|s_m)) ] of each seed s. L_s depends on no parameters but its
    own, so the gradient of Σ_s L_s holds all of theirs.
    """
    sizes = [each.given.batch.size for each in asked]
    rows = _rows(sizes)
    present = torch.arange(rows.shape[1]) < torch.tensor(sizes).unsqueeze(1)
    divided = present / torch.tensor([[each.given.batch.divisor] for each in asked])
    weights = _padded([each.given.weights for each in asked], rows) * divided
    actions = _padded([each.given.batch.actions for each in asked], rows).flatten(0, 1)
    inputs = _padded([weighted(each.policy, each.given.batch.observations) for each in asked], rows)
    values, parameters = _stacked([each.vector for each in asked])
    first = asked[0].policy
    bonus = asked[0].config.entropy_coefficient
    log_std, layers = None, parameters
    if first.log_std is not None:
        log_std, layers = parameters[0].repeat_interleave(rows.shape[1], 0), parameters[1:]
    distribution = first.distribution(
        _outputs(first, layers, activation_of(asked[0].given.config.policy), inputs).flatten(0, 1), log_std
    )
    log_probs = distribution.log_prob(actions).view(rows.shape)
    entropies = distribution.entropy().view(rows.shape)
    parts = ascent_losses(log_probs, entropies * divided, weights, 1, bonus)
    losses = added(parts)
    (gradients,) = torch.autograd.grad(losses.sum(), [values])
    entropy = (entropies.detach() * present).sum(1) / torch.tensor(sizes)
    of_each = zip(asked, gradients, losses.tolist(), entropy.tolist(), strict=True)
    for k, (each, gradient, loss, mean) in enumerate(of_each):
        each.vector.gradient.copy_(gradient)
        shown = {name: part[k].item() for name, part in parts.items()} if each.given.watched else {}
        each.sums = LossSums(loss, mean, None, shown)


def fit(asked: Sequence[FitRequest]) -> Heartbeats[None]:
    """All fitting steps of each value function; as ``ValueFitting.fit`` on the whole batch, k functions at once."""
    timer = HeartbeatTimer()
    sizes = [each.batch.size for each in asked]
    rows = _rows(sizes)
    present = torch.arange(rows.shape[1]) < torch.tensor(sizes).unsqueeze(1)
    shares = present / torch.tensor(sizes).unsqueeze(1)
    targets = _padded([each.batch.learned.targets for each in asked], rows)
    inputs = _padded([each.fitting.value.inputs(each.batch.observations) for each in asked], rows)
    losses = torch.zeros(len(asked))
    steps = max(asked[0].config.fit_steps, 1)
    for step in range(1, steps + 1):
        values, parameters = _stacked([each.fitting.vector for each in asked])
        predicted = outputs_of(_layers(parameters), NONLINEARITIES["tanh"], inputs, stacked_linear).squeeze(-1)
        losses = value_loss(predicted, targets, shares)
        (gradients,) = torch.autograd.grad(losses.sum(), [values])
        for each, gradient in zip(asked, gradients, strict=True):
            each.fitting.vector.gradient.copy_(gradient)
            each.fitting.step(each.config)
        if timer.due():
            yield Heartbeat("fitting the value function", detail=f"step {step} of {steps}")
    for each, loss in zip(asked, losses.tolist(), strict=True):
        each.loss = loss


def _rows(sizes: Sequence[int]) -> Tensor:
    """Which row of its own batch stands where, [k, longest]: a shorter batch's last row is repeated, to count 0."""
    last = torch.tensor(sizes).unsqueeze(1) - 1
    return torch.minimum(torch.arange(max(sizes)), last)


def _padded(batches: Sequence[Tensor], rows: Tensor) -> Tensor:
    """[k, longest, …]."""
    return torch.stack([batch[at] for batch, at in zip(batches, rows, strict=True)])


def _stacked(vectors: Sequence[ParameterVector]) -> tuple[Tensor, list[Tensor]]:
    """All parameters as one leaf [k, P], and as views of it, in their own shapes behind k."""
    values = torch.stack([vector.values for vector in vectors]).requires_grad_()
    shapes = [parameter.shape for parameter in vectors[0].parameters]
    parts = torch.split(values, [shape.numel() for shape in shapes], 1)
    return values, [part.view(len(vectors), *shape) for part, shape in zip(parts, shapes, strict=True)]


def _outputs(policy: Policy, parameters: Sequence[Tensor], f: Nonlinearity, inputs: Tensor) -> Tensor:
    """What k policies of this kind put out, [k, rows, outputs]."""
    if isinstance(policy.head, Table):
        return parameters[0][torch.arange(len(inputs)).unsqueeze(1), inputs]
    return outputs_of(_layers(parameters), f, inputs, stacked_linear)


def _layers(parameters: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
    """A weight and a bias for each layer, which stand in turn among the parameters."""
    return list(zip(parameters[::2], parameters[1::2], strict=True))
