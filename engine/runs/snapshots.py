"""What is kept of a run on its way: the policies of some iterations, what was told of their batches, and, where that
is small, all that it takes to go on from there. A timeline shows them.

At first every iteration is kept. As the run goes on, every second one goes whenever there are too many or they take too
much room, so that they stay evenly spread and a long run keeps no more than a short one. A policy costs little, the
whole state much more, so that fewer iterations have that. Importable without torch and without numpy.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ActorCriticConfig, RunConfig, ValueBasedConfig, acts_by_values
from engine.reports.events import Estimated, Event, Reweighted
from engine.runs.giving import given_of
from engine.runs.library import Library
from engine.runs.records import CheckpointRecord, RunRecord
from engine.runtime.errors import RequestError, describe
from engine.runtime.state import State

if TYPE_CHECKING:  # with torch
    import numpy as np
    from numpy.typing import NDArray

    from engine.analysis.playback import PolicySnapshot
    from engine.training.training import Training

MOST = 64  # iterations of which something is kept
MOST_BYTES = 32 << 20  # that these take together
LARGEST_STATE = 256 << 10  # bytes of a state that is kept with the policy
VALUES = 2048  # of a batch; a histogram of more looks the same
SHARE = 0.005  # of the time of training, that keeping policies may take
STATE_SHARE = 0.002  # and that keeping whole states may take beside it
SAVED = 0.006  # seconds that policies may take at first, so that a run that is over in a moment has a course, too


@dataclass(frozen=True)
class Snapshot:
    """What is known of a run after ``iteration`` iterations.

    ``advantages`` and ``ratios`` are what that iteration told of its batch, thinned evenly where that was large, None
    where it told nothing. ``state`` is that from which the run can go on exactly; None where there is none, and where
    the snapshot was read: ``state_in`` finds it then.
    """

    policy: PolicySnapshot
    environment_steps: int
    advantages: Estimated | None = None
    ratios: Reweighted | None = None
    state: State | None = None

    @property
    def iteration(self) -> int:
        return self.policy.iteration

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        weights = sum(tensor.nbytes for tensor in self.policy.state.values())
        batch = 0 if self.advantages is None else 2 * self.advantages.advantages.nbytes
        ratios = 0 if self.ratios is None else self.ratios.log_ratios.nbytes
        beside = 0 if self.policy.beside is None else self.policy.beside.values.nbytes
        beside += 0 if self.policy.critics is None else self.policy.critics.nbytes
        beside += sum(tensor.nbytes for tensor in (self.policy.value or {}).values())
        return weights + beside + batch + ratios + (0 if self.state is None else _size(self.state))


class SnapshotKeeper:
    """Chooses what is kept of one run, and keeps it.

    ``put`` and ``between`` belong to the thread that trains, ``write`` to whichever one writes the library.

    Args:
        kept: what the library has of the run already, as ``Library.snapshots`` gives it.
        clock: seconds that the thread which trains has been at work.
    """

    def __init__(
        self, kept: Sequence[tuple[int, int, int]] = (), clock: Callable[[], float] = time.thread_time
    ) -> None:
        self._kept = {iteration: size for iteration, _, size in kept}  # bytes by iteration
        self._every = spacing(self._kept)
        self._clock = clock
        self._policies, self._states = _Allowed(clock(), SAVED), _Allowed(clock(), SAVED / 10)
        self._warm = False  # the first one loads what it needs, which says nothing of the others
        self._small = True  # states can be had, and have not been too large to be kept
        self._advantages: Estimated | None = None
        self._ratios: Reweighted | None = None

    def put(self, event: Event) -> None:
        """Know what the run tells; costs nothing."""
        if isinstance(event, Estimated):
            self._advantages = event
        elif isinstance(event, Reweighted):
            self._ratios = event

    def between(self, training: Training, *, last: bool = False) -> Snapshot | None:
        """What is to be written of the iteration that has just ended, or of the beginning; None where it is not its
        turn. The ``last`` one of a run has its turn always, and may be asked for within an iteration."""
        iteration = training.updates
        if iteration in self._kept or not (last or iteration % self._every == 0):
            return None
        now = self._clock()  # costs more than all before it
        if not (last or self._policies.is_left(now, SHARE)):
            return None
        snapshot = self._policy_alone(training)
        frozen = self._clock()
        if last or self._states.is_left(frozen, STATE_SHARE):
            snapshot = replace(snapshot, state=self._state(training))
        if self._warm:
            self._policies.take(frozen - now)
            self._states.take(self._clock() - frozen if snapshot.state is not None else 0.0)
        self._warm = True
        spread = {kept: size for kept, size in self._kept.items() if kept % self._every == 0}
        self._kept, self._every = thinned(spread | {iteration: snapshot.size}, self._every)
        return snapshot

    def write(self, library: Library, run: str, snapshots: Sequence[Snapshot]) -> None:
        """Write some that ``between`` gave, and let go what has given up its place.

        Raises:
            RunError: the library cannot be written.
        """
        kept = self._kept
        with library.transaction():
            for snapshot in snapshots:
                began = time.thread_time()
                if snapshot.iteration in kept:
                    at = snapshot.iteration, snapshot.environment_steps
                    library.keep_snapshot(run, *at, to_bytes(snapshot))
                written = self._policies if snapshot.state is None else self._states
                written.writing = time.thread_time() - began
            library.drop_snapshots(run, [there for there, _, _ in library.snapshots(run) if there not in kept])

    def _policy_alone(self, training: Training) -> Snapshot:
        from engine.analysis.playback import frozen

        policy, at = frozen(training), (training.updates, training.mean_return)
        advantages, ratios = self._advantages, self._ratios
        return Snapshot(
            policy,
            training.environment_steps,
            _few_advantages(advantages) if advantages is not None and advantages.iteration == at[0] else None,
            _few_ratios(ratios) if ratios is not None and ratios.iteration == at[0] else None,
        )

    def _state(self, training: Training) -> State | None:
        """The state to go on from, unless it is too large or cannot be had here. It is made into bytes where it is
        written, which takes ten times as long."""
        if not self._small or training.updates != training.iteration:
            return None
        try:
            state = training.state()
        except Exception:  # of several seeds, which hardly ever rest all, or of an environment from elsewhere
            self._small = False
            return None
        if _size(state) <= LARGEST_STATE:
            return state
        self._small = False  # it becomes no smaller, and looking again would cost time
        return None


class _Allowed:
    """Seconds that something may take: a share of those that pass, of which so many are ``saved`` at most."""

    def __init__(self, now: float, saved: float) -> None:
        self._left = self._most = saved
        self._at = now
        self.writing = 0.0  # seconds that the latest took to be written, as the next will

    def is_left(self, now: float, share: float) -> bool:
        self._left, self._at = min(self._left + share * (now - self._at), self._most), now
        return self._left > 0.0

    def take(self, seconds: float) -> None:
        self._left -= seconds + (self.writing if seconds else 0.0)


def thinned(kept: Mapping[int, int], every: int) -> tuple[dict[int, int], int]:
    """What is left of ``kept``, bytes by iteration, and which multiples are kept from now on: every second one goes as
    long as there are too many or they take too much room. The newest stays."""
    left, newest = dict(kept), max(kept)
    while every <= newest and (len(left) > MOST or sum(left.values()) > MOST_BYTES):
        every *= 2
        left = {iteration: size for iteration, size in left.items() if iteration % every == 0 or iteration == newest}
    return left, every


def spacing(kept: Mapping[int, int]) -> int:
    """The greatest power of 2 of which all ``kept`` iterations but the last are multiples."""
    every, spread = 1, sorted(kept)[:-1]
    while any(spread) and all(iteration % (2 * every) == 0 for iteration in spread):
        every *= 2
    return every


# --- as bytes ---------------------------------------------------------------------------------------------------------


def to_bytes(snapshot: Snapshot) -> bytes:
    """A snapshot as the library keeps it; its environment and its configuration are known of the run."""
    import numpy as np

    from engine.training import checkpoint

    policy, batch, ratios, state = snapshot.policy, snapshot.advantages, snapshot.ratios, snapshot.state
    return checkpoint.to_bytes(
        {
            "iteration": policy.iteration,
            "environment_steps": snapshot.environment_steps,
            "policy": policy.state,
            "temperature": policy.temperature,
            "epsilon": policy.epsilon,
            "critics": policy.critics,
            "value": policy.value,
            "beside": None if policy.beside is None else policy.beside._asdict(),
            "mean_return": policy.mean_return,
            "advantages": None if batch is None else [batch.advantages, batch.normalized],
            "ratios": None if ratios is None else {name: getattr(ratios, name) for name in _RATIOS},
            _STATE: None if state is None else np.frombuffer(checkpoint.to_bytes(state), np.uint8),
        }
    )


def from_bytes(data: bytes, config: RunConfig, environment: EnvironmentInfo) -> Snapshot:
    """What ``to_bytes`` was given, of a run of ``config`` in ``environment``.

    Raises:
        RequestError: these bytes are none of a snapshot, or damaged.
    """
    from engine.analysis.playback import PolicySnapshot
    from engine.values.state_values import StateValues

    found = _content(data)
    try:
        iteration, mean = int(found["iteration"]), found["mean_return"]
        weights = dict(found["policy"])
        temperature = float(found["temperature"])
        mean = None if mean is None else +mean
        beside, critics = found.get("beside"), found.get("critics")
        values = None if beside is None else StateValues(**beside)
        policy = PolicySnapshot(
            config, environment, weights, iteration, temperature, mean, found.get("epsilon"), values, critics
        )
        policy = replace(policy, value=found.get("value"))
        batch, ratios = found["advantages"], found["ratios"]
        return Snapshot(
            policy,
            int(found["environment_steps"]),
            None if batch is None else Estimated(iteration, *batch),
            None if ratios is None else Reweighted(iteration, **ratios),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RequestError(f"{_DAMAGED}: {describe(error)}.") from None


def last_kept(library: Library, run: RunRecord, environment: EnvironmentInfo) -> Snapshot | None:
    """The last that is known of a run: its last snapshot, with the last batch of which one tells, since a run may have
    been stopped within an iteration; where there is none, the policy of its last checkpoint; None where neither was
    kept.

    Raises:
        RequestError: it is damaged, or of a configuration that is not known here.
        RunError: the library cannot be read.
    """
    return _with_given(found, library, run) if (found := _last_kept(library, run, environment)) else None


def _last_kept(library: Library, run: RunRecord, environment: EnvironmentInfo) -> Snapshot | None:
    kept = library.snapshots(run.id)
    if kept:
        read = (
            from_bytes(library.snapshot(run.id, iteration), run.config_now, environment)
            for iteration, _, _ in kept[-1:-3:-1]
        )
        last = next(read)
        before = next(read, None) if last.advantages is None else None
        return last if before is None else replace(last, advantages=before.advantages, ratios=before.ratios)
    checkpoints = library.checkpoints(run.id)
    return _of_checkpoint(library, run, environment, checkpoints[0]) if checkpoints else None


def kept_at(library: Library, run: RunRecord, environment: EnvironmentInfo, iteration: int) -> Snapshot:
    """What is known of a run after ``iteration`` iterations: what was kept of it on its way, or else the policy of the
    checkpoint that was taken then.

    Raises:
        RequestError: nothing was kept of that iteration, or it is damaged, or of a configuration that is not known
            here.
        RunError: the library cannot be read.
    """
    saved = [checkpoint for checkpoint in library.checkpoints(run.id) if checkpoint.iteration == iteration]
    if saved and iteration not in {there for there, _, _ in library.snapshots(run.id)}:
        found = _of_checkpoint(library, run, environment, saved[0])
    else:
        found = from_bytes(library.snapshot(run.id, iteration), run.config_now, environment)
    return _with_given(found, library, run)


def _with_given(snapshot: Snapshot, library: Library, run: RunRecord) -> Snapshot:
    """With what the run learns from, which is kept once and not with every policy."""
    return replace(snapshot, policy=replace(snapshot.policy, given=given_of(library, run)))


def _of_checkpoint(
    library: Library, run: RunRecord, environment: EnvironmentInfo, checkpoint: CheckpointRecord
) -> Snapshot:
    from engine.analysis.playback import PolicySnapshot
    from engine.runs.exports.export import Source
    from engine.runs.exports.kept_policy import policy_in

    found = policy_in(Source(library, run), checkpoint)
    weights, mean = dict(found.parameters), checkpoint.mean_return
    budget = max(found.config.budget.environment_steps, 1)
    temperature, epsilon = _exploring(found.config, environment, min(checkpoint.environment_steps / budget, 1.0))
    policy = PolicySnapshot(found.config, environment, weights, checkpoint.iteration, temperature, mean, epsilon)
    return Snapshot(policy, checkpoint.environment_steps)


def _exploring(config: RunConfig, environment: EnvironmentInfo, progress: float) -> tuple[float, float | None]:
    """Temperature and ε with which a run of ``config`` acts at this share of its budget, which a checkpoint holds as
    little as the policy's other settings."""
    from engine.algorithms.value_based.exploration import epsilon_at
    from engine.catalogue.methods.distribution import distribution_of, policy_of

    if isinstance(config, ValueBasedConfig):
        return 1.0, epsilon_at(config.exploration, progress)
    if acts_by_values(config):
        return 1.0, 0.0
    if isinstance(config, ActorCriticConfig):
        deterministic = distribution_of(policy_of(config, environment), environment) == "deterministic"
        return (config.exploration.noise**2 if deterministic else 1.0), None
    return float(getattr(config.exploration, "temperature", 1.0)), None


