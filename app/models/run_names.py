"""What a run of the library is called: by the name that a person gave it, or by what it has otherwise than another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.models.runs import Difference, differences
from app.style.format import NOTHING
from engine.catalogue.configured import changed, described
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.entries import ALGORITHMS, UPDATES
from engine.catalogue.methods.picking import picked
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.config.environments import EnvironmentConfig
from engine.runs.records import RunRecord
from engine.runtime.errors import RequestError

if TYPE_CHECKING:  # with numpy, which the first picture of the window does not wait for
    from engine.runs.comparison.differences import Varying

_MOST = 2  # differences that a name is made of
_SEED, _BUDGET, _ENVIRONMENT, _POLICY = "seed", "budget.environment_steps", "environment.id", "policy"
_BUG = "bug"
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
        return _with_mark(f"{method_title(record.config)} · {where} · seed {record.seed}", record)
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
        return _with_mark(record.label.title, record)
    try:
        if other is None:
            return _with_mark(f"{method_title(record.config)} · {environment_title(record.environment)}", record)
        return _with_mark(", ".join(told_apart(other.config_now, record.config)) or f"as run {other.number}", record)
    except RequestError:
        return environment_title(record.environment)


def _with_mark(name: str, record: RunRecord) -> str:
    """``name``, behind the mark of a run that is made with a bug, wherever that stood in it: what has no room is cut
    from the end."""
    if not record.mark or name.startswith(record.mark):
        return name
    rest = re.sub(rf"(, | · )?{re.escape(record.mark)}", "", name)
    return f"{record.mark} · {rest}" if rest else record.mark


def told_apart(old: RunConfig, new: RunConfig) -> list[str]:
    """What a person would say of ``new`` beside ``old``, in a few parts: the algorithm where that is another one, the
    environment, and then what else is different, as ["PPO", "MLP", "…"] or ["α 0.001", "seed 2"].

    One choice of an algorithm alone is told as that choice: ["baseline: none"]. That ``new`` is made with a bug, and
    ``old`` with another or none, comes first, and is never left out.
    """
    found = _most_telling_first(differences(old, new))
    bug = [_words(each) for each in found if each.path == _BUG]
    found = [each for each in found if each.path != _BUG]
    chosen = {difference.path for difference in found} & _METHOD
    words: list[str] = []
    named = ("update" in chosen or len(chosen) > 1) and method_title(old) != method_title(new)
    if named:
        words.append(method_title(new))
        found = [each for each in found if each.path.partition(".")[0] not in _OF_A_METHOD]
        found = [each for each in found if each.path not in LEAST_TELLING]
    words += [str(each.new) if named and each.path == _POLICY else _words(each) for each in found]
    words = [*bug, *words]
    return [*words[:_MOST], *(["…"] if len(words) > _MOST else [])]


def names_apart(records: Sequence[RunRecord], differing: Sequence[Varying]) -> dict[str, str]:
    """What each of these is called among the others, by its id: the name that a person gave it, or what it has
    otherwise, "baseline: none, seed 2". Where much differs it is the method, and the environment, if these do, with as
    much more as tells apart those that are called alike, "PPO · Acrobot". One of which nothing is left is left out."""
    few = len(differing) <= _MOST
    if few:
        told = [[_of(one, index) for one in differing if one.values[index]] for index in range(len(records))]
    else:
        told = _with_more(_methods(records), differing)
    between = ", " if few else " · "
    pairs = zip(records, told, strict=True)
    beside = {record.id: _with_mark(record.label.title or between.join(words), record) for record, words in pairs}
    return {id: name for id, name in beside.items() if name}


def _methods(records: Sequence[RunRecord]) -> list[list[str]]:
    """The method and the environment of each run, of these what is not the same in all."""
    methods = [_method(record) for record in records]
    places = [environment_title(record.environment) for record in records]
    parts = [column for column in (methods, places) if len(set(column)) > 1]
    return [[column[index] for column in parts] for index in range(len(records))]


def _method(record: RunRecord) -> str:
    try:
        return method_title(record.config_now)
    except RequestError:
        return NOTHING


def _with_more(names: list[list[str]], differing: Sequence[Varying]) -> list[list[str]]:
    """The names, and behind those that are alike what tells these apart best; a seed only where nothing else does."""
    for _ in range(_MOST):
        alike: dict[str, list[int]] = {}
        for index, name in enumerate(names):
            alike.setdefault(str(name), []).append(index)
        for group in alike.values():
            kinds = [(one, len({str(one.values[index]) for index in group})) for one in differing]
            telling = [(_place(one.path)[1:], -count, one) for one, count in kinds if count > 1]
            if telling:
                best = min(telling, key=lambda found: found[:2])[2]
                for index in group:
                    names[index] += [_of(best, index)] if best.values[index] else []
    return names


def _of(one: Varying, index: int) -> str:
    """What a run has of what differs."""
    return _words(Difference(one.path, one.title, one.symbol, None, one.values[index][-1]))


def _words(difference: Difference) -> str:
    """What holds: "Cart pole", "α 0.01", "baseline: none"."""
    return str(difference.new) if difference.path == _ENVIRONMENT else difference.new_text


def _most_telling_first(found: Sequence[Difference]) -> list[Difference]:
    return sorted(found, key=lambda difference: _place(difference.path))


def _place(path: str) -> tuple[bool, bool, bool]:
    """Where it stands among what tells runs apart: the environment first, then anything, at last the seed."""
    return path != _ENVIRONMENT, path in LEAST_TELLING, path == _SEED
