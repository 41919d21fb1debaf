"""Environments of the optional families can be learned in and watched; skipped where their extra is not installed."""

from __future__ import annotations

import math
import os
import sys
from ctypes.util import find_library
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

from engine.analysis.playback import Playback, snapshot
from engine.catalogue.environments import ENVIRONMENTS, making_of, missing_extra
from engine.config.environments import EnvironmentConfig
from engine.environments.batches.gymnasium import GymnasiumBatch
from engine.environments.making import preprocessing, registry
from engine.environments.making.lookup import inspect
from engine.policies.policy import Policy
from engine.runtime.errors import RunError
from tests.engine.support import configured, register, updates_of

PPO: dict[str, Any] = {
    "collection": "fixed-length",
    "collection__environments": 2,
    "collection__steps": 32,
    "estimator__credit": "gae",
    "estimator__baseline": "value",
    "update": "ppo-clip",
    "update__minibatch_size": 32,
}
ONE_OF_EACH = ("InvertedPendulum-v5", "MiniGrid-Empty-5x5-v0", "ALE/Pong-v5")


def needs(id: str) -> None:
    extra = missing_extra(ENVIRONMENTS[id].family)
    if extra is not None:
        pytest.skip(f"needs the extra {extra.name}")


@pytest.mark.parametrize("id", ["InvertedPendulum-v5", "Ant-v5", "MiniGrid-Empty-5x5-v0"])
def test_its_environments_can_be_learned_in(id: str) -> None:
    needs(id)
    updates = updates_of(configured(environment=id, budget__environment_steps=192, **PPO))
    assert [update.environment_steps for update in updates] == [64, 128, 192]
    for update in updates:
        assert all(math.isfinite(value) for value in update.metrics.values() if value is not None)


@pytest.mark.parametrize("id", ["MiniGrid-DoorKey-5x5-v0", "ALE/Pong-v5"])
def test_its_pictures_can_be_learned_from(id: str) -> None:
    needs(id)
    small = PPO | {"collection__steps": 4, "update__minibatch_size": 8, "update__epochs": 1}
    updates = updates_of(configured(environment=id, policy="cnn", budget__environment_steps=16, **small))
    assert [update.environment_steps for update in updates] == [8, 16]


def watched(id: str) -> Playback:
    config = configured(environment=id)
    environment = inspect(id)
    policy = Policy(config.policy, environment, torch.Generator().manual_seed(0))
    return Playback(snapshot(policy, config, environment, 1), 0)


@pytest.mark.parametrize("id", ONE_OF_EACH)
def test_it_can_be_watched(id: str) -> None:
    needs(id)
    if ENVIRONMENTS[id].family == "mujoco" and sys.platform == "linux" and find_library("EGL") is None:
        pytest.skip("needs EGL")
    playback = watched(id)
    first = playback.advance(greedy=False).image
    playback.close()
    assert first is not None
    assert first.std() > 1.0


def test_where_mujoco_cannot_draw_the_reason_is_one_sentence_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    needs("InvertedPendulum-v5")
    batch = GymnasiumBatch(EnvironmentConfig(id="InvertedPendulum-v5"), [0], render=True)
    batch.reset(np.array([0]))
    renderer: Any = batch._environments[0].environment.unwrapped

    def fail() -> None:
        raise AttributeError("'NoneType' object has no attribute 'eglQueryString'")

    monkeypatch.setattr(renderer, "render", fail)
    with pytest.raises(RunError, match=r"^InvertedPendulum-v5 .*MuJoCo cannot draw .*MUJOCO_GL chooses egl.*\.$"):
        batch.render(0)
    batch.close()


# --- preprocessing ----------------------------------------------------------------------------------------------------


def test_an_environment_of_no_family_is_left_as_it_is() -> None:
    environment = gymnasium.make(register("Tests/Plain-v0"))
    assert preprocessing.preprocessed(environment, "Tests/Plain-v0") is environment
    assert preprocessing.extra_arguments("Tests/Plain-v0") == {}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere MuJoCo finds its own way")
@pytest.mark.parametrize(("chosen", "expected"), [(None, "egl"), ("osmesa", "osmesa")])
def test_mujoco_draws_without_a_display_unless_told_otherwise(
    chosen: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs("InvertedPendulum-v5")
    monkeypatch.setenv("MUJOCO_GL", chosen or "")
    if chosen is None:
        monkeypatch.delenv("MUJOCO_GL")
    registry.make("InvertedPendulum-v5", render=True).close()
    assert os.environ["MUJOCO_GL"] == expected


def test_a_time_limit_of_an_atari_game_counts_actions_not_frames() -> None:
    needs("ALE/Pong-v5")
    environment = registry.make("ALE/Pong-v5", time_limit=5)
    assert environment.metadata["render_fps"] == 15, "60 frames a second, of which each action is held for 4"
    environment.reset(seed=0)
    cut = [environment.step(0)[3] for _ in range(5)]
    environment.close()
    assert cut == [False] * 4 + [True]


def test_an_atari_game_is_seen_through_its_last_four_pictures() -> None:
    needs("ALE/Breakout-v5")
    environment = registry.make("ALE/Breakout-v5")
    before, _ = environment.reset(seed=0)
    after, *_ = environment.step(1)
    environment.close()
    assert before.dtype == after.dtype == np.uint8
    assert (after[:-1] == before[1:]).all()
    making = making_of("ALE/Breakout-v5")  # by which a replay buffer keeps each of them once
    assert making is not None
    assert making.frames == len(before)
    assert (before == before[0]).all()


def test_minigrid_shows_the_cells_ahead() -> None:
    needs("MiniGrid-Empty-5x5-v0")
    environment = registry.make("MiniGrid-Empty-5x5-v0")
    seen, _ = environment.reset(seed=0)
    environment.close()
    assert seen.shape == (7, 7, 3)
    assert 8 in seen[:, :, 0]  # MiniGrid's code of a goal
