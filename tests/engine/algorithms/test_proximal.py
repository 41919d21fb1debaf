"""PPO in its three forms: where it begins, where it stops, and where it ends up if given the time.

On a batch that holds every action as often as the old policy takes it, what each form maximises has a closed form.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.algorithms.policy_gradient import surrogates
from engine.algorithms.policy_gradient.rule import UpdateInput
from engine.algorithms.policy_gradient.rules import make_rule
from engine.config.policies import GRUPolicy, MLPPolicy
from engine.estimation.estimators import estimate
from engine.experience.batch import NO_BASELINE, Batch
from engine.policies.policy import Policy
from tests.engine.step_batches import (
    ADVANTAGES,
    EIGHTHS,
    PROBABILITIES,
    batch_of,
    configured,
    divergence,
    expected_batch,
    policy,
    probabilities_of,
    updated,
)
from tests.engine.tiny_mdp import TINY, Learner, finish, parameters_of, rollout_of
from tests.engine.tiny_mdp import configured as on_tiny

PLAIN: dict[str, Any] = {"optimizer": "sgd", "learning_rate": 1.0, "minibatch_size": 0, "max_grad_norm": 0.0}
CLIP, PENALTY, LAGRANGIAN = (PLAIN | {"kind": kind} for kind in ("ppo-clip", "ppo-penalty", "ppo-lagrangian"))
FORMS = [CLIP, PENALTY, LAGRANGIAN]
STILL = {"learning_rate": 1e-30}  # too short a step to move anything


def kind_of(form: Any) -> str:
    return str(form["kind"])


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """The log-ratios of every gradient step of PPO with clipping."""
    found: list[Tensor] = []
    original = surrogates.clipped_surrogate

    def spy(log_ratios: Tensor, advantages: Tensor, clip_range: float) -> Tensor:
        found.append(log_ratios.detach().clone())
        return original(log_ratios, advantages, clip_range)

    monkeypatch.setattr(surrogates, "clipped_surrogate", spy)
    return found


# --- the first step ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("config", [MLPPolicy(hidden_sizes=(16,)), GRUPolicy(hidden_size=4)], ids=lambda c: c.kind)
def test_before_the_first_step_every_ratio_is_1(config: Any, seen: list[Tensor]) -> None:
    """In minibatches too, whose rows are computed apart from those of the old policy."""
    rollout = rollout_of(TINY.episodes)
    learner = Policy(config, TINY.info, torch.Generator().manual_seed(1))
    states = learner.start(len(TINY.episodes))
    size = int(rollout.mask.sum())
    batch = Batch(replace(rollout, states=states), torch.randn(size), torch.ones(size), NO_BASELINE)
    updated(learner, batch, CLIP | STILL | {"epochs": 2, "minibatch_size": 7})
    assert len(seen) > 10
    assert max(ratios.abs().max().item() for ratios in seen) < 1e-6


@pytest.mark.parametrize("form", FORMS, ids=kind_of)
def test_the_first_gradient_is_the_policy_gradient_per_step(form: dict[str, Any]) -> None:
    """The divergence's own gradient is 0 where the two policies are one."""
    config = on_tiny("reward-to-go", "average")
    batch = finish(estimate(rollout_of(TINY.episodes[3:12]), config.estimator, TINY.policy(), None))
    assert batch.divisor != batch.size
    first = Learner(on_tiny("reward-to-go", "average", update=form | {"epochs": 1}), TINY.policy()).step(batch)
    per_step = Learner(config, TINY.policy()).step(batch) * batch.divisor / batch.size
    torch.testing.assert_close(first, per_step, atol=1e-6, rtol=1e-5)


