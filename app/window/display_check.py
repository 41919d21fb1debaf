"""Whether a window can be shown here at all, found out before Qt aborts over it."""

from __future__ import annotations

import ctypes
import os
import socket
import sys

HEADLESS = "to train without a window, use: python main.py train --preset cartpole"


def problem() -> str | None:
    """Why no window can be shown, as one sentence naming what would help; None when one can."""
    if not sys.platform.startswith("linux"):
        return None
    platform = os.environ.get("QT_QPA_PLATFORM", "").split(":")[0]
    if platform in ("offscreen", "minimal", "vnc", "linuxfb", "eglfs"):
        return None
    display = os.environ.get("DISPLAY", "")
    if os.environ.get("WAYLAND_DISPLAY"):
        return None
    if not display:
        return f"There is no display to open a window on (DISPLAY is not set); {HEADLESS}"
    if not _answers(display):
        return f"The display {display} does not answer; {HEADLESS}"
    try:
        ctypes.CDLL("libxcb-cursor.so.0")
    except OSError:
        return (
            f"Qt needs the system library libxcb-cursor0; on Debian or Ubuntu: apt install libxcb-cursor0; {HEADLESS}"
        )
    return None


def _answers(display: str) -> bool:
    host, _, rest = display.rpartition(":")
    number = rest.split(".")[0]
    if not number.isdigit():
        return False
    if host not in ("", "unix"):
        return _connects(socket.AF_INET, (host, 6000 + int(number)))
    path = f"/tmp/.X11-unix/X{number}"
    return _connects(socket.AF_UNIX, path) or _connects(socket.AF_UNIX, f"\0{path}")


def _connects(family: socket.AddressFamily, address: str | tuple[str, int]) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(2.0)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True
