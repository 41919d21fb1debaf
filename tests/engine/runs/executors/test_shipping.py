"""What a run tells elsewhere, written into the library of whoever conducts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.runs.executors.interface import Job, Order
from engine.runs.executors.shipping import packed, write
from engine.runs.executors.trainer import Told, Trainer
from engine.runs.library import EPISODES, Library
from engine.runs.records import Label, Status
from engine.training.checkpoint import from_bytes
from tests.engine.runs.executors.jobs import ENDLESS, is_whole, job
from tests.engine.runs.libraries import record


def to_the_end(trainer: Trainer, library: Library, known: Told | None = None) -> Told:
    """Write all that is told from now on."""
    while True:
        known = trainer.news(known.news.has if known is not None else None)
        write(library, known.news)
        if known.ended is not None:
            return known


def beyond(trainer: Trainer, library: Library, run: str, iteration: int, told: Told | None = None) -> Told:
    """Write what is told until the run has come further."""
    told = trainer.news(told.news.has if told is not None else None)
    write(library, told.news)
    while library.run(run).reached.iteration <= iteration:
        told = trainer.news(told.news.has)
        write(library, told.news)
    return told


def test_what_is_told_elsewhere_is_here_once_and_goes_on_from_the_last_state(tmp_path: Path) -> None:
    with Library(tmp_path) as library:
        library.begin(record())  # so that the run has another number here than there
        endless = job(tmp_path, "a", ENDLESS)
        trainer, run = Trainer(), endless.id
        trainer.begin(endless, packed(library, endless))
        told = trainer.news(None)
        write(library, told.news)
        library.label(run, Label("mine", pinned=True))
        trainer.news(told.news.has)  # which is lost on the way
        trainer.order(run, Order.STOP)
        ended = to_the_end(trainer, library, told).ended
        assert ended is not None
        assert ended.status is library.run(run).status is Status.STOPPED
        first = library.run(run)
        assert first.label == Label("mine", pinned=True)
        assert is_whole(library, run)
        assert len(library.series(run, EPISODES)) == first.reached.episodes
        last = library.checkpoints(run)[0]
        state = from_bytes(library.checkpoint_file(last).read_bytes())
        assert last.iteration == first.reached.iteration == state["totals"][0]["iteration"]
        assert library.snapshots(run)
        assert all(library.snapshot(run, at) for at, _, _ in library.snapshots(run))

        library.keep_checkpoint(replace(last, kinds=("last", "fork")))
        lost = Trainer()
        lost.begin(endless, packed(library, endless))
        beyond(lost, library, run, last.iteration)
        lost.leave()  # with all that it has not told
        again = packed(library, endless)
        back = library.checkpoints(run)[0].iteration
        assert library.run(run).reached.iteration == back
        assert is_whole(library, run)
        trainer.begin(endless, again)
        told = trainer.news(None)  # before the run has gone on, or just then
        assert all(of.record.reached.iteration >= back and of.events for of in told.news.runs)
        write(library, told.news)
        told = beyond(trainer, library, run, back, told)
        trainer.interrupt(run)
        ended = to_the_end(trainer, library, told).ended
        trainer.leave()
        assert ended is not None
        assert ended.status is library.run(run).status is Status.INTERRUPTED
        gone_on = [event.iteration for event in library.events(run) if event.kind == "gone on"]
        assert gone_on == [last.iteration, back]
        assert is_whole(library, run)
        assert "fork" in next(each for each in library.checkpoints(run) if each.iteration == last.iteration).kinds
        assert library.run(run).label.title == "mine"


def test_runs_that_are_trained_together_are_carried_together(tmp_path: Path) -> None:
    several = Job(job(tmp_path, "c").configuration, (0, 1), ("c" * 32, "d" * 32), tmp_path)
    trainer = Trainer()
    with Library(tmp_path) as library:
        trainer.begin(several, packed(library, several))
        ended = to_the_end(trainer, library).ended
        assert ended is not None
        assert ended.status is Status.FINISHED
        trainer.leave()
        for run in several.runs:
            assert library.run(run).status is Status.FINISHED
            assert is_whole(library, run)
            assert library.checkpoint_file(library.checkpoints(run)[0]).is_file()
