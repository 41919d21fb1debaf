"""The one configuration of a run: every choice and every number, with bounds, units and help in the field metadata.

Forms, command-line flags, validation messages, presets and reports are all made from these models. A choice (policy,
collection, credit, baseline, update) is a small model told apart by its ``kind``, so that a parameter exists only where
it means something; wherever a choice stands, its bare kind is accepted as a shorthand. Nothing here imports torch.
"""

from __future__ import annotations

from typing import Annotated, Literal

from engine.config.environments import EnvironmentConfig
from engine.config.estimators import CollectionConfig, EstimatorConfig, WholeEpisodes
from engine.config.fields import Id, Model, parameter
from engine.config.policies import ExplorationConfig, MLPPolicy, PolicyConfig
from engine.config.updates import GradientAscent, UpdateConfig


class BudgetConfig(Model):
    environment_steps: int = parameter(
        500_000,
        title="Training length",
        unit="steps",
        help="Environment steps after which the run is finished; the iteration under way is completed.",
        live=True,
        ge=1,
        le=10_000_000_000,
    )


Device = Literal["auto", "cpu", "cuda", "mps"]


class RunConfig(Model):
    """Everything that defines a run; the same configuration on the same machine gives the same run, bit for bit."""

    environment: Annotated[EnvironmentConfig, Id] = EnvironmentConfig()
    policy: PolicyConfig = MLPPolicy()
    exploration: ExplorationConfig = ExplorationConfig()
    collection: CollectionConfig = WholeEpisodes()
    estimator: EstimatorConfig = EstimatorConfig()
    update: UpdateConfig = GradientAscent()
    budget: BudgetConfig = BudgetConfig()
    seed: int = parameter(
        1, title="Seed", help="All of the run's randomness flows from this number.", ge=0, le=2**32 - 1
    )
    device: Device = parameter(
        "auto", title="Device", help="Where the networks are computed; auto takes what is faster for their size."
    )
