"""Which configurations can be trained with several seeds together, in one process. Without torch."""

from __future__ import annotations

from engine.catalogue.methods.families import family_of
from engine.config import PolicyGradientConfig, RunConfig
from engine.config.bugs import NO_BUG, bug_in

STACKED = ("tabular", "linear", "mlp")  # the kinds of policies whose learned layers ``StackedNetworks`` knows


def joint_refusal(config: RunConfig) -> str | None:
    """Why seeds of ``config`` cannot be trained together; None where they can."""
    if config.policy.kind not in STACKED:
        return f"a {config.policy.kind.upper()} policy does not act for several seeds at once"
    if not isinstance(config, PolicyGradientConfig):
        return f"the work of {family_of(config).title.lower()} is not shared between seeds"
    if bug_in(config) != NO_BUG:
        return "a bug is switched on in one run by itself"
    if config.device not in ("auto", "cpu"):
        return f"seeds are trained together on the CPU, not on {config.device}"
    return None
