"""The benchmark of false alarms: what is kept of a run is read as the run told it, and an alarm is counted once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.config import presets
from tests.benchmarks import doctor
from tests.benchmarks.rows import ROWS

ITERATIONS = 60


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A run whose value explains less than nothing in its later half."""
    config = presets.find("cartpole").config
    lines = [json.dumps({"config": json.loads(config.model_dump_json()), "engine": "", "stop": None})]
    for iteration in range(1, ITERATIONS + 1):
        told = {"iteration": iteration, "environment_steps": 100 * iteration, "seconds": 0.1 * iteration}
        told |= {"explained_variance": 0.5 if iteration < 30 else -0.8}
        lines.append(json.dumps(told | {"returns": [20.0 + iteration, 21.0], "ends": [100 * iteration - 1] * 2}))
    path = tmp_path / "cartpole-7.jsonl"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_a_run_is_read_as_it_was_told(kept: Path) -> None:
    reported = doctor.read(kept)
    assert reported.config == presets.find("cartpole").config
    assert reported.iterations == ITERATIONS
    assert reported.returns[-2:].tolist() == [80.0, 21.0]
    assert np.isnan(reported.column("grad_norm")).all()
    looks = list(doctor.looks_at(reported))
    assert [look.iterations for look in looks] == list(range(1, ITERATIONS + 1))
    assert len(looks[9].returns) == 20


def test_what_the_rules_see_in_it_is_counted_and_said(kept: Path) -> None:
    seen = doctor.looked_at(kept, "cartpole-reinforce", 7)  # which has no target
    assert set(seen.alarms) == {"values-worse-than-none"}
    assert seen.first["values-worse-than-none"] > 0.7
    found = doctor.summary([seen])
    assert found.held == {doctor.ALARMS: 1.0}
    assert found.grid is not None
    assert found.grid.lines[0][:5] == ("cartpole-reinforce", "1", "values-worse-than-none", "1", "1")
    assert [figure.name for figure in ROWS["doctor"].figures] == [doctor.ALARMS]


def test_where_something_is_wrong_indeed_an_alarm_is_not_false(kept: Path) -> None:
    missed = doctor.looked_at(kept, "cartpole", 7)
    assert missed.missed
    assert doctor.summary([missed]).held == {doctor.ALARMS: 0.0}
    shown = replace(missed, preset="cartpole-reinforce", missed=False, alarms={"forgotten": 3, "no-signal": 1})
    assert [shown.is_false(rule) for rule in ("forgotten", "no-signal", "kl-zero")] == [False, True, False]
