"""Algorithms tested side by side come to what they come to one after the other."""

from __future__ import annotations

import pytest

from engine.analysis import self_tests as side_by_side
from engine.analysis.self_test import self_test
from engine.analysis.self_tests import self_tests
from engine.runtime.errors import RunError

PLANS = ("value-iteration", "policy-iteration")


def test_outcomes_are_the_same_and_come_in_the_order_that_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    one_by_one = list(self_test(PLANS))
    monkeypatch.setattr(side_by_side, "cores", lambda: 2)
    assert list(self_tests(PLANS)) == one_by_one
    assert list(self_tests(PLANS, lambda: True)) == []
    monkeypatch.setattr(side_by_side, "cores", lambda: 1)
    assert list(self_tests(PLANS)) == one_by_one


def test_a_process_that_ends_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "cores", lambda: 2)
    with pytest.raises(RunError, match="The process that tested no-such ended"):
        list(self_tests(("no-such", "value-iteration")))
