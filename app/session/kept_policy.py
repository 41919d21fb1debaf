"""The policy that the library has of a run, and what is known of its last batch."""

from __future__ import annotations

from app.models.runs import KeptRun
from app.session.run_library import RunLibrary
from engine.runtime.errors import RequestError, RunError


def take_last(library: RunLibrary, kept: KeptRun) -> str:
    """Take the policy that a run has come to, and what is known of its last batch; why that cannot be had, in a
    sentence, where that is so. Torch has to be there."""
    opened, record = library.library, library.record(kept.run.id)
    if opened is None or record is None:
        return ""
    from engine.runs.snapshots import last_kept

    try:
        snapshot = last_kept(opened, record, kept.run.environment)
    except (RequestError, RunError) as error:
        return f"The policy of run {record.number} cannot be shown: {error}"
    if snapshot is not None:
        kept.policy, history = snapshot.policy, kept.run.history
        history.advantages, history.ratios = snapshot.advantages, snapshot.ratios
    return ""
