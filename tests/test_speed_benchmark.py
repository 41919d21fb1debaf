"""The row ``speed``: its settings, its sums and its words, with next to nothing measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
import typer

from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.compatibility import refusal
from engine.config import PolicyGradientConfig
from tests.benchmarks import ppo_speed
from tests.benchmarks.figures import Grid
from tests.benchmarks.rows import ROWS
from tests.benchmarks.speed import arithmetic, bounds, growth, ours, row, stepping, threshold, zoo
from tests.benchmarks.speed.comparing import HELD, turns
from tests.benchmarks.speed.loop import Loop
from tests.benchmarks.speed.side import Compared, Run, Side
from tests.benchmarks.speed.tables import Part, Section, stacked
from tests.benchmarks.speed.worker import peak_memory

SMALL = replace(zoo.PPO["CartPole-v1"], environments=2, steps=16, epochs=2, minibatch=16, hidden=(8,))


def config(setting: zoo.Setting = SMALL, budget: int = 96) -> str:
    return zoo.ours(setting, 1, budget).model_dump_json()


def run(speed: float) -> Run:
    return Run(100, 100 / speed, 1, None, "", None)


@pytest.mark.parametrize("setting", [*zoo.PPO.values(), *zoo.A2C.values()], ids=lambda setting: setting.name)
def test_every_setting_of_the_zoo_can_be_run(setting: zoo.Setting) -> None:
    assert refusal(zoo.ours(setting, 1), ENVIRONMENTS[setting.environment]) is None


def test_cartpole_has_the_settings_that_ppo_speed_has() -> None:
    assert zoo.ours(zoo.PPO["CartPole-v1"], 3, 20_480) == ppo_speed.zoo(3, 20_480)


def test_what_the_row_holds_is_what_its_parts_measure() -> None:
    assert [figure.name for figure in ROWS["speed"].figures] == [HELD, *stepping.HELD, growth.HELD]


def test_the_products_of_arithmetic_are_those_of_backpropagation() -> None:
    for activation, nonlinear in (("tanh", torch.tanh), ("relu", torch.relu)):
        torch.manual_seed(1)
        network = arithmetic._Network(5, (3, 4, 2), activation)
        inputs, delta = network._outputs[0].clone(), network._deltas[-1].clone()
        network.forward()
        network.backward()
        weights = [weight.clone().requires_grad_() for weight in network._weights]
        nonlinear(inputs @ weights[0].t()).matmul(weights[1].t()).backward(delta)
        for found, weight in zip(network._of_weights, weights, strict=True):
            torch.testing.assert_close(found, weight.grad)
        torch.testing.assert_close(network._of_biases[-1], delta.sum(0))


def test_arithmetic_counts_every_pass_that_ppo_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[tuple[int, tuple[int, ...], bool]] = []

    def counted(rows: int, sizes: tuple[int, ...], activation: str, backward: bool) -> float:
        passes.append((rows, sizes, backward))
        return 1.0

    monkeypatch.setattr(arithmetic, "seconds", counted)
    whole = arithmetic.of_iteration(zoo.ours(SMALL, 1), (4, 8, 2), 32, 16)
    # 16 times over 2 environments; 2 epochs of 2 minibatches for the policy; V once over all, then as the policy.
    assert passes == [(2, (4, 8, 2), False), (16, (4, 8, 2), True), (32, (4, 8, 1), False), (16, (4, 8, 1), True)]
    assert whole == 16 + 4 + 1 + 4


def test_a_split_run_accounts_for_its_time() -> None:
    found = ours.split(config(), 64)
    parts = [found[name] for name in ("environment", "acting", "estimating", "updating")]
    assert found["steps"] == 32
    assert all(part > 0.0 for part in (*parts, found["arithmetic"]))
    assert sum(parts) <= found["total"]


def test_a_split_run_counts_only_the_environments_of_its_own() -> None:
    from engine.training.learners import interaction

    before = interaction.make_batch
    ours.split(config(), 1)
    assert interaction.make_batch is before


def test_skipped_iterations_do_not_count() -> None:
    assert (found := ours.run(config(), 64))["steps"] == 64
    assert found["iterations"] == 2
    assert (found := ours.run(config(budget=1000), 64, skip=3))["steps"] == 64
    assert found["iterations"] == 2


def test_a_run_short_of_its_threshold_goes_on_beyond_its_budget() -> None:
    found = ours.until(config(budget=64), 1e9, 60.0)
    assert (found["reached"], found["steps"]) == (False, 64 * zoo.BEYOND)


def test_a_run_ends_at_its_threshold_or_when_its_time_is_up() -> None:
    whole = zoo.reinforce("CartPole-v1", 100, (8,), 1e-12).model_dump_json()
    found = ours.until(whole, 1.0, 60.0)
    assert found["reached"]
    assert ours.until(config(budget=640), 1e9, 0.0) | {"seconds": 0.0} == {
        "reached": False,
        "steps": 32,
        "seconds": 0.0,
    }


@pytest.mark.parametrize("environment", ["CartPole-v1", "Pendulum-v1"])
def test_the_loop_plays_episodes_and_learns(environment: str) -> None:
    loop = Loop(environment, 8, 0.01)
    before = loop.network[0].weight.detach().clone()
    assert loop.episode() > 0
    assert not torch.equal(before, loop.network[0].weight)
    loop.environment.close()


def test_stepping_tells_the_speed_of_every_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stepping, "find_spec", lambda _: None)
    monkeypatch.setattr(stepping, "MOST", {"CartPole-v1": 2})
    monkeypatch.setattr(stepping, "MOST_PROCESSES", 1)
    found = stepping.measured("CartPole-v1", [2, 3], 1, 0.001)
    assert set(found["speeds"]) == {"Gymnasium, batched", "Gymnasium, SyncVectorEnv", "ours"}
    assert all(set(speeds) == {2} and speeds[2] > 0.0 for speeds in found["speeds"].values())


def test_ours_is_held_against_whichever_other_is_fastest_at_that_size() -> None:
    speeds = {
        "a": {"1": 10.0, "64": 4.0},
        "b": {"1": 5.0, "64": 8.0},
        "c": {"512": 7.0},
        "ours": {"1": 5.0, "64": 16.0},
    }
    assert stepping.against_best(speeds) == {"1": 0.5, "64": 2.0}
    assert stepping.against_best({"a": {"1": 10.0}}) == {}


def test_stepping_asks_gymnasium_for_its_own_batched_environments() -> None:
    """Not only for its loop over single ones: that would compare with what nobody in a hurry uses."""
    sides = stepping._sides("CartPole-v1", 3, {})
    batch = sides["Gymnasium, batched"]()
    assert "Vector" in type(batch.step.__self__).__name__
    assert "Sync" not in type(batch.step.__self__).__name__
    batch.close()
    assert "Gymnasium, batched" not in stepping._sides("Acrobot-v1", 3, {})


def test_sides_take_turns_after_a_run_that_does_not_count() -> None:
    asked: list[tuple[str, int]] = []

    def side(name: str) -> Callable[[int], Run]:
        def answer(seed: int) -> Run:
            asked.append((name, seed))
            return run(10.0 * (seed + 1))

        return answer

    one, _ = turns([side("a"), side("b")], 2)
    assert asked == [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2), ("b", 2)]
    assert [found.speed for found in one] == pytest.approx([20.0, 30.0])


def test_neighbours_in_time_are_compared() -> None:
    compared = Compared((run(10.0), run(100.0), run(30.0)), (run(10.0), run(20.0), run(10.0)))
    assert compared.ratios == pytest.approx([1.0, 5.0, 3.0])
    assert compared.ratio == pytest.approx(3.0)


def test_a_side_that_fails_says_why() -> None:
    with Side(side="none_such") as side, pytest.raises(RuntimeError, match=r"No module named .*none_such"):
        side.ask("run")


def test_memory_is_that_of_this_process() -> None:
    found = peak_memory()
    assert found is None or 10.0 < found < 100_000.0


def test_what_takes_most_bounds_a_run() -> None:
    split = {"total": 10.0, "environment": 2.0, "acting": 3.0, "estimating": 1.0, "updating": 4.0, "arithmetic": 1.0}
    assert bounds.overhead(split) == 7.0
    assert bounds.bound(split) == "overhead"
    assert bounds.bound(split | {"environment": 6.0}) == "environment"
    (line,) = bounds.section({"a run": split | {"steps": 300}}).lines
    assert line == ("a run", "20 %", "30 %", "10 %", "40 %", "10 %", "70 %", "overhead", "30.0 → 100")


def test_arithmetic_slower_than_the_run_leaves_no_overhead() -> None:
    assert bounds.overhead({"total": 1.0, "environment": 0.5, "arithmetic": 0.7}) == 0.0


def test_a_line_says_which_runs_never_got_there() -> None:
    def of(seconds: float, reached: bool) -> dict[str, object]:
        return {"seconds": seconds, "reached": reached, "steps": 2_000}

    found = {"preset": [of(2.0, True)], "ours": [of(9.0, False)], "SB3": [of(60.0, False)]}
    line = threshold.line("CartPole-v1", found)
    assert line[3:] == ("2.00", "> 9.00", "> 60.0", "> 30.0 ×", "–", "2k, 2k, 2k")
    assert threshold.line("CartPole-v1", found | {"SB3": [of(8.0, True)]})[5:7] == ("8.00", "4.00 ×")


def test_sections_stand_one_below_the_other() -> None:
    grid = stacked([Section("one", ("a", "b"), (("x", "1", "2"),)), Section("two", ("a",), (("y", "3"),))])
    assert isinstance(grid, Grid)
    assert {len(line) for line in grid.lines} == {len(grid.columns)} == {3}
    assert [line[0] for line in grid.lines] == ["[bold]one[/]", "x", "", "[bold]two[/]", "y", ""]


def test_a_part_that_breaks_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(quick: bool, say: Callable[[str], None]) -> Part:
        raise RuntimeError("no answer")

    def whole(quick: bool, say: Callable[[str], None]) -> Part:
        return Part((Section("one", ("a",), (("x", "1"),)),), [1], "By hand.", held={HELD: 2.5})

    monkeypatch.setattr(row, "PARTS", {"growth": broken, "training": whole})
    monkeypatch.setattr(row, "require", lambda *_: None)
    found = row.measure(True, lambda _: None)
    assert found.held == {HELD: 2.5}
    assert "growth broke: RuntimeError: no answer" in found.detail
    assert found.data["training"] == [1]


def test_a_part_that_is_not_there_is_refused() -> None:
    assert row.parts(["growth", "training"]) == ("training", "growth")
    with pytest.raises(typer.BadParameter, match="no part of the row speed; there is training"):
        row.parts(["trainning"])


def test_reinforce_is_that_of_the_lecture() -> None:
    found = zoo.reinforce("CartPole-v1", 4, (8,), 1e-12)
    assert isinstance(found, PolicyGradientConfig)
    assert (found.estimator.credit.kind, found.estimator.baseline.kind, found.estimator.gamma) == (
        "total-return",
        "none",
        1.0,
    )
