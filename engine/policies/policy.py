"""The policy and the value function of a run, built from its configuration."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Self, assert_never

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from engine.catalogue.methods.distribution import distribution_of
from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config.policies import PolicyConfig
from engine.experience.rollouts import Sequences
from engine.maths.action_values import dueling
from engine.networks.dense import Dense, Pass
from engine.networks.features import feature_map
from engine.networks.networks import GRUBody, MLPBody, Table, cnn_body, features, head
from engine.networks.normalizer import Normalizer
from engine.networks.stateful import StatefulModule
from engine.policies.distributions import (
    Bernoulli,
    Beta,
    Bounds,
    Categorical,
    DiagonalGaussian,
    Distribution,
    EpsilonGreedy,
    MultiCategorical,
    TanhGaussian,
)

LEAST_LOG_STD, MOST_LOG_STD = -10.0, 4.0  # of a Gaussian, before its temperature

_CONTINUOUS = ("gaussian", "tanh-gaussian", "beta", "deterministic")
MARGIN = 1e-3  # of the range of an action, by which one that is to be learned stays inside where the policy does


class Policy(StatefulModule):
    """π_θ(a|s): maps observations ([batch, components] float32, or [batch] int64) to a distribution over actions.

    A body turns the observation into features, a head these into the distribution's parameters, and, where
    ``with_value``, a second head into V(s). ``normalizer``, where there is one, stands before the body. ``temperature``
    tempers the distribution; as a setting and not something learned, it is no part of the state. So is ``epsilon``:
    where it is a number, the outputs are action values Q(s, a), and the policy is ε-greedy in them; with a second head,
    the first one's outputs are advantages, and the two make up Q as in ``dueling``. A deterministic policy is a
    Gaussian around its action whose variance is the ``temperature``: the noise that it explores with.
    """

    def __init__(
        self,
        config: PolicyConfig,
        environment: EnvironmentInfo,
        generator: torch.Generator,
        with_value: bool = False,
        normalizer: Normalizer | None = None,
    ) -> None:
        super().__init__()
        self.temperature = 1.0
        self.epsilon: float | None = None
        self.normalizer = normalizer
        self._observation, self._action = environment.observation, environment.action
        self._kind = distribution_of(config, environment)
        self._tabular = config.kind == "tabular"
        per_state = config.kind != "tabular" and config.spread == "per-state"
        self._spread_from_network = per_state and self._kind in ("gaussian", "tanh-gaussian")
        outputs = self._action.size * (2 if self._spread_from_network or self._kind == "beta" else 1)
        self.body = _body(config, self._observation, generator)
        self.head: nn.Module
        if config.kind == "tabular":
            self.head = Table(self._observation.size, outputs)
        else:
            # Starting from 0, a linear policy begins undecided everywhere.
            initialization = config.initialization if config.kind == "mlp" else "orthogonal"
            gain = 0.0 if config.kind == "linear" else 0.01
            self.head = head(_outputs(self.body), outputs, gain, generator, initialization)
        self.value_head = head(_outputs(self.body), 1, 1.0, generator) if with_value else None
        self.log_std: nn.Parameter | None = None
        self._first_log_std = 0.0 if config.kind == "tabular" else config.initial_log_std
        if self._kind in ("gaussian", "tanh-gaussian") and not self._spread_from_network:
            self.log_std = nn.Parameter(torch.full((self._action.size,), self._first_log_std))
        self._bounds = _bounds(self._action) if self._kind in _CONTINUOUS else None
        self._log_scale = 0.0
        self._scaled = self._kind in ("gaussian", "deterministic")
        if self._scaled and self._bounds is not None:
            self._log_scale = self._bounds.half_width.double().log().mean().item()
            if self._bounds.symmetric_unit:
                self._bounds = None
        self._dense: Dense | None = None
        if isinstance(self.body, MLPBody) and self.value_head is None:
            self._dense = self.body.dense(self.head)

    @property
    def device(self) -> torch.device:
        """Where it is computed."""
        return next(self.parameters()).device

    @property
    def recurrent(self) -> bool:
        """Whether it remembers earlier observations."""
        return isinstance(self.body, GRUBody)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        if self._bounds is not None:
            self._bounds = Bounds(fn(self._bounds.low), fn(self._bounds.high))
        return self

    @property
    def squashes(self) -> bool:
        """Whether its actions are what tanh takes into the bounds."""
        return self._kind == "tanh-gaussian"

    @property
    def deterministic(self) -> bool:
        """Whether it has one action for each state, and noise around it that is not its own."""
        return self._kind == "deterministic"

    @property
    def translates(self) -> bool:
        """Whether the environment takes other numbers than the actions that the policy draws and remembers."""
        return self._bounds is not None

    @property
    def scale(self) -> tuple[Tensor, Tensor] | None:
        """The middle and the half-widths by which ``to_environment`` scales a Gaussian's actions, [d] each; None where
        it does something else."""
        if self._bounds is None or not self._scaled:
            return None
        return self._bounds.middle, self._bounds.half_width

    @property
    def action_unit(self) -> Tensor | float:
        """How much of the environment's action one unit of a Gaussian's is, [d] or the same for all."""
        return 1.0 if self._bounds is None else self._bounds.half_width

    def to_environment(self, actions: Tensor) -> Tensor:
        """What the environment takes for the policy's ``actions``, [batch, …], before any clipping.

        A Gaussian's are in half-widths from the middle of the bounds, where there are any; the others' are squashed.
        """
        if self._bounds is None:
            return actions
        if self._scaled:
            return self._bounds.scaled(actions)
        return self._bounds.squashed(actions if self._kind == "beta" else 2.0 * actions)

    @property
    def continuous(self) -> bool:
        """Whether its actions are numbers."""
        return self._kind in _CONTINUOUS

    @property
    def stays_inside(self) -> bool:
        """Whether no action of its own is quite on a bound."""
        return self._kind in ("tanh-gaussian", "beta")

    def taken(self, actions: Tensor) -> Tensor:
        """What of the policy's ``actions`` [batch, …] takes effect in the environment, which clips to its bounds."""
        there, limits = self.to_environment(actions), self._action.bounds or self._action.ranges
        if not (self.continuous and limits):
            return there
        low, high = torch.tensor(limits, device=there.device).expand(self._action.size, 2).unbind(-1)
        return there.clamp(low, high)

    def from_environment(self, actions: Tensor) -> Tensor:
        """The policy's own for the ``actions`` that an environment takes, [batch, …]: ``to_environment`` backwards.

        A policy that stays inside the bounds takes what is on one, or nearer than ``MARGIN`` of the range, for that
        near: on the bound itself its density is 0 or infinite.
        """
        if self._bounds is None:
            return actions
        if self._scaled:
            return self._bounds.standardised(actions)
        latent = self._bounds.latent(actions, MARGIN)
        return latent if self._kind == "beta" else 0.5 * latent

    @torch.no_grad()
    def keep_within_limits(self) -> None:
        """Take a spread of the policy's own that has left its limits back to the nearest; done between updates, so that
        it does not wander off where nothing depends on it."""
        if self.log_std is not None:
            self.log_std.clamp_(LEAST_LOG_STD, MOST_LOG_STD)

    def start(self, size: int) -> Tensor | None:
        """What is remembered before ``size`` episodes begin, [size, hidden]; None without a memory."""
        return self.body.initial_state(size) if isinstance(self.body, GRUBody) else None

    def step(self, observations: Tensor, state: Tensor | None) -> tuple[Distribution, Tensor | None]:
        """π(·|s) for one step of n episodes, and what is remembered after it."""
        if state is None:
            return self(observations), None
        assert isinstance(self.body, GRUBody)
        outputs, state = self.body.step(self.inputs(observations), state)
        return self.distribution(self.head(outputs)), state

    def forward(self, observations: Tensor) -> Distribution:
        """π(·|s) of a policy without a memory, for observations in any order."""
        if self.epsilon is not None:
            return EpsilonGreedy(self.action_values(observations), self.epsilon)
        return self.distribution(self.head(self.body(self.inputs(observations))))

    def action_values(self, observations: Tensor) -> Tensor:
        """Q(s, ·) [batch, A], where that is what the outputs are."""
        if self._dense is not None and not torch.is_grad_enabled():
            return self._dense.forward(self.inputs(observations)).outputs
        seen = self.body(self.inputs(observations))
        outputs: Tensor = self.head(seen)
        return outputs if self.value_head is None else dueling(self.value_head(seen).squeeze(-1), outputs)

    def over(self, observations: Tensor, sequences: Sequences | None) -> Distribution:
        """π(·|s) of M steps that make up ``sequences``, which only matter to a policy with a memory."""
        return self.distribution(self.head(self._features(observations, sequences)))

    def evaluate(self, observations: Tensor, sequences: Sequences | None) -> tuple[Distribution, Tensor]:
        """As ``over``, and V(s) [M] from the second head."""
        assert self.value_head is not None
        seen = self._features(observations, sequences)
        values: Tensor = self.value_head(seen)
        return self.distribution(self.head(seen)), values.squeeze(-1)

    @property
    def written_out(self) -> bool:
        """Whether ``forward_pass`` and ``backward`` can take autograd's place: for dense layers with a softmax, or a
        normal as wide in all states, on top."""
        softmax = self._kind == "softmax" and not self._action.parts
        normal = self._kind == "gaussian" and self.log_std is not None
        return self._dense is not None and (softmax or normal) and self.temperature == 1.0 and self.epsilon is None

    def forward_pass(self, observations: Tensor) -> tuple[Categorical | DiagonalGaussian, Pass]:
        """π(·|s) without a graph, and what ``backward`` needs."""
        assert self._dense is not None
        passed = self._dense.forward(self.inputs(observations))
        distribution = self._plain(passed.outputs)
        assert isinstance(distribution, Categorical | DiagonalGaussian)
        return distribution, passed

    def backward(self, passed: Pass, gradients: Sequence[Tensor]) -> None:
        """Add a loss's gradient to the parameters' ``grad``, given its gradient in the distribution's own parameters,
        as the distribution's ``gradients`` gives it."""
        assert self._dense is not None
        self._dense.backward(passed, gradients[0])
        if self.log_std is not None:
            assert self.log_std.grad is not None
            self.log_std.grad.add_(gradients[1].sum(0))

    def _features(self, observations: Tensor, sequences: Sequences | None) -> Tensor:
        inputs = self.inputs(observations)
        if isinstance(self.body, GRUBody):
            assert sequences is not None
            assert sequences.states is not None
            return self.body.over(inputs, sequences.lengths, sequences.states)
        seen: Tensor = self.body(inputs)
        return seen

    def inputs(self, observations: Tensor) -> Tensor:
        """What the body is given."""
        if self.normalizer is not None:
            observations = self.normalizer(observations)
        return observations if self._tabular else features(observations, self._observation)

    def distribution(self, outputs: Tensor, log_std: Tensor | None = None) -> Distribution:
        """What the head's outputs mean; ``log_std`` stands in for the policy's own where it has one."""
        distribution = self._plain(outputs, log_std)
        return distribution if self.temperature == 1.0 else distribution.tempered(self.temperature)

    def _plain(self, outputs: Tensor, log_std: Tensor | None = None) -> Distribution:
        if self.epsilon is not None:
            return EpsilonGreedy(outputs, self.epsilon)
        if self._kind == "softmax":
            parts = self._action.parts
            return MultiCategorical(outputs, parts) if parts else Categorical(outputs)
        if self._kind == "bernoulli":
            return Bernoulli(outputs)
        if self._kind == "beta":
            assert self._bounds is not None
            alpha, beta = (1.0 + softplus(outputs)).chunk(2, -1)
            return Beta(alpha, beta, self._bounds)
        if self.deterministic:
            return DiagonalGaussian(outputs.tanh(), outputs.new_zeros(self._action.size), self._log_scale)
        if self.log_std is not None:
            mean, spread = outputs, self.log_std if log_std is None else log_std
        else:
            mean, spread = outputs.chunk(2, -1)
            spread = self._first_log_std + spread
        gaussian = DiagonalGaussian(mean, _limited(spread), self._log_scale)
        if self._kind == "gaussian":
            return gaussian
        assert self._bounds is not None
        return TanhGaussian(gaussian, self._bounds)


