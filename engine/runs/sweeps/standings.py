"""How the runs of an experiment stand, read all at once and without their configurations: cheap for thousands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.runs.damage import reads
from engine.runs.library import Library
from engine.runs.records import Status
from engine.runs.sweeps.records import Progress, Wish

if TYPE_CHECKING:  # with numpy
    from engine.runs.comparison.summaries import Outcome

_QUERY = """
SELECT e.point, e.seed, e.run, e.progress, e.wish, e.attempts, e.reason AS why, r.number, r.status, r.reason,
    r.environment_steps, r.iteration, r.seconds, r.mean_return, r.solved_steps, r.deleted
FROM experiment_runs AS e LEFT JOIN runs AS r ON r.id = e.run WHERE e.experiment = ? ORDER BY e.point, e.seed
"""


@dataclass(frozen=True)
class Standing:
    """How one seed at one point stands. ``number`` is what its run goes by in the library, None before it has begun;
    ``mean_return`` is that of its last 100 episodes, ``solved`` the environment steps after which its environment was
    solved."""

    point: int
    seed: int
    run: str
    progress: Progress
    wish: Wish
    attempts: int
    reason: str
    number: int | None
    status: Status | None
    environment_steps: int
    iteration: int
    seconds: float
    mean_return: float | None
    solved: int | None

    @property
    def counts(self) -> bool:
        """Whether it is one of those that the results are of."""
        return self.wish is not Wish.DROP

    @property
    def finished(self) -> bool:
        """Whether it has been trained to its end."""
        return self.progress is Progress.FINISHED

    @property
    def failed(self) -> bool:
        return self.progress is Progress.FAILED

    def outcome(self, budget: int) -> Outcome:
        """What it has come to by now, as it was told while it trained; one that has failed was to be trained for a
        ``budget`` of environment steps."""
        from engine.runs.comparison.summaries import Outcome

        steps = max(self.environment_steps, budget) if self.failed else self.environment_steps
        known = self.mean_return is not None and math.isfinite(self.mean_return)  # what diverged may be infinite
        score = self.mean_return if known else None
        return Outcome(score, self.solved, steps, self.failed, not (self.failed or self.finished))


@reads
def standings(library: Library, experiment: str) -> list[Standing]:
    """Those of an experiment, by point and seed; a run that was deleted is as one that never began.

    Raises:
        RunError: the library cannot be read.
    """
    found = []
    for row in library.execute(_QUERY, (experiment,)):
        there = row["number"] is not None and row["deleted"] is None
        found.append(
            Standing(
                point=row["point"],
                seed=row["seed"],
                run=row["run"],
                progress=Progress(row["progress"]),
                wish=Wish(row["wish"]),
                attempts=row["attempts"],
                reason=row["why"] or (row["reason"] or "" if there else ""),
                number=row["number"] if there else None,
                status=Status(row["status"]) if there else None,
                environment_steps=row["environment_steps"] or 0 if there else 0,
                iteration=row["iteration"] or 0 if there else 0,
                seconds=row["seconds"] or 0.0 if there else 0.0,
                mean_return=row["mean_return"] if there else None,
                solved=row["solved_steps"] if there else None,
            )
        )
    return found
