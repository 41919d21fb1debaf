"""What is known of a family of environments: one record each, in a file of its own in ``environments``."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, NamedTuple

from engine.catalogue.spaces import EnvironmentInfo


class Extra(NamedTuple):
    """An optional part of this package's requirements; ``modules`` are what it brings, ``command`` installs it."""

    name: str
    title: str
    modules: tuple[str, ...]

    @property
    def command(self) -> str:
        """What to type in the folder of this program, as its README does."""
        return f'.venv/bin/pip install -e ".[{self.name}]"'

    @property
    def installed(self) -> bool:
        return all(find_spec(module) is not None for module in self.modules)

    @property
    def missing(self) -> str:
        """What to do before what it brings can be used, in a sentence; empty where it is installed."""
        return "" if self.installed else f"{self.title} is not installed; install it with {self.command}"


class Making(NamedTuple):
    """How Gymnasium comes to know environments of a package, and what stands between them and a policy.

    It holds for all of the package's environments, also those that the catalogue does not describe. A
    ``module:function`` is imported when one of them is made, no sooner.

    Attributes:
        package: what registers them, with ``gymnasium.register_envs`` where ``register`` is empty.
        prefixes: how their ids begin.
        register: ``module:function`` without arguments that registers them.
        arguments: what ``gymnasium.make`` is told besides a person's options.
        wrapper: ``module:function`` from the environment to the one that a policy sees; empty for none.
        frames: how many of the latest pictures it shows at once, one after the other, an episode's first as often as
            there are none before it.
    """

    package: str
    prefixes: tuple[str, ...]
    register: str = ""
    arguments: Mapping[str, Any] = MappingProxyType({})
    wrapper: str = ""
    frames: int = 1


class Family(NamedTuple):
    """A group of environments that belong together.

    Attributes:
        name: in configurations, lists and filters.
        title: its heading.
        summary: what it is, as one sentence.
        order: its place among the others, from the lowest number; no two have the same.
        extra: what has to be installed for it, None where nothing is missing.
        making: None where Gymnasium knows and makes its environments as a policy can see them.
        batched: whether dynamics of our own step its environments, all at once.
        waits: whether time stands still in them until a person who plays acts, as in worlds of cells and cards.
        environments: in the order in which they are shown.
    """

    name: str
    title: str
    summary: str
    order: int
    extra: Extra | None
    making: Making | None
    batched: bool
    waits: bool
    environments: tuple[EnvironmentInfo, ...]
