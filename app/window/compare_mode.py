"""The Compare mode in the window: its page, made when it is first wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QDeadlineTimer, QObject
from PySide6.QtGui import QAction

from app.session.choice_loader import ChoiceLoader
from app.session.run_controller import RunController
from app.session.run_library import RunLibrary
from app.window.frame import Frame

if TYPE_CHECKING:  # with numpy and pyqtgraph, which the window's first picture does not wait for
    from app.compare.page import ComparePage


class CompareMode(QObject):
    """Shows the page of the mode that is chosen.

    Args:
        modes: what chooses each mode, the Train mode first and the Compare mode next.
    """

    def __init__(
        self,
        frame: Frame,
        modes: Sequence[QAction],
        choice: ChoiceLoader,
        controller: RunController,
        library: RunLibrary,
    ) -> None:
        super().__init__(frame)
        self._frame, self._choice, self._controller, self._library = frame, choice, controller, library
        train, self.action = modes[:2]
        self.page: ComparePage | None = None
        train.toggled.connect(lambda on: frame.modes.setCurrentWidget(frame.train) if on else None)
        self.action.toggled.connect(lambda on: self._enter() if on else None)

    def _enter(self) -> None:
        page = self._made()
        self._library.look()
        shown = self._controller.shown
        page.tick_some(shown.run.id if shown is not None else "")
        self._frame.modes.setCurrentWidget(page)

    def end(self) -> None:
        """Have what plays in it end as soon as it can."""
        if self.page is not None:
            self.page.agents.player.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        """Whether it has ended before that."""
        return self.page is None or self.page.agents.player.wait(deadline)

    def _made(self) -> ComparePage:
        if self.page is None:
            from app.compare.page import ComparePage

            assert self._frame.theme is not None
            self.page = ComparePage(self._frame.theme, self._library)
            self._frame.add_comparison(self.page)
        return self.page
