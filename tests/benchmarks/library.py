"""library: how long a large run library takes to open, and many runs to be drawn over each other.

A library is made of 1,000 runs of a million environment steps each, 4,000 iterations with every metric and 5,000
episodes, with the configurations of the shipped presets and noise for numbers. All is read from the system's cache, as
it is for a person from the second time on.

- Opening: in fresh processes, from the first touch of the folder until all records are there; and in the window, until
  they are on the shelf. The longer of the two is held.
- The list: in the window, the list of all runs is opened for the first time, all are selected, deleted and brought
  back; how late the event loop was meanwhile is the longest frame in the list.
- Overlaying: in the window, 50 of the runs are chosen in Compare mode, until their curves have been painted; how late
  the event loop was meanwhile is the longest frame.
"""

from __future__ import annotations

import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.config import presets
from engine.config.parameters import with_values
from engine.runs.library import EPISODES, ITERATIONS, Library
from engine.runs.records import CheckpointRecord, NotedEvent, Reached, RunRecord, Status
from engine.runs.told import EPISODE_COLUMNS, ITERATION_COLUMNS, POINTS
from tests.benchmarks.children import run_child
from tests.benchmarks.figures import Measured, Number, Say

if TYPE_CHECKING:
    from app.window.main_window import MainWindow

RUNS, OVERLAID = 1000, 50
STEPS, STEPS_PER_ITERATION, STEPS_PER_EPISODE = 1_000_000, 250, 200
REPEATS = 5


def measure(quick: bool, say: Say) -> Measured:
    runs, repeats = (30, 1) if quick else (RUNS, REPEATS)
    steps = STEPS // 100 if quick else STEPS
    with tempfile.TemporaryDirectory(prefix="library-") as folder:
        began = time.perf_counter()
        size = make(Path(folder), runs, steps)
        say(f"{runs} runs of {steps:,} steps made in {time.perf_counter() - began:.0f} s: {size / 1e6:,.0f} MB")
        found: dict[str, list[float]] = {}
        for _ in range(repeats):
            for side in ("open", "window"):
                for name, seconds in run_child("library", side, folder, str(min(OVERLAID, runs))).items():
                    found.setdefault(name, []).append(seconds)
                    say(f"{name}: {1000 * seconds:.0f} ms")
    middle = {name: median(values) for name, values in found.items()}
    numbers = [Number(name, 1000 * value, "ms") for name, value in middle.items()]
    numbers.append(Number("size", size / 1e6, "MB"))
    held = {
        "opening": max(middle["all records read"], middle["all runs on the shelf"]),
        "overlaying 50": middle["curves painted"],
        "longest frame": 1000 * max(found["longest frame meanwhile"]),
        "longest frame in the list": 1000 * max(found["longest frame in the list"]),
    }
    return Measured(held, tuple(numbers), f"Median of {repeats} fresh processes a side, the longest frame of all.")


# --- a library of noise -----------------------------------------------------------------------------------------------


