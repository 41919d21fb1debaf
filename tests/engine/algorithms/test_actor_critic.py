"""Policies that climb learned action values: gradients and targets by hand, SAC's temperature, and what noise there
is in a gradient that sums over all actions."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

from engine.algorithms.actor_critic.all_actions import (
    AllActionsImprovement,
    all_actions_gradient,
    gradient_noise,
)
from engine.algorithms.actor_critic.deterministic import smoothed
from engine.algorithms.actor_critic.rule import ActorCriticRule
from engine.algorithms.actor_critic.squashed import SquashedImprovement, drawn, soft_gradients
from engine.algorithms.actor_critic.temperature import Temperature
from engine.algorithms.actor_critic.traced import _TRACES, traced_targets
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.distribution import policy_of
from engine.catalogue.methods.extent import critic_parameters
from engine.config import ActorCriticConfig
from engine.config.actor_critic import SAC
from engine.config.parameters import with_values
from engine.experience.replay_buffer import Minibatch, Windows
from engine.experience.transitions import Transitions
from engine.mdp.exact import action_values, discounted_visitation, dynamics_of, policy_gradient
from engine.policies.actor import Actor
from engine.policies.persistent_noise import PersistentNoise
from engine.policies.policy import Policy
from engine.policies.uniform import UniformActor
from engine.runtime.seeds import Seeds
from engine.training.training import Training
from tests.engine.tiny_mdp import ENDED, TINY

ONE_THREAD = torch.device("cpu")


def configured(environment: str, **values: Any) -> ActorCriticConfig:
    config: Any = ActorCriticConfig()
    small = {"environment": environment, "device": "cpu"}
    for path, value in (small | {path.replace("__", "."): value for path, value in values.items()}).items():
        config = with_values(config, {path: value})
    assert isinstance(config, ActorCriticConfig)
    return config


def made(config: ActorCriticConfig) -> tuple[ActorCriticRule, Policy]:
    environment = ENVIRONMENTS[config.environment.id]
    policy = Policy(policy_of(config, environment), environment, torch.Generator().manual_seed(1))
    rule = ActorCriticRule(config, policy, environment, Seeds(1))
    rule.begin(config, 0.0)
    return rule, policy


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


# --- targets --------------------------------------------------------------------------------------------------------

# One episode cut off behind state 3, one that terminates at once, and one under way.
STEPS = Transitions(
    observations=np.array([[0], [1], [2], [5], [6]]),
    actions=np.array([[1], [2], [3], [0], [1]]),
    rewards=np.array([[1.0], [2.0], [4.0], [8.0], [16.0]]),
    terminated=np.array([[False], [False], [False], [True], [False]]),
    truncated=np.array([[False], [False], [True], [False], [False]]),
    next_observations=np.array([[1], [2], [3], [15], [7]]),
    following=np.array([7]),
)
LN_4 = math.log(4.0)


@pytest.mark.parametrize(
    ("update", "n", "expected"),
    [
        ("q-actor-critic", 1, [1 + 0.5 * 4, 2 + 0.5 * 8, 4 + 0.5 * 12, 8, 16 + 0.5 * 28]),
        ("q-actor-critic", 2, [1 + 1 + 0.25 * 8, 2 + 2 + 0.25 * 12, 4 + 0.5 * 12, 8, 16 + 0.5 * 28]),
        ("q-actor-critic", 9, [1 + 1 + 1 + 0.125 * 12, 2 + 2 + 0.25 * 12, 4 + 0.5 * 12, 8, 16 + 0.5 * 28]),
        (
            "sac",
            1,
            [
                1 + 0.5 * (4 + 2 * LN_4),
                2 + 0.5 * (8 + 2 * LN_4),
                4 + 0.5 * (12 + 2 * LN_4),
                8,
                16 + 0.5 * (28 + 2 * LN_4),
            ],
        ),
    ],
)
def test_targets_at_every_kind_of_end(update: str, n: int, expected: list[float]) -> None:
    """The policy is even, and the target network's values in state s are 0, 4 s, 4 s and 8 s, of SAC's second one more:
    4 s on average, and 2 ln 4 for being undecided at the temperature 2."""
    temperature = {"update__automatic_temperature": False, "update__temperature": 2.0} if update == "sac" else {}
    config = configured(
        "FrozenLake-v1",
        policy="tabular",
        update=update,
        update__critic__hidden_sizes=(),
        update__replay__learning_starts=1,
        update__replay__minibatch_size=64,
        estimator__gamma=0.5,
        estimator__n=n,
        **temperature,
    )
    rule, _ = made(config)
    table = torch.arange(16.0) * torch.tensor([0.0, 4.0, 4.0, 8.0]).unsqueeze(1)  # [A, S]
    weights, biases = rule._target._layers._layers[0]
    weights.data.copy_(torch.stack([table + 3.0 * k for k in range(len(weights))]))
    biases.data.zero_()
    list(rule.learn(STEPS))
    (learned,) = rule._learned
    by_age = dict(zip(learned.ages.tolist(), learned.targets.tolist(), strict=True))
    for age, target in zip((4, 3, 2, 1, 0), expected, strict=True):
        assert by_age[age] == pytest.approx(target)


def test_a_trace_counts_later_steps_by_how_the_policy_would_have_taken_them() -> None:
    """As above, over 3 steps of which each has the error 3, 2, −6 in the first episode; the policy and what acted are
    even, so that π/μ is 1 and π is ¼."""
    shares = {"retrace": 1.0, "importance": 1.0, "tree-backup": 0.25}
    for (traces, share), decay in product(shares.items(), (1.0, 0.5)):
        rule, _ = learning(traces, 3, update__trace_lambda=decay)
        list(rule.learn(STEPS))
        (learned,) = rule._learned
        by_age = dict(zip(learned.ages.tolist(), learned.targets.tolist(), strict=True))
        kept = 0.5 * share * decay
        expected = [3 + kept * 2 + kept**2 * -6, 4 + 2 + kept * -6, 16 - 6, 8, 16 + 0.5 * 28]
        assert [by_age[age] for age in (4, 3, 2, 1, 0)] == pytest.approx(expected), (traces, decay)


def learning(traces: str, n: int, **values: Any) -> tuple[ActorCriticRule, Policy]:
    """An even policy over the states of a frozen lake, and target values 0, 4 s, 4 s and 8 s."""
    config = configured(
        "FrozenLake-v1",
        policy="tabular",
        update="q-actor-critic",
        update__traces=traces,
        update__critic__hidden_sizes=(),
        update__replay__learning_starts=1,
        update__replay__minibatch_size=64,
        estimator__gamma=0.5,
        estimator__n=n,
        **values,
    )
    rule, policy = made(config)
    table = torch.arange(16.0) * torch.tensor([0.0, 4.0, 4.0, 8.0]).unsqueeze(1)  # [A, S]
    weights, biases = rule._target._layers._layers[0]
    weights.data.copy_(table.expand_as(weights))
    biases.data.zero_()
    return rule, policy


def test_how_likely_an_action_was_is_that_of_what_acted() -> None:
    """Blind choice first, later the policy as it was then, whatever has become of it since."""
    rule, policy = learning("retrace", 2)
    list(rule.learn(STEPS))
    rule._policy.vector.values.copy_(torch.linspace(-1.0, 1.0, 64))
    with torch.no_grad():
        log_probs = policy(torch.from_numpy(STEPS.observations[:, 0])).log_prob(torch.from_numpy(STEPS.actions[:, 0]))  # type: ignore[attr-defined]
    list(rule.learn(STEPS))
    rule._policy.vector.values.zero_()
    kept = rule._replay._buffer._log_probs  # type: ignore[union-attr]
    assert kept[:5].tolist() == pytest.approx([-LN_4] * 5)
    assert kept[5:10].tolist() == pytest.approx(log_probs.tolist(), abs=1e-6)


ACTED = torch.tensor([[0.9, 0.1], [0.25, 0.75]])  # μ


def mean_targets(traces: str, gamma: float, values: torch.Tensor) -> torch.Tensor:
    """Of each state and action [S, A] over all windows of two steps that μ may take, each with its chance, with these
    ``values`` in the target network."""
    rule, _ = learning(traces, 2)
    logits = rule._policy.vector.values.view(16, 4)
    logits.fill_(-1e9)  # of the actions that there are not
    logits[:2, :2] = TINY.theta
    rule._target._layers._layers[0][0].data[0, :2, :2] = values.T.float()
    rows: list[tuple[float, ...]] = []  # what a window begins with, its chance, and its two steps
    for state, action in np.ndindex(2, 2):
        for chance, reward, later in TINY.outcomes[state][action]:
            first = (state, action, reward, max(later, 0), float(later != ENDED))
            if later == ENDED:
                rows.append((state, action, chance, *first, *first))
                continue
            for second in (0, 1):
                for then, its_reward, end in TINY.outcomes[later][second]:
                    step = (later, second, its_reward, max(end, 0), float(end != ENDED))
                    rows.append((state, action, chance * then * float(ACTED[later, second]), *first, *step))
    table = torch.tensor(rows, dtype=torch.float64)
    states, actions, rewards, following, goes_on = torch.cat((table[:, 3:8], table[:, 8:])).unbind(1)
    nothing = torch.zeros(len(states), dtype=torch.int64)
    steps = Minibatch(
        *(states.long(), actions.long(), rewards.float(), gamma * goes_on.float(), following.long()), *3 * [nothing]
    )
    log_probs = ACTED.log()[states.long(), actions.long()].view(2, -1)
    carry = torch.stack((gamma * table[:, 7].float(), torch.zeros(len(table))))
    assert isinstance(rule._policy, AllActionsImprovement)
    with torch.no_grad():
        found = traced_targets(Windows(steps, carry, log_probs), rule._update, rule._policy, rule._target)  # type: ignore[arg-type]
    sums = torch.zeros(2, 2, dtype=torch.float64)
    return sums.index_put_((table[:, 0].long(), table[:, 1].long()), table[:, 2] * found.double(), accumulate=True)


PI = TINY.theta.double().softmax(-1)
# How often a step is taken and then counts: μ(a|s) κ(a|s).
COUNTED = {"retrace": torch.minimum(ACTED, PI), "tree-backup": ACTED * PI, "importance": PI}


@pytest.mark.parametrize("traces", COUNTED)
def test_the_mean_target_leads_to_the_values_of_the_policy_whatever_acts(
    traces: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Q^π stays; from other values Q it is T Q + γ Σ P μ κ (T Q − Q), with T of the policy. Counting every step fully
    gives something else."""
    gamma, dynamics = 0.8, dynamics_of(TINY.mdp(None))

    def backed_up(values: torch.Tensor) -> torch.Tensor:
        return dynamics.rewards + gamma * dynamics.continuing @ (PI * values).sum(-1)

    true = action_values(dynamics, PI, gamma)
    torch.testing.assert_close(mean_targets(traces, gamma, true), true, atol=1e-5, rtol=0.0)
    values = torch.tensor([[2.0, -1.0], [0.5, 3.0]], dtype=torch.float64)
    once = backed_up(values)
    wanted = once + gamma * dynamics.continuing @ (COUNTED[traces] * (once - values)).sum(-1)
    torch.testing.assert_close(mean_targets(traces, gamma, values), wanted, atol=1e-5, rtol=0.0)
    if traces == "importance":  # which is the policy's own two steps
        torch.testing.assert_close(wanted, backed_up(once))
    monkeypatch.setitem(_TRACES, traces, lambda log_probs, log_ratios, decay: torch.ones_like(log_probs))
    assert float((mean_targets(traces, gamma, values) - wanted).abs().max()) > 0.1


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
