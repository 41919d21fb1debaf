"""What the window tells a person: a sentence and how much it matters."""

from __future__ import annotations

from typing import Literal

Level = Literal["info", "warning", "error"]
