"""Whatever file a person names as a dataset or as a teacher: where it is none, one clear sentence says so."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from engine.config import RunConfig
from engine.config.parameters import with_values
from engine.experience.demonstration_file import to_bytes
from engine.runs.giving import given_for, shipped
from engine.runtime.errors import RequestError
from engine.training.checkpoint import to_bytes as state_as_bytes
from tests.engine.algorithms.imitating import imitating
from tests.engine.runs.test_recordings import played

A_DATASET = to_bytes(played(3))
ZEROS = np.zeros(3, np.float32)
CONTENTS = {
    "text": b"root:x:0:0:root:/root:/bin/bash\n",
    "empty": b"",
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    "zeros": bytes(64),
    "json": b'{"config": {}}',
    "other tensors": save({"a": ZEROS}),
    "other texts": save({"a": ZEROS}, {"demonstrations": "nonsense", "format": "nonsense"}),
    "cut off": A_DATASET[:-3],
    "changed": A_DATASET[:-1] + bytes([A_DATASET[-1] ^ 1]),
    "checkpoint": state_as_bytes({"config": {}}),
}
CODE = ("Error", "Exception", "Traceback", "JSON", "codec", "char ", "__metadata__", "0x", "header")


def asks(name: str) -> RunConfig:
    return imitating("dagger", "CartPole-v1", imitation__teacher=name)


def clones(name: str) -> RunConfig:
    return with_values(imitating("behavioural-cloning", "CartPole-v1"), {"imitation.dataset": name})


@pytest.mark.parametrize("wanted", [clones, asks])
@pytest.mark.parametrize(
    "content", [*CONTENTS, "the other", "folder", "pipe", "nowhere", "forbidden name", "long name"]
)
def test_what_is_no_such_file_is_told_in_one_sentence(
    content: str, wanted: Callable[[str], RunConfig], tmp_path: Path
) -> None:
    path = tmp_path / "named.safetensors"
    if content == "folder":
        path.mkdir()
    elif content == "pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("there are no pipes")
        os.mkfifo(path)
    elif content == "the other":
        path.write_bytes(A_DATASET if wanted is asks else shipped("teachers")["cartpole"].read_bytes())
    elif content == "forbidden name":
        path = Path("a\x00b.named")
    elif content == "long name":
        path = tmp_path / f"named{'x' * 300}"
    elif content != "nowhere":
        path.write_bytes(CONTENTS[content])
    with pytest.raises(RequestError) as refused:
        given_for(wanted(str(path)), None)
    sentence = str(refused.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert "named" in sentence
    assert not [word for word in CODE if word in sentence.replace(str(tmp_path), "")], sentence
