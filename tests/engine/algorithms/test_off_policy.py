"""Importance sampling: episodes of one policy, the gradient of another, exactly and in its variance."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.algorithms.policy_gradient.off_policy import OffPolicyRule, reweighted, v_traced
from engine.algorithms.policy_gradient.rule import UpdateInput
from engine.catalogue.methods.biases import biases
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.config import PolicyGradientConfig, RunConfig
from engine.config.parameters import with_values
from engine.estimation.estimators import advantages, estimate
from engine.experience.batch import Batch
from engine.maths.importance import effective_sample_size, prefix_log_weights, trajectory_log_weights
from engine.mdp.exact import action_values, discounted_visitation, dynamics_of, state_values
from engine.policies.behaviour import behaviour_log_probs
from engine.policies.gaussian import DiagonalGaussian
from engine.training.training import Training
from engine.values.fitting import ValueFitting
from tests.engine.claims import measures
from tests.engine.sampling import part, sampled
from tests.engine.tiny_mdp import (
    TINY,
    UNROLLED,
    Change,
    Enumeration,
    Learner,
    Process,
    assert_gradient,
    configured,
    finish,
    greedily,
    mean,
    parameters_of,
    rollout_of,
    theorem,
    true_values,
    values,
)
from tests.engine.training.going_on import reports

WEIGHTINGS = ["per-trajectory", "per-decision"]
OLD = torch.tensor([[-0.5, 0.6], [0.9, -0.2]])
OLD_UNROLLED = torch.cat([OLD + 0.2 * t for t in range(4)])
WRONG = (5.0, -3.0)


def off_policy(weighting: str, **fields: Any) -> dict[str, Any]:
    plain = {"kind": "off-policy", "optimizer": "sgd", "learning_rate": 1.0, "updates_per_batch": 1}
    return plain | {"weighting": weighting} | fields


def log_ratios(batch: Batch, new: Tensor, old: Tensor) -> Tensor:
    """log π(a|s) − log μ(a|s) of every step, from the two tables of logits."""
    return (new.log_softmax(-1) - old.log_softmax(-1))[batch.observations, batch.actions]


def weighing(process: Process, old: Tensor, config: RunConfig) -> Change:
    """What the rule does with a batch that the policy with the logits ``old`` has played."""

    def change(batch: Batch) -> Batch:
        return reweighted(UpdateInput(batch, config, 0.0), config.update, log_ratios(batch, process.theta, old)).batch  # type: ignore[arg-type]

    return change


def seen_by(process: Process, old: Tensor, config: RunConfig, **how: Any) -> Enumeration:
    """Estimates for the process's own policy from the episodes of another; only the weights know of both."""
    acting = old.double().softmax(-1)
    return Enumeration(process, change=weighing(process, old, config), acting=acting, **how)


def plainly(config: RunConfig) -> RunConfig:
    """The same estimator, followed by plain ascent."""
    return config.model_copy(update={"update": configured().update})


def assert_unbiased(process: Process, config: RunConfig, old: Tensor, size: int = 1, **how: Any) -> None:
    got = seen_by(process, old, config, **how).moments(plainly(config), size).mean
    assert_gradient(got, process.gradient(config.estimator.gamma))


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("credit", ["total-return", "reward-to-go"])
@pytest.mark.parametrize("gamma", [1.0, 0.5])
def test_episodes_of_another_policy_give_this_ones_gradient(weighting: str, credit: str, gamma: float) -> None:
    late = credit != "total-return" and gamma < 1.0
    assert_unbiased(TINY, configured(credit, update=off_policy(weighting), gamma=gamma, discount_states=late), OLD)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("credit", ["total-return", "reward-to-go"])
def test_leaving_one_out_stays_unbiased_with_weights(weighting: str, credit: str) -> None:
    """The others' average is that of another policy's episodes; a baseline may be."""
    assert_unbiased(TINY, configured(credit, "leave-one-out", update=off_policy(weighting)), OLD, 2)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("credit", ["total-return", "reward-to-go", {"kind": "gae", "gae_lambda": 1.0}])
