"""What the catalogue says of environments, against the environments themselves."""

from __future__ import annotations

import inspect
import struct
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Any

import gymnasium
import numpy as np
import pytest

from engine.catalogue.environments import ENVIRONMENTS, EXTRAS, missing_extra, thumbnail_name
from engine.catalogue.spaces import EnvironmentInfo, Option, Space
from engine.environments.making import registry
from engine.mdp.small_worlds import OURS
from tests.each import each

OPTIONS = [(id, option) for id, info in ENVIRONMENTS.items() for option in info.options]
PICTURES = resources.files("resources") / "pictures" / "environments"
EVERY = each("id", ENVIRONMENTS)


def made(id: str, options: dict[str, Any] | None = None) -> registry.Environment:
    """The environment, where what it needs is installed."""
    extra = missing_extra(ENVIRONMENTS[id].family)
    if extra is not None:
        pytest.skip(f"needs the extra {extra.name}")
    return registry.make(id, options or {})


def plain(space: Space) -> Space:
    """Without labels, and with bounds as the catalogue writes them."""
    return replace(space, labels=(), bounds=tuple((round(low, 6), round(high, 6)) for low, high in space.bounds))


def own_limit(environment: registry.Environment) -> int | None:
    """After how many steps it cuts itself off, whether by Gymnasium's wrapper or its own count."""
    bare: Any = environment.unwrapped
    kwargs = environment.spec.kwargs if environment.spec else {}
    if "max_num_frames_per_episode" in kwargs:
        return int(kwargs["max_num_frames_per_episode"]) // 4
    return getattr(bare, "max_steps", None) or registry.time_limit(environment)


@EVERY
def test_spaces_limit_and_threshold_are_as_the_environment_has_them(id: str) -> None:
    environment = made(id)
    info, spec = ENVIRONMENTS[id], environment.spec
    assert spec is not None
    assert info.id == id == spec.id
    assert plain(registry.observation_space(id, environment.observation_space)) == plain(info.observation)
    assert plain(registry.action_space(id, environment.action_space)) == plain(info.action)
    if id != "Bandit-v0":  # registered with a limit of 1, which cuts nothing off: its only step ends the episode
        assert info.time_limit == registry.time_limit(environment) == own_limit(environment)
    if spec.reward_threshold is not None and id != "Taxi-v4":  # whose threshold no policy reaches
        assert info.solved_at == spec.reward_threshold
    environment.close()


@EVERY
def test_what_is_seen_lies_in_the_space_and_what_is_done_is_taken(id: str) -> None:
    environment = made(id)
    environment.action_space.seed(0)
    observation, _ = environment.reset(seed=0)
    for _ in range(5):
        assert environment.observation_space.contains(observation)
        observation, reward, terminated, truncated, _ = environment.step(environment.action_space.sample())
        assert np.isfinite(float(reward))
        if terminated or truncated:
            observation, _ = environment.reset()
    environment.close()


@EVERY
def test_labels_name_every_component_or_none(id: str) -> None:
    info = ENVIRONMENTS[id]
    for space in (info.observation, info.action):
        assert len(space.labels) in (0, space.size)
        assert len(set(space.labels)) == len(space.labels)


@EVERY
def test_it_is_told_what_there_is_to_learn(id: str) -> None:
    info = ENVIRONMENTS[id]
    assert info.title
    assert info.summary.endswith(".")
    assert info.teaches.endswith((".", "?"))
    assert len(info.teaches) <= 110
    assert info.family != "own"


@EVERY
def test_nothing_solved_lies_above_what_is_known_to_be_possible(id: str) -> None:
    info = ENVIRONMENTS[id]
    if info.best_known is not None and info.solved_at is not None and info.best_known.exact:
        assert info.solved_at <= info.best_known.value


@each("info", ENVIRONMENTS.values(), ids=lambda info: info.id)
def test_every_environment_has_a_small_picture_for_the_gallery(info: EnvironmentInfo) -> None:
    """Whether its extra is installed or not."""
    picture = (PICTURES / thumbnail_name(info.id)).read_bytes()
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", picture[16:24]) == (320, 200)
    assert len(picture) <= 25_000


def test_there_are_no_other_pictures() -> None:
    assert {path.name for path in PICTURES.iterdir()} == {thumbnail_name(id) for id in ENVIRONMENTS}


# --- options ----------------------------------------------------------------------------------------------------------


def default_of(environment: registry.Environment, option: Option) -> Any:
    """What the environment takes when the option is not given."""
    spec = environment.spec
    if spec is not None and option.name in spec.kwargs:
        return spec.kwargs[option.name]
    if spec is not None and spec.id in OURS:
        return inspect.signature(OURS[spec.id]).parameters[option.name].default
    for kind in type(environment.unwrapped).__mro__:
        parameter = inspect.signature(kind.__init__).parameters.get(option.name)
        if parameter is not None:
            return parameter.default
    raise AssertionError(f"there is no option {option.name}")


def another(option: Option) -> Any:
    """A value that is not the default."""
    if option.choices:
        return next(choice for choice in option.choices if choice != option.default)
    if option.letters:
        return ("SG",)
    if isinstance(option.default, bool):
        return not option.default
    if isinstance(option.default, tuple):
        return option.default[:-1]
    if isinstance(option.default, int):
        step = 2 if option.name == "agent_view_size" else 1
        return option.default + (step if option.maximum is None or option.default < option.maximum else -step)
    return option.maximum if option.maximum not in (None, option.default) else option.minimum


