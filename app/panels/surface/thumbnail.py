"""The agent in small, beside the map on which it is a dot."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.style.theme import Theme

_WIDTH, _HEIGHT = 108, 72


class Thumbnail(QWidget):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._picture: QImage | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Ignored)
        self.setAccessibleName("The agent")

    def show_picture(self, picture: QImage | None) -> None:
        if picture is not self._picture:
            self._picture = picture
            self.update()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(_WIDTH), self._theme.px(_HEIGHT))

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._picture is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        size = self._picture.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRectF(self.width() - size.width(), (self.height() - size.height()) / 2, size.width(), size.height())
        painter.drawImage(place, self._picture)
        painter.setPen(QColor(self._theme.line))
        painter.drawRect(place.adjusted(0, 0, -1, -1))
        painter.end()
