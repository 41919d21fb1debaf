"""Which choices fit together, and why others do not."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.distribution import distribution_of
from engine.catalogue.methods.parameter_count import parameter_count
from engine.catalogue.network_sizes import feature_count
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PlanningConfig, PolicyGradientConfig, RunConfig
from engine.runtime.errors import RequestError

MOST_GRADIENTS = 100_000_000  # numbers, of which two sets are kept: 0.8 GB
LARGEST_MATRIX = 1000  # rows of a Fisher matrix that is still inverted in seconds

_WHOLE_ONLY = {"average", "time-average", "leave-one-out", "optimal", "none"}
_LEARNED = {"value", "shared-value"}
_SEVERAL_STEPS = {"ppo-clip", "ppo-penalty", "ppo-lagrangian", "trpo", "off-policy"}


def refusal(config: RunConfig, environment: EnvironmentInfo) -> str | None:
    """Why ``config`` cannot work in ``environment``, as one sentence with what would; None when it can."""
    return next(_problems(config, environment), None)


def _problems(config: RunConfig, environment: EnvironmentInfo) -> Iterator[str]:
    yield from _policy_problems(config, environment)
    yield from _distribution_problems(config, environment)
    if isinstance(config, PlanningConfig):
        yield from _planning_problems(config, environment)
        return
    yield from _update_problems(config, environment)
    yield from _estimator_problems(config, environment)
    yield from _collection_problems(config)


def _policy_problems(config: RunConfig, environment: EnvironmentInfo) -> Iterator[str]:
    policy, seen = config.policy, environment.observation
    if policy.kind == "tabular" and seen.kind != "discrete":
        what = f"a {seen}" if seen.image else f"{seen.size} continuous numbers"
        use = "a CNN" if seen.image else "a linear or MLP policy"
        yield f"A tabular policy needs discrete states, but {environment.id} observes {what}; use {use}."
    if policy.kind == "cnn" and not seen.image:
        yield f"A CNN looks at images, but {environment.id} observes none; use a linear or MLP policy."
    if policy.kind == "linear" and policy.features != "raw" and seen.kind != "box":
        name = {"polynomial": "Polynomial", "fourier": "Fourier", "rbf": "RBF"}[policy.features]
        states = f"{seen.size} discrete {'state' if seen.size == 1 else 'states'}"
        yield (
            f"{name} features are made of continuous numbers, but {environment.id} has {states}; use raw features, "
            "which give each state a weight of its own."
        )
    elif policy.kind == "linear":
        try:
            feature_count(policy.features, seen.size, policy.feature_order)
        except RequestError as error:
            yield str(error)


def _distribution_problems(config: RunConfig, environment: EnvironmentInfo) -> Iterator[str]:
    actions = environment.action
    distribution = distribution_of(config.policy, environment)
    numbers = f"{actions.size} continuous {'number' if actions.size == 1 else 'numbers'}"
    if distribution == "softmax" and actions.kind not in ("discrete", "multi-discrete"):
        takes = numbers if actions.kind == "box" else f"{actions.size} switches"
        use = "a Gaussian" if actions.kind == "box" else "a Bernoulli"
        yield f"A softmax chooses among discrete actions, but {environment.id} takes {takes}; use {use} policy."
    if distribution == "bernoulli" and actions.kind != "multi-binary":
        yield f"A Bernoulli policy sets switches, but {environment.id} has none; choose the distribution auto."
    name = {"gaussian": "A Gaussian", "tanh-gaussian": "A tanh-Gaussian", "beta": "A Beta policy"}.get(distribution)
    if name is not None and actions.kind != "box":
        use = "Bernoulli" if actions.kind == "multi-binary" else "softmax"
        what = f"{actions.size} switches" if actions.kind == "multi-binary" else f"{actions} ones"
        yield f"{name} gives continuous actions, but {environment.id} has {what}; use a {use} policy."
    if distribution in ("tanh-gaussian", "beta") and actions.kind == "box" and not actions.bounds:
        yield f"{name} needs bounded actions, but those of {environment.id} are not; use a Gaussian."


def _planning_problems(config: PlanningConfig, environment: EnvironmentInfo) -> Iterator[str]:
    if config.environment.sticky_actions > 0.0:
        yield (
            "With sticky actions what happens depends on the action before as well, which the exact gradient does not "
            "know; set sticky actions to 0, or choose another update rule."
        )
    if config.environment.normalize_rewards:
        yield "The exact gradient has no samples to normalise rewards by; set a reward scale instead."
    if not environment.finite:
        yield (
            f"The exact gradient needs known dynamics with finitely many states, which {environment.id} does not have; "
            "try GridWorld-v0 or FrozenLake-v1, or another update rule."
        )
    if config.policy.kind in ("gru", "cnn"):
        yield "The exact gradient needs a policy of the present state alone; use a tabular, linear or MLP policy."


def _update_problems(config: PolicyGradientConfig, environment: EnvironmentInfo) -> Iterator[str]:
    update = config.update
    if update.kind in ("natural-gradient", "trpo") and update.solver == "exact":
        count = parameter_count(config.policy, environment)
        if count > LARGEST_MATRIX:
            yield (
                f"The exact solver builds a matrix of {count:,} × {count:,} numbers for this policy, and more than "
                f"{LARGEST_MATRIX:,} are too many; use conjugate gradients."
            )


def _estimator_problems(config: PolicyGradientConfig, environment: EnvironmentInfo) -> Iterator[str]:
    estimator, update = config.estimator, config.update
    credit, baseline = estimator.credit.kind, estimator.baseline.kind
    name = "n-step TD" if credit == "n-step" else "GAE"
    if credit in ("n-step", "gae") and baseline not in _LEARNED:
        yield (
            f"{name} lets a learned value stand in for later rewards; choose a learned value as baseline, or "
            "reward-to-go as credit."
        )
    if credit == "total-return" and estimator.discount_states and estimator.gamma < 1.0:
        yield "The total return is discounted from the episode's start already; do not weight states by γᵗ as well."
    if baseline == "shared-value":
        if config.policy.kind in ("tabular", "linear"):
            yield "A table or linear policy has no hidden layers for V to share; use a learned value of its own."
        if update.kind in ("natural-gradient", "trpo", "off-policy"):
            yield (
                "With shared layers, fitting V would move the policy behind this rule's back; use a learned value of "
                "its own, or gradient ascent or PPO."
            )
    if baseline == "optimal" and config.collection.kind == "episodes":
        episodes, count = config.collection.episodes_per_update, parameter_count(config.policy, environment)
        if episodes * count > MOST_GRADIENTS:
            yield (
                f"The optimal baseline keeps a gradient of {count:,} numbers for each of {episodes:,} episodes, which "
                "is too much; use fewer episodes per update, a smaller policy or another baseline."
            )
    if estimator.baseline.kind == "optimal" and estimator.baseline.per_parameter:
        if update.kind in _SEVERAL_STEPS:
            yield (
                "A baseline for each parameter gives no single advantage per step, which this update rule needs; "
                "switch off “One per parameter”, or use gradient ascent."
            )
        if estimator.normalize_advantages:
            yield (
                "A baseline for each parameter leaves no advantages to normalise; switch off one of “One per "
                "parameter” and “Normalise advantages”."
            )


def _collection_problems(config: PolicyGradientConfig) -> Iterator[str]:
    collection, update = config.collection, config.update.kind
    credit, baseline = config.estimator.credit.kind, config.estimator.baseline.kind
    if collection.kind == "fixed-length":
        if update == "off-policy":
            yield "This update rule weighs whole episodes; collect whole episodes, or choose another rule."
        if credit == "total-return":
            yield "A total return needs the whole episode; collect whole episodes, or choose another credit."
        if baseline in _WHOLE_ONLY:
            yield (
                "Where episodes are cut off, only a learned value can stand in for the rest; choose a learned value "
                "as baseline, or collect whole episodes."
            )
        return
    if collection.episodes_per_update > 1:
        return
    if credit == "total-return" and baseline in ("average", "time-average"):
        yield (
            "With one episode per update the average return is that episode's own return, so every advantage is 0; "
            "use at least 2 episodes per update, or reward-to-go."
        )
    if baseline == "time-average":
        yield (
            "With one episode per update the average at a step is that step's own credit, so every advantage is 0; "
            "use at least 2 episodes per update."
        )
    if baseline == "leave-one-out":
        yield "Leaving one episode out leaves none of one; use at least 2 episodes per update."
    if baseline == "optimal":
        yield (
            "With one episode per update the optimal baseline is that episode's own credit; use at least 2 episodes "
            "per update."
        )
