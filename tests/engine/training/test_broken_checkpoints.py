"""Bytes that are no checkpoint, and checkpoints of nothing: all are refused in a sentence."""

from __future__ import annotations

import json
import random
import struct
from typing import Any

import numpy as np
import pytest
import torch

from engine.runtime.errors import RequestError
from engine.runtime.sealed import sealed
from engine.training.checkpoint import FORMAT, WITHOUT_DIGEST, from_bytes, to_bytes
from engine.training.training import Training, resumed
from tests.each import each
from tests.engine.support import configured
from tests.engine.training.going_on import reports


def test_paths_that_look_alike_are_told_apart() -> None:
    found = from_bytes(to_bytes({"one/two": {"three": torch.ones(1)}, "one": {"two": {"three": torch.zeros(2)}}}))
    assert found["one/two"]["three"].tolist() == [1.0]
    assert found["one"]["two"]["three"].tolist() == [0.0, 0.0]


DIGEST = f'"digest": "{"0" * 64}"'


# --- bytes that are no checkpoint -------------------------------------------------------------------------------------


def refused(data: bytes) -> str:
    with pytest.raises(RequestError) as raised:
        from_bytes(data)
    sentence = str(raised.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert len(sentence) < 400
    return sentence


def with_text(text: str, data: bytes | None = None) -> bytes:
    """A checkpoint whose JSON is replaced, with a digest that is right where it has room for one."""
    data = to_bytes({"some": torch.ones(2)}) if data is None else data
    length = int.from_bytes(data[:8], "little")
    head = json.loads(data[8 : 8 + length])
    head["__metadata__"]["checkpoint"] = text
    written = json.dumps(head).encode()
    written += b" " * (-len(written) % 8)
    made = struct.pack("<Q", len(written)) + written + data[8 + length :]
    return sealed(made) if DIGEST in text else made


def test_a_checkpoint_cut_off_anywhere_is_refused() -> None:
    data = to_bytes({"some": torch.arange(5.0), "other": 3})
    for length in range(len(data)):
        refused(data[:length])


def test_a_checkpoint_with_any_bit_changed_is_refused() -> None:
    data = to_bytes({"some": torch.arange(5.0), "arrays": [np.zeros(2)], "other": 3})
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        refused(bytes(changed))
        changed[place] = data[place] ^ 1 << (place + 3) % 8
        refused(bytes(changed))


def test_a_checkpoint_without_a_digest_is_read_where_its_format_has_none() -> None:
    state = {"some": torch.arange(5.0), "other": 3}
    text = '{"format":FORMAT,"state":{"some":{"$tensor":"/some"},"other":3}}'
    found = from_bytes(with_text(text.replace("FORMAT", str(WITHOUT_DIGEST)), to_bytes(state)))
    assert found["some"].tolist() == state["some"].tolist()
    refused(with_text(text.replace("FORMAT", str(FORMAT)), to_bytes(state)))


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 8, b"\xff" * 64, b"{}", struct.pack("<Q", 2**62) + b"{}", b"x" * 10**6, b"PK\3\4", b"\x80\4]"]
)
def test_what_is_no_checkpoint_at_all_is_refused(data: bytes) -> None:
    assert refused(data).startswith("This is no checkpoint of a run, or a broken one")


@each(
    "text",
    [
        "",
        "null",
        "5",
        "[]",
        "{}",
        '{"format":FORMAT}',
        '{"format":FORMAT,"state":[]}',
        '{"format":FORMAT,"state":null}',
        '{"format":FORMAT,"state":{"$tensor":"some"}}',
        '{"format":FORMAT,"state":{"a":{"$tensor":"nowhere"}}}',
        '{"format":FORMAT,"state":{"a":{"$array":["some"]}}}',
        '{"format":FORMAT,"state":{"a":{"$array":{"$array":"some"}}}}',
        '{"format":FORMAT,"state":' + '{"a":' * 50_000 + "1" + "}" * 50_001,
        '{"format":FORMAT,"state":{"a":' + "9" * 10_000 + "}}",
    ],
    ids=range(14),
)
@each("format", [str(WITHOUT_DIGEST), f"{FORMAT}, {DIGEST}"], ids=["without a digest", "with one"])
def test_what_a_checkpoint_says_of_itself_may_be_anything(text: str, format: str) -> None:
    assert "content is not what was written" not in refused(with_text(text.replace("FORMAT", format)))


@pytest.mark.parametrize("version", [str(FORMAT + 1), "1", f'"{FORMAT}"', "null", "[1]"])
def test_a_checkpoint_of_another_format_is_refused(version: str) -> None:
    told = refused(with_text(f'{{"format":{version},"state":{{}}}}'))
    assert "has the format" in told
    assert ("update the program" in told) == (version == str(FORMAT + 1))


# --- checkpoints of something else ------------------------------------------------------------------------------------


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, each in inside for place in places(each, (*path, name)))]


def test_a_state_that_fits_no_run_is_refused_in_a_sentence() -> None:
    training = Training(configured(environment__observation_noise=0.1, environment__time_limit=20))
    reports(training, 1)
    written, chance = to_bytes(training.state()), random.Random(4)
    for place in places(training.state())[1:]:
        state = from_bytes(written)
        inside = state
        for name in place[:-1]:
            inside = inside[name]
        junk: Any = chance.choice([None, -1, "x", [], {}, {"a": 1}, np.zeros(2)])
        if junk is None:
            del inside[place[-1]]
        else:
            inside[place[-1]] = junk
        sentence = ""
        try:
            resumed(state).close()
        except RequestError as error:
            sentence = str(error)
        assert "\n" not in sentence
