"""What a teacher would do in the learner's place, in a line of words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.panels.episode.action_drawings import action_label, and_more, written
from engine.catalogue.spaces import Space
from engine.reports.frames import Decision, SoftmaxDecision

if TYPE_CHECKING:  # the window shows before numpy is loaded
    from numpy.typing import NDArray

_MOST = 4  # numbers of an action that are told


def teacher_words(space: Space, would: NDArray[Any], decision: Decision | None) -> str:
    """``would`` is the action as the environment takes it, […]; beside a ``decision`` among single actions it is said
    whether that is the one taken."""
    told = f"The teacher would do: {_words(space, would)}"
    if not isinstance(decision, SoftmaxDecision):
        return told
    return f"{told} · {'the same' if decision.action == int(would) else 'differs'}"


def _words(space: Space, would: NDArray[Any]) -> str:
    if space.kind == "discrete":
        return action_label(space, int(would))
    numbers = would.reshape(-1).tolist()
    if space.kind == "multi-binary":
        on = [action_label(space, index) for index, pressed in enumerate(numbers) if pressed]
        return ", ".join(on[:_MOST] + and_more(len(on) - _MOST)) or "nothing"
    if space.kind == "multi-discrete":
        return ", ".join([*(f"choice {number}" for number in numbers[:_MOST]), *and_more(len(numbers) - _MOST)])
    parts = [f"{action_label(space, index)} {written(number)}" for index, number in enumerate(numbers[:_MOST])]
    return ", ".join([*parts, *and_more(len(numbers) - _MOST)])
