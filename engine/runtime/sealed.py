"""Files of tensors (safetensors) that say in their metadata what they hold, sealed by a digest of all their bytes, so
that one with a single bit changed is known to be broken.

What such a file says of itself is JSON, as the text of one name in the metadata, which are JSON themselves. The digest
stands in it: ``"digest": "…"``, 64 hexadecimal digits, SHA-256 of the whole file with 64 zeros in their place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from safetensors import SafetensorError

from engine.runtime.errors import describe, shortened

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
        TypeError, ValueError, RecursionError: it says nothing, or this is no such file.
    """
    texts = texts_in(data)
    if name not in texts:
        raise ValueError(f"it holds no {name}")
    try:
        return json.loads(texts[name])
    except json.JSONDecodeError:
        raise ValueError(f"what it says of its {name} cannot be read") from None


def texts_in(data: bytes) -> Mapping[str, str]:
    """The texts at the head of a safetensors file, by name.

    Raises:
        ValueError: this is no such file, or one without texts.
    """
    length = int.from_bytes(data[:8], "little")
    try:
        if not 0 < length <= len(data) - 8:
            raise ValueError
        head = json.loads(data[8 : 8 + length])
    except (ValueError, RecursionError):
        raise ValueError("it does not begin as a safetensors file does") from None
    texts = head.get("__metadata__", {}) if isinstance(head, dict) else None
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise ValueError("what it says of itself is no text")
    return texts


def reason_of(error: Exception) -> str:
    """What is wrong with a file, as the end of a sentence."""
    if isinstance(error, SafetensorError):
        return "its numbers are not as its head says"
    if type(error) in (ValueError, TypeError):
        return shortened(" ".join(str(error).split()).rstrip("."))
    return f"it does not say {error.args[0]!r:.40}" if isinstance(error, KeyError) else describe(error)


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
