"""What a dataset of demonstrations is made of."""

from __future__ import annotations

import numpy as np
import pytest

from engine.config.environments import EnvironmentConfig
from engine.experience.demonstrations import Demonstration, Demonstrations


def _episode(steps: int, first: float) -> Demonstration:
    observations = first + np.arange(steps, dtype=np.float32)[:, None]
    return Demonstration(observations, np.full(steps, steps), np.full(steps, 0.5), terminated=True)


def test_steps_of_a_dataset_lie_episode_after_episode() -> None:
    data = Demonstrations(EnvironmentConfig(id="Corridor-v0"), (_episode(2, 0.0), _episode(3, 10.0)))
    assert len(data) == 5
    assert data.observations[:, 0].tolist() == [0, 1, 10, 11, 12]
    assert data.actions.tolist() == [2, 2, 3, 3, 3]
    assert data.starts.tolist() == [0, 2]
    assert [episode.total_return for episode in data.episodes] == [1.0, 1.5]


def test_answers_have_no_return() -> None:
    assert Demonstration(np.zeros((2, 1)), np.zeros(2)).total_return is None


@pytest.mark.parametrize("changed", [{"actions": np.zeros(1)}, {"rewards": np.zeros(3)}, {"truncated": True}])
def test_what_cannot_be_an_episode_is_refused(changed: dict[str, object]) -> None:
    whole = {"observations": np.zeros((2, 1)), "actions": np.zeros(2), "terminated": True}
    with pytest.raises(ValueError, match="An episode"):
        Demonstration(**whole | changed)  # type: ignore[arg-type]
