"""Fixed features of continuous observations, on which a linear policy can be more than linear.

Nothing here is learned: each kind is a module with buffers only, from [batch, size] float to [batch, ``outputs``]. No
kind has a constant feature, since the linear layer on top has a bias. Counts and limits are ``feature_count``'s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations, combinations_with_replacement, product

import torch
from torch import Tensor, nn

from engine.catalogue.network_sizes import RBF_LIMIT, feature_count, fourier_coupling, rbf_on_grid
from engine.config.policies import FeatureKind

# Some environments write "no limit" as float32's largest number; no range as wide as this is a scale.
_UNBOUNDED = 1e6


# (least, greatest) value of each component, infinite where it has none; one pair for all, or empty if none is known.
Ranges = Sequence[tuple[float, float]]


class UnitScale(nn.Module):
    """Observations brought into [0, 1], component by component.

    A component with both limits known is (x − low)/(high − low). One without (or with limits a million or more from 0)
    is squashed, (tanh x + 1)/2, which resolves values of order 1 best: normalised observations, say.

    Raises:
        ValueError: there are neither 0, 1 nor ``size`` ranges, or a low is not below its high.
    """

    low: Tensor
    scale: Tensor
    bounded: Tensor

    def __init__(self, size: int, ranges: Ranges) -> None:
        super().__init__()
        if len(ranges) not in (0, 1, size):
            raise ValueError(f"{size} components need no range, one for all, or {size}, not {len(ranges)}")
        pairs = torch.tensor(ranges or [(-math.inf, math.inf)], dtype=torch.float64)
        low, high = pairs.expand(size, 2).unbind(-1)
        if not (low < high).all():
            raise ValueError(f"every low must be below its high, not {list(ranges)}")
        bounded = (low.abs() < _UNBOUNDED) & (high.abs() < _UNBOUNDED)
        self.register_buffer("low", torch.where(bounded, low, 0.0).float())
        self.register_buffer("scale", torch.where(bounded, 1.0 / (high - low), 1.0).float())
        self.register_buffer("bounded", bounded)
        self._all_bounded, self._none_bounded = bool(bounded.all()), not bool(bounded.any())

    def forward(self, observations: Tensor) -> Tensor:
        if self._none_bounded:
            return observations.tanh() * 0.5 + 0.5
        scaled = (observations - self.low) * self.scale
        if self._all_bounded:
            return scaled
        return torch.where(self.bounded, scaled, observations.tanh() * 0.5 + 0.5)


class Raw(nn.Module):
    """The observation as it is."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.outputs = size

    def forward(self, observations: Tensor) -> Tensor:
        return observations


class Polynomial(nn.Module):
    """All monomials Π x_i^{e_i} with 1 ≤ Σ e_i ≤ degree, by degree and then in lexical order: x₁, x₂, x₁², x₁x₂, x₂² …

    The observation enters unscaled, so values far above 1 grow with the degree.

    Raises:
        RequestError: as ``feature_count``.
    """

    def __init__(self, size: int, degree: int) -> None:
        super().__init__()
        self.outputs = feature_count("polynomial", size, degree)
        self._degrees = degree
        previous: dict[tuple[int, ...], int] = {(i,): i for i in range(size)}
        for d in range(2, degree + 1):
            # Each monomial is one variable times a monomial of one degree less.
            monomials = list(combinations_with_replacement(range(size), d))
            self.register_buffer(f"variable_{d}", torch.tensor([m[0] for m in monomials]))
            self.register_buffer(f"factor_{d}", torch.tensor([previous[m[1:]] for m in monomials]))
            previous = {monomial: index for index, monomial in enumerate(monomials)}

    def forward(self, observations: Tensor) -> Tensor:
        monomials = [observations]
        for d in range(2, self._degrees + 1):
            variable: Tensor = getattr(self, f"variable_{d}")
            factor: Tensor = getattr(self, f"factor_{d}")
            monomials.append(observations.index_select(-1, variable) * monomials[-1].index_select(-1, factor))
        return torch.cat(monomials, -1) if len(monomials) > 1 else observations


class Fourier(nn.Module):
    """cos(π c·s) for whole-numbered frequency vectors c from 0 to ``order`` (Konidaris et al., 2011).

    s is the observation scaled to [0, 1]. Where all (order + 1)^size − 1 vectors would be more than 512, only those
    with few entries other than 0 are kept: as many at once as ``fourier_coupling`` says, down to one (decoupled).

    Raises:
        RequestError: as ``feature_count``.
        ValueError: as ``UnitScale``.
    """

    frequencies: Tensor

    def __init__(self, size: int, order: int, ranges: Ranges) -> None:
        super().__init__()
        self.outputs = feature_count("fourier", size, order)
        self.scale = UnitScale(size, ranges)
        rows = torch.zeros(self.outputs, size)
        index = 0
        for coupled in range(1, fourier_coupling(size, order) + 1):
            for components in combinations(range(size), coupled):
                for values in product(range(1, order + 1), repeat=coupled):
                    rows[index, list(components)] = torch.tensor(values, dtype=torch.float32)
                    index += 1
        self.register_buffer("frequencies", torch.pi * rows.T.contiguous())

    def forward(self, observations: Tensor) -> Tensor:
        scaled: Tensor = self.scale(observations)
        return (scaled @ self.frequencies).cos()


class RadialBasis(nn.Module):
    """Gaussian bumps exp(−‖s − c‖²/(2w²)) around fixed centres c, on the observation s scaled to [0, 1].

    Where a grid of ``degree`` centres along each component has at most 512 of them, they stand at the middles of its
    cells and w is the distance between neighbours; nothing is drawn. Otherwise 512 centres are drawn uniformly from
    ``generator``, and 2w² is size/6, the mean squared distance between two such points.

    Raises:
        RequestError: as ``feature_count``.
        ValueError: as ``UnitScale``.
    """

    centres: Tensor
    centre_exponents: Tensor

    def __init__(self, size: int, degree: int, ranges: Ranges, generator: torch.Generator) -> None:
        super().__init__()
        self.outputs = feature_count("rbf", size, degree)
        self.scale = UnitScale(size, ranges)
        if rbf_on_grid(size, degree):
            middles = [(i + 0.5) / degree for i in range(degree)]
            centres = torch.tensor(list(product(middles, repeat=size)))
            spread = 2.0 / degree**2
        else:
            centres = torch.rand(RBF_LIMIT, size, generator=generator)
            spread = size / 6.0
        # −‖s − c‖²/spread = (2 s·c − ‖s‖² − ‖c‖²)/spread: one matrix product instead of a [batch, centres, size] array.
        self.register_buffer("centres", (2.0 / spread) * centres.T.contiguous())
        self.register_buffer("centre_exponents", -centres.square().sum(-1) / spread)
        self._spread = spread

    def forward(self, observations: Tensor) -> Tensor:
        scaled: Tensor = self.scale(observations)
        squares = scaled.square().sum(-1, keepdim=True) / self._spread
        return (torch.addmm(self.centre_exponents, scaled, self.centres) - squares).exp()


def feature_map(
    kind: FeatureKind, size: int, degree: int, ranges: Ranges, generator: torch.Generator
) -> Raw | Polynomial | Fourier | RadialBasis:
    """The features of that kind; ``ranges`` are the observation's, empty where it has no known limits.

    Raises:
        RequestError: as ``feature_count``.
        ValueError: as ``UnitScale``.
    """
    if kind == "raw":
        return Raw(size)
    if kind == "polynomial":
        return Polynomial(size, degree)
    if kind == "fourier":
        return Fourier(size, degree, ranges)
    return RadialBasis(size, degree, ranges, generator)
