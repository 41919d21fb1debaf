"""A sweep as the runs that it comes to: every point's configuration, with what is wrong said before anything is
trained. Importable without torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from engine.catalogue.configured import changed, described
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.compatibility import refusal
from engine.catalogue.methods.entries import ALGORITHMS, CHOICES
from engine.catalogue.methods.picking import choose
from engine.config import RunConfig
from engine.config.parameters import parameters_of, with_values
from engine.config.problems import OPTIONS, ParameterError, shown
from engine.runs.sweeps.design import Levels, designed
from engine.runs.sweeps.spec import MOST_RUNS, Sweep, Varied
from engine.runtime.errors import RequestError

ALGORITHM = "algorithm"  # the path that names an entry of the catalogue
SEED = "seed"
_FIRST = ("environment", "environment.id", "policy", "policy.kind")  # before the algorithm, as on the command line
_LAST_SEED = 2**32 - 1


@dataclass(frozen=True)
class Point:
    """One setting of a sweep: what is shown of it, title by title, and its configuration with the first seed."""

    index: int
    settings: Mapping[str, Any]
    config: RunConfig

    @property
    def words(self) -> str:
        """ "Learning rate 0.01, Baseline average"; empty where nothing varies."""
        return ", ".join(f"{title} {_word(value)}" for title, value in self.settings.items())

    def of_seed(self, seed: int) -> RunConfig:
        return self.config.model_copy(update={SEED: seed})


@dataclass(frozen=True)
class Plan:
    """All points of a sweep, each to be trained with each of the ``seeds``."""

    points: tuple[Point, ...]
    seeds: tuple[int, ...]

    def __len__(self) -> int:
        """How many runs there are."""
        return len(self.points) * len(self.seeds)


def planned(sweep: Sweep) -> Plan:
    """The points and seeds of ``sweep``.

    Raises:
        RequestError: it has too many runs, or a point of it cannot be trained. What the catalogue does not know, such
            as the shape of an environment that has to be made first, is only found out as it is trained.
    """
    seeds = seeds_of(sweep)
    _require_apart(sweep)
    titles = _titles(sweep)
    points: list[Point] = []
    known: dict[str, Point] = {}
    for levels in designed(sweep, [_is_whole(sweep, varied) for varied in sweep.vary]):
        point = _point(sweep, len(points), levels, titles)
        point = Point(point.index, point.settings, point.of_seed(seeds[0]))
        same = known.setdefault(point.config.model_dump_json(), point)
        if same is point:
            points.append(point)
        elif sweep.design == "grid":
            raise RequestError(
                f"{beginning(same)} and {beginning(point)} come to the same configuration; leave one of them out."
            )
        if len(points) * len(seeds) > MOST_RUNS:
            raise RequestError(
                f"A sweep has at most {MOST_RUNS:,} runs; vary less, or train fewer seeds of each point."
            )
    _require_trainable(points)
    return Plan(tuple(points), seeds)


def seeds_of(sweep: Sweep) -> tuple[int, ...]:
    """Those that every point is trained with.

    Raises:
        RequestError: they are none, not all different, or out of bounds.
    """
    first = sweep.config.seed
    seeds = tuple(range(first, first + sweep.seeds)) if isinstance(sweep.seeds, int) else sweep.seeds
    if not seeds:
        raise RequestError("seeds cannot be empty: at least one seed is needed.")
    if len(set(seeds)) < len(seeds):
        twice = next(seed for seed in seeds if seeds.count(seed) > 1)
        raise RequestError(f"The seed {twice} is named twice; seeds should all be different.")
    for seed in seeds:
        if not 0 <= seed <= _LAST_SEED:
            raise RequestError(f"A seed cannot be {seed}: it should be from 0 to {_LAST_SEED}.")
    return seeds


def fingerprint(sweep: Sweep) -> str:
    """By which a sweep is known: the same one wherever it is begun, whatever it and its settings are called."""
    varied = [
        {
            "path": each.path,
            "values": each.values,
            "range": None if each.low is None else (each.low, each.high, each.scale),
            "count": each.count if each.low is not None and sweep.design == "grid" else None,
            "settings": [setting.set for setting in each.settings],
        }
        for each in sweep.vary
    ]
    design = (sweep.design, None if sweep.design == "grid" else sweep.points)
    config = sweep.config.model_dump(mode="json")
    return digest({"config": config, "vary": varied, "design": design, "seeds": seeds_of(sweep)})


def run_id(experiment: str, point: int, seed: int) -> str:
    """What the run of a seed at a point of an experiment is called in the library."""
    return digest([experiment, point, seed])


def digest(data: Any) -> str:
    """32 hexadecimal digits that follow from plain data, whatever the order of its keys."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), default=dict)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def with_settings(config: RunConfig, values: Mapping[str, Any]) -> RunConfig:
    """``config`` with ``values`` by path, of which ``algorithm`` is an entry of the catalogue, as on the command line:
    the environment and the policy first, then the algorithm, then the rest.

    Raises:
        RequestError: a path leads nowhere, or a value does not fit.
    """
    if SEED in values:
        raise RequestError("The path seed cannot be set here; say which seeds are trained with seeds.")
    first = {path: value for path, value in values.items() if path in _FIRST}
    rest = {path: value for path, value in values.items() if path != ALGORITHM}
    if ALGORITHM in values:
        name = values[ALGORITHM]
        if not isinstance(name, str) or name not in ALGORITHMS:
            near = get_close_matches(str(name), ALGORITHMS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(ALGORITHMS)}."
            raise RequestError(f"There is no algorithm {shown(name)}; {hint}")
        config = choose(with_values(config, first) if first else config, ALGORITHMS[name])
    return with_values(config, rest) if rest else config


