"""The state of a run as bytes, and back: safetensors for tensors and arrays, JSON for the rest, never pickle.

The bytes are one safetensors file. Its metadata hold, as JSON, the state's own shape, in which every tensor and array
is a reference to one of the file's tensors, and a digest (``engine.runtime.sealed``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from engine.runtime.errors import RequestError
from engine.runtime.sealed import UNSEALED, check_seal, reason_of, said, sealed
from engine.runtime.state import State

FORMAT = 3  # raised when states can no longer be read as they were
WITHOUT_DIGEST = 2  # the format before, the same but for its digest
_TENSOR, _ARRAY = "$tensor", "$array"  # a reference has one of these for its only key
_BROKEN = "This is no checkpoint of a run, or a broken one"


def to_bytes(state: State) -> bytes:
    """``state`` as bytes.

    Raises:
        TypeError: something in it is not plain data.
    """
    tensors: dict[str, Tensor] = {}
    shape = _shape(state, tensors, "")
    head = {"format": FORMAT, "digest": UNSEALED, "state": shape}
    return sealed(save(tensors, {"checkpoint": json.dumps(head, ensure_ascii=False)}))


def from_bytes(data: bytes) -> State:
    """The state that ``to_bytes`` was given, on the CPU.

    Raises:
        RequestError: these bytes are no checkpoint, a broken one, or from another version of this program.
    """
    try:
        found = said(data, "checkpoint")
        tensors = load(data)
        version = found["format"]
        known = version in (FORMAT, WITHOUT_DIGEST)
        if version == FORMAT or "digest" in found:
            check_seal(data, found["digest"])
        state: State = _filled(found["state"], tensors) if known else {}
        if not isinstance(state, dict):
            raise TypeError("what it holds has no names")
    except (SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise RequestError(f"{_BROKEN}: {reason_of(error)}.") from None
    if not known:
        later = type(version) is int and version > FORMAT
        wish = "update the program" if later else "go on from it with the version that made it"
        raise RequestError(f"This checkpoint has the format {version}, and this program reads {FORMAT}; {wish}.")
    return state


def _shape(value: Any, tensors: dict[str, Tensor], path: str) -> Any:
    """``value`` as JSON can say it, its tensors put into ``tensors`` under the paths at which they were."""
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str) or name in (_TENSOR, _ARRAY):
                raise TypeError(f"{path or 'a state'} has the key {name!r}, which is no name.")
        return {name: _shape(each, tensors, f"{path}/{name}") for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_shape(each, tensors, f"{path}/{index}") for index, each in enumerate(value)]
    if isinstance(value, Tensor):
        return {_TENSOR: _put(value.detach().to("cpu", copy=True).contiguous(), tensors, path)}
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biuf":
            raise TypeError(f"{path} is an array of {value.dtype}, which has no place in a checkpoint.")
        return {_ARRAY: _put(torch.from_numpy(np.array(value, order="C")), tensors, path)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{path} is a {type(value).__name__}, which is no plain data.")


def _put(tensor: Tensor, tensors: dict[str, Tensor], path: str) -> str:
    """The name under which ``tensor`` is put; names that hold slashes can lead to the same path."""
    while path in tensors:
        path += "'"
    tensors[path] = tensor
    return path


def _filled(shape: Any, tensors: Mapping[str, Tensor]) -> Any:
    """What ``_shape`` was given."""
    if isinstance(shape, dict):
        if shape.keys() == {_TENSOR}:
            return tensors[shape[_TENSOR]]
        if shape.keys() == {_ARRAY}:
            return tensors[shape[_ARRAY]].numpy()
        return {name: _filled(each, tensors) for name, each in shape.items()}
    return [_filled(each, tensors) for each in shape] if isinstance(shape, list) else shape
