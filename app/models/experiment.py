"""The experiment as chosen in the window: one valid configuration, and why a wish for another was refused."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.catalogue import ENVIRONMENTS, POLICIES, Entry, EnvironmentInfo, choose, distribution_of, refusal
from engine.config import RunConfig
from engine.errors import RequestError
from engine.parameters import Parameter, parameters_of, with_values

# These are set elsewhere in the window: by pickers, and on the toolbar.
_NOT_IN_THE_FORM = {"environment.id", "policy.distribution", "device"}


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
        return self._take(choose(self.config, entry)) if reason is None else self._refuse(reason)

    def refusal_of(self, entry: Entry) -> str | None:
        """Why the entry cannot be picked now; None when it can."""
        return self._new_problem(choose(self.config, entry))

    def set_value(self, path: str, value: Any) -> str | None:
        """Set one parameter, or say why not."""
        try:
            config = with_values(self.config, {path: value})
        except RequestError as error:
            return self._refuse(str(error))
        reason = self._new_problem(config)
        return self._take(config) if reason is None else self._refuse(reason)

    def reset_value(self, path: str) -> str | None:
        """Give one parameter its default again, or say why not."""
        defaults = {parameter.path: parameter.default for parameter in parameters_of(self.config)}
        return self.set_value(path, defaults[path])

    def pick_environment(self, environment: EnvironmentInfo) -> None:
        """Take an environment; a policy that does not fit it gives way to the nearest one that does."""
        config = with_values(self.config, {"environment.id": environment.id})
        reason = refusal(config, environment)
        entry = nearest_policy(config, environment) if reason else None
        self.set_config(choose(config, entry) if entry else config, environment)
        if reason and entry:
            self.adjusted.emit(f"{reason.partition(';')[0].rstrip('.')}; the policy is now {entry.title}.")

    def problem(self) -> str | None:
        """Why the current choice cannot be trained, as one sentence; None when it can."""
        return refusal(self.config, self.environment)

    def parameters(self) -> list[Parameter]:
        """The parameters that mean something for the current choice and are set in the form."""
        hidden = set(_NOT_IN_THE_FORM)
        if distribution_of(self.config.policy, self.environment) != "gaussian":
            hidden.add("policy.initial_log_std")
        return [parameter for parameter in parameters_of(self.config) if parameter.path not in hidden]

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


def nearest_policy(config: RunConfig, environment: EnvironmentInfo) -> Entry | None:
    """The policy most like the configuration's that works in ``environment``: of the same kind, else an MLP."""

    def distance(entry: Entry) -> int:
        kind = entry.values["policy"]
        return 0 if kind == config.policy.kind else 1 if kind == "mlp" else 2

    nearest_first = sorted(POLICIES.values(), key=distance)
    return next((entry for entry in nearest_first if refusal(choose(config, entry), environment) is None), None)
