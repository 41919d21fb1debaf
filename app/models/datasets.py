"""What the list of datasets says, in words: without Qt and without numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.models.recordings import action_words
from app.style.format import short_number
from engine.catalogue.shipped_teaching import DATASETS
from engine.catalogue.spaces import Space
from engine.runs.recording_records import DatasetRecord, RecordingRecord

if TYPE_CHECKING:  # with numpy
    from engine.runs.datasets import DatasetContent

COLUMNS = ("Dataset", "Episodes", "Steps", "Return")
MOST = 6  # actions of which it is shown how often they are


@dataclass(frozen=True)
class DatasetRow:
    """A dataset in the list: of the library, or one that comes with the program, whose recordings are none of the
    library's. What is not known yet is None."""

    name: str
    environment: str
    by: str
    recordings: tuple[str, ...] = ()
    episodes: int | None = None
    steps: int | None = None
    mean_return: float | None = None

    @property
    def shipped(self) -> bool:
        """Whether it comes with the program, and stays as it is."""
        return not self.recordings


def listed(
    records: Sequence[RecordingRecord], datasets: Sequence[DatasetRecord], environment: str = ""
) -> list[DatasetRow]:
    """Those in ``environment``, or in any where it is empty: a person's own by name, then those that are shipped."""
    there = {record.id: record for record in records}
    own = [_own(dataset, [there[id] for id in dataset.recordings if id in there]) for dataset in datasets]
    names = {row.name for row in own}
    shipped = [DatasetRow(name, it.environment, it.by) for name, it in DATASETS.items() if name not in names]
    return [row for row in (*own, *shipped) if environment in ("", row.environment)]


def _own(dataset: DatasetRecord, records: Sequence[RecordingRecord]) -> DatasetRow:
    returns = [each.total_return for record in records for each in record.left if each.total_return is not None]
    mean = sum(returns) / len(returns) if returns else None
    sources = list(dict.fromkeys(record.source.words for record in records))
    by = ", ".join(sources[:3]) + (f" and {len(sources) - 3} more" if len(sources) > 3 else "")
    count = f"{len(records)} recording{'' if len(records) == 1 else 's'}"
    told = (dataset.recordings, dataset.episodes, dataset.steps, mean)
    return DatasetRow(dataset.name, dataset.environment, f"{count} by {by}", *told)


def cells(row: DatasetRow, content: DatasetContent | None, everywhere: bool) -> tuple[str, ...]:
    """What the columns say of a dataset, of which ``content`` may be known; in a list of all environments its own
    stands behind its name."""
    name = f"{row.name} · {row.environment}" if everywhere else row.name
    if content is None:
        counts = ("–" if count is None else f"{count:,}" for count in (row.episodes, row.steps))
        return (name, *counts, short_number(row.mean_return, 4))
    return (name, f"{content.episodes:,}", f"{content.steps:,}", short_number(content.mean_return, 4))


def about(row: DatasetRow) -> str:
    """Where it comes from, in a line."""
    return f"{row.environment}, {row.by}{'; it comes with the program' if row.shipped else ''}."


def balance(content: DatasetContent, space: Space | None) -> tuple[tuple[str, float], ...]:
    """The most frequent actions by name, each with its share of the steps."""
    return tuple(
        (
            action_words(action, space) if isinstance(action, int) else f"({', '.join(map(str, action))})",
            share,
        )
        for action, share in content.shares[:MOST]
    )


def told_of(content: DatasetContent) -> str:
    """What stands above, or in place of, the shares of single actions."""
    if content.spreads:
        lines = [
            f"{number}: {short_number(each.mean, 3)} ± {short_number(each.deviation, 3)}, "
            f"from {short_number(each.lowest, 3)} to {short_number(each.highest, 3)}"
            for number, each in enumerate(content.spreads[:MOST], 1)
        ]
        rest = len(content.spreads) - MOST
        more = [f"and {rest} more"] if rest > 0 else []
        return "\n".join(["Numbers of its actions, mean ± standard deviation:", *lines, *more])
    rest = content.different - MOST
    return f"The most frequent of {content.different:,} actions:" if rest > 0 else "How often each action is taken:"
