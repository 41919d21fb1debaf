"""What a run of the library is called: by the name that a person gave it, or by what it has otherwise than another."""

from __future__ import annotations

from collections.abc import Sequence

from app.models.runs import Difference, differences
from engine.catalogue.configured import changed, described
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.entries import ALGORITHMS, UPDATES
from engine.catalogue.methods.picking import picked
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.config.environments import EnvironmentConfig
from engine.runs.records import RunRecord
from engine.runtime.errors import RequestError

_MOST = 2  # differences that a name is made of
_SEED, _BUDGET = "seed", "budget.environment_steps"
_LEAST_TELLING = (_BUDGET, "device")  # of what differs


def plain_environment(config: EnvironmentConfig) -> EnvironmentInfo | None:
    """The environment of a configuration before its changes, where the catalogue knows it."""
    try:
        return described(config)
    except RequestError:
        return None


def method_title(config: RunConfig) -> str:
    """What the choice of a method goes by: "PPO", or its update rule where it is none that has a name."""
    plain = plain_environment(config.environment)
    try:
        entry = picked(config, ALGORITHMS, changed(plain, config.environment)) if plain is not None else None
    except RequestError:
        entry = None
    return entry.title if entry is not None else UPDATES[config.update.kind].title


def environment_title(id: str) -> str:
    """What an environment is called; its id where the catalogue does not know it."""
    return ENVIRONMENTS[id].title if id in ENVIRONMENTS else id


def full_name(record: RunRecord) -> str:
    """What a run is: "PPO · Cart pole · seed 1"; its environment alone where its configuration cannot be read here."""
    where = environment_title(record.environment)
    try:
        return f"{method_title(record.config)} · {where} · seed {record.seed}"
    except RequestError:
        return f"{where} · seed {record.seed}"


def what_differs(record: RunRecord, other: RunRecord) -> list[Difference]:
    """In what ``record`` began otherwise than ``other`` now is, the most telling first; nothing where one of the
    configurations cannot be read here."""
    try:
        found = differences(other.config_now, record.config_now)
    except RequestError:
        return []
    return sorted(found, key=lambda difference: (difference.path in _LEAST_TELLING, difference.path == _SEED))


def name_beside(record: RunRecord, other: RunRecord | None) -> str:
    """A few words: the name that a person gave ``record``, or what it has otherwise than ``other``, which is the run
    that it is best compared with: "baseline: none"."""
    if record.label.title:
        return record.label.title
    if other is None:
        try:
            return f"{method_title(record.config)} · {environment_title(record.environment)}"
        except RequestError:
            return environment_title(record.environment)
    return in_words(what_differs(record, other)) or f"as run {other.number}"


def in_words(found: Sequence[Difference]) -> str:
    """What holds now of the first differences: "baseline: none, α 0.001, …"."""
    words = [difference.new_text for difference in found[:_MOST]]
    return ", ".join([*words, *(["…"] if len(found) > _MOST else [])])
