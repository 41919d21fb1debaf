"""What a run has to remember to go on exactly where it was: the state of its parts, registered where they are made.

A state is plain data: dictionaries with names as keys, down to tensors, arrays, numbers, texts, switches, None, and
lists of these. It shares no memory with the part it was taken from, so that it stays what it was while the part goes
on. What of a part cannot be read, so that it may not go on exactly, is said in a sentence under ``INEXACT``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import torch
    from torch import Tensor

State = dict[str, Any]


class Stateful(Protocol):
    """A part that changes as a run goes on."""

    def state(self) -> State:
        """All that it takes to go on from here."""

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from where ``state`` was taken, from a part made with the same configuration.

        Raises:
            ValueError: the state is of another kind or size.
        """


INEXACT = "inexact"


def inexact(state: Any) -> tuple[str, ...]:
    """What of ``state`` may not go on exactly, in sentences; none where all does."""
    if isinstance(state, Mapping):
        found = [(value,) if name == INEXACT else inexact(value) for name, value in state.items()]
    else:
        found = [inexact(value) for value in state] if isinstance(state, list) else []
    return tuple(dict.fromkeys(sentence for sentences in found for sentence in sentences))


_P = TypeVar("_P", bound=Stateful)


class Parts:
    """The stateful parts of a whole, by name; itself a part."""

    def __init__(self) -> None:
        self._parts: dict[str, Stateful] = {}
        self._later: set[str] = set()  # the names of those that states of earlier versions lack

    def add(self, name: str, part: _P) -> _P:
        """Register ``part``, and hand it back.

        Raises:
            ValueError: there is a part of that name.
        """
        if name in self._parts:
            raise ValueError(f"There is a part {name} already.")
        self._parts[name] = part
        return part

    def add_later(self, name: str, part: _P) -> _P:
        """As ``add``, for a part that states of earlier versions lack; from one of these it stays as it was made."""
        self._later.add(name)
        return self.add(name, part)

    def add_generator(self, name: str, generator: torch.Generator) -> torch.Generator:
        """As ``add``, for a generator of torch's."""
        self.add(name, GeneratorState(generator))
        return generator

    def __iter__(self) -> Iterator[Stateful]:
        return iter(self._parts.values())

    def by_name(self) -> dict[str, Stateful]:
        return dict(self._parts)

    def state(self) -> State:
        return {name: part.state() for name, part in self._parts.items()}

    def load(self, state: Mapping[str, Any]) -> None:
        if not self._parts.keys() - self._later <= state.keys() <= self._parts.keys():
            there, wanted = ", ".join(state) or "nothing", ", ".join(self._parts) or "nothing"
            raise ValueError(f"This state is of {there}; what it is loaded into has {wanted}.")
        for name, part in self._parts.items():
            if name in state:
                part.load(state[name])


@dataclass(frozen=True)
class GeneratorState:
    """A generator of torch's as a stateful part."""

    generator: torch.Generator

    def state(self) -> State:
        return {"state": self.generator.get_state()}

    def load(self, state: Mapping[str, Any]) -> None:
        self.generator.set_state(state["state"])


@dataclass(frozen=True)
class TensorState:
    """Tensors by name as a stateful part, loaded in place: whoever holds one of them, or a view of it, sees it."""

    tensors: Mapping[str, Tensor]

    def state(self) -> State:
        return {name: tensor.detach().clone() for name, tensor in self.tensors.items()}

    def load(self, state: Mapping[str, Any]) -> None:
        import torch  # here, as processes that only step environments have states too, and no use for it

        there = {name: tuple(tensor.shape) for name, tensor in state.items()}
        wanted = {name: tuple(tensor.shape) for name, tensor in self.tensors.items()}
        if there != wanted:
            raise ValueError(f"This state is of tensors {there}; what it is loaded into has {wanted}.")
        with torch.no_grad():
            for name, tensor in self.tensors.items():
                tensor.copy_(state[name])
