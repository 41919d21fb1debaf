"""Which policy a page of the Lab looks at: the one that is shown, one that was kept on the way or of another run, or
the untrained one, which is that of a choice of which no run is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app.panels.record import PanelContext
from app.style.combo import Combo
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig

if TYPE_CHECKING:  # with torch
    from engine.analysis.playback import PolicySnapshot

SHOWN, UNTRAINED = ("shown",), ("untrained",)
_SHOWN_WORDS = "shown"
_MOST_INSTANTS, _MOST_RUNS = 8, 12


@dataclass(frozen=True)
class Chosen:
    """A policy that was chosen: ``load`` gives it, on another thread; ``key`` tells it from all others."""

    key: tuple[object, ...]
    load: Callable[[], PolicySnapshot]


class PolicyChoice(Combo):
    """Offers what there is when it is opened; ``first`` is at the top and is chosen at first, ``mark`` before all."""

    def __init__(
        self, context: PanelContext, name: str, tip: str, *, first: tuple[str, ...] = SHOWN, mark: str = ""
    ) -> None:
        super().__init__()
        self._context = context
        self._choice: tuple[EnvironmentInfo, RunConfig] | None = None
        self.setAccessibleName(name)
        self.setToolTip(tip)
        fixed = (("policy that is shown", SHOWN), ("untrained policy", UNTRAINED))
        self._before = f"{mark}: " if mark else ""
        for text, data in sorted(fixed, key=lambda entry: entry[1] != first):
            self.addItem(self._before + text, data)
        self._fixed = self.count()

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        """Offer policies of runs like this one."""
        if self._choice is not None and self._choice[0] != environment:
            self._offer([])
        self._choice = environment, config

    def tell(self, iteration: int) -> None:
        """What is looked at is the policy after so many iterations; said where it is the one that is shown."""
        if self.currentData() == SHOWN:
            which = f"iteration {iteration:,}" if iteration else "untrained"
            self.setItemText(self.currentIndex(), f"{self._before}{_SHOWN_WORDS}: {which}")

    def showPopup(self) -> None:
        self._offer([*self._instants(), *self._runs()])
        super().showPopup()

    def _offer(self, entries: Sequence[tuple[str, tuple[object, ...]]]) -> None:
        """After the fixed ones; what was chosen stays, where it is still there."""
        chosen = self.currentData()
        while self.count() > self._fixed:
            self.removeItem(self.count() - 1)
        for text, data in entries:
            self.addItem(self._before + text, data)
        at = next((index for index in range(self.count()) if self.itemData(index) == chosen), 0)
        self.setCurrentIndex(at)

    def _instants(self) -> list[tuple[str, tuple[object, ...]]]:
        """Some of those that were kept of the run that is shown, the first and the last among them."""
        past = self._context.past
        every = max(-(-len(past.kept) // _MOST_INSTANTS), 1)
        some = [*past.kept[:-1:every], *past.kept[-1:]]
        return [(f"iteration {kept.iteration:,}", ("kept", past.run, kept.iteration)) for kept in some]

    def _runs(self) -> list[tuple[str, tuple[object, ...]]]:
        """The last policies of other runs in the same environment with the same kind of policy."""
        library, choice = self._context.library, self._choice
        if library is None or choice is None:
            return []
        same = [
            record
            for record in library.records()
            if record.id != self._context.past.run
            and record.environment == choice[1].environment.id
            and record.configuration.get("policy", {}).get("kind") == choice[1].policy.kind
        ]
        return [
            (f"run {record.number}: {library.name(record)}", ("kept", record.id, -1)) for record in same[:_MOST_RUNS]
        ]

    @property
    def chosen(self) -> Chosen | None:
        """What is chosen; None before there is a choice."""
        if self._choice is None:
            return None
        environment, config = self._choice
        data = self.currentData()
        policy = self._context.playback.policy
        if data == SHOWN and policy is not None and policy.environment == environment:
            return Chosen((SHOWN, id(policy), policy.iteration), lambda: policy)
        if data in (SHOWN, UNTRAINED):
            return Chosen((UNTRAINED, config.model_dump_json()), partial(_untrained, config, environment))
        assert self._context.library is not None
        return Chosen(data, partial(_kept, self._context.library.folder, data[1], data[2], environment))


def _untrained(config: RunConfig, environment: EnvironmentInfo) -> PolicySnapshot:
    from engine.analysis.lab.policies import untrained  # with torch

    return untrained(config, environment)


def _kept(folder: Path, run: str, iteration: int, environment: EnvironmentInfo) -> PolicySnapshot:
    """What was kept of a run after so many iterations; the last where that is negative."""
    from engine.runs.library import Library
    from engine.runs.snapshots import kept_at, last_kept
    from engine.runtime.errors import RequestError

    with Library(folder) as library:
        record = library.run(run)
        if iteration >= 0:
            return kept_at(library, record, environment, iteration).policy
        found = last_kept(library, record, environment)
    if found is None:
        raise RequestError(f"No policy was kept of run {record.number}; choose another one.")
    return found.policy
