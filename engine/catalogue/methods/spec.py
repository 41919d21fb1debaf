"""What has to be said of a method, once, before it can be picked: a record for each kind of choice.

Every field has to be given, so that nothing of it can be forgotten: a rule that says nothing of its bias is no rule,
and never one that counts as unbiased.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ActorCriticConfig, ImitationConfig, PlanningConfig, PolicyGradientConfig, ValueBasedConfig
from engine.config.policies import PolicyConfig
from engine.reports.metrics import METRICS
from engine.runtime.errors import Refusal


class Entry(NamedTuple):
    """One thing that can be picked; ``values`` are the configuration values that picking it sets.

    Those at ``told_by`` decide whether a configuration counts as this entry, all of them where it is empty.
    """

    id: str
    title: str
    summary: str
    values: dict[str, Any]
    told_by: tuple[str, ...] = ()

    @property
    def identity(self) -> dict[str, Any]:
        return {path: value for path, value in self.values.items() if not self.told_by or path in self.told_by}


class Method(NamedTuple):
    """A point on the grid of policy-gradient methods in an environment, with the records of its choices."""

    config: PolicyGradientConfig
    environment: EnvironmentInfo
    policy: PolicySpec
    collection: CollectionSpec
    credit: CreditSpec
    baseline: BaselineSpec
    update: UpdateSpec


Refusals = Callable[[Method], Iterator[Refusal]]

UNBIASED: Literal["unbiased"] = "unbiased"
Biases = Callable[[Method], Iterator[str]] | Literal["unbiased"]  # a sentence each


def fits_all(method: Method) -> Iterator[Refusal]:
    """Of what fits everything: nothing stands against it."""
    yield from ()


class UpdateSpec(NamedTuple):
    """An update rule.

    What every rule may have is told from its configuration: an entropy bonus, a clipped gradient, a schedule.

    Attributes:
        order: its place among all rules, from the lowest number; no two have the same.
        entry: what picking it sets.
        algorithms: the points of the grid with it that have a name, in the order in which they are shown.
        fits: why it cannot work with the policy or in the environment.
        whole_episodes: why it needs whole episodes, with what would do; None where it does not.
        shares_layers: whether V may be fitted through layers of the policy while it updates them.
        one_advantage: whether it needs a single advantage per step, so that none can differ by parameter.
        weighs_actors: whether its weights account for actions that were not sampled from the policy.
        biases: why its first step is not along the gradient even on average; ``UNBIASED`` where it is.
        pinned: the parameters that matter most with it, by their paths: three at most, since credit and collection have
            theirs.
        metrics: what it reports beside what all of the family do.
        ratios: what its probability ratios stand for, None where it has none.
    """

    order: int
    entry: Entry
    algorithms: tuple[Entry, ...]
    fits: Refusals
    whole_episodes: Refusal | None
    shares_layers: bool
    one_advantage: bool
    weighs_actors: bool
    biases: Biases
    pinned: tuple[str, ...]
    metrics: tuple[str, ...]
    ratios: Literal["step", "episode"] | None


class PlanningSpec(NamedTuple):
    """A rule that improves the policy by known dynamics, so that nothing is estimated and nothing can be biased.

    Attributes:
        order, entry, algorithms, pinned: as ``UpdateSpec``.
        fits: why it cannot work as configured.
        metrics: what it reports.
    """

    order: int
    entry: Entry
    algorithms: tuple[Entry, ...]
    fits: Callable[[PlanningConfig, EnvironmentInfo], Iterator[Refusal]]
    pinned: tuple[str, ...]
    metrics: tuple[str, ...]


class ValueSpec(NamedTuple):
    """A rule that learns action values from experience.

    Attributes:
        order, entry, algorithms, pinned: as ``UpdateSpec``.
        fits: why it cannot work as configured.
        metrics: what it reports.
        biases: why even its mean target is not the value that it is an estimate of.
        estimates: what its values are estimates of, as it is written.
    """

    order: int
    entry: Entry
    algorithms: tuple[Entry, ...]
    fits: Callable[[ValueBasedConfig, EnvironmentInfo], Iterator[Refusal]]
    biases: Callable[[ValueBasedConfig, EnvironmentInfo], Iterator[str]]
    estimates: Literal["q*", "q_π"]
    pinned: tuple[str, ...]
    metrics: tuple[str, ...]


class ActorCriticSpec(NamedTuple):
    """A rule that learns action values from experience, and the policy by them.

    Attributes:
        order, entry, algorithms, pinned: as ``UpdateSpec``.
        fits: why it cannot work as configured.
        biases: why the values that the policy is learned by are not, on average, those of the policy.
        metrics: what it reports.
    """

    order: int
    entry: Entry
    algorithms: tuple[Entry, ...]
    fits: Callable[[ActorCriticConfig, EnvironmentInfo], Iterator[Refusal]]
    biases: Callable[[ActorCriticConfig, EnvironmentInfo], Iterator[str]]
    pinned: tuple[str, ...]
    metrics: tuple[str, ...]


class ImitationSpec(NamedTuple):
    """A rule that learns from a teacher.

    Attributes:
        order, entry, algorithms, pinned: as ``UpdateSpec``.
        fits: why it cannot work as configured.
        biases: why what is learned is not what the teacher would do in the states that the policy comes to.
        metrics: what it reports.
    """

    order: int
    entry: Entry
    algorithms: tuple[Entry, ...]
    fits: Callable[[ImitationConfig, EnvironmentInfo], Iterator[Refusal]]
    biases: Callable[[ImitationConfig, EnvironmentInfo], Iterator[str]]
    pinned: tuple[str, ...]
    metrics: tuple[str, ...]


RuleSpec = UpdateSpec | PlanningSpec | ValueSpec | ActorCriticSpec | ImitationSpec


class CreditSpec(NamedTuple):
    """How rewards are credited to actions: the first half of an advantage estimator.

    Attributes:
        entry: what picking it sets.
        bootstraps: its name where a learned value stands in for later rewards, so that there has to be one; else None.
        whole_return: whether all actions of an episode get the same credit.
        fits: why it cannot work with the rest.
        whole_episodes: why it needs whole episodes, with what would do; None where it does not.
        biases: why it is no unbiased estimate of what an action brings; ``UNBIASED`` where it always is one.
        pinned: the parameters that matter most with it, by their paths.
        metrics: what it adds to the report.
    """

    entry: Entry
    bootstraps: str | None
    whole_return: bool
    fits: Refusals
    whole_episodes: Refusal | None
    biases: Biases
    pinned: tuple[str, ...]
    metrics: tuple[str, ...]


class BaselineSpec(NamedTuple):
    """What is subtracted from the credit: the second half of an advantage estimator.

    Attributes:
        entry: what picking it sets.
        learned: whether it is a learned value, by a network of its own or as an output of the policy's.
        fits: why it cannot work with the rest.
        whole_episodes: why it needs whole episodes, with what would do; None where it does not.
        one_episode: why one episode per update is too few.
        biases: why subtracting it changes the gradient's mean; ``UNBIASED`` where it never does.
        metrics: what it adds to the report.
    """

    entry: Entry
    learned: Literal["apart", "shared"] | None
    fits: Refusals
    whole_episodes: Refusal | None
    one_episode: Refusals
    biases: Biases
    metrics: tuple[str, ...]


class PolicySpec(NamedTuple):
    """A policy parameterization.

    Attributes:
        entry: what picking it sets.
        as_values: the same where what it gives are action values; None where it cannot hold any.
        fits: why it cannot work in an environment.
        spread: whether it can have a standard deviation, which a table has no place for.
        hidden_layers: whether it has layers that a learned value can share.
        remembers: whether its distribution depends on more than what is seen now.
        sees_images: whether it looks at images, and at nothing else.
        weights: how many numbers it learns, for what it sees and a number of outputs.
    """

    entry: Entry
    as_values: Entry | None
    fits: Callable[[PolicyConfig, EnvironmentInfo], Iterator[Refusal]]
    spread: bool
    hidden_layers: bool
    remembers: bool
    sees_images: bool
    weights: Callable[[PolicyConfig, EnvironmentInfo, int], int]


class DistributionSpec(NamedTuple):
    """A distribution over actions.

    Attributes:
        entry: what picking it sets.
        fits: why it cannot give an environment's actions.
        follows: the kinds of action spaces for which it is taken where none was asked for.
        spread: whether it has a standard deviation, of which ``policy.spread`` and ``initial_log_std`` speak.
        density: whether how likely an action is depends on what is learned alone, so that it can be made likelier.
        outputs: of the network, for each component of an action; a spread that is an output is counted apart.
    """

    entry: Entry
    fits: Callable[[EnvironmentInfo], Iterator[Refusal]]
    follows: tuple[str, ...]
    spread: bool
    density: bool
    outputs: int


class CollectionSpec(NamedTuple):
    """What is collected for an update.

    Attributes:
        entry: what picking it sets.
        fits: why the method cannot be learned from it.
        cuts: whether it cuts episodes off that would go on.
        pinned: the parameters that matter most with it, by their paths.
    """

    entry: Entry
    fits: Refusals
    cuts: bool
    pinned: tuple[str, ...]


class _Spec(Protocol):
    @property
    def entry(self) -> Entry: ...


S = TypeVar("S", bound=_Spec)


def by_kind(specs: Iterable[S]) -> dict[str, S]:
    """The records of one axis by the kind of their configuration.

    Raises:
        ValueError: two are of the same kind.
        KeyError: one reports a metric that there is not.
    """
    found: dict[str, S] = {}
    for spec in specs:
        if spec.entry.id in found:
            raise ValueError(f"There are two records of {spec.entry.id}.")
        found[spec.entry.id] = spec
        for name in getattr(spec, "metrics", ()):
            METRICS[name]
    return found


def require_same_kinds(made: Mapping[str, object], specs: Mapping[str, object]) -> None:
    """Raises ValueError where something is made, computed or written of a method without record, or not of one that has
    one."""
    if made.keys() != specs.keys():
        raise ValueError(f"Either only here or only with a record: {sorted(made.keys() ^ specs.keys())}.")
