"""How torch computes in the thread that trains: the host's choice, made once before anything is trained there."""

from __future__ import annotations

import torch


def compute_on_one_thread() -> None:
    """Networks as small as these are too small to share; more threads only wait for each other.

    In the calling thread, numbers nearer to 0 than 1e-38 are taken for 0. What an optimiser gathers of a weight whose
    gradient has become exactly 0, as behind a relu, shrinks down to there, and a processor takes many times as long for
    such numbers as for others.
    """
    compute_on(1)


def compute_on(threads: int) -> None:
    """As ``compute_on_one_thread``, on so many."""
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
