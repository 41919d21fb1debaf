"""The map of J(θ), and the paths across it: every number beside one that is computed another way."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.analysis.landscape.place import allowed_steps, place_at
from engine.analysis.landscape.race import (
    PPO_EPOCHS,
    PPO_RATE,
    RACERS,
    Instant,
    RacerName,
    RaceSettings,
    SampledRacer,
    race,
)
from engine.analysis.landscape.worlds import GAMMA, WORLDS, Pair, World
from engine.mdp.exact import action_values, discounted_visitation, expected_return

TWO_STATES = WORLDS["two-states"]
SETTINGS = RaceSettings(learning_rate=0.05, natural_rate=0.1, max_kl=0.01, episodes=32)
each_world = pytest.mark.parametrize("world", WORLDS.values(), ids=lambda world: world.name)


def places(world: World, count: int = 5) -> Tensor:
    """Some θ of its region, [count, 2]."""
    low, high = torch.tensor(world.region, dtype=torch.float64).unbind(-1)
    return low + (high - low) * torch.rand(count, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


def instants(world: World, *racers: RacerName, steps: int = 1, settings: RaceSettings = SETTINGS) -> list[Instant]:
    return list(islice(race(world, world.start, settings, racers), steps + 1))


def by_differences(world: World, theta: Pair) -> NDArray[np.float64]:
    """∇J from J alone."""
    apart = 1e-5 * torch.eye(2, dtype=torch.float64)
    there = torch.tensor(theta, dtype=torch.float64)
    return ((world.returns(there + apart) - world.returns(there - apart)) / 2e-5).numpy()


# --- the map ----------------------------------------------------------------------------------------------------------


@each_world
def test_the_map_is_exact(world: World) -> None:
    theta = places(world)
    exact = [expected_return(world.dynamics, world.probabilities(each), GAMMA).item() for each in theta]
    assert world.returns(theta).tolist() == pytest.approx(exact, rel=1e-12)
    assert all(low <= at <= high for at, (low, high) in zip(world.start, world.region, strict=True))


def test_the_map_is_what_episodes_come_to() -> None:
    """Played here from the tables of outcomes themselves."""
    world, theta = TWO_STATES, torch.tensor([0.4, -0.7], dtype=torch.float64)
    mdp, policy = world.mdp, world.probabilities(theta).numpy()
    generator, episodes = np.random.default_rng(4), 20_000
    states = generator.choice(mdp.states, episodes, p=mdp.initial)
    paid = np.zeros(episodes)
    assert mdp.horizon is not None
    for _ in range(mdp.horizon):
        actions = (generator.random(episodes) >= policy[states, 0]).astype(np.int64)
        paid += mdp.rewards[states, actions, 0]
        states = mdp.next_states[states, actions, 0]
    spread = paid.std() / np.sqrt(episodes)
    assert abs(paid.mean() - world.returns(theta.unsqueeze(0)).item()) < 4.0 * spread


def test_closed_forms() -> None:
    """J = p − 3 p² of the ledge, and the best share of going right in the switched corridor, 2 − √2."""
    theta = places(WORLDS["ledge"])
    on = theta.prod(-1).sigmoid()
    assert torch.allclose(WORLDS["ledge"].returns(theta), on - 3.0 * on**2)
    shares = torch.linspace(0.55, 0.62, 701, dtype=torch.float64)
    logits = torch.stack((torch.zeros_like(shares), shares.logit()), -1)
    best = shares[WORLDS["switched-corridor"].returns(logits).argmax()].item()
    assert best == pytest.approx(2.0 - 2.0**0.5, abs=2e-3)
    exits = WORLDS["two-exits"]
    sure = torch.tensor([[-60.0, 0.0], [60.0, 0.0]], dtype=torch.float64)
    assert exits.returns(sure).tolist() == pytest.approx([2.0 - 2 * 0.5, 6.0 - 4 * 0.5])


# --- what is known at a place -----------------------------------------------------------------------------------------


@each_world
def test_the_gradient_at_a_place(world: World) -> None:
    for theta in places(world, 3).tolist():
        there = place_at(world, tuple(theta), 0.01)
        assert there.gradient == pytest.approx(by_differences(world, tuple(theta)), rel=1e-4, abs=1e-7)
        assert there.value == pytest.approx(world.returns(torch.tensor([theta], dtype=torch.float64)).item())


@each_world
def test_the_fisher_matrix_is_how_fast_policies_part(world: World) -> None:
    """½ sᵀ F̄ s beside the divergence itself, in the states that are visited, for a short s."""
    (theta,) = places(world, 1)
    there = place_at(world, tuple(theta.tolist()), 0.01)
    policy = world.probabilities(theta)
    visits = discounted_visitation(world.dynamics, policy, GAMMA).sum(0)
    for step in torch.tensor([[1e-3, 0.0], [0.0, 1e-3], [1e-3, -1e-3]], dtype=torch.float64):
        apart = (policy * (policy.log() - world.probabilities(theta + step).log())).sum(-1)
        told = 0.5 * step.numpy() @ there.fisher @ step.numpy()
        assert told == pytest.approx((visits @ apart / visits.sum()).item(), rel=5e-3, abs=1e-13)


def test_the_steps_that_are_allowed() -> None:
    fisher = np.array([[2.0, 0.0], [0.0, 0.5]])
    steps = allowed_steps(fisher, 0.01)
    assert 0.5 * np.einsum("ni,ij,nj->n", steps, fisher, steps) == pytest.approx(0.01)
    assert np.abs(steps).max(0) == pytest.approx([0.1, 0.2])
    lost = allowed_steps(np.array([[1.0, -1.0], [-1.0, 1.0]]), 0.01)  # (1, 1) changes nothing
    assert np.abs(lost).max() > 100.0
    assert np.abs(lost[:, 0] - lost[:, 1]).max() == pytest.approx(0.02**0.5)  # ½ (s₁ − s₂)² = δ


# --- first steps ------------------------------------------------------------------------------------------------------


@each_world
def test_gradient_ascent_begins_along_the_gradient(world: World) -> None:
    _, after = instants(world, "gradient")
    gradient = by_differences(world, world.start)
    assert after.theta[0] == pytest.approx(world.start + SETTINGS.learning_rate * gradient, rel=1e-6, abs=1e-8)
    _, other = instants(world, "gradient", settings=replace(SETTINGS, stretch=3.0))
    expected = world.start + SETTINGS.learning_rate * np.array([1.0, 9.0]) * gradient
    assert other.theta[0] == pytest.approx(expected, rel=1e-6, abs=1e-8)
    assert after.returns[0] == pytest.approx(world.returns(torch.from_numpy(after.theta)).item())


def test_the_natural_gradient_begins_with_what_an_action_gains() -> None:
    """With a logit for each state it is α (Q(s, stay) − Q(s, change)), averaged over the time steps by the visits."""
    _, after = instants(TWO_STATES, "natural")
    policy = TWO_STATES.probabilities(torch.tensor(TWO_STATES.start, dtype=torch.float64))
    table = action_values(TWO_STATES.dynamics, policy, GAMMA)
    visits = discounted_visitation(TWO_STATES.dynamics, policy, GAMMA)
    gains = (visits * (table[..., 0] - table[..., 1])).sum(0) / visits.sum(0)
    assert after.theta[0] == pytest.approx(np.array(TWO_STATES.start) + SETTINGS.natural_rate * gains.numpy(), rel=1e-5)


class Sample:
    """The first batch of a racer of two states, and its scores and advantages, written out."""

    def __init__(self, name: RacerName) -> None:
        racer = RACERS[name].make(TWO_STATES, TWO_STATES.start, SETTINGS)
        assert isinstance(racer, SampledRacer)
        batch = racer.batch()
        self.states, self.actions = batch.observations, batch.actions
        rewards = batch.rollout.rewards.double()
        credit = rewards.flip(0).cumsum(0).flip(0)  # [T, N]
        self.advantages = (credit - credit.mean(1, keepdim=True)).T.flatten()

    def stays(self, theta: Tensor) -> Tensor:
        """π(stay|s) of every step."""
        return theta[self.states].sigmoid()

    def log_probs(self, theta: Tensor) -> Tensor:
        stays = self.stays(theta)
        return torch.where(self.actions == 0, stays, 1.0 - stays).log()

    @property
    def scores(self) -> Tensor:
        """∇ log π [M, 2] at the start."""
        theta = torch.tensor(TWO_STATES.start, dtype=torch.float64)
        along = (self.actions == 0).double() - self.stays(theta)
        return torch.nn.functional.one_hot(self.states, 2) * along.unsqueeze(-1)


START = torch.tensor(TWO_STATES.start, dtype=torch.float64)


def test_reinforce_begins_along_its_estimate() -> None:
    sample = Sample("stochastic")
    estimate = (sample.scores * sample.advantages.unsqueeze(-1)).sum(0) / SETTINGS.episodes
    _, after = instants(TWO_STATES, "stochastic")
    assert after.theta[0] == pytest.approx((START + SETTINGS.learning_rate * estimate).numpy(), rel=1e-5)


def test_trpo_begins_at_the_edge_of_its_trust_region() -> None:
    """√(2 δ / gᵀF⁻¹g) F⁻¹g, or a backtracked part of it."""
    sample = Sample("trpo")
    gradient = (sample.scores * sample.advantages.unsqueeze(-1)).mean(0)
    stays = START.sigmoid()
    shares = torch.bincount(sample.states, minlength=2) / len(sample.states)
    direction = gradient / (shares * stays * (1.0 - stays) + 1e-4)
    longest = (2.0 * SETTINGS.max_kl / (gradient @ direction)).sqrt() * direction
    _, after = instants(TWO_STATES, "trpo")
    fractions = (torch.from_numpy(after.theta[0]) - START) / longest
    assert fractions[0].item() == pytest.approx(fractions[1].item(), rel=1e-4)
    backtracked = [0.8**tries for tries in range(10)]
    assert min(abs(fractions[0].item() - each) for each in backtracked) < 1e-4


def test_ppo_begins_as_its_surrogate_written_out_with_adam() -> None:
    sample = Sample("ppo")
    theta = START.clone().requires_grad_()
    old = sample.log_probs(START)
    adam = torch.optim.Adam([theta], lr=PPO_RATE)
    for _ in range(PPO_EPOCHS):
        ratios = (sample.log_probs(theta) - old).exp()
        kept = ratios.clamp(1.0 - SETTINGS.clip_range, 1.0 + SETTINGS.clip_range)
        loss = -torch.minimum(ratios * sample.advantages, kept * sample.advantages).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
    _, after = instants(TWO_STATES, "ppo")
    assert after.theta[0] == pytest.approx(theta.detach().numpy(), rel=1e-4)


# --- the paths --------------------------------------------------------------------------------------------------------


def test_the_natural_path_does_not_depend_on_what_the_parameters_are_measured_in() -> None:
    """θ = A φ: the same policies in other coordinates. Its path stays, the gradient's does not."""
    turned = torch.tensor([[1.0, 0.5], [0.0, 3.0]], dtype=torch.float64)
    start = torch.linalg.solve(turned, START)

    def logits(phi: Tensor) -> Tensor:
        return TWO_STATES.logits(phi @ turned.T)

    other = replace(TWO_STATES, logits=logits, start=(start[0].item(), start[1].item()))
    here, there = (instants(world, "natural", "gradient", steps=10) for world in (TWO_STATES, other))
    stretched = instants(TWO_STATES, "natural", "gradient", steps=10, settings=replace(SETTINGS, stretch=5.0))
    for seen in ([each.theta @ turned.T.numpy() for each in there], [each.theta for each in stretched]):
        natural, plain = (max(np.abs(a.theta[i] - b[i]).max() for a, b in zip(here, seen, strict=True)) for i in (0, 1))
        assert natural < 1e-5
        assert plain > 0.1


