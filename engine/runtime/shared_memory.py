"""Memory that this process and its workers have together, allocated while they run.

That of ``multiprocessing.shared_memory`` has a name and outlives a crash, and is limited in containers; that of
``multiprocessing.sharedctypes`` has to be there before a worker is started.
"""

from __future__ import annotations

import mmap
import os
import sys
import tempfile
from multiprocessing import reduction
from multiprocessing.connection import Connection
from uuid import uuid4

_NAME = 36  # characters of a name


class SharedMemory:
    """``size`` bytes of zeros, which go with the last process that has them.

    Raises:
        OSError, OverflowError, ValueError: there is no memory for so many.
    """

    def __init__(self, size: int) -> None:
        self.size = max(size, 1)
        if sys.platform == "win32":
            self._name = str(uuid4())
            self.bytes = mmap.mmap(-1, self.size, tagname=self._name)
            return
        self._file = _unnamed_file()
        try:
            os.ftruncate(self._file, self.size)
            self.bytes = mmap.mmap(self._file, self.size)
        except BaseException:
            self.close()
            raise

    def send(self, connection: Connection, pid: int) -> None:
        """Give it to the process ``pid`` at the other end, where ``received`` takes it."""
        if sys.platform == "win32":
            connection.send_bytes(self._name.encode())
        else:
            reduction.send_handle(connection, self._file, pid)

    def close(self) -> None:
        """Give it to no others; whoever has it keeps it."""
        if sys.platform != "win32":
            os.close(self._file)


def received(connection: Connection, size: int) -> mmap.mmap:
    """The ``size`` bytes that the other end sends."""
    size = max(size, 1)
    if sys.platform == "win32":
        return mmap.mmap(-1, size, tagname=connection.recv_bytes(_NAME).decode())
    file = reduction.recv_handle(connection)
    try:
        return mmap.mmap(file, size)
    finally:
        os.close(file)


def _unnamed_file() -> int:
    if sys.platform != "linux":
        with tempfile.TemporaryFile() as file:
            return os.dup(file.fileno())
    return os.memfd_create("shared with workers")
