"""A picture and what is told of it: one above the other, or side by side where there is room."""

from __future__ import annotations

from PySide6.QtWidgets import QBoxLayout

TALLEST_PICTURE = 1 << 16  # pixels; no screen has as many


def arrange(halves: QBoxLayout, *, wide: bool) -> None:
    """Let the picture, which comes first, stand beside the rest where it is ``wide``, else above it."""
    direction = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
    if direction != halves.direction():
        halves.setDirection(direction)
        halves.setStretch(0, 3 if wide else 1000)
        halves.setStretch(1, 2 if wide else 1)