def test_the_single_sample_penalty_adds_noise_to_the_first_gradient() -> None:
    """Its mean over the old policy's actions is 0, but a batch holds only some of them."""
    single = PENALTY | {"epochs": 1, "form": "single-sample", "kl_coefficient": 2.0}
    nothing = torch.zeros(3, 3).double()
    for batch, moves in ((expected_batch(nothing), False), (batch_of(EIGHTHS.clamp(max=2), nothing), True)):
        learner = policy()
        updated(learner, batch, single)
        assert ((parameters_of(learner) - parameters_of(policy())).abs().max().item() > 1e-3) is moves


# --- where each form ends up ------------------------------------------------------------------------------------------

PATIENT = {"optimizer": "adam", "learning_rate": 0.02, "epochs": 1000}


def best_by_reverse_kl(price: float) -> Tensor:
    """max E_π[Â] − λ KL(π‖π_old) is at π_old exp(Â/λ) / Z."""
    weights = PROBABILITIES * (ADVANTAGES / price).exp()
    return weights / weights.sum(-1, keepdim=True)


def best_by_forward_kl(price: float) -> Tensor:
    """max E_π[Â] − λ KL(π_old‖π) is at λ π_old / (ν − Â), with ν such that each state sums to 1."""
    low = ADVANTAGES.amax(-1, keepdim=True)
    high = low + 10.0 * price
    for _ in range(100):
        middle = (low + high) / 2.0
        too_much = (price * PROBABILITIES / (middle - ADVANTAGES)).sum(-1, keepdim=True) > 1.0
        low, high = torch.where(too_much, middle, low), torch.where(too_much, high, middle)
    return price * PROBABILITIES / (high - ADVANTAGES)


@pytest.mark.parametrize("price", [0.7, 3.0])
def test_a_lagrange_multiplier_that_stays_leads_to_pi_times_e_to_the_advantage_over_lambda(price: float) -> None:
    learner = policy()
    updated(learner, expected_batch(), LAGRANGIAN | PATIENT | {"initial_multiplier": price, "multiplier_step": 0.0})
    torch.testing.assert_close(probabilities_of(learner), best_by_reverse_kl(price), atol=2e-3, rtol=1e-2)
    assert (best_by_reverse_kl(price) - best_by_forward_kl(price)).abs().max().item() > 0.01


@pytest.mark.parametrize("form", ["kl", "single-sample"])
@pytest.mark.parametrize("price", [0.7, 3.0])
def test_a_fixed_penalty_leads_to_where_its_price_is_the_advantage(price: float, form: str) -> None:
    learner = policy()
    updated(learner, expected_batch(), PENALTY | PATIENT | {"kl_coefficient": price, "form": form})
    torch.testing.assert_close(probabilities_of(learner), best_by_forward_kl(price), atol=2e-3, rtol=1e-2)


def test_both_forms_of_the_penalty_take_the_same_steps_where_every_action_is_seen_as_often_as_it_is_taken() -> None:
    """Away from the old policy too: the single-sample gradient averages to −λ∇KL(π_old‖π)."""
    one, other = policy(), policy()
    for learner, form in ((one, "kl"), (other, "single-sample")):
        updated(learner, expected_batch(), PENALTY | {"epochs": 20, "form": form, "learning_rate": 0.5})
    torch.testing.assert_close(parameters_of(one), parameters_of(other), atol=1e-5, rtol=1e-4)
    assert divergence(PROBABILITIES, probabilities_of(one)) > 0.01