def test_a_wrong_value_stays_a_harmless_baseline_with_weights(weighting: str, credit: Any) -> None:
    config = configured(credit, "value", update=off_policy(weighting))
    assert_unbiased(TINY, config, OLD, critic=values(WRONG), cut=False)


SHORTCUTS: list[Any] = [{"kind": "gae", "gae_lambda": share} for share in (0.0, 0.4, 0.9)]
SHORTCUTS += [{"kind": "n-step", "n": n} for n in (1, 2)]


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("credit", SHORTCUTS)
def test_the_true_value_makes_every_shortcut_unbiased_with_weights(weighting: str, credit: Any) -> None:
    config = configured(credit, "value", update=off_policy(weighting), gamma=0.5, discount_states=True)
    assert_unbiased(UNROLLED, config, OLD_UNROLLED, critic=values(true_values(0.5)), cut=False)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("share", [0.2, 0.7])
@pytest.mark.parametrize("credit", ["total-return", "reward-to-go"])
def test_greedy_actions_now_and_then_are_weighed_rightly_by_the_rule_itself(
    weighting: str, share: float, credit: str
) -> None:
    config = greedily(configured(credit, update=off_policy(weighting)), share)
    assert biases(config, TINY.info) == ()
    assert_gradient(mean(TINY, config, share=share), TINY.gradient(1.0))


