"""The policy that a checkpoint of a run holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.config import RunConfig
from engine.config.validation import validated
from engine.runs.exports.export import Source
from engine.runs.records import ALIVE, CheckpointRecord
from engine.runtime.errors import RequestError

if TYPE_CHECKING:  # torch is loaded once a policy is wanted
    from torch import Tensor


@dataclass(frozen=True)
class KeptPolicy:
    """A policy's parameters and buffers by name, and the run as it was then."""

    parameters: Mapping[str, Tensor]
    config: RunConfig
    checkpoint: CheckpointRecord


def kept_policy(source: Source) -> KeptPolicy:
    """That of the last checkpoint, or of the best, as ``source`` says.

    Raises:
        RequestError: there is none, or it cannot be read.
    """
    return policy_in(source, _chosen(source))


def policy_in(source: Source, checkpoint: CheckpointRecord) -> KeptPolicy:
    """That of one checkpoint.

    Raises:
        RequestError: it cannot be read.
    """
    from engine.training.checkpoint import from_bytes
    from engine.training.many_seeds.alone import alone

    path = source.library.checkpoint_file(checkpoint)
    try:
        state = from_bytes(path.read_bytes())
    except OSError as error:
        reason = error.strerror or error
        raise RequestError(f"The checkpoint {path} of {source.name} cannot be read: {reason}.") from None
    try:
        if state.get("seeds"):
            state = alone(state, source.run.seed)
        parameters = state["learner"]["interaction"]["policy"]
        return KeptPolicy(parameters, validated(state["config"]), checkpoint)
    except (KeyError, TypeError, ValueError):
        raise RequestError(f"The checkpoint of {source.name} holds no policy of it; train it again.") from None


def _chosen(source: Source) -> CheckpointRecord:
    found = source.library.checkpoints(source.run.id)
    if not found:
        if source.run.status in ALIVE:
            raise RequestError(
                f"No policy of {source.name} has been kept yet; it will be once it has trained for longer."
            )
        raise RequestError(
            f"No policy of {source.name} was kept, for it ended before its first checkpoint; let one train for longer."
        )
    best = [checkpoint for checkpoint in found if "best" in checkpoint.kinds]
    return best[0] if source.which == "best" and best else found[0]
