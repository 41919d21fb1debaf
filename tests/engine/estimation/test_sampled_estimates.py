"""Estimates from episodes and fixed-length rollouts that the collectors sampled, within their confidence intervals.

What is listed elsewhere is sampled here: the collectors, the batches of environments and the layout of rollouts come
into it. Expected values are those of dynamic programming.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.algorithms.planning.exact_ascent import ExactAscentRule
from engine.catalogue.environments import ENVIRONMENTS
from engine.collection.collectors import EpisodeCollector, FixedLengthCollector
from engine.config.planning import ExactGradient
from engine.config.policies import TabularPolicy
from engine.environments.batches.batched import finite_environments
from engine.environments.making.known_dynamics import finite_mdp
from engine.estimation.estimators import estimate
from engine.experience.rollouts import Rollout
from engine.mdp import exact
from engine.mdp.performance_difference import compare
from engine.policies.actor import Actor
from engine.policies.policy import Policy
from tests.engine.sampling import CPU, deviation, estimates, part, sampled
from tests.engine.tiny_mdp import (
    TINY,
    UNROLLED,
    Learner,
    assert_gradient,
    configured,
    finish,
    greedily,
    mean,
    rollout_of,
    theorem,
    values,
)

WRONG = (5.0, -3.0)


@pytest.fixture(scope="module")
def rollout() -> Rollout:
    return sampled(TINY, 20_000, 11)


def off_by(rollout: Rollout, config: Any, expected: Tensor, critic: Any = None) -> float:
    """In standard errors of the mean over 200 batches of 100 episodes."""
    return deviation(estimates(rollout, config, TINY.policy(), 100, critic), expected)


def test_the_sampled_lengths_have_the_listed_frequencies(rollout: Rollout) -> None:
    lengths = rollout.mask.sum(0)
    for length in (1, 2, 3):
        listed = [e.probability(TINY.probabilities).item() for e in TINY.episodes if len(e.states) == length]
        error = (sum(listed) * (1.0 - sum(listed)) / 20_000) ** 0.5
        assert abs((lengths == length).double().mean().item() - sum(listed)) < 4.0 * error


@pytest.mark.parametrize(("credit", "baseline"), [("total-return", "none"), ("reward-to-go", "leave-one-out")])
def test_sampled_estimates_lie_within_their_confidence_interval(rollout: Rollout, credit: str, baseline: str) -> None:
    assert off_by(rollout, configured(credit, baseline), TINY.gradient(1.0)) < 4.0


def test_so_do_discounted_ones(rollout: Rollout) -> None:
    config = configured("reward-to-go", gamma=0.7, discount_states=True)
    assert off_by(rollout, config, TINY.gradient(0.7)) < 4.0


def test_so_do_those_completed_with_a_wrong_value(rollout: Rollout) -> None:
    expected = TINY.gradient(1.0, tail=WRONG)
    assert off_by(rollout, configured("reward-to-go", "value"), expected, values(WRONG)) < 4.0


def test_forgetting_the_state_weights_lies_outside(rollout: Rollout) -> None:
    assert off_by(rollout, configured("reward-to-go", gamma=0.7), TINY.gradient(0.7)) > 10.0


@pytest.fixture(scope="module")
def greedy_rollout() -> Rollout:
    return sampled(TINY, 10_000, 13, share=0.5)


@pytest.mark.parametrize("weighting", ["per-trajectory", "per-decision"])
def test_episodes_with_greedy_actions_are_within_the_interval_when_weighed(
    greedy_rollout: Rollout, weighting: str
) -> None:
    rule = {"kind": "off-policy", "optimizer": "sgd", "learning_rate": 1.0, "updates_per_batch": 1}
    config = greedily(configured(update=rule | {"weighting": weighting}), 0.5)
    assert off_by(greedy_rollout, config, TINY.gradient(1.0)) < 4.0


def test_episodes_with_greedy_actions_are_where_the_listed_ones_are_when_not_weighed(
    greedy_rollout: Rollout,
) -> None:
    assert off_by(greedy_rollout, configured(), mean(TINY, configured(), share=0.5)) < 4.0
    assert off_by(greedy_rollout, configured(), TINY.gradient(1.0)) > 10.0


def test_the_first_episodes_to_finish_would_give_a_biased_estimate(rollout: Rollout) -> None:
    """Why the collector waits for all: of the same episodes, those that ended early are no fair sample."""
    early = rollout.mask.sum(0) <= rollout.mask.sum(0).median()
    fields = ("observations", "actions", "rewards", "terminated", "truncated", "mask", "elapsed")
    kept = {name: getattr(rollout, name)[:, early] for name in fields}
    after = rollout.final_observations[early[rollout.truncated.any(0)]]
    config = configured("reward-to-go")
    got = estimates(Rollout(**kept, final_observations=after), config, TINY.policy(), int(early.sum()))
    assert (got[0] - TINY.gradient(1.0)).abs().max().item() > 0.1


def test_collected_episodes_are_laid_out_like_the_listed_ones() -> None:
    """Every listed episode, found again among the sampled ones, gives the same batch."""
    few = part(sampled(TINY, 40, 2), 0, 40)
    by_content = {(e.states, e.actions, e.rewards): e for e in TINY.episodes}
    lengths = few.mask.sum(0).tolist()
    listed = []
    for n, length in enumerate(lengths):
        columns = (few.observations[:length, n], few.actions[:length, n], few.rewards[:length, n])
        listed.append(by_content[tuple(tuple(column.tolist()) for column in columns)])  # type: ignore[index]
    config = configured({"kind": "gae", "gae_lambda": 0.5}, "value", gamma=0.9, discount_states=True)
    one, other = (
        finish(estimate(rollout, config.estimator, TINY.policy(), values(WRONG)))
        for rollout in (few, rollout_of(listed))
    )
    for name in ("observations", "actions", "advantages", "state_weights"):
        assert torch.equal(getattr(one, name), getattr(other, name)), name
    for name in ("values", "targets", "errors"):
        assert torch.equal(getattr(one.learned, name), getattr(other.learned, name)), name


# --- fixed-length rollouts --------------------------------------------------------------------------------------------

GAMMA = 0.9
LASTING = exact.dynamics_of(TINY.mdp(None))
TRUE = exact.state_values(LASTING, TINY.probabilities, GAMMA)
ADVANTAGES = exact.advantages(LASTING, TINY.probabilities, GAMMA)


def stationary(limit: int) -> Tensor:
    """How often each state is visited, [limit, S] by steps since the start, where episodes follow each other."""
    whole = exact.discounted_visitation(replace(LASTING, horizon=limit), TINY.probabilities, 1.0)
    return whole / whole.sum()


def rollouts_of(limit: int, steps: int, environments: int, batches: int) -> list[Rollout]:
    """Consecutive fixed-length rollouts of TINY with that time limit, after fifty steps to forget the common start."""
    batch = finite_environments(TINY.mdp(limit), range(environments))
    actor = Actor(TINY.policy(), torch.Generator().manual_seed(4), CPU)
    collector = FixedLengthCollector(batch, TINY.info, CPU, steps)
    found = []
    for k in range(batches + 10):
        rollout, _ = finish(collector.collect(actor))
        tensors = {name: value.clone() for name, value in vars(rollout).items() if isinstance(value, Tensor)}
        if k >= 10:
            found.append(replace(rollout, **tensors))
    return found


CREDITS: list[Any] = ["reward-to-go", {"kind": "gae", "gae_lambda": 0.7}, {"kind": "n-step", "n": 2}]


@pytest.fixture(scope="module")
def collected() -> list[Rollout]:
    """The limit is known to nobody: a cut episode goes on with the true value of what was seen last."""
    return rollouts_of(limit=4, steps=5, environments=40, batches=150)


@pytest.mark.parametrize("credit", CREDITS)
@pytest.mark.parametrize("weighted", [False, True])
def test_fixed_length_rollouts_with_the_true_value_give_the_stationary_gradient(
    collected: list[Rollout], credit: Any, weighted: bool
) -> None:
    """1/M Σ ∇ log π Â has the mean Σ_s d(s) Σ_a ∇π(a|s) A(s, a), with d how often states are visited per step."""
    config = configured(credit, "value", gamma=GAMMA, discount_states=weighted)
    learner, critic = Learner(config, TINY.policy()), values(TRUE)
    found = [learner.step(finish(estimate(r, config.estimator, learner.policy, critic))) for r in collected]
    discounts = GAMMA ** torch.arange(4).double() if weighted else torch.ones(4).double()
    visits = (stationary(4) * discounts.unsqueeze(-1)).sum(0)
    assert deviation(torch.stack(found), theorem(TINY.theta, visits, ADVANTAGES)) < 4.0


def test_fixed_length_rollouts_whose_cuts_are_taken_for_ends_lie_outside(collected: list[Rollout]) -> None:
    config = configured({"kind": "gae", "gae_lambda": 0.7}, "value", gamma=GAMMA)
    learner, critic = Learner(config, TINY.policy()), values(TRUE)
    found = []
    for rollout in collected:
        ended = replace(rollout, terminated=rollout.terminated | rollout.truncated)
        found.append(learner.step(finish(estimate(ended, config.estimator, learner.policy, critic))))
    assert deviation(torch.stack(found), theorem(TINY.theta, stationary(4).sum(0), ADVANTAGES)) > 8.0


def test_final_observations_of_other_environments_lie_outside(
    collected: list[Rollout],
) -> None:
    config = configured({"kind": "gae", "gae_lambda": 0.7}, "value", gamma=GAMMA)
    learner, critic = Learner(config, TINY.policy()), values(TRUE * 3.0)
    right, wrong = [], []
    for rollout in collected:
        shuffled = replace(rollout, final_observations=rollout.final_observations.roll(1))
        for found, seen in ((right, rollout), (wrong, shuffled)):
            found.append(learner.step(finish(estimate(seen, config.estimator, learner.policy, critic))))
    assert deviation(torch.stack(wrong) - torch.stack(right), torch.zeros(4)) > 8.0


@pytest.mark.parametrize("credit", CREDITS)
def test_each_episode_of_a_rollout_is_estimated_as_if_it_stood_alone(collected: list[Rollout], credit: Any) -> None:
    """With a wrong value: nothing leaks in from the episodes before and after, and steps count from its own start."""
    config = configured(credit, "value", gamma=GAMMA, discount_states=True)
    whole = collected[0]
    joint = finish(estimate(whole, config.estimator, TINY.policy(), values(WRONG)))
    ends = (whole.terminated | whole.truncated).T.nonzero().tolist()
    advantages, weights, begin, cuts = [], [], 0, 0
    for environment, last in ends:
        rows = (slice(begin, last + 1), slice(environment, environment + 1))
        fields = ("observations", "actions", "rewards", "terminated", "truncated", "mask", "elapsed")
        cut = int(whole.truncated[last, environment])
        after = whole.final_observations[cuts : cuts + cut]
        alone = Rollout(**{name: getattr(whole, name)[rows] for name in fields}, final_observations=after)
        batch = finish(estimate(alone, config.estimator, TINY.policy(), values(WRONG)))
        advantages.append(batch.advantages)
        weights.append(batch.state_weights)
        begin, cuts = (last + 1) % len(whole.mask), cuts + cut
    assert len(ends) > whole.environments
    torch.testing.assert_close(joint.advantages, torch.cat(advantages))
    assert torch.equal(joint.state_weights, torch.cat(weights))


def test_steps_are_counted_from_each_episodes_start_through_all_rollouts(collected: list[Rollout]) -> None:
    steps = torch.cat([rollout.elapsed for rollout in collected])
    ended = torch.cat([rollout.terminated for rollout in collected]) | (steps == 3)
    assert torch.equal(steps[1:], torch.where(ended[:-1], 0, steps[:-1] + 1))


# --- the performance difference ---------------------------------------------------------------------------------------


def on_grid(process: str, episodes: int, table: Tensor) -> tuple[Policy, Rollout]:
    """Episodes of the tabular policy with the logits ``table``."""
    mdp, info = finite_mdp(process), ENVIRONMENTS[process]
    assert mdp is not None
    policy = Policy(TabularPolicy(), info, torch.Generator())
    with torch.no_grad():
        policy.head.rows.copy_(table)  # type: ignore[union-attr, operator]
    actor = Actor(policy, torch.Generator().manual_seed(1), CPU)
    collector = EpisodeCollector(finite_environments(mdp, range(episodes)), info, CPU)
    return policy, finish(collector.collect(actor))[0]


def gains(rollout: Rollout, advantages: Tensor, gamma: float) -> Tensor:
    """Σ_t γ^t A(s_t, a_t) of every episode, [N], with A [H, S, A]."""
    found = advantages[rollout.elapsed, rollout.observations, rollout.actions]
    return (gamma**rollout.elapsed * found * rollout.mask).sum(0)


def test_the_new_policys_episodes_show_by_how_much_it_is_better() -> None:
    """J(new) − J(old) = E_new[Σ γ^t A_old(s_t, a_t)], and the old policy's episodes do not show it ([textbook])."""
    mdp = finite_mdp("GridWorld-v0")
    assert mdp is not None
    dynamics = exact.dynamics_of(mdp)
    tables = torch.randn(2, 25, 4, generator=torch.Generator().manual_seed(3))
    new, old = (table.double().softmax(-1) for table in tables)
    advantages = exact.advantages(dynamics, old, 0.97)
    expected = compare(dynamics, new, old, 0.97).difference
    shown = []
    for table in tables:
        _, rollout = on_grid("GridWorld-v0", 3000, table)
        found = gains(rollout, advantages, 0.97)
        shown.append(((found.mean() - expected).abs() / (found.std() / 3000**0.5)).item())
    assert shown[0] < 4.0
    assert shown[1] > 10.0


