"""Runs that plan in known dynamics: nothing is estimated, and episodes only show what the policy does."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

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

MOST_TRIPLES = 16_000_000  # of two states and an action that leads from one to the other, for which P is kept


class ExactGradient(Model):
    """Ascent along the true gradient of the expected return, computed from the environment's known dynamics."""

    kind: Literal["exact-gradient"] = "exact-gradient"
    optimizer: Optimizer = optimizer_field()
    learning_rate: float = learning_rate_field(0.1)
    learning_rate_schedule: Schedule = schedule_field()
    max_grad_norm: float = max_grad_norm_field()


class ExactNaturalGradient(Model):
    """Ascent along the true natural gradient: ∇J as seen in the space of policies, by the exact Fisher matrix."""

    kind: Literal["exact-natural-gradient"] = "exact-natural-gradient"
    learning_rate: float = learning_rate_field(1.0)
    learning_rate_schedule: Schedule = schedule_field()
    damping: float = parameter(
        0.0,
        title="Damping",
        symbol="ξ",
        help="Added to the Fisher matrix's diagonal: keeps directions that hardly change the policy from exploding. "
        "At 0 those that do not change it are left out.",
        live=True,
        ge=0.0,
        le=100.0,
    )


def _horizon() -> Any:
    return parameter(
        "infinite",
        title="Horizon",
        symbol="H",
        help="infinite plans as if no episode were cut off, so that one value per state will do; time-limit plans for "
        "the turns that are left, with values of their own for each number of them. Acting, every turn is taken as if "
        "it were the first.",
    )


def _weighting() -> Any:
    return parameter(
        "visited",
        title="States that look alike",
        help="What looks alike shares its values. visited weighs each state by how often the policy comes to it, as "
        "its episodes would; equal weighs all the same, whatever the policy does.",
    )


Horizon = Literal["infinite", "time-limit"]
Weighting = Literal["visited", "equal"]


class ValueIteration(Model):
    """Bellman's optimality equation, applied to the values again and again until it holds."""

    kind: Literal["value-iteration"] = "value-iteration"
    order: Literal["synchronous", "in-place", "random", "prioritised"] = parameter(
        "synchronous",
        title="Order of backups",
        help="synchronous backs up all states at once from the values before; in-place one after the other, each with "
        "the newest values; random a state drawn by chance; prioritised the one whose value would change most.",
    )
    backups: int = parameter(
        0,
        title="Backups per iteration",
        unit="states",
        help="Single states backed up in an iteration, in any order but the synchronous one, which takes all; 0 backs "
        "up as many as there are.",
        live=True,
        ge=0,
        le=1_000_000,
    )
    horizon: Horizon = _horizon()
    weighting: Weighting = _weighting()


class PolicyIteration(Model):
    """The values of the policy are computed, and the policy is made greedy in them, until it stays the same."""

    kind: Literal["policy-iteration"] = "policy-iteration"
    evaluation_sweeps: int = parameter(
        0,
        title="Evaluation sweeps",
        symbol="m",
        unit="sweeps",
        help="Sweeps in which the values are drawn to those of the policy before it is improved; 0 computes them "
        "exactly, 1 is value iteration.",
        live=True,
        ge=0,
        le=10_000,
    )
    step: float = parameter(
        1.0,
        title="Step to the greedy policy",
        symbol="β",
        help="How far the policy goes towards the one that is greedy in its values: at 1 it becomes that one, below it "
        "mixes a share β of it in (conservative policy iteration), so that it stays where its values hold.",
        gt=0.0,
        le=1.0,
    )
    horizon: Horizon = _horizon()
    weighting: Weighting = _weighting()


PlanningUpdateConfig = Annotated[
    ExactGradient | ExactNaturalGradient | ValueIteration | PolicyIteration, Field(discriminator="kind"), Kind
]


class ReturnConfig(Model):
    """The return that is planned for, or weighed by. It stands where an estimator's discount does."""

    gamma: float = gamma_field()


class EvaluationConfig(Model):
    """The episodes that are played beside what is computed or learned from others."""

    episodes: int = parameter(
        16,
        title="Episodes played",
        symbol="N",
        unit="episodes",
        help="Whole episodes played, side by side, before each update, to show what the policy does. What is "
        "planned, or learned from a dataset, does not depend on them.",
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
    update: PlanningUpdateConfig = ExactGradient()
    evaluation: EvaluationConfig = EvaluationConfig()
    budget: BudgetConfig = BudgetConfig()
    seed: int = seed_field()
    device: Device = device_field()
