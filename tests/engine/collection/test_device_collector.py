"""Collecting where the policy is, on torch's CPU here and on a GPU where there is one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

from engine.catalogue.environments import ENVIRONMENTS
from engine.collection.collector import Collector, EpisodeBound, FinishedEpisodes
from engine.collection.device_collector import (
    CHUNK,
    DeviceEpisodeCollector,
    DeviceFixedLengthCollector,
    environments_on,
)
from engine.config import PolicyGradientConfig
from engine.config.environments import EnvironmentConfig
from engine.config.policies import MLPPolicy, TabularPolicy
from engine.environments.batches.batched import batched
from engine.environments.making.known_dynamics import finite_mdp
from engine.experience.rollouts import Rollout
from engine.policies.actor import Actor
from engine.policies.policy import Policy
from engine.reports.events import Updated
from engine.runtime import cuda_graph
from engine.runtime.cuda_graph import CudaGraph
from engine.runtime.errors import RunError
from engine.training.learners import interaction
from engine.training.training import Training
from tests.engine.replaying import Tape
from tests.engine.scripted import limit_episodes
from tests.engine.support import configured

CPU = torch.device("cpu")
DEVICES = [CPU, *([torch.device("cuda")] if torch.cuda.is_available() else [])]


def collector(
    config: EnvironmentConfig, size: int, steps: int | None, device: torch.device = CPU
) -> tuple[Collector, Actor]:
    environments = batched(config, range(size), device)
    assert environments is not None
    info = ENVIRONMENTS[config.id]
    kind = TabularPolicy() if info.observation.kind == "discrete" else MLPPolicy(hidden_sizes=(8,))
    policy = Policy(kind, info, torch.Generator().manual_seed(3)).to(device)
    actor = Actor(policy, torch.Generator(device).manual_seed(4), device)
    if steps is None:
        return DeviceEpisodeCollector(environments, info), actor
    return DeviceFixedLengthCollector(environments, info, steps), actor


def collected(of: Collector, actor: Actor) -> tuple[Rollout, FinishedEpisodes]:
    collecting = of.collect(actor)
    while True:
        try:
            next(collecting)
        except StopIteration as stop:
            result: tuple[Rollout, FinishedEpisodes] = stop.value
            return result


def following_of(rollout: Rollout, t: int, n: int) -> Any:
    """What was seen after step t of environment n: in the next row, or where the episode was cut."""
    cut = rollout.truncated.transpose(0, 1)
    if cut[n, t]:
        return rollout.final_observations[int(cut.flatten().cumsum(0)[n * cut.shape[1] + t]) - 1]
    return rollout.observations[t + 1, n] if not rollout.terminated[t, n] else None


@pytest.mark.parametrize("device", DEVICES, ids=str)
@pytest.mark.parametrize("steps", [40, None], ids=["fixed length", "whole episodes"])
def test_every_step_is_one_that_gymnasium_would_take(steps: int | None, device: torch.device) -> None:
    """Observation, action, reward, end and what was seen next belong together, and whole states are seen here."""
    of, actor = collector(EnvironmentConfig(id="CartPole-v1", time_limit=25), 5, steps, device)
    single: Any = gymnasium.make("CartPole-v1").unwrapped
    for _ in range(3):
        rollout, _finished = collected(of, actor)
        for t, n in rollout.mask.nonzero().tolist():
            single.reset(seed=0)
            single.state = rollout.observations[t, n].cpu().double().numpy()
            expected, reward, terminated, _, _ = single.step(int(rollout.actions[t, n]))
            assert bool(rollout.terminated[t, n]) == terminated
            assert float(rollout.rewards[t, n]) == reward
            after = following_of(rollout, t, n)
            assert after is None or np.allclose(after.cpu().numpy(), expected, atol=1e-5)
            limited = int(rollout.elapsed[t, n]) == 24 and not terminated
            last = t == len(rollout.mask) - 1 and not terminated and steps is not None
            assert bool(rollout.truncated[t, n]) == (limited or last)


@pytest.mark.parametrize("device", DEVICES, ids=str)
def test_a_fixed_length_rollout_goes_on_where_the_last_one_stopped(device: torch.device) -> None:
    of, actor = collector(EnvironmentConfig(id="MountainCar-v0"), 3, 30, device)
    first, _ = collected(of, actor)
    second, _ = collected(of, actor)
    assert torch.equal(second.observations[0], first.final_observations)
    assert second.elapsed[0].tolist() == [30, 30, 30]


@pytest.mark.parametrize("steps", [7, 40, 97])
def test_rollouts_of_any_length_are_collected_in_chunks_that_divide_them(steps: int) -> None:
    of, actor = collector(EnvironmentConfig(id="CartPole-v1"), 4, steps)
    rollout, finished = collected(of, actor)
    assert rollout.rewards.shape == (steps, 4)
    assert rollout.full
    assert finished.steps == 4 * steps
    assert bool((rollout.truncated | rollout.terminated)[-1].all())


@pytest.mark.parametrize("device", DEVICES, ids=str)
def test_finished_episodes_of_fixed_length_rollouts_are_told_with_their_raw_returns(device: torch.device) -> None:
    """CartPole pays 1 a step, so a return is a length, and ends in the order of time."""
    of, actor = collector(EnvironmentConfig(id="CartPole-v1"), 6, 64, device)
    running = np.zeros(6, np.int64)
    for _ in range(3):
        rollout, finished = collected(of, actor)
        expected, taken = [], []
        ends = rollout.terminated.cpu().numpy()
        for t in range(64):
            running += 1
            for n in np.flatnonzero(ends[t]):
                expected.append(running[n])
                taken.append(6 * (t + 1))
                running[n] = 0
        assert finished.lengths.tolist() == expected
        assert finished.returns.tolist() == [float(length) for length in expected]
        assert finished.taken.tolist() == taken


@pytest.mark.parametrize("device", DEVICES, ids=str)
def test_whole_episodes_are_the_first_of_each_environment(device: torch.device) -> None:
    of, actor = collector(EnvironmentConfig(id="CartPole-v1", time_limit=CHUNK + 9), 8, None, device)
    for _ in range(3):
        rollout, finished = collected(of, actor)
        lengths = rollout.mask.sum(0)
        assert finished.lengths.tolist() == lengths.tolist()
        assert finished.returns.tolist() == lengths.tolist()
        assert len(rollout.mask) == int(lengths.max())
        assert finished.steps == int(rollout.mask.sum())
        for n, length in enumerate(lengths.tolist()):
            assert bool(rollout.mask[:length, n].all())
            assert rollout.elapsed[:length, n].tolist() == list(range(length))
            ended = (rollout.terminated | rollout.truncated)[:, n]
            assert ended.nonzero().flatten().tolist() == [length - 1]
        assert finished.taken.max() == finished.steps
        assert rollout.rewards[~rollout.mask].sum() == 0.0


@pytest.mark.parametrize(
    ("budget", "sentence"),
    [
        (None, r"did not end within 64 steps; set a time limit"),
        (700, r"have not ended after 1,600 steps, where the whole run was to take 700; set a time limit"),
    ],
)
def test_an_episode_without_an_end_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, budget: int | None, sentence: str
) -> None:
    limit_episodes(monkeypatch, 64)
    monkeypatch.setattr("engine.collection.collector.FEWEST", 1_000)
    of, actor = collector(EnvironmentConfig(id="CartPole-v1"), 50, None)
    assert isinstance(of, DeviceEpisodeCollector)
    of._bound = EpisodeBound(replace(ENVIRONMENTS["CartPole-v1"], time_limit=None), budget)
    monkeypatch.setattr(of._episodes.environments, "_time_limit", None)
    original = of._episodes.environments.advance
    monkeypatch.setattr(
        of._episodes.environments,
        "advance",
        lambda actions: original(actions)._replace(terminated=torch.zeros(50, dtype=torch.bool)),
    )
    with pytest.raises(RunError, match=sentence):
        collected(of, actor)


def test_actions_that_are_not_finite_are_one_sentence() -> None:
    of, actor = collector(EnvironmentConfig(id="Pendulum-v1"), 2, 4)
    with torch.no_grad():
        for parameter in actor._policy.parameters():
            parameter.fill_(float("nan"))
    with pytest.raises(RunError, match="no longer finite"):
        collected(of, actor)


@pytest.mark.parametrize(
    ("values", "there"),
    [
        ({}, True),
        ({"environment": "LunarLander-v3"}, False),
        ({"environment.hidden": (1,)}, False),
        ({"environment.frame_stack": 2}, False),
        ({"environment.observation_noise": 0.1}, False),
        ({"environment.sticky_actions": 0.1}, False),
        ({"environment.normalize_observations": True, "environment.reward_offset": 1.0}, True),
        ({"policy": "gru"}, False),
        ({"environment.stepping": "in-process"}, False),
        ({"environment.stepping": "processes"}, False),
    ],
    ids=str,
)
def test_environments_live_on_the_device_where_nothing_stands_between(values: dict[str, Any], there: bool) -> None:
    from engine.config.parameters import with_values

    config = with_values(PolicyGradientConfig(), values)
    # A meta device is no CPU and computes nothing.
    assert (environments_on(torch.device("meta"), config, [1]) is not None) is there
    assert environments_on(CPU, config, [1]) is None


@pytest.fixture
def _on_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training as on a GPU, with torch's CPU in its place."""
    monkeypatch.setattr(
        interaction, "environments_on", lambda device, config, seeds: batched(config.environment, seeds, device)
    )


