"""A CUDA graph on the CPU: what torch did is done again on the same memory, and nothing that Python did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Tape(TorchDispatchMode):
    """Records the work by doing it once; ``replay`` repeats every operation but, that once, the first time.

    Raises:
        AssertionError: the work asks for a number, which a device that only records does not have.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__()
        self._calls: list[tuple[Any, Any, Any, list[Tensor]]] = []
        self._done = True
        self.replays = 0
        with self:
            work()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        assert func.overloadpacket.__name__ not in ("_local_scalar_dense", "nonzero", "equal"), f"{func} is waited for"
        result = func(*args, **(kwargs or {}))
        given = {_memory(tensor) for tensor in _tensors((args, kwargs))}
        self._calls.append((func, args, kwargs or {}, [out for out in _tensors(result) if _memory(out) not in given]))
        return result

    @torch.no_grad()
    def replay(self) -> None:
        self.replays += 1
        if self._done:  # while it was recorded, which a CUDA device does without doing it
            self._done = False
            return
        for func, args, kwargs, made in self._calls:
            again = _tensors(func(*args, **kwargs))
            for kept, new in zip(made, again, strict=False):
                kept.copy_(new)


def _tensors(of: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(of) if isinstance(leaf, Tensor)]


def _memory(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
