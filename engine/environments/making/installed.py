"""What is registered with Gymnasium, here or by installed packages, besides what the catalogue describes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import gymnasium

from engine.catalogue.environments import ENVIRONMENTS, FAMILIES
from engine.environments.making import (
    plugins,
    registry,  # noqa: F401  (registers our own)
)
from engine.environments.making.in_worker import Answer, Question, ask_in_worker
from engine.runtime.errors import RequestError

_ADAPTERS = ("GymV21Environment", "GymV26Environment")  # these wrap others, and are nothing by themselves
_NAMESPACES = ("phys2d", "tabular")  # the same problems again, for JAX


class Registered(NamedTuple):
    """Ids in their newest versions, sorted, and why some may be missing; empty where none are."""

    ids: tuple[str, ...]
    problem: str = ""


class _Entry(NamedTuple):
    """What counts of a ``gymnasium.envs.registration.EnvSpec``."""

    id: str
    entry_point: str


def other_registered_ids() -> Registered:
    """What Gymnasium has that the catalogue lacks, and what installed packages declare, asked in a worker process."""
    entries, problem = _entries(), ""
    if plugins.are_declared():
        question = Question("What installed packages declare", "What installed packages declare could not be listed")
        try:
            entries += [_Entry(*pair) for pair in ask_in_worker(question, _declared)]
        except RequestError as error:
            problem = str(error)
    newest: dict[str, tuple[int, _Entry]] = {}
    for entry in entries:
        version = _version(entry.id)
        known = newest.get(_family(entry.id))
        if known is None or known[0] < version:
            newest[_family(entry.id)] = version, entry
    described = {_family(id) for id in ENVIRONMENTS}
    ids = (entry.id for family, (_, entry) in newest.items() if family not in described and not _left_out(entry))
    return Registered(tuple(sorted(ids)), problem)


def _entries() -> list[_Entry]:
    return [_Entry(spec.id, str(spec.entry_point)) for spec in tuple(gymnasium.registry.values())]


def _declared(_doing: Callable[[str], None]) -> Answer:
    plugins.register_declared()
    return Answer([tuple(entry) for entry in _entries()], lambda: None)


def _version(id: str) -> int:
    found = re.search(r"-v(\d+)$", id)
    return int(found[1]) if found else 0


def _family(id: str) -> str:
    """An id without its version."""
    return re.sub(r"-v\d+$", "", id)


def _left_out(entry: _Entry) -> bool:
    space, _, name = entry.id.rpartition("/")
    return _family(name) in _ADAPTERS or space in _NAMESPACES or _has_another_id(entry)


def _has_another_id(entry: _Entry) -> bool:
    """Whether its package registers it several times, as ale_py does each game, and this is not the id to use."""
    makings = (family.making for family in FAMILIES.values() if family.making is not None)
    return any(
        entry.entry_point.startswith(making.package) and not entry.id.startswith(making.prefixes) for making in makings
    )
