"""DAgger: how much the teacher acts, which states are visited, where it is asked, and what of its answers is kept."""

from __future__ import annotations

import numpy as np
import torch

from engine.algorithms.imitation.aggregation import Aggregate, chosen_states, teachers_share
from engine.algorithms.imitation.early_stopping import EarlyStopping
from engine.algorithms.imitation.labelled import Labelled
from engine.catalogue.spaces import EnvironmentInfo, discrete
from engine.config import ImitationConfig
from engine.config.environments import EnvironmentConfig
from engine.config.imitation import DAgger
from engine.config.parameters import with_values
from engine.config.policies import GRUPolicy, TabularPolicy
from engine.environments.making.known_dynamics import process_of
from engine.mdp.exact import discounted_visitation, dynamics_of
from engine.training.checkpoint import from_bytes, to_bytes
from engine.training.given import Given
from engine.training.training import Training
from tests.engine.algorithms.imitating import imitating, policy_in, updates
from tests.engine.teaching import seen_in, teacher


def test_pictures_that_were_answered_take_a_fourth_of_the_room_and_come_back_as_they_were() -> None:
    pixels = torch.randint(0, 256, (5, 100), generator=torch.Generator().manual_seed(1)).float()
    for seen, kept_as in ((pixels, np.uint8), (pixels + 0.5, np.float32), (torch.arange(5), np.int64)):
        ones = torch.ones(5)
        one, other = Aggregate(torch.device("cpu")), Aggregate(torch.device("cpu"))
        one.take(7, Labelled(seen, torch.arange(5), ones.bool(), ones, ones.long()), unknown=1, lost=1)
        state = one.state()
        assert state["steps"]["observations"].dtype == kept_as
        other.load(from_bytes(to_bytes(state)))
        assert torch.equal(other.steps.observations, seen)
        assert other.steps.observations.dtype == seen.dtype
        assert other.steps.actions.dtype == torch.int64
        assert (other.unknown, other.lost) == (1, 1)
        # As earlier versions kept it.
        before = {name: value for name, value in state.items() if name not in ("unknown", "lost")}
        other.load({**before, "steps": {**state["steps"], "observations": seen}})
        assert torch.equal(other.steps.observations, seen)
        assert (other.unknown, other.lost) == (2, 0)


def test_the_teachers_share_is_1_at_first_and_falls() -> None:
    assert [teachers_share(DAgger(), round_) for round_ in (1, 2, 3)] == [1.0, 0.0, 0.0]
    decaying = DAgger(mixture="decaying", decay=0.5)
    assert [teachers_share(decaying, round_) for round_ in (1, 2, 3)] == [1.0, 0.5, 0.25]


def test_the_states_that_are_learned_are_visited_as_often_as_theory_says() -> None:
    """Of the dataset after three rounds, in each of which a policy that never changes played by turns with the teacher,
    π_k = β_k π* + (1 − β_k) π: the mean visits of an episode are those of dynamic programming, state by state."""
    episodes, rounds = 400, 3
    config = imitating("dagger", "GridWorld-v0", imitation__teacher="optimal", evaluation__episodes=episodes)
    config = with_values(
        config,
        {
            "policy": "tabular",
            "environment.time_limit": 12,
            "update.mixture": "decaying",
            "update.states": "all",
            "update.learning_rate": 1e-30,
            "update.epochs": 1,
        },
    )
    assert isinstance(config, ImitationConfig)
    from engine.training.optimal_teacher import optimal_teacher

    told = optimal_teacher(config)
    training = Training(config, given=Given(teacher=told))
    found = updates(training, rounds)
    assert [update.metrics["mixture"] for update in found] == [1.0, 0.5, 0.25]
    aggregate = training.learner._aggregate.steps  # type: ignore[attr-defined]
    mdp = process_of(config.environment)
    assert mdp is not None
    counted = np.bincount(aggregate.observations.numpy(), minlength=mdp.states) / (rounds * episodes)
    table = told.parameters["head.rows"]
    best = torch.nn.functional.one_hot(table.argmax(-1), mdp.actions).double()
    uniform = torch.full_like(best, 1.0 / mdp.actions)
    dynamics = dynamics_of(mdp)
    expected = torch.zeros(mdp.states, dtype=torch.float64)
    for share in (1.0, 0.5, 0.25):
        played = (share * best + (1.0 - share) * uniform).expand(12, -1, -1)
        expected += discounted_visitation(dynamics, played, 1.0).sum(0) / rounds
    # Of n episodes a state's mean visits vary by at most their spread, which 12 steps bound, over √n.
    spread = np.sqrt(np.maximum(12.0 * expected.numpy(), 0.01) / (rounds * episodes))
    assert (np.abs(counted - expected.numpy()) < 4.0 * spread).all()
    assert torch.equal(aggregate.actions, table.argmax(-1)[aggregate.observations])  # each with the teacher's answer


def test_the_teacher_is_asked_where_the_policy_is_least_sure() -> None:
    environment = EnvironmentInfo("X-v0", "X", "", discrete(4), discrete(2))
    policy = policy_in(environment, TabularPolicy())
    with torch.no_grad():
        next(policy.parameters()).copy_(torch.tensor([[0.0, 3.0], [0.0, 0.1], [5.0, 0.0], [0.0, 0.0]]))
    states = torch.tensor([0, 1, 2, 3, 0])
    known = torch.ones(5, dtype=torch.bool)
    visited = Labelled(states, states, known, known.float(), torch.tensor([5]))
    asked = chosen_states(policy, visited, DAgger(states="unsure", labels=2), torch.Generator())
    assert asked.tolist() == [1, 3]
    assert len(chosen_states(policy, visited, DAgger(states="all", labels=2), torch.Generator())) == 5
    some = chosen_states(policy, visited, DAgger(labels=3), torch.Generator().manual_seed(1))
    assert len(set(some.tolist())) == 3


def test_a_teacher_with_a_memory_answers_over_whole_episodes() -> None:
    environment = EnvironmentConfig(id="CartPolePositions-v0", time_limit=9)
    config = imitating("dagger", "CartPolePositions-v0", imitation__teacher="x", update__states="all")
    config = with_values(config, {"environment.time_limit": 9, "policy": "gru", "policy.hidden_size": 4})
    by = teacher(environment, GRUPolicy(hidden_size=5))
    training = Training(config, given=Given(teacher=by))
    updates(training, 1)
    steps: Labelled = training.learner._aggregate.steps  # type: ignore[attr-defined]
    told = by.policy(seen_in(environment), torch.device("cpu"))
    begun = 0
    for length in steps.lengths.tolist():
        state = told.start(1)
        for row in range(begun, begun + length):
            distribution, state = told.step(steps.observations[row : row + 1], state)
            assert distribution.mode().item() == steps.actions[row].item()
        begun += length


def test_what_is_held_out_and_never_changes_says_nothing_against_what_was_learned() -> None:
    weights = torch.zeros(1)
    stopping = EarlyStopping(weights)
    for iteration in range(1, 31):
        weights.fill_(float(iteration))
        assert stopping.look(1.0, 5, iteration) == ""
    assert [bool(stopping.look(2.0, 5, 30 + later)) for later in range(1, 6)] == [False] * 4 + [True]
    assert weights.item() == 30.0
