"""A run's numbers as an event file of TensorBoard's."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.catalogue.family import Extra
from engine.runs.exports.export import Export, Source, counted
from engine.runs.library import EPISODES, ITERATIONS
from engine.runtime.errors import RequestError
from engine.runtime.whole_file import write_whole

_AXES = ("iteration", "environment_steps", "seconds", "end")  # what says where a row is, and is not shown itself
_VERSION = "brain.Event:2"  # with which every event file begins


def write_events(source: Source, folder: Path) -> str:
    """One file in ``folder``, by environment steps: ``iteration/NAME`` for everything that is reported of an iteration,
    ``episode/return`` and ``episode/length``, and the configuration as a text.

    Written again, the run replaces its file. TensorBoard keeps numbers in float32.
    """
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.record_writer import RecordWriter

    run = source.run
    rows = {stream: source.library.series(run.id, stream) for stream in (ITERATIONS, EPISODES)}
    if not len(rows[ITERATIONS]):
        raise RequestError(f"Nothing was recorded of {source.name} that could be shown; choose a run that has begun.")
    content = io.BytesIO()
    writer = RecordWriter(content)
    writer.write(Event(wall_time=run.created, file_version=_VERSION).SerializeToString())
    writer.write(Event(wall_time=run.created, step=0, summary=_configuration(source)).SerializeToString())
    for step, seconds, values in (*_points(rows[ITERATIONS], "iteration"), *_points(rows[EPISODES], "episode")):
        summary = {"value": [{"tag": tag, "simple_value": value} for tag, value in values.items()]}
        writer.write(Event(wall_time=run.created + seconds, step=step, summary=summary).SerializeToString())
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / f"events.out.tfevents.{int(run.created)}.run-{run.number}", content.getvalue())
    told = f"{counted(len(rows[ITERATIONS]), 'iteration')} and {counted(len(rows[EPISODES]), 'episode')}"
    return f"Wrote {told} of {source.name} to {folder}; tensorboard --logdir shows what is there."


def _points(series: Any, of: str) -> Iterator[tuple[int, float, dict[str, float]]]:
    """The environment steps of every row, the seconds, and what is shown by its tag; without what is not defined."""
    if not len(series):
        return
    steps = series["environment_steps" if of == "iteration" else "end"]
    shown = [(f"{of}/{name}", column) for column, name in enumerate(series.columns) if name not in _AXES]
    for step, seconds, row in zip(steps.tolist(), series["seconds"].tolist(), series.rows.tolist(), strict=True):
        yield int(step), seconds, {tag: row[column] for tag, column in shown if not math.isnan(row[column])}


def _configuration(source: Source) -> Any:
    """The configuration as a text of TensorBoard's, which shows Markdown."""
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.compat.proto.types_pb2 import DT_STRING

    lines = json.dumps(source.run.config_now.model_dump(mode="json"), indent=2).splitlines()
    text = "\n".join([*([f"{source.run.mark}\n"] if source.run.mark else []), *(f"    {line}" for line in lines)])
    tensor = {"dtype": DT_STRING, "string_val": [text.encode()], "tensor_shape": {"dim": [{"size": 1}]}}
    metadata = {"plugin_data": {"plugin_name": "text", "content": b""}}
    return Summary(value=[{"tag": "configuration/text_summary", "metadata": metadata, "tensor": tensor}])


TENSORBOARD = Export(
    "tensorboard",
    "Folder for TensorBoard",
    "An event file with all of its numbers, to be shown by TensorBoard beside runs of other programs.",
    "",
    write_events,
    Extra("tensorboard", "TensorBoard", ("tensorboard",)),
)
