"""The networks behind policies and value functions, initialised from an explicit generator.

A *body* (``MLPBody``, ``GRUBody``, ``CNNBody``) turns inputs into ``outputs`` features; a policy head and, where it is
shared, a value head stand on it (``head``). ``MLP`` is a body and its head in one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, one_hot
from torch.nn.utils.rnn import PackedSequence

from engine.catalogue.network_sizes import image_layers
from engine.catalogue.spaces import Space
from engine.config.policies import Activation, Initialization
from engine.networks.dense import NONLINEARITIES, Dense, outputs_of, parameters_of

_SQRT_2 = 2.0**0.5


def initialize(
    layer: nn.Linear | nn.Conv2d,
    generator: torch.Generator,
    initialization: Initialization = "orthogonal",
    output_gain: float | None = None,
) -> None:
    """Draws the weights of a hidden layer or, with its gain, of an output layer; biases start at 0.

    - ``orthogonal``: orthogonal rows or columns times √2 in hidden layers (Saxe et al., 2014);
    - ``xavier``: uniform with variance 2/(fan_in + fan_out) (Glorot and Bengio, 2010);
    - ``kaiming``: uniform with variance 2/fan_in in hidden layers, 1/fan_in in output layers (He et al., 2015);
    - ``default``: as torch does it, U(−1/√fan_in, 1/√fan_in), biases too.

    An output layer has ``output_gain`` in place of the √2, or times what the others say (its ``default`` biases too).
    """
    hidden = output_gain is None
    gain = 1.0 if output_gain is None else output_gain
    weight = layer.weight
    with torch.no_grad():
        if initialization == "orthogonal":
            nn.init.orthogonal_(weight, _SQRT_2 if hidden else gain, generator=generator)
        elif initialization == "xavier":
            nn.init.xavier_uniform_(weight, gain, generator=generator)
        elif initialization == "kaiming":
            nn.init.kaiming_uniform_(weight, nonlinearity="relu" if hidden else "linear", generator=generator).mul_(
                gain
            )
        if layer.bias is not None:
            layer.bias.zero_()
        if initialization == "default":
            bound = gain * weight[0].numel() ** -0.5
            weight.uniform_(-bound, bound, generator=generator)
            if layer.bias is not None:
                layer.bias.uniform_(-bound, bound, generator=generator)


def head(
    inputs: int,
    outputs: int,
    output_gain: float,
    generator: torch.Generator,
    initialization: Initialization = "orthogonal",
) -> nn.Linear:
    """A linear output layer, to stand on a body of ``inputs`` features."""
    layer = nn.Linear(inputs, outputs)
    initialize(layer, generator, initialization, output_gain)
    return layer


def _hidden_layers(sizes: Sequence[int], generator: torch.Generator, initialization: Initialization) -> list[nn.Linear]:
    layers = [nn.Linear(fan_in, fan_out) for fan_in, fan_out in pairwise(sizes)]
    for layer in layers:
        initialize(layer, generator, initialization)
    return layers


class MLPBody(nn.Module):
    """Linear layers with a nonlinearity behind each; ``sizes`` are the inputs and then each layer's units.

    Without layers it passes its input on.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: Activation,
        generator: torch.Generator,
        initialization: Initialization = "orthogonal",
    ) -> None:
        super().__init__()
        self.outputs = sizes[-1]
        self.layers = nn.ModuleList(_hidden_layers(sizes, generator, initialization))
        self.activation = activation

    def forward(self, inputs: Tensor) -> Tensor:
        layers, f = parameters_of(self.layers), NONLINEARITIES[self.activation]
        return f.apply(outputs_of(layers, f, inputs, linear)) if layers else inputs

    def dense(self, output: nn.Module) -> Dense:
        """The layers and an output layer behind them as a chain."""
        return Dense([*self.layers, output], self.activation)