def test_without_a_price_the_penalised_step_is_the_surrogates_alone() -> None:
    one, other = policy(), policy()
    updated(one, expected_batch(), PENALTY | {"epochs": 3, "kl_coefficient": 0.0})
    updated(other, expected_batch(), CLIP | {"epochs": 3, "clip_range": 10.0})
    torch.testing.assert_close(parameters_of(one), parameters_of(other), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("form", [PENALTY, LAGRANGIAN], ids=kind_of)
def test_every_update_is_held_back_from_the_policy_it_began_with_and_not_from_an_earlier_one(
    form: dict[str, Any],
) -> None:
    """Without advantages the second update has no reason to move, back to the first policy least of all."""
    config, learner = configured(form | {"epochs": 5}), policy()
    rule = make_rule(config, learner, torch.Generator(), None)
    finish(rule.update(UpdateInput(expected_batch(), config, 0.0)))
    between = parameters_of(learner)
    assert (between - parameters_of(policy())).norm().item() > 0.1
    finish(rule.update(UpdateInput(expected_batch(torch.zeros(3, 3).double()), config, 0.0)))
    torch.testing.assert_close(parameters_of(learner), between, atol=1e-6, rtol=0.0)


# --- clipping ---------------------------------------------------------------------------------------------------------


def only(action: int, advantage: float) -> Batch:
    """State 0, in which one action was taken, once."""
    counts = torch.zeros(3, 3, dtype=torch.int64)
    counts[0, action] = 1
    return batch_of(counts, torch.full((3, 3), advantage).double())


@pytest.mark.parametrize("clip_range", [0.1, 0.2, 0.5])
@pytest.mark.parametrize("advantage", [1.0, -1.0])
def test_once_a_ratio_has_left_the_clip_range_in_its_own_direction_nothing_moves_it_further(
    clip_range: float, advantage: float
) -> None:
    found = []
    for epochs in (100, 200):
        learner = policy()
        settings = {"clip_range": clip_range, "epochs": epochs, "learning_rate": 0.05}
        outcome = updated(learner, only(1, advantage), CLIP | settings)
        found.append(parameters_of(learner))
        assert outcome.metrics["clip_fraction"] == 1.0
        ratio = (probabilities_of(learner) / PROBABILITIES)[0, 1].item()
        assert clip_range < advantage * (ratio - 1.0) < clip_range + 0.05
    assert torch.equal(*found)


def test_a_ratio_driven_out_against_its_advantage_is_still_pulled_back() -> None:
    """Action 1 is worth much and drives action 0 down; stopped at its bound, it leaves action 0 to climb back."""
    counts = torch.tensor([[1, 1, 0], [0, 0, 0], [0, 0, 0]])
    batch = batch_of(counts, torch.tensor([[0.5, 9.0, 0.0]] * 3).double())
    lowest, last = 1.0, 1.0
    for epochs in (1, 2, 3, 5, 10, 30, 100):
        learner = policy()
        updated(learner, batch, CLIP | {"epochs": epochs, "learning_rate": 0.1})
        last = (probabilities_of(learner) / PROBABILITIES)[0, 0].item()
        lowest = min(lowest, last)
    assert lowest < 0.99
    assert last > lowest + 0.05


def test_the_target_divergence_ends_the_update_early(seen: list[Tensor]) -> None:
    settings = CLIP | {"clip_range": 10.0, "epochs": 200, "learning_rate": 0.05}
    outcome = updated(policy(), expected_batch(), settings | {"target_kl": 0.01})
    steps = len(seen)
    assert 1 < steps < 200
    assert 0.015 < (outcome.metrics["approx_kl"] or 0.0) < 0.03
    updated(policy(), expected_batch(), settings)
    assert len(seen) == steps + 200


# --- the multiplier ---------------------------------------------------------------------------------------------------


def test_the_multiplier_follows_the_divergence_by_which_the_policy_moved() -> None:
    """λ ← max(0, λ + α (KL(π‖π_old) − ε)), up where it moved too far and down where it did not."""
    for target, sign in ((1e-4, 1.0), (1.0, -1.0)):
        learner = policy()
        settings = LAGRANGIAN | {"target_kl": target, "initial_multiplier": 4.0, "multiplier_step": 2.0, "epochs": 3}
        outcome = updated(learner, expected_batch(), settings | {"learning_rate": 0.2})
        new = probabilities_of(learner)
        expected = max(0.0, 4.0 + 2.0 * (divergence(new, PROBABILITIES) - target))
        assert outcome.metrics["multiplier"] == pytest.approx(expected, rel=1e-5)
        assert sign * ((outcome.metrics["multiplier"] or 0.0) - 4.0) > 1e-3


def test_the_multiplier_is_kept_from_update_to_update_and_never_falls_below_0() -> None:
    settings = LAGRANGIAN | STILL | {"target_kl": 0.1, "initial_multiplier": 1.0, "multiplier_step": 4.0, "epochs": 1}
    config, learner = configured(settings), policy()
    rule = make_rule(config, learner, torch.Generator(), None)
    found = [finish(rule.update(UpdateInput(expected_batch(), config, 0.0))).metrics["multiplier"] for _ in range(4)]
    assert found == pytest.approx([0.6, 0.2, 0.0, 0.0], abs=1e-5)


def test_a_multiplier_that_may_move_brings_the_divergence_to_what_is_allowed() -> None:
    """Thirty updates, each from the old policy again: the price settles where one update moves just that far."""
    target = 0.02
    settings = LAGRANGIAN | {"target_kl": target, "initial_multiplier": 1.0, "multiplier_step": 20.0, "epochs": 200}
    settings |= {"optimizer": "adam", "learning_rate": 0.05}
    config, learner = configured(settings), policy()
    rule, start = make_rule(config, learner, torch.Generator(), None), parameters_of(learner)
    moved = []
    for _ in range(30):
        finish(rule.update(UpdateInput(expected_batch(), config, 0.0)))
        moved.append(divergence(probabilities_of(learner), PROBABILITIES))
        with torch.no_grad():
            learner.head.rows.copy_(start.view(3, 3))  # type: ignore[union-attr, operator]
    assert moved[0] > 2.0 * target
    assert moved[-1] == pytest.approx(target, rel=0.15)


# --- minibatches ------------------------------------------------------------------------------------------------------


def test_the_order_of_minibatches_comes_from_the_generator_alone() -> None:
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(len(found))  # the global generator must not matter
        learner = policy()
        updated(learner, expected_batch(), CLIP | {"epochs": 3, "minibatch_size": 5}, seed)
        found.append(parameters_of(learner))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


@pytest.mark.parametrize("size", [1, 5, 31, 32, 0])
def test_every_epoch_uses_every_step_once(size: int) -> None:
    drawn = expected_batch().minibatches(size, torch.Generator().manual_seed(0))
    rows = [torch.cat([torch.arange(32)[chunk.rows] for chunk in chunks]) for chunks in drawn]
    assert torch.cat(rows).sort().values.tolist() == list(range(32))
    assert all(len(some) == size for some in rows[:-1]) or size == 0


def test_minibatches_hold_the_actions_and_observations_of_their_rows() -> None:
    batch = expected_batch()
    for chunks in batch.minibatches(5, torch.Generator().manual_seed(0)):
        for chunk in chunks:
            assert torch.equal(chunk.actions, batch.actions[chunk.rows])
            assert torch.equal(chunk.observations, batch.observations[chunk.rows])


def test_all_steps_at_once_is_the_mean_of_equal_minibatches() -> None:
    """Without moving in between, gradients of minibatches of one size average to the whole batch's."""
    batch, moved = expected_batch(), torch.zeros(9).double()
    for (chunk,) in batch.minibatches(8, torch.Generator().manual_seed(0)):
        counts = torch.zeros(3, 3, dtype=torch.int64)
        counts.index_put_((chunk.observations, chunk.actions), torch.ones(8, dtype=torch.int64), accumulate=True)
        learner = policy()
        updated(learner, batch_of(counts, ADVANTAGES), CLIP | {"epochs": 1})
        moved += (parameters_of(learner) - parameters_of(policy())).double() / 4.0
    whole = policy()
    updated(whole, batch, CLIP | {"epochs": 1})
    torch.testing.assert_close(moved, (parameters_of(whole) - parameters_of(policy())).double(), atol=1e-6, rtol=1e-4)
