"""Runs that learn action values Q(s, a) and, by them, a policy of its own."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from engine.config.bugs import Bug, bug_field
from engine.config.environments import EnvironmentConfig
from engine.config.fields import Id, Kind, LayerSizes, Model, parameter
from engine.config.optimization import Optimizer, Schedule, max_grad_norm_field, optimizer_field, schedule_field
from engine.config.policies import Activation, MLPPolicy, PolicyConfig
from engine.config.replay import ReplayConfig, TargetNetwork
from engine.config.run import BudgetConfig, Device, device_field, seed_field
from engine.config.value_based import StepwiseCollection, TargetConfig


class ActionNoiseConfig(Model):
    """The noise that continuous actions are explored with."""

    noise: float = parameter(
        0.1,
        title="Exploration noise",
        symbol="σ",
        help="The standard deviation of what is added to a deterministic policy's actions so that others are tried, as "
        "a share of the half-width of their bounds. A policy that is drawn from does not use it.",
        live=True,
        ge=0.001,
        le=10.0,
    )
    persistence: float = parameter(
        0.0,
        title="Noise persistence",
        symbol="ϱ",
        help="How much of one step's noise stays in the next: 0 draws it anew at every step, and near 1 it pushes the "
        "same way for some 1/(1 − ϱ) steps, which gets further where single pushes cancel out. Its size stays what it "
        "is. Lillicrap et al. (2016) have 0.85. Discrete actions do not use it.",
        ge=0.0,
        le=0.999,
    )


class CriticConfig(Model):
    """The network of action values. It sees images through convolutions where the policy does."""

    hidden_sizes: LayerSizes = parameter(
        (256, 256),
        title="Hidden layers",
        unit="units",
        help="Units in each hidden layer of the network of action values, first to last. Without any, the values of "
        "discrete states and actions are a table.",
    )
    activation: Activation = parameter("relu", title="Activation", help="The nonlinearity between layers.")
    learning_rate: float = parameter(
        0.001,
        title="Learning rate",
        symbol="η_Q",
        help="Step size along the gradient of the action values' squared errors.",
        live=True,
        gt=0.0,
        le=10.0,
    )


def _learning_rate() -> Any:
    return parameter(
        0.001,
        title="Learning rate",
        symbol="η",
        help="Step size of the policy along its gradient.",
        live=True,
        gt=0.0,
        le=10.0,
    )


def _gradient_steps() -> Any:
    return parameter(
        1,
        title="Gradient steps",
        unit="steps",
        help="Minibatches drawn and learned from at every update.",
        live=True,
        ge=1,
        le=10_000,
    )


class SAC(Model):
    """Two networks of action values, the smaller of which counts, and a policy that is to stay undecided."""

    kind: Literal["sac"] = "sac"
    optimizer: Optimizer = optimizer_field()
    learning_rate: float = _learning_rate()
    learning_rate_schedule: Schedule = schedule_field()
    max_grad_norm: float = max_grad_norm_field()
    gradient_steps: int = _gradient_steps()
    temperature: float = parameter(
        1.0,
        title="Temperature",
        symbol="α",
        help="What a nat of the policy's entropy is worth, in the reward's units. Where it is automatic, what it is at "
        "first, and again where it is changed.",
        live=True,
        gt=0.0,
        le=1e6,
    )
    automatic_temperature: bool = parameter(
        True,
        title="Automatic temperature",
        help="The temperature rises while the policy's entropy is below its target, and falls while it is above.",
    )
    target_entropy: float = parameter(
        -1.0,
        title="Target entropy",
        symbol="H₁",
        unit="nats",
        help="The entropy to be kept for each component of a continuous action, in units in which its bounds are −1 "
        "and 1: as undecided as a Gaussian with σ = 0.09 at −1. Discrete actions do not use it.",
        live=True,
        ge=-20.0,
        le=0.69,
    )
    target_entropy_share: float = parameter(
        0.3,
        title="Target entropy, share",
        help="The entropy to be kept of discrete actions, as a share of the greatest, ln |A|. Christodoulou (2019) "
        "keeps 0.98 of it, which comes close to blind choice. Continuous ones do not use it.",
        live=True,
        ge=0.0,
        le=1.0,
    )
    critic: CriticConfig = CriticConfig()
    replay: ReplayConfig = ReplayConfig()
    target: TargetNetwork = TargetNetwork()


class TD3(Model):
    """A deterministic policy that climbs the action values; two networks, delayed steps and smoothed targets."""

    kind: Literal["td3"] = "td3"
    optimizer: Optimizer = optimizer_field()
    learning_rate: float = _learning_rate()
    learning_rate_schedule: Schedule = schedule_field()
    max_grad_norm: float = max_grad_norm_field()
    gradient_steps: int = _gradient_steps()
    policy_delay: int = parameter(
        2,
        title="Policy delay",
        symbol="d",
        unit="gradient steps",
        help="Steps of the action values for each of the policy, with which the target networks follow.",
        live=True,
        ge=1,
        le=1_000,
    )
    smoothing_noise: float = parameter(
        0.2,
        title="Smoothing noise",
        symbol="σ̃",
        help="The standard deviation of what is added to the next action in the target, as a share of the half-width "
        "of the bounds: like actions are to be worth alike.",
        live=True,
        ge=0.0,
        le=10.0,
    )
    smoothing_limit: float = parameter(
        0.5,
        title="Smoothing limit",
        symbol="b",
        help="What is added to the next action is cut off here, in the same units.",
        live=True,
        gt=0.0,
        le=10.0,
    )
    critic: CriticConfig = CriticConfig()
    replay: ReplayConfig = ReplayConfig()
    target: TargetNetwork = TargetNetwork()


class DDPG(Model):
    """A deterministic policy that climbs the values of one network, with which it is learned."""

    kind: Literal["ddpg"] = "ddpg"
    optimizer: Optimizer = optimizer_field()
    learning_rate: float = _learning_rate()
    learning_rate_schedule: Schedule = schedule_field()
    max_grad_norm: float = max_grad_norm_field()
    gradient_steps: int = _gradient_steps()
    critic: CriticConfig = CriticConfig()
    replay: ReplayConfig = ReplayConfig()
    target: TargetNetwork = TargetNetwork()


class QActorCritic(Model):
    """The policy gradient over all actions, Σ_a π(a|s) Q(s, a), with values that are learned as DQN's are."""

    kind: Literal["q-actor-critic"] = "q-actor-critic"
    optimizer: Optimizer = optimizer_field()
    learning_rate: float = _learning_rate()
    learning_rate_schedule: Schedule = schedule_field()
    max_grad_norm: float = max_grad_norm_field()
    gradient_steps: int = _gradient_steps()
    entropy_coefficient: float = parameter(
        0.01,
        title="Entropy bonus",
        symbol="β",
        help="Weight of the entropy in what the policy climbs: larger keeps it exploring. The values know nothing of "
        "it.",
        live=True,
        ge=0.0,
        le=100.0,
    )
    traces: Literal["off", "retrace", "tree-backup", "importance"] = parameter(
        "off",
        title="Off-policy traces",
        help="How the steps before bootstrapping, taken by policies of then, count for the present one. off: as if it "
        "had taken them. retrace: each by min(1, π/μ), how much likelier its action is now. tree-backup: by π, also "
        "where both agree. importance: by π/μ, right on average but wild. Where one step is counted, all are the same.",
    )
    trace_lambda: float = parameter(
        1.0,
        title="Trace decay",
        symbol="λ",
        help="A further factor for every step; 0 counts one step alone. Without traces it is not used.",
        live=True,
        ge=0.0,
        le=1.0,
    )
    critic: CriticConfig = CriticConfig()
    replay: ReplayConfig = ReplayConfig()
    target: TargetNetwork = TargetNetwork()


ActorCriticUpdateConfig = Annotated[SAC | TD3 | DDPG | QActorCritic, Field(discriminator="kind"), Kind]


class ActorCriticConfig(Model):
    """Action values are learned from old experience, and the policy by them."""

    family: ClassVar = "actor-critic"
    environment: Annotated[EnvironmentConfig, Id] = EnvironmentConfig()
    policy: PolicyConfig = MLPPolicy()
    exploration: ActionNoiseConfig = ActionNoiseConfig()
    collection: Annotated[StepwiseCollection, Kind] = StepwiseCollection()
    estimator: TargetConfig = TargetConfig()
    update: ActorCriticUpdateConfig = SAC()
    budget: BudgetConfig = BudgetConfig()
    seed: int = seed_field()
    device: Device = device_field()
    bug: Bug = bug_field()
