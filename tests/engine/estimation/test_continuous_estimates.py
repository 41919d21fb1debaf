"""The mean of continuous policies' estimates, by quadrature over actions, against closed forms.

One step in one state, paid by the action; the density that weighs the actions is the policy's own, so a density that is
wrong, or that forgets how the bounds squeeze it, shows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.algorithms.policy_gradient.off_policy import OffPolicyRule
from engine.algorithms.policy_gradient.rule import UpdateInput
from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config.policies import LinearPolicy
from engine.experience.batch import NO_BASELINE, Batch
from engine.experience.rollouts import Rollout
from engine.policies.distributions import Beta, DiagonalGaussian, TanhGaussian
from engine.policies.policy import Policy
from tests.engine.tiny_mdp import Learner, configured, finish, greedily, parameters_of

LOW, HIGH = -2.0, 3.0
MIDDLE, HALF = 0.5, 2.5
STATE = torch.tensor([0.7])
INFO = EnvironmentInfo("Aim", "Aim", "", Space("box", 1), Space("box", 1, bounds=((LOW, HIGH),)))
ROWS = 20_001


def policy_of(distribution: str, spread: str) -> Policy:
    config = LinearPolicy(distribution=distribution, spread=spread)  # type: ignore[arg-type]
    policy = Policy(config, INFO, torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(0.4 * torch.randn(parameter.shape, generator=generator))
    return policy


def paid(actions: Tensor) -> Tensor:
    return actions.square() - 0.5 * actions


def expected_pay(policy: Policy) -> Tensor:
    """E[a² − a/2] from the distribution's own moments, or over its latent normal variable."""
    distribution = policy(STATE.unsqueeze(0))
    if isinstance(distribution, DiagonalGaussian):
        mean = MIDDLE + HALF * distribution.mean[0, 0]
        deviation = HALF * distribution.log_std.reshape(-1)[0].exp()
        return mean.square() + deviation.square() - 0.5 * mean
    if isinstance(distribution, Beta):
        one, total = distribution.alpha[0, 0], (distribution.alpha + distribution.beta)[0, 0]
        mean, square = one / total, one * (one + 1.0) / (total * (total + 1.0))
        width = HIGH - LOW
        return LOW**2 + 2.0 * LOW * width * mean + width**2 * square - 0.5 * (LOW + width * mean)
    assert isinstance(distribution, TanhGaussian)
    nodes = torch.linspace(-8.0, 8.0, 4001, dtype=torch.float64)
    weights = (-0.5 * nodes.square()).softmax(0)
    base = distribution.base
    latent = base.mean[0, 0].double() + base.log_std.reshape(-1)[0].double().exp() * nodes
    return (weights * paid(LOW + (HIGH - LOW) * (latent.tanh() + 1.0) / 2.0)).sum()


def taken_by(policy: Policy) -> Tensor:
    """What the environment may take, evenly spread over where there is any probability, [K, 1]."""
    unbounded = isinstance(policy(STATE.unsqueeze(0)), DiagonalGaussian)
    low, high = (-30.0, 30.0) if unbounded else (LOW, HIGH)
    step = (high - low) / ROWS
    return (torch.arange(ROWS) * step + low + step / 2.0).unsqueeze(-1)


def actions_for(policy: Policy, taken: Tensor) -> Tensor:
    """The policy's actions of which the environment takes ``taken``."""
    distribution = policy(STATE.unsqueeze(0))
    if isinstance(distribution, DiagonalGaussian):
        return (taken - MIDDLE) / HALF
    logits = ((taken - LOW) / (HIGH - LOW)).double().logit().float()
    return logits if isinstance(distribution, Beta) else 0.5 * logits


Density = Callable[[Any, Tensor], Tensor]


def own_density(distribution: Any, actions: Tensor) -> Tensor:
    found: Tensor = distribution.log_prob(actions)
    return found.exp()


def weighted_batch(policy: Policy, density: Density, pay: Callable[[Tensor], Tensor] = paid) -> Batch:
    """Every action as an episode of one step, credited with its pay times how likely it is: means become integrals."""
    taken = taken_by(policy)
    actions = actions_for(policy, taken)
    torch.testing.assert_close(policy.to_environment(actions), taken, atol=1e-4, rtol=0.0)
    with torch.no_grad():
        often = density(policy(STATE.expand(ROWS, 1)), actions).double() * (taken[1] - taken[0]).double()
    yes = torch.ones(1, ROWS, dtype=torch.bool)
    rollout = Rollout(
        observations=STATE.expand(1, ROWS, 1),
        actions=actions.unsqueeze(0),
        rewards=torch.zeros(1, ROWS),
        terminated=yes,
        truncated=~yes,
        mask=yes,
        elapsed=torch.zeros(1, ROWS, dtype=torch.int64),
        final_observations=torch.zeros(0, 1),
    )
    credit = (ROWS * often * pay(taken.squeeze(-1)).double()).float()
    return Batch(rollout, credit, torch.ones(ROWS), NO_BASELINE)


