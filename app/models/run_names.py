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
_SEED, _BUDGET, _ENVIRONMENT, _POLICY = "seed", "budget.environment_steps", "environment.id", "policy"
LEAST_TELLING = (_BUDGET, "device")  # of what differs
_METHOD = frozenset({"estimator.credit", "estimator.baseline", "update"})  # choices that make an algorithm
_OF_A_METHOD = ("collection", "estimator", "update")  # what goes without saying where another algorithm is named


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
        return _most_telling_first(differences(other.config_now, record.config))
    except RequestError:
        return []


def name_beside(record: RunRecord, other: RunRecord | None) -> str:
    """A few words: the name that a person gave ``record``, or what it has otherwise than ``other``, which is the run
    that it is best compared with: "PPO", "baseline: none"."""
    if record.label.title:
        return record.label.title
    try:
        if other is None:
            return f"{method_title(record.config)} · {environment_title(record.environment)}"
        return ", ".join(told_apart(other.config_now, record.config)) or f"as run {other.number}"
    except RequestError:
        return environment_title(record.environment)


def told_apart(old: RunConfig, new: RunConfig) -> list[str]:
    """What a person would say of ``new`` beside ``old``, in a few parts: the algorithm where that is another one, the
    environment, and then what else is different, as ["PPO", "MLP", "…"] or ["α 0.001", "seed 2"].

    One choice of an algorithm alone is told as that choice: ["baseline: none"].
    """
    found = _most_telling_first(differences(old, new))
    chosen = {difference.path for difference in found} & _METHOD
    words = []
    named = ("update" in chosen or len(chosen) > 1) and method_title(old) != method_title(new)
    if named:
        words.append(method_title(new))
        found = [each for each in found if each.path.partition(".")[0] not in _OF_A_METHOD]
        found = [each for each in found if each.path not in LEAST_TELLING]
    for difference in found:
        title_alone = difference.path == _ENVIRONMENT or (named and difference.path == _POLICY)
        words.append(str(difference.new) if title_alone else difference.new_text)
    return [*words[:_MOST], *(["…"] if len(words) > _MOST else [])]


def _most_telling_first(found: Sequence[Difference]) -> list[Difference]:
    def place(difference: Difference) -> tuple[bool, bool, bool]:
        path = difference.path
        return path != _ENVIRONMENT, path in LEAST_TELLING, path == _SEED

    return sorted(found, key=place)
