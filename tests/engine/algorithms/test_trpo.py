"""TRPO keeps its promises: a step within the divergence allowed that improves the surrogate, or no step at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.algorithms.outcome import Outcome
from engine.catalogue.environments import ENVIRONMENTS
from engine.config.policies import TabularPolicy
from engine.environments.making.known_dynamics import finite_mdp
from engine.mdp import exact
from engine.policies.policy import Policy
from tests.engine.step_batches import (
    ADVANTAGES,
    PROBABILITIES,
    SHARES,
    batch_of,
    divergence,
    expected_batch,
    policy,
    probabilities_of,
    updated,
)
from tests.engine.tiny_mdp import parameters_of

TRPO: dict[str, Any] = {"kind": "trpo", "max_kl": 0.01, "damping": 1e-6}


def gained(new: Tensor, advantages: Tensor = ADVANTAGES) -> float:
    """E_old[π/π_old Â] over the batch of all states and actions, less what it was."""
    return (SHARES @ ((new - PROBABILITIES) * advantages).sum(-1)).item()


def entropy(probabilities: Tensor) -> float:
    return -(SHARES @ (probabilities * probabilities.log()).sum(-1)).item()


def stepped(advantages: Tensor = ADVANTAGES, **fields: Any) -> tuple[Policy, Outcome]:
    learner = policy()
    return learner, updated(learner, expected_batch(advantages), TRPO | fields)


def assert_refused(learner: Policy, outcome: Outcome) -> None:
    """Bit for bit where it was."""
    assert torch.equal(parameters_of(learner), parameters_of(policy()))
    assert outcome.metrics["line_search"] == 0.0
    assert outcome.metrics["kl"] == 0.0


@pytest.mark.parametrize("solver", ["exact", "cg"])
@pytest.mark.parametrize("max_kl", [1e-3, 0.01, 0.1, 1.0])
def test_an_accepted_step_stays_within_the_bound_and_improves_the_surrogate(max_kl: float, solver: str) -> None:
    learner, outcome = stepped(max_kl=max_kl, solver=solver)
    new = probabilities_of(learner)
    kl = divergence(PROBABILITIES, new)
    assert 0.3 * max_kl < kl <= max_kl * (1.0 + 1e-4)
    assert gained(new) > 0.0
    assert outcome.metrics["kl"] == pytest.approx(kl, rel=1e-3, abs=1e-6)
    assert 0.0 < (outcome.metrics["line_search"] or 0.0) <= 1.0


# Where rare actions are the good ones, the divergence grows faster than its quadratic model.
RARE_RAW = torch.tensor([[3.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 3.0]]).double()
RARE = RARE_RAW - (PROBABILITIES * RARE_RAW).sum(-1, keepdim=True)


def at_share(share: float, max_kl: float) -> Tensor:
    """Along F⁻¹g a table moves by multiples of its advantages: π exp(c A), with c from the quadratic model."""
    longest = (2.0 * max_kl / (SHARES @ (PROBABILITIES * RARE.square()).sum(-1))).sqrt()
    weights = PROBABILITIES * (share * longest * RARE).exp()
    return weights / weights.sum(-1, keepdim=True)


@pytest.mark.parametrize("backtracking", [0.5, 0.8, 0.95])
def test_the_line_search_takes_and_reports_the_first_of_its_tries_that_is_within_the_bound(
    backtracking: float,
) -> None:
    learner, outcome = stepped(RARE, max_kl=0.5, backtracking=backtracking, line_search_steps=30)
    tries = [backtracking**k for k in range(30)]
    within = [share for share in tries if divergence(PROBABILITIES, at_share(share, 0.5)) <= 0.5]
    assert within[0] < 1.0
    assert outcome.metrics["line_search"] == pytest.approx(within[0])
    torch.testing.assert_close(probabilities_of(learner), at_share(within[0], 0.5), atol=1e-4, rtol=1e-3)


def test_a_step_that_cannot_be_shortened_enough_is_refused() -> None:
    """The quadratic model promises half a nat; the only try moves further."""
    assert divergence(PROBABILITIES, at_share(1.0, 0.5)) > 0.5
    assert_refused(*stepped(RARE, max_kl=0.5, line_search_steps=1))


def test_a_step_that_gains_nothing_is_refused() -> None:
    """Without an advantage there is nothing to gain, whatever the direction."""
    assert_refused(*stepped(torch.zeros(3, 3).double()))


def test_a_step_within_the_bound_that_goes_past_the_best_is_refused_or_shortened() -> None:
    """For entropy alone: damping keeps the step within the bound, but it ends beyond the uniform policy, more decided
    than before. The natural gradient, which does not look, takes it."""
    nothing, beyond = torch.zeros(3, 3).double(), {"max_kl": 10.0, "damping": 1.0, "entropy_coefficient": 1.0}
    blind = policy()
    updated(blind, expected_batch(nothing), beyond | {"kind": "natural-gradient", "learning_rate": 100.0})
    assert divergence(PROBABILITIES, probabilities_of(blind)) < 9.0
    assert entropy(probabilities_of(blind)) < entropy(PROBABILITIES)
    assert_refused(*stepped(nothing, **beyond, line_search_steps=1))
    learner, outcome = stepped(nothing, **beyond, line_search_steps=20)
    assert 0.0 < (outcome.metrics["line_search"] or 0.0) < 1.0
    assert entropy(probabilities_of(learner)) > entropy(PROBABILITIES)


def test_the_entropy_bonus_counts_as_improvement() -> None:
    learner, outcome = stepped(torch.zeros(3, 3).double(), entropy_coefficient=0.1)
    assert (outcome.metrics["line_search"] or 0.0) > 0.0
    assert entropy(probabilities_of(learner)) > entropy(PROBABILITIES)
    assert divergence(PROBABILITIES, probabilities_of(learner)) <= 0.01 * (1.0 + 1e-4)


def test_the_entropy_bonus_weighs_as_much_in_the_line_search_as_in_the_gradient() -> None:
    """Half of what entropy gains is lost in advantages that pull the other way: worth it, if only just."""
    decided = PROBABILITIES.log()
    against = 0.5 * (decided - (PROBABILITIES * decided).sum(-1, keepdim=True))
    learner, outcome = stepped(against, entropy_coefficient=1.0)
    assert (outcome.metrics["line_search"] or 0.0) > 0.0
    lost, won = -gained(probabilities_of(learner), against), entropy(probabilities_of(learner)) - entropy(PROBABILITIES)
    assert 0.3 * won < lost < won


def test_a_policy_that_was_refused_once_still_learns_from_the_next_batch() -> None:
    learner, _ = stepped(RARE, max_kl=0.5, line_search_steps=1)
    outcome = updated(learner, expected_batch(), TRPO)
    assert (outcome.metrics["line_search"] or 0.0) > 0.0
    assert gained(probabilities_of(learner)) > 0.0


def test_noise_in_the_batch_does_not_loosen_the_bound() -> None:
    """The bound holds over the batch's own states, however few the steps were."""
    generator = torch.Generator().manual_seed(3)
    for _ in range(10):
        counts = torch.randint(0, 3, (3, 3), generator=generator)
        counts[0, 0] += 1
        learner = policy()
        updated(learner, batch_of(counts, torch.randn(3, 3, generator=generator).double()), TRPO)
        new = probabilities_of(learner)
        shares = counts.sum(-1).double() / counts.sum()
        assert (shares @ (PROBABILITIES * (PROBABILITIES.log() - new.log())).sum(-1)).item() <= 0.01 * (1.0 + 1e-4)