def exact_gradient(policy: Policy) -> Tensor:
    return torch.cat([g.flatten() for g in torch.autograd.grad(expected_pay(policy), list(policy.parameters()))])


KINDS = [
    ("gaussian", "one"),
    ("gaussian", "per-state"),
    ("tanh-gaussian", "one"),
    ("tanh-gaussian", "per-state"),
    ("beta", "one"),
]


def mean_of(policy: Policy, density: Density) -> Tensor:
    return Learner(configured(), policy).step(weighted_batch(policy, density))


@pytest.mark.parametrize(("distribution", "spread"), KINDS)
def test_the_mean_estimate_is_the_slope_of_the_expected_pay(distribution: str, spread: str) -> None:
    policy = policy_of(distribution, spread)
    expected = exact_gradient(policy)
    torch.testing.assert_close(mean_of(policy, own_density), expected.double(), atol=2e-3, rtol=2e-3)
    assert expected.norm().item() > 0.3


@pytest.mark.parametrize(("distribution", "spread"), KINDS)
def test_any_constant_may_be_subtracted(distribution: str, spread: str) -> None:
    policy = policy_of(distribution, spread)
    constant = Learner(configured(), policy).step(weighted_batch(policy, own_density, lambda a: 0.0 * a + 5.0))
    torch.testing.assert_close(constant, torch.zeros_like(constant), atol=5e-3, rtol=0.0)


def without_the_squeeze(distribution: TanhGaussian, actions: Tensor) -> Tensor:
    """The latent density at the action, its Jacobian forgotten."""
    return distribution.base.log_prob(actions).exp()


def off_by_the_width(distribution: Beta, actions: Tensor) -> Tensor:
    """The density on the unit interval, not on the bounds."""
    return own_density(distribution, actions) * (HIGH - LOW)


@pytest.mark.parametrize(
    ("distribution", "broken"), [("tanh-gaussian", without_the_squeeze), ("beta", off_by_the_width)]
)
def test_a_density_that_forgets_how_the_bounds_squeeze_it_is_caught(distribution: str, broken: Density) -> None:
    policy = policy_of(distribution, "one")
    with pytest.raises(AssertionError):
        torch.testing.assert_close(mean_of(policy, broken), exact_gradient(policy).double(), atol=2e-3, rtol=2e-3)


@pytest.mark.parametrize("share", [0.25, 0.6])
def test_off_policy_ascent_undoes_a_share_of_greedy_actions(share: float) -> None:
    """Of sampled and greedy actions, in the shares in which they are acted, only the sampled ones weigh."""
    policy = policy_of("gaussian", "one")
    expected = exact_gradient(policy)
    rule = {"kind": "off-policy", "optimizer": "sgd", "learning_rate": 1.0, "updates_per_batch": 1}
    config = greedily(configured(update=rule), share)
    sampled = weighted_batch(policy, own_density)
    with torch.no_grad():
        mode = policy(STATE.expand(1, 1)).mode()
    pay = torch.cat(
        (
            2.0 * (1.0 - share) * sampled.advantages,
            torch.full((ROWS,), 2.0 * share * paid(policy.to_environment(mode)).item()),
        )
    )
    yes = torch.ones(1, 2 * ROWS, dtype=torch.bool)
    rollout = Rollout(
        observations=STATE.expand(1, 2 * ROWS, 1),
        actions=torch.cat((sampled.actions, mode.expand(ROWS, 1))).unsqueeze(0),
        rewards=pay.unsqueeze(0),
        terminated=yes,
        truncated=~yes,
        mask=yes,
        elapsed=torch.zeros(1, 2 * ROWS, dtype=torch.int64),
        final_observations=torch.zeros(0, 1),
        greedy=torch.arange(2 * ROWS).unsqueeze(0) >= ROWS,
        greedy_share=share,
    )
    before = parameters_of(policy)
    given = UpdateInput(Batch(rollout, pay, torch.ones_like(pay), NO_BASELINE), config, 0.0)
    finish(OffPolicyRule(config.update, policy).update(given))  # type: ignore[arg-type]
    moved = (parameters_of(policy) - before).double()
    torch.testing.assert_close(moved, expected.double(), atol=5e-3, rtol=5e-3)


def test_the_moments_are_those_of_samples() -> None:
    """What the closed forms stand on."""
    for distribution, spread in KINDS:
        policy = policy_of(distribution, spread)
        with torch.no_grad():
            actions = policy(STATE.expand(100_000, 1)).sample(torch.Generator().manual_seed(0))
            drawn = paid(policy.to_environment(actions)).double()
            off = (drawn.mean() - expected_pay(policy)).abs()
        assert off.item() < 4.0 * drawn.std().item() / 100_000**0.5
