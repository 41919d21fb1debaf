"""Policies that climb learned action values: gradients by hand, SAC's temperature, and what noise there is in a
gradient that sums over all actions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from engine.algorithms.actor_critic.all_actions import all_actions_gradient, gradient_noise
from engine.algorithms.actor_critic.deterministic import smoothed
from engine.algorithms.actor_critic.squashed import SquashedImprovement, drawn, soft_gradients
from engine.algorithms.actor_critic.temperature import Temperature
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.distribution import policy_of
from engine.catalogue.methods.extent import critic_parameters
from engine.config.actor_critic import SAC
from engine.experience.replay_buffer import Minibatch
from engine.mdp.exact import action_values, discounted_visitation, dynamics_of, policy_gradient
from engine.policies.actor import Actor
from engine.policies.persistent_noise import PersistentNoise
from engine.policies.policy import Policy
from engine.policies.uniform import UniformActor
from engine.training.training import Training
from tests.engine.algorithms.actor_critics import configured, made
from tests.engine.tiny_mdp import TINY

ONE_THREAD = torch.device("cpu")


# --- gradients ------------------------------------------------------------------------------------------------------


def test_the_gradient_with_the_noise_held_still_is_that_of_finite_differences() -> None:
    """Of mean (α log π(a|s) − Q(s, a)) with Q(s, a) = sin(2 a₁) − a₁ a₂²."""
    generator = torch.Generator().manual_seed(0)
    mean, log_std, noise = (torch.randn(3, 2, generator=generator, dtype=torch.float64) for _ in range(3))
    alpha, step = torch.tensor([0.3], dtype=torch.float64), 1e-6

    def cost(mean: torch.Tensor, log_std: torch.Tensor) -> float:
        sample = drawn(mean, log_std, noise)
        first, second = sample.actions.unbind(1)
        return float((alpha * sample.log_probs - (2.0 * first).sin() + first * second.square()).mean())

    sample = drawn(mean, log_std, noise)
    first, second = sample.actions.unbind(1)
    slopes = torch.stack((2.0 * (2.0 * first).cos() - second.square(), -2.0 * first * second), 1)
    found = soft_gradients(sample, slopes, alpha)
    for which in (0, 1):
        for index in np.ndindex(3, 2):
            ends = []
            for sign in (1.0, -1.0):
                moved = [mean.clone(), log_std.clone()]
                moved[which][index] += sign * step
                ends.append(cost(*moved))
            assert float(found[which][index]) == pytest.approx((ends[0] - ends[1]) / (2.0 * step), abs=1e-8)


def test_the_density_of_what_is_drawn_is_that_of_the_policy_in_units_of_its_bounds() -> None:
    config = configured("Pendulum-v1", update="sac")
    _, policy = made(config)
    distribution: Any = policy(torch.randn(5, 3))
    noise = torch.randn(5, 1)
    sample = drawn(distribution.base.mean, distribution.base.log_std, noise)
    latent = distribution.base.mean + distribution.base.log_std.exp() * noise
    assert torch.allclose(sample.log_probs - math.log(2.0), distribution.log_prob(latent), atol=1e-5)


def test_where_both_networks_are_equal_their_slope_counts_once() -> None:
    """min(Q, Q) is Q."""
    gradients = []
    for above in (0.0, 1.0):  # how much more the second network says; then the first is the smaller one
        rule, _ = made(configured("Pendulum-v1", update="sac", update__critic__hidden_sizes=()))
        (weight, bias), batch = rule._online._layers._layers[0], minibatch()
        weight.data.copy_(weight.data[:1].expand_as(weight))
        bias.data.copy_(torch.tensor([[0.0], [above]]))
        rule._policy.vector.zero()
        rule._policy.add_gradient(batch, rule._online)
        gradients.append(rule._policy.vector.gradient.clone())
    torch.testing.assert_close(*gradients)


def minibatch() -> Minibatch:
    seen, nothing = torch.randn(6, 3, generator=torch.Generator().manual_seed(4)), torch.zeros(6)
    return Minibatch(seen, torch.zeros(6, 1), nothing, nothing, seen, *3 * [torch.zeros(6, dtype=torch.int64)])


def test_noise_that_smooths_a_target_is_cut_off_and_leaves_no_bounds() -> None:
    found = smoothed(torch.tensor([[0.9], [-0.2], [0.1]]), torch.tensor([[0.4], [-3.0], [0.3]]), 0.5)
    torch.testing.assert_close(found, torch.tensor([[1.0], [-0.7], [0.4]]))


def test_the_gradient_over_all_actions_is_that_of_autograd() -> None:
    generator = torch.Generator().manual_seed(0)
    logits, values = (torch.randn(4, 3, generator=generator, dtype=torch.float64) for _ in range(2))
    logits.requires_grad_()
    chances = logits.softmax(-1)
    (chances * (0.3 * chances.log() - values)).sum(-1).mean().backward()  # type: ignore[no-untyped-call]
    found = all_actions_gradient(logits.detach().log_softmax(-1), values, 0.3)
    assert torch.allclose(found, logits.grad, atol=1e-12)  # type: ignore[arg-type]


def test_summing_over_all_actions_has_the_mean_of_the_sampled_estimators_and_less_variance() -> None:
    """One step of an endless process, its state drawn by the discounted visits: every case counted by its chance."""
    gamma = 0.8
    dynamics, logits = dynamics_of(TINY.mdp(None)), TINY.theta.double()
    chances = logits.softmax(-1)
    values = action_values(dynamics, chances, gamma)
    visits = discounted_visitation(dynamics, chances, gamma)
    total = visits.sum()
    baseline = (chances * values).sum(-1, keepdim=True)

    def moments(gains: torch.Tensor) -> tuple[torch.Tensor, float]:
        """Of Z ∇ log π(a|s) · gain(s, a), a ~ π."""
        mean, square = torch.zeros_like(logits), 0.0
        for state, action in np.ndindex(*logits.shape):
            gradient = torch.zeros_like(logits)
            gradient[state] = -chances[state]
            gradient[state, action] += 1.0
            gradient *= total * gains[state, action]
            chance = float(visits[state] / total * chances[state, action])
            mean, square = mean + chance * gradient, square + chance * float(gradient.square().sum())
        return mean, square - float(mean.square().sum())

    all_actions, square = torch.zeros_like(logits), 0.0
    for state in range(len(logits)):
        gradient = torch.zeros_like(logits)
        one = slice(state, state + 1)
        gradient[one] = -total * all_actions_gradient(chances[one].log(), values[one], 0.0)
        chance = float(visits[state] / total)
        all_actions, square = all_actions + chance * gradient, square + chance * float(gradient.square().sum())
    variance = square - float(all_actions.square().sum())

    exact = policy_gradient(dynamics, lambda theta: theta.softmax(-1), logits, gamma)
    (with_q, of_q), (with_a, of_a) = moments(values), moments(values - baseline)
    for mean in (all_actions, with_q, with_a):
        assert torch.allclose(mean, exact, atol=1e-10)
    assert variance < 0.6 * min(of_a, of_q)
    wrong = -total * all_actions_gradient(chances.log(), values.flip(-1), 0.0)
    assert not torch.allclose((visits / total).unsqueeze(-1) * wrong, exact, atol=1e-2)


def test_the_noise_that_is_told_of_is_that_of_the_two_gradients() -> None:
    """Over all states and actions, one by one; where a policy is decided there is little to draw, and little noise."""
    generator = torch.Generator().manual_seed(3)
    logits, values = (torch.randn(5, 3, generator=generator, dtype=torch.float64) for _ in range(2))
    chances = logits.softmax(-1)
    each, weights = [], []
    for state, action in np.ndindex(5, 3):
        advantage = values[state, action] - chances[state] @ values[state]
        each.append(advantage * (torch.eye(3, dtype=torch.float64)[action] - chances[state]))
        weights.append(chances[state, action] / 5)
    drawn, share = torch.stack(each), torch.stack(weights).unsqueeze(-1)
    of_all = -5.0 * all_actions_gradient(chances.log(), values, 0.0)
    mean = (share * drawn).sum(0)
    torch.testing.assert_close(mean, of_all.mean(0))
    wanted = (of_all - mean).square().sum(-1).mean().sqrt(), (share * (drawn - mean).square()).sum().sqrt()
    found = gradient_noise(chances.log(), values)
    torch.testing.assert_close(found, wanted)
    assert found[0] < 0.9 * found[1]


@pytest.mark.parametrize(
    ("environment", "values"),
    [
        ("Pendulum-v1", {"update": "sac"}),
        ("Pendulum-v1", {"update": "ddpg"}),
        ("FrozenLake-v1", {"update": "sac", "update__critic__hidden_sizes": ()}),
    ],
)
def test_the_parameters_of_the_action_values_are_counted(environment: str, values: dict[str, Any]) -> None:
    config = configured(environment, **values)
    rule, _ = made(config)
    assert len(rule._online.vector.values) == critic_parameters(config, ENVIRONMENTS[environment])


# --- SAC's temperature ------------------------------------------------------------------------------------------------


def test_an_automatic_temperature_goes_on_from_what_it_is_changed_to() -> None:
    temperature = Temperature(SAC(temperature=0.2), ONE_THREAD)
    temperature.step(torch.tensor(0.0), 1.0, 0.1)
    moved = float(temperature.value)
    temperature.begin(SAC(temperature=0.2))
    assert float(temperature.value) == moved != pytest.approx(0.2)
    temperature.begin(SAC(temperature=0.7))
    assert float(temperature.value) == pytest.approx(0.7)


def test_every_component_of_an_action_has_its_part_of_the_target_entropy() -> None:
    """d H₁ in units in which the bounds are −1 and 1, and as it is told, in the environment's."""
    for id, components, widths in (("Pendulum-v1", 1, [2.0]), ("BipedalWalker-v3", 4, [1.0])):
        config = configured(id, update="sac", update__target_entropy=-0.5)
        environment = ENVIRONMENTS[id]
        policy = Policy(policy_of(config, environment), environment, torch.Generator().manual_seed(1))
        improvement = SquashedImprovement(config, policy, environment, torch.Generator())
        told = improvement.told()
        volume = components * math.log(widths[0])
        assert told["target_entropy"] == pytest.approx(-0.5 * components + volume)
        before = float(improvement._temperature.value)
        improvement._entropy = torch.tensor(-0.5 * components)
        improvement.stepped(0.1)
        assert float(improvement._temperature.value) == before  # which rests where the entropy is at its target


