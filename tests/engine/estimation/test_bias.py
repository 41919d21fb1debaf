"""Estimators whose mean is not the policy gradient: every reason that the catalogue gives, with its size and sign.

Means are exact sums over every batch, and wherever theory says what they are off by, that is what they are compared
with. ``projection`` is the mean's length along the true gradient: 1 where there is no bias.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.catalogue.methods.biases import biases
from engine.config import RunConfig
from engine.config.estimators import ValueBaseline
from engine.config.policies import MLPPolicy
from engine.estimation.estimators import estimate
from engine.mdp import exact
from engine.policies.policy import Policy
from engine.values.critics import SeparateCritic, SharedCritic
from engine.values.fitting import ValueFitting
from engine.values.value_function import ValueFunction
from tests.engine.claims import measures
from tests.engine.tiny_mdp import (
    ASCENT,
    ENDED,
    FEW,
    SHORT,
    TINY,
    UNROLLED,
    Enumeration,
    Episode,
    Learner,
    Process,
    assert_gradient,
    configured,
    cosine,
    credited,
    finish,
    greedily,
    lasting,
    mean,
    mixture,
    projection,
    rollout_of,
    theorem,
    true_values,
    values,
)


def assert_said(config: RunConfig, sentence: str, process: Process, limited: bool = False) -> None:
    """The catalogue gives this reason and no other."""
    info = replace(process.info, time_limit=process.limit if limited else None)
    assert biases(config, info) == (sentence,)


def slope(process: Process, episode: Episode) -> Tensor:
    """∇P(τ), which is P(τ) times the score ∇ log P(τ); flat."""
    logits = process.theta.double().requires_grad_()
    (gradient,) = torch.autograd.grad(episode.probability(logits.softmax(-1)), logits)
    return gradient.flatten()


# --- a learned value --------------------------------------------------------------------------------------------------

STANDS_IN = "The learned value stands in for later rewards and can mislead where it is wrong."
CUT_OFF = "Where an episode is cut off, the learned value stands in for the rest and can mislead where it is wrong."

WRONG = torch.tensor([5.0, -3.0, 1.0, 2.0, -4.0, 6.0, 0.5, 7.0], dtype=torch.float64)
SHORTCUTS: list[Any] = [{"kind": "gae", "gae_lambda": share} for share in (0.0, 0.3, 0.9)]
SHORTCUTS += [{"kind": "n-step", "n": n} for n in (1, 2)]


@measures(STANDS_IN)
@pytest.mark.parametrize("credit", SHORTCUTS)
@pytest.mark.parametrize("gamma", [1.0, 0.5])
def test_a_wrong_value_biases_every_shortcut_by_what_it_foretells(credit: Any, gamma: float) -> None:
    config = configured(credit, "value", gamma=gamma, discount_states=gamma < 1.0)
    assert_said(config, STANDS_IN, UNROLLED)
    got = mean(UNROLLED, config, critic=values(WRONG), cut=False)
    assert_gradient(got, theorem(UNROLLED.theta, lasting(gamma)[3], credited(credit, WRONG, gamma)))
    assert (got - UNROLLED.gradient(gamma)).norm().item() > 0.02


def too_high(by: float) -> Tensor:
    """The true values, but for state 1 at time 1 (row 3), from where the best is expected."""
    return true_values(1.0) + by * (torch.arange(8) == 3)


@measures(STANDS_IN)
@pytest.mark.parametrize("share", [0.0, 0.25, 0.75, 1.0])
def test_what_leads_to_an_overrated_state_is_credited_with_what_lambda_leaves_of_the_error(share: float) -> None:
    """Action 0 leads there with probability 3/4, action 1 with 1/2: the first logit gains π₀π₁·(1 − λ)·2/4."""
    config = configured({"kind": "gae", "gae_lambda": share}, "value")
    got = mean(UNROLLED, config, critic=values(too_high(2.0)), cut=False) - UNROLLED.gradient(1.0)
    expected = UNROLLED.probabilities[0].prod() * (1.0 - share) * 2.0 * 0.25
    assert_gradient(got[:2], torch.stack([expected, -expected]))
    assert share == 1.0 or got[0] > 0.01


@measures(CUT_OFF)
def test_cut_off_episodes_are_drawn_to_where_the_value_is_too_high() -> None:
    """The bias is the gradient of how often episodes are cut off there, times how much V promises beyond nothing."""
    config = configured("reward-to-go", "value")
    assert_said(config, CUT_OFF, TINY, limited=True)
    towards = torch.stack([slope(TINY, e) for e in TINY.episodes if not e.terminated and e.final == 1]).sum(0)
    got = mean(TINY, config, critic=values((0.0, 4.0)))
    assert_gradient(got - TINY.gradient(1.0), 4.0 * towards)
    assert towards.norm().item() > 0.05


SAME = "The value function was fitted to the very returns it is subtracted from."


@measures(SAME)
def test_a_value_fitted_on_the_same_trajectories_takes_part_of_the_gradient_away() -> None:
    """V moves towards each return before it is subtracted from it; fitted further, it takes more away."""
    lengths = []
    for steps in (0, 1, 3, 10):
        baseline = ValueBaseline(
            hidden_sizes=(), optimizer="sgd", learning_rate=0.3, fit_steps=max(steps, 1), fitted_on="same"
        )
        config = configured("reward-to-go", baseline)
        assert_said(config, SAME, FEW)
        learner, total = Learner(config, FEW.policy()), torch.zeros(4, dtype=torch.float64)
        for batch in product(FEW.episodes, repeat=2):
            value = ValueFunction(baseline, FEW.info.observation, torch.Generator().manual_seed(0))
            fitting, critic = ValueFitting(baseline, value, torch.Generator()), SeparateCritic(value)
            rollout = rollout_of(batch, cut=False)
            if steps:
                seen = finish(estimate(rollout, config.estimator, learner.policy, critic))
                finish(fitting.fit(seen, baseline))
            made = finish(estimate(rollout, config.estimator, learner.policy, critic))
            chance = torch.stack([episode.probability(FEW.probabilities) for episode in batch]).prod()
            total += chance * learner.step(made)
        lengths.append(projection(total, FEW.gradient(1.0)))
    assert lengths[0] == pytest.approx(1.0, abs=1e-4)
    assert sorted(lengths, reverse=True) == lengths
    assert lengths[-1] < 0.6


# --- averages ---------------------------------------------------------------------------------------------------------

AVERAGE = "The average includes the very sample it is subtracted from, so the gradient comes out too short."
AVERAGE_OF_STEPS = (
    "The average at a step includes the very sample it is subtracted from, so that step's part of the gradient comes "
    "out too short."
)
INCLUDES = "The average includes the very rewards it is subtracted from, so it depends on the actions."
CONSTANT = "The constant is computed from the very samples it is subtracted from."


@measures(AVERAGE)
@pytest.mark.parametrize(("process", "size"), [(TINY, 1), (TINY, 2), (FEW, 3)])
def test_the_average_return_shortens_the_total_return_estimate_by_1_over_n(process: Process, size: int) -> None:
    config = configured("total-return", "average")
    assert_said(config, AVERAGE, process)
    assert_gradient(mean(process, config, size), (1.0 - 1.0 / size) * process.gradient(1.0))


@measures(INCLUDES)
def test_the_average_reward_to_go_takes_away_its_own_share_of_the_score() -> None:
    """E[ĝ] = ∇J − 1/N E[S · 1/T Σ_t G_t]: the other episodes' part of the average is independent of the score S."""
    share = torch.zeros(4, dtype=torch.float64)
    for episode in TINY.episodes:
        to_go = [sum(episode.rewards[t:]) for t in range(len(episode.rewards))]
        share += slope(TINY, episode) * sum(to_go) / len(to_go)
    config = configured("reward-to-go", "average")
    assert_said(config, INCLUDES, TINY)
    got = mean(TINY, config, 2)
    assert_gradient(got, TINY.gradient(1.0) - share / 2.0)
    assert projection(got, TINY.gradient(1.0)) < 0.8


