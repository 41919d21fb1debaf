"""Families of environments whose packages have to be installed beside this one."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from engine.catalogue.spaces import Family


@dataclass(frozen=True)
class Extra:
    """An optional part of this package's requirements; ``modules`` are what it brings, ``command`` installs it."""

    name: str
    title: str
    modules: tuple[str, ...]

    @property
    def command(self) -> str:
        """What to type in the folder of this program, as its README does."""
        return f'.venv/bin/pip install -e ".[{self.name}]"'

    @property
    def installed(self) -> bool:
        return all(find_spec(module) is not None for module in self.modules)


EXTRAS: dict[Family, Extra] = {
    "mujoco": Extra("mujoco", "MuJoCo", ("mujoco", "imageio")),
    "minigrid": Extra("minigrid", "MiniGrid", ("minigrid",)),
    "atari": Extra("atari", "Atari", ("ale_py", "cv2")),
}


def missing_extra(family: Family) -> Extra | None:
    """The extra that ``family`` needs and that is not installed; None where nothing is missing."""
    extra = EXTRAS.get(family)
    return extra if extra is not None and not extra.installed else None
