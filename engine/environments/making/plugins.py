"""Environments that installed packages bring: by entry points, or by registering them when they are imported.

Packages that were written for Gymnasium before 1.0 declare entry points of the group ``gymnasium.envs``, which it loads
no more. Loading them runs their code, and so is for worker processes alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from functools import cache
from importlib.metadata import EntryPoint, distribution, entry_points, packages_distributions
from importlib.util import find_spec
from pathlib import Path

from gymnasium.envs.registration import namespace

from engine.runtime.errors import is_interruption

_GROUP = "gymnasium.envs"
_WITHOUT_NAMESPACE = ("__root__", "__internal__")
_OURS = ("gymnasium", "policy-gradient-playground")
_MOST_FILES, _LONGEST = 3000, 1_000_000  # files of a package, and bytes of one, that are looked through


def are_declared() -> bool:
    """Whether any installed package declares environments."""
    return bool(_declarations())


@cache
def register_declared() -> None:
    """Have every installed package that declares environments register them, once; one that fails is left out."""
    for inside, declaration in _declarations():
        try:
            with nullcontext() if inside in _WITHOUT_NAMESPACE else namespace(inside):
                register = declaration.load()
                if callable(register):
                    register()
        except BaseException as error:
            if is_interruption(error):
                raise


def _declarations() -> list[tuple[str, EntryPoint]]:
    """Each with the namespace of its environments: its name, or what its group adds, as some have it."""
    declared = entry_points()
    return [
        (declaration.name if group == _GROUP else group.removeprefix(f"{_GROUP}."), declaration)
        for group in sorted(declared.groups)
        if group == _GROUP or group.startswith(f"{_GROUP}.")
        for declaration in declared.select(group=group)
    ]


def suggested(id: str) -> str | None:
    """``module:id`` where the source of an installed package that needs Gymnasium registers such an id, else None.

    Upper and lower case, and a version that is left out, make no difference. Nothing is imported.
    """
    wanted = re.compile(rf"""["']({re.escape(id)}(?:-v\d+)?)["']""", re.IGNORECASE)
    for module in _modules():
        for file in _sources(module):
            with suppress(OSError):
                text = file.read_text(encoding="utf-8", errors="replace") if file.stat().st_size < _LONGEST else ""
                found = wanted.findall(text) if "register" in text else []
                if found:
                    return f"{module}:{max(found)}"
    return None


def _modules() -> list[str]:
    """The top-level modules of installed packages that need Gymnasium."""
    return sorted(
        module
        for module, distributions in packages_distributions().items()
        if any(_needs_gymnasium(name) for name in distributions)
    )


@cache
def _needs_gymnasium(name: str) -> bool:
    if name.lower().replace("_", "-") in _OURS:
        return False
    with suppress(Exception):  # what is written of it cannot be read
        return any(re.match(r"gymnasium\b(?!-)", needed) for needed in distribution(name).requires or ())
    return False


def _sources(module: str) -> Iterator[Path]:
    """The files of a module's source."""
    spec = None
    with suppress(Exception):  # it is broken
        spec = find_spec(module)
    if spec is None:
        return
    folders = spec.submodule_search_locations
    if folders is None:
        yield from [Path(spec.origin)] if spec.origin and spec.origin.endswith(".py") else []
        return
    left = _MOST_FILES
    for folder in folders:
        for file in sorted(Path(folder).rglob("*.py"), key=lambda file: len(file.parts)):
            yield file
            left -= 1
            if left == 0:
                return
