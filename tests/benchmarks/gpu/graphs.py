"""CUDA graphs: whether what is replayed is what is done without them, whether they are used, and who waits for whom.

Collecting is compared bit for bit, with greedy actions, since a graph may count its random numbers otherwise.
Parameters after a few iterations of PPO may be 1e-5 apart, for their length: multiplications may be done by another
kernel while recording. While the steps of an update are queued nothing may wait for the device, which CUDA itself is
asked to watch.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

import torch

from engine.algorithms.policy_gradient import proximal
from engine.algorithms.policy_gradient.proximal import ProximalRule
from engine.catalogue.environments import ENVIRONMENTS
from engine.collection.device_collector import DeviceFixedLengthCollector
from engine.config.environments import EnvironmentConfig
from engine.config.policies import MLPPolicy
from engine.environments.batches.batched import batched
from engine.policies.actor import Actor
from engine.policies.policy import Policy
from engine.reports.events import Updated
from engine.runtime import cuda_graph
from engine.training.training import Training
from tests.benchmarks.gpu.given import Finding, Given, Say, apart, environments_there, finished
from tests.benchmarks.speed import zoo

CLOSE = 1e-5
ROUNDS = 4


def collecting(given: Given, say: Say) -> None:
    for environment in ("CartPole-v1", "Pendulum-v1"):
        replayed, used = _collected(environment, given.device, True)
        eager, _ = _collected(environment, given.device, False)
        same = all(torch.equal(one, other) for one, other in zip(replayed, eager, strict=True))
        good = same and used is not False
        say(Finding(f"collecting replayed, {environment}", good, f"{ROUNDS} rollouts, {_words(used)}"))


def _collected(environment: str, device: torch.device, replayed: bool) -> tuple[list[torch.Tensor], bool | None]:
    """What is seen and paid in some rollouts, and whether a graph was replayed (None where there is none)."""
    info = ENVIRONMENTS[environment]
    environments = batched(EnvironmentConfig(id=environment), range(16), device)
    assert environments is not None
    policy = Policy(MLPPolicy(hidden_sizes=(16,)), info, torch.Generator().manual_seed(1)).to(device)
    actor = Actor(policy, torch.Generator(device).manual_seed(2), device)
    actor.greedy_share = 1.0
    with _graphs(replayed):
        collector = DeviceFixedLengthCollector(environments, info, 64)
        rollouts = [finished(collector.collect(actor))[0] for _ in range(ROUNDS)]
    assert collector._chunk is not None
    used = None if device.type != "cuda" else collector._chunk._take._graph is not None
    parts = [part for one in rollouts for part in (one.observations, one.actions, one.rewards, one.elapsed)]
    return parts, used


@contextmanager
def _graphs(allowed: bool) -> Iterator[None]:
    """Without graphs unless ``allowed``; the order of work is the same."""
    if allowed:
        yield
        return
    with mock.patch.object(cuda_graph, "replays", return_value=False):
        yield


def updating(given: Given, say: Say) -> None:
    """Whole runs of PPO whose every action is the likeliest, so that only the updates can differ."""
    for environment in ("CartPole-v1", "Pendulum-v1"):
        setting = replace(
            zoo.PPO[environment],
            environments=16 if given.small else 64,
            steps=32,
            epochs=4,
            minibatch=128 if given.small else 512,
            falls=False,
            clip_falls=False,
        )
        config = zoo.ours(setting, 1, ROUNDS * setting.iteration, given.device.type)
        with mock.patch.object(proximal, "replays", return_value=True):  # the CPU does what a graph would be made of
            one, used = _trained(config, given)
        with mock.patch.object(proximal, "replays", return_value=False):
            other, _ = _trained(config, given)
        distance = apart(one, other)
        words = f"parameters {distance:.0e} apart after {ROUNDS} iterations, {_words(used)}"
        say(Finding(f"PPO's steps replayed, {environment}", distance <= CLOSE and used is not False, words))


def _trained(config: Any, given: Given) -> tuple[torch.Tensor, bool | None]:
    with environments_there(given.device):
        training = Training(config)
    learner: Any = training.learner
    learner._interaction.explore = lambda *_: setattr(learner._interaction.actor, "greedy_share", 1.0)
    for _ in training:
        pass
    training.close()
    parameters = torch.cat([parameter.detach().flatten() for parameter in training.policy.parameters()])
    recorded = learner._rule._recorded
    used = None if given.device.type != "cuda" else recorded is not None and recorded._graph._graph is not None
    return parameters, used


def _words(used: bool | None) -> str:
    return {True: "by a graph", False: "but by no graph", None: "no CUDA here"}[used]


def waiting(given: Given, say: Say) -> None:
    """From the third update on, when all is recorded; with the KL's stop and with falling schedules nothing is."""
    cuda = given.device.type == "cuda"
    for name, values in (
        ("constant", {}),
        ("stopped by the KL", {"target_kl": 0.01}),
        ("falling", {"learning_rate_schedule": "linear", "clip_range_schedule": "linear"}),
    ):
        setting = replace(
            zoo.PPO["CartPole-v1"], environments=64, minibatch=512, epochs=4, falls=False, clip_falls=False
        )
        config = zoo.ours(setting, 1, 5 * setting.iteration, given.device.type)
        config = config.model_copy(update={"update": config.update.model_copy(update=values)})
        problem = _watched(config, given) if cuda else None
        words = problem or ("no wait before the last step" if cuda else "no CUDA here to ask")
        say(Finding(f"waiting within an update, {name}", (problem is None) if cuda else None, words))


def _watched(config: Any, given: Given) -> str | None:
    """What waited for the device among the steps of an update; None if nothing did."""
    original_update, original_read = ProximalRule.update, proximal.read
    done = 0

    def update(self: ProximalRule, given_: Any) -> Any:
        nonlocal done
        done += 1
        if done > 2:
            torch.cuda.set_sync_debug_mode("error")
        return (yield from original_update(self, given_))

    def read(scalars: Any) -> Any:
        torch.cuda.set_sync_debug_mode("default")
        return original_read(scalars)

    with environments_there(given.device):
        training = Training(config)
    try:
        with mock.patch.object(ProximalRule, "update", update), mock.patch.object(proximal, "read", read):
            for event in training:
                if isinstance(event, Updated):
                    torch.cuda.set_sync_debug_mode("default")
    except RuntimeError as error:
        return str(error).splitlines()[0]
    finally:
        torch.cuda.set_sync_debug_mode("default")
        training.close()
    return None
