"""The self-test from the command line."""

from __future__ import annotations

import json

import pytest

from engine.analysis import self_tests
from engine.analysis.self_test import Outcome
from engine.commands.interrupts import Interrupts
from engine.commands.selftest import print_self_test
from engine.mdp.probes import PROBES
from engine.runtime.errors import RequestError, RunError

FAILED = Outcome("ppo", PROBES[0], False, "Values 0.10, where 1 is right.")


def test_what_came_of_probes_is_told_and_a_failure_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(self_tests, "self_tests", lambda names: iter([FAILED]))
    with pytest.raises(RunError, match="1 of 1 probes failed"):
        print_self_test(("ppo",), True, Interrupts())
    told = capsys.readouterr()
    (only,) = json.loads(told.out)
    assert (only["algorithm"], only["passed"], only["failure"]) == ("ppo", False, PROBES[0].failure)
    assert "ppo, value: Values 0.10" in told.err
    with pytest.raises(RequestError, match="no algorithm nothing"):
        print_self_test(("nothing",), True, Interrupts())
