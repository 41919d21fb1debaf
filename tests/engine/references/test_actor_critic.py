"""Actor-critics with a learned Q: the engine learns what the reference learns, and not what a wrong one learns."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.algorithms.actor_critic.rule import ActorCriticRule
from engine.config import ActorCriticConfig
from engine.config.parameters import with_values
from engine.experience.replay import Replay, Replayed
from engine.reports.events import Updated
from engine.training.learner import Moment
from engine.training.learners.actor_critic import ActorCriticLearner
from tests.engine.references.actor_critic import actor_critic
from tests.engine.references.compared import APART, CLOSE, furthest
from tests.engine.references.recorded import make_decided

TAKEN: dict[str, Any] = {
    "device": "cpu",
    "seed": 3,
    "policy.hidden_sizes": (8, 6),
    "collection.environments": 3,
    "collection.steps": 20,
    "environment.time_limit": 9,
    "environment.reward_scale": 0.1,
    "estimator.gamma": 0.97,
    "estimator.n": 2,
    "update.critic.hidden_sizes": (7, 5),
    "update.critic.learning_rate": 0.02,
    "update.learning_rate": 0.01,
    "update.replay.capacity": 60,
    "update.replay.learning_starts": 9,
    "update.replay.minibatch_size": 12,
    "update.target.rate": 0.1,
}
PENDULUM, CARTPOLE = {"environment.id": "Pendulum-v1"}, {"environment.id": "CartPole-v1"}
VARIANTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "sac": (
        PENDULUM | {"update": "sac", "update.temperature": 0.5},
        {"kind": "sac", "automatic": True, "temperature": 0.5, "target_entropy": -1.0},
    ),
    "discrete sac": (
        CARTPOLE | {"update": "sac", "update.temperature": 0.5, "update.automatic_temperature": False},
        {"kind": "discrete", "temperature": 0.5},
    ),
    "discrete sac, automatic": (
        CARTPOLE | {"update": "sac", "update.target_entropy_share": 0.98},
        {"kind": "discrete", "automatic": True, "temperature": 1.0, "target_entropy": 0.98 * math.log(2.0)},
    ),
    "q-actor-critic": (
        CARTPOLE | {"update": "q-actor-critic", "update.entropy_coefficient": 0.3},
        {"kind": "discrete", "temperature": 0.3, "soft_target": False},
    ),
    "td3": (PENDULUM | {"update": "td3", "update.smoothing_noise": 0.4}, {"kind": "td3", "delay": 2}),
    "ddpg": (PENDULUM | {"update": "ddpg"}, {"kind": "ddpg"}),
}
RATES = {"rate": 0.01, "critic_rate": 0.02, "tau": 0.1}


@dataclass
class Recorded:
    """The first weights, what was drawn, and all weights after each gradient step, as vectors in double precision."""

    policy: list[Tensor]
    critics: list[list[Tensor]]
    minibatches: list[dict[str, Tensor]] = field(default_factory=list)
    noises: list[Tensor] = field(default_factory=list)
    after: dict[str, list[Tensor]] = field(default_factory=lambda: {"policy": [], "critics": []})
    metrics: list[dict[str, float | None]] = field(default_factory=list)


def layers_of(learner: ActorCriticLearner) -> tuple[list[Tensor], list[list[Tensor]]]:
    stacked = learner._rule._online._layers._layers
    critics = [[tensor[k].detach().double() for pair in stacked for tensor in pair] for k in range(len(stacked[0][0]))]
    return [parameter.detach().double() for parameter in learner.policy.parameters()], critics


@cache
def played(variant: str) -> Recorded:
    config: Any = ActorCriticConfig()
    for path, value in (VARIANTS[variant][0] | TAKEN).items():
        config = with_values(config, {path: value})
    learner = ActorCriticLearner(config, "run")
    make_decided(learner.policy)
    rule, improvement = learner._rule, learner._rule._policy
    if hasattr(improvement, "_following"):
        improvement._following.load({"values": improvement.vector.values, "steps": 0})
    recorded = Recorded(*layers_of(learner))
    twin = torch.Generator()
    if hasattr(improvement, "_generator"):
        twin.set_state(improvement._generator.get_state())
    step, draws = ActorCriticRule._step, Replay.draws

    def drawn(replay: Replay, *given: Any) -> Iterator[Replayed]:
        for minibatch in draws(replay, *given):
            batch = minibatch.batch
            names = ("observations", "actions", "rewards", "discounts", "next_observations")
            columns = {name: getattr(batch, name) for name in names}
            recorded.minibatches.append({n: c.double() if c.is_floating_point() else c for n, c in columns.items()})
            yield minibatch

    def stepped(self: ActorCriticRule, batch: Any) -> None:
        step(self, batch)
        policy, critics = layers_of(learner)
        recorded.after["policy"].append(torch.cat([weight.flatten() for weight in policy]))
        recorded.after["critics"].append(torch.cat([weight.flatten() for critic in critics for weight in critic]))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Replay, "draws", drawn)
        patch.setattr(ActorCriticRule, "_step", stepped)
        for event in learner.iterate([Moment("run", config, 1, 0.0)]):
            if isinstance(event, Updated):
                recorded.metrics.append(event.metrics)
    learner.close()
    scale = 0.4 if variant == "td3" else 1.0
    recorded.noises = [
        torch.empty(12, 1).normal_(0.0, scale, generator=twin).double() for _ in range(2 * len(recorded.minibatches))
    ]
    assert rule is learner._rule
    return recorded


def distance(recorded: Recorded, variant: str, **wrong: Any) -> float:
    settings = RATES | VARIANTS[variant][1] | wrong
    history = actor_critic(recorded.minibatches, recorded.noises, recorded.policy, recorded.critics, **settings)
    return max(furthest(recorded.after[name], history[name]) for name in ("policy", "critics"))


@pytest.mark.parametrize("variant", VARIANTS)
def test_actor_critics(variant: str) -> None:
    recorded = played(variant)
    assert len(recorded.minibatches) == 18
    discounts = torch.cat([batch["discounts"] for batch in recorded.minibatches])
    assert {round(value, 4) for value in discounts.tolist()} >= {0.97, 0.9409}
    assert distance(recorded, variant) < 10.0 * CLOSE
    assert all(recorded.metrics[0][name] is not None for name in ("value_loss", "grad_norm", "estimate_mean"))


def test_what_a_soft_actor_critic_reports() -> None:
    recorded = played("sac")
    settings = RATES | VARIANTS["sac"][1]
    history = actor_critic(recorded.minibatches, recorded.noises, recorded.policy, recorded.critics, **settings)
    told = recorded.metrics[0]
    assert told["temperature"] == pytest.approx(history["log_alpha"][-1].exp().item(), rel=1e-4)
    assert told["value_loss"] == pytest.approx(torch.stack(history["loss"]).mean().item(), rel=1e-4)
    assert told["target_entropy"] == pytest.approx(-1.0 + torch.tensor(2.0).log().item())  # torques reach from −2 to 2


def ended(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Every short transition taken for one that ends: one flag for both ends."""
    return batch | {"discounts": torch.where(batch["discounts"] > 0.95, 0.0, batch["discounts"])}


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("sac", {"soft_target": False}),
    ("sac", {"smallest": False}),
    ("sac", {"automatic": False}),
    ("sac", {"target_entropy": 3.0}),
    ("sac", {"tau": 1.0}),
    ("sac", {"critic_rate": 0.021}),
    ("discrete sac", {"soft_target": False}),
    ("discrete sac", {"smallest": False}),
    ("discrete sac, automatic", {"target_entropy": 0.98}),
    ("q-actor-critic", {"soft_target": True}),
    ("q-actor-critic", {"temperature": 0.0}),
    ("td3", {"smallest": False}),
    ("td3", {"delay": 1}),
    ("td3", {"limit": 9.0}),
    ("td3", {"tau": 0.2}),
    ("ddpg", {"tau": 1.0}),
    ("ddpg", {"delay": 2}),
]


@pytest.mark.parametrize(("variant", "wrong"), WRONG)
def test_another_actor_critic_learns_something_else(variant: str, wrong: dict[str, Any]) -> None:
    assert distance(played(variant), variant, **wrong) > APART * 10.0 * CLOSE


@pytest.mark.parametrize("variant", ["sac", "ddpg"])
def test_a_time_limit_is_no_end(variant: str) -> None:
    recorded = played(variant)
    wrong = Recorded(recorded.policy, recorded.critics, [ended(batch) for batch in recorded.minibatches])
    wrong.noises, wrong.after = recorded.noises, recorded.after
    assert distance(wrong, variant) > APART * 10.0 * CLOSE
