"""Loading torch's library without holding up other threads of the interpreter."""

from __future__ import annotations

import ctypes
import os
import sys
from importlib.util import find_spec
from pathlib import Path

_NAMES = {"linux": "libtorch_cpu.so", "darwin": "libtorch_cpu.dylib"}


def load_torch_library() -> bool:
    """Load the largest library of torch, which ``import torch`` then finds loaded; whether that was possible.

    An import holds the interpreter's lock while the system loads a library and resolves its symbols, here for 0.3 to
    0.7 s in which no other thread can do anything. A function that is called through ctypes lets go of it, and
    ``dlopen`` can be called so. Where it cannot, as on Windows, nothing is done, and the import does it all.
    """
    found, name = find_spec("torch"), _NAMES.get(sys.platform)
    if name is None or found is None or found.origin is None:
        return False
    path = Path(found.origin).parent / "lib" / name
    if not path.exists():
        return False
    load = ctypes.CDLL(None).dlopen
    load.restype, load.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_int]
    return load(os.fsencode(path), os.RTLD_NOW) is not None
