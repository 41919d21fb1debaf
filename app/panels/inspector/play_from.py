"""Playing from a sample: an episode that begins in the state that is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QMenu, QToolButton

from app.models.inspection import Inspection, Start
from app.session.playback_thread import PlaybackThread
from app.style import icons
from app.style.theme import Theme

if TYPE_CHECKING:  # with torch
    from engine.analysis.beginnings import InState
    from engine.analysis.playback import PolicySnapshot
    from engine.analysis.samples import Samples


class PlayFromHere(QToolButton):
    """A click plays by the policy that acted there; its menu has by whom else.

    Args:
        looked_at: the samples, and which of them is looked at; None where none is.

    Signals:
        refused: why no episode can begin there, in a sentence.
    """

    refused = Signal(str)

    def __init__(
        self,
        playback: PlaybackThread,
        inspection: Inspection,
        looked_at: Callable[[], tuple[Samples, int] | None],
    ) -> None:
        super().__init__()
        self._playback, self._inspection, self._looked_at = playback, inspection, looked_at
        self.setText("Play from here")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        self.clicked.connect(lambda: self.play())
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self.fill_menu)
        self.setMenu(self._menu)

    def apply_theme(self, theme: Theme) -> None:
        icons.give(self, "play", color=theme.text, color_disabled=theme.disabled)

    def play(self, *, newest: bool = False, waits: bool = False) -> None:
        """Play an episode from the state that is looked at: by the policy that acted there, or the ``newest``; one that
        ``waits`` is held in that state until a person has it play on."""
        beginning, at = self._beginning(), self._looked_at()
        if beginning is None or at is None:
            return
        policy: PolicySnapshot = at[0].looked.policy
        present = self._playback.policy
        if newest and present is not None and present.fits(policy):
            policy = present
        self._playback.set_paused(waits)
        self._playback.play_from(policy, beginning)
        self._inspection.tell_played()

    def play_by_hand(self) -> None:
        """Have the person play an episode from the state that is looked at."""
        beginning, at = self._beginning(), self._looked_at()
        if beginning is not None and at is not None:
            self._inspection.ask_for_hands(Start(at[0].looked.config.environment, beginning))

    def _beginning(self) -> InState | None:
        """The state that is looked at, where an episode can begin in it; else it is said why not."""
        from engine.analysis.beginnings import begins_at
        from engine.runtime.errors import RequestError

        at = self._looked_at()
        if at is None:
            return None
        samples, row = at
        policy, observation = samples.looked.policy, samples.looked.batch.observations[row]
        try:
            return begins_at(observation, policy.config.environment, policy.environment)
        except RequestError as error:
            self.refused.emit(str(error))
            return None

    def fill_menu(self) -> None:
        """Offer what there is to play by now."""
        self._menu.clear()
        at, present = self._looked_at(), self._playback.policy
        if at is None:
            return
        policy = at[0].looked.policy
        words = f"By the policy that acted (after iteration {policy.iteration:,})"
        self._menu.addAction(words, lambda: self.play())
        fits = present is not None and present.fits(policy)
        now = f"after iteration {present.iteration:,}" if present is not None else "none"
        self._menu.addAction(f"By the policy that plays now ({now})", lambda: self.play(newest=True)).setEnabled(fits)
        self._menu.addAction("Set the environment to this state, and wait", lambda: self.play(waits=True))
        self._menu.addAction("By yourself", self.play_by_hand)

    def offer_menu(self, place: QPoint) -> None:
        """Open the menu at a place of the screen."""
        self.fill_menu()
        if not self._menu.isEmpty():
            self._menu.popup(place)
