"""What action values learned from in their updates, put together as a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.reports.update_events import Inspected, UpdateStep
from engine.runtime.errors import RequestError

_NOTHING_DRAWN = "Nothing was learned in this iteration: until there is enough to draw from, steps are only kept."


@dataclass(frozen=True)
class Networks:
    """What each of k networks took the steps to be worth, ``values`` [k, M], and their ``errors`` y − Q_i [k, M]."""

    values: NDArray[np.float32]
    errors: NDArray[np.float32]


def of_minibatches(steps: Sequence[UpdateStep], *, drawn_again: bool) -> tuple[Inspected, Networks | None]:
    """What gradient steps drew, one after the other, as a batch, and the values by each of several networks.

    Raises:
        RequestError: they drew nothing.
    """
    pairs = [(step, step.drawn) for step in steps if step.drawn is not None]
    drawn = [each for _, each in pairs]
    if not drawn:
        raise RequestError(_NOTHING_DRAWN)

    def joined(name: str) -> NDArray[Any]:
        found: NDArray[Any] = np.concatenate([getattr(each, name) for each in drawn])
        return found

    targets, values = joined("targets"), joined("values")
    told = [step.errors.reshape(-1, len(one.targets)) for step, one in pairs if step.errors is not None]
    by_network = np.concatenate(told, axis=1)
    errors = by_network[0] if len(by_network) == 1 else targets - values
    nothing, count = np.zeros(len(targets), np.float32), len(targets)
    counted = all(each.weights is not None for each in drawn)
    found = Inspected(
        iteration=steps[0].iteration,
        observations=joined("observations"),
        actions=joined("actions"),
        rewards=joined("rewards"),
        log_probs=nothing,
        credit=targets,
        baseline=values,
        advantages=errors,
        weights=errors * joined("weights") if counted else errors,
        divisor=len(drawn[-1].targets),
        values=values,
        targets=targets,
        environments=np.zeros(count, np.int64),
        elapsed=joined("ages") if drawn_again else np.arange(count),
        terminated=joined("terminated"),
        truncated=np.zeros(count, np.bool_),
    )
    networks = [each.networks for each in drawn if each.networks is not None]
    return found, Networks(np.concatenate(networks, axis=1), by_network) if networks else None
