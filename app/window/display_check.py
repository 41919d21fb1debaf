"""Whether a window can be shown here at all, found out before Qt aborts over it."""

from __future__ import annotations

import ctypes
import os
import socket
import sys

HEADLESS = "to train without a window, use: python main.py train --preset cartpole"

_KEY = "QT_QPA_PLATFORM"  # where a person says how Qt is to show windows, as one or several of its plugins
_OTHERS = ("offscreen", "minimal", "vnc", "linuxfb", "eglfs", "minimalegl", "vkkhrdisplay")


def problem() -> str | None:
    """Why no window can be shown, as one sentence naming what would help; None when one can.

    Of the ways that Qt would try, those that cannot work are left out, since it may abort over them: a Wayland display
    that is named and no longer there, where an X display still is.
    """
    if not sys.platform.startswith("linux"):
        return None
    wanted = [way for way in os.environ.get(_KEY, "").split(";") if way]
    ways = wanted or (["wayland", "xcb"] if _in_wayland() else ["xcb"])
    against = {way: _against(way.split(":")[0]) for way in ways}
    usable = [way for way in ways if against[way] is None]
    if usable:
        if usable[0] != ways[0]:
            os.environ[_KEY] = ";".join(usable)
        return None
    named = ways[-1] if os.environ.get("DISPLAY") else ways[0]
    return against[named]


def _in_wayland() -> bool:
    """Whether Qt would try Wayland by itself."""
    return bool(os.environ.get("WAYLAND_DISPLAY")) or os.environ.get("XDG_SESSION_TYPE") == "wayland"


def _against(plugin: str) -> str | None:
    """What keeps Qt's ``plugin`` from showing windows, as a sentence; None where nothing is known to."""
    if plugin.startswith("wayland"):
        return None if _wayland_answers() else f"The Wayland display {_wayland_name()} does not answer; {HEADLESS}"
    if plugin == "xcb":
        return _against_x()
    if plugin in _OTHERS or os.environ.get("QT_QPA_PLATFORM_PLUGIN_PATH") or os.environ.get("QT_PLUGIN_PATH"):
        return None
    return f"Qt has no platform {plugin}, which {_KEY} asks for; leave it unset, or set it to xcb or wayland."


def _against_x() -> str | None:
    display = os.environ.get("DISPLAY", "")
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


def _wayland_name() -> str:
    return os.environ.get("WAYLAND_DISPLAY") or "wayland-0"


def _wayland_answers() -> bool:
    if os.environ.get("WAYLAND_SOCKET"):  # which is open already
        return True
    path = os.path.join(os.environ.get("XDG_RUNTIME_DIR", ""), _wayland_name())
    return os.path.isabs(path) and _connects(socket.AF_UNIX, path)


def _answers(display: str) -> bool:
    host, _, rest = display.rpartition(":")
    number = rest.split(".")[0]
    if not (number.isascii() and number.isdigit() and len(number) < 5):
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
