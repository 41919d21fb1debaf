"""A run as the window speaks of it: its number and name, what it has told, and how two choices differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from app.models.run_state import RunState
from app.style.format import NOTHING, setting, spans
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.bugs import mark_of, marked
from engine.catalogue.methods.entries import ALGORITHMS, CHOICES, DISTRIBUTIONS, UPDATES
from engine.catalogue.methods.picking import picked
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.config.bugs import NO_BUG
from engine.config.parameters import Parameter, parameters_of
from engine.config.problems import OPTIONS
from engine.reports.events import Change

MIME = "application/x-policy-gradient-runs"  # their ids, one a line: what is dragged to where runs are compared

if TYPE_CHECKING:  # with numpy, which the first picture of the window does not wait for
    from app.models.history import History
    from engine.analysis.playback import PolicySnapshot
    from engine.runs.records import RunRecord


@dataclass(frozen=True)
class Run:
    """One run of this window, with the choices it began with; ``number`` counts from 1."""

    id: str
    number: int
    config: RunConfig
    environment: EnvironmentInfo
    history: History

    @property
    def name(self) -> str:
        """What it is, for a person: "PPO · Cart pole · seed 1"."""
        return with_mark(f"{self.method} · {self.environment.title} · seed {self.config.seed}", self.config)

    @property
    def method(self) -> str:
        """The title of its algorithm, or of its update rule where its choices have no name together."""
        entry = picked(self.config, ALGORITHMS, self.environment)
        return entry.title if entry else UPDATES[self.config.update.kind].title

    def compares_with(self, other: Run) -> bool:
        """Whether the returns of both are of one environment, so that one axis can hold them."""
        return self.environment.id == other.environment.id


@dataclass(frozen=True)
class SeedGroup:
    """A run for each seed, in order; ``together`` says that one process trains them as one, else each has its own, and
    ``here`` is the one that is trained in the window."""

    runs: tuple[Run, ...]
    together: bool = True
    here: str = ""

    def __len__(self) -> int:
        return len(self.runs)

    def run(self, id: str) -> Run | None:
        return next((run for run in self.runs if run.id == id), None)

    def is_elsewhere(self, run: str) -> bool:
        """Whether a process of its own trains ``run``."""
        return not self.together and run != self.here

    @property
    def ids(self) -> list[str]:
        return [run.id for run in self.runs]

    @property
    def solved(self) -> int:
        """How many have solved their environment."""
        return sum(run.history.solved is not None for run in self.runs)

    @property
    def failed(self) -> int:
        return sum(bool(run.history.failure) for run in self.runs)

    @property
    def going(self) -> list[Run]:
        """Those that have not failed."""
        return [run for run in self.runs if not run.history.failure]

    def left(self, budget: int) -> list[Run]:
        """Those that have neither failed nor taken so many environment steps."""
        return [run for run in self.going if run.history.environment_steps < budget]

    @property
    def numbers(self) -> str:
        """ "runs 5–12"."""
        return f"runs {spans([run.number for run in self.runs])}"

    def name(self, shown: Run) -> str:
        """What they are, for a person: "PPO · Cart pole · seeds 1–8 · seed 3 shown"."""
        what = shown.name.removesuffix(f"seed {shown.config.seed}")
        return f"{what}seeds {spans([run.config.seed for run in self.runs])} · seed {shown.config.seed} shown"

    @property
    def words(self) -> str:
        """What some of them have come to: "7 of 8 solved, 1 failed"; empty where that can be said of none."""
        solvable = self.runs[0].environment.solved_at is not None
        told = [f"{self.solved} of {len(self)} solved"] if solvable else []
        return ", ".join([*told, *([f"{self.failed} failed"] if self.failed else [])])


@dataclass
class KeptRun:
    """A run with all that it takes to show it again: what it came to be, and what is chosen to have another like it.

    ``config`` is the run's own with what has been changed in it since; ``plain`` is its environment before the changes
    that the configuration makes to it; ``policy`` is the one that it has come to. ``record`` is what the library says
    of a run that can go on from there. Of several seeds that were begun at once, ``group``, ``config`` has the first
    seed, and ``state`` is that of all.
    """

    run: Run
    config: RunConfig
    plain: EnvironmentInfo
    state: RunState
    policy: PolicySnapshot | None = None
    record: RunRecord | None = None
    group: SeedGroup | None = None


@dataclass(frozen=True)
class Difference:
    """A parameter or a choice that is otherwise in one configuration than in another.

    Of a choice, such as the update rule, ``old`` and ``new`` are the titles of what is chosen.
    """

    path: str
    title: str
    symbol: str
    old: Any
    new: Any

    @property
    def text(self) -> str:
        """In a few characters: "α 0.01 → 0.001"."""
        if _is_map(self.old) or _is_map(self.new):
            return f"{self.name} edited"
        return f"{self.name} {_value(self.old)} → {_value(self.new)}"

    @property
    def new_text(self) -> str:
        """What holds now: "α 0.001", "baseline: average return"."""
        if self.path == _BUG:
            return "no bug" if self.new == NO_BUG else str(self.new)
        if self.path in CHOICES:
            return f"{self.name}: {within_a_sentence(str(self.new))}"
        return f"{self.name} edited" if _is_map(self.new) else f"{self.name} {_value(self.new)}"

    @property
    def name(self) -> str:
        """Its symbol, or its title as it stands in a sentence."""
        return self.symbol or within_a_sentence(self.title)


def with_mark(name: str, config: RunConfig) -> str:
    """What a run goes by, marked where it is made with a bug: "⚠ bug: sign of the loss · PPO · Cart pole · seed 1"."""
    return " · ".join(filter(None, (marked(config), name)))


def within_a_sentence(title: str) -> str:
    """``title`` in small letters, but for abbreviations: "time limit", "GAE decay"."""
    return title[:1].lower() + title[1:] if title[1:2].islower() else title


def _value(value: Any) -> str:
    return NOTHING if value is None else setting(value)


def _is_map(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and isinstance(value[0], str)


def differences(old: RunConfig, new: RunConfig) -> list[Difference]:
    """What ``new`` has otherwise than ``old``: first what is chosen, then parameters, each in the order of the fields.

    Of a choice that is of another kind only that is told, and not what its parameters are; nor is told what only the
    family of one of them has, since its update rule says so.
    """
    found = list(_between(old, new, "", {p.path: p for p in parameters_of(new)}))
    return sorted(found, key=lambda difference: difference.path not in (*CHOICES, _ENVIRONMENT))


def in_short(found: Sequence[Difference]) -> str:
    """The first of these differences, and how many more there are: "α 0.001 → 0.002, +2 more"."""
    return found[0].text + (f", +{len(found) - 1} more" if len(found) > 1 else "")


def live_changes(old: RunConfig, new: RunConfig) -> dict[str, Any]:
    """The parameters that may change while training and are otherwise in ``new``, by path, where both have them."""
    before = {parameter.path: parameter.value for parameter in parameters_of(old) if parameter.live}
    after = {parameter.path: parameter.value for parameter in parameters_of(new)}
    return {path: after[path] for path, value in before.items() if path in after and after[path] != value}


_ENVIRONMENT, _BUG = "environment.id", "bug"


def difference_made(change: Change, config: RunConfig) -> Difference:
    """A change while training in the words of the run's choice: "α 0.01 → 0.001" for a learning rate."""
    parameter = next((known for known in parameters_of(config) if known.path == change.path), None)
    title = parameter.title if parameter else change.path.rpartition(".")[2].replace("_", " ")
    return Difference(change.path, title, parameter.symbol if parameter else "", change.old, change.new)


