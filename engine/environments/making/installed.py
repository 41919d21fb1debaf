"""What is registered with Gymnasium besides what the catalogue describes."""

from __future__ import annotations

import re

import gymnasium
from gymnasium.envs.registration import EnvSpec

from engine.catalogue.environments import ENVIRONMENTS, FAMILIES
from engine.environments.making import registry  # noqa: F401  (registers our own)

_ADAPTERS = ("GymV21Environment", "GymV26Environment")  # these wrap others, and are nothing by themselves
_NAMESPACES = ("phys2d", "tabular")  # the same problems again, for JAX


def other_registered_ids() -> tuple[str, ...]:
    """The ids that installed packages have registered and the catalogue lacks, in their newest versions, sorted."""
    newest: dict[tuple[str | None, str], EnvSpec] = {}
    for spec in tuple(gymnasium.registry.values()):  # another thread may register meanwhile
        known = newest.get((spec.namespace, spec.name))
        if known is None or (known.version or 0) < (spec.version or 0):
            newest[spec.namespace, spec.name] = spec
    described = {_family(id) for id in ENVIRONMENTS}
    return tuple(
        sorted(spec.id for spec in newest.values() if _family(spec.id) not in described and not _left_out(spec))
    )


def _family(id: str) -> str:
    """An id without its version."""
    return re.sub(r"-v\d+$", "", id)


def _left_out(spec: EnvSpec) -> bool:
    return spec.name in _ADAPTERS or spec.namespace in _NAMESPACES or _has_another_id(spec)


def _has_another_id(spec: EnvSpec) -> bool:
    """Whether its package registers it several times, as ale_py does each game, and this is not the id to use."""
    makings = (family.making for family in FAMILIES.values() if family.making is not None)
    return any(
        str(spec.entry_point).startswith(making.package) and not spec.id.startswith(making.prefixes)
        for making in makings
    )