@pytest.mark.usefixtures("_on_torch")
@pytest.mark.parametrize("algorithm", ["reinforce", "ppo", "a2c", "exact-gradient"])
def test_a_run_learns_with_its_environments_on_the_device(algorithm: str) -> None:
    from engine.catalogue.methods.entries import ALGORITHMS
    from engine.catalogue.methods.picking import choose
    from engine.config.parameters import with_values

    config = choose(configured(environment="Corridor-v0", policy="tabular"), ALGORITHMS[algorithm])
    if algorithm == "reinforce":
        config = with_values(config, {"collection.episodes_per_update": 16})
    config = with_values(config, {"budget.environment_steps": 12_000})
    training = Training(config)
    assert training.stepping_reason == "environments are stepped on cpu as well"
    updates = [event for event in training if isinstance(event, Updated)]
    training.close()
    mdp = finite_mdp("Corridor-v0")
    assert mdp is not None
    first, last = updates[0].metrics["mean_return"], updates[-1].metrics["mean_return"]
    assert last is not None
    assert first is None or last > first + 5.0


@pytest.mark.parametrize("steps", [64, None], ids=["fixed length", "whole episodes"])
@pytest.mark.parametrize("environment", ["CartPole-v1", "Pendulum-v1", "FrozenLake-v1"])
def test_what_is_replayed_is_what_is_done(environment: str, steps: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that Python counted or kept while recording is missing in it."""

    def rollouts() -> list[Rollout]:
        of, actor = collector(EnvironmentConfig(id=environment), 3, steps)
        return [collected(of, actor)[0] for _ in range(3)]

    done, tapes = rollouts(), []

    def recorded(graph: CudaGraph) -> Tape:
        tapes.append(Tape(graph._work))
        return tapes[-1]

    monkeypatch.setattr(CudaGraph, "_recorded", recorded)
    monkeypatch.setattr(cuda_graph, "replays", lambda _: True)
    for one, other in zip(rollouts(), done, strict=True):
        for name in ("observations", "actions", "rewards", "elapsed", "terminated", "truncated", "final_observations"):
            assert torch.equal(getattr(one, name), getattr(other, name))
    assert [tape.replays >= 2 for tape in tapes] == [True]


def test_what_cannot_be_recorded_is_done_as_it_is() -> None:
    done: list[int] = []
    work = CudaGraph(lambda: done.append(1), CPU, torch.Generator())
    for key in ("a", "a", "b"):
        work(key)
    assert len(done) == 3


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_a_recorded_graph_does_what_the_work_does() -> None:
    device = torch.device("cuda")
    generator = torch.Generator(device).manual_seed(1)
    total, drawn = torch.zeros((), device=device), torch.zeros(3, device=device)

    def work() -> None:
        total.add_(1.0)
        drawn.copy_(torch.rand(3, generator=generator, device=device))

    replayed = CudaGraph(work, device, generator)
    seen = []
    for _ in range(5):
        replayed()
        seen.append(tuple(drawn.tolist()))
    assert total.item() == 5.0
    assert len(set(seen)) == 5
