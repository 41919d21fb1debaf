"""Files of demonstrations: what is written comes back, another program may write one, and what is none is refused."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from engine.config.environments import EnvironmentConfig
from engine.experience.demonstration_file import FORMAT, NAME, from_bytes, to_bytes
from engine.experience.demonstrations import Demonstration, Demonstrations
from engine.runtime.errors import RequestError
from tests.each import each

CARTPOLE = EnvironmentConfig(id="CartPole-v1", time_limit=50, hidden=(1,))
EPISODES = (
    Demonstration(
        observations=np.arange(6, dtype=np.float32).reshape(3, 2) / 7,
        actions=np.array([0, 1, 1]),
        rewards=np.array([1.0, 0.1, -3.5]),
        final_observation=np.array([0.5, -1.0], np.float32),
        terminated=True,
        seed=2**63 - 1,
        source="run 5, iteration 120",
    ),
    Demonstration(np.ones((1, 2), np.float32), np.array([1])),
    Demonstration(np.zeros((2, 2), np.float32), np.array([1, 0]), rewards=np.zeros(2), truncated=True),
)
DATA = Demonstrations(CARTPOLE, EPISODES)


def same(one: Demonstrations, other: Demonstrations) -> None:
    assert one.environment == other.environment
    assert len(one.episodes) == len(other.episodes)
    for mine, theirs in zip(one.episodes, other.episodes, strict=True):
        for name, value in vars(mine).items():
            there = getattr(theirs, name)
            assert type(there) is type(value)
            assert np.array_equal(there, value)
            assert getattr(there, "dtype", None) == getattr(value, "dtype", None)


def refused(data: bytes) -> str:
    with pytest.raises(RequestError) as raised:
        from_bytes(data)
    sentence = str(raised.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert len(sentence) < 400
    return sentence


@pytest.mark.parametrize(
    ("observations", "actions"),
    [
        (np.array([3, 0]), np.array([[1, 0], [0, 2]])),
        (np.eye(2, dtype=np.float32), np.array([[0.1], [-2.0]], np.float32)),
        (np.arange(128, dtype=np.float32).reshape(2, 64), np.array([0, 1])),
        (np.arange(128, dtype=np.float32).reshape(2, 64) - 0.5, np.array([0, 1])),
        (np.arange(200, 328, dtype=np.float32).reshape(2, 64), np.array([0, 1])),
    ],
    ids=["numbers of states, several parts", "continuous actions", "pixels", "no pixels", "beyond a byte"],
)
def test_what_is_written_comes_back_as_it_was(observations: Any, actions: Any) -> None:
    same(from_bytes(to_bytes(DATA)), DATA)
    data = Demonstrations(EnvironmentConfig(id="Maze-v0"), (Demonstration(observations, actions, np.zeros(2)),))
    written = to_bytes(data)
    same(from_bytes(written), data)
    from_bytes(written).observations[:] = 1  # and may be written to


def test_pixels_take_a_byte_each() -> None:
    picture = Demonstration(np.full((10, 6400), 255.0, np.float32), np.zeros(10, np.int64))
    assert len(to_bytes(Demonstrations(CARTPOLE, (picture,)))) < 70_000


SAID: dict[str, Any] = {
    "steps": 2,
    "terminated": True,
    "truncated": False,
    "rewards": False,
    "final_observation": False,
    "seed": None,
}
TENSORS: dict[str, Any] = {"observations": np.eye(2, dtype=np.float32), "actions": np.array([0, 1])}
PAID, ENDED = SAID | {"rewards": True}, SAID | {"final_observation": True}
FINAL = {"final_observations": np.zeros((1, 3), np.float32)}


def foreign(tensors: Any = TENSORS, episodes: Any = (SAID,), **changed: Any) -> bytes:
    """As another program would write it, by the description alone."""
    head = {"format": FORMAT, "environment": {"id": "CartPole-v1"}, "episodes": episodes} | changed
    return save(tensors, {NAME: json.dumps(head, separators=(",", ":"))})


def described(**changed: Any) -> bytes:
    return foreign(episodes=[SAID | changed])


def holding(**changed: Any) -> bytes:
    return foreign(TENSORS | changed)


def test_another_program_needs_no_digest_and_no_more_than_is_described() -> None:
    (episode,) = from_bytes(foreign()).episodes
    assert episode.terminated
    assert (episode.seed, episode.source, episode.rewards, episode.final_observation) == (None, "", None, None)
    assert episode.observations.tolist() == [[1, 0], [0, 1]]


def test_a_file_cut_off_or_with_a_bit_changed_anywhere_is_refused() -> None:
    data = to_bytes(replace(DATA, episodes=EPISODES[:2]))
    for place in range(0, len(data), 3):
        refused(data[:place])
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        refused(bytes(changed))


@each(
    ("data", "words"),
    [
        (b"", "no file of demonstrations"),
        (b"\x80\x04]", "no file of demonstrations"),  # as pickle begins
        (struct.pack("<Q", 2**62) + b"{}", "no file of demonstrations"),
        (save({"a": np.zeros(1)}), "no file of demonstrations"),
        (save({}, {"checkpoint": "{}"}), "holds no demonstrations"),
        (foreign(format=FORMAT + 1), "update the program"),
        (foreign(format="1"), "its format is '1' instead of 1"),
        (foreign(format=True), "its format is True instead of 1"),
        (foreign(digest=7), "broken one"),
        (foreign(digest="0" * 64), "broken one"),
        (foreign(version=99), "use a later program"),
        (foreign(environment={"id": 5}), "environment does not fit"),
        (foreign(environment={"id": "CartPole-v1", "gravity": 3}), "environment does not fit"),
        (foreign(environment=None), "environment does not fit"),
        (foreign(note="hello"), "says 'note', which this format has no word for"),
        (foreign(episodes=[]), "its episodes have 0 observations and it holds 2"),
        (foreign({}, episodes=[]), "empty"),
        (foreign(episodes=[[]]), "episode 1 is not described"),
        (foreign(episodes=7), "no list"),
        (described(steps=3), "its episodes have 3 observations and it holds 2"),
        (described(steps=True), "steps of episode 1 are True instead"),
        (described(steps=-2), "steps of episode 1 are -2 instead"),
        (described(steps=10**400), "its episodes have"),
        (described(truncated=True), "never both"),
        (described(truncated=1), "truncated of episode 1 is 1 instead"),
        (described(seed=-1), "its seed is -1"),
        (described(seed=7.0), "its seed is 7.0"),
        (described(seed=2**63), "its seed is 9223372036854775808"),
        (described(source="two\nlines"), "its source"),
        (described(source="\ud800"), "its source"),
        (described(ended=True), "episode 1 says 'ended'"),
        (foreign(episodes=[{"steps": 2}]), "episode 1 does not say 'terminated'"),
        (described(rewards=True), "2 rewards and it holds 0"),
        (holding(rewards=np.zeros(2)), "0 rewards and it holds 2"),
        (holding(infos=np.zeros(2)), "it holds 'infos'"),
        (foreign({"actions": np.zeros(2, np.int64)}), "2 observations and it holds 0"),
        (holding(actions=np.array([0, -1])), "an action is -1, and they are counted from 0"),
        (holding(actions=np.array([0.0, 1.0])), "not float64 [2]"),
        (holding(actions=np.array([0, 1], np.uint8)), "not uint8 [2]"),
        (holding(observations=np.array([[1.0], [np.inf]], np.float32)), "not a finite number"),
        (holding(observations=np.zeros((2, 3, 4), np.float32)), "not float32 [2, 3, 4]"),
        (holding(observations=np.zeros((2, 0), np.float32)), "not float32 [2, 0]"),
        (foreign({name: np.zeros((10**15, 0), np.float32) for name in TENSORS}, [SAID | {"steps": 10**15}]), "0]"),
        (foreign(TENSORS | {"rewards": np.array([1e31, 0.0])}, [PAID]), "a reward is beyond 1e+30"),
        (foreign(TENSORS | FINAL, [ENDED]), "its final observation is float32 [3], and the others are float32 [2]"),
    ],
)
def test_what_is_no_such_file_is_refused_in_a_sentence(data: bytes, words: str) -> None:
    assert words in refused(data)


def test_nested_lists_without_end_are_refused() -> None:
    deep = '{"format":1,"environment":' + '{"id":' * 50_000 + "1" + "}" * 50_001
    refused(save({}, {NAME: deep}))
    options: dict[str, Any] = {}
    for _ in range(80):
        options = {"in": options}
    assert "environment does not fit" in refused(foreign(environment={"id": "CartPole-v1", "options": options}))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"observations": np.zeros((3, 5), np.float32), "final_observation": None},
            "and of those of the first float32 [2]",
        ),
        ({"observations": np.zeros((3, 2))}, "not float64 [3, 2]"),
        ({"actions": np.zeros((3, 1), np.int64)}, "each of its actions is int64 [1]"),
        ({"rewards": np.array([0.0, np.nan, 0.0])}, "a reward is not a finite number"),
        ({"seed": 2.0}, "its seed is 2.0"),
    ],
)
def test_nothing_is_written_that_could_not_be_read(changed: dict[str, Any], words: str) -> None:
    odd = replace(EPISODES[0], **changed)
    with pytest.raises(RequestError, match="Episode 2 of these demonstrations cannot be used") as raised:
        to_bytes(Demonstrations(CARTPOLE, (EPISODES[0], odd)))
    assert words in str(raised.value)
    assert load(to_bytes(DATA)).keys() == {"observations", "actions", "rewards", "final_observations"}
