"""Where all of a run's randomness comes from."""

from __future__ import annotations

import numpy as np
import torch


class Seeds:
    """Independent streams of randomness from one seed, handed out in a fixed order."""

    def __init__(self, seed: int) -> None:
        self._sequence = np.random.SeedSequence(seed)

    def generator(self, device: torch.device | None = None) -> torch.Generator:
        return torch.Generator(device or "cpu").manual_seed(self.integers(1)[0])

    def integers(self, count: int) -> list[int]:
        (child,) = self._sequence.spawn(1)
        return [int(seed) for seed in child.generate_state(count, np.uint32)]
