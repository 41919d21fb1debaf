"""Policy parameterizations, and how actions are chosen from them while exploring."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from engine.config.fields import Kind, LayerSizes, Model, parameter

Distribution = Literal["auto", "softmax", "bernoulli", "gaussian", "tanh-gaussian", "beta", "deterministic"]
Activation = Literal["tanh", "relu", "elu", "silu", "gelu"]
Initialization = Literal["orthogonal", "xavier", "kaiming", "default"]
Spread = Literal["one", "per-state"]
FeatureKind = Literal["raw", "polynomial", "fourier", "rbf"]


def _distribution() -> Any:
    return parameter(
        "auto",
        title="Distribution",
        help="How outputs become actions. softmax: one of several (several times over where an action has parts); "
        "bernoulli: switches that are on or off; gaussian: any number, scaled to the bounds and cut there if there are "
        "any; tanh-gaussian: a Gaussian squashed into the bounds; beta: between the bounds; deterministic: one action "
        "between the bounds, with noise added while learning. auto follows the environment's action space.",
    )


def _initial_log_std() -> Any:
    return parameter(
        0.0,
        title="Initial log std",
        symbol="log σ₀",
        help="Where a Gaussian's log standard deviation starts; 0 means σ = 1. Between bounds, a Gaussian counts from "
        "their middle in half-widths, so that with σ = 1 two thirds of its first actions lie inside. Actions without "
        "bounds on both sides, or with bounds beyond a million, are not scaled: σ is in their own units, around 0. A "
        "squashed Gaussian's σ is in units of what tanh takes. Larger explores more. Other distributions do not use "
        "it.",
        ge=-5.0,
        le=2.0,
    )


def _spread() -> Any:
    return parameter(
        "one",
        title="Spread",
        help="Whether a Gaussian's standard deviation is one number per action for all states, or an output of the "
        "network in each. Other distributions do not use it.",
    )


def _activation() -> Any:
    return parameter("tanh", title="Activation", help="The nonlinearity between layers.")


class TabularPolicy(Model):
    """One logit per state and action."""

    kind: Literal["tabular"] = "tabular"
    distribution: Literal["auto", "softmax", "bernoulli"] = _distribution()


class LinearPolicy(Model):
    """Logits, or a Gaussian's mean, linear in features of the observation."""

    kind: Literal["linear"] = "linear"
    distribution: Distribution = _distribution()
    features: FeatureKind = parameter(
        "raw",
        title="Features",
        help="What is weighted: the observation itself, products of its components, cosines of rising frequency, or "
        "Gaussian bumps spread over the observation space.",
    )
    feature_order: int = parameter(
        3,
        title="Feature order",
        help="The polynomial's degree, the highest frequency of the cosines, or bumps per dimension. Raw features do "
        "not use it.",
        ge=1,
        le=10,
    )
    spread: Spread = _spread()
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
    activation: Activation = _activation()
    initialization: Initialization = parameter(
        "orthogonal",
        title="Initial weights",
        help="How weights are drawn: orthogonal matrices, Xavier's or Kaiming's variance, or torch's default.",
    )
    spread: Spread = _spread()
    initial_log_std: float = _initial_log_std()


class GRUPolicy(Model):
    """A recurrent network that remembers what it has seen since the episode began."""

    kind: Literal["gru"] = "gru"
    distribution: Distribution = _distribution()
    hidden_size: int = parameter(
        64,
        title="Memory",
        unit="units",
        help="Units of the recurrent layer: how much can be remembered from one step to the next.",
        ge=1,
        le=1024,
    )
    spread: Spread = _spread()
    initial_log_std: float = _initial_log_std()


class CNNPolicy(Model):
    """A convolutional network for observations that are images."""

    kind: Literal["cnn"] = "cnn"
    distribution: Distribution = _distribution()
    hidden_size: int = parameter(
        256,
        title="Dense units",
        unit="units",
        help="Units of the fully connected layer behind the three convolutions.",
        ge=1,
        le=4096,
    )
    spread: Spread = _spread()
    initial_log_std: float = _initial_log_std()


PolicyConfig = Annotated[
    TabularPolicy | LinearPolicy | MLPPolicy | GRUPolicy | CNNPolicy, Field(discriminator="kind"), Kind
]


class ExplorationConfig(Model):
    """How undecided the policy is kept, and how often its most likely action is taken in place of a sampled one."""

    temperature: float = parameter(
        1.0,
        title="Temperature",
        symbol="τ",
        help="Logits are divided by τ, a Gaussian's variance multiplied by it: above 1 the policy is less decided than "
        "its outputs say, below 1 more. It is part of the policy, so that gradients stay exact.",
        live=True,
        ge=0.05,
        le=20.0,
    )
    greedy_start: float = parameter(
        0.0,
        title="Greedy share, first",
        symbol="κ₀",
        help="The share of actions taken greedily, the most likely one, when the run begins; the others are sampled.",
        live=True,
        ge=0.0,
        le=1.0,
    )
    greedy_end: float = parameter(
        0.0,
        title="Greedy share, last",
        symbol="κ₁",
        help="The same share when the run ends; between the two it changes evenly. Greedy actions are not the "
        "policy's own: off-policy ascent weighs them rightly (with 0 where actions are continuous), unless all are "
        "greedy; every other rule is biased by them.",
        live=True,
        ge=0.0,
        le=1.0,
    )
