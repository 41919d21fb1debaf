"""What every line of the equation is made of, and the symbols that several lines share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.catalogue.methods.collections import COLLECTION_SPECS
from engine.catalogue.methods.policies import POLICY_SPECS
from engine.config import PolicyGradientConfig
from engine.config.estimators import SharedValueBaseline
from engine.config.updates import OffPolicy

Part = Literal["", "policy", "credit", "baseline", "update"]


@dataclass(frozen=True)
class Term:
    """A piece of LaTeX and the choice it stands for; an empty ``part`` is common to all."""

    latex: str
    part: Part = ""


Line = tuple[Term, ...]

ADVANTAGE = r"\hat{A}_{i,t}"


def seen(config: PolicyGradientConfig, step: str = "t") -> str:
    """What the policy looks at in a step of episode i: the state, or what a memory holds of all states so far."""
    return f"{'h' if POLICY_SPECS[config.policy.kind].remembers else 's'}_{{i,{step}}}"


def chance(config: PolicyGradientConfig, policy: str = r"\pi_{\theta}") -> str:
    """The probability of the action that was taken."""
    return rf"{policy}(a_{{i,t}} \mid {seen(config)})"


def value(config: PolicyGradientConfig, state: str = "s_{i,t}") -> str:
    """V of a state, with the policy's own parameters where they are shared."""
    network = r"V_{\theta}" if isinstance(config.estimator.baseline, SharedValueBaseline) else r"V_{\phi}"
    return rf"{network}({state})"


def cuts(config: PolicyGradientConfig) -> bool:
    """Whether episodes are cut off that would go on."""
    return COLLECTION_SPECS[config.collection.kind].cuts


def last_step(config: PolicyGradientConfig) -> str:
    return "T - 1" if cuts(config) else "T_i - 1"


def mean_over_steps(config: PolicyGradientConfig, whole: str) -> str:
    """The sum over all steps with what it is divided by; of whole episodes ``whole``, N episodes or M steps."""
    divisor = "N T" if cuts(config) else whole
    return rf"\frac{{1}}{{{divisor}}} \sum_{{i=1}}^{{N}} \sum_{{t=0}}^{{{last_step(config)}}} \,"


def v_trace(config: PolicyGradientConfig) -> bool:
    """Whether every surprise of a learned value has a ratio of its own, cut off."""
    return isinstance(config.update, OffPolicy) and config.update.weighting == "v-trace"


def per_decision(config: PolicyGradientConfig) -> bool:
    """Whether every reward has an importance weight of its own."""
    return isinstance(config.update, OffPolicy) and config.update.weighting == "per-decision"
