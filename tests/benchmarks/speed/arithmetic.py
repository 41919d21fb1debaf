"""What the multiplications of an iteration alone would take: the time that no cleverness around them can save.

They are done bare, on tensors made before, with the shapes that the run has: for every layer a matrix product and the
activation, and backwards the products for weights and inputs and the activation's derivative. Nothing is drawn, copied,
recorded for gradients or reported. Each product still is a call into torch, of about a microsecond; with few rows that
is most of what it takes.
"""

from __future__ import annotations

import math
import time
from functools import lru_cache
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from engine.config import RunConfig

BURST = 0.02  # seconds for which a pass is repeated
Sizes = tuple[int, ...]


class _Network:
    """The products of a fully connected network over ``rows`` rows; ``sizes`` are its inputs, layers and outputs."""

    def __init__(self, rows: int, sizes: Sizes, activation: str) -> None:
        self._relu = activation == "relu"
        self._weights = [torch.randn(after, before) * 0.1 for before, after in pairwise(sizes)]
        self._biases = [torch.zeros(size) for size in sizes[1:]]
        self._outputs = [torch.randn(rows, size) for size in sizes]
        self._deltas = [torch.randn(rows, size) for size in sizes]
        self._of_weights = [torch.empty_like(weight) for weight in self._weights]
        self._of_biases = [torch.empty_like(bias) for bias in self._biases]

    def forward(self) -> None:
        last = len(self._weights) - 1
        for layer, (weight, bias) in enumerate(zip(self._weights, self._biases, strict=True)):
            output = self._outputs[layer + 1]
            torch.addmm(bias, self._outputs[layer], weight.t(), out=output)
            if layer < last:
                output.relu_() if self._relu else output.tanh_()

    def backward(self) -> None:
        for layer in reversed(range(len(self._weights))):
            delta, before = self._deltas[layer + 1], self._deltas[layer]
            torch.mm(delta.t(), self._outputs[layer], out=self._of_weights[layer])
            torch.sum(delta, 0, out=self._of_biases[layer])
            if layer > 0:
                torch.mm(delta, self._weights[layer], out=before)
                self._through(before, self._outputs[layer])

    def _through(self, delta: Tensor, output: Tensor) -> None:
        if self._relu:
            torch.ops.aten.threshold_backward.grad_input(delta, output, 0.0, grad_input=delta)
        else:
            torch.ops.aten.tanh_backward.grad_input(delta, output, grad_input=delta)


@lru_cache
def seconds(rows: int, sizes: Sizes, activation: str, backward: bool) -> float:
    """What one pass forward takes, or one forward and backward; the fastest of three averages."""
    network = _Network(rows, sizes, activation)

    def once() -> None:
        network.forward()
        if backward:
            network.backward()

    with torch.inference_mode():
        once()
        return min(_average(once) for _ in range(3))


def _average(work: Any) -> float:
    count, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < BURST or count == 0:
        work()
        count += 1
    return elapsed / count


def of_iteration(config: RunConfig, sizes: Sizes, steps: int, calls: int) -> float:
    """Seconds that the products of one iteration take which its algorithm cannot do without.

    That is: the policy over the environments at every step, V once over the batch, and every gradient step forwards
    and backwards; for networks that are fully connected, policy and V apart.

    Args:
        sizes: the policy network's inputs, hidden layers and outputs.
        steps: environment steps of the iteration.
        calls: of the policy, for these.
    """
    policy, baseline, update = config.policy, config.estimator.baseline, config.update
    activation = getattr(policy, "activation", "tanh")
    total = calls * seconds(max(1, round(steps / calls)), sizes, activation, False)
    drawn = min(getattr(update, "minibatch_size", 0) or steps, steps)
    gradients = getattr(update, "epochs", 1) * math.ceil(steps / drawn)
    total += gradients * seconds(drawn, sizes, activation, True)
    if baseline.kind == "value":
        layers = (sizes[0], *baseline.hidden_sizes, 1)
        total += seconds(steps, layers, "tanh", False)
        along = baseline.fit_steps == 0 and update.kind.startswith("ppo")
        fitted = drawn if along else min(baseline.minibatch_size or steps, steps)
        total += (gradients if along else max(baseline.fit_steps, 1)) * seconds(fitted, layers, "tanh", True)
    return total
