"""A slice through a continuous state space: what the policy does there and what it is worth, as it learns, beside the
states that it visits and the returns that it has from there."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QDeadlineTimer, Qt, Signal

from app.panels.surface.against import explained
from app.panels.surface.held import written
from app.panels.surface.quantities import AGAINST, RETURNS, Quantity, offered, read
from app.panels.surface.slice_layout import PLAY, PLAY_VISITED, STOP, SliceLayout
from app.panels.surface.slice_picture import Colouring, discs, drawn, in_cells
from app.panels.surface.slice_words import HOW, MOVE, NO_STATES, NONE_YET, notes
from app.panels.surface.slicer import Played, Slicer, points_to_play_from, some_of
from app.panels.surface.trail import Trail, Visited, fitted
from app.session.file_work import FileWork
from app.session.playback_thread import PlaybackThread
from app.session.played_returns import PlayedReturns
from app.style.format import short_number
from app.style.theme import Theme
from engine.analysis.coordinates import Coordinates
from engine.catalogue.spaces import EnvironmentInfo

if TYPE_CHECKING:  # with torch
    from engine.analysis.playback import PolicySnapshot
    from engine.analysis.rolled_out import Returns
    from engine.analysis.slices import Cut, Found
    from engine.reports.update_events import Inspected

_MOST_READ = 6  # numbers of a point
_READ = 6.0  # seconds for which a sentence stays that answers what a person has done
MOST_OF_BATCH = 2_000  # states of a batch that are shown
_KNOWN = 100  # states after which it is known about where states are


class SlicePage(SliceLayout):
    """Computes on a thread of its own, and only when told to ``follow``.

    Signals:
        filled: there is something to see.
        failed: why there is nothing, in a sentence.
    """

    filled = Signal()
    failed = Signal(str)

    def __init__(self, theme: Theme, playback: PlaybackThread) -> None:
        super().__init__(theme)
        self._playback = playback
        self._environment: EnvironmentInfo | None = None
        self._coordinates: Coordinates | None = None
        self._slicer = Slicer()
        self._work = FileWork(self, "slice", "The slice could not be computed")
        self._asked: tuple[PolicySnapshot, Cut] | None = None  # what is computed now
        self._shown: tuple[PolicySnapshot, Cut] | None = None
        self._found: Found | None = None
        self._returns: Played | None = None  # from the slice
        self._compared: Played | None = None  # the last, from wherever, beside which V stands
        self._rolls_out = False  # whether returns can be played in these states
        self._colouring: Colouring | None = None
        self._visited: Visited | None = None
        self._offered: list[Quantity] = []
        self._wanted: tuple[str, int] | None = None  # what a person has chosen to see
        self._batch: Inspected | None = None  # that is looked into
        self._in_batch: list[NDArray[np.float64]] = []  # its states
        self._answered = -_READ  # when a sentence was said
        self._fitted = 0  # by how many states ranges are where states are; none where that is known anyhow
        self.played = PlayedReturns(self)
        self._work.failed.connect(self._fail)
        self.shows.activated.connect(self._choose)
        self.across.activated.connect(lambda: self._take_axes(0))
        self.up.activated.connect(lambda: self._take_axes(1))
        self.whole.clicked.connect(self._show_whole)
        self.held.changed.connect(self._pull)
        self.follows.toggled.connect(self._lay_anew)
        self.map.pointed.connect(self._tell)
        self.map.chosen.connect(self._play_from)
        self.map.moved.connect(self._follow_view)
        self.play.clicked.connect(self._play_or_stop)
        self.played.progressed.connect(lambda share: self.progress.setValue(round(100 * share)))
        self.played.came.connect(self._take_returns)
        self.played.over.connect(self._rest)
        self.played.failed.connect(self._answer)

    # --- from the panel ---

    def set_choice(self, coordinates: Coordinates, environment: EnvironmentInfo) -> None:
        """Ready it for the states of this environment."""
        before = self._coordinates
        self._coordinates = coordinates
        if environment == self._environment and before is not None and before.components == coordinates.components:
            return
        self._environment = environment
        self.offer_axes(self._components)
        self.held.offer(
            self._components,
            [0.0 if each.low <= 0.0 <= each.high else (each.low + each.high) / 2 for each in self._components],
        )
        self.forget()
        self._visited = Visited(coordinates)
        self._fitted = 0
        self.follows.setVisible(len(self._components) > 2)
        self.follows.setChecked(not coordinates.usual)  # else there is hardly ever a state on the slice
        self.map.setCursor(Qt.CursorShape.ArrowCursor if coordinates.why_not else Qt.CursorShape.CrossCursor)
        names = [each.name for each in self._components]
        self.show_axes(*((names.index("angle"), names.index("angular velocity")) if "angle" in names else (0, 1)))
        self._show_whole()

    def forget(self) -> None:
        """Know nothing of any policy any more."""
        self.played.cancel()
        self._found = self._shown = self._returns = self._compared = None
        self._offered, self._batch, self._in_batch = [], None, []
        self._colouring = None if self._environment is None else Colouring(self._environment.action)
        self.map.show_picture(None, None)
        self.map.show_discs(())
        self.map.show_trail(None)
        self.thumbnail.show_picture(None)

    def follow(self) -> None:
        """Show what is known by now of the policy that is watched; costs nothing where that is shown already."""
        policy = self._playback.policy
        if policy is None or self._asked is not None or policy.environment != self._environment:
            return
        wanted = policy, self._cut()
        if self._shown is not None and self._shown[0] is policy and self._shown[1] == wanted[1]:
            return
        self._asked = wanted
        self._work.ask(partial(self._slicer.slice, *wanted), self._take)

    def show_batch(self, batch: Inspected | None) -> None:
        """Show the states of a batch, too; those of none without."""
        if batch is not self._batch and self._visited is not None:
            self._batch = batch
            thinned = [] if batch is None else [batch.observations[:: 1 + len(batch.observations) // MOST_OF_BATCH]]
            self._in_batch = self._visited.points(thinned, keep=False)
            self._show_agent()

    def show_episode(self) -> None:
        """The agent has gone on."""
        self.thumbnail.show_picture(self._playback.picture)
        self._show_agent()

    def end(self) -> None:
        self._work.end()
        self.played.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        return self._work.wait(deadline) and self.played.wait(deadline)

    # --- what is shown ---

    @property
    def quantity(self) -> Quantity | None:
        """What a person has chosen, where it is there, or else the first of all."""
        chosen = (each for each in self._offered if (each.kind, each.index) == self._wanted)
        return next(chosen, self._offered[0] if self._offered else None)

    @property
    def _components(self) -> tuple[Any, ...]:
        return self._coordinates.components if self._coordinates is not None else ()

    def _cut(self) -> Cut:
        from engine.analysis.slices import Cut  # with torch, which is loaded by now, since there is a policy

        held = (0.0 if index in self.axes else value for index, value in enumerate(self.held.values))
        return Cut(self.axes, self.map.ranges, tuple(held))

    def _take(self, found: Found) -> None:
        from engine.analysis.rolled_out import why_not_rolled_out  # with torch, which is loaded by now

        asked, self._asked = self._asked, None
        if asked is None or asked[0].environment != self._environment:
            self.follow()
            return
        self._found, self._shown = found, asked
        self._rolls_out = not why_not_rolled_out(asked[0].config.environment)
        self._draw()
        if not self.map.underMouse() and time.monotonic() - self._answered > _READ:
            self._tell(None)
        self.filled.emit()
        self.follow()

    def _offer(self, policy: PolicySnapshot, found: Found) -> None:
        """Offer what there is to be shown; what a person has chosen comes back once there is such a thing."""
        there = offered(found, policy.config, policy.environment)
        there += [RETURNS] if self._returns is not None else []
        there += [AGAINST] if found.values is not None and self._rolls_out else []
        if there != self._offered:
            self._offered = there
            self.offer_quantities([each.title for each in there])
        if self.quantity is not None:
            self.shows.setCurrentIndex(there.index(self.quantity))

    def _choose(self, index: int) -> None:
        self._wanted = self._offered[index].kind, self._offered[index].index
        self._draw()
        self._tell(None)

    def _draw(self) -> None:
        if self._found is None or self._shown is None:
            return
        policy, cut = self._shown
        self._offer(policy, self._found)
        quantity, returns, colouring = self.quantity, self._returns, self._colouring
        self.views.setCurrentWidget(self.against if quantity is AGAINST else self.map)
        if not self.played.under_way:
            self.play.setText(PLAY_VISITED if quantity is AGAINST else PLAY)
        if quantity is None or quantity is AGAINST or colouring is None:
            return
        played = None if returns is None else returns.returns.mean
        if quantity is RETURNS and returns is not None and returns.cut is not None and played is not None:
            bar = colouring.of(quantity, played, self._found.values)
            self.map.show_picture(in_cells(played, returns.cut, bar), bar)
            self.map.show_discs(())
            return
        shown = drawn(quantity, self._found, cut, colouring, played if quantity.kind == "value" else None)
        self.map.show_picture(*shown)
        self.map.show_discs(())
        if quantity.kind == "value" and shown.bar is not None and returns is not None and returns.cut is not None:
            self.map.show_discs(discs(returns.cut.states()[:, self.axes], returns.returns.mean, shown.bar))

    def _tell(self, at: tuple[float, float] | None) -> None:
        """What is known of a point; without one, what is shown of all."""
        if self._found is None or self._shown is None:
            return
        policy, cut = self._shown
        if at is None:
            title = f"{self.quantity.title} · " if self.quantity is not None else ""
            how = MOVE if self._coordinates is None or self._coordinates.why_not else f"{HOW} {MOVE}"
            against = self.quantity is AGAINST
            beside = self._compared if against else self._returns
            said = notes(policy, beside, self._found.values is not None) or [how]
            said = [NONE_YET] if against and beside is None else said
            self.told.setText(" ".join((f"{title}iteration {self._found.iteration:,}.", *said)))
            return
        named = zip(self.axes, at, strict=True)
        places = (f"{self._components[axis].name} {written(self._components[axis], value)}" for axis, value in named)
        values = read(self._offered, self._found, cut.nearest(*at), policy.environment.action)[:_MOST_READ]
        if self._returns is not None and (played := self._returns.near(*at)) is not None:
            values.append(f"played {short_number(played[0])} ± {short_number(played[1], 2)}")
        self.told.setText(f"{', '.join(places)}: {' · '.join(values)}")

    def _answer(self, sentence: str) -> None:
        """Say it to whoever has done something, for long enough to be read."""
        self.told.setText(sentence)
        self._answered = time.monotonic()

    def _fail(self, sentence: str) -> None:
        self._asked = None
        self.failed.emit(sentence)

    # --- where the slice lies ---

    def _take_axes(self, changed: int) -> None:
        """Where both are the same now, the other one becomes what this one was."""
        axes = list(self.axes)
        if axes[0] == axes[1]:
            axes[1 - changed] = self._axes_before[changed]
        self.show_axes(axes[0], axes[1])
        self._let_returns_go()
        self._show_whole()
        self._show_agent()

    def _usual(self) -> tuple[tuple[float, float], tuple[float, float]]:
        one, other = (self.held.components[axis] for axis in self.axes)
        return (one.low, one.high), (other.low, other.high)

    def _show_whole(self) -> None:
        self._axes_before = self.axes
        self.map.show_ranges(self._usual())
        self._follow_view()

    def _follow_view(self) -> None:
        self.whole.setVisible(self.map.ranges != self._usual())
        self.follow()

    def _pull(self) -> None:
        self.follows.setChecked(False)
        self._let_returns_go()
        self.follow()
        self._show_agent()

    def _lay_anew(self, follows: bool) -> None:
        if follows and self._returns is not None:
            self._let_returns_go()
        self._show_agent()

    def _show_agent(self) -> None:
        """The states that were visited, and the slice through the agent's where it is to be there."""
        coordinates = self._coordinates
        points = None if self._visited is None else self._visited.points(self._playback.visited.episodes())
        if not points or coordinates is None:
            self.map.show_trail(None)
            return
        if not coordinates.usual and sum(map(len, points)) >= max(2 * self._fitted, _KNOWN):
            self._fit(np.concatenate(points))
        if self.follows.isChecked():
            now = zip(points[-1][-1].tolist(), self.held.values, strict=True)
            self.held.show_values([before if np.isnan(value) else value for value, before in now])
        widths = np.array([each.high - each.low for each in self.held.components])
        self.map.show_trail(Trail.of([*self._in_batch, *points], self.axes, np.array(self.held.values), widths))

    def _fit(self, points: NDArray[np.float64]) -> None:
        """Have axes and sliders reach as far as states do, where nothing better is known."""
        self._fitted = len(points)
        self.held.offer(fitted(self._components, points), self.held.values)
        self.held.show_axes(self.axes)
        if not self.whole.isVisible():
            self._show_whole()

    # --- what a person does with it ---

    def _play_from(self, x: float, y: float) -> None:
        from engine.analysis.beginnings import InState  # with torch, which is loaded by now

        policy, coordinates = self._playback.policy, self._coordinates
        if policy is None or coordinates is None:
            return
        if coordinates.why_not:
            self._answer(coordinates.why_not)
            return
        state: NDArray[np.float64] = np.array(self.held.values)
        state[list(self.axes)] = x, y
        self._playback.play_from(policy, InState(state))

    def _play_or_stop(self) -> None:
        from engine.analysis.rolled_out import why_not_rolled_out  # with torch, which is loaded by now

        if self.played.under_way:
            self.played.cancel()
            return
        if self._shown is None:
            return
        policy = self._shown[0]
        problem = why_not_rolled_out(policy.config.environment)
        if problem:
            self._answer(problem)
            return
        cut, states = None, None
        if self.quantity is AGAINST:
            points = [] if self._visited is None else self._visited.points(self._playback.visited.episodes())
            states = some_of(points) if points else None
            if states is None or not len(states) or np.isnan(states).any():
                self._answer(NO_STATES)
                return
        else:
            self.follows.setChecked(False)
            cut = points_to_play_from(self._cut())
            states = cut.states()
        self._to_play = policy, states, cut
        self.progress.setValue(0)
        self.progress.show()
        self.played.begin(policy, states)
        self.play.setText(STOP)

    def _take_returns(self, returns: Returns) -> None:
        policy, states, cut = self._to_play
        played = self._compared = Played(cut, policy.iteration, returns)
        if cut is not None:
            if self._returns is None and self.quantity is not None and self.quantity.kind != "value":
                self._wanted = ("returns", 0) if self._found is None or self._found.values is None else ("value", 0)
            self._returns = played
            self._draw()
        self._tell(None)
        self._work.ask(partial(self._slicer.values, policy, states), partial(self._compare, played))

    def _compare(self, played: Played, values: NDArray[np.float32] | None) -> None:
        """Values of the policy that played, where there are any, beside its returns."""
        if values is not None and played is self._compared:
            played.explained = explained(played.returns, values)
            self.against.show_returns(played.returns, values)
            self._tell(None)

    def _rest(self) -> None:
        self.play.setText(PLAY_VISITED if self.quantity is AGAINST else PLAY)
        self.progress.hide()

    def _let_returns_go(self) -> None:
        """They were of another slice."""
        self.played.cancel()
        self._returns = None
        self._draw()
