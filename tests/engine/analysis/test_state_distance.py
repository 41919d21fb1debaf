"""How far a learner's states are from its teacher's."""

from __future__ import annotations

import numpy as np
import pytest

from engine.analysis.state_distance import nearest, parting_components, states_apart, teacher_apart
from engine.config.environments import EnvironmentConfig
from engine.experience.demonstrations import Demonstration, Demonstrations


def played(*episodes: object) -> Demonstrations:
    return Demonstrations(
        EnvironmentConfig(),
        tuple(
            Demonstration(np.array(states, np.float32 if np.ndim(states) > 1 else np.int64), np.zeros(len(states)))  # type: ignore[arg-type]
            for states in episodes
        ),
    )


def test_numbers_are_as_far_as_the_nearest_of_the_teachers_in_his_standard_deviations() -> None:
    teacher = played([[0.0, 10.0], [2.0, 10.0]])  # a spread of 1 and one that never changes
    learner = played([[0.0, 10.0], [3.0, 10.0], [5.0, 12.0]], [[2.0, 10.0]])
    apart = states_apart(teacher, learner)
    assert apart.episodes.tolist() == [2, 1, 1]
    expected = [0.0, np.sqrt(1.0 / 2.0), np.sqrt((9.0 + 4.0) / 2.0)]
    assert apart.mean.tolist() == pytest.approx(expected, abs=1e-6)
    assert apart.low.tolist() == apart.median.tolist() == apart.high.tolist() == pytest.approx(expected, abs=1e-6)


def test_a_numbered_state_is_apart_where_the_teacher_never_was() -> None:
    apart = states_apart(played([1, 2, 2]), played([1, 3], [1, 2], [1, 3]))
    assert apart.low.tolist() == pytest.approx([0.0, 0.5])
    assert apart.mean.tolist() == pytest.approx([0.0, 2.0 / 3.0])
    assert apart.high.tolist() == [0.0, 1.0]
    assert parting_components(played([1]), played([1])) == ()


def test_each_episode_of_the_teacher_is_as_far_as_from_all_his_others() -> None:
    own = teacher_apart(played([[0.0], [4.0]], [[1.0], [4.0], [7.0]]))
    assert own is not None
    spread = np.std([0.0, 4.0, 1.0, 4.0, 7.0])
    assert own.mean.tolist() == pytest.approx([1.0 / spread, 0.0, 3.0 / spread], abs=1e-6)
    assert own.episodes.tolist() == [2, 2, 1]
    assert teacher_apart(played([[0.0], [4.0]])) is None
    numbered = teacher_apart(played([1, 2], [1, 3]))
    assert numbered is not None
    assert numbered.mean.tolist() == [0.0, 1.0]


def test_many_are_compared_in_parts() -> None:
    generator = np.random.default_rng(0)
    known, asked = generator.normal(size=(3000, 3)), generator.normal(size=(1500, 3))
    found = nearest(known, asked)
    scale = known.std(0)
    expected = np.sqrt((((asked[700] - known) / scale) ** 2).mean(-1).min())
    assert found[700] == pytest.approx(expected, abs=1e-6)


def test_the_components_in_which_both_part_are_found() -> None:
    generator = np.random.default_rng(0)
    teacher = generator.normal(size=(500, 4)).astype(np.float32)
    learner = teacher.copy()
    learner[:, 2] += 5.0
    learner[:, 1] *= 6.0
    assert parting_components(played(teacher), played(learner)) == (2, 1)


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="no states"):
        states_apart(played([[1.0, 2.0]]), Demonstrations(EnvironmentConfig(), ()))
    with pytest.raises(ValueError, match="do not observe the same"):
        states_apart(played([[1.0, 2.0]]), played([[1.0, 2.0, 3.0]]))
