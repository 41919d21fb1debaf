"""TensorBoard reads what the library holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.runs.exports.export import Source
from engine.runs.exports.registry import write
from engine.runs.library import EPISODES, ITERATIONS
from tests.engine.runs.libraries import filled, opened

pytest.importorskip("tensorboard")


def test_tensorboard_reads_every_number_of_every_row(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    library = opened(tmp_path)
    run = filled(library)
    for _ in range(2):  # written again, a run takes the place that it had
        said = write(Source(library, run), "tensorboard", tmp_path / "board" / "run")
    (file,) = (tmp_path / "board" / "run").iterdir()
    assert "tfevents" in file.name
    found: dict[str, list[tuple[int, float]]] = {}
    for event in LegacyEventFileLoader(str(file)).Load():
        for value in event.summary.value:
            if value.HasField("simple_value"):
                found.setdefault(value.tag, []).append((event.step, value.simple_value))
            else:
                assert b"environment_steps" in value.tensor.string_val[0]
    for stream, of, axis in ((ITERATIONS, "iteration", "environment_steps"), (EPISODES, "episode", "end")):
        series = library.series(run.id, stream)
        for name in {"mean_return", "loss", "return", "length"} & set(series.columns):
            there = ~np.isnan(series[name])
            wanted = list(zip(series[axis][there], np.float32(series[name][there]), strict=True))
            assert found[f"{of}/{name}"] == wanted
    assert "3 iterations and 2 episodes of run 1" in said
