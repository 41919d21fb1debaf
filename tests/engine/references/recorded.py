"""What the engine learns in a few iterations, as plain tensors: what it saw, and its weights after every step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.experience.batch import Batch, Chunk
from engine.experience.rollouts import Rollout
from engine.networks import optimizers
from engine.reports.events import Updated
from engine.training.learner import Moment
from engine.training.learners.policy_gradient import PolicyGradientLearner

TORQUE = 2.0  # the half-width of Pendulum's bounds, in which the actions of its Gaussian are
torch.set_num_threads(1)  # as a run does: two threads would only wait for each other over numbers so few

EPISODES: dict[str, Any] = {"collection": "episodes", "collection.episodes_per_update": 5}
FIXED_LENGTH: dict[str, Any] = {"collection": "fixed-length", "collection.environments": 3, "collection.steps": 16}
COLLECTIONS = {"episodes": EPISODES, "fixed length": FIXED_LENGTH}
# Some episodes of the first end by themselves, the others at the limit; those of the second all end at theirs.
ENVIRONMENTS = {
    "discrete": {"environment.id": "CartPole-v1", "environment.time_limit": 14},
    "continuous": {"environment.id": "Pendulum-v1", "environment.time_limit": 9},
}
ITERATIONS = 2  # so that what optimisers gathered in the first counts in the second


Weights = tuple[list[Tensor], list[Tensor], list[Tensor]]


@dataclass
class Recorded:
    """``policy`` and ``value`` are the first weights, W, b, W, b, … with log σ last where there is one; ``value_head``
    is the second head's. ``batches`` and ``minibatches`` are as the references want them; ``policy_steps`` and
    ``value_steps`` hold all weights after each step, as vectors; ``metrics`` are each iteration's."""

    policy: list[Tensor]
    value: list[Tensor]
    value_head: list[Tensor]
    batches: list[dict[str, Tensor]] = field(default_factory=list)
    minibatches: list[list[Tensor]] = field(default_factory=list)
    policy_steps: list[Tensor] = field(default_factory=list)
    value_steps: list[Tensor] = field(default_factory=list)
    metrics: list[dict[str, float | None]] = field(default_factory=list)


Change = tuple[float, dict[str, Any]]
"""How much of the budget is used as an iteration begins, and which parameters have other values from it on."""


def record(changes: Sequence[Change] = ((0.0, {}),) * ITERATIONS, **values: Any) -> Recorded:
    """The first iterations of the configuration with those values; ``update__kind`` stands for the dotted path. There
    is an iteration for each of the ``changes``."""
    small = {"device": "cpu", "policy": "mlp", "policy.hidden_sizes": (8, 6), "seed": 3}
    config = PolicyGradientConfig()
    for path, value in (small | {path.replace("__", "."): value for path, value in values.items()}).items():
        config = with_values(config, {path: value})
    learner = PolicyGradientLearner(config, "run")
    fitting = learner._fitting
    value_network: nn.Module = nn.Module() if fitting is None else fitting.value
    make_decided(learner.policy, value_network)
    recorded = Recorded(*_weights(learner.policy, value_network))
    with pytest.MonkeyPatch.context() as patch:
        look = _watch(patch, learner, recorded, lambda: _weights(learner.policy, value_network))
        for iteration, (progress, changed) in enumerate(changes, 1):
            config = with_values(config, changed)
            recorded.minibatches.append([])
            for event in learner.iterate([Moment("run", config, iteration, progress)]):
                if isinstance(event, Updated):
                    recorded.metrics.append(event.metrics)
            look()
    learner.close()
    return recorded


def make_decided(*networks: nn.Module) -> None:
    """Weights far enough from where networks begin that every one of them matters from the first step on."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for network in networks:
            for parameter in network.parameters():
                parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))


def _weights(policy: nn.Module, value: nn.Module) -> Weights:
    """Copies in double precision: the policy's, the value network's, and those of the policy's second head."""
    found = {name: parameter.detach().double() for name, parameter in policy.named_parameters()}
    layers = [found[name] for name in found if name.startswith(("body.", "head."))]
    layers += [found["log_std"]] if "log_std" in found else []
    second = [found[name] for name in found if name.startswith("value_head.")]
    return layers, [parameter.detach().double() for parameter in value.parameters()], second


def _watch(
    patch: pytest.MonkeyPatch,
    learner: PolicyGradientLearner,
    recorded: Recorded,
    weights: Callable[[], Weights],
) -> Callable[[], None]:
    """Record what is seen, drawn and changed from now on; what is returned looks for changes at once."""
    vectors = {"policy": torch.empty(0), "value": torch.empty(0)}

    def look() -> None:
        policy, value, value_head = weights()
        for name, parts, steps in (
            ("policy", [*policy, *value_head], recorded.policy_steps),
            ("value", value, recorded.value_steps),
        ):
            now = torch.cat([part.flatten() for part in parts]) if parts else torch.empty(0)
            if len(vectors[name]) and not torch.equal(now, vectors[name]):
                steps.append(now)
            vectors[name] = now

    for kind in (optimizers.SGD, optimizers.RMSprop, optimizers.Adam):

        def step(self: Any, learning_rate: float, original: Any = kind.step) -> None:
            original(self, learning_rate)
            look()

        patch.setattr(kind, "step", step)
    estimate, minibatches = learner._estimated, Batch.minibatches

    def seen(rollout: Rollout, *rest: Any) -> Any:
        recorded.batches.append(experience(rollout))
        return estimate(rollout, *rest)

    def drawn(batch: Batch, size: int, generator: torch.Generator) -> Iterator[list[Chunk]]:
        for chunks in minibatches(batch, size, generator):
            recorded.minibatches[-1].append(torch.cat([torch.arange(batch.size)[chunk.rows] for chunk in chunks]))
            yield chunks

    patch.setattr(learner, "_estimated", seen)
    patch.setattr(Batch, "minibatches", drawn)
    look()
    return look


def experience(rollout: Rollout) -> dict[str, Tensor]:
    """The steps really taken, environment after environment, in double precision; continuous actions in torque."""
    names = ("observations", "actions", "rewards", "terminated", "truncated")
    flat = {name: rollout.flat(getattr(rollout, name)) for name in names} | {
        "final_observations": rollout.final_observations
    }
    if flat["actions"].is_floating_point():
        flat["actions"] = TORQUE * flat["actions"]
    return {name: tensor.double() if tensor.is_floating_point() else tensor.clone() for name, tensor in flat.items()}
