"""What has the keyboard can be seen, and everything that can be used has a name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication, QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QImage
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QScrollBar,
    QStyle,
    QStyleOptionButton,
    QTabBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.gallery.window import Gallery
from app.window.main_window import MainWindow

RING, LEAST = 2, 3.0  # pixels, and the contrast by which they change


def luminance(window: QWidget, place: QRect) -> NDArray[np.float64]:
    """Of each pixel there."""
    image = window.grab(place).toImage().convertToFormat(QImage.Format.Format_RGB32)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    values = rows[:, : image.width(), 2::-1] / 255.0
    decoded = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    whole: NDArray[np.float64] = decoded @ np.array([0.2126, 0.7152, 0.0722])
    return whole


def stops(window: QWidget) -> list[QWidget]:
    """Where Tab can come to and that is wholly in sight."""
    return [
        widget
        for widget in window.findChildren(QWidget)
        if widget.isVisible()
        and widget.isEnabled()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.visibleRegion().boundingRect() == widget.rect()
    ]


def where(widget: QWidget, window: QWidget) -> QRect:
    """The place of what shows the focus: a tab, a check box without its words, or all of ``widget``."""
    inner = widget.rect()
    if isinstance(widget, QTabBar):
        inner = widget.tabRect(widget.currentIndex())
    elif isinstance(widget, QCheckBox):
        option = QStyleOptionButton()
        option.initFrom(widget)
        inner = widget.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, widget)
    return inner.translated(widget.mapTo(window, QPoint(0, 0)))


def ring(window: QWidget, widget: QWidget) -> float:
    """What share of a ring of two pixels around ``widget`` its focus changes clearly."""
    window.setFocus()
    QCoreApplication.processEvents()
    place = where(widget, window)
    before = luminance(window, place)
    widget.setFocus(Qt.FocusReason.TabFocusReason)
    QCoreApplication.processEvents()
    assert widget.hasFocus(), widget
    assert where(widget, window) == place, widget
    after = luminance(window, place)
    light, dark = np.maximum(before, after), np.minimum(before, after)
    changed = int((((light + 0.05) / (dark + 0.05)) >= LEAST).sum())
    return changed / (RING * 2 * (place.width() + place.height()))


def test_what_has_the_keyboard_has_a_ring_and_nothing_moves(make_window):
    window: MainWindow = make_window()
    for name in ("dark", "light"):
        window.set_theme(name)
        QCoreApplication.processEvents()
        widgets = stops(window)
        assert len(widgets) > 10
        faint = [(type(w).__name__, w.accessibleName()) for w in widgets if ring(window, w) < 0.4]
        assert faint == [], name


def test_what_has_the_keyboard_in_the_gallery_has_a_ring(make_window, qtbot: QtBot):
    window: MainWindow = make_window()
    window.gallery.open(window.look.theme)
    (gallery,) = (w for w in window.findChildren(Gallery) if w.isWindow())
    qtbot.waitUntil(gallery.isActiveWindow)
    widgets = stops(gallery)
    assert len(widgets) > 4
    assert [(type(w).__name__, w.accessibleName()) for w in widgets if ring(gallery, w) < 0.4] == []


def test_everything_that_can_be_used_has_a_name(make_window):
    window: MainWindow = make_window()
    window.gallery.open(window.look.theme)
    tops = [window, *(w for w in window.findChildren(QWidget) if w.isWindow())]
    nameless = without_a_name(*tops)
    assert not nameless, sorted(nameless)


def without_a_name(*tops: QWidget) -> list[tuple[str, str, str]]:
    """What can be used in these and has no name."""
    # Lists that open are named by their boxes.
    inner = {box.view() for top in tops for box in top.findChildren(QComboBox)}
    nameless = []
    for widget in {child for top in tops for child in top.findChildren(QWidget)} - inner:
        used = isinstance(widget, (QAbstractButton, QAbstractItemView, QComboBox, QLineEdit)) or (
            widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        )
        internal = isinstance(widget, QScrollBar) or widget.objectName().startswith("qt_") or widget.focusProxy()
        interface = QAccessible.queryAccessibleInterface(widget)
        if used and not internal and interface and not interface.text(QAccessible.Text.Name):
            nameless.append((type(widget).__name__, type(widget.parentWidget()).__name__, widget.objectName()))
    return nameless
