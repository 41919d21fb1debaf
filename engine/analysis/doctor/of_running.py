"""Rules about the run as such: how fast it is, and whether it says anything beside another."""

from __future__ import annotations

import numpy as np

from engine.analysis.doctor.reported import RECENT, Reported, mean, number
from engine.analysis.doctor.rule import Rule, Try, put
from engine.config import RunConfig

_LONG = 60.0  # seconds of training, before which nothing is said of its speed
_SEEDS = 3


def _slower(reported: Reported) -> str | None:
    learning = np.flatnonzero(reported.column("gradient_steps") > 0.0)
    begun = int(learning[0]) if len(learning) else 0  # what is only played before is faster
    seconds, steps = reported.seconds[begun:], reported.steps[begun:]
    if len(seconds) < 50 or not np.isfinite(seconds).all() or seconds[-1] - seconds[0] < _LONG:
        return None
    at = (np.array([0.1, 0.3, 0.9]) * (len(seconds) - 1)).astype(int)
    first = (steps[at[1]] - steps[at[0]]) / max(seconds[at[1]] - seconds[at[0]], 1e-9)
    last = (steps[-1] - steps[at[2]]) / max(seconds[-1] - seconds[at[2]], 1e-9)
    lengths = reported.column("mean_length")[begun:]
    early, late = lengths[at[0] : at[1]], lengths[at[2] :]
    early, late = early[np.isfinite(early)], late[np.isfinite(late)]
    if not 0.0 < last < 0.4 * first or (len(early) and len(late) and mean(late) < 0.7 * mean(early)):
        return None
    return f"Training has become slower: {last:,.0f} steps a second where it was {first:,.0f}, with episodes as long."


def _same_but_for_seed(one: RunConfig, other: RunConfig) -> bool:
    return one.model_copy(update={"seed": 0}) == other.model_copy(update={"seed": 0})


def _too_few(reported: Reported) -> str | None:
    if reported.progress < 0.5 or len(reported.recent) < RECENT:
        return None
    others = [other for other in reported.others if len(other.returns) >= RECENT]
    mine = 1 + sum(_same_but_for_seed(other.config, reported.config) for other in others)
    against = [other for other in others if not _same_but_for_seed(other.config, reported.config)]
    if not against:
        return None
    beside = against[0]
    theirs = sum(_same_but_for_seed(other.config, beside.config) for other in against)
    if min(mine, theirs) >= _SEEDS:
        return None
    return (
        f"Beside another choice, a mean return of {number(reported.mean_return)} against "
        f"{number(mean(beside.returns))} says little yet: these are {_seeds(mine)} of one and {_seeds(theirs)} of the "
        "other."
    )


def _seeds(count: int) -> str:
    return "1 seed" if count == 1 else f"{count} seeds"


RULES = (
    Rule(
        name="slower",
        title="Throughput falling",
        fits=lambda reported: True,
        look=_slower,
        meaning="Something grows with every step, or the machine has other work to do: another run, another program, "
        "or heat.",
        tries=lambda reported: (
            Try(
                "Pause other runs and close other programs. Where that does not help, go on from where it was saved in "
                "a program just started: if it is fast again then, something was piling up."
            ),
        ),
        panel="Diagnostics",
        curves=("steps_per_second",),
        source="Andy Jones, “Debugging RL, without the agonizing pain”: throughput that decays means that a costly "
        "state is piling up. Here: below 40 % of what it was, after a minute and with episodes that are no shorter.",
    ),
    Rule(
        name="too-few-seeds",
        title="Too few seeds to say",
        fits=lambda reported: bool(reported.others),
        look=_too_few,
        meaning="The same choice from other seeds differs as much as this in most environments. Train each from "
        "several seeds before you believe that one of them is better.",
        tries=lambda reported: put(
            reported, "seed", reported.config.seed + 1, f"Train it from seed {reported.config.seed + 1} as well"
        ),
        panel="Returns",
        curves=(),
        source="Henderson et al. (2018), “Deep reinforcement learning that matters”: five seeds of one method can "
        "differ from five others of it. Here: fewer than 3 of either.",
    ),
)