@pytest.mark.parametrize(("entropy", "sign"), [(0.5, 1.0), (1.0, 0.0), (1.5, -1.0)])
def test_the_temperature_rises_where_the_entropy_is_below_its_target_and_rests_on_it(
    entropy: float, sign: float
) -> None:
    temperature = Temperature(SAC(temperature=0.2), ONE_THREAD)
    before = float(temperature.value)
    temperature.step(torch.tensor(entropy), 1.0, 0.01)
    assert np.sign(float(temperature.value) - before) == sign


def test_a_fixed_temperature_stays_and_follows_what_is_set() -> None:
    fixed = SAC(temperature=0.2, automatic_temperature=False)
    temperature = Temperature(fixed, ONE_THREAD)
    temperature.step(torch.tensor(0.0), 1.0, 0.01)
    assert float(temperature.value) == pytest.approx(0.2)
    temperature.begin(fixed.model_copy(update={"temperature": 0.7}))
    assert float(temperature.value) == pytest.approx(0.7)


# --- acting -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("update", ["sac", "td3"])
def test_before_anything_is_learned_actions_are_even_between_their_bounds(update: str) -> None:
    _, policy = made(configured("Pendulum-v1", update=update))
    actor = UniformActor(
        Actor(policy, torch.Generator().manual_seed(0), ONE_THREAD), ENVIRONMENTS["Pendulum-v1"].action, policy.squashes
    )
    actions, _, _ = actor.act(np.zeros((4000, 3), np.float32), None)
    taken = actor.to_environment(actions)
    assert np.abs(taken).max() <= 2.0
    assert np.abs(np.histogram(taken, 8, (-2.0, 2.0))[0] - 500).max() < 100


