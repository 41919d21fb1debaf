"""What a learner that replays does in a few iterations: its steps, what it drew, its weights after every update."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from engine.config import ValueBasedConfig
from engine.config.parameters import with_values
from engine.experience.replay import Replay, Replayed
from engine.networks.optimizers import Adam
from engine.reports.events import Updated
from engine.training.learner import Moment
from engine.training.learners.value_based import ValueBasedLearner
from tests.engine.references.recorded import make_decided

torch.set_num_threads(1)  # as a run does


@dataclass
class Recorded:
    """``weights`` are the first ones, W, b, W, b, …, ``steps`` and ``draws`` as the references want them; ``after``
    holds all weights after each gradient step, as vectors, and ``metrics`` are each iteration's."""

    weights: list[Tensor]
    steps: list[dict[str, Tensor]] = field(default_factory=list)
    draws: dict[int, list[list[tuple[int, int]]]] = field(default_factory=dict)
    after: list[Tensor] = field(default_factory=list)
    metrics: list[dict[str, float | None]] = field(default_factory=list)


def record(iterations: int, **values: Any) -> Recorded:
    """The first iterations of a run of DQN with those values; ``update__double`` stands for the dotted path."""
    small = {"device": "cpu", "policy": "mlp", "policy.hidden_sizes": (8, 6), "seed": 3, "update": "dqn"}
    config: Any = ValueBasedConfig()
    for path, value in (small | {path.replace("__", "."): value for path, value in values.items()}).items():
        config = with_values(config, {path: value})
    learner = ValueBasedLearner(config, "run")
    make_decided(learner.policy)
    learner._rule._following.load({"values": learner._rule._online.vector.values, "steps": 0})  # type: ignore[attr-defined]
    recorded = Recorded(_weights(learner.policy))
    append, draws, step = Replay.append, Replay.draws, Adam.step

    def appended(replay: Replay, transitions: Any, rewards: Any) -> None:
        append(replay, transitions, rewards)
        names = ("observations", "actions", "terminated", "truncated", "next_observations")
        for t in range(len(rewards)):
            columns = {name: torch.from_numpy(getattr(transitions, name)[t].copy()) for name in names}
            columns["rewards"] = torch.from_numpy(rewards[t].copy())
            recorded.steps.append({n: c.double() if c.is_floating_point() else c for n, c in columns.items()})

    def drawn(replay: Replay, *given: Any) -> Iterator[Replayed]:
        environments, taken = config.collection.environments, len(recorded.steps)
        for minibatch in draws(replay, *given):
            times = taken - 1 - minibatch.batch.ages // environments
            pairs = list(zip(times.tolist(), (minibatch.batch.slots % environments).tolist(), strict=True))
            recorded.draws.setdefault(taken, []).append(pairs)
            yield minibatch

    def stepped(optimizer: Adam, learning_rate: float) -> None:
        step(optimizer, learning_rate)
        recorded.after.append(torch.cat([weight.flatten() for weight in _weights(learner.policy)]))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Replay, "append", appended)
        patch.setattr(Replay, "draws", drawn)
        patch.setattr(Adam, "step", stepped)
        for iteration in range(1, iterations + 1):
            for event in learner.iterate([Moment("run", config, iteration, (iteration - 1) / iterations)]):
                if isinstance(event, Updated):
                    recorded.metrics.append(event.metrics)
    learner.close()
    return recorded


def _weights(policy: nn.Module) -> list[Tensor]:
    """Copies in double precision: of the layers, the head, and the second head where there is one."""
    return [parameter.detach().double() for _, parameter in policy.named_parameters()]