@each(("id", "option"), OPTIONS, ids=lambda x: x if isinstance(x, str) else x.name)
def test_options_are_the_environments_own(id: str, option: Option) -> None:
    environment = made(id)
    default = default_of(environment, option)
    if id.startswith("ALE/") and default is None:  # the game's own, which is its first
        default = 0
    if isinstance(default, tuple | list):
        default = tuple(default)
    assert default == option.default
    environment.close()


@each(("id", "option"), OPTIONS, ids=lambda x: x if isinstance(x, str) else x.name)
def test_another_value_is_taken_and_changes_the_spaces_only_where_it_is_said(id: str, option: Option) -> None:
    info, value = ENVIRONMENTS[id], another(option)
    assert value != option.default
    environment = made(id, {option.name: value})
    environment.reset(seed=0)
    seen = plain(registry.observation_space(id, environment.observation_space))
    done = plain(registry.action_space(id, environment.action_space))
    same = (seen, done) == (plain(info.observation), plain(info.action))
    assert same != option.reshapes
    environment.close()


@each(("id", "option"), OPTIONS, ids=lambda x: x if isinstance(x, str) else x.name)
def test_options_are_described(id: str, option: Option) -> None:
    assert option.title
    assert option.help.endswith(".")
    if isinstance(option.default, int | float) and not isinstance(option.default, bool):
        assert option.minimum is not None
        assert option.maximum is not None
        assert option.minimum <= option.default <= option.maximum
    if option.choices:
        assert option.default in option.choices
    if option.letters:
        assert isinstance(option.default, tuple)
        assert set("".join(map(str, option.default))) <= {letter for letter, _ in option.letters}


# --- best known -------------------------------------------------------------------------------------------------------


def best_in_time(id: str) -> float:
    """The best mean return of any policy within the time limit, by backward induction over the environment's tables."""
    info: EnvironmentInfo = ENVIRONMENTS[id]
    bare: Any = gymnasium.make(id).unwrapped
    table, start = bare.P, bare.initial_state_distrib
    values = np.zeros(len(table))
    assert info.time_limit is not None
    for _ in range(info.time_limit):
        values = np.array(
            [
                max(sum(p * (r + (0.0 if ended else values[s])) for p, s, r, ended in moves) for moves in row.values())
                for row in (table[state] for state in range(len(table)))
            ]
        )
    return float(start @ values)


@pytest.mark.parametrize("id", ["FrozenLake-v1", "FrozenLake8x8-v1", "CliffWalking-v1", "Taxi-v4"])
def test_the_best_return_of_finite_environments_is_the_computed_one(id: str) -> None:
    known = ENVIRONMENTS[id].best_known
    assert known is not None
    assert known.exact
    assert known.value == pytest.approx(best_in_time(id), abs=5e-5)


CARDS = [(card, 1 / 13) for card in range(1, 10)] + [(10, 4 / 13)]


def worth(total: int, ace: bool) -> int:
    return total + 10 if ace and total <= 11 else total


@cache
def dealt(total: int, ace: bool) -> dict[int, float]:
    """How likely the dealer ends with each sum, 0 for more than 21, after at least one more card; aces count 1 in
    ``total``."""
    ends: dict[int, float] = {}
    for card, chance in CARDS:
        after = (total + card, ace or card == 1)
        there = worth(*after)
        more = dealt(*after) if there < 17 else {there if there <= 21 else 0: 1.0}
        for end, likely in more.items():
            ends[end] = ends.get(end, 0.0) + chance * likely
    return ends


@cache
def played(total: int, ace: bool, shown: int) -> float:
    """The best mean return from a hand that may still be added to."""
    mine = worth(total, ace)
    stop = sum(chance * ((mine > end) - (mine < end)) for end, chance in dealt(shown, shown == 1).items())
    another_card = sum(
        chance * (-1.0 if total + card > 21 else played(total + card, ace or card == 1, shown))
        for card, chance in CARDS
    )
    return max(stop, another_card)


def test_the_best_return_at_blackjack_is_the_computed_one() -> None:
    """Under Sutton and Barto's rules: an ace and a ten at once win, unless the dealer has them as well."""
    best = 0.0
    for shown, of_shown in CARDS:
        dealers = next((chance for card, chance in CARDS if {card, shown} == {1, 10}), 0.0)
        for first, of_first in CARDS:
            for second, of_second in CARDS:
                natural = {first, second} == {1, 10}
                hand = 1.0 - dealers if natural else played(first + second, 1 in (first, second), shown)
                best += of_shown * of_first * of_second * hand
    known = ENVIRONMENTS["Blackjack-v1"].best_known
    assert known is not None
    assert known.value == pytest.approx(best, abs=5e-5)


@pytest.mark.parametrize(("id", "way"), [("Empty-5x5", "FFRFF"), ("Empty-8x8", "FFFFFRFFFFF")])
def test_the_shortest_way_through_an_empty_room_is_as_good_as_said(id: str, way: str) -> None:
    if missing_extra("minigrid") is not None:
        pytest.skip("needs the extra minigrid")
    environment = registry.make(f"MiniGrid-{id}-v0")
    environment.reset(seed=0)
    steps = [environment.step({"F": 2, "R": 1}[turn]) for turn in way]
    known = ENVIRONMENTS[f"MiniGrid-{id}-v0"].best_known
    assert known is not None
    assert steps[-1][2]
    assert sum(float(step[1]) for step in steps) == pytest.approx(known.value)
    environment.close()


@pytest.mark.parametrize("extra", EXTRAS.values(), ids=lambda extra: extra.name)
def test_an_extra_is_one_of_the_packages_own(extra: Any) -> None:
    assert extra.command.endswith(f'install -e ".[{extra.name}]"')
    assert any(info.family == extra.name for info in ENVIRONMENTS.values())
