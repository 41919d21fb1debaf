"""Runs beside each other, against answers worked out by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from engine.catalogue.methods.entries import BASELINES
from engine.config import PolicyGradientConfig, RunConfig
from engine.config.parameters import with_values
from engine.runs.comparison.curves import Curve, area, curve, height, smoothed
from engine.runs.comparison.differences import flattened, varying
from engine.runs.comparison.scores import common_end, median_run, reached, score, threshold_of
from engine.runs.library import ITERATIONS, Library
from engine.runs.series import CHUNK, Series
from tests.each import each
from tests.engine.runs.libraries import record

Scores = tuple[float | None, ...]
COLUMNS = ("iteration", "environment_steps", "episodes", "seconds", "mean_return", "gradient_steps")
NAN = math.nan
RUN = Series(
    COLUMNS,
    np.array(
        [
            [1, 100, 0, 1.0, NAN, 4],
            [2, 200, 50, 1.5, 10.0, 4],
            [3, 300, 120, 3.0, 30.0, 2],
            [4, 400, 130, 4.0, 20.0, 4],
        ],
        np.float64,
    ),
)


def config(**values: object) -> RunConfig:
    return with_values(PolicyGradientConfig(), {path.replace("__", "."): value for path, value in values.items()})


def points(one: Curve) -> list[tuple[float, float]]:
    return list(zip(one.x.tolist(), one.y.tolist(), strict=True))


# --- curves -----------------------------------------------------------------------------------------------------------


def test_a_curve_is_over_what_is_asked_for_and_has_no_point_where_nothing_is_known() -> None:
    assert points(curve(RUN)) == [(200, 10), (300, 30), (400, 20)]
    assert points(curve(RUN, axis="episodes")) == [(50, 10), (120, 30), (130, 20)]
    assert points(curve(RUN, axis="seconds")) == [(1.5, 10), (3, 30), (4, 20)]
    assert points(curve(RUN, axis="gradient_steps")) == [(8, 10), (10, 30), (14, 20)]
    assert [x for x, _ in points(curve(RUN, axis="iteration"))] == [2, 3, 4]


def test_a_run_that_did_not_record_its_gradient_steps_has_no_curve_over_them() -> None:
    early = Series(COLUMNS[:-1], RUN.rows[:, :-1])
    assert len(curve(early, axis="gradient_steps")) == len(curve(early, "loss")) == 0
    assert len(curve(Series((), np.empty((0, 0))))) == 0


def test_smoothing_is_the_mean_of_the_last_values_that_are_known() -> None:
    values = np.array([2.0, NAN, 4.0, 9.0])
    assert smoothed(values, 1) is values
    np.testing.assert_array_equal(smoothed(values, 2), [2.0, NAN, 4.0, 6.5])
    np.testing.assert_array_equal(smoothed(values, 3), [2.0, NAN, 3.0, 6.5])
    np.testing.assert_array_equal(smoothed(values, 100), [2.0, NAN, 3.0, 5.0])
    np.testing.assert_array_equal(smoothed(np.array([1e12, 1e-3, 1e-3]), 2), [1e12, 5e11 + 5e-4, 1e-3])
    assert not len(smoothed(np.empty(0), 5))


def test_height_is_on_the_straight_line_between_points_and_nowhere_else() -> None:
    one = curve(RUN)
    assert (height(one, 250), height(one, 400)) == (20, 20)
    assert math.isnan(height(one, 199))
    assert math.isnan(height(one, 401))


def test_area_is_the_mean_height_from_0_on() -> None:
    """Up to 200 at 10; then from 10 to 30, at 20 on average; then half way from 30 to 20, at 27.5 on average."""
    one = curve(RUN)
    assert area(one, 350) == pytest.approx((200 * 10 + 100 * 20 + 50 * 27.5) / 350)
    assert area(one, 100) == pytest.approx(10)
    assert area(one, 401) is None


def test_area_over_a_place_with_several_points_is_that_of_the_curve_through_all() -> None:
    """No episode ended for a while: up to 1 it is at 10; there it rises to 30; from there to 2 it is at 35."""
    one = Curve(np.array([1.0, 1.0, 1.0, 2.0, 2.0]), np.array([10.0, 20.0, 30.0, 40.0, 50.0]))
    assert area(one, 1.0) == pytest.approx(10)
    assert area(one, 2.0) == pytest.approx((10 + 35) / 2)


def test_of_what_a_run_has_told_all_after_any_row_is_read(tmp_path: Path) -> None:
    rows = np.arange(4.0 * CHUNK).reshape(-1, 2)
    with Library(tmp_path) as library:
        run = library.begin(record()).id
        for part in np.array_split(rows, 7):
            library.append(run, ITERATIONS, ("iteration", "loss"), part)
        for since in (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK, 3 * CHUNK):
            assert np.array_equal(library.series(run, ITERATIONS, since).rows.ravel(), rows[since:].ravel())


# --- what each came to ------------------------------------------------------------------------------------------------


def test_a_score_has_the_end_the_best_and_the_threshold() -> None:
    told = score(RUN, "seconds", 4.0, 25.0)
    assert (told.final, told.best, told.steps, told.seconds) == (20, 30, 300, 3.0)
    assert told.area == pytest.approx((1.5 * 10 + 1.5 * 20 + 1.0 * 25) / 4)


def test_a_threshold_is_reached_by_the_mean_of_100_episodes_and_not_of_fewer() -> None:
    assert reached(RUN, 10.0) == (300, 3.0)
    assert reached(RUN, 30.1) is None
    assert reached(RUN, None) is None


def test_what_has_not_begun_has_no_score_and_does_not_shorten_the_others() -> None:
    nothing = Series((), np.empty((0, 0)))
    assert score(nothing, "environment_steps", 100, 1.0) == score(Series(COLUMNS, RUN.rows[:1]), "seconds", 1, 1.0)
    assert common_end([curve(nothing), curve(RUN)]) == 400


@each(
    ("scores", "place"),
    [
        ((30.0, 10.0, 20.0), 2),
        ((30.0, 10.0, 20.0, 40.0), 2),  # of four the lower of the two in the middle
        ((10.0, 30.0, None, 20.0), 3),
        ((5.0, 5.0, 5.0, 5.0, 5.0), 2),
        ((10.0, None, 20.0), None),
        ((), None),
    ],
)
def test_the_median_run_is_the_one_whose_score_is_in_the_middle(scores: Scores, place: int | None) -> None:
    assert median_run(scores) == place


def test_the_threshold_is_that_which_all_have_in_common() -> None:
    assert threshold_of([config(), config(seed=2)]) == 475
    assert threshold_of([config(), config(environment__id="Acrobot-v1")]) is None
    assert threshold_of([config(environment__reward_scale=0.5)]) == threshold_of([config()])


# --- what differs -----------------------------------------------------------------------------------------------------


def told(*runs: RunConfig, changes: dict[str, object] | None = None) -> dict[str, tuple[tuple[object, ...], ...]]:
    changed = [changes or {}, *({} for _ in runs[1:])]
    return {one.path: one.values for one in varying(list(zip(map(flattened, runs), changed, strict=True)))}


def test_of_configurations_only_what_differs_is_told() -> None:
    assert told(config(), config()) == {}
    assert told(config(seed=1), config(seed=2), config(seed=2)) == {"seed": ((1,), (2,), (2,))}


def test_of_what_only_some_have_only_what_differs_among_these() -> None:
    none, small, large = (
        config(estimator__baseline=baseline, **sizes)
        for baseline, sizes in (
            ("none", {}),
            ("value", {"estimator__baseline__hidden_sizes": (8,)}),
            ("value", {"estimator__baseline__hidden_sizes": (64,)}),
        )
    )
    titles = BASELINES["none"].title, BASELINES["value"].title
    assert told(none, small) == {"estimator.baseline": ((titles[0],), (titles[1],))}
    assert told(none, small, large) == {
        "estimator.baseline": ((titles[0],), (titles[1],), (titles[1],)),
        "estimator.baseline.hidden_sizes": ((), ((8,),), ((64,),)),
    }


def test_what_was_changed_while_training_is_told_with_what_it_was() -> None:
    path = "update.learning_rate"
    assert told(config(), config(), changes={path: 0.5})[path] == ((0.01, 0.5), (0.01,))
