"""The environments that the program knows by name, in the order in which they are shown."""

from __future__ import annotations

from engine.catalogue.environments.atari import ATARI
from engine.catalogue.environments.box2d import BOX2D
from engine.catalogue.environments.classic import CLASSIC
from engine.catalogue.environments.extras import EXTRAS, Extra, missing_extra
from engine.catalogue.environments.minigrid import MINIGRID
from engine.catalogue.environments.mujoco import MUJOCO
from engine.catalogue.environments.ours import OURS
from engine.catalogue.environments.toy import TOY
from engine.catalogue.spaces import EnvironmentInfo

__all__ = ["ENVIRONMENTS", "EXTRAS", "Extra", "missing_extra", "thumbnail_name"]

ENVIRONMENTS: dict[str, EnvironmentInfo] = {
    info.id: info for info in (*CLASSIC, *BOX2D, *TOY, *OURS, *MUJOCO, *MINIGRID, *ATARI)
}


def thumbnail_name(id: str) -> str:
    """The file name of an environment's picture among ``resources/pictures/environments``."""
    return f"{id.replace('/', '-')}.png"