def _point(sweep: Sweep, index: int, levels: Levels, titles: tuple[str, ...]) -> Point:
    values: dict[str, Any] = {}
    for level in levels:
        values |= level.values
    settings = {
        title: _told(varied, level.shown) for title, varied, level in zip(titles, sweep.vary, levels, strict=True)
    }
    point = Point(index, settings, sweep.config)
    try:
        return Point(index, settings, with_settings(sweep.config, values))
    except ParameterError as error:
        raise ParameterError(error.problem, f"{beginning(point)} does not fit: ") from None
    except RequestError as error:
        raise RequestError(f"{beginning(point)} does not fit: {error}") from None


def beginning(point: Point) -> str:
    """How a sentence about a point begins."""
    return f"Point {point.index + 1} ({point.words})" if point.settings else "The configuration"


def _word(value: Any) -> str:
    return value if isinstance(value, str) else shown(value)


def _told(varied: Varied, value: Any) -> Any:
    """What is shown of a level: a choice by its title, anything else as it is."""
    if not isinstance(value, str) or varied.settings:
        return value
    if varied.path == ALGORITHM:
        return ALGORITHMS[value].title if value in ALGORITHMS else value
    if varied.path in ("environment", "environment.id"):
        return ENVIRONMENTS[value].title if value in ENVIRONMENTS else value
    _, entries = CHOICES.get(varied.path.removesuffix(".kind"), ("", {}))
    return entries[value].title if value in entries else value


def _titles(sweep: Sweep) -> tuple[str, ...]:
    """What each thing that varies is called, all different."""
    parameters = {parameter.path: parameter.title for parameter in parameters_of(sweep.config)}
    choices = {path: title for path, (title, _) in CHOICES.items()}
    known = parameters | choices | {ALGORITHM: "Algorithm", "environment": "Environment"}
    found: list[str] = []
    for varied in sweep.vary:
        path = varied.path.removesuffix(".kind")
        last = path.removeprefix(f"{OPTIONS}.").rpartition(".")[2].replace("_", " ")
        title = varied.title or known.get(path) or last[:1].upper() + last[1:] or "Setting"
        beside = f"{title} ({path})" if path else f"{title} {len(found) + 1}"
        found.append(beside if title in found else title)
    return tuple(found)


def _require_apart(sweep: Sweep) -> None:
    """See to it that no path varies twice, of which only the last would count.

    Raises:
        RequestError: one does.
    """
    seen: dict[str, int] = {}
    for place, varied in enumerate(sweep.vary, 1):
        for path in {path.removesuffix(".kind") for path in _paths(varied)}:
            if seen.setdefault(path, place) != place:
                raise RequestError(f"{path} varies twice, in [[vary]] {seen[path]} and {place}; say it in one of them.")


def _paths(varied: Varied) -> Iterator[str]:
    if varied.path:
        yield varied.path
    for setting in varied.settings:
        yield from setting.set


def _is_whole(sweep: Sweep, varied: Varied) -> bool:
    """Whether what stands at the path of a range is a whole number, as far as the common configuration, or a choice
    that varies as well, has anything there."""
    if varied.low is None:
        return False
    here = [sweep.config]
    if not _kinds(sweep.config, varied.path):
        others = ((each, level) for each in sweep.vary if each is not varied for level in _each(each))
        for _, values in others:
            try:
                here.append(with_settings(sweep.config, values))
            except RequestError:  # it is told of as its point is
                continue
    kinds = {kind for config in here for kind in _kinds(config, varied.path)}
    return kinds == {int}


def _each(varied: Varied) -> Iterator[Mapping[str, Any]]:
    yield from ({varied.path: value} for value in varied.values)
    yield from (setting.set for setting in varied.settings)


def _kinds(config: RunConfig, path: str) -> set[type]:
    found = {parameter.type for parameter in parameters_of(config) if parameter.path == path}
    info = ENVIRONMENTS.get(config.environment.id)
    if path.startswith(f"{OPTIONS}.") and info is not None:
        found |= {type(option.default) for option in info.options if f"{OPTIONS}.{option.name}" == path}
    return found


def _require_trainable(points: list[Point]) -> None:
    """See to it that what the catalogue knows of each point speaks for it.

    Raises:
        RequestError: a point cannot be trained.
    """
    for point in points:
        try:
            environment = described(point.config.environment)
            if environment is None:
                continue
            problem = refusal(point.config, changed(environment, point.config.environment))
        except RequestError as error:
            raise RequestError(f"{beginning(point)} cannot be trained: {error}") from None
        if problem is not None:
            raise RequestError(f"{beginning(point)} cannot be trained: {problem}")
