"""Which of six cases each step of a batch is in under PPO's clipped surrogate, and what that does to its gradient."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from engine.maths.losses import cut_off


class ClipCase(NamedTuple):
    """A sign of the advantage with a place of the ratio ρ = π(a|s)/π_old(a|s): below 1 − ε, inside, or above 1 + ε.

    ``flows`` says whether the step has a part in the gradient, and ``meaning`` in a sentence why.
    """

    number: int
    advantage: str
    ratio: str
    flows: bool
    meaning: str


CLIP_CASES: tuple[ClipCase, ...] = (
    ClipCase(
        1,
        "Â ≥ 0",
        "inside 1 ± ε",
        True,
        "The action was better than expected and its ratio is near 1, so the gradient flows: it becomes likelier.",
    ),
    ClipCase(
        2,
        "Â < 0",
        "inside 1 ± ε",
        True,
        "The action was worse than expected and its ratio is near 1, so the gradient flows: it becomes less likely.",
    ),
    ClipCase(
        3,
        "Â ≥ 0",
        "below 1 − ε",
        True,
        "The action was better than expected and has become less likely all the same, so the gradient flows, back to "
        "where it was.",
    ),
    ClipCase(
        4,
        "Â < 0",
        "below 1 − ε",
        False,
        "The action was worse than expected and has become so much less likely already that the gradient is cut.",
    ),
    ClipCase(
        5,
        "Â ≥ 0",
        "above 1 + ε",
        False,
        "The action was better than expected and has become so much likelier already that the gradient is cut.",
    ),
    ClipCase(
        6,
        "Â < 0",
        "above 1 + ε",
        True,
        "The action was worse than expected and has become likelier all the same, so the gradient flows, back to "
        "where it was.",
    ),
)
"""By their numbers, from 1."""


def clip_cases(
    log_ratios: NDArray[np.float32], advantages: NDArray[np.float32], clip_range: float
) -> NDArray[np.int64]:
    """The number, 1 to 6, of the case that each step is in, [M].

    The clipped surrogate of a step is min(ρ Â, clip(ρ, 1 − ε, 1 + ε) Â). Where the second is the smaller it does not
    depend on ρ, so its gradient is 0: with Â ≥ 0 that is above 1 + ε, with Â < 0 below 1 − ε. On the other side the
    first is the smaller, and the gradient flows however far ρ is from 1. Of Â = 0 it is 0 everywhere.

    Args:
        log_ratios: log ρ, [M].
        advantages: Â as the surrogate takes them, normalised where that is so, [M].
        clip_range: ε > 0.

    Source: Schulman et al. (2017), "Proximal policy optimization algorithms", equation 7 and figure 1; the table of six
        cases is that of Bick (2021), "Towards delivering a coherent self-contained explanation of proximal policy
        optimization".
    """
    ratios = np.exp(log_ratios)
    cut = cut_off(torch.from_numpy(log_ratios), torch.from_numpy(advantages), clip_range).numpy()
    better = advantages >= 0
    # A ratio at a bound is on that side of it on which the surrogate takes it.
    above = np.where(better, cut | ((advantages == 0) & (ratios > 1 + clip_range)), ratios > 1 + clip_range)
    below = np.where(better, ratios < 1 - clip_range, cut)
    found: NDArray[np.int64] = np.where(
        above, np.where(better, 5, 6), np.where(below, np.where(better, 3, 4), np.where(better, 1, 2))
    )
    return found
