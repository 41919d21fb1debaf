"""Torch is loaded without holding up other threads."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys, threading, time
from engine.runtime.torch_library import load_torch_library
assert "torch" not in sys.modules
gaps, done = [], threading.Event()

def watch():
    last = time.perf_counter()
    while not done.is_set():
        time.sleep(0.001)
        now = time.perf_counter()
        gaps.append(now - last)
        last = now

watching = threading.Thread(target=watch)
watching.start()
began = time.perf_counter()
loaded = load_torch_library()
took = time.perf_counter() - began
done.set()
watching.join()
import torch
assert torch.ones(2).sum() == 2
print(loaded, len(gaps), took)
"""


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="elsewhere it is left to the import")
def test_other_threads_go_on_while_the_library_is_loaded() -> None:
    """Of the time that it takes, another thread has turns all along."""
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout.split()
    loaded, turns, took = told[0] == "True", int(told[1]), float(told[2])
    assert loaded
    assert turns > 20 * took  # where it is held up, there is one at each end
