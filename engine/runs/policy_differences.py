"""What the kept policy of one run gains over that of another, or over an earlier one of its own. Importable without
torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.catalogue.configured import changed, described
from engine.runs.library import Library
from engine.runs.records import RunRecord
from engine.runs.snapshots import kept_at, last_kept
from engine.runtime.errors import RequestError

if TYPE_CHECKING:  # with torch
    from engine.analysis.playback import PolicySnapshot
    from engine.analysis.policy_difference import PolicyDifference

UNKNOWN = (
    "The states of {} and what follows from each are not known as tables, by which alone J can be computed; they are "
    "in a bandit, a corridor, a grid world, the ledge, FrozenLake, CliffWalking, Taxi and Blackjack by hands."
)
_NOTHING = "No policy was kept of run {}; train a run, and its policy can be compared."

Chosen = tuple[RunRecord, int | None]
"""A run, and the iteration of which its policy is meant; None is the newest."""


def difference_between(library: Library, old: Chosen, new: Chosen) -> PolicyDifference:
    """The ``new`` policy beside the ``old`` one.

    Raises:
        RequestError: it cannot be computed; why not, and what would do.
        RunError: the library cannot be read.
    """
    for run, _ in (old, new):  # before torch is loaded for nothing
        known = described(run.config_now.environment)
        if known is None or not (known.finite or known.aliased):
            raise RequestError(UNKNOWN.format(known.title if known is not None else run.environment))
    from engine.analysis.policy_difference import difference

    return difference(*(policy_of(library, *each) for each in (old, new)))


def policy_of(library: Library, run: RunRecord, iteration: int | None = None) -> PolicySnapshot:
    """The policy that a run in a known process had at an iteration, None for its newest.

    Raises:
        RequestError: none is kept, or it is damaged.
        RunError: the library cannot be read.
    """
    config = run.config_now
    plain = described(config.environment)
    assert plain is not None
    environment = changed(plain, config.environment)
    kept = last_kept(library, run, environment) if iteration is None else kept_at(library, run, environment, iteration)
    if kept is None:
        raise RequestError(_NOTHING.format(run.number))
    return kept.policy
