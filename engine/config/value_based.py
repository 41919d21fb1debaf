"""Runs that learn action values Q(s, a); the policy follows from them and is not learned itself."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from engine.config.bugs import Bug, bug_field
from engine.config.environments import EnvironmentConfig
from engine.config.fields import Id, Kind, Model, parameter
from engine.config.optimization import Optimizer, Schedule, max_grad_norm_field, optimizer_field, schedule_field
from engine.config.policies import PolicyConfig, TabularPolicy
from engine.config.replay import ReplayConfig, TargetNetwork
from engine.config.run import BudgetConfig, Device, device_field, gamma_field, seed_field

# --- how it acts, and what it learns from -----------------------------------------------------------------------------


class EpsilonGreedyConfig(Model):
    """The action of the largest value, but with the probability ε a random one."""

    epsilon_start: float = parameter(
        1.0,
        title="Random share, first",
        symbol="ε₀",
        help="The share of actions drawn blindly, every one as likely as any other, when the run begins.",
        live=True,
        ge=0.0,
        le=1.0,
    )
    epsilon_end: float = parameter(
        0.05,
        title="Random share, last",
        symbol="ε₁",
        help="The same share once exploration has come to its end; it stays there until the run ends.",
        live=True,
        ge=0.0,
        le=1.0,
    )
    fraction: float = parameter(
        0.5,
        title="Exploration fraction",
        help="The share of the training length over which the random share goes from its first to its last value, "
        "evenly; 0 has the last from the start.",
        live=True,
        ge=0.0,
        le=1.0,
    )


class StepwiseCollection(Model):
    """A few steps in each of N environments, then an update, and again."""

    kind: Literal["stepwise"] = "stepwise"
    environments: int = parameter(
        1,
        title="Environments",
        symbol="N",
        unit="environments",
        help="Environments stepped side by side.",
        ge=1,
        le=4096,
    )
    train_frequency: int = parameter(
        1,
        title="Steps between updates",
        unit="steps",
        help="Steps taken in each environment between one update and the next.",
        ge=1,
        le=10_000,
    )
    steps: int = parameter(
        128,
        title="Steps per iteration",
        symbol="T",
        unit="steps",
        help="Steps taken in each environment, with all their updates, before the run tells how it stands; at least "
        "those up to the first update. Learning is the same whatever it is, but that schedules and changes take hold "
        "between two iterations.",
        ge=1,
        le=100_000,
    )


class TargetConfig(Model):
    """What Q is drawn towards. It stands where an estimator's discount does."""

    gamma: float = gamma_field()
    n: int = parameter(
        1,
        title="Steps before bootstrapping",
        symbol="n",
        unit="steps",
        help="Rewards counted before a learned value stands in for the rest: news of a reward reaches n steps back at "
        "once, with the noise of n steps.",
        ge=1,
        le=100,
    )


# --- update rules -----------------------------------------------------------------------------------------------------


def _learning_rate(default: float, help: str, most: float) -> Any:
    return parameter(default, title="Learning rate", symbol="α", help=help, live=True, gt=0.0, le=most)


def _tabular_learning_rate() -> Any:
    return _learning_rate(
        0.1, "The share of the way that a value is moved to its target; 1 takes the target itself.", 1.0
    )


def _step_size() -> Any:
    return parameter(
        "constant",
        title="Step size",
        help="constant moves a value by the share α at every visit, follows a policy that changes, and never comes to "
        "rest; 1/n by 1/n at the n-th, which averages all targets that it has had: such steps add up to infinity and "
        "their squares do not (Robbins and Monro's condition), so that values settle. So do those of 1/n^0.7, which "
        "forget the targets of the beginning, when all was still wrong, far sooner.",
    )


def _initial_value() -> Any:
    return parameter(
        0.0,
        title="Initial value",
        symbol="Q₀",
        unit="reward",
        help="What every action is taken to be worth before it has been tried. More than can be had is optimistic: "
        "whatever is tried disappoints, so that everything is tried.",
        ge=-1e6,
        le=1e6,
    )


StepSize = Literal["constant", "1/n", "1/n^0.7"]
DECAY = 0.7  # the exponent of the last


class QLearning(Model):
    """Q(s, a) is moved towards r + γ max Q(s′, ·): the best that could follow, whatever really does."""

    kind: Literal["q-learning"] = "q-learning"
    double: bool = parameter(
        False,
        title="Double",
        help="Two tables: the one that is not updated says what the other's best action is worth, so that a lucky "
        "estimate is not taken for a good action.",
    )
    learning_rate: float = _tabular_learning_rate()
    step_size: StepSize = _step_size()
    initial_value: float = _initial_value()


class SARSA(Model):
    """Q(s, a) is moved towards r + γ Q(s′, a′), with the action a′ that is really taken next."""

    kind: Literal["sarsa"] = "sarsa"
    expected: bool = parameter(
        False,
        title="Expected",
        help="The mean over all actions that might be taken next, in place of the one that is: the same on average, "
        "with less noise.",
    )
    learning_rate: float = _tabular_learning_rate()
    step_size: StepSize = _step_size()
    initial_value: float = _initial_value()


class DQN(Model):
    """A network of action values, fitted to targets on old experience drawn from a replay buffer."""

    kind: Literal["dqn"] = "dqn"
    double: bool = parameter(
        True,
        title="Double",
        help="The network says which next action is best, the target network what it is worth; off, the target network "
        "says both, and takes lucky estimates for good actions.",
    )
    dueling: bool = parameter(
        False,
        title="Dueling",
        help="The network has two heads, V(s) and the advantages A(s, a), and Q = V + A − mean A.",
    )
    loss: Literal["huber", "squared"] = parameter(
        "huber",
        title="Loss",
        help="How errors weigh: squared, or squared up to 1 and evenly beyond (Huber's), so that none shakes all.",
    )
    optimizer: Optimizer = optimizer_field()
    learning_rate: float = _learning_rate(0.001, "Step size along the gradient of the loss.", 10.0)
    learning_rate_schedule: Schedule = schedule_field()
    max_grad_norm: float = max_grad_norm_field(10.0)
    gradient_steps: int = parameter(
        1,
        title="Gradient steps",
        unit="steps",
        help="Minibatches drawn and learned from at every update.",
        live=True,
        ge=1,
        le=10_000,
    )
    replay: ReplayConfig = ReplayConfig()
    target: TargetNetwork = TargetNetwork()


ValueUpdateConfig = Annotated[QLearning | SARSA | DQN, Field(discriminator="kind"), Kind]


class ValueBasedConfig(Model):
    """Action values are learned from what the policy that follows from them experiences."""

    family: ClassVar = "value-based"
    environment: Annotated[EnvironmentConfig, Id] = EnvironmentConfig()
    policy: PolicyConfig = TabularPolicy()
    exploration: EpsilonGreedyConfig = EpsilonGreedyConfig()
    collection: Annotated[StepwiseCollection, Kind] = StepwiseCollection()
    estimator: TargetConfig = TargetConfig()
    update: ValueUpdateConfig = QLearning()
    budget: BudgetConfig = BudgetConfig()
    seed: int = seed_field()
    device: Device = device_field()
    bug: Bug = bug_field()
