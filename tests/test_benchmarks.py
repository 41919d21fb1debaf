"""The benchmarks' own frame: rows, table and JSON, with nothing measured."""

from __future__ import annotations

import io
import json
import math
import sys
from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console
from typer.testing import CliRunner

from engine.catalogue.family import Extra
from engine.config import presets
from engine.config.parameters import with_values
from engine.config.validation import validated
from tests.benchmarks import __main__ as command
from tests.benchmarks import learning, report, trained
from tests.benchmarks.figures import Figure, Measured, MissingPackageError, Number, Result, Row, require
from tests.benchmarks.learning import GOALS, Goal, Run, configuration
from tests.benchmarks.rows import ROWS
from tests.benchmarks.trained import Job, Stop

MACHINE = ("cpu", "cores", "memory_gb", "os", "python", "load_average", "commit")
FAST = Figure("speed", "steps/s", least=100.0)
LATE = Figure("delay", "ms", most=25.0)


def _measure(quick: bool, say: Callable[[str], None]) -> Measured:
    say("measuring")
    return Measured({"speed": 250.0 if quick else 50.0, "delay": 3.0}, (Number("median", 2.5, "ms"),), "By hand.")


def _lacking(quick: bool, say: Callable[[str], None]) -> Measured:
    require("no_such_module", "no-such-package")
    raise AssertionError("unreachable")


def _broken(quick: bool, say: Callable[[str], None]) -> Measured:
    raise RuntimeError("the child said nothing")


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> dict[str, Row]:
    """Rows that measure nothing, in the place of the real ones."""
    for name, measure in (("fake", _measure), ("lacking", _lacking), ("broken", _broken)):
        monkeypatch.setitem(sys.modules, f"tests.benchmarks.{name}", SimpleNamespace(measure=measure))
    for name in command.ONE_THREAD:
        monkeypatch.setenv(name, "1")
    fakes = {
        "fake": Row("fake", "A made-up row", "fake", (FAST, LATE)),
        "lacking": Row("lacking", "A row without its package", "lacking", (FAST,)),
        "broken": Row("broken", "A row that breaks", "broken"),
    }
    monkeypatch.setattr(command, "ROWS", fakes)
    return fakes


@pytest.mark.parametrize(("value", "met"), [(20.0, True), (19.9, False), (math.inf, False), (math.nan, False)])
def test_a_figure_is_met_at_its_bound_and_never_by_what_is_not_a_number(value: float, met: bool) -> None:
    assert Figure("speed-up", "×", least=20.0).met(value) is met


def test_a_figure_reads_as_people_write_it() -> None:
    assert [str(FAST), str(LATE), str(Figure("share", "", most=1 / 15))] == ["≥ 100 steps/s", "≤ 25 ms", "≤ 0.0667"]


def test_every_row_is_listed_with_its_figures() -> None:
    done = CliRunner().invoke(command.cli, ["--list"], env={"COLUMNS": "600"})
    assert done.exit_code == 0
    told = " ".join(done.output.split())  # however wide the lines are
    for row in ROWS.values():
        assert row.name in told
        assert all(figure.name in told for figure in row.figures)


def test_every_row_has_its_module() -> None:
    assert all(find_spec(f"tests.benchmarks.{row.module}") for row in ROWS.values())


def test_an_unknown_row_is_refused() -> None:
    done = CliRunner().invoke(command.cli, ["cartpol"])
    assert done.exit_code == 2
    assert "cartpole-475" in done.output


def test_a_missed_figure_is_a_result_and_is_written(rows: dict[str, Row], tmp_path: Path) -> None:
    path = tmp_path / "out" / "results.json"
    done = CliRunner().invoke(command.cli, ["fake", "--output", str(path)])
    assert done.exit_code == 0
    kept = json.loads(path.read_text("utf-8"))
    assert {"date", "command", "quick", "machine", "rows"} == set(kept)
    assert {"cpu", "cores", "memory_gb", "os", "python", "packages"} <= set(kept["machine"])
    (row,) = kept["rows"]
    assert [figure["met"] for figure in row["figures"]] == [False, True]
    assert row["figures"][0] == {
        "name": "speed",
        "unit": "steps/s",
        "wanted": "≥ 100 steps/s",
        "got": 50.0,
        "met": False,
    }
    assert row["met"] is False
    assert row["numbers"] == [{"name": "median", "value": 2.5, "unit": "ms"}]
    assert "missed" in done.output


