"""Networks of action values Q(s, ·), one for each of a few discrete actions, and the way back through them."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.maths.action_values import dueling
from engine.networks.dense import Dense, Pass
from engine.networks.networks import MLPBody, Table
from engine.networks.optimizers import ParameterVector
from engine.policies.policy import Policy


@dataclass(frozen=True)
class Evaluated:
    """``values`` Q(s, ·) [n, A], and what ``ActionValues.backward`` needs of the way to them."""

    values: Tensor
    passed: Pass | None


class ActionValues:
    """Q(s, ·) as the outputs of a policy's network, whatever its encoder, with all its parameters as one vector.

    Where only dense layers are learned, as in all but tables and convolutions, the gradient is written out; elsewhere
    autograd takes it. The two heads of a dueling network stand side by side in the vector, so that they are one layer.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        heads = [head for head in (policy.head, policy.value_head) if isinstance(head, nn.Linear)]
        body = list(policy.body.parameters())
        of_heads = [*(head.weight for head in heads), *(head.bias for head in heads)] or policy.head.parameters()
        self.vector = ParameterVector([*body, *of_heads])
        self._dueling = policy.value_head is not None
        self._dense: Dense | None = None
        self._fixed: nn.Module | None = None  # what stands before the dense layers
        if isinstance(policy.head, Table):
            return
        if isinstance(policy.body, MLPBody):
            output = policy.head if len(heads) == 1 else _as_one(heads)
            self._dense = policy.body.dense(output)
        elif not body:
            self._dense, self._fixed = Dense([policy.head if len(heads) == 1 else _as_one(heads)], "relu"), policy.body

    def copy(self) -> ActionValues:
        """Another network of the same make and with the same parameters, which sees observations as this one does."""
        policy = deepcopy(self.policy)
        policy.normalizer = self.policy.normalizer
        return ActionValues(policy)

    @torch.no_grad()
    def values(self, observations: Tensor) -> Tensor:
        """Q(s, ·) [n, A] of observations [n, …], without a way back."""
        if self._dense is None:
            return self.policy.action_values(observations)
        return self._written_out(observations).values

    def forward(self, observations: Tensor) -> Evaluated:
        """As ``values``, with the way back."""
        if self._dense is not None:
            with torch.no_grad():
                return self._written_out(observations)
        with torch.enable_grad():
            return Evaluated(self.policy.action_values(observations), None)

    def _written_out(self, observations: Tensor) -> Evaluated:
        assert self._dense is not None
        inputs = self.policy.inputs(observations)
        passed = self._dense.forward(inputs if self._fixed is None else self._fixed(inputs))
        if self._dueling:
            return Evaluated(dueling(passed.outputs[:, -1], passed.outputs[:, :-1]), passed)
        return Evaluated(passed.outputs, passed)

    def backward(self, evaluated: Evaluated, gradients: Tensor) -> None:
        """Add a loss's gradient to ``vector.gradient``, given its ``gradients`` in the values, [n, A]."""
        if evaluated.passed is None:
            torch.autograd.backward(evaluated.values, gradients, inputs=self.vector.parameters)
            return
        assert self._dense is not None
        if self._dueling:  # of V + A − mean A
            gradients = torch.cat((gradients - gradients.mean(-1, keepdim=True), gradients.sum(-1, keepdim=True)), -1)
        self._dense.backward(evaluated.passed, gradients)


def _as_one(heads: list[nn.Linear]) -> nn.Linear:
    """Linear layers on the same inputs, whose weights and whose biases follow each other in memory, as one layer."""
    first, *_ = heads
    outputs = sum(head.out_features for head in heads)
    joined = nn.Linear(first.in_features, outputs, device="meta")
    for name, whole in (("weight", (outputs, first.in_features)), ("bias", (outputs,))):
        part = getattr(first, name)
        both = nn.Parameter(_from(part.data, whole))
        both.grad = _from(part.grad, whole)
        setattr(joined, name, both)
    return joined


def _from(first: Tensor, shape: tuple[int, ...]) -> Tensor:
    """What begins in memory where ``first`` does."""
    return first.as_strided(shape, (*shape[1:], 1), first.storage_offset())
