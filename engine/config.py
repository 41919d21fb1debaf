"""The one configuration of a run: every choice and every number, with bounds, units and help in the field metadata.

Forms, command-line flags, validation messages, presets and reports are all made from these models. A choice (policy,
credit, baseline, update) is a small model told apart by its ``kind``, so that a parameter exists only where it means
something; wherever a choice stands, its bare kind is accepted as a shorthand. This module never imports torch.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict


class Model(BaseModel):
    """Frozen, and strict about keys: an unknown one is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def parameter(
    default: Any, *, title: str, help: str, symbol: str = "", unit: str = "", live: bool = False, **bounds: Any
) -> Any:
    """A field with what a person needs to set it: its title, symbol, unit, help and bounds.

    ``live`` marks what may change while a run trains; the change takes effect at the next iteration.
    """
    extra: JsonDict = {"symbol": symbol, "unit": unit, "live": live}
    return Field(default, title=title, description=help, json_schema_extra=extra, **bounds)


def _kind_shorthand(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


def _id_shorthand(value: Any) -> Any:
    return {"id": value} if isinstance(value, str) else value


Kind = BeforeValidator(_kind_shorthand)
LayerSizes = Annotated[tuple[Annotated[int, Field(ge=1, le=4096)], ...], Field(max_length=8)]


# --- environment ------------------------------------------------------------------------------------------------------


class EnvironmentConfig(Model):
    id: str = parameter("CartPole-v1", title="Environment", help="The id under which Gymnasium has registered it.")


# --- policy parameterization ------------------------------------------------------------------------------------------

Distribution = Literal["auto", "softmax", "gaussian"]
Activation = Literal["tanh", "relu"]


def _distribution() -> Any:
    return parameter(
        "auto",
        title="Distribution",
        help="How outputs become actions: softmax over discrete actions, or a Gaussian over continuous ones. "
        "auto follows the environment's action space.",
    )


def _initial_log_std() -> Any:
    return parameter(
        0.0,
        title="Initial log std",
        symbol="log σ₀",
        help="Where the Gaussian's state-independent log standard deviation starts; 0 means σ = 1 in action units. "
        "Larger explores more. Softmax policies do not use it.",
        ge=-5.0,
        le=2.0,
    )


class TabularPolicy(Model):
    """One logit per state and action."""

    kind: Literal["tabular"] = "tabular"
    distribution: Literal["auto", "softmax"] = _distribution()


class LinearPolicy(Model):
    """Logits, or a Gaussian's mean, linear in the observation."""

    kind: Literal["linear"] = "linear"
    distribution: Distribution = _distribution()
    initial_log_std: float = _initial_log_std()


class MLPPolicy(Model):
    """A fully connected network from the observation to logits, or to a Gaussian's mean."""

    kind: Literal["mlp"] = "mlp"
    distribution: Distribution = _distribution()
    hidden_sizes: LayerSizes = parameter(
        (64, 64),
        title="Hidden layers",
        unit="units",
        help="Units in each hidden layer of the policy network, first to last.",
        min_length=1,
    )
    activation: Activation = parameter("tanh", title="Activation", help="The nonlinearity between layers.")
    initial_log_std: float = _initial_log_std()


PolicyConfig = Annotated[TabularPolicy | LinearPolicy | MLPPolicy, Field(discriminator="kind"), Kind]


# --- advantage estimator: credit with a baseline ----------------------------------------------------------------------


class TotalReturn(Model):
    """Every action of an episode is credited with the whole episode's return."""

    kind: Literal["total-return"] = "total-return"


class RewardToGo(Model):
    """An action is credited with the rewards from its own step on: causality."""

    kind: Literal["reward-to-go"] = "reward-to-go"


class NoBaseline(Model):
    """Nothing is subtracted."""

    kind: Literal["none"] = "none"


class AverageBaseline(Model):
    """The batch's average credit is subtracted."""

    kind: Literal["average"] = "average"


class ValueBaseline(Model):
    """A learned value function V(s) is subtracted."""

    kind: Literal["value"] = "value"
    hidden_sizes: LayerSizes = parameter(
        (64, 64),
        title="Value layers",
        unit="units",
        help="Units in each hidden layer of the value network. Empty makes V linear; on discrete observations that is "
        "one value per state.",
    )
    learning_rate: float = parameter(
        0.005,
        title="Value learning rate",
        symbol="α_V",
        help="Step size of Adam when the value network is fitted to the returns.",
        live=True,
        gt=0.0,
        le=10.0,
    )
    fit_steps: int = parameter(
        10,
        title="Value fitting steps",
        unit="steps",
        help="Adam steps on the squared error of V over the whole batch, after every policy update.",
        live=True,
        ge=1,
        le=1000,
    )


CreditConfig = Annotated[TotalReturn | RewardToGo, Field(discriminator="kind"), Kind]
BaselineConfig = Annotated[NoBaseline | AverageBaseline | ValueBaseline, Field(discriminator="kind"), Kind]


class EstimatorConfig(Model):
    credit: CreditConfig = RewardToGo()
    baseline: BaselineConfig = ValueBaseline()
    gamma: float = parameter(
        0.99,
        title="Discount",
        symbol="γ",
        help="A reward k steps ahead counts γᵏ. 1 weighs all rewards of an episode alike.",
        live=True,
        ge=0.0,
        le=1.0,
    )
    normalize_advantages: bool = parameter(
        False,
        title="Normalise advantages",
        help="Shift and scale each batch of advantages to mean 0 and standard deviation 1. Often steadier, but no "
        "longer an unbiased gradient.",
        live=True,
    )


# --- update rule ------------------------------------------------------------------------------------------------------


class GradientAscent(Model):
    """One step along the estimated policy gradient per batch of episodes."""

    kind: Literal["gradient-ascent"] = "gradient-ascent"
    optimizer: Literal["sgd", "adam"] = parameter(
        "adam",
        title="Optimiser",
        help="sgd steps along the gradient itself; adam rescales it per parameter by its recent size.",
    )
    learning_rate: float = parameter(
        0.01,
        title="Learning rate",
        symbol="α",
        help="Step size along the gradient. Too small learns slowly, too large destroys the policy.",
        live=True,
        gt=0.0,
        le=100.0,
    )
    episodes_per_update: int = parameter(
        16,
        title="Episodes per update",
        symbol="N",
        unit="episodes",
        help="Whole episodes played, side by side, for one gradient step. More gives a less noisy gradient.",
        ge=1,
        le=1024,
    )
    entropy_coefficient: float = parameter(
        0.0,
        title="Entropy bonus",
        symbol="β",
        help="Weight of the policy's entropy in the objective; above 0 keeps the policy exploring.",
        live=True,
        ge=0.0,
        le=10.0,
    )
    max_grad_norm: float = parameter(
        0.0,
        title="Gradient clipping",
        help="The gradient is scaled down to this norm when it is longer; 0 never clips.",
        live=True,
        ge=0.0,
        le=1e6,
    )


UpdateConfig = Annotated[GradientAscent, Kind]


# --- the whole --------------------------------------------------------------------------------------------------------


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

    environment: Annotated[EnvironmentConfig, BeforeValidator(_id_shorthand)] = EnvironmentConfig()
    policy: PolicyConfig = MLPPolicy()
    estimator: EstimatorConfig = EstimatorConfig()
    update: UpdateConfig = GradientAscent()
    budget: BudgetConfig = BudgetConfig()
    seed: int = parameter(
        1, title="Seed", help="All of the run's randomness flows from this number.", ge=0, le=2**32 - 1
    )
    device: Device = parameter(
        "auto", title="Device", help="Where the networks are computed; auto takes what is faster for their size."
    )
