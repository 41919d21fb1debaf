"""The experiment as chosen in the window: one valid configuration, and why a wish for another was refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.models.form_rules import in_the_form
from engine.catalogue.configured import changed, described, options_of
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.compatibility import misplaced, refusal, rule_refusal
from engine.catalogue.methods.distribution import distribution_in
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.families import family_of, members
from engine.catalogue.methods.imitated import names_nobody, supplied
from engine.catalogue.methods.nearest import nearest_fit, what_gave_way
from engine.catalogue.methods.picking import choose, unused
from engine.catalogue.methods.spec import Entry
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ImitationConfig, PolicyGradientConfig, RunConfig
from engine.config.environments import EnvironmentConfig
from engine.config.parameters import Parameter, carried_over, parameters_of, with_values
from engine.config.problems import ParameterError, sentence
from engine.runtime.errors import RequestError

_OPTION = "environment.options."
_OF_EVERY_RUN = ("environment", "budget", "seed", "device")


class Experiment(QObject):
    """The current choice. A wish that cannot be met leaves it as it was and is answered with one sentence."""

    changed = Signal()
    environment_changed = Signal()
    rejected = Signal(str)
    adjusted = Signal(str)
    wished = Signal(object)  # an EnvironmentConfig that has to be looked at before it can be had

    def __init__(
        self, config: RunConfig | None = None, plain: EnvironmentInfo | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.config = config or PolicyGradientConfig()
        self.plain = plain or ENVIRONMENTS[self.config.environment.id]
        self.environment = changed(self.plain, self.config.environment)
        self._looked_at: dict[str, EnvironmentInfo] = {}
        self._left: dict[type[RunConfig], RunConfig] = {}  # the last choice in each family that was left for another

    @property
    def environments(self) -> dict[str, EnvironmentInfo]:
        """Those of the catalogue, and those looked at since."""
        return ENVIRONMENTS | self._looked_at

    def forget(self, id: str) -> None:
        """Have an environment that is not in the catalogue looked at again before it can be picked."""
        self._looked_at.pop(id, None)

    def set_config(self, config: RunConfig, plain: EnvironmentInfo) -> None:
        """Take a whole configuration, as from a preset or a saved run; ``problem`` tells whether it can work.

        Args:
            plain: its environment before the changes that the configuration makes to it.

        Raises:
            RequestError: these changes cannot be made to this environment; the choice stays as it was.
        """
        self._replace(config, plain, {})

    def _replace(self, config: RunConfig, plain: EnvironmentInfo, left: dict[type[RunConfig], RunConfig]) -> None:
        self.environment = changed(plain, config.environment)
        self._left = left
        self.config, self.plain = config, plain
        if plain.id not in ENVIRONMENTS and not config.environment.options:
            self._looked_at[plain.id] = plain
        self.environment_changed.emit()
        self.changed.emit()

    def pick(self, entry: Entry) -> str | None:
        """Take an entry of the catalogue, or say why not."""
        reason = self.refusal_of(entry)
        if reason is not None:
            return self._refuse(reason)
        self._take(self._with(entry))
        return None

    def refusal_of(self, entry: Entry) -> str | None:
        """Why the entry cannot be picked now; None when it can."""
        reason = unused(self.config, entry)
        if reason is not None:
            return reason
        try:
            return self._new_problem(self._with(entry))
        except RequestError:  # only a table's distributions are so few that the configuration itself refuses others
            return f"A table holds no {entry.title} policy; choose a linear or MLP policy."

    def pick_family(self, family: Entry) -> str | None:
        """Take a family of methods as it was left, or as it comes, or say why nothing of it can be had."""
        if family is family_of(self.config):
            return None
        found = self._of_family(family)
        if not isinstance(found, str):
            self._take(found)
            return None
        return self._refuse(found)

    def refusal_of_family(self, family: Entry) -> str | None:
        """Why nothing of a family can be had in the environment, and what would do; None where something can."""
        if family is family_of(self.config):
            return None
        found = self._of_family(family)
        return found if isinstance(found, str) else None

    def _of_family(self, family: Entry) -> RunConfig | str:
        """The configuration with which a person comes to a family, or why there is none; another policy gives way
        where that is all that is in the way."""
        reasons = []
        for config in self._offers(family):
            reason = refusal(config, self.environment)
            fitting = config if reason is None else nearest_fit(config, self.environment)
            if fitting is not None and fitting.update == config.update:
                return fitting
            reasons.append(str(rule_refusal(config, self.environment) or reason))
        return reasons[0]

    def _offers(self, family: Entry) -> Iterator[RunConfig]:
        """As it was left, but with what every run has, and its algorithms in their order."""
        for kind, left in self._left.items():
            if kind.family == family.id:
                common = {name: getattr(self.config, name) for name in _OF_EVERY_RUN}
                gamma = {"estimator.gamma": self.config.estimator.gamma}
                yield with_values(left.model_copy(update=common), gamma)
        for algorithm in members(ALGORITHMS, family).values():
            yield choose(self.config, algorithm)

    def _with(self, entry: Entry) -> RunConfig:
        config = choose(self.config, entry)
        if isinstance(config, ImitationConfig):
            config = supplied(config, self.environment)
        before = self._as_left(config, self.config)
        if before is not None and refusal(before := choose(before, entry), self.environment) is None:
            return before
        if "policy.distribution" in entry.values:
            follows = with_values(config, {"policy.distribution": "auto"})
            if distribution_in(follows, self.environment) == config.policy.distribution:
                return follows  # so that it goes on following the environment
        return config

    def _as_left(self, config: RunConfig, other: RunConfig) -> RunConfig | None:
        """Back in the family of ``config`` from that of ``other``, what ``other`` has no place for is as it was before
        and not as it is by default; None where it is the same family, or was not chosen before."""
        left = self._left.get(type(config))
        return carried_over(other, left) if left is not None and type(config) is not type(other) else None

    def imitate(self, dataset: str, played_in: EnvironmentConfig) -> str | None:
        """Choose cloning of a dataset that was played in an environment, with all else as it fits, or say why not."""
        from engine.experience.demonstration_checks import difference  # with numpy

        here = not difference(self.config.environment, played_in)
        wanted = self.config.environment if here else played_in
        try:
            plain = self.plain if here else described(wanted) or self.environments.get(wanted.id)
            if plain is None:
                return self._refuse(f"{wanted.id} has not been looked at yet; choose it as the environment first.")
            environment = changed(plain, wanted)
            config = choose(self.config.model_copy(update={"environment": wanted}), ALGORITHMS["behavioural-cloning"])
            config = with_values(config, {"imitation.dataset": dataset})
        except RequestError as error:
            return self._refuse(self._in_words(error))
        reason = refusal(config, environment)
        fitting = config if reason is None else nearest_fit(config, environment)
        if fitting is None or fitting.update.kind != config.update.kind:
            return self._refuse(str(reason))
        left = self._left | ({} if type(self.config) is type(config) else {type(self.config): self.config})
        self._replace(fitting, plain, left)
        return None

    def set_value(self, path: str, value: Any) -> str | None:
        """Set one parameter, or say why not."""
        try:
            config = self._with_value(path, value)
            if config.environment != self.config.environment:
                self._change_environment(config.environment)
                return None
        except RequestError as error:
            return self._refuse(self._in_words(error))
        reason = self._new_problem(config)
        if reason is not None:
            return self._refuse(reason)
        self._take(config)
        return None

    def refusal_of_value(self, path: str, value: Any) -> str | None:
        """Why one of the environment's parameters cannot have a value; None where, as far as is known, it can."""
        try:
            wanted = self._with_value(path, value).environment
            changed(described(wanted) or self.plain, wanted)
        except RequestError as error:
            return self._in_words(error)
        return None

    def _with_value(self, path: str, value: Any) -> RunConfig:
        if not path.startswith(_OPTION):
            return with_values(self.config, {path: value})
        name = path.removeprefix(_OPTION)
        options = {**self.config.environment.options, name: value}
        if any(option.name == name and option.default == value for option in self.plain.options):
            del options[name]
        return with_values(self.config, {_OPTION.rstrip("."): options})

    def _in_words(self, error: RequestError) -> str:
        """A complaint in which the parameter goes by its title."""
        if not isinstance(error, ParameterError):
            return str(error)
        problem = error.problem
        title = next((each.title for each in self._all_parameters() if each.path == problem.path), "")
        if title and problem.option_of and problem.index is not None:
            title = f"Each number in {title}"
        return sentence(problem, title or problem.path, "−")

    def _change_environment(self, environment: EnvironmentConfig) -> None:
        """Take the environment with another option or change; at once, or when it has been looked at."""
        same = (environment.id, environment.options) == (self.plain.id, self.config.environment.options)
        plain = self.plain if same else described(environment)
        if plain is None:
            self.wished.emit(environment)
        else:
            self.take_environment(environment, plain)

    def reset_value(self, path: str) -> str | None:
        """Give one parameter its default again, or say why not."""
        defaults = {parameter.path: parameter.default for parameter in self._all_parameters()}
        return self.set_value(path, defaults[path])

    def take_environment(self, wanted: EnvironmentConfig, plain: EnvironmentInfo) -> None:
        """Take an environment; a choice that does not fit it gives way to the nearest one that does.

        Args:
            plain: what it is before the changes that ``wanted`` makes to it.

        Raises:
            RequestError: these changes cannot be made to this environment; the choice stays as it was.
        """
        environment = changed(plain, wanted)
        config = self.config.model_copy(update={"environment": wanted})
        elsewhere = wanted.id != self.config.environment.id  # where it stays, what works is a person's choice
        reason = (misplaced if elsewhere else refusal)(config, environment)
        fitting = nearest_fit(config, environment) if reason else None
        if fitting is not None and (before := self._as_left(fitting, config)) is not None:
            fitting = nearest_fit(before, environment) or fitting
        self._replace(fitting or config, plain, self._left)
        if reason and fitting:
            self.adjusted.emit(f"{reason.why}; {what_gave_way(config, fitting, environment)}.")

    def problem(self) -> str | None:
        """Why the current choice cannot be trained, as one sentence; None when it can."""
        return self._problem_of(self.config)

    def parameters(self) -> list[Parameter]:
        """The parameters that mean something for the current choice and are set in the form."""
        return [p for p in self._all_parameters() if in_the_form(p.path, self.config, self.plain)]

    def _all_parameters(self) -> list[Parameter]:
        return [*options_of(self.config, self.environment), *parameters_of(self.config)]

    def _new_problem(self, config: RunConfig) -> str | None:
        """What stands against ``config``, unless it stands against the current choice just the same, or is only that
        nobody is named yet to be learned from."""
        reason = self._problem_of(config)
        waits = isinstance(config, ImitationConfig) and names_nobody(config)
        return None if reason is None or waits or reason == self.problem() else reason

    def _problem_of(self, config: RunConfig) -> str | None:
        found = refusal(config, self.environment)
        return None if found is None else str(found)

    def _take(self, config: RunConfig) -> None:
        if config != self.config:
            if type(config) is not type(self.config):
                self._left[type(self.config)] = self.config
            self.config = config
            self.changed.emit()

    def _refuse(self, reason: str) -> str:
        self.rejected.emit(reason)
        return reason
