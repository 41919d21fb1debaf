"""The one configuration of a run: every choice and every number, with bounds, units and help in the field metadata.

Forms, command-line flags, validation messages, presets and reports are all made from these models. There is one for
each family of methods, told by its update rule, so that no run carries what it does not use. A choice (policy,
collection, credit, baseline, update) is a small model told apart by its ``kind``, so that a parameter exists only where
it means something; wherever a choice stands, its bare kind is accepted as a shorthand. Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, get_args

from pydantic import Discriminator, Tag

from engine.config.actor_critic import ActorCriticConfig
from engine.config.imitation import ImitationConfig
from engine.config.planning import PlanningConfig, PolicyIteration, ValueIteration
from engine.config.policy_gradient import PolicyGradientConfig
from engine.config.value_based import ValueBasedConfig

__all__ = [
    "FAMILY_OF",
    "ActorCriticConfig",
    "ImitationConfig",
    "PlanningConfig",
    "PolicyGradientConfig",
    "RunConfig",
    "ValueBasedConfig",
    "acts_by_values",
    "plans_by_sweeps",
]


def _told(config: Any) -> str:
    """The family whose rule ``config`` names, which may be plain data; the first where it names none. The name itself
    where it is nobody's, which is then refused."""
    kind = _at(config, "update")
    kind = kind if isinstance(kind, str) else _at(kind, "kind")
    if not isinstance(kind, str):
        return PolicyGradientConfig.family
    return FAMILY_OF[kind].family if kind in FAMILY_OF else kind


def _at(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


# Everything that defines a run; the same configuration on the same machine gives the same run, bit for bit.
RunConfig = Annotated[
    Annotated[PolicyGradientConfig, Tag(PolicyGradientConfig.family)]
    | Annotated[PlanningConfig, Tag(PlanningConfig.family)]
    | Annotated[ValueBasedConfig, Tag(ValueBasedConfig.family)]
    | Annotated[ActorCriticConfig, Tag(ActorCriticConfig.family)]
    | Annotated[ImitationConfig, Tag(ImitationConfig.family)],
    Discriminator(_told),
]


def _families() -> dict[str, type[RunConfig]]:
    union, _ = get_args(RunConfig)
    found = {}
    for config, _tag in map(get_args, get_args(union)):
        rules = config.model_fields["update"].annotation
        for rule in get_args(rules) or (rules,):
            found[rule.model_fields["kind"].default] = config
    return found


FAMILY_OF = _families()  # by the kind of the update rule


def acts_by_values(config: RunConfig) -> bool:
    """Whether the policy is not learned itself but follows from action values, which its outputs are."""
    if isinstance(config.update, PolicyIteration):
        return config.update.step == 1.0
    return isinstance(config.update, ValueIteration) or isinstance(config, ValueBasedConfig)


def plans_by_sweeps(config: RunConfig) -> bool:
    """Whether values are computed from known dynamics, state by state, and the policy from them."""
    return isinstance(config.update, ValueIteration | PolicyIteration)
