"""Runs that climb an estimated policy gradient: an advantage estimator and an update rule, chosen apart."""

from __future__ import annotations

from typing import Annotated, ClassVar

from engine.config.bugs import Bug, bug_field
from engine.config.environments import EnvironmentConfig
from engine.config.estimators import CollectionConfig, EstimatorConfig, WholeEpisodes
from engine.config.fields import Id, Model
from engine.config.policies import ExplorationConfig, MLPPolicy, PolicyConfig
from engine.config.run import BudgetConfig, Device, device_field, seed_field
from engine.config.updates import GradientAscent, UpdateConfig


class PolicyGradientConfig(Model):
    """Episodes are collected, advantages estimated, and the policy is updated with them."""

    family: ClassVar = "policy-gradient"
    environment: Annotated[EnvironmentConfig, Id] = EnvironmentConfig()
    policy: PolicyConfig = MLPPolicy()
    exploration: ExplorationConfig = ExplorationConfig()
    collection: CollectionConfig = WholeEpisodes()
    estimator: EstimatorConfig = EstimatorConfig()
    update: UpdateConfig = GradientAscent()
    budget: BudgetConfig = BudgetConfig()
    seed: int = seed_field()
    device: Device = device_field()
    bug: Bug = bug_field()
