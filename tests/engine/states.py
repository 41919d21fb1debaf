"""States as a checkpoint would hold them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor


def as_data(state: Any) -> Any:
    """A copy, once it is seen to be made of nothing but plain data."""
    if isinstance(state, Mapping):
        assert all(type(name) is str for name in state)
        return {name: as_data(value) for name, value in state.items()}
    if isinstance(state, list):
        return [as_data(value) for value in state]
    if isinstance(state, Tensor):
        return state.clone()
    if isinstance(state, np.ndarray):
        assert state.dtype.kind in "biuf"
        return state.copy()
    assert state is None or type(state) in (int, float, str, bool)
    return state
