"""The advantage estimator, credit with a baseline, and the steps it is estimated from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from engine.config.fields import Kind, LayerSizes, Model, parameter
from engine.config.run import gamma_field

# --- what is collected for an update ----------------------------------------------------------------------------------


class WholeEpisodes(Model):
    """Whole episodes, one in each of N environments."""

    kind: Literal["episodes"] = "episodes"
    episodes_per_update: int = parameter(
        16,
        title="Episodes per update",
        symbol="N",
        unit="episodes",
        help="Whole episodes played, side by side, for one update. More gives a less noisy gradient.",
        ge=1,
        le=1024,
    )


class FixedLengthRollouts(Model):
    """The same number of steps in each environment, wherever episodes begin and end."""

    kind: Literal["fixed-length"] = "fixed-length"
    environments: int = parameter(
        8,
        title="Environments",
        symbol="N",
        unit="environments",
        help="Environments stepped side by side.",
        ge=1,
        le=4096,
    )
    steps: int = parameter(
        128,
        title="Steps per update",
        symbol="T",
        unit="steps",
        help="Steps taken in each environment for one update; an episode under way goes on in the next.",
        ge=1,
        le=100_000,
    )


CollectionConfig = Annotated[WholeEpisodes | FixedLengthRollouts, Field(discriminator="kind"), Kind]

# --- credit -----------------------------------------------------------------------------------------------------------


class TotalReturn(Model):
    """Every action of an episode is credited with the whole episode's return."""

    kind: Literal["total-return"] = "total-return"


class RewardToGo(Model):
    """An action is credited with the rewards from its own step on: causality."""

    kind: Literal["reward-to-go"] = "reward-to-go"


class NStepTD(Model):
    """An action is credited with n rewards, and the learned value of the state after them."""

    kind: Literal["n-step"] = "n-step"
    n: int = parameter(
        5,
        title="Steps before bootstrapping",
        symbol="n",
        unit="steps",
        help="Rewards counted before the learned value stands in for the rest. 1 is TD: least noise, most trust in V.",
        live=True,
        ge=1,
        le=1000,
    )


class GAE(Model):
    """Generalised advantage estimation: the average of all n-step advantages, weighted by λ to the n."""

    kind: Literal["gae"] = "gae"
    gae_lambda: float = parameter(
        0.95,
        title="GAE decay",
        symbol="λ",
        help="From 0, which is one-step TD (little noise, biased where V is wrong), to 1, the full reward-to-go.",
        live=True,
        ge=0.0,
        le=1.0,
    )


CreditConfig = Annotated[TotalReturn | RewardToGo | NStepTD | GAE, Field(discriminator="kind"), Kind]

# --- baselines --------------------------------------------------------------------------------------------------------


class NoBaseline(Model):
    """Nothing is subtracted."""

    kind: Literal["none"] = "none"


class AverageBaseline(Model):
    """The batch's average credit is subtracted."""

    kind: Literal["average"] = "average"


class TimeAverageBaseline(Model):
    """The average credit at the same time step is subtracted."""

    kind: Literal["time-average"] = "time-average"


class LeaveOneOutBaseline(Model):
    """The average credit of the batch's other episodes is subtracted."""

    kind: Literal["leave-one-out"] = "leave-one-out"


class OptimalBaseline(Model):
    """The constant that makes the variance least is subtracted: credit averaged with squared scores as weights."""

    kind: Literal["optimal"] = "optimal"
    per_parameter: bool = parameter(
        False,
        title="A constant for each parameter",
        help="Each of the policy's parameters has a best constant of its own; off, all share the best common one.",
    )


def _clip_range_value() -> Any:
    return parameter(
        0.0,
        title="Value clipping",
        symbol="ε_V",
        unit="reward",
        help="Predictions may move this far from those before the fit, beyond which the loss pulls them no further; "
        "0 never clips. A single step never gets there.",
        live=True,
        ge=0.0,
        le=1e9,
    )


class ValueBaseline(Model):
    """A value function V(s), learned by a network of its own, is subtracted."""

    kind: Literal["value"] = "value"
    hidden_sizes: LayerSizes = parameter(
        (64, 64),
        title="Value layers",
        unit="units",
        help="Units in each hidden layer of the value network. Empty makes V linear; on discrete observations that is "
        "one value per state. Beside a CNN, the first is the units behind V's own convolutions.",
    )
    fitted_on: Literal["previous", "same", "independent"] = parameter(
        "previous",
        title="Value fitted on",
        help="The trajectories V has seen when advantages are taken: those of previous updates; the same ones, which "
        "correlates V with what it is subtracted from; or independent ones, played for V alone at twice the steps.",
    )
    optimizer: Literal["adam", "rmsprop", "momentum", "sgd"] = parameter(
        "adam", title="Value optimiser", help="What fits V: Adam, RMSprop, SGD with momentum 0.9, or SGD."
    )
    learning_rate: float = parameter(
        0.005,
        title="Value learning rate",
        symbol="α_V",
        help="Step size when the value network is fitted to the returns.",
        live=True,
        gt=0.0,
        le=10.0,
    )
    fit_steps: int = parameter(
        10,
        title="Value fitting steps",
        unit="steps",
        help="Optimiser steps on the squared error of V at every update. 0 takes one with each step of PPO, on the "
        "same minibatch, if V is fitted on previous trajectories; elsewhere one per update.",
        live=True,
        ge=0,
        le=10_000,
    )
    minibatch_size: int = parameter(
        0,
        title="Value minibatch",
        unit="steps",
        help="Environment steps drawn for one fitting step; 0 takes the whole batch.",
        live=True,
        ge=0,
        le=1_000_000,
    )
    clip_range: float = _clip_range_value()


class SharedValueBaseline(Model):
    """A value function V(s) read off the policy network's hidden layers is subtracted."""

    kind: Literal["shared-value"] = "shared-value"
    coefficient: float = parameter(
        0.01,
        title="Value coefficient",
        symbol="c_V",
        help="Weight of V's squared error in the loss that policy and value share. Returns are not scaled, so the "
        "larger they are, the smaller this must be for the policy to be heard.",
        live=True,
        ge=0.0,
        le=100.0,
    )
    clip_range: float = _clip_range_value()


BaselineConfig = Annotated[
    NoBaseline
    | AverageBaseline
    | TimeAverageBaseline
    | LeaveOneOutBaseline
    | OptimalBaseline
    | ValueBaseline
    | SharedValueBaseline,
    Field(discriminator="kind"),
    Kind,
]


class EstimatorConfig(Model):
    credit: CreditConfig = RewardToGo()
    baseline: BaselineConfig = ValueBaseline()
    gamma: float = gamma_field()
    discount_states: bool = parameter(
        False,
        title="Weight states by γᵗ",
        help="Actions late in an episode count γᵗ, as the gradient of the discounted return has it. Common practice "
        "leaves this out: biased, but the policy then also learns from late states.",
        live=True,
    )
    normalize_advantages: bool = parameter(
        False,
        title="Normalise advantages",
        help="Shift and scale each batch of advantages to mean 0 and standard deviation 1; a batch of one step stays "
        "as it is. Often steadier, but no longer an unbiased gradient.",
        live=True,
    )
