"""DQN: a network of action values, fitted on old experience."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.replay import replay_fits
from engine.catalogue.methods.spec import Entry, ValueSpec
from engine.catalogue.methods.tables import discrete_actions, several_steps
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ValueBasedConfig
from engine.config.policies import MLPPolicy, TabularPolicy
from engine.config.value_based import DQN
from engine.runtime.errors import Refusal


def _fits(config: ValueBasedConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    yield from discrete_actions(config, environment)
    if isinstance(config.policy, TabularPolicy) and isinstance(config.update, DQN) and config.update.dueling:
        yield Refusal(
            "A table has a number for each state and action, and no layers on which two heads could stand",
            "switch off “Dueling”, or choose an MLP",
        )
    yield from replay_fits(config, environment)


def _biases(config: ValueBasedConfig, environment: EnvironmentInfo) -> Iterator[str]:
    assert isinstance(config.update, DQN)
    if config.update.double:
        yield "What one network takes for the best action may not be, so its value may be too low."
    else:
        yield "The largest of several noisy estimates is too large on average."
    if not isinstance(config.policy, TabularPolicy):
        yield (
            "Targets are estimates of a network that answers alike for like states, and are learned from what other "
            "policies did: the three together may drive values away from all bounds (the deadly triad)."
        )
    yield from several_steps(config)
    replay = config.update.replay
    if replay.sampling == "prioritized" and replay.priority_exponent > 0.0 and replay.importance_exponent < 1.0:
        yield (
            "Steps with large errors are drawn more often, and before the end of the run weights make up for that only "
            "in part: values lean towards what is rare."
        )


SPEC = ValueSpec(
    order=110,
    entry=Entry(
        "dqn",
        "DQN",
        "A network of action values is fitted to targets on old experience, drawn again and again.",
        {"update": "dqn"},
    ),
    algorithms=(
        Entry(
            "dqn",
            "DQN",
            "Q-learning with a network: old experience is replayed, and targets come from a copy that lags behind.",
            {"policy": MLPPolicy().kind, "update": "dqn"},
            told_by=("update",),
        ),
    ),
    fits=_fits,
    biases=_biases,
    estimates="q*",
    pinned=("update.learning_rate", "update.target.rate", "exploration.epsilon_end"),
    metrics=(
        "epsilon",
        "grad_norm",
        "value_loss",
        "td_error_mean",
        "td_error_size",
        "target_mean",
        "estimate_mean",
        "largest_value",
        "replay_age",
        "gradient_steps",
    ),
)
