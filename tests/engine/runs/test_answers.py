"""What a person answers is kept as it is given, whatever becomes of the process meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.reports.events import Asked, NoAction
from engine.runs.answers import FILE
from engine.runs.copying import take_runs
from engine.runs.library import DATABASE, Library
from engine.runs.liveness import settle
from engine.runs.recorder import Recorder
from engine.runs.records import Status
from engine.runs.resuming import resume
from engine.training.training import Training
from tests.engine.training.test_asking import asked, person_teaches, upright

ROOT = Path(__file__).parents[3]


def answer_and_die(folder: Path) -> None:
    """Answer all of a round and of the next a part; then the process is gone without a word."""
    training, recorder = Training(person_teaches(), "0123abcd"), Recorder(folder, print)
    recorder.begin(training)
    for event in training:
        recorder.put(event)
        if isinstance(event, Asked):
            first, second, *others = event.questions
            if event.round == 1:
                for question in others:
                    training.answer(question.number, upright(question))
                    recorder.answered(training)
            training.answer(first.number, upright(first))
            recorder.answered(training)
            training.answer(second.number, NoAction.LOST)
            recorder.answered(training)
            if event.round == 2:
                break
    while recorder._answers is not None or recorder._taken:
        time.sleep(0.01)
    recorder._wake.set()  # which is heard once what was taken last is written
    while recorder._wake.is_set():
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(sys.platform == "win32", reason="has no such signal")
def test_a_killed_process_loses_no_answer(library_place: Path, tmp_path: Path) -> None:
    call = (
        f"from pathlib import Path; from {__name__} import answer_and_die; answer_and_die(Path({str(library_place)!r}))"
    )
    ended = subprocess.run([sys.executable, "-c", call], cwd=ROOT, timeout=300, check=False)
    assert ended.returncode == -signal.SIGKILL
    with Library(library_place) as library:
        (record,) = settle(library)
        assert record.status is Status.INTERRUPTED
        training = resume(library, record)
        open_ = asked(training)
        assert (open_.round, len(open_.questions), open_.count) == (2, 4, 6)
        aggregate = training.learner._aggregate  # type: ignore[attr-defined]
        assert (aggregate.asked, aggregate.given, aggregate.unknown, aggregate.lost) == (6, 5, 0, 1)
        training.close()
        # They are copied with the run.
        take_runs(library_place / DATABASE, target := Library(tmp_path / "another"))
        training = resume(target, target.run(record.id))
        assert len(asked(training).questions) == 4
        training.close()
        target.close()
        # Where what was kept is broken, it is asked again, and that is said.
        (library.run_folder(record.id) / FILE).write_bytes(b"nothing")
        training = resume(library, record)
        assert "What was answered last cannot be read, and is asked again" in " ".join(training.inexact)
        assert len(asked(training).questions) == 5  # the first was kept with the state
        training.close()
