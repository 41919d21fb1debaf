"""What is done with datasets as a whole: how they are called, which recordings they hold, and what is in them.

``engine.runs.recordings`` says what a dataset is, and puts recordings into one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.catalogue.shipped_teaching import DATASETS
from engine.config.environments import EnvironmentConfig
from engine.runs.library import Library
from engine.runs.recording_records import require_name
from engine.runtime.errors import RequestError

if TYPE_CHECKING:  # with numpy
    from numpy.typing import NDArray

    from engine.experience.demonstrations import Demonstrations

MOST = 64  # actions of which it is told how often they are


@dataclass(frozen=True)
class Spread:
    """Of a number that is a part of every action: its mean, its standard deviation, the smallest and the largest."""

    mean: float
    deviation: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class DatasetContent:
    """What is in a dataset; ``mean_return`` is of the episodes whose rewards are known, None where there are none.

    ``shares`` are the most frequent actions, each a number or one for each of its parts, with the share of steps in
    which it was taken, of ``different`` ones in all. Actions that are real numbers have ``spreads`` instead.
    """

    environment: EnvironmentConfig
    episodes: int
    steps: int
    mean_return: float | None
    shares: tuple[tuple[int | tuple[int, ...], float], ...] = ()
    different: int = 0
    spreads: tuple[Spread, ...] = ()


def content_of(shown: Demonstrations) -> DatasetContent:
    """What is in ``shown``."""
    import numpy as np

    returns = [episode.total_return for episode in shown.episodes if episode.total_return is not None]
    mean = float(np.mean(returns)) if returns else None
    told = (shown.environment, len(shown.episodes), len(shown), mean)
    actions = shown.actions
    if actions.dtype.kind == "f":
        numbers = (actions.mean(0, np.float64), actions.std(0, dtype=np.float64), actions.min(0), actions.max(0))
        return DatasetContent(*told, spreads=tuple(Spread(*map(float, each)) for each in zip(*numbers, strict=True)))
    kinds, counts = np.unique(actions, axis=0, return_counts=True)
    most = np.argsort(-counts, kind="stable")[:MOST]
    shares = tuple((_plain(kinds[at]), float(counts[at]) / len(actions)) for at in most)
    return DatasetContent(*told, shares, len(kinds))


def _plain(action: NDArray[Any]) -> int | tuple[int, ...]:
    return tuple(map(int, action)) if action.ndim else int(action)


def members_of(library: Library, name: str) -> tuple[str, ...]:
    """The ids of all recordings in the dataset ``name``, in their order, also of those that are deleted.

    Raises:
        RunError: the library cannot be read.
    """
    query = "SELECT recording FROM datasets WHERE dataset = ? ORDER BY place"
    return tuple(row["recording"] for row in library.execute(query, (name,)))


def put_members(library: Library, name: str, ids: Sequence[str]) -> None:
    """Let the dataset ``name`` hold these recordings and no others, as it did before; with none it is there no longer.

    Raises:
        RunError: the library cannot be written; then nothing has been changed.
    """
    with library.transaction():
        library.execute("DELETE FROM datasets WHERE dataset = ?", (name,))
        for place, id in enumerate(ids, 1):
            library.execute("INSERT INTO datasets VALUES (?, ?, ?)", (name, id, place))


def rename(library: Library, name: str, to: str) -> None:
    """Call the dataset ``name`` something else. Runs that have learned from it keep what they were given.

    Raises:
        RequestError: there is no such dataset, or another is called so already, or nothing can be called so.
        RunError: the library cannot be written; then nothing has been changed.
    """
    require_name(to)
    if to in DATASETS:
        raise RequestError(f"{to} is the name of a dataset that comes with the program; choose another.")
    if members_of(library, to):
        raise RequestError(f"There is a dataset {to} already; choose another name, or merge the two.")
    if library.execute("UPDATE datasets SET dataset = ? WHERE dataset = ?", (to, name)).rowcount == 0:
        raise RequestError(f"There is no dataset {name} in the library {library.folder}.")
