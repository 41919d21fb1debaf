"""Pictures on their way from a worker process, in memory that both have and in the layout in which screens paint them.

A pixel takes four bytes: blue, green, red, and one that is always 255. Whoever asked sees the picture as a view of
these, [height, width, 3] in the usual order of colours, with no byte moved.
"""

from __future__ import annotations

from multiprocessing.connection import Connection
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.reports.frames import Image
from engine.runtime.shared_memory import SharedMemory, received

SIZE = Struct("<qq")  # of a picture: height and width
PIXEL = 4  # bytes


def pixels_of(picture: Image) -> NDArray[np.uint8]:
    """The four bytes of every pixel, [height, width, 4]: those of which ``picture`` is a view, else a copy."""
    height, width, _ = picture.shape
    whole = picture.base
    if isinstance(whole, np.ndarray) and whole.shape == (height, width, PIXEL) and whole.flags.c_contiguous:
        return whole
    copied = np.full((height, width, PIXEL), 255, np.uint8)
    copied[:, :, 2::-1] = picture
    return copied


class PictureSender:
    """The worker's end: the last picture is kept until there is memory for it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._memory: Any = b""
        self._picture: Image = np.empty((0, 0, 3), np.uint8)

    def put(self, picture: Image) -> bytes:
        """Put ``picture`` into the memory if that is large enough; its size, which tells the other end."""
        self._picture = picture
        height, width, _ = picture.shape
        if len(self._memory) >= height * width * PIXEL:
            self._write()
        return SIZE.pack(height, width)

    def take_memory(self) -> bytes:
        """Take the memory that the other end sends now, and put the last picture there."""
        height, width, _ = self._picture.shape
        self._memory = received(self._connection, height * width * PIXEL)
        self._write()
        return b""

    def _write(self) -> None:
        height, width, _ = self._picture.shape
        pixels = np.frombuffer(self._memory, np.uint8, height * width * PIXEL).reshape(height, width, PIXEL)
        pixels[:, :, 2::-1] = self._picture
        pixels[:, :, 3] = 255


class PictureReceiver:
    """The other end."""

    def __init__(self) -> None:
        self._memory: Any = b""

    def memory_for(self, answer: bytes) -> SharedMemory | None:
        """Memory for the picture of this size, to be sent before it is taken; None where there is enough already.

        Raises:
            OSError, OverflowError, ValueError: there is none to be had.
        """
        height, width = SIZE.unpack(answer)
        if len(self._memory) >= height * width * PIXEL:
            return None
        memory = SharedMemory(height * width * PIXEL)
        self._memory = memory.bytes
        return memory

    def picture(self, answer: bytes) -> Image:
        """A copy of the picture of this size."""
        height, width = SIZE.unpack(answer)
        pixels = np.frombuffer(self._memory, np.uint8, height * width * PIXEL).reshape(height, width, PIXEL).copy()
        return pixels[:, :, 2::-1]
