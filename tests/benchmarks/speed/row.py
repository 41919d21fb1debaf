"""speed: what training and stepping cost, side by side, and what bounds it.

Parts, each of which can be measured alone (``--only PART``, several times): ``training`` against Stable-Baselines3
and SBX at equal settings, with peak memory; ``episodes``, REINFORCE against the lecture's one-episode-at-a-time loop;
``stepping`` of environments alone, against the best of Gymnasium and EnvPool; ``thresholds``, wall clock until
something is learned (``--seeds N`` in place of 3 on CartPole and 1 elsewhere); ``growth`` with environments and hidden
units; and ``gpu``, where there is one. Each part's module says how. Everything runs in processes of its own, torch on 1
thread.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import typer

from tests.benchmarks.figures import Measured, Say, require
from tests.benchmarks.speed import bounds
from tests.benchmarks.speed.comparing import episodes, training
from tests.benchmarks.speed.growth import growth, on_gpu
from tests.benchmarks.speed.stepping import stepping
from tests.benchmarks.speed.tables import Part, Section, stacked
from tests.benchmarks.speed.threshold import thresholds

PARTS: dict[str, Callable[..., Part]] = {
    "training": training,
    "episodes": episodes,
    "stepping": stepping,
    "thresholds": thresholds,
    "growth": growth,
    "gpu": on_gpu,
}


def measure(quick: bool, say: Say, *, only: Sequence[str] = (), seeds: int | None = None) -> Measured:
    chosen = parts(only)
    require("stable_baselines3", "stable-baselines3")
    found = {name: _one(name, quick, say, {"seeds": seeds} if name == "thresholds" else {}) for name in chosen}
    return summary(found)


def parts(only: Sequence[str]) -> tuple[str, ...]:
    """All parts, or those named.

    Raises:
        typer.BadParameter: there is none of a name.
    """
    for name in only:
        if name not in PARTS:
            raise typer.BadParameter(f"{name} is no part of the row speed; there is {', '.join(PARTS)}.")
    return tuple(name for name in PARTS if not only or name in only)


def _one(name: str, quick: bool, say: Say, given: dict[str, Any]) -> Part:
    """One part; if it breaks, the others are still worth having."""
    say(name)
    started = time.perf_counter()
    try:
        part = PARTS[name](quick, say, **given)
    except Exception as error:
        traceback.print_exc()
        words = f"{name} broke: {type(error).__name__}: {error}"
        return Part((Section(f"{name}: broke", (), ()),), {"problem": words}, words)
    say(f"{name} took {time.perf_counter() - started:.0f} s")
    return part


def summary(found: dict[str, Part]) -> Measured:
    """All parts in one table, with what bounds the runs below."""
    sections = [section for part in found.values() for section in part.sections]
    splits = {name: split for part in found.values() for name, split in part.splits.items()}
    words = [part.words for part in found.values() if part.words]
    if splits:
        sections.append(bounds.section(splits))
        words.append(bounds.WORDS)
    held = {name: value for part in found.values() for name, value in part.held.items()}
    data = {name: part.data for name, part in found.items()} | {"bounds": splits}
    return Measured(held, (), "\n".join(words), stacked(sections), data)
