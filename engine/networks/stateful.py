"""Modules whose parameters and buffers are a part of a run's state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from engine.runtime.state import State, TensorState


class StatefulModule(nn.Module):
    """A module as a stateful part: every parameter and buffer by its name, those of modules inside it too.

    They are loaded in place, since parameters may be views of a ``ParameterVector``.
    """

    def state(self) -> State:
        return TensorState(self.state_dict()).state()

    def load(self, state: Mapping[str, Any]) -> None:
        TensorState(self.state_dict()).load(state)
