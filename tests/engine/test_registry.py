"""Finding environments: what the catalogue says is true, and every failure is one sentence with a way out."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from engine.catalogue import ENVIRONMENTS
from engine.environments import registry
from engine.errors import RequestError
from tests.engine.support import Unrendered, register


@pytest.mark.parametrize("id", ENVIRONMENTS)
def test_the_catalogue_says_what_gymnasium_says(id: str) -> None:
    environment = registry.make(id)
    info, spec = ENVIRONMENTS[id], environment.spec
    assert spec is not None
    assert info.id == id == spec.id
    assert registry.space_of(id, "observation", environment.observation_space).size == info.observation.size
    assert registry.space_of(id, "observation", environment.observation_space).kind == info.observation.kind
    assert registry.space_of(id, "action", environment.action_space).size == info.action.size
    assert registry.space_of(id, "action", environment.action_space).kind == info.action.kind
    assert info.time_limit == spec.max_episode_steps
    if spec.reward_threshold is not None:
        assert info.solved_at == spec.reward_threshold
    environment.close()


@pytest.mark.parametrize("id", ENVIRONMENTS)
def test_every_label_names_an_action(id: str) -> None:
    action = ENVIRONMENTS[id].action
    assert len(action.labels) in (0, action.size)


def test_an_environment_outside_the_catalogue_describes_itself() -> None:
    id = register(
        "Tests/Described-v0",
        limit=17,
        observation=spaces.Box(-1, 1, (2, 3), np.float64),
        action=spaces.Discrete(3, start=4),
    )
    info = registry.inspect(id)
    assert (info.id, info.time_limit) == (id, 17)
    assert (info.observation.kind, info.observation.size) == ("box", 6)
    assert (info.action.kind, info.action.size) == ("discrete", 3)


def test_frames_are_rendered_only_where_asked() -> None:
    plain = registry.make("CartPole-v1")
    assert plain.render_mode is None
    plain.close()
    rendered = registry.make("CartPole-v1", render=True)
    rendered.reset(seed=0)
    frame: Any = rendered.render()
    assert frame.ndim == 3
    rendered.close()


def test_an_environment_that_takes_no_render_mode_can_be_trained_in() -> None:
    """gymnasium.make(id) makes it; only asking for frames must fail."""
    registry.make(register("Tests/Unrendered-v0", Unrendered)).close()


def refused(id: str) -> str:
    with pytest.raises(RequestError) as caught:
        registry.inspect(id)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("id", "nearest"),
    [
        ("cartpole-v1", "CartPole-v1"),
        ("CartPol-v1", "CartPole-v1"),
        ("LunarLandr-v3", "LunarLander-v3"),
        ("FrozenLak-v1", "FrozenLake-v1"),
    ],
)
def test_the_nearest_id_is_suggested_for_an_unknown_one(id: str, nearest: str) -> None:
    assert refused(id) == f"There is no environment {id} registered with Gymnasium; did you mean {nearest}?"


@pytest.mark.parametrize("id", ["qqqqqq-v0", "", " ", "-v1", "a/b/c-v0", "ü" * 500])
def test_an_id_unlike_any_other_is_refused_in_one_short_sentence(id: str) -> None:
    assert refused(id).startswith("There is no environment ")
    assert len(refused(id)) < 400


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_outdated_version_leads_to_the_present_one() -> None:
    assert refused("LunarLander-v2").endswith("did you mean LunarLander-v3?")


@pytest.mark.parametrize(
    "space",
    [
        spaces.Dict({"a": spaces.Discrete(2)}),
        spaces.Tuple((spaces.Discrete(2), spaces.Discrete(3))),
        spaces.MultiDiscrete([2, 3]),
        spaces.MultiBinary(4),
        spaces.Text(5),
    ],
    ids=lambda space: type(space).__name__,
)
@pytest.mark.parametrize("role", ["observation", "action"])
def test_spaces_that_are_not_supported_are_refused_by_name(space: Any, role: str) -> None:
    id = register("Tests/Spaces-v0", **{role: space})
    message = refused(id)
    assert message.startswith(f"{id} has the {role} space {type(space).__name__}(")
    assert message.endswith("only Discrete and Box spaces are.")


def test_a_box_of_no_numbers_is_refused() -> None:
    assert "not supported" in refused(register("Tests/Empty-v0", observation=spaces.Box(-1.0, 1.0, (0,))))


def test_a_missing_package_is_named_with_the_command_that_installs_it() -> None:
    message = refused(register("Tests/Missing-v0", what="misses a package"))
    assert message == "Tests/Missing-v0 needs the package frobnicate; install it with: pip install frobnicate"


def test_the_package_on_the_index_is_named_rather_than_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        try:
            raise ModuleNotFoundError("No module named 'Box2D'", name="Box2D")
        except ImportError as error:
            raise gymnasium.error.DependencyNotInstalled("Box2D is not installed") from error

    monkeypatch.setattr(gymnasium, "make", fail)
    with pytest.raises(RequestError, match=r"needs the package box2d; install it with: pip install box2d$"):
        registry.make("BipedalWalker-v3")


def test_lunar_lander_without_box2d_is_refused_before_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "find_spec", lambda name: None if name == "Box2D" else object())
    assert refused("LunarLander-v3").endswith("pip install box2d")


def test_an_environment_that_raises_while_made_is_refused_with_its_words_on_one_line() -> None:
    message = refused(register("Tests/Init-v0", what="raises in init"))
    assert message == "Tests/Init-v0 could not be made: OSError: no such rom. Look elsewhere."
