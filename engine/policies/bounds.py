"""The limits of continuous actions, and the ways from what a policy chooses to what lies between them."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class Bounds:
    """An action space's finite limits per dimension, ``low`` and ``high`` [d]; made once, shared by every distribution.

    Raises:
        ValueError: the shapes differ, a limit is not finite, or a ``low`` is not below its ``high``.
    """

    low: Tensor
    high: Tensor
    width: Tensor = field(init=False)
    """high − low, [d], in units of the action."""
    middle: Tensor = field(init=False)
    """(low + high)/2, [d]."""
    half_width: Tensor = field(init=False)
    """(high − low)/2, [d]."""
    log_volume: Tensor = field(init=False)
    """Σ_j log(high_j − low_j), a scalar: what a density on [0, 1] loses when it is stretched to the bounds."""

    def __post_init__(self) -> None:
        if self.low.shape != self.high.shape:
            raise ValueError(f"low is {tuple(self.low.shape)} but high is {tuple(self.high.shape)}")
        width = self.high - self.low
        # In this form NaN fails as well.
        if not ((self.low < self.high) & width.isfinite()).all():
            raise ValueError(f"bounds must be finite with low < high, not {self.low.tolist()} and {self.high.tolist()}")
        made = {"width": width, "middle": self.low + 0.5 * width, "half_width": 0.5 * width}
        for name, tensor in (made | {"log_volume": width.log().sum()}).items():
            object.__setattr__(self, name, tensor)

    @property
    def symmetric_unit(self) -> bool:
        """Whether all are −1 and 1."""
        return bool(((self.low == -1.0) & (self.high == 1.0)).all())

    def from_unit(self, unit: Tensor) -> Tensor:
        """[0, 1] stretched to [low, high]; 0 and 1 give the limits exactly."""
        return torch.lerp(self.low, self.high, unit)

    def squashed(self, latent: Tensor) -> Tensor:
        """low + (high − low)/(1 + e^(−latent)): any number, taken into the bounds."""
        return self.from_unit(latent.sigmoid())

    def latent(self, actions: Tensor, margin: float) -> Tensor:
        """What ``squashed`` takes to ``actions``: log x − log(1 − x) with x = (a − low)/(high − low). On a limit that
        would be infinite, so that x is kept within ``margin`` … 1 − ``margin``."""
        return ((actions - self.low) / self.width).clamp(margin, 1.0 - margin).logit()

    def standardised(self, actions: Tensor) -> Tensor:
        """What ``scaled`` takes to ``actions``."""
        return (actions - self.middle) / self.half_width

    def scaled(self, standardised: Tensor) -> Tensor:
        """(low + high)/2 + z (high − low)/2: −1 … 1 becomes low … high, and what lies beyond stays beyond."""
        return self.middle + self.half_width * standardised
