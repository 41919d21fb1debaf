"""Every number that an object of the engine's holds, however deep, by the way to it."""

from __future__ import annotations

import hashlib
import types
from collections import deque
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import nn

Leaves = dict[str, str]


def leaves(root: object) -> Leaves:
    """A fingerprint of every leaf below ``root`` (tensor, array, generator, number, text), by the way to it, as
    "Learner.policy Policy.head …"; objects of other packages are not looked into. An object that stands in several
    places is found at the first."""
    return dict(_walk(root, "", set()))


def _walk(value: Any, path: str, seen: set[int]) -> Iterator[tuple[str, str]]:
    if value is None or isinstance(value, bool | int | float | str | bytes | np.generic):
        yield path, repr(value)
        return
    if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType | types.ModuleType) or id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, types.MethodType):
        yield from _walk(value.__self__, path, seen)
    elif isinstance(value, torch.Tensor):
        yield path, _hashed(value.detach().cpu().contiguous().numpy())
    elif isinstance(value, np.ndarray):
        yield path, _hashed(value)
    elif isinstance(value, torch.Generator):
        yield path, _hashed(value.get_state().numpy())
    elif isinstance(value, np.random.Generator):
        yield path, repr(value.bit_generator.state)
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from _walk(each, f"{path}[{name!r}]", seen)
    elif isinstance(value, list | tuple | deque | set | frozenset):
        for index, each in enumerate(value):
            yield from _walk(each, f"{path}[{index}]", seen)
    elif type(value).__module__.startswith("engine.") or isinstance(value, nn.Module):
        for name, each in _attributes(value).items():
            yield from _walk(each, f"{path} {type(value).__name__}.{name}", seen)


def _attributes(value: object) -> dict[str, Any]:
    slots = {name: getattr(value, name) for name in _slots(type(value)) if hasattr(value, name)}
    return dict(getattr(value, "__dict__", {})) | slots


@cache
def _slots(kind: type) -> tuple[str, ...]:
    return tuple(name for each in kind.__mro__ for name in getattr(each, "__slots__", ()))


def _hashed(array: np.ndarray[Any, Any]) -> str:
    content = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]
    return f"{array.dtype}{array.shape} {content}"
