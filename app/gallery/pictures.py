"""The pictures on the cards, made when they are first seen and kept while there is room."""

from __future__ import annotations

import re
from importlib import resources

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPixmap, QPixmapCache

from app.gallery.model import Card
from app.style.theme import Theme
from engine.catalogue.environments import thumbnail_name

ASPECT = 200 / 320  # height to width of the pictures as they are stored
_FOLDER = resources.files("resources") / "pictures" / "environments"


def picture(card: Card, size: QSize, ratio: float, theme: Theme) -> QPixmap:
    """The picture of an environment, grey where it cannot be used yet; its initials where there is none.

    Args:
        size: in the pixels of the layout.
        ratio: how many pixels of the screen each of these has along each axis.
    """
    key = f"gallery/{card.id}/{size.width()}x{size.height()}@{ratio}/{theme.name}/{card.missing is not None}"
    kept = QPixmap()
    if QPixmapCache.find(key, kept):
        return kept
    drawn = QPixmap.fromImage(_cropped(card, size * ratio) or _initials(card.title, size * ratio, theme))
    drawn.setDevicePixelRatio(ratio)
    QPixmapCache.insert(key, drawn)
    return drawn


def _cropped(card: Card, size: QSize) -> QImage | None:
    path = _FOLDER / thumbnail_name(card.id)
    stored = QImage(str(path)) if card.info is not None and path.is_file() else QImage()
    if stored.isNull():
        return None
    by, smooth = Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
    image = stored.scaled(size, by, smooth)
    place = QRect(0, 0, size.width(), size.height())
    place.moveCenter(image.rect().center())
    image = image.copy(place)
    return image.convertToFormat(QImage.Format.Format_Grayscale8) if card.missing else image


def _initials(title: str, size: QSize, theme: Theme) -> QImage:
    image = QImage(size, QImage.Format.Format_RGB32)
    image.fill(QColor(theme.raised))
    painter = QPainter(image)
    font = QFont(painter.font())
    font.setPixelSize(max(1, size.height() // 3))
    font.setWeight(QFont.Weight.DemiBold)
    painter.setFont(font)
    painter.setPen(QColor(theme.muted))
    painter.drawText(image.rect(), Qt.AlignmentFlag.AlignCenter, initials(title))
    painter.end()
    return image


def initials(title: str) -> str:
    """The first letters of a title's first three words, which may be run together, without namespace and version."""
    name = re.sub(r"-v\d+$", "", title.rpartition("/")[2])
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", name) or [name]
    return "".join(word[:1].upper() for word in words[:3])
