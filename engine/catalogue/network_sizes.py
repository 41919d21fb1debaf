"""How wide a policy's fixed features and shared bodies are, without torch: what the catalogue counts parameters with.

``features`` and ``networks`` build exactly what is counted here.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

from engine.config.policies import FeatureKind
from engine.runtime.errors import Refusal, RefusedError, RequestError

# Above these the features, not the learning, would fill memory and time: one batch of 4096 is then some 64 MB.
POLYNOMIAL_LIMIT = 4096
FOURIER_LIMIT = 512
RBF_LIMIT = 512
PICTURE, BOARD = 36, 6  # pixels along the shorter side of a picture, squares along that of a board


def feature_count(kind: FeatureKind, size: int, degree: int) -> int:
    """How many features ``features.feature_map`` makes of ``size`` numbers; ``degree`` is what each kind makes of it.

    - ``raw``: the numbers themselves, ``size`` of them; the degree has no meaning.
    - ``polynomial``: all monomials of total degree 1 to ``degree``, C(size + degree, degree) − 1.
    - ``fourier``: cosines of order up to ``degree`` in up to ``fourier_coupling`` = m of the numbers at once,
      Σ_{j=1..m} C(size, j) degree^j. With m = size that is the full basis, (degree + 1)^size − 1.
    - ``rbf``: a grid of ``degree`` bumps along each number, degree^size, where that is at most 512; else 512 bumps
      at random places.

    Raises:
        RefusedError: the size or the degree is below 1, or there would be more than 4096 monomials or, even without
            coupling, more than 512 cosines.
    """
    if size < 1 or degree < 1:
        raise RefusedError(
            Refusal(f"Features need at least 1 number and degree 1, not {size} and {degree}", "use another policy")
        )
    if kind == "raw":
        return size
    if kind == "polynomial":
        return _polynomial_count(size, degree)
    if kind == "fourier":
        return _fourier_count(size, degree, fourier_coupling(size, degree))
    return degree**size if rbf_on_grid(size, degree) else RBF_LIMIT


def fourier_coupling(size: int, order: int) -> int:
    """In how many of the ``size`` numbers at once a cosine may vary: as many as keep the count within 512.

    Konidaris et al. (2011) take all of them where that is few enough, and 1 of them (decoupled) where it is not.

    Raises:
        RefusedError: even decoupled cosines, size · order, are more than 512.
    """
    if size * order > FOURIER_LIMIT:
        why = f"{size} numbers make {size * order} Fourier features of order {order}, more than {FOURIER_LIMIT}"
        raise RefusedError(Refusal(why, _smaller(FOURIER_LIMIT // size, "order")))
    coupling = 1
    while coupling < size and _fourier_count(size, order, coupling + 1) <= FOURIER_LIMIT:
        coupling += 1
    return coupling


def rbf_on_grid(size: int, degree: int) -> bool:
    """Whether the bumps stand on a full grid, degree^size ≤ 512, or at random places."""
    # A single bump per number is a grid in any dimension, and 2^9 = 512 is the largest of several.
    return degree == 1 or (size <= 9 and degree**size <= RBF_LIMIT)


def _polynomial_count(size: int, degree: int) -> int:
    count = comb(size + degree, degree) - 1
    if count > POLYNOMIAL_LIMIT:
        largest = max((d for d in range(1, degree) if comb(size + d, d) - 1 <= POLYNOMIAL_LIMIT), default=0)
        why = f"{size} numbers make {count} monomials up to degree {degree}, more than {POLYNOMIAL_LIMIT}"
        raise RefusedError(Refusal(why, _smaller(largest, "degree")))
    return count


def _fourier_count(size: int, order: int, coupling: int) -> int:
    return sum(comb(size, j) * order**j for j in range(1, coupling + 1))


def _smaller(largest: int, name: str) -> str:
    return f"use at most {name} {largest}" if largest else "use raw features, or an MLP"


@dataclass(frozen=True)
class Convolution:
    """One convolution: channels in and out, and its square kernel, stride and zero padding in pixels."""

    inputs: int
    outputs: int
    kernel: int
    stride: int
    padding: int

    def side(self, pixels: int) -> int:
        """Pixels along a side after it."""
        return (pixels + 2 * self.padding - self.kernel) // self.stride + 1


@dataclass(frozen=True)
class ImageLayers:
    """How a CNN reads an image: the layout of its rows, the convolutions, and the numbers that leave the last of them.

    ``channels`` is 0 for an image without a channel axis.
    """

    height: int
    width: int
    channels: int
    channels_first: bool
    convolutions: tuple[Convolution, ...]
    flattened: int


def image_layers(shape: tuple[int, ...]) -> ImageLayers:
    """The three convolutions for images of ``shape`` (H, W, C), (C, H, W) or (H, W).

    With both sides of 36 pixels or more they are those of Mnih et al. (2015): 32 channels 8×8/4, 64 of 4×4/2, 64 of
    3×3/1. Smaller images (MinAtar's have 10 pixels, MiniGrid's 7) keep the channels but take padded 3×3 kernels with
    strides 2, 2, 1. Channels come first where the first axis is shorter than both others, as in stacked frames.

    Raises:
        RequestError: the shape has not 2 or 3 axes, or a side is below 4 pixels.
    """
    if len(shape) not in (2, 3):
        raise RequestError(f"A CNN needs images of shape (H, W) or (H, W, C), not {shape}; use an MLP.")
    channels_first = len(shape) == 3 and shape[0] < min(shape[1:])
    height, width = shape[1:] if channels_first else shape[:2]
    channels = 0 if len(shape) == 2 else shape[0] if channels_first else shape[2]
    if min(height, width) < 4:
        raise RequestError(f"A CNN needs images of at least 4 × 4 pixels, not {height} × {width}; use an MLP.")
    kernels = ((8, 4, 0), (4, 2, 0), (3, 1, 0)) if min(height, width) >= PICTURE else ((3, 2, 1), (3, 2, 1), (3, 1, 1))
    convolutions: list[Convolution] = []
    inputs, rows, columns = max(channels, 1), height, width
    for outputs, (kernel, stride, padding) in zip((32, 64, 64), kernels, strict=True):
        layer = Convolution(inputs, outputs, kernel, stride, padding)
        convolutions.append(layer)
        inputs, rows, columns = outputs, layer.side(rows), layer.side(columns)
    return ImageLayers(height, width, channels, channels_first, tuple(convolutions), inputs * rows * columns)


def cnn_parameters(shape: tuple[int, ...], hidden: int) -> int:
    """Weights and biases of a ``CNNBody`` for images of ``shape`` that gives ``hidden`` features.

    Raises:
        RequestError: as ``image_layers``.
    """
    layers = image_layers(shape)
    convolutions = sum((layer.inputs * layer.kernel**2 + 1) * layer.outputs for layer in layers.convolutions)
    return convolutions + (layers.flattened + 1) * hidden


def gru_parameters(inputs: int, hidden: int) -> int:
    """Weights and biases of a ``GRUBody``: the input layer, and three gates of two matrices and two biases each."""
    return (inputs + 1) * hidden + 6 * (hidden + 1) * hidden
