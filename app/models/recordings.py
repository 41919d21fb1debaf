"""What the list of recordings says, in words: without Qt and without numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.style.format import NOTHING, short_number
from engine.catalogue.spaces import Space
from engine.runs.recording_records import DatasetRecord, EpisodeRecord, RecordingRecord
from engine.runs.room import bytes_in_words

COLUMNS = ("Recording", "Episodes", "Steps", "Return")
_MOST_NUMBERS = 6  # of an action that are written out
_ENDS = {"terminated": "terminated", "truncated": "cut off by the time limit", "": "broken off"}


def found(records: Sequence[RecordingRecord], environment: str, words: str) -> list[RecordingRecord]:
    """Those in ``environment``, or in any where it is empty, in which all ``words`` are."""
    wanted = words.lower().split()
    there = [record for record in records if not environment or record.environment_id == environment]
    return [record for record in there if all(word in _searched(record) for word in wanted)]


def _searched(record: RecordingRecord) -> str:
    label = record.label
    return " ".join(
        (record.title, record.environment_id, record.source.words, label.note, *label.tags, f"#{record.number}")
    ).lower()


def cells(record: RecordingRecord) -> tuple[str, str, str, str]:
    """What the columns say of a recording."""
    name = record.label.title or record.source.words
    return (
        f"{record.number} · {name}",
        f"{len(record.left):,}",
        f"{record.steps:,}",
        short_number(record.mean_return, 4),
    )


def about(record: RecordingRecord, datasets: Sequence[DatasetRecord]) -> str:
    """All that a person may want to know of a recording, in lines."""
    label = record.label
    within = ", ".join(each.name for each in datasets if record.id in each.recordings)
    trimmed = any(episode.trimmed for episode in record.episodes)
    lines = [
        f"{record.environment_id}, by {record.source.words}",
        f"Tags: {', '.join(label.tags)}" if label.tags else "",
        label.note,
        f"In the dataset{'s' if ', ' in within else ''} {within}" if within else "",
        "Trimmed" if trimmed else "",
        f"{bytes_in_words(record.size)} on disk",
    ]
    return "\n".join(filter(None, lines))


def episode_words(number: int, episode: EpisodeRecord) -> str:
    """An episode in a list of several: "3: 87 steps, return 12"."""
    if not episode.kept:
        return f"{number}: left out"
    return f"{number}: {episode.kept:,} steps, return {short_number(episode.total_return, 4)}"


def where(step: int, episode: EpisodeRecord) -> str:
    """Which moment of an episode is looked at: "Step 12 of 87"."""
    if step < episode.steps:
        return f"Step {step:,} of {episode.steps:,}"
    return f"After step {episode.steps:,}, {_ENDS.get(episode.end, episode.end)}"


def action_words(action: Any, space: Space | None) -> str:
    """An action in a few words, by its label where it has one; ``action`` is a number or a row of numbers."""
    if action is None:
        return NOTHING
    numbers = action.reshape(-1).tolist() if hasattr(action, "reshape") else [action]
    if len(numbers) == 1 and isinstance(numbers[0], int):
        if space is not None and space.kind == "discrete" and len(space.labels) == space.size > numbers[0]:
            return space.labels[numbers[0]]
        return str(numbers[0])
    shown = ", ".join(short_number(number, 3) for number in numbers[:_MOST_NUMBERS])
    return f"({shown}{', …' if len(numbers) > _MOST_NUMBERS else ''})"


def called(records: Sequence[RecordingRecord]) -> str:
    """ "recording 5" or "3 recordings"."""
    return f"recording {records[0].number}" if len(records) == 1 else f"{len(records)} recordings"
