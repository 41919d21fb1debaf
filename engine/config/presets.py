"""Presets: named configurations in TOML files, shipped or a person's own."""

from __future__ import annotations

import errno
import stat
import tomllib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import Field, ValidationError

from engine.config import RunConfig
from engine.config.bugs import without_none
from engine.config.fields import Model
from engine.config.migrations import VERSION, migrated
from engine.config.problems import ParameterError
from engine.config.validation import check_extent, problem_of
from engine.runtime.errors import RequestError
from engine.runtime.whole_file import write_whole

LONGEST_TITLE, LONGEST_SUMMARY = 80, 400  # characters
MEASURED = "Measured on two cores without a window; other computers take more or less."
LARGEST = 1_000_000  # bytes of a preset's file, which needs a thousand


class Preset(Model):
    """A configuration with the words to pick it by, and what was measured of it where that was done.

    ``reaches`` is the mean return of the last 100 episodes that it comes to, ``seconds`` about how long it trains for
    that on two cores, without a window.
    """

    title: str = Field(min_length=1, max_length=LONGEST_TITLE)
    summary: str = Field(default="", max_length=LONGEST_SUMMARY)
    reaches: float | None = None
    seconds: float | None = Field(default=None, gt=0.0)
    config: RunConfig

    @property
    def measured(self) -> str:
        """What it reaches and how long it trains for that, "trains to 200 in about 50 s"; empty where that was not
        measured."""
        if self.reaches is None:
            return ""
        known = f"reaches {self.reaches:.4g}"
        if self.seconds is not None:
            known = f"trains to {self.reaches:.4g} in about {_about(self.seconds)}"
        return known.replace("-", "−")


def _about(seconds: float) -> str:
    """A span of time in words, as exactly as two runs of the same length agree."""
    if seconds >= 5400:
        return f"{seconds / 3600:.0f} h"
    if seconds >= 90:
        return f"{seconds / 60:.0f} min"
    return f"{5 * round(seconds / 5) if seconds >= 20 else max(1, round(seconds))} s"


@cache
def shipped() -> Mapping[str, Preset]:
    """The presets that come with the program, by name, the default one first."""
    return {f.name.removesuffix(".toml").split("-", 1)[1]: parsed(f.read_text("utf-8"), f.name) for f in _files()}


@cache
def default() -> Preset:
    """The one with which the window opens, read alone so that it opens sooner."""
    first, *_ = _files()
    return parsed(first.read_text("utf-8"), first.name)


def _files() -> list[Traversable]:
    folder = resources.files("resources") / "presets"
    return sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)


def find(name: str) -> Preset:
    """The shipped preset of that name, or the one in the file of that path.

    Raises:
        RequestError: there is no such preset, or its file is broken.
    """
    presets = shipped()
    if name in presets:
        return presets[name]
    if name.endswith(".toml"):
        return load(Path(name))
    near = get_close_matches(name, presets, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(presets)}."
    raise RequestError(f"There is no preset {name or 'without a name'}; {hint}")


def load(path: Path) -> Preset:
    """The preset in a file.

    Raises:
        RequestError: the file cannot be read, is no TOML, or does not describe a preset.
    """
    try:
        text = read_text(path)
    except OSError as error:
        raise RequestError(f"The preset {path.name} could not be read: {error.strerror or error}.") from None
    return parsed(text, path.name)


def read_text(path: Path) -> str:
    """What stands in a file of a preset, or of something as small.

    Raises:
        OSError: it cannot be read, is no text, or is larger than any preset.
    """
    return _text(_content(path))


def _content(path: Path) -> bytes:
    """Of a file; what never ends, or waits for a writer, is none.

    Raises:
        OSError: it cannot be read, is no file, or is larger than any preset.
    """
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # of a folder the system says what it is
        raise OSError(errno.EINVAL, "it is no file")
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise OSError(errno.EFBIG, f"it is larger than {LARGEST // 1000:,} kB")
    return content


def _text(content: bytes) -> str:
    """UTF-8, with or without a byte order mark, and its lines as any system ends them.

    Raises:
        OSError: it is not.
    """
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        other = content.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
        why = "it is written in UTF-16; save it as UTF-8" if other else "it is not a text file"
        raise OSError(errno.EILSEQ, why) from None


def save(preset: Preset, path: Path) -> None:
    """Write a preset so that a crash or a full disk leaves the old file or the new one, never half of one.

    Raises:
        RequestError: the file cannot be written.
    """
    content = preset.model_dump(mode="json", exclude_none=True)
    text = tomli_w.dumps({"version": VERSION} | content | {"config": without_none(content["config"])})
    try:
        write_whole(path, text.encode("utf-8"))
    except OSError as error:
        raise RequestError(f"The preset could not be saved as {path.name}: {error.strerror or error}.") from None


def parsed(text: str, name: str) -> Preset:
    """The preset that the text of a file says, which is called ``name`` in what is wrong with it.

    Raises:
        RequestError: it is no TOML, or does not describe a preset.
    """
    content = tables(text, f"The preset {name}")
    try:
        check_extent(content)
        return Preset.model_validate(migrated(content))
    except ParameterError as error:
        raise ParameterError(error.problem, f"The preset {name} does not fit: ") from None
    except RequestError as error:
        raise RequestError(f"The preset {name} cannot be read: {error}") from None
    except ValidationError as error:
        raise ParameterError(problem_of(error, Preset), f"The preset {name} does not fit: ") from None


def tables(text: str, called: str) -> dict[str, Any]:
    """What TOML says; ``called`` is the subject of what is wrong with it.

    Raises:
        RequestError: it is no TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RequestError(f"{called} is not valid TOML: {error}.") from None
    except ValueError:  # Python's own limit
        raise RequestError(f"{called} cannot be read: a whole number in it has too many digits.") from None
    except RecursionError:
        raise RequestError(f"{called} cannot be read: it is nested too deeply.") from None
