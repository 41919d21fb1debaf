"""Datasets as a whole: called anew, put back as they were, and what they hold in numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.config.environments import EnvironmentConfig
from engine.experience.demonstrations import Demonstration, Demonstrations
from engine.runs.datasets import Spread, content_of, members_of, put_members, rename
from engine.runs.library import Library
from engine.runs.recordings import Recordings
from engine.runtime.errors import RequestError
from tests.engine.runs.test_recordings import PERSON, played


def test_a_dataset_is_called_anew_and_put_back_with_all_its_recordings_in_their_order(library_place: Path) -> None:
    with Library(library_place) as library:
        recordings = Recordings(library)
        ids = [recordings.add(played(steps), PERSON).id for steps in (1, 2, 3)]
        recordings.merge("mine", [ids[2], ids[0], ids[1]])
        recordings.merge("other", [ids[0]])
        recordings.delete([ids[0]])
        before = members_of(library, "mine")
        assert before == (ids[2], ids[0], ids[1]), "those that are deleted may come back"
        for to, why in (("other", "already"), ("cartpole", "comes with the program"), (" x", "1 to 60 characters")):
            with pytest.raises(RequestError, match=why):
                rename(library, "mine", to)
        with pytest.raises(RequestError, match="There is no dataset nobody"):
            rename(library, "nobody", "somebody")
        rename(library, "mine", "yours")
        assert [(each.name, each.steps) for each in recordings.datasets()] == [("yours", 5)]
        put_members(library, "yours", ())
        assert recordings.datasets() == ()
        put_members(library, "mine", before)
        recordings.restore([ids[0]])
        assert [len(each) for each in recordings.dataset("mine").episodes] == [3, 1, 2]


def of_actions(*actions: object) -> Demonstrations:
    rows = np.array(actions, np.float32 if isinstance(np.ravel(actions)[0], np.floating) else np.int64)
    seen = np.zeros((len(rows), 1), np.float32)
    return Demonstrations(EnvironmentConfig(id="X-v0"), (Demonstration(seen, rows, np.ones(len(rows))),))


def test_how_often_each_action_is_taken_and_how_numbers_are_spread() -> None:
    content = content_of(of_actions(2, 0, 2, 2))
    assert (content.episodes, content.steps, content.mean_return) == (1, 4, 4.0)
    assert (content.shares, content.different) == (((2, 0.75), (0, 0.25)), 2)
    assert content_of(of_actions([1, 0], [0, 1], [1, 0])).shares == (((1, 0), 2 / 3), ((0, 1), 1 / 3))
    content = content_of(of_actions([1.0, -1.0], [3.0, -1.0]))
    assert content.spreads == (Spread(2.0, 1.0, 1.0, 3.0), Spread(-1.0, 0.0, -1.0, -1.0))
    assert content.shares == ()