def test_noise_that_lasts_is_as_wide_as_other_noise_and_alike_from_step_to_step() -> None:
    generator, noise = torch.Generator().manual_seed(0), PersistentNoise(0.9, 2_000, 2, ONE_THREAD)
    first = noise.next(generator).clone()
    steps = torch.stack([noise.next(generator) for _ in range(60)])
    assert float(first.std()) == pytest.approx(math.sqrt(1.0 - 0.9**2), rel=0.03)
    assert float(steps[-1].std()) == pytest.approx(1.0, rel=0.03)
    for lag in (1, 5):
        assert float((steps[-1] * steps[-1 - lag]).mean()) == pytest.approx(0.9**lag, abs=0.05)
    assert abs(float((steps[-1, :, 0] * steps[-1, :, 1]).mean())) < 0.07


@pytest.mark.parametrize("update", ["sac", "td3"])
def test_actions_are_drawn_with_the_noise_that_lasts(update: str) -> None:
    _, policy = made(configured("Pendulum-v1", update=update))
    actor, seen = Actor(policy, torch.Generator().manual_seed(0), ONE_THREAD), torch.randn(3, 3)
    plain = actor.decide(seen, None)[0]
    actor.generator.manual_seed(0)
    actor.noise = PersistentNoise(0.0, 3, 1, ONE_THREAD)  # which is fresh at every step
    assert torch.equal(actor.decide(seen, None)[0], plain)
    actor.noise = PersistentNoise(0.6, 3, 1, ONE_THREAD)
    noise, twin = PersistentNoise(0.6, 3, 1, ONE_THREAD), torch.Generator()
    twin.set_state(actor.generator.get_state())
    with torch.no_grad():
        distribution: Any = policy(seen)
    for _ in range(3):
        wanted = distribution.at(noise.next(twin))
        torch.testing.assert_close(actor.decide(seen, None)[0], wanted)


def test_a_deterministic_policy_is_one_action_with_noise_around_it() -> None:
    _, policy = made(configured("Pendulum-v1", update="td3"))
    policy.temperature = 0.1**2
    with torch.no_grad():
        distribution: Any = policy(torch.zeros(20_000, 3))
    assert torch.equal(distribution.mode(), policy.head(policy.body(torch.zeros(20_000, 3))).tanh())
    spread = (distribution.sample(torch.Generator().manual_seed(0)) - distribution.mode()).std()
    assert float(spread) == pytest.approx(0.1, rel=0.03)
    assert torch.equal(policy.to_environment(torch.tensor([[-1.0], [0.5]])), torch.tensor([[-2.0], [1.0]]))


def test_the_noise_of_a_run_has_the_spread_that_is_chosen() -> None:
    training = Training(configured("Pendulum-v1", update="td3", exploration__noise=0.3))
    with torch.no_grad():
        distribution: Any = training.policy(torch.zeros(20_000, 3))
    training.close()
    spread = (distribution.sample(torch.Generator().manual_seed(0)) - distribution.mode()).std()
    assert float(spread) == pytest.approx(0.3, rel=0.03)
