"""A window never opens larger than the screen it opens on, whatever it is asked for or was when it was closed."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

_TITLE_BAR = 36  # pixels that the frame of a window takes above it, which is known only once it is shown
_UNSEEN = ("offscreen", "minimal")  # platforms whose screen nobody sees


def room(window: QWidget) -> QRect | None:
    """Where on its screen a window can be without its frame; None where nobody sees it."""
    if QGuiApplication.platformName() in _UNSEEN:
        return None
    return window.screen().availableGeometry().adjusted(0, _TITLE_BAR, 0, 0)


def fitted(geometry: QRect, room: QRect) -> QRect:
    """The geometry nearest to ``geometry`` that lies in ``room``."""
    size = geometry.size().boundedTo(room.size())
    x = min(max(geometry.x(), room.x()), room.x() + room.width() - size.width())
    y = min(max(geometry.y(), room.y()), room.y() + room.height() - size.height())
    return QRect(x, y, size.width(), size.height())


def fit(window: QWidget, *, fill: bool = False) -> None:
    """Make a window that is not shown yet no larger than its screen; with ``fill``, one that is too large fills it."""
    there = room(window)
    if there is None or there.contains(QRect(there.topLeft(), window.size())):
        return
    window.setGeometry(fitted(window.geometry(), there))
    if fill:
        window.setWindowState(window.windowState() | Qt.WindowState.WindowMaximized)
