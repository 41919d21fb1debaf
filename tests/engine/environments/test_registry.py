"""Finding environments: what the catalogue says is true, and every failure is one sentence with a way out."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from engine.catalogue.environments import ENVIRONMENTS, EXTRAS
from engine.catalogue.spaces import Space, pixels
from engine.config.environments import EnvironmentConfig
from engine.environments.batches.gymnasium import GymnasiumBatch
from engine.environments.making import registry
from engine.environments.making.lookup import inspect
from engine.runtime.errors import RequestError
from tests.each import each
from tests.engine.support import Unrendered, register


@each("id", ENVIRONMENTS)
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
    info = inspect(id)
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
        inspect(id)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("id", "nearest"),
    [
        ("cartpole-v1", "CartPole-v1"),
        ("CartPole", "CartPole-v1"),
        ("cartpole", "CartPole-v1"),
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


UNSUPPORTED = [
    spaces.Dict({"a": spaces.Discrete(2)}),
    spaces.Tuple((spaces.Discrete(2), spaces.Discrete(3))),
    spaces.Text(5),
]


@pytest.mark.parametrize(
    "space", [spaces.Sequence(spaces.Discrete(2)), spaces.Graph(spaces.Discrete(2), None)], ids=str
)
def test_observations_that_are_not_supported_are_refused_by_name(space: Any) -> None:
    id = register("Tests/Spaces-v0", observation=space)
    message = refused(id)
    assert message.startswith(f"{id} has the observation space {type(space).__name__}(")
    assert "which is not supported; Discrete and Box spaces are" in message


@pytest.mark.parametrize(
    ("space", "size"),
    [
        (spaces.MultiDiscrete([2, 3]), 5),
        (spaces.MultiBinary(4), 4),
        (spaces.Tuple((spaces.Discrete(2), spaces.Box(-1.0, 1.0, (2, 2)))), 6),
        (spaces.Dict({"a": spaces.Discrete(3), "b": spaces.Dict({"c": spaces.MultiDiscrete([2, 2])})}), 7),
    ],
    ids=["MultiDiscrete", "MultiBinary", "Tuple", "Dict"],
)
def test_observations_of_several_parts_are_flattened(space: Any, size: int) -> None:
    id = register("Tests/Parts-v0", observation=space)
    assert (inspect(id).observation.kind, inspect(id).observation.size) == ("box", size)
    batch = GymnasiumBatch(EnvironmentConfig(id=id), [1, 2])
    seen = batch.reset(np.arange(2))
    assert (seen.shape, seen.dtype) == ((2, size), np.float32)
    batch.close()


@pytest.mark.parametrize("space", UNSUPPORTED, ids=lambda space: type(space).__name__)
def test_actions_that_are_not_supported_are_refused_by_name(space: Any) -> None:
    id = register("Tests/Spaces-v0", action=space)
    message = refused(id)
    assert message.startswith(f"{id} has the action space {type(space).__name__}(")
    assert message.endswith("only Discrete, Box, MultiDiscrete and MultiBinary spaces are.")


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        (spaces.Discrete(3, start=4), Space("discrete", 3)),
        (spaces.MultiDiscrete([2, 3]), Space("multi-discrete", 5, parts=(2, 3))),
        (spaces.MultiDiscrete([[2, 3], [4, 5]]), Space("multi-discrete", 14, parts=(2, 3, 4, 5))),
        (spaces.MultiBinary(4), Space("multi-binary", 4)),
        (spaces.MultiBinary([2, 3]), Space("multi-binary", 6)),
        (spaces.Box(-2.0, 2.0, (3,)), Space("box", 3, bounds=((-2.0, 2.0),))),
        (spaces.Box(-2.0, 2.0, (2, 2)), Space("box", 4, bounds=((-2.0, 2.0),))),
        (spaces.Box(-np.inf, np.inf, (2,)), Space("box", 2)),
    ],
    ids=str,
)
def test_actions_are_described_as_they_are(space: Any, expected: Space) -> None:
    assert inspect(register("Tests/Acting-v0", action=space)).action == expected


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        (spaces.Discrete(3), Space("discrete", 3)),
        (spaces.Box(0, 255, (9, 8, 3), np.uint8), pixels(9, 8, 3)),
        (spaces.Box(-1.0, 1.0, (2, 3)), Space("box", 6, bounds=((-1.0, 1.0),), shape=(2, 3))),
        (spaces.Box(-1.0, 1.0, ()), Space("box", 1, bounds=((-1.0, 1.0),))),
    ],
    ids=str,
)
def test_observations_are_described_as_they_are(space: Any, expected: Space) -> None:
    assert inspect(register("Tests/Seeing-v0", observation=space)).observation == expected


def test_bounds_that_differ_are_given_for_each_component() -> None:
    space = spaces.Box(np.array([-1.0, 0.0], np.float32), np.array([1.0, 5.0], np.float32))
    assert registry.action_space("X-v0", space).bounds == ((-1.0, 1.0), (0.0, 5.0))


@pytest.mark.parametrize(
    ("low", "high"),
    [([-1.0, -np.inf], [1.0, 1.0]), ([-1.0, -1.0], [np.inf, 1.0]), ([-3.4e38, -1.0], [3.4e38, 1.0])],
)
def test_where_any_bound_is_infinite_or_as_good_as_that_there_are_none(low: list[float], high: list[float]) -> None:
    space = spaces.Box(np.array(low, np.float32), np.array(high, np.float32))
    assert registry.observation_space("X-v0", space).bounds == ()


def test_of_actions_that_are_bounded_in_part_each_range_is_told() -> None:
    space = spaces.Box(np.array([5.0, 0.0, 3.0], np.float32), np.array([10.0, np.inf, 3.0], np.float32))
    found = registry.action_space("X-v0", space)
    assert (found.bounds, found.ranges) == ((), ((5.0, 10.0), *[(-np.inf, np.inf)] * 2))
    assert registry.action_space("X-v0", spaces.Box(-2.0, 2.0, (3,))).ranges == ()
    assert registry.action_space("X-v0", spaces.Box(-np.inf, 2.0, (3,))).ranges == ()


@pytest.mark.parametrize(("low", "high"), [(1e6, 1e6 + 1.0), (-1e3, 1.5e6)])
def test_narrow_bounds_are_bounds_wherever_they_lie(low: float, high: float) -> None:
    assert registry.action_space("X-v0", spaces.Box(low, high, (2,))).bounds == ((low, high),)


def test_bounds_that_float32_does_not_tell_apart_are_none() -> None:
    assert registry.action_space("X-v0", spaces.Box(1e8, 1e8 + 1.0, (1,), np.float64)).bounds == ()


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (0.0, 3e6, "range from 0 to 3e+06"),
        (100.0, np.inf, "range from 100 to inf"),
        (-np.inf, -5.0, "range from -inf to -5"),
        (0.0, np.inf, ""),
        (-np.inf, np.inf, ""),
        (-3.4e38, 3.4e38, ""),
        (-1e10, 1e10, ""),
        (5.0, 10.0, ""),
        (5.0, 5.0, ""),
    ],
)
def test_of_actions_that_are_not_scaled_though_their_limits_matter_that_is_told(
    low: float, high: float, told: str
) -> None:
    space = spaces.Box(np.array([-1.0, low]), np.array([1.0, high]), dtype=np.float64)
    notice = registry.unscaled(space)
    assert told in notice
    assert bool(notice) == bool(told)
    assert inspect(register("Tests/Limits-v0", action=space)).notice == notice


@pytest.mark.parametrize(
    ("high", "images", "features"),
    [
        (255, [(8, 8), (84, 84), (84, 84, 3), (4, 84, 84), (7, 7, 3), (84, 84, 12)], [(3, 9), (64,), (8, 8, 8, 8)]),
        (1, [(84, 84), (84, 84, 3), (4, 84, 84), (10, 10, 7), (6, 7, 2)], [(8, 8), (64, 4), (9, 3, 9), (5, 5, 3)]),
        (np.inf, [(84, 84, 3), (1, 64, 64)], [(5, 5), (8, 6), (64, 4), (84, 84), (10, 10, 3), (7, 40, 40)]),
    ],
    ids=str,
)
def test_an_image_is_told_from_features_by_its_numbers_and_sides(
    high: float, images: list[tuple[int, ...]], features: list[tuple[int, ...]]
) -> None:
    for shape in (*images, *features):
        low = -np.inf if high == np.inf else 0
        seen = registry.observation_space("X-v0", spaces.Box(low, high, shape, np.float32))
        assert seen.image == (shape in images), shape
        assert seen.shape == (shape if len(shape) > 1 else ())


@pytest.mark.parametrize(
    "space",
    [
        spaces.Dict({"a": spaces.Discrete(10**10), "b": spaces.Box(0.0, 1.0, (3,))}),
        spaces.MultiDiscrete([10**9, 5]),
        spaces.MultiBinary(10_000_001),
    ],
    ids=lambda space: type(space).__name__,
)
def test_what_nobody_could_hold_is_refused_before_it_is_flattened(space: Any) -> None:
    assert "more than 10,000,000 are too many" in refused(register("Tests/Endless-v0", observation=space))


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


def test_an_environment_of_an_absent_extra_is_refused_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "missing_extra", lambda family: EXTRAS.get(family))
    for id in ("Hopper-v5", "ALE/Pong-v5", "MiniGrid-Empty-5x5-v0"):
        with pytest.raises(RequestError, match=rf"^{id} needs the extra [a-z]+; install it with: .*pip install -e "):
            registry.make(id)


MODULE = "tests.engine.custom_environments"


def test_a_module_is_imported_for_the_environments_it_registers() -> None:
    info = inspect(f"{MODULE}:Own/Counter-v0")
    assert (info.id, info.observation, info.time_limit) == (f"{MODULE}:Own/Counter-v0", Space("discrete", 4), 20)


@pytest.mark.parametrize(
    ("id", "beginning"),
    [
        (
            "nowhere.to_be_found:X-v0",
            "The module nowhere.to_be_found of nowhere.to_be_found:X-v0 could not be imported",
        ),
        (f"{MODULE}:Own/Countr-v0", "There is no environment Own/Countr-v0 registered with Gymnasium; did you mean"),
        ("tests.engine.raises_when_imported:X-v0", "The module tests.engine.raises_when_imported of"),
        (":CartPole-v1", ":CartPole-v1 names no module before its colon; write module:CartPole-v1, or the id alone."),
        (":", ": names no module before its colon; write module:id, or the id alone."),
        (f"{MODULE}:", "There is no environment without a name registered with Gymnasium; for example CartPole-v1 is."),
    ],
)
def test_what_a_module_cannot_give_is_one_sentence(id: str, beginning: str) -> None:
    assert refused(id).startswith(beginning)


@pytest.mark.parametrize(
    ("options", "instead"),
    [({"render_mode": "human"}, "leave out the option render"), ({"max_episode_steps": 3}, "environment.time_limit")],
    ids=str,
)
def test_gymnasiums_own_arguments_are_no_options(options: dict[str, Any], instead: str) -> None:
    with pytest.raises(RequestError, match=instead):
        registry.make(f"{MODULE}:Own/Counter-v0", options)


def test_options_reach_the_environment_and_are_told_where_they_do_not_fit() -> None:
    id = f"{MODULE}:Own/Counter-v0"
    assert inspect(id, {"most": 9}).observation == Space("discrete", 9)
    with pytest.raises(RequestError, match=r"could not be made with colour: TypeError: .*colour"):
        inspect(id, {"colour": "red"})


@pytest.mark.parametrize("given", [{}, {"most": 9, "pay": 3.0}], ids=str)
def test_the_options_of_an_unknown_environment_are_those_of_its_class(given: dict[str, Any]) -> None:
    found = {option.name: option.default for option in inspect(f"{MODULE}:Own/Counter-v0", given).options}
    assert found == {"most": 4, "pay": 1.5, "loud": False, "names": ("a", "b")}


def test_the_options_of_what_a_function_makes_are_those_that_the_function_takes() -> None:
    found = {option.name: option.default for option in inspect(f"{MODULE}:Own/Made-v0").options}
    assert found == {"size": 3}


@pytest.mark.parametrize("id", ["FrozenLake-v1", "FrozenLake8x8-v1"])
def test_what_the_catalogue_says_stays_true_of_an_environment_of_another_shape(id: str) -> None:
    known = ENVIRONMENTS[id]
    other = next(name for name in ("4x4", "8x8") if name != known.options[0].default)
    info = inspect(id, {"map_name": other})
    assert info.observation == Space("discrete", 16 if other == "4x4" else 64)
    assert info.finite
    assert (info.solved_at, info.best_known) == (None, None)  # these are of the lake as it comes
    same = ("id", "title", "summary", "family", "teaches", "options", "action", "time_limit")
    assert [getattr(info, name) for name in same] == [getattr(known, name) for name in same]


@pytest.mark.parametrize(
    ("id", "wish", "limit"), [("CliffWalking-v1", 0, 200), ("CartPole-v1", 0, 500), ("CartPole-v1", 7, 7)]
)
def test_episodes_are_cut_off_as_wished_or_registered_or_told_by_the_catalogue(id: str, wish: int, limit: int) -> None:
    environment = registry.make(id, time_limit=wish)
    assert registry.time_limit(environment) == limit
    environment.close()


def test_an_environment_that_raises_while_made_is_refused_with_its_words_on_one_line() -> None:
    message = refused(register("Tests/Init-v0", what="raises in init"))
    assert message == "Tests/Init-v0 could not be made: OSError: no such rom. Look elsewhere."
