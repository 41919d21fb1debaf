"""Checkpoints: what a state may hold comes back as it was, and what is none is refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save

from engine.runtime.errors import RequestError
from engine.training.checkpoint import FORMAT, WITHOUT_DIGEST, from_bytes, to_bytes

TENSORS: dict[str, torch.Tensor] = {
    "scalar": torch.tensor(0.1),
    "empty": torch.zeros(0, 3),
    "bytes": torch.arange(5, dtype=torch.uint8),
    "turned": torch.arange(6.0).view(2, 3).t(),
    "double": torch.tensor([1e300, float("nan"), float("inf")], dtype=torch.float64),
}
ARRAYS: dict[str, Any] = {
    "switches": np.array([True, False]),
    "words": np.array([2**64 - 1, 0], np.uint64),
    "turned": np.arange(6, dtype=np.int64).reshape(2, 3).T,
    "scalar": np.array(3.5, np.float32),
}
PLAIN = {"huge": 2**200, "exact": 0.1, "text": "γ", "no": None, "yes": True, "list": [1, [2.0, "three"], {"of": []}]}


def test_what_a_state_holds_comes_back_as_it_was() -> None:
    found = from_bytes(to_bytes({"tensors": TENSORS, "arrays": [ARRAYS, PLAIN], "plain": PLAIN}))
    for name, tensor in TENSORS.items():
        back = found["tensors"][name]
        assert (back.dtype, back.shape) == (tensor.dtype, tensor.shape)
        assert torch.equal(back.nan_to_num(), tensor.nan_to_num())
    for name, array in ARRAYS.items():
        back = found["arrays"][0][name]
        assert isinstance(back, np.ndarray)
        assert (back.dtype, back.shape) == (array.dtype, array.shape)
        assert np.array_equal(back, array)
    assert found["arrays"][1] == found["plain"] == PLAIN


def test_two_parts_that_share_memory_come_back_apart() -> None:
    shared = torch.zeros(4)
    found = from_bytes(to_bytes({"one": shared, "view": shared[:2]}))
    found["one"].fill_(1.0)
    assert found["view"].tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (object(), "no plain data"),
        ({1: "one"}, "no name"),
        ({"$tensor": "a/b"}, "no name"),
        (np.array([object()]), "array of object"),
        (np.array(["text"]), "array of"),
    ],
    ids=["an object", "a key that is no text", "a key that is taken", "objects", "texts"],
)
def test_what_is_no_plain_data_is_refused(part: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        to_bytes({"part": part})


def checkpoint(text: str) -> bytes:
    return save({}, {"checkpoint": text})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nothing of the kind",
        to_bytes({"a": torch.zeros(9)})[:-4],
        save({"a": torch.zeros(1)}),
        checkpoint("{"),
        checkpoint(json.dumps({"state": {}})),
        checkpoint(json.dumps({"format": WITHOUT_DIGEST, "state": {"a": {"$tensor": "/a"}}})),
    ],
    ids=["empty", "text", "cut short", "other tensors", "no JSON", "no format", "a tensor missing"],
)
def test_what_is_no_checkpoint_is_refused_in_a_sentence(data: bytes) -> None:
    with pytest.raises(RequestError, match=r"^This is no checkpoint of a run, or a broken one: .*\.$"):
        from_bytes(data)


def test_a_checkpoint_of_a_later_version_is_refused() -> None:
    with pytest.raises(RequestError, match=f"has the format {FORMAT + 1}, and this program reads {FORMAT}"):
        from_bytes(checkpoint(json.dumps({"format": FORMAT + 1, "state": {}})))
