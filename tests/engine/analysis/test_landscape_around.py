"""The return around a policy: directions by hand values, returns beside exact ones, intervals that hold them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from engine.analysis.landscape.directions import (
    across,
    acting_part,
    along,
    filter_normalized,
    gradients_at,
    parameters_of,
    random_direction,
    scale_of,
)
from engine.analysis.landscape.episodes import CommonEpisodes, by_inversion, student
from engine.analysis.landscape.race import done
from engine.analysis.landscape.scan import Spot, coarse_to_fine, line, plane
from engine.analysis.playback import PolicySnapshot, snapshot
from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.environments.making.known_dynamics import played_process
from engine.environments.making.lookup import inspect
from engine.mdp.exact import dynamics_of, exact_gradient, expected_return, softmax_policy
from engine.mdp.natural_gradient import natural_gradient
from engine.policies.policy import Policy
from engine.runtime.errors import RequestError


def kept(id: str, values: dict[str, Any], *, with_value: bool = False, epsilon: float | None = None) -> PolicySnapshot:
    """A policy with parameters drawn at random."""
    config = with_values(PolicyGradientConfig(), {"environment.id": id} | values)
    environment = inspect(id, config.environment.options)
    policy = Policy(config.policy, environment, torch.Generator().manual_seed(0), with_value)
    policy.epsilon = epsilon
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(0.5 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(2)))
    return snapshot(policy, config, environment, 1)


TABLE = {"policy": "tabular", "environment.options.length": 4, "estimator.gamma": 1.0}
SMALL = {"policy.hidden_sizes": (4,)}


def exact_return(kept: PolicySnapshot, rows: torch.Tensor) -> float:
    mdp = played_process(kept.config.environment)
    assert mdp is not None
    return expected_return(dynamics_of(mdp), softmax_policy(rows.double()), 1.0).item()


# --- directions -------------------------------------------------------------------------------------------------------


def test_filter_normalisation_by_hand() -> None:
    weights = torch.tensor([[3.0, 4.0], [0.0, 2.0]])
    found = filter_normalized(torch.tensor([[1.0, 0.0], [-1.0, 1.0]]), weights)
    assert torch.allclose(found, torch.tensor([[5.0, 0.0], [-(2.0**0.5), 2.0**0.5]]))
    assert not filter_normalized(torch.ones(3), torch.ones(3)).any()  # biases stay as they are
    kernels = filter_normalized(torch.ones(2, 1, 2, 2), torch.stack([torch.full((1, 2, 2), 3.0), torch.zeros(1, 2, 2)]))
    assert kernels.flatten(1).tolist() == [[3.0] * 4, [0.0] * 4]


def test_a_random_direction_has_the_networks_own_filters() -> None:
    shown = kept("CartPole-v1", SMALL, with_value=True)
    vector, at = random_direction(shown, 5).vector, 0
    acting = [part for name, part in shown.state.items() if not name.startswith("value_head")]
    weights = [part.square().sum() for part in acting if part.dim() > 1]
    longer = (sum(part.square().sum() for part in acting) / sum(weights)) ** 0.5  # by as much as biases add
    assert longer > 1.01
    for name, parameter in shown.state.items():
        part, at = vector[at : at + parameter.numel()].view_as(parameter), at + parameter.numel()
        if parameter.dim() > 1 and not name.startswith("value_head"):
            assert torch.allclose(part.norm(dim=1), longer * parameter.norm(dim=1))
        else:
            assert not part.any()
    assert at == len(vector) == len(parameters_of(shown))
    assert vector.norm().item() == pytest.approx(scale_of(shown))  # the unit of places along it
    assert torch.equal(vector, random_direction(shown, 5).vector)
    assert not torch.equal(vector, random_direction(shown, 6).vector)


def test_directions_are_as_long_as_the_parameters() -> None:
    shown = kept("CartPole-v1", SMALL, with_value=True)
    raw = torch.arange(len(parameters_of(shown)), dtype=torch.float32)
    first = along("step", raw, shown)
    assert first.vector.norm().item() == pytest.approx(scale_of(shown))
    assert first.length == pytest.approx((raw * acting_part(shown)).norm().item())
    second = across(along("gradient", raw.cos(), shown), first)
    assert abs(second.vector @ first.vector).item() < 1e-3
    assert second.vector.norm().item() == pytest.approx(scale_of(shown), rel=1e-5)
    with pytest.raises(RequestError, match="same"):
        across(first, first)
    with pytest.raises(RequestError, match="gradient is 0"):
        along("gradient", torch.zeros_like(raw), shown)


def test_a_table_of_zeros_has_a_direction_too() -> None:
    blank = kept("Corridor-v0", TABLE)
    blank = PolicySnapshot(blank.config, blank.environment, {k: v * 0 for k, v in blank.state.items()}, 0)
    assert scale_of(blank) == 1.0
    assert random_direction(blank, 1).vector.norm().item() == pytest.approx(1.0)


def test_the_gradients_are_those_of_the_process() -> None:
    shown = kept("Corridor-v0", TABLE)
    found = done(gradients_at(shown, 512, 3))
    mdp = played_process(shown.config.environment)
    assert mdp is not None
    given = (dynamics_of(mdp), softmax_policy, shown.state["head.rows"].double(), 1.0)
    pairs = (found.gradient, exact_gradient(*given)), (found.natural, natural_gradient(*given, damping=0.1))
    for estimated, exact in pairs:
        apart = (estimated.double() - exact.flatten()).norm() / exact.norm()
        assert apart < 0.1
    # Of the rewards that learning sees, since it is learning's step that is marked along it.
    scaled = done(gradients_at(kept("Corridor-v0", TABLE | {"environment.reward_scale": 3.0}), 512, 3))
    assert torch.allclose(scaled.gradient, 3.0 * found.gradient, rtol=1e-4)


@pytest.mark.parametrize("values", [{}, SMALL | {"estimator.baseline": "shared-value"}])
def test_the_value_head_has_no_gradient(values: dict[str, Any]) -> None:
    shown = kept("CartPole-v1", values, with_value=bool(values))
    found = done(gradients_at(shown, 4, 1))
    assert (found.gradient.abs() * (1.0 - acting_part(shown))).sum() == 0.0
    assert found.gradient.norm() > 0.0


def test_what_has_no_gradient_says_so() -> None:
    with pytest.raises(RequestError, match="no gradient"):
        done(gradients_at(kept("Corridor-v0", TABLE, epsilon=0.1), 4, 1))


# --- returns ----------------------------------------------------------------------------------------------------------


def spots(shown: PolicySnapshot, episodes: int, seed: int) -> list[Spot]:
    scan = line(parameters_of(shown), random_direction(shown, seed), 2.0, 9)
    return [spot for some in scan.spots(CommonEpisodes(shown, episodes, seed)) for spot in some]


def test_intervals_hold_the_exact_return() -> None:
    shown, held, gained = kept("Corridor-v0", TABLE), [], []
    centre = exact_return(shown, shown.state["head.rows"])
    for seed in range(14):
        scan = line(parameters_of(shown), random_direction(shown, seed), 2.0, 9)
        for spot in spots(shown, 64, seed):
            exact = exact_return(shown, scan.parameters(spot.at).view_as(shown.state["head.rows"]))
            held.append(abs(spot.value.value - exact) <= spot.value.half_width + 1e-9)
            gained.append(abs(spot.gained.value - (exact - centre)) <= spot.gained.half_width + 1e-9)
    assert 0.9 <= np.mean(held) <= 1.0
    assert 0.9 <= np.mean(gained) <= 1.0


def test_common_random_numbers_tell_neighbours_apart() -> None:
    shown = kept("CartPole-v1", SMALL)
    scan = line(parameters_of(shown), random_direction(shown, 1), 0.02, 5)
    centre, *near = (spot for some in scan.spots(CommonEpisodes(shown, 32, 1)) for spot in some)
    assert centre.gained == (0.0, 0.0)
    assert np.mean([spot.gained.half_width for spot in near]) < 0.5 * np.mean([spot.value.half_width for spot in near])


KINDS: dict[str, tuple[str, dict[str, Any], float | None]] = {
    "network": ("CartPole-v1", SMALL, None),
    "table": ("Corridor-v0", TABLE, None),
    "memory": ("CartPole-v1", {"policy": "gru", "policy.hidden_size": 4}, None),
    "normal": ("Pendulum-v1", SMALL, None),
    "beta": ("Pendulum-v1", SMALL | {"policy.distribution": "beta"}, None),
    "values": ("CartPole-v1", SMALL, 0.2),
    "features": ("MountainCar-v0", {"policy": "linear", "policy.features": "rbf"}, None),
    "Gymnasium's own": ("Blackjack-v1", SMALL, None),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_return_does_not_depend_on_whose_else_are_played(kind: str) -> None:
    id, values, epsilon = KINDS[kind]
    shown = kept(id, values | {"environment.time_limit": 0 if id == "Blackjack-v1" else 12}, epsilon=epsilon)
    theta = parameters_of(shown)
    others = torch.stack((theta, theta + 0.3 * torch.ones_like(theta), theta - 0.3))
    episodes = CommonEpisodes(shown, 5, 4)
    groups = [others] if episodes.together > 1 else others.split(1)
    at_once = np.concatenate([done(episodes.returns(some)) for some in groups])
    again = np.concatenate([done(CommonEpisodes(shown, 5, 4).returns(row.unsqueeze(0))) for row in others])
    assert at_once.shape == (3, 5)
    assert np.allclose(at_once, again, rtol=1e-4)
    assert not np.array_equal(at_once[0], done(CommonEpisodes(shown, 5, 5).returns(theta[None]))) or id != "Pendulum-v1"


def test_by_inversion() -> None:
    shares = torch.tensor([[0.2, 0.5, 0.3], [0.0, 1.0, 0.0]])
    uniforms = torch.linspace(0.0, 1.0, 1001)[:-1]
    found = [by_inversion(row.expand(1000, 3), uniforms).bincount(minlength=3) / 1000 for row in shares]
    assert torch.allclose(torch.stack(found), shares, atol=1.5e-3)
    rounded = torch.tensor([[0.5, 0.4999]])  # whose sum is less than the number
    assert by_inversion(rounded, torch.tensor([0.99999])).item() == 1


def test_students_quantile() -> None:
    for freedom in (4, 7, 15, 63):
        assert student(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=5e-4)


# --- scans ------------------------------------------------------------------------------------------------------------


def test_places_come_coarse_to_fine() -> None:
    assert coarse_to_fine(9, 1) == [(4,), (2,), (6,), (0,), (8,), (3,), (5,), (1,), (7,)]
    square = coarse_to_fine(17, 2)
    assert len(square) == len(set(square)) == 17 * 17
    assert square[0] == (8, 8)
    assert set(square[:25]) == {(i, j) for i in range(0, 17, 4) for j in range(0, 17, 4)}


def test_a_plane_is_spanned_by_its_directions() -> None:
    shown = kept("Corridor-v0", TABLE)
    theta = parameters_of(shown)
    both = random_direction(shown, 1), random_direction(shown, 2)
    scan = plane(theta, both, 0.5, 5)
    assert torch.allclose(scan.parameters((0, 4)), theta - 0.5 * both[0].vector + 0.5 * both[1].vector)
    assert torch.equal(scan.parameters((2, 2)), theta)
    found = [spot for some in scan.spots(CommonEpisodes(shown, 4, 1)) for spot in some]
    assert sorted(spot.at for spot in found) == sorted(coarse_to_fine(5, 2))
