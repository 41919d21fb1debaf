"""Files of tensors (safetensors) that say in their metadata what they hold, sealed by a digest of all their bytes, so
that one with a single bit changed is known to be broken.

What such a file says of itself is JSON, as the text of one name in the metadata, which are JSON themselves. The digest
stands in it: ``"digest": "…"``, 64 hexadecimal digits, SHA-256 of the whole file with 64 zeros in their place.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

UNSEALED = "0" * 64
"""What stands for a digest that is still to come."""
_MARK = rb"\"digest\": \""  # what stands before it in the file


def sealed(data: bytes) -> bytes:
    """A file with the right digest in the place of the one that it has.

    Raises:
        ValueError: it has none.
    """
    begin, end = _digest_at(data)
    return b"".join((data[:begin], _digest(data).encode(), data[end:]))


def check_seal(data: bytes, digest: Any) -> None:
    """Raises ValueError where ``data`` are not those that ``digest`` was made of."""
    begin, end = _digest_at(data)
    if not isinstance(digest, str) or not data[begin:end] == digest.encode() == _digest(data).encode():
        raise ValueError("its content is not what was written")


def said(data: bytes, name: str) -> Any:
    """What a file says of itself under ``name``: the text that stands at its head, whose length its first 8 bytes say.

    Raises:
        KeyError, TypeError, ValueError, RecursionError: it says nothing, or this is no such file.
    """
    length = int.from_bytes(data[:8], "little")
    return json.loads(json.loads(data[8 : 8 + length])["__metadata__"][name])


def _digest_at(data: bytes) -> tuple[int, int]:
    """Where in the file its digest stands."""
    begin = data.index(_MARK) + len(_MARK)
    return begin, begin + len(UNSEALED)


def _digest(data: bytes) -> str:
    """Of all bytes, zeros for those of the digest itself."""
    begin, end = _digest_at(data)
    whole, view = hashlib.sha256(), memoryview(data)
    for part in (view[:begin], UNSEALED.encode(), view[end:]):
        whole.update(part)
    return whole.hexdigest()