def test_a_quick_run_is_kept_only_where_asked(
    rows: dict[str, Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    assert CliRunner().invoke(command.cli, ["fake", "--quick"]).exit_code == 0
    assert list(tmp_path.iterdir()) == []
    assert CliRunner().invoke(command.cli, ["fake"]).exit_code == 0
    assert CliRunner().invoke(command.cli, ["fake"]).exit_code == 0
    assert len(list(tmp_path.glob("*.json"))) == 2


def test_a_row_without_its_package_says_what_to_install(rows: dict[str, Row]) -> None:
    result = command.measured(rows["lacking"], quick=True)
    assert (result.met, result.measured) == (None, None)
    assert "needs: pip install no-such-package" in (result.problem or "")
    assert CliRunner().invoke(command.cli, ["lacking", "--quick"]).exit_code == 0


def test_a_row_that_breaks_does_not_stop_the_others(rows: dict[str, Row], tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    done = CliRunner().invoke(command.cli, ["broken", "fake", "--quick", "--output", str(path)])
    assert done.exit_code == 1
    broken, fake = json.loads(path.read_text("utf-8"))["rows"]
    assert "the child said nothing" in broken["problem"]
    assert fake["met"] is True


def test_what_never_came_is_shown_as_such_and_is_no_number_in_json() -> None:
    measured = Measured({"speed": math.inf}, (Number("median", None, "s"),), "")
    result = Result(Row("row", "title", "module", (FAST,)), measured, 1.0)
    assert result.as_json()["figures"][0]["got"] is None
    assert result.verdict(FAST) is False
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(report.table([result]))
    assert "never" in console.export_text()


def test_a_missing_package_is_named() -> None:
    with pytest.raises(MissingPackageError, match="pip install psutil2"):
        require("psutil2_missing", "psutil2")


# --- the row about learning -------------------------------------------------------------------------------------------

SOLVED = Run(1, 40_000, 490.0, 200_000, 700, 6.0)
MISSED = Run(2, None, 430.0, 200_000, 700, 10.0)


def test_every_goal_is_a_shipped_preset_and_reachable_in_its_environment() -> None:
    for goal in GOALS:
        job = learning.job(goal, 3, quick=True)
        config = json.loads(job.config)
        assert (config["seed"], config["device"]) == (3, "cpu")
        assert goal.policy in (None, config["policy"]["kind"])
        assert config["budget"]["environment_steps"] == learning.QUICK_STEPS


def test_what_a_preset_says_it_reaches_is_what_it_is_measured_by() -> None:
    measured = {goal.preset: goal.target for goal in GOALS if goal.target is not None}
    said = {name: preset.reaches for name, preset in presets.shipped().items() if preset.reaches is not None}
    assert said == measured


def test_a_goal_without_a_target_is_compared_with_the_one_before_it() -> None:
    for before, goal in pairwise(GOALS):
        assert goal.target is not None or before.preset == goal.preset


def test_presets_whose_extra_is_missing_are_left_out_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    robots = Extra("mujoco", "MuJoCo", ())
    monkeypatch.setattr(learning, "missing_extra", {"classic": robots}.get)
    said: list[str] = []
    goals = (Goal("cartpole", 475.0), Goal("lunar-lander", 200.0), Goal("acrobot", -100.0))
    left = learning.possible(goals, said.append)
    assert [goal.preset for goal in left] == ["lunar-lander"]
    assert said == ["left out, as MuJoCo is not installed: cartpole, acrobot"]
    with pytest.raises(MissingPackageError, match=r"needs: .*\[mujoco\]"):
        learning.possible((Goal("cartpole", 475.0),), said.append)


def test_a_goal_is_reached_no_sooner_than_so_many_episodes_have_ended(tmp_path: Path) -> None:
    goals = [Goal("bandit", 0.0, stop=True, over=over) for over in (100, 1000)]
    for goal in goals:
        trained.train(configuration(goal), tmp_path / f"{goal.over}", Stop(0.0, goal.over))
    runs = [learning.run_of(tmp_path / f"{goal.over}", goal, 0) for goal in goals]
    assert [(run.steps_to_target, run.steps) for run in runs] == [(112, 112), (1008, 1008)]  # an episode is a step,
    longer = learning.run_of(tmp_path / "1000", goals[0], 0)  # and 16 are an update
    assert (longer.steps_to_target, longer.steps) == (112, 112)


def test_a_mean_over_the_latest_episodes_is_not_one_over_the_longest() -> None:
    """Those of an iteration are kept as they ended, where the longest come last."""
    hundred, four = trained.LatestReturns(100), trained.LatestReturns(4)
    for iteration in range(2):
        hundred.add(range(150), 74.5 + iteration)
        four.add([float(iteration), 8.0, 9.0], None)
    assert (hundred.mean, hundred.enough, hundred.episodes) == (75.5, True, 300)
    assert four.mean == pytest.approx((0 + 8 + 9 + 1 + 8 + 9) / 6)
    four.add([10.0] * 4, None)
    assert four.mean == 10.0


def test_a_preset_that_learns_from_a_teacher_is_given_one(tmp_path: Path) -> None:
    config = with_values(presets.shipped()["cartpole-cloning"].config, {"budget.environment_steps": 1})
    trained.train(config, tmp_path / "run")
    assert next(trained.iterations(tmp_path / "run"))["environment_steps"] > 0


def test_the_share_of_seeds_counts_those_that_have_a_target() -> None:
    found = learning.summary(
        {Goal("cartpole", 475.0): [SOLVED, MISSED], Goal("cartpole", None, policy="linear"): [MISSED, MISSED]}
    )
    assert found.held == {learning.SHARE: 0.5}
    (row,) = (row for row in ROWS.values() if row.module == "learning")
    assert [figure.name for figure in row.figures] == [learning.SHARE]
    assert json.loads(json.dumps(found.data))[0]["runs"][1]["steps_to_target"] is None


def test_a_line_of_the_table_says_how_many_seeds_got_there_and_when() -> None:
    line = learning.line(Goal("cartpole", 475.0, stop=True), [SOLVED, MISSED])
    assert line[0] == "cartpole*"
    assert line[3:] == ("475", "1 of 2", "460.0 ± 42.4", "40k", "8 (6 – 10)")
    assert learning.line(Goal("blackjack", -0.06, over=10_000), [SOLVED])[0] == "blackjack‡"
    assert learning.line(Goal("cartpole", None), [MISSED])[3:] == ("–", "–", "430.0", "–", "10")


def test_what_is_kept_of_a_run_is_known_again_by_what_it_comes_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trained, "KEPT", tmp_path)
    short = {"budget.environment_steps": 16}
    config = with_values(configuration(Goal("bandit", 0.75)), short).model_dump_json()
    whole, stopped = Job("whole", config), Job("stopped", config, Stop(0.75, 100))
    assert not whole.kept
    for job in (whole, stopped):
        trained.train(validated(json.loads(config)), job.path, job.stop)
    assert whole.kept
    assert stopped.kept
    assert Job("whole", config, Stop(0.75, 100)).kept  # what goes on serves who would have stopped, not the reverse
    assert not Job("stopped", config).kept
    assert not Job("stopped", config, Stop(0.8, 100)).kept
    assert not Job("whole", config.replace('"seed":1', '"seed":2')).kept
    monkeypatch.setattr(trained, "engine", lambda: "another")
    assert not whole.kept


def test_an_option_of_another_row_is_refused() -> None:
    done = CliRunner().invoke(command.cli, ["memory", "--seeds", "2"])
    assert done.exit_code == 2
    assert "--seeds is for learning" in " ".join(done.output.split())


def test_an_unknown_preset_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in command.ONE_THREAD:
        monkeypatch.setenv(name, "1")
    done = CliRunner().invoke(command.cli, ["learning", "--quick", "--only", "no-such-preset"])
    assert done.exit_code == 2
    assert "no-such-preset" in done.output


def test_what_is_kept_for_people_holds_the_table() -> None:
    found = learning.summary({Goal("cartpole", 475.0): [SOLVED, MISSED]})
    result = Result(ROWS["learning"], found, 1.0)
    kept = report.document([result], {"packages": {}, **dict.fromkeys(MACHINE, 1)}, "python -m x", quick=False)
    lines = report.text([result], kept).splitlines()
    assert lines[0].startswith("python -m x, ")
    assert any("1 of 2" in line and "475" in line for line in lines)
