"""What ``main.py recordings`` does: the recordings of the library listed, shown, made of a run's policy, merged into
datasets, written out and taken in."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self, cast

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table

from engine.commands.interrupts import Interrupts
from engine.commands.output import Lasting
from engine.commands.shown import number, print_out, when
from engine.runs.imports import recognised
from engine.runs.library import Library
from engine.runs.place import library_folder
from engine.runs.recording_files import RecordingFound, write
from engine.runs.recording_records import DatasetRecord, RecordingRecord
from engine.runs.recordings import Recordings
from engine.runtime.errors import RequestError

if TYPE_CHECKING:  # with torch
    from engine.analysis.policy_recording import Progress

_YEAR = 5  # characters of a date that a list leaves out


def print_list(as_json: bool, library: Path | None) -> None:
    """Write all recordings, the newest first, and all datasets to stdout, for people or as JSON.

    Raises:
        RequestError: the library cannot be opened.
        RunError: it cannot be read, or the list cannot be written.
    """
    with Library(library_folder(library)) as opened:
        records, datasets = Recordings(opened).list(), Recordings(opened).datasets()
    if as_json:
        numbers = {record.id: record.number for record in records}
        print_out(
            {"recordings": list(map(as_data, records)), "datasets": [_dataset(each, numbers) for each in datasets]}
        )
    else:
        print_out(_tables(records, datasets))


def print_recording(name: str, as_json: bool, library: Path | None) -> None:
    """Write all that is known of one recording to stdout, but for its numbers.

    Raises:
        RequestError: there is no such recording, or the library cannot be opened.
        RunError: it cannot be read or written.
    """
    with Library(library_folder(library)) as opened:
        record = Recordings(opened).find(name)
        datasets = [each.name for each in Recordings(opened).datasets() if record.id in each.recordings]
    if as_json:
        print_out(as_data(record) | _in_full(record, datasets))
    else:
        print_out(_described(record, datasets))


def record(
    name: str,
    wanted: tuple[int, bool, float | None, int | None],
    at: tuple[int | None, int],
    interrupts: Interrupts,
    library: Path | None,
) -> str:
    """Record episodes of a run's policy; a sentence of it. Ctrl+C keeps nothing.

    Args:
        wanted: how many episodes, whether greedy, of which return at least, and of how many played at most.
        at: after how many iterations of the run, and the seed.

    Raises:
        RequestError: there is no such run or policy, or nothing was recorded.
        RunError: the environment fails, or the library cannot be written.
    """
    from engine.analysis.policy_recording import Wanted
    from engine.runs.policy_recordings import record_run
    from engine.runtime.threads import compute_on_one_thread

    compute_on_one_thread()
    asked = Wanted(*wanted)
    iteration, seed = at
    with Library(library_folder(library)) as opened:
        run = opened.find(name)
        with _Bar(asked.episodes) as bar:

            def going_on(progress: Progress) -> bool:
                interrupts.check()
                bar.show(progress.kept, progress.played)
                return True

            kept = record_run(opened, run, asked, iteration=iteration, seed=seed, going_on=going_on).keep(opened)
    mean = kept.recording.mean_return
    return f"{kept.sentence} {kept.recording.title}: mean return {number(mean)}."


def export(name: str, form: str, path: Path, library: Path | None) -> str:
    """Write a recording or a dataset out; a sentence of it.

    Raises:
        RequestError: there is none like it, or it cannot be written so.
        RunError: the library cannot be read.
    """
    with Library(library_folder(library)) as opened:
        recordings = Recordings(opened)
        named = any(each.name == name for each in recordings.datasets())
        found = recordings.dataset(name) if named else recordings.demonstrations(recordings.find(name).id)
    return write(found, form, path)


def take_in(path: Path, library: Path | None) -> str:
    """Keep the demonstrations of a file, or of a folder of Minari's, as a recording; a sentence of it.

    Raises:
        RequestError: there are none.
        RunError: the library cannot be written.
    """
    found = recognised(path)
    if not isinstance(found, RecordingFound):
        raise RequestError(f"{path} holds no recording; `runs import` takes other libraries, recordings and all.")
    with Library(library_folder(library)) as target:
        taken = found.take(target)
        (id,) = taken.recordings.added
        kept = Recordings(target).get(id)
    return f"Kept as recording {kept.number}, {_counted(len(kept.left), 'episode')} in {kept.environment_id}."


def merge(dataset: str, names: Sequence[str], library: Path | None) -> str:
    """Put recordings into a dataset; a sentence of what is in it then.

    Raises:
        RequestError: there is no such recording, or they do not go together.
        RunError: the library cannot be written.
    """
    with Library(library_folder(library)) as opened:
        recordings = Recordings(opened)
        recordings.merge(dataset, [recordings.find(name).id for name in names])
        found = next(each for each in recordings.datasets() if each.name == dataset)
    parts = _counted(len(found.recordings), "recording"), _counted(found.episodes, "episode")
    return f"{dataset} has {parts[0]} in {found.environment} now, {parts[1]} of {found.steps:,} steps."


def trim(name: str, episode: int, first: int, stop: int, library: Path | None) -> str:
    """Keep of one episode, counted from 1, the steps from ``first`` to before ``stop``; a sentence of it.

    Raises:
        RequestError: there are no such steps, or nothing would be left.
        RunError: the library cannot be written.
    """
    with Library(library_folder(library)) as opened:
        recordings = Recordings(opened)
        found = recordings.trim(recordings.find(name).id, episode - 1, first, stop)
        whole = found.episodes[episode - 1].steps
    return f"{found.title} has {found.steps:,} steps now; `recordings trim {name} {episode} 0 {whole}` undoes it."


def delete(names: Sequence[str], library: Path | None) -> str:
    """Put recordings aside; a sentence of it.

    Raises:
        RequestError: there is no such recording.
        RunError: the library cannot be written.
    """
    with Library(library_folder(library)) as opened:
        found = [Recordings(opened).find(name) for name in names]
        Recordings(opened).delete([record.id for record in found])
    numbers = " ".join(str(record.number) for record in found)
    return f"Deleted {_named(found)}; `recordings restore {numbers}` undoes it."


def restore(names: Sequence[str], library: Path | None) -> str:
    """Bring back what was deleted; a sentence of it.

    Raises:
        RequestError: no such recording was deleted.
        RunError: the library cannot be written.
    """
    with Library(library_folder(library)) as opened:
        found = [Recordings(opened).find(name, deleted=True) for name in names]
        Recordings(opened).restore([record.id for record in found])
    return f"Brought back {_named(found)}."


def as_data(record: RecordingRecord) -> dict[str, Any]:
    """What a list says of a recording, as JSON can say it."""
    return {
        "number": record.number,
        "id": record.id,
        "title": record.label.title,
        "environment": record.environment_id,
        "source": record.source.words,
        "created": record.created,
        "episodes": len(record.left),
        "steps": record.steps,
        "mean_return": record.mean_return,
        "size": record.size,
        "tags": list(record.label.tags),
    }


def _in_full(record: RecordingRecord, datasets: Sequence[str]) -> dict[str, Any]:
    return {
        "note": record.label.note,
        "datasets": list(datasets),
        "configuration": dict(record.environment),
        "each_episode": [
            {
                "steps": each.steps,
                "kept": [each.first, each.stop],
                "return": each.total_return,
                "end": each.end,
                "seed": each.seed,
                "source": each.source,
            }
            for each in record.episodes
        ],
    }


def _dataset(dataset: DatasetRecord, numbers: dict[str, int]) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "environment": dataset.environment,
        "recordings": [numbers[id] for id in dataset.recordings],
        "episodes": dataset.episodes,
        "steps": dataset.steps,
    }


def _tables(records: Sequence[RecordingRecord], datasets: Sequence[DatasetRecord]) -> RenderableType:
    if not records:
        return "There are no recordings yet; `recordings record RUN` makes one, and so does playing in the window."
    table = Table(box=None, pad_edge=False)
    table.add_column("recording", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    table.add_column("environment", overflow="fold")
    table.add_column("by", overflow="fold")
    for title in ("episodes", "steps", "return"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("recorded", no_wrap=True)
    for each in records:
        words = (each.label.title, each.environment_id, each.source.words)
        counts = (f"{len(each.left):,}", f"{each.steps:,}", number(each.mean_return))
        table.add_row(str(each.number), *map(escape, words), *counts, when(each.created)[_YEAR:])
    if not datasets:
        return table
    of = Table(box=None, pad_edge=False)
    of.add_column("dataset", overflow="fold")
    of.add_column("environment", overflow="fold")
    for title in ("recordings", "episodes", "steps"):
        of.add_column(title, justify="right", no_wrap=True)
    for one in datasets:
        numbers = (f"{len(one.recordings):,}", f"{one.episodes:,}", f"{one.steps:,}")
        of.add_row(escape(one.name), escape(one.environment), *numbers)
    return Group(table, "", of)


def _described(record: RecordingRecord, datasets: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    rows = {
        f"recording {record.number}": record.label.title or record.id,
        "note": record.label.note,
        "tags": ", ".join(record.label.tags),
        "datasets": ", ".join(datasets),
        "environment": record.environment_id,
        "by": record.source.words,
        "recorded": when(record.created),
        "episodes": "\n".join(
            f"{place}: {each.kept:,} steps{_trimmed(each.first, each.stop, each.steps)}, return "
            f"{number(each.total_return)}, {each.end_kept or 'broken off'}, "
            f"{'no seed' if each.seed is None else f'seed {each.seed}'}"
            for place, each in enumerate(record.episodes, 1)
        ),
    }
    for title, text in rows.items():
        if text:
            table.add_row(title, escape(text))
    return table


def _trimmed(first: int, stop: int, steps: int) -> str:
    return "" if (first, stop) == (0, steps) else f" ({first:,} to before {stop:,} of {steps:,})"


class _Bar:
    """A progress bar on stderr."""

    def __init__(self, wanted: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        console = Console(file=cast(IO[str], Lasting(sys.stderr)))  # who no longer looks does not stop it
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("episodes, {task.fields[played]} played"))
        self._progress = Progress(*columns, console=console, transient=True)
        self._task = self._progress.add_task("", total=wanted, played=0)

    def show(self, kept: int, played: int) -> None:
        self._progress.update(self._task, completed=kept, played=played)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


def _named(records: Sequence[RecordingRecord]) -> str:
    return f"recording {records[0].number}" if len(records) == 1 else f"{len(records)} recordings"


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
