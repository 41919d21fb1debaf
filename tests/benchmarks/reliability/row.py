"""reliability: whether anything that was trained is ever lost, tried out on real processes.

- 100 processes that train in one library, two at a time, are killed at random moments; some go on with a run that was
  killed before. After each, everything in the library has to be readable and in order. Of what had been reported and
  is missing, it is measured for how long it had been known; of weights, how many seconds of training they are behind.
- A disk of 4 MB becomes full, and the folders of a library become read-only, while a run is recorded.
- Two windows and three commands train at once in one library.
- The clock goes back an hour while a run is recorded.
- 1,000 damaged checkpoints, files and libraries each, and files made to do harm, are opened in every way there is,
  while the interpreter's auditors listen for commands, connections and pickles.

How a library of an earlier version becomes one of this, and how one of a later version is refused, is in the tests.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

from engine.runs.library import DATABASE, Library
from tests.benchmarks.figures import Measured, Number, Say
from tests.benchmarks.reliability import clock, damage, disks, kills
from tests.benchmarks.reliability.damage import Tally
from tests.benchmarks.reliability.together import together

KILLS, FUZZED = 100, 1000


def measure(quick: bool, say: Say) -> Measured:
    with tempfile.TemporaryDirectory(prefix="reliability-") as name:
        folder = Path(name)
        losses = kills.killed(folder / "kills", 2 if quick else KILLS, say)
        wrong = list(losses.wrong)
        for title, found in _tried(folder, quick):
            say(f"{title}: {'; '.join(found) or 'nothing wrong'}")
            wrong += [f"{title}: {each}" for each in found]
        opened = Tally()
        _open(folder, 30 if quick else FUZZED, opened)
        say(f"{opened.tried} opened, {opened.refused} refused, {len(opened.wrong)} wrong")
    numbers = (
        Number("processes killed", losses.kills, ""),
        Number("checkpoints read after a kill", losses.checkpoints, ""),
        Number("runs that went on after a kill", losses.resumed, ""),
        Number("numbers lost, most", max(losses.scalars, default=0.0), "s"),
        Number("weights lost, most", max(losses.weights, default=0.0), "s"),
        Number("damaged or harmful things opened", opened.tried, ""),
        Number("of these refused", opened.refused, ""),
    )
    held = {
        "wrong": len(wrong) + len(opened.wrong),
        "numbers lost": max(losses.scalars, default=0.0),
        "weights lost": max(losses.weights, default=0.0),
    }
    data = {"wrong": wrong + opened.wrong, "left out": [] if disks.can_mount() else ["full disk"]}
    detail = "; ".join(data["wrong"][:20]) or "Nothing was lost that may not be, and nothing could not be read."
    left = "" if disks.can_mount() else " The full disk was left out, as this machine lets nobody mount one."
    return Measured(held, numbers, detail + left, data=data)


def _tried(folder: Path, quick: bool) -> Iterable[tuple[str, list[str]]]:
    with disks.small_disk() as disk:
        if disk is not None:
            yield "a full disk", disks.full(disk, folder / "full")
    yield "read-only folders", disks.read_only(folder / "read-only", folder / "read-only-process")
    steps, seconds = (5_000, 8.0) if quick else (30_000, 15.0)
    yield "five at once", together(folder / "together", steps, seconds)
    yield "a clock that goes back", clock.goes_back(folder / "clock")


def _open(folder: Path, count: int, tally: Tally) -> None:
    """What is opened comes of the library in which processes were killed."""
    place = folder / "opened"
    place.mkdir()
    small = folder / "clock" / "library"
    with Library(small) as library:
        library.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        run = library.runs()[0]
        checkpoint = library.checkpoint_file(library.checkpoints(run.id)[0])
    damage.fuzzed_checkpoints(checkpoint.read_bytes(), count, tally)
    with resources.as_file(resources.files("resources") / "presets") as presets:
        damage.fuzzed_files([*sorted(presets.glob("*.toml")), checkpoint, small / DATABASE], count, place, tally)
    damage.fuzzed_libraries(small / DATABASE, count, place, tally)
    damage.attacked(small / DATABASE, place, tally)
