"""Runs that learn from a teacher: what somebody did who can do it, or what he would do in the learner's own states."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

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
from engine.config.planning import EvaluationConfig, ReturnConfig
from engine.config.policies import ExplorationConfig, MLPPolicy, PolicyConfig
from engine.config.run import BudgetConfig, Device, device_field, seed_field

OWN = "own"  # the dataset of the policy's own episodes, played anew for every update
OPTIMAL = "optimal"  # the teacher who knows the dynamics
PERSON = "person"  # the teacher who answers in the window

Name = Annotated[str, BeforeValidator(lambda name: str(name) if type(name) is int else name)]  # run 4 is called 4
Weighting = Literal["one", "return", "return-to-go"]


class TeachingConfig(Model):
    """Who is learned from, by names: those of datasets and runs in the library, of what is shipped, or of files."""

    dataset: Name = parameter(
        "",
        title="Dataset",
        help="What is learned from: the name of a dataset of recordings, or the path of a file of them. own is the "
        "policy's own episodes, played anew for every update.",
        max_length=1000,
    )
    teacher: Name = parameter(
        "",
        title="Teacher",
        help="Who is asked what to do: a run of the library by its number or id, as good as it was at its best; the "
        "path of an exported policy; optimal, where the dynamics are known as tables; or person, which is you.",
        max_length=1000,
    )
    held_out: float = parameter(
        0.1,
        title="Held out",
        help="The share of the dataset that is not learned from, to see how well what was learned carries over: whole "
        "episodes, or single steps where there is only one.",
        ge=0.0,
        le=0.9,
    )


def _epochs(default: int) -> Any:
    return parameter(
        default,
        title="Epochs",
        unit="epochs",
        help="How often everything that is learned from is gone through in an iteration.",
        live=True,
        ge=1,
        le=10_000,
    )


def _minibatch_size() -> Any:
    return parameter(
        256,
        title="Minibatch size",
        unit="steps",
        help="Steps that each gradient is of; 0 takes all at once.",
        live=True,
        ge=0,
        le=1_000_000,
    )


class BehaviouralCloning(Model):
    """What the teacher did is made likelier, step by step: maximum likelihood."""

    kind: Literal["behavioural-cloning"] = "behavioural-cloning"
    weighting: Weighting = parameter(
        "one",
        title="Weight of a step",
        symbol="w",
        help="What ∇ log π of every step is multiplied by. one is maximum likelihood; return the return of the whole "
        "episode, with which learning from the policy's own episodes is REINFORCE; return-to-go what was to come.",
        live=True,
    )
    epochs: int = _epochs(1)
    minibatch_size: int = _minibatch_size()
    optimizer: Optimizer = optimizer_field()
    learning_rate: float = learning_rate_field(0.001)
    learning_rate_schedule: Schedule = schedule_field()
    max_grad_norm: float = max_grad_norm_field()
    patience: int = parameter(
        20,
        title="Patience",
        unit="iterations",
        help="Learning stops once the loss on what is held out has not fallen for so many iterations, and the policy "
        "becomes again what it was at its lowest; 0 never stops.",
        live=True,
        ge=0,
        le=100_000,
    )


class DAgger(Model):
    """The learner plays, the teacher says what to do in the states that it comes to, and all answers are learned."""

    kind: Literal["dagger"] = "dagger"
    mixture: Literal["first-round", "decaying"] = parameter(
        "first-round",
        title="Mixture",
        help="How often the teacher acts in place of the learner, in round i with the probability β: first-round has "
        "him act in the first round and never after, decaying with the probability pⁱ⁻¹.",
    )
    decay: float = parameter(
        0.5,
        title="Decay of the mixture",
        symbol="p",
        help="What is left of the teacher's share of actions from round to round.",
        live=True,
        ge=0.0,
        le=1.0,
    )
    states: Literal["random", "unsure", "all"] = parameter(
        "random",
        title="States asked about",
        help="Of which visited states the teacher is asked: some at random, those in which the policy is least sure, "
        "or all.",
        live=True,
    )
    labels: int = parameter(
        100,
        title="Questions per round",
        unit="states",
        help="How many states the teacher is asked about in every round, as far as there are so many.",
        live=True,
        ge=1,
        le=1_000_000,
    )
    epochs: int = _epochs(20)
    minibatch_size: int = _minibatch_size()
    optimizer: Optimizer = optimizer_field()
    learning_rate: float = learning_rate_field(0.001)
    learning_rate_schedule: Schedule = schedule_field()
    max_grad_norm: float = max_grad_norm_field()


ImitationUpdateConfig = Annotated[BehaviouralCloning | DAgger, Field(discriminator="kind"), Kind]


class ImitationConfig(Model):
    """The policy learns to do what a teacher does, and is played to be seen."""

    family: ClassVar = "imitation"
    environment: Annotated[EnvironmentConfig, Id] = EnvironmentConfig()
    policy: PolicyConfig = MLPPolicy()
    exploration: ExplorationConfig = ExplorationConfig()
    imitation: TeachingConfig = TeachingConfig()
    estimator: ReturnConfig = ReturnConfig()
    update: ImitationUpdateConfig = BehaviouralCloning()
    evaluation: EvaluationConfig = EvaluationConfig()
    budget: BudgetConfig = BudgetConfig()
    seed: int = seed_field()
    device: Device = device_field()
