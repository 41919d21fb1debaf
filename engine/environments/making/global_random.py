"""The random numbers that everything in a process shares, kept apart for every environment that draws from them.

Environments from elsewhere draw from ``numpy.random``, from ``random`` or from torch's global generator, although
Gymnasium gives each a generator of its own. Left alone, the environments of one process would draw from one stream in
turn, and processes that were forked from one would all draw the same.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

import numpy as np
from numpy.random import mtrand

from engine.runtime.state import State

_KEY = (2,)  # sets these numbers apart from those of an environment's own generator, which has the same seed


class GlobalRandom:
    """The process's global generators as one environment knows them. They are in place within ``with``.

    What was in place before comes back afterwards, unless ``kept_in_place`` says that nobody misses it; then numbers
    are exchanged only when another environment has its turn, which takes 10 µs, and otherwise stay where they are. The
    second half of a pair of Gaussians that numpy's generator may hold back is given up after each use, so that it is
    the same however often numbers are exchanged. Torch's are in place from the moment at which torch is loaded.

    For use in one thread at a time.
    """

    def __init__(self, seed: int) -> None:
        self._entered = 0
        self._others: _Others | None = None
        self.seed(seed)

    def seed(self, seed: int) -> None:
        """Begin all of them anew."""
        for_numpy, for_python, for_torch = np.random.SeedSequence(seed, spawn_key=_KEY).spawn(3)
        self._numpy: Any = np.random.MT19937(for_numpy)
        self._python = random.Random(int(for_python.generate_state(1)[0])).getstate()
        self._torch_seed = int(for_torch.generate_state(1)[0])
        self._torch: Any = None  # until it is loaded, a tensor of bytes from then on
        self._torch_placed = False
        if _process.placed is self:
            self._place()

    def __enter__(self) -> None:
        self._entered += 1
        if self._entered > 1:
            return
        if not _process.keeps:
            self._others = _Others()
            self._place()
        elif _process.placed is self:
            mtrand.set_bit_generator(self._numpy)
            if not self._torch_placed:
                self._place_torch()
        else:
            if _process.placed is not None:
                _process.placed.take()
            self._place()
            _process.placed = self

    def __exit__(self, *_: object) -> None:
        self._entered -= 1
        if self._entered == 0 and self._others is not None:
            self.take()
            self._others.place()
            self._others, self._torch_placed = None, False
            _process.awaits_torch = None

    def state(self) -> State:
        """Where they are, as plain data."""
        if _process.placed is self:
            self.take()
        version, words, gauss = self._python
        return {
            "numpy": self._numpy.state,
            "random": {"version": version, "words": np.array(words, np.uint32), "gauss": gauss},
            "torch_seed": self._torch_seed,
            "torch": None if self._torch is None else self._torch.numpy().copy(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``."""
        self._numpy = np.random.MT19937()
        self._numpy.state = state["numpy"]
        kept = state["random"]
        self._python = kept["version"], tuple(kept["words"].tolist()), kept["gauss"]
        self._torch_seed, self._torch = state["torch_seed"], None
        if state["torch"] is not None:
            import torch  # an environment has loaded it before

            self._torch = torch.from_numpy(state["torch"].copy())
        self._torch_placed = False
        if _process.placed is self:
            self._place()

    def take(self) -> None:
        """Remember where the numbers in place have come to."""
        self._numpy = mtrand.get_bit_generator()
        self._python = random.getstate()
        if self._torch_placed:
            self._torch = sys.modules["torch"].default_generator.get_state()

    def _place(self) -> None:
        mtrand.set_bit_generator(self._numpy)
        random.setstate(self._python)
        self._place_torch()

    def _place_torch(self) -> None:
        generator = getattr(sys.modules.get("torch"), "default_generator", None)  # None while it is being loaded, too
        self._torch_placed = generator is not None
        if generator is None:
            _process.awaits_torch = self
            _hear_of_torch()
            return
        if self._torch is None:
            generator.manual_seed(self._torch_seed)
        else:
            generator.set_state(self._torch)


class _Others:
    """The global numbers of whoever else uses this process, to be put back."""

    def __init__(self) -> None:
        self._numpy, self._all = mtrand.get_bit_generator(), mtrand.get_state(legacy=False)
        self._python = random.getstate()
        torch = sys.modules.get("torch")
        self._torch = None if torch is None else torch.default_generator.get_state()

    def place(self) -> None:
        mtrand.set_bit_generator(self._numpy)
        if self._all["has_gauss"]:  # which the generator itself does not hold
            mtrand.set_state(self._all)
        random.setstate(self._python)
        if self._torch is not None:
            sys.modules["torch"].default_generator.set_state(self._torch)


class _Process:
    """Whose numbers are in place for good, where they are kept there."""

    keeps = False
    placed: GlobalRandom | None = None
    awaits_torch: GlobalRandom | None = None  # whose are in place, but for torch's, which is not loaded yet


_process = _Process()


class _TorchFinder(MetaPathFinder):
    """Sees to it that whoever loads torch draws from numbers of theirs at once, and not from those that torch has for
    everybody: which environment of a process is the first to load it is not to make a difference."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if fullname != "torch":
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        loader: Any = spec.loader if spec is not None else None
        if loader is not None:
            loader.exec_module = partial(_load_torch, loader.exec_module)
        return spec


_torch_finder = _TorchFinder()


def _hear_of_torch() -> None:
    if _torch_finder not in sys.meta_path and "torch" not in sys.modules:
        sys.meta_path.insert(0, _torch_finder)


def _load_torch(execute: Callable[[ModuleType], None], module: ModuleType) -> None:
    execute(module)
    with suppress(ValueError):
        sys.meta_path.remove(_torch_finder)
    if _process.awaits_torch is not None:
        _process.awaits_torch._place_torch()
        _process.awaits_torch = None


@contextmanager
def kept_in_place() -> Iterator[None]:
    """A process that does nothing but step environments: their numbers stay in place until those of others are due."""
    _process.keeps = True
    try:
        yield
    finally:
        _process.keeps, _process.placed, _process.awaits_torch = False, None, None
