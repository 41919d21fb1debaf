"""Taking an entry of the catalogue, and telling which entry a configuration amounts to."""

from __future__ import annotations

from engine.catalogue.methods.distribution import distribution_in
from engine.catalogue.methods.spec import Entry
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import (
    ActorCriticConfig,
    ImitationConfig,
    PlanningConfig,
    PolicyGradientConfig,
    RunConfig,
    ValueBasedConfig,
    plans_by_sweeps,
)
from engine.config.parameters import with_values


def choose(config: RunConfig, entry: Entry) -> RunConfig:
    """``config`` with ``entry`` picked; what the entry leaves unchanged keeps its parameters.

    Raises:
        RequestError: the entry is ``unused``, or a distribution that the policy cannot have.
    """
    new = [path for path, value in entry.values.items() if _at(config, path) != value]
    within = tuple(f"{path}." for path in new)  # where what has the same name now is something else's
    return with_values(
        config, {path: value for path, value in entry.values.items() if path in new or path.startswith(within)}
    )


def unused(config: RunConfig, entry: Entry) -> str | None:
    """Why ``entry`` means nothing in the family of ``config``; None where it does, or brings its own family along."""
    if isinstance(config, PolicyGradientConfig) or "update" in entry.values:
        return None
    for part, why in (_UNSWEPT if plans_by_sweeps(config) else _UNUSED[config.family]).items():
        if any(path.startswith(part) for path in entry.values):
            return why
    return None


_UNPLANNED = {
    "collection": "What is planned is computed from known dynamics, so nothing is collected for it.",
    "estimator.": "What is planned is computed, not estimated, so there is no advantage to choose.",
}
_UNSWEPT = _UNPLANNED | {"policy.distribution": "The policy follows from the values that are planned."}
_UNVALUED = {
    "collection": "Action values are learned step by step, so there is nothing else to collect.",
    "estimator.": "Action values are learned from targets, so there is no advantage to choose.",
    "policy.distribution": "The policy takes the action of the largest value, and now and then a random one.",
}
_LEARNED_BY_VALUES = {
    "collection": _UNVALUED["collection"],
    "estimator.": "The policy is learned by action values, so there is no advantage to choose.",
    "policy.distribution": "The rule says what the policy's actions are drawn from.",
}
_IMITATED = {
    "collection": "A teacher is learned from, so that what is collected only shows what the policy does.",
    "estimator.": "A teacher's actions are learned as they are, so there is no advantage to choose.",
}
_UNUSED = {
    PlanningConfig.family: _UNPLANNED,
    ValueBasedConfig.family: _UNVALUED,
    ActorCriticConfig.family: _LEARNED_BY_VALUES,
    ImitationConfig.family: _IMITATED,
}


def picked(config: RunConfig, entries: dict[str, Entry], environment: EnvironmentInfo) -> Entry | None:
    """The entry of ``entries`` that ``config`` amounts to in ``environment``, or None where it is none of them."""
    here = {"policy.distribution": distribution_in(config, environment)}
    return next(
        (
            entry
            for entry in entries.values()
            if all(here.get(path, _at(config, path)) == value for path, value in entry.identity.items())
        ),
        None,
    )


def _at(config: RunConfig, path: str) -> object:
    """The value at a dotted path, a choice's kind where it leads to one, None where it leads nowhere."""
    current: object = config
    for name in path.split("."):
        current = getattr(current, name, None)
    return getattr(current, "kind", current)
