"""Sweeps in TOML files, shipped or a person's own.

A file says ``title``, ``shows``, ``seeds``, ``design`` and ``points``; what all runs have in common as ``preset =
"NAME"`` or as a table ``[config]``, with single parameters beside in ``[set]``; and a table ``[[vary]]`` for each thing
that varies. Paths are those of ``train --set``, and ``algorithm`` names one as on the command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from engine.config import PolicyGradientConfig, own_presets
from engine.config.bugs import without_none
from engine.config.migrations import VERSION, migrated
from engine.config.presets import read_text, tables
from engine.config.problems import OPTIONS, ParameterError, Problem, shown
from engine.config.validation import check_extent, problem_of, validated
from engine.runs.sweeps.plan import with_settings
from engine.runs.sweeps.spec import Sweep
from engine.runtime.errors import RequestError
from engine.runtime.whole_file import write_whole

_BASE = ("preset", "config", "set")  # what says the configuration that all runs have in common
_KEYS = ("version", *_BASE, *(name for name in Sweep.model_fields if name != "config"))


@cache
def shipped() -> Mapping[str, Sweep]:
    """The experiments that come with the program, by name, in the order of their files."""
    folder = resources.files("resources") / "experiments"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return {f.name.removesuffix(".toml").split("-", 1)[1]: parsed(f.read_text("utf-8"), f.name) for f in files}


def named(name: str) -> Sweep:
    """The shipped experiment of that name, or what the file of that path says.

    Raises:
        RequestError: there is none, or its file does not describe one.
    """
    there = shipped()
    if name in there:
        return there[name]
    if name.endswith(".toml") or Path(name).is_file():
        return load(Path(name))
    near = get_close_matches(name, there, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}?" if near else f"name a TOML file, or one that ships: {', '.join(there)}."
    raise RequestError(f"There is no sweep {name or 'without a name'}; {hint}")


def load(path: Path) -> Sweep:
    """The sweep in a file.

    Raises:
        RequestError: the file cannot be read, is no TOML, or does not describe a sweep.
    """
    try:
        text = read_text(path)
    except OSError as error:
        raise RequestError(f"The sweep {path.name} could not be read: {error.strerror or error}.") from None
    return parsed(text, path.name, path.parent)


def parsed(text: str, name: str, folder: Path | None = None) -> Sweep:
    """The sweep that the text of a file says, which is called ``name`` in what is wrong with it; presets that are files
    are looked for from ``folder`` on.

    Raises:
        RequestError: it is no TOML, or does not describe a sweep.
    """
    content = tables(text, f"The sweep {name}")
    try:
        check_extent(content)
        for key in content:
            if key not in _KEYS:
                raise ParameterError(Problem(key, "unknown", key, _KEYS), "")
        migrated({"version": content.get("version", VERSION)})  # which has to be known, whatever it goes with
        rest = {key: value for key, value in content.items() if key not in ("version", *_BASE)}
        if isinstance(rest.get("vary"), list):
            rest["vary"] = [_with_paths(each) for each in rest["vary"]]
        return Sweep.model_validate(rest | {"config": _base(content, folder)})
    except ParameterError as error:
        raise ParameterError(error.problem, f"The sweep {name} does not fit: ") from None
    except RequestError as error:
        raise RequestError(f"The sweep {name} cannot be read: {error}") from None
    except ValidationError as error:
        raise RequestError(f"The sweep {name} does not fit: {_sentence(error)}") from None


def save(sweep: Sweep, path: Path) -> None:
    """Write a sweep so that a crash or a full disk leaves the old file or the new one, never half of one.

    Raises:
        RequestError: the file cannot be written, or TOML cannot say what varies.
    """
    try:
        write_whole(path, as_text(sweep).encode("utf-8"))
    except OSError as error:
        raise RequestError(f"The sweep could not be saved as {path.name}: {error.strerror or error}.") from None


def as_text(sweep: Sweep) -> str:
    """As it stands in a file.

    Raises:
        RequestError: TOML cannot say what varies.
    """
    content = sweep.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    config = sweep.config.model_dump(mode="json", exclude_none=True)
    ordered = {key: value for key, value in content.items() if key not in ("config", "vary")}
    varied = {"vary": content["vary"]} if "vary" in content else {}
    try:
        return tomli_w.dumps({"version": VERSION, **ordered, **varied, "config": without_none(config)})
    except TypeError:
        raise RequestError("A value that varies is empty, which a TOML file cannot say; leave that one out.") from None


def _base(content: Mapping[str, Any], folder: Path | None) -> Any:
    """The configuration that all runs have in common."""
    preset, config = content.get("preset"), content.get("config")
    if preset is not None and config is not None:
        raise RequestError("it says both preset and [config]; keep the one that is meant.")
    if preset is not None:
        if not isinstance(preset, str):
            raise ParameterError(Problem("preset", "type", preset, "a text"))
        beside = folder / preset if folder is not None and preset.endswith(".toml") else None
        found = own_presets.named(str(beside) if beside is not None and beside.exists() else preset).config
    elif config is not None:
        found = validated(migrated({"version": content.get("version", VERSION), "config": config})["config"])
    else:
        found = PolicyGradientConfig()
    values = content.get("set", {})
    if not isinstance(values, dict):
        raise ParameterError(Problem("set", "type", values, "names with values"))
    return with_settings(found, flat(values))


def flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """By dotted path what a table says, whose dots TOML takes for tables within it where they are not quoted."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        path = f"{before}{name}"
        if isinstance(value, Mapping) and not path.startswith(f"{OPTIONS}."):
            found |= flat(value, f"{path}.")
        else:
            found[path] = value
    return found


def _with_paths(varied: Any) -> Any:
    """An entry of ``vary`` with its settings' values by path."""
    if not isinstance(varied, dict) or not isinstance(varied.get("settings"), list):
        return varied
    return {**varied, "settings": [_setting_with_paths(each) for each in varied["settings"]]}


def _setting_with_paths(setting: Any) -> Any:
    if not isinstance(setting, dict) or not isinstance(setting.get("set"), dict):
        return setting
    return {**setting, "set": flat(setting["set"])}


def _sentence(error: ValidationError) -> str:
    """What is wrong first; what varies is told of by its place, counted from 1."""
    first = error.errors(include_url=False)[0]
    where = first["loc"]
    if where[:1] == ("vary",) and len(where) > 1 and isinstance(where[1], int):
        what = f"the {_ordinal(where[1] + 1)} [[vary]]"
        if first["type"] == "value_error":
            return f"{what} should be one that {first['msg'].removeprefix('Value error, ')}."
        inner = ".".join(str(part) for part in where[2:])
        if not inner:
            return f"{what} should be a table of path, title, values and the like, not {shown(first['input'])}."
        if first["type"] == "missing":
            return f"{what} lacks {inner}."
        if first["type"] == "extra_forbidden":
            return f"{what} has no {inner}; a [[vary]] says path, title, values, low, high, count, scale or settings."
        return (
            f"{what} does not fit in {inner}: {first['msg'][0].lower()}{first['msg'][1:]}, not {shown(first['input'])}."
        )
    if where[:1] == ("seeds",):
        return (
            f"seeds cannot be {shown(first['input'])}: it should be a whole number from 1 to 1000, or a list of such."
        )
    return str(ParameterError(problem_of(error, Sweep)))


def _ordinal(number: int) -> str:
    return {1: "1st", 2: "2nd", 3: "3rd"}.get(number, f"{number}th")
