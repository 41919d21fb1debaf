"""What one kept policy gains over another, from what is kept of them to the sentence that says what is seen."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from engine.analysis.known_process import best_return, optimal_return
from engine.analysis.playback import PolicySnapshot, snapshot
from engine.analysis.policy_difference import difference
from engine.catalogue.environments import ENVIRONMENTS
from engine.config import PolicyGradientConfig
from engine.config.environments import EnvironmentConfig
from engine.config.parameters import with_values
from engine.environments.making.known_dynamics import played_process
from engine.mdp.exact import dynamics_of, expected_return
from engine.mdp.state_names import state_names
from engine.runtime.errors import RequestError
from tests.engine.runs.libraries import policy_for


def kept(seed: int = 0, epsilon: float | None = None, **values: Any) -> PolicySnapshot:
    """A policy with parameters drawn at random, of a table in the grid world where nothing else is said."""
    chosen = {"environment.id": "GridWorld-v0", "policy": "tabular", "estimator.gamma": 0.95}
    changes = {path.replace("__", "."): value for path, value in values.items()}
    config = with_values(PolicyGradientConfig(), chosen | changes)
    policy = policy_for(config, seed)
    policy.epsilon = epsilon
    return snapshot(policy, config, ENVIRONMENTS[config.environment.id], 3)


def test_the_shares_of_the_states_sum_to_the_surrogate_and_to_the_difference() -> None:
    old, new = kept(1), kept(2, epsilon=0.1, environment__reward_scale=3.0)  # whatever learning sees of rewards
    found = difference(old, new)
    numbers = found.numbers
    assert numbers.difference == pytest.approx(numbers.lemma)
    assert sum(each.new_share for each in found.states) == pytest.approx(numbers.difference)
    assert sum(each.old_share for each in found.states) == pytest.approx(numbers.surrogate)
    mdp = played_process(EnvironmentConfig(id="GridWorld-v0"))
    assert mdp is not None
    rows = torch.full((25, 4), 0.025).double()  # ε-greedy in what the table holds
    rows.scatter_(-1, new.state["head.rows"].double().argmax(-1, keepdim=True), 0.925)
    assert numbers.new_return == pytest.approx(expected_return(dynamics_of(mdp), rows, 0.95).item(), rel=1e-5)
    names = [each.name for each in found.states]
    assert names[0] == "row 1, column 1"
    assert "row 1, column 4" not in names  # a wall
    data = found.as_data()
    assert data["gamma"] == 0.95
    assert (data["surrogate"], data["worst_state"]) == (numbers.surrogate, found.worst)
    assert found.sentence == data["sentence"]


def test_what_is_seen_is_said_in_one_sentence() -> None:
    old = kept(1)
    assert difference(old, old).sentence == "Both policies have the same expected return."
    there, back = difference(old, kept(2)), difference(kept(2), old)
    words = [one.sentence for one in (there, back)]
    assert {("rises" in said or "truth is +" in said) for said in words} == {True, False}
    assert all(said.startswith(("J ", "The surrogate says ")) for said in words)


def test_it_is_said_why_greedy_improvement_falls_off_a_ledge() -> None:
    """The two squares share a row of the table: Q̄(go on) = (1 − 6 p) / (1 + p) > 0 at p = 1/10, and J falls to −2."""
    old = kept(1, environment__id="Ledge-v0", estimator__gamma=1.0)
    rows = torch.tensor([[0.9, 0.1]])
    old = replace(old, state={"head.rows": rows.log()})
    new = replace(old, state={"head.rows": torch.tensor([[0.0, 0.4 / 1.1]])}, epsilon=0.0)
    fall = difference(old, new)
    assert fall.numbers.surrogate == pytest.approx(0.36)
    assert fall.numbers.difference == pytest.approx(-2.07)
    assert fall.sentence == (
        "The surrogate says +0.36, the truth is −2.07: the new policy comes more often to square 2 "
        "(d(s) 0.1 → 1) and loses by it."
    )
    back = difference(new, replace(new, state={"head.rows": torch.tensor([[0.0, -2.5]])}))
    assert back.sentence.startswith("J rises by 2")


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"environment__id": "CartPole-v1", "policy": "mlp"}, "not known as tables"),
        ({"environment__sticky_actions": 0.5}, "sticky actions"),
        ({"policy": "gru"}, "recurrent policy"),
    ],
)
def test_where_it_cannot_be_computed_it_is_said_why(values: dict[str, Any], why: str) -> None:
    with pytest.raises(RequestError, match=why):
        difference(kept(1, **values), kept(2, **values))
    with pytest.raises(RequestError, match="different processes"):
        difference(kept(1), kept(2, environment__time_limit=7))


def test_the_best_return_is_what_is_known_of_every_finite_environment() -> None:
    """Within 50 ms each, so that a window may ask for it."""
    known = [info for info in ENVIRONMENTS.values() if info.finite and info.best_known and info.best_known.exact]
    assert len(known) > 6
    for info in known:
        best = optimal_return(EnvironmentConfig(id=info.id))
        assert best == pytest.approx(info.best_known.value if info.best_known else math.nan, abs=1e-4)
    assert optimal_return(EnvironmentConfig(id="Corridor-v0", time_limit=4, reward_offset=9.0)) == -4.0
    assert optimal_return(EnvironmentConfig(id="Corridor-v0", options={"length": 3})) == 9.0
    assert optimal_return(EnvironmentConfig(id="Corridor-v0", sticky_actions=0.5)) is None
    assert optimal_return(EnvironmentConfig(id="CartPole-v1")) is None
    endless = played_process(EnvironmentConfig(id="GridWorld-v0", options={"step_reward": 0.1}, time_limit=1_000_000))
    assert endless is not None
    assert best_return(endless) is None  # which would take long


def test_states_have_names() -> None:
    def of(id: str, count: int, state: int, **options: Any) -> str:
        return state_names(EnvironmentConfig(id=id, options=options), count)[state]

    assert of("GridWorld-v0", 6, 4, map=("S..", "..G")) == "row 2, column 2"
    assert of("FrozenLake8x8-v1", 64, 9) == "row 2, column 2"
    assert of("CliffWalking-v1", 48, 36) == "row 4, column 1"
    assert of("Taxi-v4", 500, 0) == "row 1, column 1, passenger at R, to R"
    assert of("Taxi-v4", 500, 499) == "row 5, column 5, passenger rides, to B"
    assert of("BlackjackHands-v0", 290, 0) == "hard 4 against an ace"
    assert of("Corridor-v0", 7, 2) == "square 3"
    assert of("Own-v0", 7, 2) == "state 3"