def test_small_trust_region_steps_with_true_advantages_never_lower_the_return() -> None:
    """On the corridor, with every state and action in the batch: twenty steps, each better than the one before."""
    mdp = finite_mdp("Corridor-v0")
    assert mdp is not None
    dynamics = exact.dynamics_of(mdp)
    learner_probabilities = torch.full((7, 2), 0.5).double()
    returns = []
    for _ in range(20):
        returns.append(exact.expected_return(dynamics, learner_probabilities, 1.0).item())
        advantages = exact.advantages(dynamics, learner_probabilities, 1.0)
        visits = exact.discounted_visitation(dynamics, learner_probabilities, 1.0)
        learner_probabilities = _trust_region_step(learner_probabilities, visits, advantages)
    assert (np.diff(returns) > -1e-12).all()  # where it is as good as it gets, the last digits move
    assert returns[-1] > returns[0] + 10.0


def _trust_region_step(old: Tensor, visits: Tensor, advantages: Tensor) -> Tensor:
    """One TRPO step of a table on a batch of 3000 steps shared out as the policy visits states and takes actions."""
    learner = Policy(TabularPolicy(), ENVIRONMENTS["Corridor-v0"], torch.Generator())
    with torch.no_grad():
        learner.head.rows.copy_(old.log())  # type: ignore[union-attr, operator]
    often = visits.sum(0)
    counts = (3000 * often.unsqueeze(-1) * old / often.sum()).round().long()
    average = (visits.unsqueeze(-1) * advantages).sum(0) / often.clamp(min=1e-12).unsqueeze(-1)
    updated(learner, batch_of(counts, average), TRPO | {"max_kl": 0.02})
    with torch.no_grad():
        return learner(torch.arange(7)).logits.double().softmax(-1)  # type: ignore[union-attr]
