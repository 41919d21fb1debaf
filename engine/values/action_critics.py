"""Networks of action values that stand beside a policy: Q(s, a) of continuous actions, or Q(s, ·) of a few."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.catalogue.spaces import EnvironmentInfo
from engine.config.actor_critic import CriticConfig
from engine.networks.dense import Pass
from engine.networks.networks import CNNBody, cnn_body, features
from engine.networks.optimizers import ParameterVector
from engine.networks.stacked import StackedMLP
from engine.policies.policy import Policy
from engine.runtime.state import State, TensorState

_FEATURES = 64  # that convolutions give where there is no hidden layer


@dataclass(frozen=True)
class Judged:
    """``values`` [k, n] of one action each, or [k, n, A] of all, and what the ways back need."""

    values: Tensor
    passed: Pass
    seen: Tensor

    @property
    def smallest(self) -> Tensor:
        """Of the k networks' values, [n] or [n, A]."""
        return self.values[0] if len(self.values) == 1 else self.values.amin(0)


class Critics:
    """k networks of the same make, told apart by their weights, all of whose parameters are one ``vector``.

    Continuous actions, in units in which their bounds are −1 and 1, enter beside the observation; of discrete ones each
    has an output. Images are seen through convolutions that the k networks share.
    """

    def __init__(
        self,
        config: CriticConfig,
        count: int,
        environment: EnvironmentInfo,
        policy: Policy,
        generator: torch.Generator,
    ) -> None:
        """``environment`` is what learning sees; observations go through the normaliser of ``policy`` where it has one,
        and through convolutions where it has such."""
        normalizer = policy.normalizer
        self.count, self._observation, self._normalizer = count, environment.observation, normalizer
        discrete, hidden = environment.action.kind == "discrete", config.hidden_sizes
        self._body = None
        inputs = self._observation.size
        if isinstance(policy.body, CNNBody):
            inputs, hidden = (hidden[0], hidden[1:]) if hidden else (_FEATURES, ())
            self._body = cnn_body(self._observation, inputs, generator)
        outputs = environment.action.size if discrete else 1
        inputs += 0 if discrete else environment.action.size
        self.discrete = discrete
        self._layers = StackedMLP(count, (inputs, *hidden, outputs), config.activation, generator)
        self._to(policy.device)

    def _to(self, device: torch.device) -> None:
        self._layers.to(device)
        if self._body is not None:
            self._body.to(device)
        self._gather()

    def _gather(self) -> None:
        body = [] if self._body is None else list(self._body.parameters())
        self.vector = ParameterVector([*self._layers.parameters(), *body])

    def state(self) -> State:
        return {"values": self.vector.values.clone()}

    def load(self, state: Mapping[str, Any]) -> None:
        TensorState({"values": self.vector.values}).load(state)

    def copy(self) -> Critics:
        """Others of the same make and with the same parameters, which see observations as these do."""
        made = object.__new__(Critics)
        made.__dict__.update(self.__dict__)
        made._layers, made._body = deepcopy(self._layers), deepcopy(self._body)
        made._gather()
        return made

    def judge(self, observations: Tensor, actions: Tensor | None = None, learn: bool = False) -> Judged:
        """The values of ``actions`` [n, d] in ``observations`` [n, …], or without them of all actions; ``learn`` where
        there is to be a way back to the convolutions."""
        with torch.no_grad():
            seen = observations if self._normalizer is None else self._normalizer(observations)
            seen = features(seen, self._observation)
        if self._body is not None:
            with torch.set_grad_enabled(learn):
                seen = self._body(seen)
        given = seen.detach() if actions is None else torch.cat((seen.detach(), actions), -1)
        passed = self._layers.forward_pass(given)
        return Judged(passed.outputs if self.discrete else passed.outputs.squeeze(-1), passed, seen)

    def backward(self, judged: Judged, gradients: Tensor) -> None:
        """Add a loss's gradient to ``vector.gradient``, given its ``gradients`` in the values, of their shape."""
        delta = gradients if self.discrete else gradients.unsqueeze(-1)
        self._layers.backward(judged.passed, delta)
        if self._body is not None:
            by_inputs = self._layers.input_gradient(judged.passed, delta)[:, : judged.seen.shape[-1]]
            torch.autograd.backward(judged.seen, by_inputs, inputs=list(self._body.parameters()))

    def action_gradient(self, judged: Judged, gradients: Tensor) -> Tensor:
        """Σ_i gradients_i ∂Q_i/∂a [n, d], for ``gradients`` [k, n] in the values."""
        return self._layers.input_gradient(judged.passed, gradients.unsqueeze(-1))[:, judged.seen.shape[-1] :]
