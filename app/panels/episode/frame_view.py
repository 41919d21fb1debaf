"""An episode's picture, or a sentence where there is none."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QImage, QPixmap, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from app.style.text import set_role

DEFAULT_ASPECT = 1.5  # width by height, until the first picture
_BESIDE = 8  # pixels from the picture's edges to the badge, where there are as many
THINNEST = 64  # times as long as wide; a picture that is longer is widened, or there would be nothing to see


class FrameView(QWidget):
    """Shows pictures as large as they fit, their aspect kept.

    The picture is a plain ``QLabel``, not a paint event of ours: Qt then scales and paints it without Python's lock,
    and training goes on meanwhile.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Rendered episode")
        self._size = QSize()  # of the last picture as rendered
        self._aspect = DEFAULT_ASPECT
        self._picture = QLabel(self)
        self._picture.setScaledContents(True)
        self._picture.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._picture.hide()
        self._sentence = QLabel(self)
        self._sentence.setTextFormat(Qt.TextFormat.PlainText)
        self._sentence.setWordWrap(True)
        self._sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._forms: tuple[str, ...] = ("",)  # of the badge, the longest first
        self._badge = QLabel(self)
        self._badge.setProperty("role", "badge")
        self._badge.hide()

    @property
    def aspect(self) -> float:
        """Width by height of the tallest picture since ``forget_sizes``: many sizes have their room made once."""
        return self._aspect

    @property
    def picture_rect(self) -> QRect:
        """Where the picture is drawn."""
        return self._picture.geometry()

    @property
    def sentence(self) -> str:
        """The sentence shown in place of a picture, or nothing."""
        return "" if self._sentence.isHidden() else self._sentence.text()

    @property
    def badge(self) -> str:
        return "" if self._badge.isHidden() else self._badge.text()

    def show_picture(self, image: QImage) -> None:
        thinnest = QSize(image.height() // THINNEST, image.width() // THINNEST)
        size = image.size().expandedTo(thinnest)
        if size != self._size:
            first = self._size.isEmpty()
            self._size = size
            aspect = size.width() / size.height()
            self._aspect = aspect if first else min(aspect, self._aspect)
            self._place()
        pixmap = QPixmap.fromImage(image)
        times = self._enlargement()
        if times > 1 or size != image.size():
            # Whole pixels first: smoothing alone would blur a small picture.
            pixmap = pixmap.scaled(self._size * times)
        self._picture.setPixmap(pixmap)
        if self._picture.isHidden():
            self._sentence.hide()
            self._picture.show()

    def forget_sizes(self) -> None:
        """Another environment's pictures come next."""
        self._size, self._aspect = QSize(), DEFAULT_ASPECT

    def show_sentence(self, text: str, role: str = "muted") -> None:
        """Put ``text`` where the picture would be."""
        self._picture.hide()
        self._picture.clear()
        self._sentence.setText(text)
        if self._sentence.property("role") != role:
            set_role(self._sentence, role)
        self._sentence.show()

    def show_badge(self, text: str, *shorter: str) -> None:
        """A word in the picture's corner, or the first of the ``shorter`` ones that a small picture has room for;
        nothing for none."""
        forms = (text, *shorter)
        if forms == self._forms and bool(text) != self._badge.isHidden():
            return
        self._forms = forms
        self._badge.setVisible(bool(text))
        self._place()

    def _enlargement(self) -> int:
        ratio = self._picture.width() * self.devicePixelRatioF() / max(self._size.width(), 1)
        return min(max(int(-(-ratio // 1)), 1), 8)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        inner = self.rect()
        self._sentence.setGeometry(inner.adjusted(16, 8, -16, -8))
        if not self._size.isEmpty():
            fitted = self._size.scaled(inner.size(), Qt.AspectRatioMode.KeepAspectRatio)
            left = (inner.width() - fitted.width()) // 2
            top = (inner.height() - fitted.height()) // 2
            self._picture.setGeometry(QRect(left, top, fitted.width(), fitted.height()))
        corner = self._picture.geometry() if not self._picture.isHidden() else inner
        self._place_badge(corner if corner.width() else inner)

    def _place_badge(self, corner: QRect) -> None:
        for form in self._forms:
            self._badge.setText(form)
            self._badge.adjustSize()
            if self._badge.width() <= corner.width() - _BESIDE:
                break
        left = corner.left() + min(_BESIDE, max(corner.width() - self._badge.width(), 0) // 2)
        left = max(min(left, self.width() - self._badge.width()), 0)
        self._badge.move(left, corner.top() + min(_BESIDE, max(corner.height() - self._badge.height(), 0) // 2))
        self._badge.raise_()