def is_whole(library: Library, run: str, iteration: int) -> bool:
    """Whether what was kept of an iteration holds the state to go on from; read without loading it, and without torch.

    Raises:
        RunError: the library cannot be read.
    """
    length = int.from_bytes(library.snapshot_head(run, iteration, _LENGTH), "little")
    head = library.snapshot_head(run, iteration, _LENGTH + min(length, _LONGEST_HEAD))
    return f'"/{_STATE}"'.encode() in head  # by which a file of tensors names it


def state_in(data: bytes) -> bytes | None:
    """The checkpoint that a snapshot's bytes hold; None where they hold none.

    Raises:
        RequestError: these bytes are none of a snapshot, or damaged.
    """
    state = _content(data).get(_STATE)
    return None if state is None else bytes(state.tobytes())


def _content(data: bytes) -> dict[str, Any]:
    from engine.training import checkpoint

    try:
        return checkpoint.from_bytes(data)
    except RequestError as error:
        raise RequestError(f"{_DAMAGED}: {str(error)[:1].lower()}{str(error)[1:]}") from None


_STATE = "state"
_LENGTH, _LONGEST_HEAD = 8, 1 << 20  # bytes: how long the head is stands first in a file of tensors
_DAMAGED = "What was kept of this iteration cannot be read"
_RATIOS = ("log_ratios", "of", "clip_range", "truncation", "effective_sample_size")


# --- room -------------------------------------------------------------------------------------------------------------


def few(values: NDArray[np.float32], most: int = VALUES) -> NDArray[np.float32]:
    """``values`` where they are at most ``most``; else so many of them, evenly spread over their order."""
    import numpy as np

    if values.size <= most:
        return values.ravel()
    ordered = np.sort(values, axis=None)
    return ordered[((np.arange(most) + 0.5) * (values.size / most)).astype(np.int64)]


def _few_advantages(told: Estimated) -> Estimated:
    return replace(told, advantages=few(told.advantages), normalized=few(told.normalized))


def _few_ratios(told: Reweighted) -> Reweighted:
    return replace(told, log_ratios=few(told.log_ratios))


def _size(state: Any) -> int:
    """The bytes of all tensors and arrays in a state."""
    if isinstance(state, Mapping):
        return sum(map(_size, state.values()))
    if isinstance(state, list | tuple):
        return sum(map(_size, state))
    return int(getattr(state, "nbytes", 0))
