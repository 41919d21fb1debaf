from __future__ import annotations

import math
from pathlib import Path

import pytest

from engine.runs.sweeps import files
from engine.runs.sweeps.plan import fingerprint, planned
from engine.runtime.errors import RequestError
from tests.engine.runs.sweeps.sweeps import RATES, bandits

RATE = '[[vary]]\npath = "update.learning_rate"\n'


def test_a_grid_has_every_setting_with_every_other_and_each_seed_of_it() -> None:
    credit = '[[vary]]\npath = "estimator.credit"\nvalues = ["total-return", "reward-to-go"]'
    plan = planned(bandits(f"seeds = 3\n{credit}\n{RATES}"))

    assert [point.words for point in plan.points] == [
        "Credit Total return, Learning rate 0.1",
        "Credit Total return, Learning rate 0.3",
        "Credit Reward-to-go, Learning rate 0.1",
        "Credit Reward-to-go, Learning rate 0.3",
    ]
    assert plan.seeds == (1, 2, 3)
    assert len(plan) == 12
    assert plan.points[3].of_seed(3).seed == 3


def test_a_range_is_even_on_its_scale_and_whole_where_the_parameter_is() -> None:
    rates = planned(bandits(f'{RATE}low = 0.001\nhigh = 1.0\ncount = 4\nscale = "log"')).points
    episodes = '[[vary]]\npath = "collection.episodes_per_update"\nlow = 2\nhigh = 4\ncount = 9'

    assert [point.settings["Learning rate"] for point in rates] == pytest.approx([0.001, 0.01, 0.1, 1.0])
    assert [list(point.settings.values()) for point in planned(bandits(episodes)).points] == [[2], [3], [4]]


@pytest.mark.parametrize("design", ["random", "sobol"])
def test_a_drawn_design_follows_from_the_seed_and_only_grows(design: str) -> None:
    said = f'design = "{design}"\npoints = {{}}\n{RATE}low = 0.001\nhigh = 1.0\nscale = "log"\n' + (
        '[[vary]]\npath = "estimator.credit"\nvalues = ["total-return", "reward-to-go"]'
    )
    few, many = (planned(bandits(said.format(points))).points for points in (20, 64))
    logs = [math.log10(point.settings["Learning rate"]) for point in many]

    assert [point.settings for point in few] == [point.settings for point in many[:20]]
    assert all(-3.0 <= log <= 0.0 for log in logs)
    if design == "sobol":  # one point in every 64th of each range, and as many of each choice
        assert sorted(int((log + 3.0) / 3.0 * 64 - 1e-9) for log in logs) == pytest.approx(range(64), abs=1)
        assert [p.settings["Credit"] for p in many].count("Total return") == 32


def test_several_parameters_go_together_under_a_name() -> None:
    settings = '[[vary]]\ntitle = "Method"\nsettings = [{title = "plain", set = {algorithm = "reinforce"}}, ' + (
        '{title = "PPO", set = {algorithm = "ppo", update.epochs = 3}}]'
    )
    plain, ppo = planned(bandits(settings)).points

    assert (plain.settings, ppo.settings) == ({"Method": "plain"}, {"Method": "PPO"})
    assert plain.config.update.kind == "gradient-ascent"
    assert ppo.config.model_dump()["update"]["epochs"] == 3


def test_a_sweep_is_known_by_what_it_trains_not_by_its_words() -> None:
    sweep = bandits(f"seeds = 2\n{RATES}")

    assert fingerprint(bandits(f'shows = "Other words."\nseeds = [1, 2]\n{RATES}\ntitle = "α"')) == fingerprint(sweep)
    assert fingerprint(bandits(f"seeds = 3\n{RATES}")) != fingerprint(sweep)
    assert fingerprint(sweep.model_copy(update={"design": "random"})) != fingerprint(sweep)