def make(folder: Path, runs: int, steps: int) -> int:
    """Make a library of so many runs of so many environment steps each in ``folder``; the bytes that it takes."""
    configs = [preset.config for preset in presets.shipped().values()]
    random = np.random.default_rng(1)
    with Library(folder) as library:
        for number in range(runs):
            config = with_values(configs[number % len(configs)], {"seed": 1 + number // len(configs)})
            _add(library, _record(config.model_dump(mode="json"), steps, number), random)
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _record(configuration: dict[str, Any], steps: int, number: int) -> RunRecord:
    iterations, episodes = steps // STEPS_PER_ITERATION, steps // STEPS_PER_EPISODE
    reached = Reached(iterations, steps, episodes, 100.0, 400.0, 450.0, (steps // 2, 50.0))
    created = 1.8e9 + 200.0 * number
    return RunRecord(
        id="",
        number=0,
        configuration=configuration,
        status=Status.FINISHED,
        created=created,
        ended=created + 100.0,
        versions={"python": "3.11.7", "torch": "2.13.0", "numpy": "2.3.5", "gymnasium": "1.4.0"},
        device="cpu",
        reached=reached,
        sparkline=tuple(float(value) for value in range(POINTS)),
    )


def _add(library: Library, record: RunRecord, random: np.random.Generator) -> None:
    """A run with all that one has: rows of numbers, events, and the record of a checkpoint."""
    reached = record.reached
    rows = random.normal(size=(reached.iteration, len(ITERATION_COLUMNS)))
    course = np.arange(1, len(rows) + 1)
    rows[:, 0], rows[:, 1] = course, course * STEPS_PER_ITERATION
    rows[:, 2], rows[:, 3] = rows[:, 1] // STEPS_PER_EPISODE, course * reached.seconds / len(rows)
    mean = ITERATION_COLUMNS.index("mean_return")
    rows[:, mean] = 400.0 * (1.0 - np.exp(-course / (0.2 * len(rows)))) + 20.0 * rows[:, mean]
    ends = random.normal(100.0, 20.0, size=(reached.episodes, len(EPISODE_COLUMNS)))
    ends[:, 3] = STEPS_PER_EPISODE * np.arange(1, len(ends) + 1)
    ends[:, 0] = ends[:, 3] // STEPS_PER_ITERATION
    ends[:, 4] = ends[:, 3] / reached.environment_steps * reached.seconds
    with library.transaction():
        added = library.begin(replace(record))
        library.append(added.id, ITERATIONS, ITERATION_COLUMNS, rows)
        library.append(added.id, EPISODES, EPISODE_COLUMNS, ends)
        solved = {"mean_return": 475.0, "threshold": 475.0}
        library.note(added.id, NotedEvent("solved", *_at(reached), data=solved))
        name = f"{reached.iteration}.safetensors"
        kept = CheckpointRecord(
            added.id, reached.iteration, reached.environment_steps, record.created, name, 60_000, ("last",), 400.0
        )
        library.keep_checkpoint(kept)


def _at(reached: Reached) -> tuple[int, int, int, float]:
    return reached.iteration // 2, reached.environment_steps // 2, reached.episodes // 2, reached.seconds / 2


# --- in fresh processes -----------------------------------------------------------------------------------------------


def opened(folder: Path, overlaid: int) -> dict[str, float]:
    """Seconds to read all records, and all that the curves of some runs take, on the engine's side."""
    from engine.runs.comparison.curves import curve

    began = time.perf_counter()
    with Library(folder) as library:
        records = library.runs()
        read = time.perf_counter() - began
        began = time.perf_counter()
        for record in records[:overlaid]:
            curve(library.series(record.id, ITERATIONS))
        return {"all records read": read, "curves read": time.perf_counter() - began}


def shown(folder: Path, overlaid: int) -> dict[str, float]:
    """Seconds until all runs are on the shelf, and until the curves of some have been painted in Compare mode; and the
    longest frame meanwhile: how late the event loop was at most."""
    from PySide6.QtCore import QSettings

    from app.session.run_library import RunLibrary
    from app.window.application import make_application
    from app.window.main_window import MainWindow
    from tests.benchmarks.window import SIZE

    gc.disable()  # as the program does until all is loaded
    application, taken = make_application(), {}
    unmeasured = RunLibrary.open

    def measured(library: RunLibrary) -> None:
        began = time.perf_counter()
        unmeasured(library)
        taken["all runs on the shelf"] = time.perf_counter() - began

    RunLibrary.open = measured
    with tempfile.TemporaryDirectory() as place:
        settings = QSettings(str(Path(place) / "settings.ini"), QSettings.Format.IniFormat)
        window = MainWindow(settings, next(iter(presets.shipped().values())), library=folder)
        window.resize(*SIZE)
        window.show()
        _spin(lambda: bool(taken) and window.panels.complete)
        _spin_for(1.0)
        taken["longest frame in the list"] = _listed(window)
        taken |= _overlaid(window, overlaid)
        window.close()
        window.shut_down()
        application.processEvents()
    return taken


def _listed(window: MainWindow) -> float:
    """The longest frame while the list of all runs opens, and all are selected, deleted and brought back."""
    from app.window.run_table import RunTable

    on, count = window.actions_by_name, len(window.run_library.records())
    with _late() as late:
        on["all_runs"].trigger()
        _spin_for(0.5)
        table = window.frame.findChild(RunTable)
        table.table.selectAll()
        _spin_for(0.3)
        table.delete_button.click()
        _spin(lambda: not window.run_library.records())
        _spin_for(0.3)
        on["undo"].trigger()
        _spin(lambda: len(window.run_library.records()) == count)
        _spin_for(0.3)
    on["all_runs"].trigger()
    _spin_for(0.3)
    return max(late)


def _overlaid(window: MainWindow, count: int) -> dict[str, float]:
    library = window.run_library
    library.show_only([])
    next(action for action in window._modes if action.text() == "Compare").trigger()
    _spin_for(1.0)  # in which the mode is made, and compares its first two
    compared = window.compare.page.compared
    with _late() as late:
        began = time.perf_counter()
        library.show_only([record.id for record in library.records()[:count]])
        _spin(lambda: len(compared.runs) == count and not compared.is_reading)
        window.compare.page.overlay.repaint()
        painted = time.perf_counter() - began
        _spin_for(0.5)  # whatever is put off counts as well
    return {"curves painted": painted, "longest frame meanwhile": max(late)}


@contextmanager
def _late() -> Iterator[list[float]]:
    """By how many seconds a timer that is due every 5 ms comes late in the block."""
    from PySide6.QtCore import Qt, QTimer

    late, due = [0.0], time.perf_counter() + 0.005

    def look() -> None:
        nonlocal due
        late.append(time.perf_counter() - due)
        due = time.perf_counter() + 0.005

    timer = QTimer(interval=5, timerType=Qt.TimerType.PreciseTimer)
    timer.timeout.connect(look)
    timer.start()
    yield late
    timer.stop()


def _spin(holds: Callable[[], bool], longest: float = 60.0) -> None:
    """Let the event loop run, and sleep where nothing happens, as it does for a person, until ``holds``.

    Raises:
        RuntimeError: that takes too long.
    """
    from PySide6.QtCore import QEventLoop, QTimer

    deadline = time.perf_counter() + longest
    loop, timer = QEventLoop(), QTimer(interval=5)
    timer.timeout.connect(lambda: loop.quit() if holds() or time.perf_counter() > deadline else None)
    timer.start()
    loop.exec()
    timer.stop()
    if not holds():
        raise RuntimeError("What was waited for did not come.")


def _spin_for(seconds: float) -> None:
    until = time.perf_counter() + seconds
    _spin(lambda: time.perf_counter() >= until)


SIDES: dict[str, Callable[[Path, int], dict[str, float]]] = {"open": opened, "window": shown}


if __name__ == "__main__":
    side, where, count = sys.argv[1:]
    print(json.dumps(SIDES[side](Path(where), int(count))))
