"""The way to the gallery, which is made when it is first asked for: the window shows sooner without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtWidgets import QWidget

from app.models.experiment import Experiment
from app.session.choice_loader import ChoiceLoader
from app.session.lookup_thread import LookupThread
from app.style.theme import Theme

if TYPE_CHECKING:
    from app.gallery.window import Gallery

_SHARE = 0.92  # of the window behind it, when it is first opened
_LARGEST = 1640  # pixels wide; beyond, the eye has too far to go


class LazyGallery(QObject):
    """``looking``, ``held_up`` and ``refused`` hand on what the choice loader says where the gallery is not open to say
    it; ``stop_asked`` wants the run to stop that stands in the way of another environment."""

    stop_asked = Signal()
    looking = Signal(str)
    held_up = Signal(str)
    refused = Signal(str)

    def __init__(
        self, experiment: Experiment, loader: ChoiceLoader, lookups: LookupThread, settings: QSettings, window: QWidget
    ) -> None:
        super().__init__(window)
        self.gallery: Gallery | None = None
        self._experiment, self._loader, self._lookups = experiment, loader, lookups
        self._settings, self._window = settings, window
        self._running = False
        loader.looking.connect(self._tell_looking)
        loader.held_up.connect(self._tell_hold_up)
        loader.refused.connect(self._tell_refusal)

    def open(self, theme: Theme) -> None:
        if self.gallery is None:
            self.gallery = self._made(theme)
        self._lookups.list_registered()
        self.gallery.set_running(self._running)
        self.gallery.present()

    def _made(self, theme: Theme) -> Gallery:
        from app.gallery.window import Gallery

        gallery = Gallery(self._experiment, self._settings, theme, self._window)
        gallery.asked.connect(self._loader.choose)
        gallery.stop_asked.connect(self.stop_asked)
        gallery.forgotten.connect(self._loader.forget)
        self._lookups.listed.connect(gallery.show_registered)
        size = self._window.size() * _SHARE
        gallery.resize(min(size.width(), _LARGEST), size.height())
        return gallery

    def set_running(self, running: bool) -> None:
        self._running = running
        if self.gallery:
            self.gallery.set_running(running)

    def apply_theme(self, theme: Theme) -> None:
        if self.gallery:
            self.gallery.apply_theme(theme)

    def close(self) -> None:
        if self.gallery:
            self.gallery.close()

    def _tell_looking(self, id: str) -> None:
        if self.gallery and self.gallery.isVisible():
            self.gallery.show_looking(id)
        else:
            self.looking.emit(id)

    def _tell_hold_up(self, sentence: str) -> None:
        if self.gallery and self.gallery.isVisible():
            self.gallery.id_entry.say(sentence, "warning")
        else:
            self.held_up.emit(sentence)

    def _tell_refusal(self, sentence: str) -> None:
        if self.gallery and self.gallery.isVisible():
            self.gallery.refuse(sentence)
        else:
            self.refused.emit(sentence)
