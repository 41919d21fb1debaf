"""Episodes of every kind of policy: what each frame tells of its distribution, and what is carried along."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from numpy.typing import NDArray

from engine.analysis.playback import Playback, PolicySnapshot, snapshot
from engine.config import RunConfig
from engine.environments.making.lookup import inspect
from engine.policies.policy import Policy
from engine.reports.frames import (
    GRID,
    BoundedDecision,
    Decision,
    GaussianDecision,
    MultiSoftmaxDecision,
    SoftmaxDecision,
    SwitchDecision,
)
from engine.runtime.errors import RunError
from tests.engine.analysis.playing import Pictured
from tests.engine.support import Toy, configured, register

BOX = spaces.Box(np.float32([-2.0, 0.0]), np.float32([2.0, 10.0]))


def frozen(config: RunConfig, with_value: bool = False, temperature: float = 1.0) -> PolicySnapshot:
    environment = inspect(config.environment.id)
    policy = Policy(config.policy, environment, torch.Generator().manual_seed(0), with_value)
    policy.temperature = temperature
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    return snapshot(policy, config, environment, 1)


def toy(id: str, action: Any, values: dict[str, Any] | None = None, **kwargs: Any) -> PolicySnapshot:
    temperature = float((values or {}).pop("temperature", 1.0))
    config = configured(environment=register(id, Pictured, action=action, **kwargs), **(values or {}))
    return frozen(config, temperature=temperature)


def decisions(shown: PolicySnapshot, count: int, greedy: bool = False) -> list[Decision]:
    playback = Playback(shown, 0)
    found = []
    while len(found) < count:
        decision = playback.advance(greedy, render=False).decision
        if decision is not None:
            found.append(decision)
    return found


def test_the_parts_of_an_action_are_told_apart() -> None:
    shown = toy("Parts-v0", spaces.MultiDiscrete([2, 3]), lengths=(50,))
    found = decisions(shown, 3)
    for decision in found:
        assert isinstance(decision, MultiSoftmaxDecision)
        assert decision.probabilities[:2].sum() == pytest.approx(1.0)
        assert decision.probabilities[2:].sum() == pytest.approx(1.0)
    assert [action.tolist() for action in Toy.received[-2:]] == [d.actions.tolist() for d in found[:2]]  # type: ignore[union-attr]


def test_greedy_takes_the_likeliest_choice_of_each_part() -> None:
    decision = decisions(toy("GreedyParts-v0", spaces.MultiDiscrete([2, 3])), 1, greedy=True)[0]
    assert isinstance(decision, MultiSoftmaxDecision)
    expected = [decision.probabilities[:2].argmax(), decision.probabilities[2:].argmax()]
    assert decision.actions.tolist() == expected


def test_switches_tell_how_likely_each_is_on() -> None:
    decision = decisions(toy("Switches-v0", spaces.MultiBinary(4)), 1, greedy=True)[0]
    assert isinstance(decision, SwitchDecision)
    assert decision.actions.tolist() == (decision.probabilities > 0.5).tolist()


def numeric(decision: BoundedDecision, component: int) -> tuple[NDArray[Any], NDArray[Any]]:
    width = (decision.high[component] - decision.low[component]) / GRID
    grid = decision.low[component] + (np.arange(GRID) + 0.5) * width
    return grid, decision.densities[component]


@pytest.mark.parametrize("distribution", ["tanh-gaussian", "beta"])
@pytest.mark.parametrize("temperature", [1.0, 0.25])
def test_a_bounded_density_is_the_one_that_actions_are_drawn_from(distribution: str, temperature: float) -> None:
    values = {"policy__distribution": distribution, "temperature": temperature}
    shown = toy(f"Density-{distribution}-{temperature}-v0", BOX, values, what="ones", lengths=(600,))
    found = [d for d in decisions(shown, 500) if isinstance(d, BoundedDecision)]
    taken = np.array([decision.action for decision in found])
    assert (taken >= BOX.low).all()
    assert (taken <= BOX.high).all()
    for component in range(2):
        grid, density = numeric(found[0], component)
        mean = (grid * density).sum() / density.sum()
        spread = np.sqrt(((grid - mean) ** 2 * density).sum() / density.sum())
        assert abs(taken[:, component].mean() - mean) < 5 * spread / np.sqrt(len(taken))
        assert taken[:, component].std() == pytest.approx(spread, rel=0.15)


@pytest.mark.parametrize("distribution", ["tanh-gaussian", "beta"])
def test_greedy_play_takes_the_middle_that_is_shown(distribution: str) -> None:
    decision = decisions(toy(f"Middle-{distribution}-v0", BOX, {"policy__distribution": distribution}), 1, greedy=True)[
        0
    ]
    assert isinstance(decision, BoundedDecision)
    assert decision.action == pytest.approx(decision.middle)


def test_a_spread_that_depends_on_the_state_is_told() -> None:
    values = {"policy__spread": "per-state", "policy__initial_log_std": -1.0}
    found = decisions(toy("Spread-v0", BOX, values, lengths=(9,)), 5)
    spreads = {tuple(decision.std.tolist()) for decision in found if isinstance(decision, GaussianDecision)}
    assert len(spreads) == 5


def test_temperature_is_what_the_policy_had() -> None:
    action = spaces.Discrete(3)
    cool = decisions(toy("Cool-v0", action, {"temperature": 0.2}, what="ones"), 1)[0]
    warm = decisions(toy("Warm-v0", action, {"temperature": 5.0}, what="ones"), 1)[0]
    assert isinstance(cool, SoftmaxDecision)
    assert isinstance(warm, SoftmaxDecision)
    powers = cool.probabilities ** (0.2 / 5.0)
    assert warm.probabilities == pytest.approx(powers / powers.sum(), rel=1e-3)


def test_a_memory_is_carried_through_an_episode_and_forgotten_after_it() -> None:
    shown = toy("Memory-v0", spaces.Discrete(2), {"policy": "gru"}, what="ones", lengths=(3,))
    first, second, third, again = (
        d.probabilities.tolist() for d in decisions(shown, 4) if isinstance(d, SoftmaxDecision)
    )
    assert first != second != third  # the same observation, remembered
    assert again == pytest.approx(first)


def test_a_policy_that_also_predicts_values_plays() -> None:
    config = configured(environment=register("Shared-v0", Pictured), estimator__baseline="shared-value")
    assert len(decisions(frozen(config, with_value=True), 2)) == 2


def test_a_policy_with_another_head_plays_at_once() -> None:
    config = configured(environment=register("Heads-v0", Pictured, lengths=(9,)))
    playback = Playback(frozen(config), 0)
    playback.advance(greedy=False)
    playback.use(frozen(config, with_value=True))
    assert playback.advance(greedy=False).step == 0


@pytest.mark.parametrize(
    ("action", "distribution"),
    [
        (spaces.MultiDiscrete([2, 2]), "auto"),
        (spaces.MultiBinary(3), "auto"),
        (BOX, "gaussian"),
        (BOX, "tanh-gaussian"),
        (BOX, "beta"),
    ],
    ids=str,
)
def test_numbers_that_are_not_finite_are_one_sentence(action: Any, distribution: str) -> None:
    shown = toy(f"Broken-{type(action).__name__}-{distribution}-v0", action, {"policy__distribution": distribution})
    for value in shown.state.values():
        value.fill_(float("nan"))
    with pytest.raises(RunError, match="not finite"):
        Playback(shown, 0).advance(greedy=False)
