"""The values V(s) that estimators of the lab subtract, and let stand in for rewards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.analysis.lab.episodes import Episodes, Whole, play, sums_of
from engine.analysis.lab.scores import Numbers
from engine.analysis.lab.settings import Settings, ValueKind
from engine.analysis.lab.subject import Subject
from engine.analysis.playback import PolicySnapshot
from engine.config import PolicyGradientConfig
from engine.runtime.errors import RequestError

FITTED_ON = 10  # batches that V is fitted to, none of which is estimated with it
_NO_CRITIC = (
    "The run has learned no value of numbered states at this instant; choose another V, or a run with a learned value."
)


class Values(NamedTuple):
    """V of every step [M], and of what follows each episode's last step [E], 0 where it terminated."""

    steps: Numbers
    last: Numbers


class ValueSource:
    """Gives V for episodes of a subject, as the settings want it.

    V^π is that of the process with its horizon, V_t(s), by which nothing follows an episode that is cut off. The others
    know what is observed alone, as the values of a run do: they stand in for what was cut off.

    Raises:
        RequestError: the run's critic is wanted, and there is none; or V^π is not defined.
    """

    def __init__(self, subject: Subject, settings: Settings, snapshot: PolicySnapshot) -> None:
        self._subject, self._settings = subject, settings
        self._by_observation: Numbers | None = None
        self._by_step: Numbers | None = None
        kind: ValueKind = settings.value
        if kind == "fitted":
            self._by_observation = self._fitted()
        elif kind == "critic":
            self._by_observation = critic_of(snapshot)
        elif kind in ("exact", "wrong"):
            self._by_step = subject.values(settings.gamma)
            if kind == "wrong":
                start = self._by_step[0]
                mean = float(subject.mdp.initial @ start)
                self._by_step = 2.0 * mean - self._by_step

    def of(self, episodes: Episodes, returns: Numbers, batch: Whole) -> Values:
        """V for ``episodes`` whose rewards-to-go are ``returns`` [M]; ``batch`` [E] says to which each belongs."""
        if self._by_step is not None:
            at = np.minimum(episodes.step, len(self._by_step) - 1)
            return Values(self._by_step[at, episodes.states], np.zeros(episodes.count))
        seen = self._subject.seen
        observed, cut = seen[episodes.states], episodes.last >= 0
        after = seen[np.maximum(episodes.last, 0)]
        table = self._by_observation
        if table is not None:
            return Values(table[observed], np.where(cut, table[after], 0.0))
        count = len(self._subject.probabilities)
        groups = batch[episodes.episode] * count + observed
        table = _means(groups, returns, (int(batch.max()) + 1) * count)
        return Values(table[groups], np.where(cut, table[batch * count + after], 0.0))

    def _fitted(self) -> Numbers:
        """The mean reward-to-go of each observation over other episodes; 0 of what they did not come to."""
        settings = self._settings
        generator = np.random.default_rng((settings.seed, 1))
        others = play(self._subject, FITTED_ON * settings.episodes, generator)
        returns = others.sums(others.rewards, settings.gamma)
        return _means(self._subject.seen[others.states], returns, len(self._subject.probabilities))


def critic_of(snapshot: PolicySnapshot) -> Numbers:
    """V [O] as the critic of the run has learned it.

    Raises:
        RequestError: it has learned none.
    """
    beside = snapshot.beside
    if beside is None or not isinstance(snapshot.config, PolicyGradientConfig):
        raise RequestError(_NO_CRITIC)
    found: Numbers = beside.values.double().numpy()
    return found


def has_critic(snapshot: PolicySnapshot) -> bool:
    """Whether a run has learned a value of numbered states beside its policy."""
    return snapshot.beside is not None and isinstance(snapshot.config, PolicyGradientConfig)


def _means(groups: NDArray[np.int64], values: Numbers, count: int) -> Numbers:
    """The mean of each group, [count]; 0 of an empty one."""
    found: Numbers = sums_of(values, groups, count) / np.maximum(np.bincount(groups, minlength=count), 1)
    return found


def choices(snapshot: PolicySnapshot) -> Sequence[ValueKind]:
    """Which V there are for it."""
    return ("fitted", "same", "exact", *(("critic",) if has_critic(snapshot) else ()), "wrong")
