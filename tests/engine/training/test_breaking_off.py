"""A run that its host breaks off, at any event: it goes on where it was, or from a state, and nothing is left over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import torch

from engine.config import RunConfig
from engine.reports.events import Collected, Event, Updated
from engine.runtime import heartbeat
from engine.runtime.errors import RunError
from engine.training.training import Training
from tests.engine.support import configured, untimed

LONG: dict[str, Any] = {"budget__environment_steps": 100_000}
FIXED: dict[str, Any] = {"collection": {"kind": "fixed-length", "environments": 2, "steps": 30}, **LONG}
SEEDS = (3, 4, 9)
RUNS: dict[str, tuple[RunConfig, Sequence[int]]] = {
    "whole episodes": (configured(**LONG), ()),
    "fixed length": (configured(**FIXED, update="ppo-clip"), ()),
    "seeds in whole episodes": (configured(**LONG), SEEDS),
    "seeds of fixed length": (configured(**FIXED), SEEDS),
}


@pytest.fixture(autouse=True)
def many_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """A heartbeat wherever there can be one."""
    monkeypatch.setattr(heartbeat, "HEARTBEAT", -1.0)


def rows(events: Iterator[Event], iterations: int) -> list[tuple[str, dict[str, float | None]]]:
    found: list[tuple[str, dict[str, float | None]]] = []
    for event in events:
        if isinstance(event, Updated):
            found.append((event.run, untimed(event)))
            if len(found) == iterations:
                break
    return found


def piecewise(training: Training) -> Iterator[Event]:
    """Its events, every one asked for by a new iterator."""
    while True:
        for event in training:
            yield event
            break
        else:
            return


@pytest.mark.parametrize("kind", RUNS)
def test_a_run_broken_off_at_every_event_is_the_run_it_was(kind: str) -> None:
    config, seeds = RUNS[kind]
    expected = rows(iter(Training(config, seeds=seeds)), 6)
    assert rows(piecewise(Training(config, seeds=seeds)), 6) == expected


@pytest.mark.parametrize("kind", ["whole episodes", "fixed length", "seeds of fixed length"])
def test_an_earlier_state_can_be_gone_back_to_from_any_event(kind: str) -> None:
    config, seeds = RUNS[kind]
    each = max(len(seeds), 1)
    training = Training(config, seeds=seeds)
    rows(iter(training), each)
    state = training.state()
    expected = rows(iter(training), 2 * each)
    for after in (1, 2, 5, 20, 40):
        training.load(state)
        for number, _ in enumerate(training):
            if number == after:
                break
        training.load(state)
        assert rows(iter(training), 2 * each) == expected


def test_going_back_in_the_middle_of_a_loop_goes_on_from_there() -> None:
    training = Training(configured(**LONG))
    rows(iter(training), 1)
    state, found = training.state(), []
    for event in training:
        if isinstance(event, Updated):
            found.append(untimed(event))
            if len(found) == 2:
                training.load(state)
            if len(found) == 4:
                break
    assert found[2:] == found[:2]


def test_after_a_failure_there_is_nothing_to_go_on_with_but_a_state() -> None:
    training = Training(configured(**LONG))
    rows(iter(training), 1)
    state = training.state()
    expected = rows(iter(training), 1)
    with torch.no_grad():
        list(training.policy.parameters())[-1].fill_(torch.nan)
    with pytest.raises(RunError):
        list(training)
    assert list(training) == []
    training.load(state)
    assert rows(iter(training), 1) == expected


@pytest.mark.parametrize("kind", RUNS)
def test_a_finished_run_has_nothing_more_to_tell_until_its_budget_grows(kind: str) -> None:
    config, seeds = RUNS[kind]
    training = Training(config, seeds=seeds)
    training.change("budget.environment_steps", 150)
    before = rows(iter(training), 10_000)
    assert list(training) == []
    training.change("budget.environment_steps", 300)
    after = rows(iter(training), 10_000)
    for run in training.runs:
        numbers = [row["iteration"] for name, row in before + after if name == run]
        assert numbers == list(range(1, len(numbers) + 1))
        steps = [row["environment_steps"] or 0 for name, row in before + after if name == run]
        assert steps == sorted(steps)
        assert steps[-1] >= 300
        assert training.totals[run].environment_steps == steps[-1]
    assert training.environment_steps == sum(totals.environment_steps for totals in training.totals.values())
    assert training.iteration == len(before) + len(after)


@pytest.mark.parametrize("stepping", ["in-process", "processes"])
def test_a_run_may_be_closed_in_the_middle_of_an_iteration(stepping: str) -> None:
    for seeds in ((), SEEDS):
        training = Training(configured(environment="Taxi-v4", environment__stepping=stepping, **FIXED), seeds=seeds)
        for number, event in enumerate(training):
            assert not isinstance(event, Collected)
            if number == 3:
                break
        training.close()
        training.close()
