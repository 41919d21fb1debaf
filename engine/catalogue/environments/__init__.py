"""The environments that the program knows by name, family by family, in the order in which they are shown.

Every module in this folder is a family and holds its record, ``FAMILY``; being there is enough to be found.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules

from engine.catalogue.family import Extra, Family, Making
from engine.catalogue.spaces import EnvironmentInfo


def in_order(families: Iterable[Family]) -> dict[str, Family]:
    """By name.

    Raises:
        ValueError: two have the same name, the same place, or an environment of the same id.
    """
    found = sorted(families, key=lambda family: family.order)
    ids = [info.id for family in found for info in family.environments]
    for what, taken in (
        ("name", [family.name for family in found]),
        ("order", [family.order for family in found]),
        ("id", ids),
    ):
        if len(set(taken)) < len(taken):
            raise ValueError(f"Two families of environments have the same {what} among {taken}.")
    return {family.name: family for family in found}


FAMILIES: dict[str, Family] = in_order(
    import_module(f"{__name__}.{module.name}").FAMILY for module in iter_modules(__path__)
)

ENVIRONMENTS: dict[str, EnvironmentInfo] = {
    info.id: replace(info, family=family.name) for family in FAMILIES.values() for info in family.environments
}

EXTRAS: dict[str, Extra] = {name: family.extra for name, family in FAMILIES.items() if family.extra is not None}


def making_of(id: str) -> Making | None:
    """How the family with such ids is made; an id may have the module before it that registers it."""
    name = id.rpartition(":")[2]
    found = (family.making for family in FAMILIES.values())
    return next((making for making in found if making is not None and name.startswith(making.prefixes)), None)


def missing_extra(family: str) -> Extra | None:
    """The extra that ``family`` needs and that is not installed; None where nothing is missing."""
    extra = EXTRAS.get(family)
    return extra if extra is not None and not extra.installed else None


def thumbnail_name(id: str) -> str:
    """The file name of an environment's picture among ``resources/pictures/environments``."""
    return f"{id.replace('/', '-')}.png"
