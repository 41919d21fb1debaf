"""What is said of a slice beside its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.panels.surface.slicer import Played
from app.style.format import minus
from engine.config.actor_critic import SAC

if TYPE_CHECKING:  # with torch
    from engine.analysis.playback import PolicySnapshot

HOW, MOVE = "Click: play from there.", "Drag, wheel: move, zoom."
NO_STATES = "No whole state has been seen yet. Let an episode play, or play returns from points of the slice."
NONE_YET = "Play returns from states that were visited, and V stands here against them: on the diagonal it is right."
_MEMORY = "A policy with a memory, as at an episode's first step."
_STACKED = "Earlier observations are 0, as at an episode's first step."
_SOFT = "V counts entropy as a reward, the returns do not."
_NORMALISED = "V is in units of normalised rewards, the returns are not."


def notes(policy: PolicySnapshot, played: Played | None, valued: bool) -> list[str]:
    """What a person should know of what is shown: of the policy, and of returns that were ``played`` beside its values,
    where it is ``valued``."""
    changes, found = policy.config.environment, []
    if policy.config.policy.kind == "gru":
        found.append(_MEMORY)
    if changes.frame_stack > 1:
        found.append(_STACKED)
    if played is not None:
        whence = "" if played.cut is not None else " from visited states"
        found.append(f"Returns{whence} are of iteration {played.iteration:,}.")
        if played.explained is not None:
            found.append(f"V explains {minus(f'{played.explained:.2f}')} of their variance.")
        found += [_SOFT] if valued and isinstance(policy.config.update, SAC) else []
        found += [_NORMALISED] if valued and changes.normalize_rewards else []
    return found
