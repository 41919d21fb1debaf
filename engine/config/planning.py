"""Runs that plan in known dynamics: nothing is estimated, and episodes only show what the policy does."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from engine.config.environments import EnvironmentConfig
from engine.config.fields import Id, Kind, Model, parameter
from engine.config.optimization import (
    Optimizer,
    Schedule,
    learning_rate_field,
    max_grad_norm_field,
    optimizer_field,
    schedule_field,
)
from engine.config.policies import ExplorationConfig, MLPPolicy, PolicyConfig
from engine.config.run import BudgetConfig, Device, device_field, gamma_field, seed_field


class ExactGradient(Model):
    """Ascent along the true gradient of the expected return, computed from the environment's known dynamics."""

    kind: Literal["exact-gradient"] = "exact-gradient"
    optimizer: Optimizer = optimizer_field()
    learning_rate: float = learning_rate_field(0.1)
    learning_rate_schedule: Schedule = schedule_field()
    max_grad_norm: float = max_grad_norm_field()


class ReturnConfig(Model):
    """The return that is planned for. It stands where an estimator's discount does."""

    gamma: float = gamma_field()


class EvaluationConfig(Model):
    """The episodes that are played beside the planning."""

    episodes: int = parameter(
        16,
        title="Episodes played",
        symbol="N",
        unit="episodes",
        help="Whole episodes played, side by side, before each update, to show what the policy does. Nothing is "
        "learned from them.",
        ge=1,
        le=1024,
    )


class PlanningConfig(Model):
    """The policy is improved by what is known of the environment, and played to be seen."""

    family: ClassVar = "planning"
    environment: Annotated[EnvironmentConfig, Id] = EnvironmentConfig()
    policy: PolicyConfig = MLPPolicy()
    exploration: ExplorationConfig = ExplorationConfig()
    estimator: ReturnConfig = ReturnConfig()
    update: Annotated[ExactGradient, Kind] = ExactGradient()
    evaluation: EvaluationConfig = EvaluationConfig()
    budget: BudgetConfig = BudgetConfig()
    seed: int = seed_field()
    device: Device = device_field()