def test_the_second_update_of_a_batch_weighs_by_how_far_the_first_went() -> None:
    config = configured(update=off_policy("per-trajectory", learning_rate=0.3, updates_per_batch=2))
    policy = TINY.policy()
    batch = finish(estimate(rollout_of(TINY.episodes[:5]), config.estimator, policy, None))
    before = parameters_of(policy)
    finish(OffPolicyRule(config.update, policy).update(UpdateInput(batch, config, 0.0)))  # type: ignore[arg-type]
    plain = configured(update={"kind": "gradient-ascent", "optimizer": "sgd", "learning_rate": 0.3})
    first = before + Learner(plain, TINY.policy()).step(batch).float()
    weighed = weighing(replace(TINY, theta=first.view(2, 2)), TINY.theta, config)(batch)
    second = Learner(plain, TINY.policy(first.view(2, 2))).step(weighed).float()
    torch.testing.assert_close(parameters_of(policy), first + second, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("baseline", ["none", "leave-one-out"])
@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_the_first_update_of_a_batch_is_the_plain_one(weighting: str, baseline: str, normalise: bool) -> None:
    """Every ratio is 1 as yet, whatever is done to the advantages."""
    estimator = {"normalize_advantages": normalise, "baseline": baseline}
    config = configured(update=off_policy(weighting), **estimator)
    batch = finish(estimate(rollout_of(TINY.episodes[:6]), config.estimator, TINY.policy(), None))
    plain = Learner(configured(**estimator), TINY.policy()).step(batch)
    assert plain.norm().item() > 0.05
    torch.testing.assert_close(Learner(config, TINY.policy()).step(batch), plain, atol=1e-6, rtol=1e-5)


def test_a_continuous_policys_greedy_actions_weigh_nothing_and_the_others_make_up_for_it() -> None:
    """E_μ[w f(a)] = E_π[f(a)]: with probability κ a greedy action of weight 0, else a sample of weight 1/(1−κ)."""
    gaussian = DiagonalGaussian(torch.zeros(7, 1), torch.zeros(1))
    actions = torch.linspace(-2.0, 2.0, 7).unsqueeze(-1)
    for greedy, expected in ((True, 0.0), (False, 1.0 / 0.7)):
        acted = behaviour_log_probs(gaussian, actions, torch.full((7,), greedy), 0.3)
        weights = (gaussian.log_prob(actions) - acted).exp()
        torch.testing.assert_close(weights, torch.full((7,), expected))


# --- ratios of the wrong steps ----------------------------------------------------------------------------------------


def per_decision_with(spoil: Any) -> Change:
    """Per-decision weighting with ratios, [T, N] on their way to weights, changed by ``spoil``."""
    config = configured().estimator

    def change(batch: Batch) -> Batch:
        ratios = batch.rollout.unflat(log_ratios(batch, TINY.theta, OLD))
        weights = spoil(ratios, batch.rollout.mask).exp()
        weighted = advantages(batch.rollout, config, batch.baseline, weights)
        return replace(batch, advantages=batch.rollout.flat(weighted))

    return change


WRONG_RATIOS = {
    "only those before the step": lambda ratios, mask: prefix_log_weights(ratios, mask) - ratios,
    "only that of the step itself": lambda ratios, mask: ratios,
    "those from the step on": lambda ratios, mask: (ratios * mask).flip(0).cumsum(0).flip(0),
    "none": lambda ratios, mask: torch.zeros_like(ratios),
    "the wrong way round": lambda ratios, mask: -prefix_log_weights(ratios, mask),
}


def test_ratios_up_to_each_step_pass_the_check_that_others_fail() -> None:
    enumeration = Enumeration(TINY, change=per_decision_with(prefix_log_weights), acting=OLD.double().softmax(-1))
    assert_gradient(enumeration.moments(configured()).mean, TINY.gradient(1.0))


@pytest.mark.parametrize("spoil", WRONG_RATIOS.values(), ids=WRONG_RATIOS.keys())
def test_ratios_of_the_wrong_steps_are_caught(spoil: Any) -> None:
    enumeration = Enumeration(TINY, change=per_decision_with(spoil), acting=OLD.double().softmax(-1))
    got = enumeration.moments(configured()).mean
    with pytest.raises(AssertionError):
        assert_gradient(got, TINY.gradient(1.0))
    assert (got - TINY.gradient(1.0)).norm().item() > 0.05


# --- V-trace ----------------------------------------------------------------------------------------------------------

VISITED = "States count as often as the policy that acted came to them, not as often as the present one would."
CUT = "Ratios are cut off, so what carries them counts too little, and the learned value stands in for it."
MU = OLD_UNROLLED.double().softmax(-1)
FREE = {"most_ratio": 1e6, "most_trace": 1e6}
FADING = {"gamma": 0.5, "discount_states": True}


def v_trace_of(credit: Any = "reward-to-go", **fields: Any) -> RunConfig:
    return configured(credit, "value", update=off_policy("v-trace", **fields), **FADING)


def traced(batch: Batch, config: RunConfig) -> tuple[Batch, Tensor]:
    """The batch with V-trace's advantages, and the targets of V."""
    ratios = log_ratios(batch, UNROLLED.theta, OLD_UNROLLED)
    found, targets = v_traced(UpdateInput(batch, config, 0.0), config.update, ratios)  # type: ignore[arg-type]
    return found.batch, targets


def mean_of_v_trace(config: RunConfig) -> Tensor:
    """With the true values, from the episodes of another policy."""
    critic = values(true_values(0.5))
    how = {"critic": critic, "cut": False, "acting": MU, "change": lambda batch: traced(batch, config)[0]}
    return Enumeration(UNROLLED, **how).moments(plainly(config)).mean


def as_visited() -> Tensor:
    """Σ_s d_μ(s) Σ_a ∇π(a|s) Q^π(s, a)."""
    dynamics = dynamics_of(UNROLLED.mdp(UNROLLED.limit))
    visits = discounted_visitation(dynamics, MU, 0.5).sum(0)
    worth = action_values(dynamics, UNROLLED.probabilities, 0.5)  # [H, S, A], states know the time
    steps = torch.arange(UNROLLED.limit).repeat_interleave(2)
    return theorem(UNROLLED.theta, visits, torch.cat((worth[steps, torch.arange(len(steps))], torch.zeros(2, 2))))


@measures(VISITED)
@pytest.mark.parametrize("limits", [FREE, FREE | {"most_trace": 0.5}])
@pytest.mark.parametrize("credit", ["reward-to-go", {"kind": "gae", "gae_lambda": 0.6}])
def test_v_trace_gives_the_gradient_in_the_states_of_the_policy_that_acted(credit: Any, limits: Any) -> None:
    """Where the values are true, however far its traces reach."""
    config = v_trace_of(credit, **limits)
    assert VISITED in biases(greedily(config, 0.2), UNROLLED.info)
    got = mean_of_v_trace(config)
    assert_gradient(got, as_visited())
    assert (got - UNROLLED.gradient(0.5)).norm().item() > 0.05


@measures(CUT)
def test_v_trace_with_ratios_cut_off_gives_too_little() -> None:
    config = v_trace_of(most_ratio=0.6)
    assert CUT in biases(config, UNROLLED.info)
    got, whole = mean_of_v_trace(config), as_visited()
    assert got @ whole / (whole @ whole) < 0.9


def between(most: float) -> Tensor:
    """π_ρ̄ ∝ min(ρ̄ μ, π), what V-trace judges."""
    kept = torch.minimum(most * MU, UNROLLED.probabilities)
    return kept / kept.sum(-1, keepdim=True)


def mean_corrections(config: RunConfig, judged: Tensor) -> Tensor:
    """Of V to its targets in each state, over the episodes of μ, where V is that of the policy ``judged``."""
    dynamics = dynamics_of(UNROLLED.mdp(UNROLLED.limit))
    by_time = state_values(dynamics, judged, 0.5)
    table = torch.zeros(8, dtype=torch.float64)
    table[:6] = by_time[torch.arange(3).repeat_interleave(2), torch.arange(6)]
    sums = torch.zeros(8, dtype=torch.float64)
    for episode in UNROLLED.episodes:
        rollout = rollout_of([episode], cut=False)
        batch = finish(estimate(rollout, config.estimator, UNROLLED.policy(), values(table)))
        off = traced(batch, config)[1] - batch.learned.values
        sums.index_add_(0, batch.observations, float(episode.probability(MU)) * off.double())
    return sums


@pytest.mark.parametrize("most", [0.5, 1.0, 1e6])
def test_what_v_trace_fits_v_to_stays_where_v_is_that_of_a_policy_between_the_two(most: float) -> None:
    """V^π without a bound; with one, V of π_ρ̄ stays, and V^π does not."""
    config = v_trace_of(most_ratio=most, most_trace=0.7)
    torch.testing.assert_close(mean_corrections(config, between(most)), torch.zeros(8).double(), atol=1e-5, rtol=0.0)
    moved = mean_corrections(config, UNROLLED.probabilities).abs().max().item()
    assert moved < 1e-5 if most > 1.0 else moved > 0.02
    assert mean_corrections(config, MU).abs().max().item() > 0.01


@pytest.mark.parametrize("credit", ["reward-to-go", {"kind": "gae", "gae_lambda": 0.6}])
def test_on_its_own_episodes_v_trace_is_the_credit_itself(credit: Any) -> None:
    config = v_trace_of(credit)
    batch = finish(
        estimate(rollout_of(UNROLLED.episodes[:6]), config.estimator, UNROLLED.policy(), values(torch.arange(8.0)))
    )
    given = UpdateInput(batch, config, 0.0)  # type: ignore[arg-type]
    found, targets = v_traced(given, config.update, torch.zeros(batch.size))  # type: ignore[arg-type]
    torch.testing.assert_close(found.batch.advantages, batch.advantages)
    torch.testing.assert_close(targets, batch.learned.targets)


def test_v_is_fitted_to_what_the_policy_after_the_steps_makes_of_the_rollouts(monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"collection.steps": 20, "collection.environments": 2, "policy.hidden_sizes": (4,), "device": "cpu"}
    config = with_values(choose(PolicyGradientConfig(), ALGORITHMS["v-trace"]), small)
    fitted, made = [], []
    rule, fit = OffPolicyRule.update, ValueFitting.fit

    def fitting(self: ValueFitting, batch: Batch, config: Any) -> Any:
        fitted.append(batch.learned.targets)
        return (yield from fit(self, batch, config))

    def update(self: OffPolicyRule, given: UpdateInput) -> Any:
        outcome = yield from rule(self, given)
        made.extend((given.batch.learned.targets, outcome.targets))
        return outcome

    monkeypatch.setattr(OffPolicyRule, "update", update)
    monkeypatch.setattr(ValueFitting, "fit", fitting)
    training = Training(config)
    reports(training, 1)
    training.close()
    before, after = made
    assert fitted == [after]
    assert not torch.equal(before, after)


# --- variance ---------------------------------------------------------------------------------------------------------


def variance(weighting: str, process: Process, old: Tensor, credit: str = "reward-to-go") -> float:
    config = configured(credit, update=off_policy(weighting))
    return seen_by(process, old, config).moments(plainly(config)).variance.sum().item()


@pytest.mark.parametrize("credit", ["total-return", "reward-to-go"])
def test_per_decision_weights_vary_less_than_per_trajectory_weights(credit: str) -> None:
    per_decision, per_trajectory = (variance(w, TINY, OLD, credit) for w in WEIGHTINGS[::-1])
    assert per_decision < 0.9 * per_trajectory


def test_the_variance_of_weighted_estimates_grows_with_the_horizon() -> None:
    """[Jethro]: with many steps the product of ratios becomes very large or very small."""
    for weighting in WEIGHTINGS:
        spread = [variance(weighting, replace(TINY, limit=limit), OLD) for limit in (1, 2, 3, 4)]
        own = [variance(weighting, replace(TINY, limit=limit), TINY.theta) for limit in (1, 2, 3, 4)]
        grown = [one / other for one, other in zip(spread, own, strict=True)]
        assert grown == sorted(grown)
        assert grown[-1] > 1.5 * grown[0]


def log_weights(size: int, limit: int, apart: float) -> Tensor:
    """Of sampled episodes that never end early, under a policy that differs by ``apart`` in every logit."""
    stays = ((((0.5, 1.0, 0), (0.5, 0.0, 1)),) * 2, (((0.5, 1.0, 1), (0.5, 0.0, 0)),) * 2)
    process = Process(stays, torch.zeros(2, 2), limit)
    rollout = sampled(process, size, 3)
    new = torch.tensor([[apart, 0.0], [0.0, apart]])
    ratios = new.log_softmax(-1) - process.theta.log_softmax(-1)
    return trajectory_log_weights(ratios[rollout.observations, rollout.actions], rollout.mask)


def test_the_effective_sample_size_falls_with_the_horizon() -> None:
    """In expectation by the same factor for each step: E[ρ]² / E[ρ²] = 1 / (2 Σ_a π(a)²)."""
    sizes = [effective_sample_size(log_weights(4096, limit, 0.8)) for limit in (1, 4, 16, 64)]
    per_step = 1.0 / (2.0 * torch.tensor([0.8, 0.0]).softmax(-1).square().sum().item())
    assert sizes[0] == pytest.approx(4096 * per_step, rel=0.02)
    assert sizes[1] == pytest.approx(4096 * per_step**4, rel=0.05)
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 0.02 * 4096


def test_the_effective_sample_size_falls_with_the_distance_of_the_policies() -> None:
    sizes = [effective_sample_size(log_weights(4096, 8, apart)) for apart in (0.0, 0.3, 0.6, 1.2, 2.4)]
    assert sizes[0] == 4096.0
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 0.1 * 4096


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_sampled_episodes_of_another_policy_agree_with_the_listed_ones(weighting: str) -> None:
    """Through the collector: batches of 50 episodes, within 4 standard errors."""
    config = configured(update=off_policy(weighting))
    rollout = sampled(TINY, 4000, 7, TINY.policy(OLD))
    learner, found = Learner(plainly(config), TINY.policy()), []
    for low in range(0, 4000, 50):
        batch = finish(estimate(part(rollout, low, low + 50), config.estimator, learner.policy, None))
        found.append(learner.step(weighing(TINY, OLD, config)(batch)))
    gradients = torch.stack(found)
    error = gradients.std(0) / len(found) ** 0.5
    assert ((gradients.mean(0) - TINY.gradient(1.0)).abs() / error).max().item() < 4.0
