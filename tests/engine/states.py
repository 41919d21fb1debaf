"""States as a checkpoint would hold them, and the arrays that anything holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn


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


def held(something: Any) -> Iterator[Any]:
    """Every tensor and every array of numpy's in it."""
    if isinstance(something, Tensor | np.ndarray):
        yield something
    elif isinstance(something, nn.Module):
        yield from something.state_dict().values()
    elif isinstance(something, Mapping):
        for each in something.values():
            yield from held(each)
    elif isinstance(something, list | tuple):
        for each in something:
            yield from held(each)
    elif is_dataclass(something):
        for each in fields(something):
            yield from held(getattr(something, each.name))
