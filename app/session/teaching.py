"""The questions that a run asks a person: one after the other, with a short film of how each state was come to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QDeadlineTimer, QObject, Signal
from PySide6.QtGui import QImage

from app.session.file_work import FileWork
from app.session.playback_thread import picture_of
from engine.config.environments import EnvironmentConfig
from engine.runtime.errors import RunError
from engine.runtime.waiting import GivenUp, Wait, while_waiting

if TYPE_CHECKING:  # with numpy
    from engine.analysis.manual_play import ManualPlay
    from engine.reports.events import Asked, Question

FILM = 8  # pictures that lead to a state, of which one alone would not tell how fast anything moves
_NEAR = 1e-4  # how far numbers may be apart, of their size
_OTHER = "The environment does not do again what it did, so there is no picture of this state."

Answer = Callable[[int, Any], bool]


@dataclass(frozen=True)
class Film:
    """The pictures that lead to the state of question ``number``, the last of which is of it."""

    number: int
    pictures: tuple[QImage, ...]


class Teaching(QObject):
    """Lives on the main thread; films are made on another, one at a time and the next question's ahead. What ``load``
    loads is loaded there, too, before the first.

    Signals:
        changed: another question is to be answered, or none.
        filmed: there is a film of the present question.
        failed: why there is none, in a sentence.
    """

    changed = Signal()
    filmed = Signal()
    failed = Signal(str)

    def __init__(self, answer: Answer, load: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self._answer, self._load = answer, load
        self._asked: Asked | None = None
        self._environment: EnvironmentConfig | None = None
        self._open: list[Question] = []
        self._past: list[Question] = []  # answered here, in this round
        self._films: dict[int, Film] = {}
        self._wanted: set[int] = set()
        self._ending = False
        self._play: ManualPlay | None = None  # the thread's
        self._work = FileWork(self, "films", "The picture could not be made")
        self._work.failed.connect(self.failed)

    # --- what is asked ------------------------------------------------------------------------------------------------

    def take(self, asked: Asked | None, environment: EnvironmentConfig) -> None:
        """A run in this environment asks this, or nothing."""
        if asked is self._asked:
            return
        self._asked, self._environment = asked, environment
        self._open = [] if asked is None else list(asked.questions)
        self._past, self._films, self._wanted = [], {}, set()
        if asked is None and not self._ending:
            self._work.ask(self._free, lambda _: None)
        self._want_films()
        self.changed.emit()

    @property
    def question(self) -> Question | None:
        """The one to be answered now."""
        return self._open[0] if self._open else None

    @property
    def is_over(self) -> bool:
        """Whether all has been answered that was asked."""
        return self._asked is not None and not self._open

    @property
    def progress(self) -> tuple[int, int, int]:
        """Which question this is, of how many, and in which round; from 1."""
        if self._asked is None:
            return 0, 0, 0
        count = self._asked.count
        return min(count - len(self._open) + 1, count), count, self._asked.round

    @property
    def film(self) -> Film | None:
        """How the state of the present question was come to, once that is known."""
        return self._films.get(self.question.number) if self.question is not None else None

    @property
    def can_go_back(self) -> bool:
        return bool(self._past) and bool(self._open)

    # --- answers ------------------------------------------------------------------------------------------------------

    def answer(self, action: Any) -> bool:
        """Answer the present question with an action, or a ``NoAction``; whether the run has heard it."""
        question = self.question
        if question is None or not self._answer(question.number, action):
            return False
        self._past.append(self._open.pop(0))
        self._want_films()
        self.changed.emit()
        return True

    def go_back(self) -> None:
        """Ask the question before this one again, whose answer is then the new one."""
        if self.can_go_back:
            self._open.insert(0, self._past.pop())
            self._want_films()
            self.changed.emit()

    # --- films --------------------------------------------------------------------------------------------------------

    def _want_films(self) -> None:
        for question in self._open[:2]:
            if question.number not in self._wanted and self._environment is not None:
                self._wanted.add(question.number)
                asked = self._asked
                self._work.ask(partial(self._film, self._environment, question), partial(self._show, asked))

    def _show(self, asked: Asked | None, film: Film | None) -> None:
        if film is not None and asked is self._asked:
            self._films[film.number] = film
            if self.question is not None and self.question.number == film.number:
                self.filmed.emit()

    def _film(self, environment: EnvironmentConfig, question: Question) -> Film | None:
        """On the thread of films."""
        import numpy as np

        from engine.analysis.manual_play import ManualPlay

        try:
            with while_waiting(self._meanwhile):
                if self._play is None or self._play.environment != environment:
                    self._load()
                    self._free()
                    self._play = ManualPlay(environment)
                frames = self._play.led_by(question.seed, question.actions, FILM)
                if not np.allclose(self._play.observation, question.observation, rtol=_NEAR, atol=_NEAR):
                    raise RunError(_OTHER)
        except GivenUp:
            return None
        except BaseException:
            self._free()
            raise
        return Film(question.number, tuple(picture_of(frame.image) for frame in frames if frame.image is not None))

    def _meanwhile(self, _wait: Wait) -> None:
        if self._ending:
            raise GivenUp

    def _free(self) -> None:
        play, self._play = self._play, None
        if play is not None:
            play.close()

    def end(self) -> None:
        self._ending = True
        self._work.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        ended = self._work.wait(deadline)
        if ended:
            self._free()
        return ended
