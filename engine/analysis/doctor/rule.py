"""What a rule of the doctor is, and what it finds: plain data, without torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from engine.analysis.doctor.reported import Reported, number
from engine.catalogue.configured import changed, described
from engine.catalogue.methods.compatibility import refusal
from engine.config import RunConfig
from engine.config.bugs import NO_BUG
from engine.config.parameters import with_values
from engine.runtime.errors import RequestError

PanelTitle = Literal["Returns", "Signal", "Diagnostics"]


@dataclass(frozen=True)
class Try:
    """What may help: in words, and as values by the paths of parameters; none where no setting does it."""

    words: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Something that can be seen to be wrong in what a run reports; every field has to be given.

    Attributes:
        name: its id.
        title: what is wrong, in a few words.
        fits: whether it says anything of runs of this kind; what it needs and they do not report, need not be asked.
        look: the sentence of what is seen, with its numbers; None where nothing is wrong, or not enough is known yet.
        meaning: what it usually means.
        tries: what may help, the likeliest first; what does not fit the run is left out later.
        panel: the title of the panel where it is seen.
        curves: the metrics whose curves show it there, whichever the run has; empty where it is all that is there.
        source: where the threshold is from, and what it is.
    """

    name: str
    title: str
    fits: Callable[[Reported], bool]
    look: Callable[[Reported], str | None]
    meaning: str
    tries: Callable[[Reported], Iterable[Try]]
    panel: PanelTitle
    curves: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Finding:
    """What a rule has seen in a run."""

    rule: Rule
    sentence: str


def findings_of(rules: Sequence[Rule], reported: Reported) -> list[Finding]:
    """What the rules see, in their order."""
    with np.errstate(all="ignore"):  # numbers that overflow are no finding by themselves
        found = [(rule, rule.look(reported)) for rule in rules if rule.fits(reported)]
    return [Finding(rule, sentence) for rule, sentence in found if sentence is not None]


def offered(finding: Finding, reported: Reported) -> list[Try]:
    """What may help, the run without the bug first where it is made with one, then all that the rule has to offer: what
    can be had in this run's environment and changes it."""
    without_bug = put(reported, "bug", NO_BUG, "Train it without the bug")
    return [each for each in (*without_bug, *finding.rule.tries(reported)) if _can_be_had(each, reported.config)]


def _can_be_had(change: Try, config: RunConfig) -> bool:
    if not change.values:
        return True
    try:
        altered = with_values(config, change.values)
        plain = described(altered.environment)
        return altered != config and (plain is None or refusal(altered, changed(plain, altered.environment)) is None)
    except RequestError:
        return False


# --- what tries are made of -------------------------------------------------------------------------------------------


def value_at(config: RunConfig, path: str) -> Any:
    """The value at a path; None where the configuration has none."""
    value: Any = config
    for name in path.split("."):
        value = getattr(value, name, None)
    return value


def scaled(
    reported: Reported, path: str, factor: float, words: str, limits: tuple[float, float] = (0.0, 1e12)
) -> Iterator[Try]:
    """The number at ``path`` times ``factor``, within ``limits``, where there is one above 0; ``words`` say what it is
    to be done with, and what it comes to follows them."""
    value = value_at(reported.config, path)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return
    wanted = min(max(value * factor, limits[0]), limits[1])
    rounded = max(round(wanted), 1) if isinstance(value, int) else float(f"{wanted:.2g}")
    if rounded != value:
        yield Try(
            f"{words} to {rounded:,}" if isinstance(value, int) else f"{words} to {number(rounded)}", {path: rounded}
        )


def put(reported: Reported, path: str, value: Any, words: str) -> Iterator[Try]:
    """``value`` at ``path``, where there is a parameter and it is another."""
    there = value_at(reported.config, path)
    if there is not None and there != value:
        yield Try(words, {path: value})


def switched_on(reported: Reported, path: str, words: str) -> Iterator[Try]:
    """The switch at ``path``, where there is one and it is off."""
    if value_at(reported.config, path) is False:
        yield Try(words, {path: True})


def mended(reported: Reported) -> Iterator[Try]:
    """What may help where code is wrong, and not on purpose."""
    if value_at(reported.config, "bug") in (NO_BUG, None):
        yield Try(
            "Help ▸ Self-test, which trains the algorithm where it is known what must be learned: which probe fails "
            "mostly says which part of the code is wrong. No setting mends that."
        )
