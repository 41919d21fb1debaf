"""bookkeeping: what a library costs that holds an experiment of 10,000 runs, far more than are trained on one machine.

One experiment of 1,000 settings with 10 seeds each is made as if it had been trained: each run has 1,000 iterations of
40 metrics beside the four totals, in chunks as they are written, and the records that a finished run has. All numbers
are noise. Then, in fresh processes, each the median of several, from the system's cache:

- the library is opened and its experiments are listed; the records of all runs are read, and their marks, by which a
  window sees what has changed;
- a run is found by its title and by its number; those of one environment that came to more than a threshold are picked;
- the experiment is read with its runs and how they stand; then as the window shows it, the table of its settings with
  interquartile means and intervals, and their curves with bands; and as ``compare`` tells of it;
- the curves of one setting's ten runs are read;
- one more run is begun and told of, as a worker does, with what is looked at for room on the disk.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from engine.config import presets
from engine.runs.library import ITERATIONS, Library
from engine.runs.records import Reached, RunRecord, Status
from engine.runs.sweeps.experiments import Experiments
from engine.runs.sweeps.plan import planned
from engine.runs.sweeps.records import Progress
from engine.runs.sweeps.spec import Sweep, Varied
from engine.runs.told import ITERATION_COLUMNS, POINTS
from engine.runs.versions import versions
from tests.benchmarks.children import run_child
from tests.benchmarks.figures import Measured, Number, Say

SETTINGS, SEEDS, ITERATED, METRICS = 1000, 10, 1000, 40
STEPS_PER_ITERATION, STEPS_PER_EPISODE = 1000, 200
REPEATS = 3
TITLE = "the one that is looked for"


def measure(quick: bool, say: Say) -> Measured:
    settings, repeats = (40, 1) if quick else (SETTINGS, REPEATS)
    with tempfile.TemporaryDirectory(prefix="bookkeeping-") as folder:
        began = time.perf_counter()
        size = make(Path(folder), settings)
        made = time.perf_counter() - began
        say(f"{settings * SEEDS:,} runs made in {made:.0f} s: {size / 1e9:.2f} GB")
        found: dict[str, list[float]] = {}
        for _ in range(repeats):
            for name, seconds in run_child("bookkeeping", folder).items():
                found.setdefault(name, []).append(seconds)
                say(f"{name}: {1000 * seconds:.1f} ms")
    middle = {name: median(values) for name, values in found.items()}
    numbers = [Number(name, 1000 * value, "ms") for name, value in middle.items()]
    numbers += [
        Number("size of the library", size / 1e9, "GB"),
        Number("of it for each run", size / (settings * SEEDS) / 1e3, "kB"),
        Number("making it", made, "s"),
    ]
    held = {
        "opening, with all records": middle["open and list experiments"] + middle["records of all runs"],
        "picking runs": middle["runs of one environment above a threshold"],
        "table of an experiment": middle["table and curves of the experiment's settings"],
        "a look at what has changed": 1000 * middle["marks of the experiments"],
        "begin a run": 1000 * middle["begin a run, with a look for room"],
    }
    detail = f"Median of {repeats} fresh processes; {settings:,} settings × {SEEDS} seeds × {ITERATED:,} iterations."
    return Measured(held, tuple(numbers), detail)


# --- a library of noise -----------------------------------------------------------------------------------------------


def make(folder: Path, settings: int) -> int:
    """Make the library in ``folder``; the bytes that it takes."""
    base = presets.shipped()["cartpole-ppo"].config
    rates, clips = settings // 20, 20
    vary = (
        Varied(path="update.learning_rate", low=1e-4, high=1e-2, count=max(rates, 2), scale="log"),
        Varied(path="estimator.gamma", low=0.9, high=0.999, count=clips),
    )
    plan = planned(sweep := Sweep(title="Much", config=base, vary=vary, seeds=SEEDS))
    random = np.random.default_rng(1)
    columns = ITERATION_COLUMNS[: 4 + METRICS]
    noise = random.normal(size=(7 * ITERATED, len(columns)))
    course = np.arange(1, ITERATED + 1)
    mean = columns.index("mean_return")
    with Library(folder) as library:
        experiments = Experiments(library)
        record = experiments.add(sweep, plan)
        for point in plan.points:
            with library.transaction():
                for seed in plan.seeds:
                    rows = noise[(first := int(random.integers(6 * ITERATED))) : first + ITERATED].copy()
                    rows[:, 0], rows[:, 1] = course, course * STEPS_PER_ITERATION
                    rows[:, 2], rows[:, 3] = rows[:, 1] // STEPS_PER_EPISODE, course / 10.0
                    rows[:, mean] = 400.0 * (1.0 - np.exp(-course / 200.0)) + 20.0 * rows[:, mean]
                    _add(
                        library,
                        record.runs[point.index * SEEDS + plan.seeds.index(seed)].run,
                        point.of_seed(seed),
                        rows,
                    )
        experiments.begun(record.id, [run.run for run in record.runs])
        experiments.progress(record.id, [run.run for run in record.runs], Progress.FINISHED)
        library.execute("UPDATE runs SET title = ? WHERE number = ?", (TITLE, len(plan) // 2))
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _add(library: Library, id: str, config: object, rows: np.ndarray) -> None:
    columns = ITERATION_COLUMNS[: rows.shape[1]]
    ends = float(rows[-1, columns.index("mean_return")])
    steps, episodes = int(rows[-1, 1]), int(rows[-1, 2])
    record = RunRecord(
        id=id,
        number=0,
        configuration=config.model_dump(mode="json"),  # type: ignore[attr-defined]
        status=Status.FINISHED,
        created=1.8e9,
        ended=1.8e9 + 100.0,
        versions=versions(),
        device="cpu",
        reached=Reached(len(rows), steps, episodes, 100.0, ends, 450.0, (steps // 2, 50.0)),
        sparkline=tuple(float(value) for value in range(POINTS)),
    )
    library.begin(record)
    library.append(id, ITERATIONS, columns, rows)


# --- in a fresh process -----------------------------------------------------------------------------------------------


def looked(folder: Path) -> dict[str, float]:
    """Seconds that each look takes."""
    from app.session.experiment_figures import Figures
    from engine.commands.compare_settings import of_experiment
    from engine.runs.comparison.bands import band
    from engine.runs.comparison.curves import curve
    from engine.runs.retention import make_room
    from engine.runs.sweeps.standings import standings

    found: dict[str, float] = {}
    began = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal began
        found[name] = time.perf_counter() - began
        began = time.perf_counter()

    with Library(folder) as library:
        experiments = Experiments(library)
        (listed,) = experiments.list()
        experiments.counts()
        lap("open and list experiments")
        records = library.runs()
        lap("records of all runs")
        library.marks()
        lap("marks of all runs")
        experiments.mark()
        lap("marks of the experiments")
        library.find(TITLE)
        library.find(str(len(records) // 3))
        lap("find two runs")
        picked = [run for run in library.runs() if run.environment == "CartPole-v1" and (run.reached.best or 0) > 449]
        assert picked
        lap("runs of one environment above a threshold")
        record = experiments.get(listed.id)
        lap("the experiment with its runs")
        standings(library, record.id)
        lap("how the runs of the experiment stand")
        figures = Figures(record)
        results = figures.read(library, record, conducted=False)
        assert len(results.settings) * SEEDS == len(records)
        lap("table and curves of the experiment's settings")
        figures.read(library, record, conducted=True)
        lap("the same once more, with nothing new")
        runs = [run.run for run in record.runs[:SEEDS]]
        band([curve(library.series(run, ITERATIONS)) for run in runs])
        lap("curves of one setting, and their band")
        of_experiment(library, record, None)
        lap("all that compare says of the experiment")
        with library.transaction():
            added = library.begin(RunRecord("", 0, records[0].configuration, Status.RUNNING, time.time()))
            library.append(added.id, ITERATIONS, ("iteration",), np.ones((1, 1)))
        make_room(library)
        lap("begin a run, with a look for room")
        library.forget(added.id)
    return found


if __name__ == "__main__":
    print(json.dumps(looked(Path(sys.argv[1]))))
