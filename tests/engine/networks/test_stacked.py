"""Networks side by side are what each would be alone, there and back."""

from __future__ import annotations

import torch

from engine.networks.optimizers import ParameterVector
from engine.networks.stacked import StackedMLP


def test_networks_side_by_side_are_each_what_they_would_be_alone() -> None:
    stacked = StackedMLP(2, (3, 5, 4, 2), "tanh", torch.Generator().manual_seed(1))
    vector = ParameterVector(stacked.parameters())
    with torch.no_grad():
        vector.values.add_(0.2 * torch.randn(len(vector.values), generator=torch.Generator().manual_seed(2)))
    inputs = torch.randn(6, 3, generator=torch.Generator().manual_seed(3)).requires_grad_()
    delta = torch.randn(2, 6, 2, generator=torch.Generator().manual_seed(4))
    passed = stacked.forward_pass(inputs)
    stacked.backward(passed, delta)
    for k in range(2):
        layers = [
            (w[k].detach().clone().requires_grad_(), b[k].detach().clone().requires_grad_()) for w, b in stacked._layers
        ]
        h = inputs
        for index, (weight, bias) in enumerate(layers):
            h = h @ weight.t() + bias
            h = h if index == len(layers) - 1 else h.tanh()
        assert torch.allclose(passed.outputs[k], h, atol=1e-6)
        h.backward(delta[k])  # type: ignore[no-untyped-call]
        for (weight, bias), (mine, other) in zip(layers, stacked._layers, strict=True):
            assert weight.grad is not None
            assert bias.grad is not None
            assert torch.allclose(mine.grad[k], weight.grad, atol=1e-5)  # type: ignore[index]
            assert torch.allclose(other.grad[k], bias.grad, atol=1e-5)  # type: ignore[index]
    gradient = vector.gradient.clone()
    assert torch.allclose(stacked.input_gradient(passed, delta), inputs.grad, atol=1e-5)  # type: ignore[arg-type]
    assert torch.equal(vector.gradient, gradient)
