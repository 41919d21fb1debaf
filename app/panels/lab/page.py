"""What a page of the Lab is: a record, of which its button and its help are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.panels.record import PanelContext, PanelWidget


@dataclass(frozen=True, kw_only=True)
class LabPage:
    """A page of the Lab, made when it is first turned to. It is told what a panel is told, and ``help`` says what it
    shows."""

    title: str
    help: str
    make: Callable[[PanelContext], PanelWidget]
