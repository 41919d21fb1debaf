"""The configuration nearest to a choice that does not fit its environment."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.compatibility import misplaced
from engine.catalogue.methods.entries import DISTRIBUTIONS, POLICIES, UPDATES
from engine.catalogue.methods.imitated import supplied
from engine.catalogue.methods.picking import choose, picked
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ActorCriticConfig, ImitationConfig, PlanningConfig, RunConfig, ValueBasedConfig
from engine.config.actor_critic import DDPG, SAC, TD3, QActorCritic
from engine.config.parameters import with_values
from engine.config.policies import CNNPolicy, LinearPolicy, MLPPolicy
from engine.config.updates import GradientAscent, PPOClip
from engine.config.value_based import DQN, SARSA, QLearning


def nearest_fit(config: RunConfig, environment: EnvironmentInfo) -> RunConfig | None:
    """The configuration most like ``config`` that works in ``environment`` and is advised there.

    Its distribution gives way first, then its features, its kind of policy (to an MLP if that will do, or to a CNN
    where there are images to see), its update.
    """
    continuous = environment.action.kind != "discrete"
    bounded = environment.action.kind == "box" and bool(environment.action.bounds)
    known = environment.finite or environment.aliased
    if (isinstance(config, PlanningConfig) and not known) or (isinstance(config, ValueBasedConfig) and continuous):
        config = choose(config, UPDATES[GradientAscent().kind])
    elif isinstance(config.update, QLearning | SARSA) and environment.observation.kind != "discrete":
        config = choose(config, UPDATES[DQN().kind])  # which learns the same of states that no table has room for
    elif isinstance(config, ActorCriticConfig) and continuous and not bounded:
        config = choose(config, UPDATES[PPOClip().kind])
    elif (isinstance(config.update, TD3 | DDPG) and not continuous) or (
        isinstance(config.update, QActorCritic) and bounded
    ):
        config = choose(config, UPDATES[SAC().kind])  # which knows both kinds of actions
    if isinstance(config, ImitationConfig):
        config = supplied(config, environment)
    candidates = _with_other_policies(config, environment)
    return next((candidate for candidate in candidates if misplaced(candidate, environment) is None), None)


def _with_other_policies(config: RunConfig, environment: EnvironmentInfo) -> Iterator[RunConfig]:
    """``config``, and what it is with less and less of its policy."""
    yield config
    follows = with_values(config, {"policy.distribution": "auto"})
    yield follows
    if isinstance(config.policy, LinearPolicy):
        yield with_values(follows, {"policy.features": "raw"})
    usual = CNNPolicy() if environment.observation.image else MLPPolicy()
    for entry in sorted(POLICIES.values(), key=lambda entry: entry.id != usual.kind):
        yield choose(follows, entry)


def what_gave_way(before: RunConfig, after: RunConfig, environment: EnvironmentInfo) -> str:
    """What ``nearest_fit`` changed, in words."""
    if after.update.kind != before.update.kind:
        return f"the update rule is now {UPDATES[after.update.kind].title}"
    if isinstance(after, ImitationConfig) and isinstance(before, ImitationConfig):
        for what in ("dataset", "teacher"):
            now = getattr(after.imitation, what)
            if now != getattr(before.imitation, what):
                return f"the {what} is now {now or 'empty'}"
    if after.policy.kind != before.policy.kind:
        return f"the policy is now {POLICIES[after.policy.kind].title}"
    if after.policy.distribution == before.policy.distribution:
        return "the features are now raw"
    entry = picked(after, DISTRIBUTIONS, environment)
    return f"the distribution is now {entry.title if entry else after.policy.distribution}"
