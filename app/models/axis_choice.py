"""What the horizontal axes of all curves count, as one choice."""

from __future__ import annotations

from typing import Literal, get_args

from PySide6.QtCore import QObject, Signal

XAxis = Literal["environment_steps", "episodes", "seconds"]


class AxisChoice(QObject):
    """``changed`` carries the axis that has been chosen."""

    changed = Signal(str)

    def __init__(self, axis: object = None) -> None:
        super().__init__()
        self.axis: XAxis = "environment_steps"
        self.choose(axis)

    def choose(self, axis: object) -> None:
        """Take ``axis``, unless there is none of that name: what a window remembers may be from another version."""
        for known in get_args(XAxis):
            if axis == known != self.axis:
                self.axis = known
                self.changed.emit(known)