class MLP(nn.Module):
    """Linear layers with a nonlinearity between them; without hidden layers it is linear in its input.

    Hidden weights are orthogonal with gain √2 (Saxe et al., 2014) and the last layer's with ``output_gain``, biases 0;
    or as another ``initialization`` says.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: Activation,
        output_gain: float,
        generator: torch.Generator,
        initialization: Initialization = "orthogonal",
    ) -> None:
        super().__init__()
        hidden = _hidden_layers(sizes[:-1], generator, initialization)
        self.layers = nn.ModuleList([*hidden, head(sizes[-2], sizes[-1], output_gain, generator, initialization)])
        self._activation = activation

    def forward(self, inputs: Tensor) -> Tensor:
        return outputs_of(parameters_of(self.layers), NONLINEARITIES[self._activation], inputs, linear)

    def dense(self) -> Dense:
        """The layers as a chain."""
        return Dense(self.layers, self._activation)


class GRUBody(nn.Module):
    """A linear layer with tanh, then a gated recurrent unit (Cho et al., 2014) whose state is the output.

    All weights are orthogonal: the input layer's with gain √2, each of the gates' matrices with gain 1; biases 0.
    """

    def __init__(self, inputs: int, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.outputs = hidden
        self.input = nn.Linear(inputs, hidden)
        initialize(self.input, generator)
        self.gru = nn.GRU(hidden, hidden)
        with torch.no_grad():
            for parameter in self.gru.parameters():
                if parameter.dim() == 1:
                    parameter.zero_()
                else:
                    for gate in parameter.chunk(3):
                        nn.init.orthogonal_(gate, generator=generator)

    def initial_state(self, count: int) -> Tensor:
        """The state at the start of ``count`` episodes: zeros, [count, hidden]."""
        return self.input.weight.new_zeros(count, self.outputs)

    def step(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One time step of n sequences: inputs [n, components], state [n, hidden] → (outputs, next state), [n, hidden].

        The two are one tensor.
        """
        # One fused cell costs a fraction of nn.GRU over a sequence of length 1.
        state = torch.gru_cell(self.input(inputs).tanh(), state, *self.gru.all_weights[0])
        return state, state

    def over(self, inputs: Tensor, lengths: Sequence[int] | Tensor, states: Tensor) -> Tensor:
        """K whole sequences at once: the outputs that repeated ``step`` would give, with gradients through time.

        Args:
            inputs: [M, components], the sequences' rows one sequence after another.
            lengths: how many rows each has, K numbers of at least 1 that sum to M; a tensor must be on the CPU.
            states: the state before each sequence's first row, [K, hidden].

        Returns:
            [M, hidden], in the order of ``inputs``.

        Raises:
            ValueError: the lengths do not fit the inputs or the states, or one is below 1.
        """
        rows = torch.as_tensor(lengths, dtype=torch.int64)
        if rows.shape != states.shape[:1] or int(rows.sum()) != len(inputs) or int(rows.min()) < 1:
            raise ValueError(f"lengths {rows.tolist()} do not fit {len(inputs)} rows and {len(states)} states")
        # Packed order is time-major over the sequences from longest to shortest, those that have ended left out.
        by_length = rows.argsort(descending=True, stable=True)
        starts = (rows.cumsum(0) - rows)[by_length]
        time = torch.arange(int(rows.max())).unsqueeze(-1)
        running = time < rows[by_length]
        order = (starts + time)[running]
        back = torch.empty_like(order)
        back[order] = torch.arange(len(order))
        device = inputs.device
        packed = PackedSequence(self.input(inputs)[order.to(device)].tanh(), running.sum(-1))
        outputs, _ = self.gru(packed, states[by_length.to(device)].unsqueeze(0))
        result: Tensor = outputs.data[back.to(device)]
        return result


class CNNBody(nn.Module):
    """Three convolutions and a linear layer, each with relu, on images that come as flat float rows.

    Args:
        shape: of an image, (H, W, C), (C, H, W) or (H, W); rows are [n, H·W·C] in that order. The convolutions follow
            from it: see ``image_layers``.
        hidden: features that leave the linear layer.
        high: the greatest value of a pixel; where it is 255, pixels are divided by it.
        generator: for the weights, orthogonal with gain √2; biases are 0.

    Raises:
        RequestError: as ``image_layers``.
    """

    def __init__(self, shape: tuple[int, ...], hidden: int, high: float, generator: torch.Generator) -> None:
        super().__init__()
        layers = image_layers(shape)
        self.outputs = hidden
        self._shape = shape
        self._layers = layers
        self._scale = 1.0 / 255.0 if high == 255.0 else None
        self.convolutions = nn.ModuleList(
            nn.Conv2d(layer.inputs, layer.outputs, layer.kernel, layer.stride, layer.padding)
            for layer in layers.convolutions
        )
        self.linear = nn.Linear(layers.flattened, hidden)
        for module in (*self.convolutions, self.linear):
            assert isinstance(module, nn.Linear | nn.Conv2d)
            initialize(module, generator)

    def forward(self, inputs: Tensor) -> Tensor:
        images = inputs.reshape(-1, *self._shape)
        if self._layers.channels == 0:
            images = images.unsqueeze(1)
        elif not self._layers.channels_first:
            images = images.permute(0, 3, 1, 2)
        if self._scale is not None:
            images = images * self._scale
        for convolution in self.convolutions:
            images = convolution(images).relu_()
        features: Tensor = self.linear(images.flatten(1)).relu_()
        return features


class Table(nn.Module):
    """One learned row per discrete state, initially 0."""

    def __init__(self, states: int, outputs: int) -> None:
        super().__init__()
        self.rows = nn.Parameter(torch.zeros(states, outputs))

    def forward(self, states: Tensor) -> Tensor:
        return self.rows[states]


def features(observations: Tensor, space: Space) -> Tensor:
    """What a network sees: a box as it is, a discrete observation as a one-hot vector."""
    if space.kind == "discrete":
        return one_hot(observations, space.size).to(torch.float32)
    return observations


def cnn_body(observation: Space, hidden: int, generator: torch.Generator) -> CNNBody:
    """The convolutions for a space of images, whose numbers reach up to its bounds."""
    high = observation.bounds[0][1] if observation.bounds else 1.0
    return CNNBody(observation.shape, hidden, high, generator)
