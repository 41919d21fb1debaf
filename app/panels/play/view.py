"""The picture of the game, which has the keyboard while one plays, and says so."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QLabel

from app.panels.episode.frame_view import FrameView
from app.panels.play.key_names import key_name


class GameView(FrameView):
    """Takes every key while ``takes_keys``, so that none is a shortcut of the window's.

    Signals:
        pressed, released: the name of a key.
        escaped: Escape was pressed.
        entered, deserted: the keyboard has come here, or gone elsewhere.
        pointed: where in the picture the left button went down, was moved to while it was, or None where it was let go;
            as shares of width and height.
    """

    pressed = Signal(str)
    released = Signal(str)
    escaped = Signal()
    entered = Signal()
    deserted = Signal()
    pointed = Signal(object)

    takes_keys = False

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Game")
        self._count = QLabel(self)
        self._count.setProperty("role", "count")
        self._count.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._count.setAccessibleName("Countdown")
        self._count.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._count.hide()

    @property
    def counted(self) -> str:
        """What the countdown says, or nothing."""
        return "" if self._count.isHidden() else self._count.text()

    def show_count(self, count: int) -> None:
        """A number in the middle of the picture; 0 for none."""
        self._count.setText(str(count))
        self._count.setVisible(count > 0)
        self._centre()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._centre()

    def _centre(self) -> None:
        self._count.adjustSize()
        self._count.move(self.rect().center() - self._count.rect().center())
        self._count.raise_()

    # --- what a person does -------------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        if self.takes_keys and isinstance(event, QKeyEvent):
            if event.type() == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress:  # here, before Tab goes on to what is next
                self._press(event)
                return True
        return super().event(event)

    def _press(self, event: QKeyEvent) -> None:
        event.accept()
        if event.isAutoRepeat():
            return
        if event.key() == Qt.Key.Key_Escape:
            self.escaped.emit()
        elif name := key_name(event):
            self.pressed.emit(name)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if not event.isAutoRepeat() and (name := key_name(event)):
            self.released.emit(name)
        super().keyReleaseEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.entered.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.deserted.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.pointed.emit(self._share(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.pointed.emit(self._share(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.pointed.emit(None)

    def _share(self, at: QPointF) -> tuple[float, float]:
        place = self.picture_rect
        return (at.x() - place.left()) / max(place.width(), 1), (at.y() - place.top()) / max(place.height(), 1)
