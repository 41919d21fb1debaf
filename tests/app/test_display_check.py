"""Where no window can be shown it is said, and where one can, Qt is kept from ways that it would abort over."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest

from app.window import display_check

STALE = {"WAYLAND_DISPLAY": "wayland-9", "XDG_RUNTIME_DIR": "/run/user/1"}
THERE = {"WAYLAND_DISPLAY": "wayland-1", "XDG_RUNTIME_DIR": "/run/user/1"}
X = {"DISPLAY": ":1"}


def problem(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> tuple[str, str]:
    """How the complaint begins, and what Qt is told, where only :1 and wayland-1 answer."""
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET", "XDG_SESSION_TYPE"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("ctypes.CDLL", lambda name: None)
    alive = ("/tmp/.X11-unix/X1", "/run/user/1/wayland-1")
    monkeypatch.setattr(display_check, "_connects", lambda family, address: address in alive)
    found = display_check.problem() or ""
    return found.partition(";")[0], os.environ.get("QT_QPA_PLATFORM", "")


@pytest.mark.parametrize(
    ("variables", "complaint", "told"),
    [
        (X, "", ""),
        (THERE, "", ""),
        (X | THERE, "", ""),
        (X | STALE, "", "xcb"),
        (X | {"WAYLAND_DISPLAY": "wayland-1", "XDG_RUNTIME_DIR": ""}, "", "xcb"),
        (X | {"XDG_SESSION_TYPE": "wayland", "XDG_RUNTIME_DIR": "/run/user/1"}, "", "xcb"),
        (X | {"QT_QPA_PLATFORM": "wayland;xcb"} | STALE, "", "xcb"),
        (STALE | {"QT_QPA_PLATFORM": "offscreen:size=2"}, "", "offscreen:size=2"),
        (STALE, "The Wayland display wayland-9 does not answer", ""),
        (STALE | {"DISPLAY": ":2"}, "The display :2 does not answer", ""),
        (X | STALE | {"QT_QPA_PLATFORM": "wayland"}, "The Wayland display wayland-9 does not answer", "wayland"),
        (THERE | {"QT_QPA_PLATFORM": "xcb"}, "There is no display to open a window on (DISPLAY is not set)", "xcb"),
        (X | {"QT_QPA_PLATFORM": "kde"}, "Qt has no platform kde, which QT_QPA_PLATFORM asks for", "kde"),
    ],
)
def test_a_window_is_opened_where_one_can_be(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], complaint: str, told: str
) -> None:
    assert problem(monkeypatch, variables) == (complaint, told)
