"""How many threads torch computes on: the host's choice, made once, since it holds for the whole process."""

from __future__ import annotations

import torch


def compute_on_one_thread() -> None:
    """Networks as small as these are too small to share; more threads only wait for each other."""
    torch.set_num_threads(1)