def test_the_true_advantages_of_a_rollout_stand_at_their_steps() -> None:
    mdp = finite_mdp("GridWorld-v0")
    assert mdp is not None
    table = torch.randn(25, 4, generator=torch.Generator().manual_seed(3))
    policy, rollout = on_grid("GridWorld-v0", 50, table)
    rule = ExactAscentRule(ExactGradient(), policy, mdp)
    batch = rule.true_advantages(rollout, rule.known(0.97))
    exactly = exact.advantages(exact.dynamics_of(mdp), table.double().softmax(-1), 0.97)
    summed = torch.zeros(50).double()
    owner = torch.arange(50).expand_as(rollout.mask)
    summed.index_add_(0, rollout.flat(owner), batch.advantages.double() * 0.97 ** rollout.flat(rollout.elapsed))
    torch.testing.assert_close(summed, gains(rollout, exactly, 0.97), atol=1e-4, rtol=1e-4)


def test_unrolling_time_into_states_changes_no_gradient() -> None:
    """What the tests with the true value stand on: the unrolled process is the same process."""
    same = replace(UNROLLED, theta=TINY.theta.repeat(4, 1))
    rows = same.gradient(0.8).view(4, 2, 2).sum(0).flatten()
    assert_gradient(rows, TINY.gradient(0.8))
