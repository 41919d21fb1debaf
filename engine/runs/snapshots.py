"""What is kept of a run on its way: the policies of some iterations, what was told of their batches, and, where that
is small, all that it takes to go on from there. A timeline shows them; ``SnapshotKeeper`` chooses them. Importable
without torch and without numpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ActorCriticConfig, RunConfig, ValueBasedConfig, acts_by_values
from engine.reports.events import Estimated, Reweighted
from engine.runs.giving import given_of
from engine.runs.library import Library
from engine.runs.records import CheckpointRecord, RunRecord
from engine.runtime.errors import RequestError, describe
from engine.runtime.state import State

if TYPE_CHECKING:  # with torch
    import numpy as np
    from numpy.typing import NDArray

    from engine.analysis.playback import PolicySnapshot

VALUES = 2048  # of a batch; a histogram of more looks the same


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
        return weights + beside + batch + ratios + (0 if self.state is None else size_of(self.state))


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


def size_of(state: Any) -> int:
    """The bytes of all tensors and arrays in a state."""
    if isinstance(state, Mapping):
        return sum(map(size_of, state.values()))
    if isinstance(state, list | tuple):
        return sum(map(size_of, state))
    return int(getattr(state, "nbytes", 0))