def test_on_the_plateau_the_gradient_crawls_and_the_natural_gradient_goes() -> None:
    settings = replace(SETTINGS, natural_rate=0.3)
    last = instants(TWO_STATES, "gradient", "natural", steps=25, settings=settings)[-1]
    assert last.returns[0] < 20.0  # stays in i
    assert last.returns[1] > 37.0  # stays in j


def test_the_mean_step_of_reinforce_is_the_gradient() -> None:
    settings = replace(SETTINGS, learning_rate=1.0)
    racer: Any = RACERS["stochastic"].make(TWO_STATES, TWO_STATES.start, settings)
    theta = next(racer.policy.parameters())
    steps = []
    for _ in range(80):
        racer.step()
        steps.append((theta.detach() - START).numpy().copy())
        with torch.no_grad():
            theta.copy_(START)
    found, count = np.array(steps), settings.episodes
    expected = (1.0 - 1.0 / count) * by_differences(TWO_STATES, TWO_STATES.start)
    spread = found.std(0, ddof=1) / np.sqrt(len(found))
    assert np.all(np.abs(found.mean(0) - expected) < 3.0 * spread)
    assert np.all(np.abs(expected) > 3.0 * spread)  # else the interval would say nothing


def test_a_race_is_repeated_by_its_seed() -> None:
    racers: tuple[RacerName, ...] = ("stochastic", "trpo", "ppo")
    first, again, other = (
        instants(TWO_STATES, *racers, steps=3, settings=replace(SETTINGS, seed=seed)) for seed in (1, 1, 2)
    )
    assert all(np.array_equal(a.theta, b.theta) for a, b in zip(first, again, strict=True))
    assert not np.allclose(first[-1].theta, other[-1].theta)


def test_who_runs_off_stays_where_he_was() -> None:
    """Logits of e^θ soon leave the numbers there are."""
    steep = replace(TWO_STATES, logits=lambda theta: TWO_STATES.logits(theta.exp()), start=(3.0, 3.0))
    found = instants(steep, "natural", "gradient", steps=6, settings=replace(SETTINGS, natural_rate=100.0))
    assert all(np.isfinite(each.theta).all() and np.isfinite(each.returns).all() for each in found)
    assert np.array_equal(found[-1].theta[0], found[-2].theta[0])