def _limited(log_std: Tensor) -> Tensor:
    """log σ within its limits. Gradients pass as if there were none: what points back inside leads back."""
    limited = log_std.detach().clamp(LEAST_LOG_STD, MOST_LOG_STD)
    if not (torch.is_grad_enabled() and log_std.requires_grad):
        return limited
    return limited + (log_std - log_std.detach())


def _bounds(action: Space) -> Bounds | None:
    """The limits of every component of an action, −1 and 1 for one without; None where all are."""
    limits = action.bounds or tuple((-1.0, 1.0) if math.isinf(high) else (low, high) for low, high in action.ranges)
    if not limits:
        return None
    pairs = torch.tensor(limits).expand(action.size, 2)
    return Bounds(pairs[:, 0].contiguous(), pairs[:, 1].contiguous())


def _body(config: PolicyConfig, observation: Space, generator: torch.Generator) -> nn.Module:
    if config.kind == "tabular":
        return nn.Identity()
    if config.kind == "linear":
        return feature_map(config.features, observation.size, config.feature_order, observation.bounds, generator)
    if config.kind == "mlp":
        sizes = (observation.size, *config.hidden_sizes)
        return MLPBody(sizes, config.activation, generator, config.initialization)
    if config.kind == "gru":
        return GRUBody(observation.size, config.hidden_size, generator)
    if config.kind == "cnn":
        return cnn_body(observation, config.hidden_size, generator)
    assert_never(config)


def _outputs(body: nn.Module) -> int:
    outputs = body.outputs
    assert isinstance(outputs, int)
    return outputs