def test_a_sweep_that_was_saved_is_the_same(tmp_path: Path) -> None:
    sweep = bandits(f"seeds = [4, 7]\n{RATES}")
    files.save(sweep, tmp_path / "sweep.toml")

    assert files.load(tmp_path / "sweep.toml") == sweep
    assert files.named(str(tmp_path / "sweep.toml")) == sweep


def test_every_experiment_that_ships_can_be_trained_and_says_what_it_shows() -> None:
    for sweep in files.shipped().values():
        assert len(planned(sweep)) > 1
        assert sweep.shows.endswith(".")


@pytest.mark.parametrize(
    ("rest", "sentence"),
    [
        ('[[vary]]\npath = "update.learning_rat"\nvalues = [1, 2]', "did you mean update.learning_rate?"),
        (f"{RATE}values = [0.1, -1]", "Point 2 (Learning rate -1) does not fit: update.learning_rate cannot be -1"),
        (f"{RATE}low = 1", "the 1st [[vary]] should be one that has a low that is below its high."),
        (f"{RATE}values = [1]\ncounts = 3", "the 1st [[vary]] has no counts; a [[vary]] says path,"),
        (f"{RATE}values = [0.1, 0.1]", "come to the same configuration; leave one of them out."),
        (f"{RATES}\n{RATES}", "update.learning_rate varies twice, in [[vary]] 1 and 2"),
        ('[[vary]]\npath = "algorithm"\nvalues = ["trpoo"]', 'There is no algorithm "trpoo"; did you mean trpo?'),
        (
            '[[vary]]\npath = "algorithm"\nvalues = ["ppo", "td3"]',
            "Point 2 (Algorithm TD3) cannot be trained: ",
        ),
        ('[[vary]]\npath = "seed"\nvalues = [1, 2]', "say which seeds are trained with seeds."),
        ('[[vary]]\npath = "environment.options.slip"\nvalues = [0.1]', "Bandit-v0 has no option slip"),
        ("sedes = 3", "did you mean seeds?"),
        ("seeds = [1, 1]", "The seed 1 is named twice; seeds should all be different."),
        ('seeds = "3"', 'seeds cannot be "3": it should be a whole number from 1 to 1000, or a list of such.'),
        ("seeds = [true]", "seeds cannot be [true]: it should be a whole number from 1 to 1000"),
        ("seeds = []", "seeds cannot be empty: at least one seed is needed."),
        ("vary = [1]", "the 1st [[vary]] should be a table of path, title, values and the like, not 1."),
        ('[[vary]]\nsettings = [{title = "a"}]', "the 1st [[vary]] lacks settings.0.set."),
        (f"{RATE}values = []", "says what it goes through in one way: values, low and high, or settings."),
        (f"{RATE}low = 1\nhigh = 0.1", "has a low that is below its high."),
        (f'{RATE}low = 0\nhigh = 1\nscale = "log"', "is on a logarithmic scale, whose low is above 0."),
        (f"{RATE}low = 1\nhigh = inf", "the 1st [[vary]] does not fit in high: input should be a finite number"),
        ('[[vary]]\npath = "algorithm"\nvalues = [["ppo"]]', 'There is no algorithm ["ppo"]; did you mean ppo?'),
        (
            RATE
            + "low = 0.1\nhigh = 1\ncount = 1000\n"
            + RATE.replace("update.learning_rate", "estimator.gamma")
            + "low = 0.1\nhigh = 0.9\ncount = 1000",
            "has 1,000,000 points, more than the 10,000 runs",
        ),
        ("version = 99", "it is of version 99, and this program reads none later than"),
        ('design = "griddy"', "design cannot be \"griddy\"; it is one of 'grid', 'random' or 'sobol'."),
        (f"seeds = 1000\n{RATE}low = 0.1\nhigh = 1\ncount = 11", "A sweep has at most 10,000 runs"),
    ],
)
def test_what_is_wrong_is_said_before_anything_starts(rest: str, sentence: str) -> None:
    with pytest.raises(RequestError) as error:
        planned(bandits(rest))
    assert sentence in str(error.value)
