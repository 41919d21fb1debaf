"""What is chosen to begin with where no preset ships: it fits whatever spaces there are, and follows their kind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.compatibility import misplaced
from engine.catalogue.methods.starting import starting_choice
from engine.catalogue.spaces import EnvironmentInfo, Space, box, discrete, pixels
from tests.each import each

_SEEN = {
    "one state": discrete(1),
    "many states": discrete(3_000_000),
    "one number": box(1),
    "many numbers": box(20_000),
    "a board": Space("box", 400, bounds=((0.0, 1.0),), shape=(10, 10, 4), image=True),
    "large pictures": pixels(1080, 1920, 3),
    "rows of numbers": Space("box", 35, shape=(5, 7)),
}
_DONE = {
    "one action": discrete(1),
    "many actions": discrete(50_000),
    "parts": Space("multi-discrete", 12, parts=(3, 4, 5)),
    "switches": Space("multi-binary", 6),
    "unbounded": box(3),
    "bounded": box(17, bounds=((-1.0, 1.0),)),
}


@each("id", ENVIRONMENTS)
def test_it_fits_every_environment_of_the_catalogue(id: str) -> None:
    config = starting_choice(ENVIRONMENTS[id])
    assert config is not None
    assert config.environment.id == id
    assert misplaced(config, ENVIRONMENTS[id]) is None


@pytest.mark.parametrize("limit", [None, 1, 100_000])
@pytest.mark.parametrize("seen", _SEEN)
def test_it_fits_whatever_others_bring_along(seen: str, limit: int | None) -> None:
    for done in _DONE.values():
        environment = EnvironmentInfo("Theirs-v0", "Theirs", "", _SEEN[seen], done, limit)
        config = starting_choice(environment)
        assert config is None or misplaced(config, environment) is None
        assert config is not None or max(done.size, _SEEN[seen].size) > 10_000, "only what is too large has none"


@pytest.mark.parametrize(
    ("seen", "policy"),
    [("one state", "tabular"), ("one number", "mlp"), ("a board", "cnn"), ("rows of numbers", "mlp")],
)
def test_the_policy_follows_what_is_seen(seen: str, policy: str) -> None:
    config = starting_choice(EnvironmentInfo("Theirs-v0", "Theirs", "", _SEEN[seen], discrete(3), 100))
    assert config is not None
    assert config.policy.kind == policy


def test_episodes_that_may_never_end_are_cut() -> None:
    for seen in _SEEN.values():
        config = starting_choice(EnvironmentInfo("Theirs-v0", "Theirs", "", seen, discrete(3)))
        assert config is None or config.collection.kind == "fixed-length"


def test_tables_learn_from_as_many_episodes_as_their_length_allows() -> None:
    lake = ENVIRONMENTS["FrozenLake-v1"]
    sizes = [
        starting_choice(replace(lake, time_limit=limit)).collection.episodes_per_update for limit in (1, 200, 100_000)
    ]
    assert sizes == [256, 128, 16]


def test_rewards_of_unknown_size_are_seen_in_units_of_their_spread() -> None:
    config = starting_choice(EnvironmentInfo("Theirs-v0", "Theirs", "", box(4), box(2), 1000))
    assert config.environment.normalize_rewards
    assert config.environment.normalize_observations
