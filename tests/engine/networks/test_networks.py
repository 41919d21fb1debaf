"""Network bodies and heads: what they compute, how their weights start, and that they count as the catalogue does."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, relu

from engine.catalogue.network_sizes import cnn_parameters, gru_parameters, image_layers
from engine.networks.networks import MLP, CNNBody, GRUBody, MLPBody, Table, head
from engine.runtime.errors import RequestError

INITIALIZATIONS = ["orthogonal", "xavier", "kaiming", "default"]
ACTIVATIONS = ["tanh", "relu", "elu", "silu", "gelu"]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=generator(seed))


def size_of(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


# --- fully connected --------------------------------------------------------------------------------------------------

BY_DEFINITION: dict[str, Any] = {
    "tanh": torch.tanh,
    "relu": lambda x: x.clamp(min=0.0),
    "elu": lambda x: torch.where(x > 0.0, x, x.exp() - 1.0),
    "silu": lambda x: x / (1.0 + (-x).exp()),
    "gelu": lambda x: x * 0.5 * (1.0 + torch.erf(x / math.sqrt(2.0))),
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_an_mlp_computes_what_its_layers_say(activation: Any) -> None:
    network = MLP((3, 4, 2), activation, 1.0, generator())
    first: Any
    last: Any
    first, last = network.layers
    inputs = noise(5, 3)
    hidden = BY_DEFINITION[activation](inputs @ first.weight.T + first.bias)
    torch.testing.assert_close(network(inputs), hidden @ last.weight.T + last.bias)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("initialization", INITIALIZATIONS)
def test_a_body_with_a_head_is_the_mlp(activation: Any, initialization: Any) -> None:
    stream = generator(3)
    body = MLPBody((3, 8, 5), activation, stream, initialization)
    output = head(body.outputs, 2, 0.5, stream, initialization)
    whole = MLP((3, 8, 5, 2), activation, 0.5, generator(3), initialization)
    inputs = noise(6, 3)
    assert body.outputs == 5
    assert torch.equal(output(body(inputs)), whole(inputs))


def test_a_body_without_layers_passes_its_input_on() -> None:
    inputs = noise(2, 3)
    assert MLPBody((3,), "tanh", generator())(inputs) is inputs


@pytest.mark.parametrize("initialization", INITIALIZATIONS)
def test_biases_start_at_0_except_torchs_own(initialization: Any) -> None:
    network = MLP((4, 8, 2), "tanh", 1.0, generator(), initialization)
    assert all(bool(layer.bias.any()) == (initialization == "default") for layer in network.layers)


@pytest.mark.parametrize(
    ("initialization", "hidden", "output"),
    [
        # standard deviations of a 300 → 100 layer, the second with output gain 0.5
        ("orthogonal", math.sqrt(2.0 / 300.0), 0.5 / math.sqrt(300.0)),
        ("xavier", math.sqrt(2.0 / 400.0), 0.5 * math.sqrt(2.0 / 400.0)),
        ("kaiming", math.sqrt(2.0 / 300.0), 0.5 * math.sqrt(1.0 / 300.0)),
        ("default", 1.0 / math.sqrt(3.0 * 300.0), 0.5 / math.sqrt(3.0 * 300.0)),
    ],
)
def test_weights_start_with_the_spread_of_their_scheme(initialization: Any, hidden: float, output: float) -> None:
    body: Any = MLPBody((300, 100), "relu", generator(), initialization).layers[0]
    assert body.weight.std().item() == pytest.approx(hidden, rel=0.02)
    assert head(300, 100, 0.5, generator(), initialization).weight.std().item() == pytest.approx(output, rel=0.02)


def test_orthogonal_weights_are_orthogonal_with_their_gain() -> None:
    network = MLP((4, 8, 8, 2), "tanh", 0.01, generator())
    square: Any = network.layers[1]
    last: Any = network.layers[2]
    torch.testing.assert_close(square.weight @ square.weight.T, 2.0 * torch.eye(8), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(last.weight @ last.weight.T, 1e-4 * torch.eye(2), atol=1e-8, rtol=1e-4)


def test_torchs_own_weights_and_biases_are_uniform_up_to_the_root_of_the_fan_in() -> None:
    layer: Any = MLPBody((25, 4000), "tanh", generator(), "default").layers[0]
    for values in (layer.weight, layer.bias):
        assert values.abs().max().item() == pytest.approx(0.2, rel=0.01)
        assert values.mean().item() == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("initialization", INITIALIZATIONS)
def test_a_gain_of_0_starts_a_head_at_0(initialization: Any) -> None:
    assert not any(parameter.any() for parameter in head(4, 3, 0.0, generator(), initialization).parameters())


@pytest.mark.parametrize("initialization", INITIALIZATIONS)
def test_only_the_explicit_generator_decides_the_weights(initialization: Any) -> None:
    def weights(seed: int, global_seed: int) -> Tensor:
        torch.manual_seed(global_seed)
        network = MLP((4, 8, 2), "elu", 1.0, generator(seed), initialization)
        return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])

    assert torch.equal(weights(1, 1), weights(1, 2))
    assert not torch.equal(weights(1, 1), weights(2, 1))


def test_a_table_gives_each_state_its_row() -> None:
    table = Table(3, 2)
    with torch.no_grad():
        table.rows.copy_(torch.arange(6.0).reshape(3, 2))
    assert table(torch.tensor([2, 0])).tolist() == [[4.0, 5.0], [0.0, 1.0]]


# --- recurrent --------------------------------------------------------------------------------------------------------

LENGTHS = [3, 1, 5, 3, 2]


def stepped(body: GRUBody, inputs: Tensor, lengths: list[int], states: Tensor) -> Tensor:
    outputs = []
    for sequence, state in zip(inputs.split(lengths), states.unsqueeze(1), strict=True):
        for row in sequence.unsqueeze(1):
            output, state = body.step(row, state)
            outputs.append(output)
    return torch.cat(outputs)


@pytest.mark.parametrize("lengths", [LENGTHS, [4], [1, 1, 1], [2, 5], [5, 2], list(range(1, 20))])
def test_whole_sequences_give_what_steps_give(lengths: list[int]) -> None:
    body = GRUBody(4, 8, generator())
    inputs, states = noise(sum(lengths), 4), noise(len(lengths), 8, seed=1)
    expected = stepped(body, inputs, lengths, states)
    torch.testing.assert_close(body.over(inputs, lengths, states), expected, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(body.over(inputs, torch.tensor(lengths), states), expected, atol=1e-6, rtol=1e-5)


def test_whole_sequences_have_the_gradients_of_steps_through_time() -> None:
    gradients = []
    for run in (stepped, lambda body, *arguments: body.over(*arguments)):
        body = GRUBody(4, 8, generator())
        inputs, states = noise(sum(LENGTHS), 4).requires_grad_(), noise(len(LENGTHS), 8, seed=1).requires_grad_()
        run(body, inputs, LENGTHS, states).square().sum().backward()
        gradients.append([inputs.grad, states.grad, *(parameter.grad for parameter in body.parameters())])
    for by_step, at_once in zip(*gradients, strict=True):
        torch.testing.assert_close(at_once, by_step, atol=1e-5, rtol=1e-4)


def test_sequences_know_nothing_of_each_other() -> None:
    body = GRUBody(4, 8, generator())
    inputs, states = noise(sum(LENGTHS), 4), noise(len(LENGTHS), 8, seed=1)
    changed = inputs.clone()
    changed[4] += 1.0  # the first row of the third sequence
    same = (body.over(inputs, LENGTHS, states) == body.over(changed, LENGTHS, states)).all(-1)
    assert same.tolist() == [True] * 4 + [False] * 5 + [True] * 5


def test_a_step_is_the_gated_recurrent_units() -> None:
    body = GRUBody(3, 2, generator())
    inputs, state = noise(5, 3), noise(5, 2, seed=1)
    w_in, w_state, b_in, b_state = body.gru.all_weights[0]
    from_input = (body.input(inputs).tanh() @ w_in.T + b_in).chunk(3, -1)
    from_state = (state @ w_state.T + b_state).chunk(3, -1)
    reset, update = ((a + b).sigmoid() for a, b in zip(from_input[:2], from_state[:2], strict=True))
    new = (from_input[2] + reset * from_state[2]).tanh()
    outputs, following = body.step(inputs, state)
    torch.testing.assert_close(outputs, (1.0 - update) * new + update * state)
    assert torch.equal(outputs, following)


def test_the_recurrent_weights_are_orthogonal_gate_by_gate_and_biases_0() -> None:
    body = GRUBody(8, 8, generator())
    for weight in body.gru.all_weights[0][:2]:
        for gate in weight.chunk(3):
            torch.testing.assert_close(gate @ gate.T, torch.eye(8), atol=1e-5, rtol=1e-5)
    input_weight = body.input.weight
    torch.testing.assert_close(input_weight @ input_weight.T, 2.0 * torch.eye(8), atol=1e-5, rtol=1e-5)
    assert not any(bias.any() for bias in (body.input.bias, *body.gru.all_weights[0][2:]))


def test_the_recurrent_body_starts_at_0_and_counts_itself() -> None:
    body = GRUBody(4, 8, generator())
    assert torch.equal(body.initial_state(3), torch.zeros(3, 8))
    assert body.outputs == 8
    assert gru_parameters(4, 8) == size_of(body)


@pytest.mark.parametrize(
    ("lengths", "rows", "states"), [([2, 2], 5, 2), ([2, 3], 5, 3), ([5, 0], 5, 2), ([7, -2], 5, 2)]
)
def test_lengths_that_do_not_fit_are_refused(lengths: list[int], rows: int, states: int) -> None:
    body = GRUBody(4, 8, generator())
    with pytest.raises(ValueError, match="do not fit"):
        body.over(torch.zeros(rows, 4), lengths, torch.zeros(states, 8))


# --- convolutional ----------------------------------------------------------------------------------------------------

SHAPES = [(84, 84, 1), (4, 84, 84), (36, 36), (35, 60, 3), (10, 10, 4), (8, 8), (7, 7, 3), (4, 4), (210, 160, 3)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_images_of_any_size_become_features(shape: tuple[int, ...]) -> None:
    body = CNNBody(shape, 16, 1.0, generator())
    assert body(noise(3, math.prod(shape))).shape == (3, 16)
    assert body(noise(0, math.prod(shape))).shape == (0, 16)
    assert body.outputs == 16
    assert cnn_parameters(shape, 16) == size_of(body)


@pytest.mark.parametrize("shape", [(3,), (3, 10), (2, 8, 2), (1, 2, 3, 4), ()])
def test_what_is_no_image_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(RequestError, match="use an MLP"):
        CNNBody(shape, 16, 1.0, generator())


def test_large_images_take_the_layers_that_played_atari() -> None:
    layers = image_layers((84, 84, 4))
    assert [(c.outputs, c.kernel, c.stride) for c in layers.convolutions] == [(32, 8, 4), (64, 4, 2), (64, 3, 1)]
    assert layers.flattened == 64 * 7 * 7


@pytest.mark.parametrize(("shape", "channel_axis"), [((10, 12, 3), -1), ((3, 10, 12), 1), ((10, 12), None)])
def test_the_convolutions_see_rows_as_images(shape: tuple[int, ...], channel_axis: int | None) -> None:
    body = CNNBody(shape, 5, 255.0, generator())
    rows = (255.0 * noise(2, math.prod(shape)).abs()).clamp(max=255.0)
    images = rows.reshape(2, *shape) / 255.0
    seen = images.unsqueeze(1) if channel_axis is None else images.movedim(channel_axis, 1)
    assert seen.shape[2:] == (10, 12)
    layer: Any
    for layer, stride in zip(body.convolutions, (2, 2, 1), strict=True):
        seen = relu(conv2d(seen, layer.weight, layer.bias, stride, 1))
    expected = relu(seen.flatten(1) @ body.linear.weight.T + body.linear.bias)
    torch.testing.assert_close(body(rows), expected, atol=1e-6, rtol=1e-5)


def test_only_a_high_of_255_is_divided_by() -> None:
    scaled, plain = (CNNBody((8, 8), 5, high, generator()) for high in (255.0, 1.0))
    rows = noise(2, 64)
    torch.testing.assert_close(scaled(255.0 * rows), plain(rows), atol=1e-5, rtol=1e-5)


def test_a_convolutional_bodys_input_stays_as_it_was_and_every_weight_learns() -> None:
    body, rows = CNNBody((10, 10, 4), 16, 1.0, generator()), noise(8, 400)
    before = rows.clone()
    body(rows).sum().backward()
    assert torch.equal(rows, before)
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in body.parameters())


def test_convolutions_keep_the_size_of_their_signal_and_start_from_the_generator() -> None:
    body, again, other = (CNNBody((84, 84, 4), 512, 1.0, generator(seed)) for seed in (1, 1, 2))
    rows = noise(4, 84 * 84 * 4)
    assert torch.equal(body(rows), again(rows))
    assert not torch.equal(body(rows), other(rows))
    assert 0.1 < body(rows).square().mean().sqrt().item() < 3.0
    assert not any(layer.bias.any() for layer in (*body.convolutions, body.linear))
