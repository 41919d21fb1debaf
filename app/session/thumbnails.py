"""The last picture of every run, kept small in the run library."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QIODevice, QObject, QSize, Qt, QTimer
from PySide6.QtGui import QImage, QImageWriter

from app.models.run_state import ENDED, RunState
from app.session.playback_thread import PlaybackThread
from app.session.run_controller import RunController
from app.session.run_library import RunLibrary

SIZE = QSize(192, 144)  # pixels into which a picture is fitted
SELDOM = 60_000  # ms between two of a run that trains
AT_REST = 1_500  # ms after which a run that has come to rest shows what it has come to


class Thumbnails(QObject):
    """Takes what is being watched anyway: of a run that nobody watches there is none."""

    def __init__(self, controller: RunController, playback: PlaybackThread, library: RunLibrary) -> None:
        super().__init__(controller)
        self._controller, self._playback, self._library = controller, playback, library
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.keep)
        controller.state_changed.connect(self._follow)

    def keep(self) -> None:
        """Keep the picture that is shown as that of the run that is shown, where there is one."""
        shown, picture = self._controller.shown, self._playback.picture
        if shown is not None and self._library.library is not None and picture is not None:
            self._library.keep_picture(shown.run.id, as_png(picture))

    def _follow(self, state: RunState) -> None:
        if state is RunState.RUNNING:
            self._timer.setSingleShot(False)
            self._timer.start(SELDOM)
        elif state is RunState.STARTING:  # of another run, from which on the picture is no more of this one
            self._timer.stop()
            self.keep()
        elif state in (RunState.PAUSED, *ENDED):
            self._timer.setSingleShot(True)
            self._timer.start(AT_REST)


def as_png(picture: QImage) -> bytes:
    """``picture`` in a few kilobytes."""
    smooth = Qt.TransformationMode.SmoothTransformation
    small = picture.scaled(SIZE, Qt.AspectRatioMode.KeepAspectRatio, smooth)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, b"png").write(small)
    return bytes(buffer.data().data())
