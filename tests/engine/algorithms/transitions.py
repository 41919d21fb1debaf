"""Transitions of every kind of end."""

from __future__ import annotations

import numpy as np

from engine.experience.transitions import Transitions

# One episode cut off behind state 3, one that terminates at once, and one under way.
STEPS = Transitions(
    observations=np.array([[0], [1], [2], [5], [6]]),
    actions=np.array([[1], [2], [3], [0], [1]]),
    rewards=np.array([[1.0], [2.0], [4.0], [8.0], [16.0]]),
    terminated=np.array([[False], [False], [False], [True], [False]]),
    truncated=np.array([[False], [False], [True], [False], [False]]),
    next_observations=np.array([[1], [2], [3], [15], [7]]),
    following=np.array([7]),
)
