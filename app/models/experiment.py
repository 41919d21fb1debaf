"""The experiment as chosen in the window: one valid configuration, and why a wish for another was refused."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal

from app.models.relevance import in_the_form
from engine.catalogue import (
    DISTRIBUTIONS,
    ENVIRONMENTS,
    POLICIES,
    UPDATES,
    Entry,
    EnvironmentInfo,
    choose,
    distribution_of,
    picked,
    refusal,
)
from engine.config import RunConfig
from engine.errors import RequestError
from engine.parameters import Parameter, parameters_of, with_values


class Experiment(QObject):
    """The current choice. A wish that cannot be met leaves it as it was and is answered with one sentence."""

    changed = Signal()
    environment_changed = Signal()
    rejected = Signal(str)
    adjusted = Signal(str)

    def __init__(
        self,
        config: RunConfig | None = None,
        environment: EnvironmentInfo | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.config = config or RunConfig()
        self.environment = environment or ENVIRONMENTS[self.config.environment.id]
        self.environments = {**ENVIRONMENTS, self.environment.id: self.environment}

    def set_config(self, config: RunConfig, environment: EnvironmentInfo) -> None:
        """Take a whole configuration, as from a preset or a saved run; ``problem`` tells whether it can work."""
        self.config, self.environment = config, environment
        self.environments[environment.id] = environment
        self.environment_changed.emit()
        self.changed.emit()

    def pick(self, entry: Entry) -> str | None:
        """Take an entry of the catalogue, or say why not."""
        reason = self.refusal_of(entry)
        return self._take(self._with(entry)) if reason is None else self._refuse(reason)

    def refusal_of(self, entry: Entry) -> str | None:
        """Why the entry cannot be picked now; None when it can."""
        try:
            return self._new_problem(self._with(entry))
        except RequestError:  # only a table's distributions are so few that the configuration itself refuses others
            return f"A table holds no {entry.title} policy; choose a linear or MLP policy."

    def _with(self, entry: Entry) -> RunConfig:
        config = choose(self.config, entry)
        if "policy.distribution" in entry.values:
            follows = with_values(config, {"policy.distribution": "auto"})
            if distribution_of(follows.policy, self.environment) == config.policy.distribution:
                return follows  # so that it goes on following the environment
        return config

    def set_value(self, path: str, value: Any) -> str | None:
        """Set one parameter, or say why not."""
        try:
            config = with_values(self.config, {path: value})
        except RequestError as error:
            titles = {parameter.path: parameter.title for parameter in parameters_of(self.config)}
            return self._refuse(str(error).replace(path, titles.get(path, path), 1))
        reason = self._new_problem(config)
        return self._take(config) if reason is None else self._refuse(reason)

    def reset_value(self, path: str) -> str | None:
        """Give one parameter its default again, or say why not."""
        defaults = {parameter.path: parameter.default for parameter in parameters_of(self.config)}
        return self.set_value(path, defaults[path])

    def pick_environment(self, environment: EnvironmentInfo) -> None:
        """Take an environment; a choice that does not fit it gives way to the nearest one that does."""
        config = with_values(self.config, {"environment.id": environment.id})
        reason = refusal(config, environment)
        fitting = nearest_fit(config, environment) if reason else None
        self.set_config(fitting or config, environment)
        if reason and fitting:
            self.adjusted.emit(
                f"{reason.partition(';')[0].rstrip('.')}; {_what_gave_way(config, fitting, environment)}."
            )

    def problem(self) -> str | None:
        """Why the current choice cannot be trained, as one sentence; None when it can."""
        return refusal(self.config, self.environment)

    def parameters(self) -> list[Parameter]:
        """The parameters that mean something for the current choice and are set in the form."""
        return [p for p in parameters_of(self.config) if in_the_form(p.path, self.config, self.environment)]

    def _new_problem(self, config: RunConfig) -> str | None:
        """What stands against ``config``, unless it stands against the current choice just the same."""
        reason = refusal(config, self.environment)
        return None if reason == self.problem() else reason

    def _take(self, config: RunConfig) -> None:
        if config != self.config:
            self.config = config
            self.changed.emit()

    def _refuse(self, reason: str) -> str:
        self.rejected.emit(reason)
        return reason


def nearest_fit(config: RunConfig, environment: EnvironmentInfo) -> RunConfig | None:
    """The configuration most like ``config`` that works in ``environment``.

    Its distribution gives way first, then its features, its kind of policy (to an MLP if that will do), its update.
    """
    if config.update.kind == "exact-gradient" and not environment.finite:
        config = choose(config, UPDATES["gradient-ascent"])
    follows = with_values(config, {"policy.distribution": "auto"})
    raw = [with_values(follows, {"policy.features": "raw"})] if config.policy.kind == "linear" else []
    kinds = sorted(POLICIES.values(), key=lambda entry: entry.id != "mlp")
    candidates = (config, follows, *raw, *(choose(follows, entry) for entry in kinds))
    return next((candidate for candidate in candidates if refusal(candidate, environment) is None), None)


def _what_gave_way(before: RunConfig, after: RunConfig, environment: EnvironmentInfo) -> str:
    """What ``nearest_fit`` changed, in words."""
    if after.update.kind != before.update.kind:
        return f"the update rule is now {UPDATES[after.update.kind].title}"
    if after.policy.kind != before.policy.kind:
        return f"the policy is now {POLICIES[after.policy.kind].title}"
    if after.policy.distribution == before.policy.distribution:
        return "the features are now raw"
    now = picked(after, DISTRIBUTIONS, environment)
    return f"the distribution is now {now.title if now else after.policy.distribution}"
