"""Work of fixed shape that a CUDA device records once and then replays, without Python or launches in between."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import torch
from torch import Tensor


class CudaGraph:
    """``work`` with a result in tensors that stay where they are; on other devices it is simply done.

    The first call does the work as it is, which loads what the device needs for it; the second records it in a CUDA
    graph. A graph repeats the numbers that Python saw while recording: where any of these may have changed, ``key`` has
    to be another, and the work is recorded anew. Random numbers of ``generator`` go on from replay to replay. Work that
    cannot be recorded (it waits for the device, say) goes on being done as it is.

    Source: https://docs.pytorch.org/docs/stable/notes/cuda.html, CUDA graphs.
    """

    def __init__(self, work: Callable[[], None], device: torch.device, generator: torch.Generator) -> None:
        self._work, self._device, self._generator = work, device, generator
        self._graph: torch.cuda.CUDAGraph | None = None
        self._key: Hashable = None
        self._warm = False
        self._recordable = replays(device)

    def __call__(self, key: Hashable = None) -> None:
        if key != self._key:
            self._key, self._graph, self._warm = key, None, False
        if self._recordable and self._warm and self._graph is None:
            self._graph = self._recorded()
        if self._graph is None:
            self._work()
            self._warm = True
        else:
            self._graph.replay()

    def _recorded(self) -> torch.cuda.CUDAGraph | None:
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self._generator)
        torch.cuda.synchronize(self._device)
        try:
            with torch.cuda.graph(graph):
                self._work()
        except RuntimeError:
            self._recordable = False
            return None
        return graph


def replays(device: torch.device) -> bool:
    """Whether a ``CudaGraph`` replays there."""
    return device.type == "cuda"


def on_device(tensor: Tensor) -> bool:
    """Whether the host would have to wait to know a tensor's numbers."""
    return not tensor.is_cpu
