"""Which parameters, metrics and ratios mean something for a configuration: pure functions over the choice."""

from __future__ import annotations

from engine.catalogue.environments import FAMILIES
from engine.catalogue.methods.distribution import distribution_in
from engine.catalogue.methods.distributions import DISTRIBUTION_SPECS
from engine.catalogue.methods.imitated import is_own
from engine.catalogue.shipped_teaching import DATASETS, TEACHERS, played_in
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ActorCriticConfig, ImitationConfig, PlanningConfig, RunConfig, plans_by_sweeps
from engine.config.imitation import OPTIMAL, OWN, PERSON, DAgger
from engine.config.policies import LinearPolicy
from engine.config.updates import OffPolicy

# These are set elsewhere in the window: by pickers, on the toolbar, and in the museum of bugs.
_NOT_IN_THE_FORM = {"environment.id", "policy.distribution", "device", "bug"}
_OF_TEACHING = {
    "imitation.teacher",
    "imitation.held_out",
    "update.patience",
    "update.mixture",
    "update.decay",
    "update.labels",
    "estimator.gamma",
}
_OF_NUMBERS = ("observation_noise", "frame_stack", "normalize_observations")
_MOST_COMPONENTS = 32  # that are offered by name


def in_the_form(path: str, config: RunConfig, environment: EnvironmentInfo) -> bool:
    """Whether the form shows the parameter at ``path``: it is set there, and the present choice makes use of it.

    Args:
        environment: what it is before the configuration's changes.
    """
    policy, update = config.policy, config.update
    if path in _NOT_IN_THE_FORM:
        return False
    if path.startswith("environment."):
        return _of_environment(path.removeprefix("environment."), config, environment)
    if path in ("policy.initial_log_std", "policy.spread"):
        spread = DISTRIBUTION_SPECS[distribution_in(config, environment)].spread
        return spread and not (path == "policy.spread" and isinstance(config, ActorCriticConfig))
    if path == "exploration.noise":
        return distribution_in(config, environment) == "deterministic"
    if isinstance(update, OffPolicy) and path.startswith("update.most_"):
        return update.weighting == "v-trace"
    if isinstance(update, OffPolicy) and path in ("update.self_normalized", "update.truncation"):
        return update.weighting != "v-trace"
    if path == "update.trace_lambda":
        return getattr(update, "traces", "off") != "off"
    if path == "exploration.persistence":
        return environment.action.kind == "box"
    if path in ("update.target_entropy", "update.target_entropy_share"):
        return path.endswith("share") == (environment.action.kind == "discrete")
    if path == "policy.feature_order":
        return isinstance(policy, LinearPolicy) and policy.features != "raw"
    if path.startswith("exploration.") and isinstance(config, PlanningConfig):
        return not plans_by_sweeps(config)  # a plan is followed as it is
    if isinstance(config, ImitationConfig) and path in _OF_TEACHING:
        return _of_teaching(path, config)
    if path == "update.weighting" and isinstance(config, PlanningConfig):
        return environment.aliased  # else nothing looks alike
    if path == "update.backups":
        return getattr(update, "order", "") != "synchronous"
    if path == "update.cg_iterations":
        return getattr(update, "solver", "") != "exact"
    return path != "estimator.discount_states" or config.estimator.gamma < 1.0  # else every weight is 1


def _of_teaching(path: str, config: ImitationConfig) -> bool:
    """Of what says who teaches: what the method makes use of."""
    asks, own = isinstance(config.update, DAgger), is_own(config)
    if path in ("imitation.held_out", "update.patience"):
        return not own
    if path == "estimator.gamma":
        return config.imitation.teacher == OPTIMAL if asks else getattr(config.update, "weighting", "one") != "one"
    if path in ("update.mixture", "update.decay"):
        decays = getattr(config.update, "mixture", "") == "decaying"
        return config.imitation.teacher != PERSON and (path == "update.mixture" or decays)
    if path == "update.labels":
        return getattr(config.update, "states", "") != "all"
    return asks


def _of_environment(path: str, config: RunConfig, environment: EnvironmentInfo) -> bool:
    chosen, seen = config.environment, environment.observation
    if path.startswith("options."):
        options = {option.name: option for option in environment.options}
        switch = options.get(options[path.removeprefix("options.")].switch)
        return switch is None or bool(chosen.options.get(switch.name, switch.default))
    if path == "hidden":  # of several numbers; of an image there is no saying which
        return seen.kind == "box" and seen.size > 1 and not seen.shape
    if path in _OF_NUMBERS:
        return seen.kind == "box"
    if path in ("stepping", "patience"):
        batched = environment.finite or (environment.family in FAMILIES and FAMILIES[environment.family].batched)
        return not batched and (path == "stepping" or chosen.stepping in ("auto", "processes"))
    return True


Legend = tuple[tuple[str, str], ...]
"""What signs stand for: the letters of a map, the numbers of an observation's components, or a number that says that
nothing is changed; (sign, meaning) each."""


def legends(environment: EnvironmentInfo) -> dict[str, Legend]:
    """By path, what the signs stand for of which a parameter is made, where a person can be spared them.

    Args:
        environment: what it is before any changes.
    """
    found = {f"environment.options.{option.name}": option.letters for option in environment.options if option.letters}
    limit = environment.time_limit
    found["environment.time_limit"] = (("0", "none" if limit is None else f"{limit:_}".replace("_", "\u202f")),)
    shown = played_in(environment.id, DATASETS)
    found["imitation.dataset"] = (*((name, DATASETS[name].by) for name in shown), (OWN, "the policy's own episodes"))
    found["imitation.teacher"] = (
        *((name, TEACHERS[name].by) for name in played_in(environment.id, TEACHERS)),
        *(((OPTIMAL, "the best policy, by the known dynamics"),) if environment.finite else ()),
        (PERSON, "you, in the tab Play/Record"),
    )
    seen = environment.observation
    if seen.kind == "box" and seen.size <= _MOST_COMPONENTS:
        names = seen.labels or tuple(f"component {component}" for component in range(seen.size))
        found["environment.hidden"] = tuple((str(component), name) for component, name in enumerate(names))
    return found
