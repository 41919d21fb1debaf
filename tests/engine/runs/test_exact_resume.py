"""A run that goes on from the library comes to what it would have come to: in every environment that the program ships,
and in another process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.catalogue.environments import ENVIRONMENTS, missing_extra
from engine.catalogue.methods.entries import ALGORITHMS, POLICIES
from engine.config import RunConfig
from engine.runs.library import Library
from engine.runs.resuming import resume
from engine.training.checkpoint import from_bytes, to_bytes
from main import main
from tests.engine.commands.test_runs import reported
from tests.engine.runs.recorded import begun, saved, trained
from tests.engine.training.going_on import fingerprint, reports
from tests.engine.training.test_state import FIXED, fits, method

ROOT = Path(__file__).parents[3]
AT_ONCE = {"environment.stepping": "in-process", "environment.time_limit": 30, "collection.steps": 10}


def chosen(environment: str) -> RunConfig:
    """A small run in ``environment``, of an algorithm and a policy that are each environment's own turn."""
    turn = list(ENVIRONMENTS).index(environment)
    pairs = [(algorithm, policy) for algorithm in ALGORITHMS for policy in POLICIES]
    values: dict[str, Any] = {"environment": environment, **AT_ONCE}
    for algorithm, policy in pairs[(7 * turn) % len(pairs) :] + pairs:
        config = method(algorithm, policy, values)
        if fits(config):
            return config
    raise AssertionError(f"Nothing learns in {environment}.")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_run_goes_on_exactly_in_every_environment(environment: str, tmp_path: Path) -> None:
    extra = missing_extra(ENVIRONMENTS[environment].family)
    if extra is not None:
        pytest.skip(f"needs the extra {extra.name}")
    with Library(tmp_path) as library:
        training, record = begun(library, chosen(environment))
        trained(library, training, 2)
        saved(library, training)
        again = resume(library, record)
        try:
            assert again.inexact == ()
            assert reports(again, 2) == reports(training, 2)
            assert fingerprint(again) == fingerprint(training)
        finally:
            again.close()
            training.close()


def test_a_run_that_is_resumed_in_another_process_is_the_run_in_one_go(tmp_path: Path) -> None:
    settings = [f"--set={path}={value}" for path, value in FIXED.items()]
    train = ["train", "--algorithm", "ppo", "--policy", "mlp", "--device", "cpu", *settings]
    whole, part = tmp_path / "whole", tmp_path / "part"

    def where(folder: Path) -> list[str]:
        return ["--library", str(folder), "--report", f"{folder}.jsonl"]

    assert main([*train, "--steps", "320", *where(whole)]) == 0
    assert main([*train, "--steps", "160", *where(part)]) == 0
    resuming = [sys.executable, "main.py", "resume", "1", "--steps", "320", *where(part)]
    done = subprocess.run(resuming, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = reported(Path(f"{whole}.jsonl"))
    assert len(rows) == 8
    assert reported(Path(f"{part}.jsonl")) == rows
    assert last_state(part) == last_state(whole)


def last_state(folder: Path) -> bytes:
    """All that the run of a library remembers at its end, but for its stopwatch."""
    with Library(folder) as library:
        (record,) = library.runs()
        state = from_bytes(library.checkpoint_file(library.checkpoints(record.id)[0]).read_bytes())
    state.pop("stopwatch")
    return to_bytes(state)
