"""Rules about learning from a teacher."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np

from engine.analysis.doctor.reported import Reported, mean, median, number, percent
from engine.analysis.doctor.rule import Rule, Try, put, scaled, value_at
from engine.config import ImitationConfig
from engine.config.imitation import OWN, BehaviouralCloning


def _learns_from_teacher(reported: Reported) -> bool:
    return isinstance(reported.config, ImitationConfig) and reported.config.imitation.dataset != OWN


def _clones(reported: Reported) -> bool:
    return _learns_from_teacher(reported) and isinstance(reported.config.update, BehaviouralCloning)


def _by_heart(reported: Reported) -> str | None:
    held, learned = reported.column("held_out_loss"), reported.column("training_loss")
    known = np.isfinite(held) & np.isfinite(learned)
    held, learned = held[known], learned[known]
    patience = value_at(reported.config, "update.patience") or 10
    if len(held) < patience + 10 or reported.does_well:
        return None
    best = int(held.argmin())
    if len(held) - 1 - best < patience + 5:
        return None
    low, now = float(held[best]), mean(held[-5:])
    if now - low < max(0.2 * abs(low), 0.05) or mean(learned[-5:]) >= float(learned[best]):
        return None
    return (
        f"It learns by heart: on what is held out the loss has risen from {number(low, 3)} to {number(now, 3)} since "
        f"iteration {best + 1}, while on what is learned it fell to {number(mean(learned[-5:]), 3)}."
    )


def _like_the_most_frequent(reported: Reported) -> str | None:
    agreement, share = reported.last("agreement", 10), reported.last("majority_share", 10)
    if not len(agreement) or not len(share) or median(share) > 0.97:
        return None
    if median(agreement) > median(share) + 0.01:
        return None
    return (
        f"It agrees with the teacher in {percent(median(agreement))} of the steps, no more often than always taking "
        f"the most frequent action would, {percent(median(share))}."
    )


def _strays(reported: Reported) -> str | None:
    agreement, teacher = reported.last("agreement", 5), reported.newest("teacher_return", 1)
    if not len(agreement) or not len(teacher) or not len(reported.recent) or reported.progress < 0.2:
        return None
    begun, best = mean(reported.beginning), float(teacher[-1])
    if median(agreement) < 0.9 or not best > begun or reported.mean_return > begun + 0.5 * (best - begun):
        return None
    return (
        f"It strays: it agrees with the teacher in {percent(median(agreement))} of his steps, and returns "
        f"{number(reported.mean_return)} where he returns {number(best)}."
    )


def _less_by_heart(reported: Reported) -> Iterator[Try]:
    return chain(
        put(reported, "update.patience", 10, "Stop once the loss on what is held out has not fallen 10 times"),
        scaled(reported, "update.learning_rate", 0.3, "Lower the learning rate"),
        scaled(reported, "update.epochs", 0.5, "Take fewer epochs: go down"),
    )


def _more_learned(reported: Reported) -> Iterator[Try]:
    return chain(
        scaled(reported, "update.learning_rate", 5.0, "Raise the learning rate", (0.0, 1.0)),
        scaled(reported, "update.epochs", 4.0, "Take more epochs: go up"),
    )


_ROSS = "Ross, Gordon and Bagnell (2011), “A reduction of imitation learning and structured prediction”"

RULES = (
    Rule(
        name="learned-by-heart",
        title="Learned by heart",
        fits=_clones,
        look=_by_heart,
        meaning="What is learned is the dataset and not the teacher. More of it, or stopping sooner, would carry over "
        "further.",
        tries=_less_by_heart,
        panel="Diagnostics",
        curves=("held_out_loss",),
        source="Prechelt (1998), “Early stopping, but when?”. Here: a fifth above its lowest, for longer than the "
        "patience that is set.",
    ),
    Rule(
        name="most-frequent-action",
        title="No better than the most frequent action",
        fits=_learns_from_teacher,
        look=_like_the_most_frequent,
        meaning="What the policy sees says nothing yet of what the teacher does, or it has hardly begun to learn.",
        tries=_more_learned,
        panel="Diagnostics",
        curves=("agreement",),
        source="The share of the most frequent class, which a classifier has to beat. Here: over 10 iterations.",
    ),
    Rule(
        name="strays",
        title="Strays from the teacher's states",
        fits=_clones,
        look=_strays,
        meaning="It does what he does where he has been, and its few errors lead to where he has not, so that they add "
        "up. Asking him there, as DAgger does, mends that.",
        tries=lambda reported: (
            Try("Choose DAgger, and a teacher who can be asked what to do where the learner comes to."),
        ),
        panel="Returns",
        curves=(),
        source=f"{_ROSS}: errors grow with the square of the horizon. Here: nine of ten steps agreed, and less than "
        "half of the way from the first returns to his, after a fifth of the budget.",
    ),
)
