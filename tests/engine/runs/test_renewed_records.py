"""Records of runs that are taken in anew without what they began with."""

from __future__ import annotations

from pathlib import Path

from engine.runs.records import Label, Reached, Status
from tests.engine.runs.libraries import filled, opened


def test_what_is_renewed_of_a_run_is_all_that_may_become_another(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        before = {run.id: run for run in (filled(library, {"seed": seed}) for seed in (1, 2, 3))}
        first, second, third = before
        library.reach(first, Reached(9, 900, 7, 3.5, 44.0, 45.0, (800, 3.0)), [1.0, 2.0])
        library.label(first, Label("the one", "a note", ("tag",), True))
        library.update(
            second, status="failed", reason="It fell over.", ended=5.0, changes='{"update.learning_rate": 0.5}'
        )
        library.update(second, device="cuda", versions='{"torch": "2"}', inexact='["The order."]')
        library.delete([third])
        renewed = library.renewed(before)
        assert renewed == {run: library.run(run) for run in (first, second)}
        assert renewed[second].status is Status.FAILED
        library.execute("UPDATE runs SET tags = 'no JSON' WHERE id = ?", (first,))
        assert list(library.renewed(before)) == [second]  # a damaged record is left out, so that the others can be seen
