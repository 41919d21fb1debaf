"""Settings of a sweep once more, on other seeds."""

from __future__ import annotations

from engine.config import PolicyGradientConfig
from engine.runs.sweeps.again import with_other_seeds
from engine.runs.sweeps.plan import planned
from engine.runs.sweeps.spec import Sweep, Varied


def test_what_was_chosen_is_judged_by_seeds_that_did_not_choose_it() -> None:
    vary = (
        Varied(path="algorithm", values=("reinforce", "ppo", "dqn")),
        Varied(path="environment.reward_offset", values=(0.0, 1.0)),
    )
    sweep = Sweep(title="All", config=PolicyGradientConfig(seed=3), vary=vary, seeds=(3, 9))
    before = {point.index: point for point in planned(sweep).points}
    for points in ((4,), (0, 3, 5)):
        plan = planned(with_other_seeds(sweep, points))
        assert plan.seeds == (10, 11)
        assert [point.of_seed(3) for point in plan.points] == [before[index].config for index in points]
