"""The state of some environments of a batch, out of that of all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.runtime.state import State


def share_of(state: Mapping[str, Any], some: slice) -> State:
    """What a batch of these environments alone, of the same kind and stepped alike, goes on from. Where changes to
    observations or actions are drawn for all in one stream, it goes on with a copy of that.

    Raises:
        ValueError: the state is of no kind of batch that is known here.
    """
    if "batch" in state:  # behind changes
        previous = state["previous"]
        return {
            **state,
            "batch": share_of(state["batch"], some),
            "frames": state["frames"][some].copy(),
            "previous": None if previous is None else previous[some].copy(),
            "fresh": state["fresh"][some].copy(),
        }
    if "environments" in state:  # one by one
        return {**state, "environments": list(state["environments"][some])}
    if "streams" in state:  # ours
        streams = state["streams"]
        return {
            "states": state["states"][..., some].copy(),
            "elapsed": state["elapsed"][some].copy(),
            "streams": {**streams, **{name: streams[name][some].copy() for name in ("generators", "drawn", "used")}},
        }
    if "episodes" in state:  # in EnvPool
        return {**state, "episodes": state["episodes"][some].copy()}
    raise ValueError(f"A batch whose state is of {', '.join(state)} cannot be shared out.")
