"""What is registered with Gymnasium besides what the catalogue describes."""

from __future__ import annotations

import re

import gymnasium
from gymnasium.envs.registration import EnvSpec

from engine.catalogue.environments import ENVIRONMENTS
from engine.environments.making import registry  # noqa: F401  (registers our own)

_ADAPTERS = ("GymV21Environment", "GymV26Environment")  # these wrap others, and are nothing by themselves
_NAMESPACES = ("phys2d", "tabular")  # the same problems again, for JAX
_GAMES = "ale_py"  # registers each game several times; those under ALE/ are the ones to use


def registered_besides() -> tuple[str, ...]:
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
    old_game = str(spec.entry_point).startswith(_GAMES) and spec.namespace is None
    return spec.name in _ADAPTERS or spec.namespace in _NAMESPACES or old_game
