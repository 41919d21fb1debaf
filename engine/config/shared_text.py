"""A configuration as a text that fits into a link or a message, and back.

``playground:3:`` and a word of letters, digits, ``-`` and ``_``: base64url of a checksum (CRC-32, 4 bytes, of the JSON
beneath) and of the whole configuration as JSON, deflated with the words of its form known beforehand. The number is
that form, of which earlier ones are read as well; the JSON says, as saved configurations do, of which version of the
program it is.
"""

from __future__ import annotations

import binascii
import json
import re
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode

from engine.config import RunConfig
from engine.config.bugs import without_none
from engine.config.migrations import VERSION, migrated
from engine.config.problems import ParameterError
from engine.config.shared_words import BY_FORM
from engine.config.validation import check_extent, validated
from engine.runtime.errors import RequestError

SCHEME = "playground"
FORM = max(BY_FORM)  # of what is written
_LARGEST = 100_000  # bytes of JSON, of which the largest configuration needs a tenth
_LONGEST = 20_000  # characters of a text
_RAW = -zlib.MAX_WBITS  # deflate without a header of its own
_TEXT = re.compile(rf"\b{SCHEME}:(\d{{1,9}}):([A-Za-z0-9_-]+)")
_BROKEN = "This text of a configuration is damaged or incomplete; copy it again, whole."


def to_text(config: RunConfig) -> str:
    """``config`` as a text, "playground:3:…", mostly of less than a hundred characters."""
    saved = {"version": VERSION, "config": without_none(config.model_dump(mode="json"))}
    content = json.dumps(saved, separators=(",", ":"), ensure_ascii=False).encode()
    deflating = zlib.compressobj(9, wbits=_RAW, memLevel=9, zdict=BY_FORM[FORM])
    packed = _checksum(content) + deflating.compress(content) + deflating.flush()
    return f"{SCHEME}:{FORM}:{urlsafe_b64encode(packed).decode().rstrip('=')}"


def found_in(text: str) -> str | None:
    """The text of a configuration that stands somewhere in ``text``, such as a message or a script; None where there
    is none. A mail program may have broken it into several lines, where there is nothing else."""
    whole = "".join(line.lstrip("> \t") for line in text.split()) if len(text) <= _LONGEST else ""
    match = _TEXT.fullmatch(whole) or _TEXT.search(text)
    return match[0] if match else None


def from_text(text: str) -> RunConfig:
    """The configuration that ``to_text`` was given, in the words of the present version.

    Raises:
        RequestError: this is no such text, a damaged one, or one of a later version.
        ParameterError: what it says does not fit.
    """
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        raise RequestError(f"A configuration's text begins with {SCHEME}:{FORM}: and holds no spaces.")
    form = int(match[1])
    if form not in BY_FORM:
        raise RequestError(
            f"This text of a configuration has the form {form}, and this program reads none beyond {FORM}; update the "
            "program."
        )
    saved = _content(match[2], BY_FORM[form])
    try:
        check_extent(saved)
        return validated(migrated(saved)["config"])
    except ParameterError as error:
        raise ParameterError(error.problem, "The text's configuration does not fit: ") from None
    except RequestError as error:
        raise RequestError(f"The text of a configuration cannot be read: {error}") from None


def _content(word: str, words: bytes) -> dict[str, object]:
    """What a text holds, as plain data.

    Raises:
        RequestError: it is damaged.
    """
    if len(word) > _LONGEST:
        raise RequestError(_BROKEN)
    try:
        packed = urlsafe_b64decode(word + "=" * (-len(word) % 4))
        inflating = zlib.decompressobj(wbits=_RAW, zdict=words)
        content = inflating.decompress(packed[4:], _LARGEST)
        whole = inflating.eof and not inflating.unused_data and packed[:4] == _checksum(content)
        saved = json.loads(content) if whole else None
    except (binascii.Error, zlib.error, ValueError, RecursionError):
        saved = None
    if not isinstance(saved, dict) or "config" not in saved:
        raise RequestError(_BROKEN)
    return saved


def _checksum(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(4, "big")
