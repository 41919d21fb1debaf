"""``train --seeds``: several seeds from one command."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from engine.reports.metrics import METRICS
from main import main

Capture = pytest.CaptureFixture[str]
SHORT = ["train", "--environment", "Corridor-v0", "--steps", "300", "--device", "cpu", "--seed", "5", "--seeds", "3"]


def reported(report: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in report.read_text("utf-8").splitlines()]


@pytest.mark.parametrize(("policy", "words"), [("tabular", "3 seeds together"), ("gru", "one after the other")])
def test_every_report_line_names_its_seed(policy: str, words: str, tmp_path: Path, capsys: Capture) -> None:
    report = tmp_path / "report.jsonl"
    assert main([*SHORT, "--policy", policy, "--algorithm", "reinforce", "--report", str(report)]) == 0
    rows = reported(report)
    assert set(rows[-1]) == {"seed", "iteration", "environment_steps", "episodes", "seconds", *METRICS}
    for seed in (5, 6, 7):
        own = [row for row in rows if row["seed"] == seed]
        assert [row["iteration"] for row in own] == list(range(1, len(own) + 1))
        assert own[-1]["environment_steps"] >= 300
    said = capsys.readouterr().err
    assert words in said
    assert "900/900" in said  # whatever the iterations under way at the ends took
    assert "Seed 7: mean return" in said


def test_one_seed_reports_as_ever(tmp_path: Path) -> None:
    report = tmp_path / "report.jsonl"
    assert main([*SHORT[:-1], "1", "--policy", "tabular", "--algorithm", "reinforce", "--report", str(report)]) == 0
    assert "seed" not in reported(report)[0]


def test_no_seeds_are_refused(capsys: Capture) -> None:
    assert main([*SHORT[:-1], "0"]) == 2
    assert "--seeds" in capsys.readouterr().err


def test_seeds_one_after_the_other_add_up_their_time(tmp_path: Path, capsys: Capture) -> None:
    """Three times the steps in three times the seconds is the speed of one, not three times as fast."""
    report = tmp_path / "report.jsonl"
    assert main([*SHORT, "--policy", "gru", "--algorithm", "reinforce", "--report", str(report)]) == 0
    last = {row["seed"]: row for row in reported(report)}
    steps, seconds = (sum(row[name] for row in last.values()) for name in ("environment_steps", "seconds"))
    heard = " ".join(capsys.readouterr().err.split())  # the console breaks lines
    said = re.search(r"([\d,]+) steps?, .* in ([\d.]+) s \(([\d,]+) steps/s\)", heard)
    assert said is not None
    assert int(said[1].replace(",", "")) == steps
    assert float(said[2]) == pytest.approx(seconds, abs=0.1)
    assert int(said[3].replace(",", "")) == pytest.approx(steps / seconds, rel=0.1)