@measures(AVERAGE_OF_STEPS)
def test_the_time_average_shortens_each_step_by_how_few_episodes_still_run() -> None:
    """With two episodes, step t keeps half of what the other's running on adds: q_t / 2, and nothing where it ended."""
    config = configured("reward-to-go", "time-average")
    assert_said(config, AVERAGE_OF_STEPS, UNROLLED)
    running = [lasting(1.0)[3][2 * t : 2 * t + 2].sum() for t in range(3)]
    shares = torch.tensor([running[t // 4] / 2.0 if t < 12 else 0.0 for t in range(16)])
    assert_gradient(mean(UNROLLED, config, 2), shares * UNROLLED.gradient(1.0))
    assert running[0].item() == pytest.approx(1.0)
    assert running[2].item() < 0.5


@measures(CONSTANT)
@pytest.mark.parametrize("per_parameter", [True, False])
@pytest.mark.parametrize("credit", ["total-return", "reward-to-go"])
def test_the_optimal_constant_of_the_same_samples_shortens_the_gradient_less_with_more(
    credit: str, per_parameter: bool
) -> None:
    config = configured(credit, {"kind": "optimal", "per_parameter": per_parameter})
    assert_said(config, CONSTANT, FEW)
    one, two, three = (projection(mean(FEW, config, size), FEW.gradient(1.0)) for size in (1, 2, 3))
    assert one < 0.2
    assert one + 0.2 < two < three < 0.8


@measures(CONSTANT)
@pytest.mark.parametrize(("credit", "per_parameter"), [("total-return", False), ("reward-to-go", True)])
def test_alone_an_episode_has_nothing_left_to_say_after_its_own_optimal_constant(
    credit: str, per_parameter: bool
) -> None:
    baseline = {"kind": "optimal", "per_parameter": per_parameter}
    late = {"gamma": 0.5, "discount_states": True} if credit == "reward-to-go" else {}
    assert_gradient(mean(TINY, configured(credit, baseline, **late)), torch.zeros(4))


NORMALISED = "Normalised advantages rescale the gradient, and shift it by an average that includes each sample."


@measures(NORMALISED)
def test_normalised_advantages_do_not_see_how_much_is_at_stake() -> None:
    rich = replace(SHORT, outcomes=_paid(SHORT, 10.0))
    config = configured(normalize_advantages=True)
    assert_said(config, NORMALISED, SHORT)
    assert_gradient(mean(rich, config, 2), mean(SHORT, config, 2))
    assert_gradient(rich.gradient(1.0), 10.0 * SHORT.gradient(1.0))


def _paid(process: Process, factor: float) -> Any:
    return tuple(tuple(tuple((p, factor * r, s) for p, r, s in o) for o in state) for state in process.outcomes)


@measures(NORMALISED)
def test_normalised_advantages_turn_the_gradient_less_with_more_episodes() -> None:
    config = configured(normalize_advantages=True)
    turned = [cosine(mean(FEW, config, size), FEW.gradient(1.0)) for size in (1, 2, 3)]
    assert turned[0] < 0.8
    assert turned[0] < turned[1] < turned[2] < 0.9995


# --- discounting ------------------------------------------------------------------------------------------------------

LATE = "Late steps weigh as much as early ones, although the discounted return counts them γᵗ."


@measures(LATE)
@pytest.mark.parametrize("gamma", [0.5, 0.9])
def test_without_state_weights_step_t_counts_one_over_gamma_to_the_t_too_much(gamma: float) -> None:
    config = configured("reward-to-go", gamma=gamma)
    assert_said(config, LATE, UNROLLED)
    factors = torch.tensor([gamma ** -(k // 4) for k in range(16)])
    assert_gradient(mean(UNROLLED, config), factors * UNROLLED.gradient(gamma))


# --- actions that the policy did not sample ---------------------------------------------------------------------------

GREEDY = "Greedy actions are not samples of the policy; off-policy ascent would weigh them rightly."
NEVER = "Where every action is greedy, the others are never tried, and no weight makes up for that."
ALL_GREEDY = "Greedy actions are not samples of the policy, and where all are greedy the others are never tried."
SELF = "Self-normalised weights have a bias that vanishes as episodes become many."
TRUNCATED = "Weights above the largest are cut down to it, so what carries them counts too little."

WEIGHTINGS = ["per-trajectory", "per-decision"]


def off_policy(**fields: Any) -> dict[str, Any]:
    """One plain step of length 1 on every batch."""
    return {"kind": "off-policy", "optimizer": "sgd", "learning_rate": 1.0, "updates_per_batch": 1} | fields


@measures(GREEDY)
@measures(ALL_GREEDY)
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_greedy_actions_are_pushed_even_where_every_action_pays_the_same(share: float) -> None:
    """The gradient is 0, but the likeliest action is seen κ too often: E[∇ log π] = κ (1[greedy] − π)."""
    indifferent = Process((((((1.0, 2.0, ENDED)),), ((1.0, 2.0, ENDED),)),), torch.tensor([[0.3, -0.2]]), 1)
    config = greedily(configured(), share)
    assert_said(config, GREEDY if share < 1.0 else ALL_GREEDY, indifferent)
    away = torch.tensor([1.0, 0.0]) - indifferent.probabilities[0]
    assert_gradient(mean(indifferent, config, share=share), 2.0 * share * away)
    assert_gradient(indifferent.gradient(1.0), torch.zeros(2))


@measures(GREEDY)
def test_the_more_greedy_actions_the_larger_their_bias() -> None:
    errors = [(mean(SHORT, configured(), share=e) - SHORT.gradient(1.0)).norm().item() for e in (0.0, 0.1, 0.3, 1.0)]
    assert errors[0] < 1e-5
    assert errors == sorted(errors)
    assert errors[-1] > SHORT.gradient(1.0).norm().item()


@measures(NEVER)
def test_when_only_greedy_actions_are_taken_all_other_episodes_are_missing_from_the_mean() -> None:
    config = greedily(configured("total-return", update=off_policy(weighting="per-trajectory")), 1.0)
    assert_said(config, NEVER, SHORT)
    expected = torch.zeros(4, dtype=torch.float64)
    for episode in SHORT.episodes:
        if episode.probability(mixture(SHORT.probabilities, 1.0)) > 0.0:
            expected += sum(episode.rewards) * slope(SHORT, episode)
    assert_gradient(mean(SHORT, config, share=1.0), expected)
    assert (expected - SHORT.gradient(1.0)).norm().item() > 0.4 * SHORT.gradient(1.0).norm().item()


@measures(SELF)
@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_self_normalised_weights_are_biased_towards_what_was_acted_less_with_more_episodes(weighting: str) -> None:
    config = greedily(configured(update=off_policy(weighting=weighting, self_normalized=True)), 0.5)
    assert_said(config, SELF, FEW)
    found = [mean(FEW, config, size, share=0.5) for size in (1, 2, 3)]
    errors = [(got - FEW.gradient(1.0)).norm().item() for got in found]
    assert_gradient(found[0], mean(FEW, configured(), share=0.5))  # alone, an episode always weighs 1
    assert errors[1] < 0.7 * errors[0]
    assert errors[2] < 0.8 * errors[1]


@measures(TRUNCATED)
def test_truncated_weights_lose_what_is_cut_from_the_likely_episodes() -> None:
    """E_μ[min(w, c) R ∇ log π], in which what μ plays too rarely counts c·μ < π."""
    config = greedily(configured("total-return", update=off_policy(weighting="per-trajectory", truncation=1.2)), 0.5)
    assert_said(config, TRUNCATED, SHORT)
    kept, mixed = 0.0, mixture(SHORT.probabilities, 0.5)
    expected = torch.zeros(4, dtype=torch.float64)
    for episode in SHORT.episodes:
        likely, acted = (episode.probability(table).item() for table in (SHORT.probabilities, mixed))
        kept += min(likely, 1.2 * acted)
        expected += min(1.0, 1.2 * acted / likely) * sum(episode.rewards) * slope(SHORT, episode)
    assert_gradient(mean(SHORT, config, share=0.5), expected)
    assert kept < 0.95
    assert (expected - SHORT.gradient(1.0)).norm().item() > 0.1


@measures(TRUNCATED)
@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_the_lower_the_largest_weight_the_larger_the_bias(weighting: str) -> None:
    errors = []
    for most in (0.0, 2.0, 1.2, 0.8):
        config = greedily(configured(update=off_policy(weighting=weighting, truncation=most)), 0.5)
        errors.append((Enumeration(SHORT, share=0.5).moments(config).mean - SHORT.gradient(1.0)).norm().item())
    assert errors[0] < 1e-4
    assert errors == sorted(errors)
    assert errors[-1] > 0.2


# --- what the update adds ---------------------------------------------------------------------------------------------

SHARED = "Fitting V also moves the layers that the policy shares with it."
STEPS = "The mean over steps divides by the number of steps, which the actions themselves may decide."
ENTROPY = "The entropy bonus is climbed as well as the return."


@measures(SHARED)
def test_fitting_a_shared_value_moves_the_shared_layers_in_proportion_and_not_the_policys_own_head() -> None:
    found = []
    for coefficient in (0.0, 0.5, 1.0):
        config = configured("reward-to-go", {"kind": "shared-value", "coefficient": coefficient})
        assert coefficient == 0.0 or biases(config, replace(FEW.info, time_limit=None)) == (SHARED,)
        policy = Policy(MLPPolicy(hidden_sizes=(3,)), FEW.info, torch.Generator().manual_seed(1), with_value=True)
        learner, total = Learner(config, policy), torch.zeros((), dtype=torch.float64)
        likely = policy(torch.arange(2)).probabilities.detach().double()  # type: ignore[union-attr]
        for episode in FEW.episodes:
            batch = finish(estimate(rollout_of([episode], cut=False), config.estimator, policy, SharedCritic(policy)))
            total = total + episode.probability(likely) * learner.step(batch)
        found.append(total)
    shared = sum(parameter.numel() for parameter in policy.body.parameters())
    of_head = sum(parameter.numel() for parameter in policy.head.parameters())
    pull = found[2] - found[0]
    assert_gradient(found[1] - found[0], 0.5 * pull)
    assert pull[:shared].norm().item() > 0.1
    assert_gradient(pull[shared : shared + of_head], torch.zeros(of_head))


@measures(STEPS)
@pytest.mark.parametrize("kind", ["ppo-clip", "ppo-penalty"])
def test_a_mean_over_steps_turns_the_gradient_of_whole_episodes_less_with_more_of_them(kind: str) -> None:
    """E[Σ/M] is not E[Σ]/E[M]: short episodes count more where there are few, whatever the length of the step."""
    once = {"optimizer": "sgd", "learning_rate": 1.0, "epochs": 1, "minibatch_size": 0, "max_grad_norm": 0.0}
    config = configured(update=once | {"kind": kind})
    assert_said(config, STEPS, TINY)
    one, two = (cosine(mean(TINY, config, size), TINY.gradient(1.0)) for size in (1, 2))
    assert one < 0.999
    assert one < two < 0.99999


@measures(ENTROPY)
@pytest.mark.parametrize("weight", [0.1, 1.0])
def test_the_entropy_bonus_adds_the_slope_of_the_entropy_in_the_states_visited(weight: float) -> None:
    """Not of where it leads to: the states are taken as they come."""
    config = configured(update=ASCENT | {"entropy_coefficient": weight})
    assert_said(config, ENTROPY, TINY)
    visits = exact.discounted_visitation(exact.dynamics_of(TINY.mdp(TINY.limit)), TINY.probabilities, 1.0).sum(0)
    expected = weight * theorem(TINY.theta, visits, -TINY.probabilities.log())
    assert_gradient(mean(TINY, config) - TINY.gradient(1.0), expected)
    assert expected.norm().item() > 0.01