def _between(old: BaseModel, new: BaseModel, prefix: str, known: dict[str, Parameter]) -> Iterator[Difference]:
    for name in type(old).model_fields:
        if name not in type(new).model_fields:
            continue
        path, first, second = f"{prefix}{name}", getattr(old, name), getattr(new, name)
        if path == OPTIONS:
            if getattr(old, "id", "") == getattr(new, "id", ""):
                yield from _options(getattr(old, "id", ""), first, second)
        elif path in CHOICES and first.kind != second.kind:
            title, entries = CHOICES[path]
            if first.kind in entries and second.kind in entries:  # else there is nothing to choose in one's family
                yield Difference(path, title, "", entries[first.kind].title, entries[second.kind].title)
        elif isinstance(first, BaseModel) and isinstance(second, BaseModel):
            yield from _between(first, second, f"{path}.", known)
        elif first != second:
            parameter = known[path]
            titles = _TITLES.get(path, {})
            shown = (titles.get(value, value) if isinstance(value, str) else value for value in (first, second))
            if path == _BUG:
                shown = (mark_of(value) or NO_BUG for value in (first, second))
            yield Difference(path, parameter.title, parameter.symbol, *shown)


_TITLES: dict[str, dict[str, str]] = {
    _ENVIRONMENT: {id: info.title for id, info in ENVIRONMENTS.items()},
    "policy.distribution": {id: entry.title for id, entry in DISTRIBUTIONS.items()},
}


def _options(id: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Difference]:
    """Between the keyword arguments of one environment; what is not given has its default."""
    info = ENVIRONMENTS.get(id)
    told = {option.name: option for option in info.options} if info else {}
    for name in {**old, **new}:
        default = told[name].default if name in told else None
        first, second = old.get(name, default), new.get(name, default)
        if first != second:
            title = told[name].title if name in told else name.replace("_", " ")
            yield Difference(f"{OPTIONS}.{name}", title, "", first, second)
