"""What a constant added to every reward does, which [Jethro] names among the weaknesses of the plain estimate.

Where episodes have one length the mean of the estimate stays as it was, since E[∇ log π] = 0; its variance does not.
Where an episode's length is up to the policy, the constant pays for long or for short ones.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch

from engine.config.environments import EnvironmentConfig
from engine.environments.making.known_dynamics import process_of
from engine.mdp.exact import dynamics_of, exact_gradient, softmax_policy

MEANS = torch.tensor((0.2, 0.5, 0.35, 0.8, 0.65), dtype=torch.float64)


def gradient(id: str, logits: torch.Tensor, **changes: Any) -> torch.Tensor:
    mdp = process_of(EnvironmentConfig(id=id, **changes))
    assert mdp is not None
    return exact_gradient(dynamics_of(mdp), softmax_policy, logits, 1.0)


def test_where_episodes_have_one_length_a_constant_leaves_the_gradient_and_a_scale_scales_it() -> None:
    logits = torch.linspace(-1.0, 1.0, 5, dtype=torch.float64).unsqueeze(0)
    plain = gradient("Bandit-v0", logits)
    assert torch.allclose(gradient("Bandit-v0", logits, reward_offset=100.0), plain)
    assert torch.allclose(gradient("Bandit-v0", logits, reward_scale=3.0), 3.0 * plain)


def test_where_episodes_can_be_longer_a_constant_changes_what_is_best() -> None:
    """One more per step makes the corridor's steps free; two more make loitering pay."""
    logits = torch.zeros(7, 2, dtype=torch.float64)
    right = [gradient("Corridor-v0", logits, reward_offset=offset)[0, 1].item() for offset in (0.0, 1.0, 3.0)]
    assert right[0] > right[1] > 0.0 > right[2]


@pytest.mark.parametrize("offset", [-1.0, 1.0, 10.0])
def test_the_variance_of_the_score_estimate_grows_with_the_constant(offset: float) -> None:
    """(r + c) ∇ log π(a) over all arms and payments, by enumeration; with the average subtracted c is gone."""
    probabilities = torch.full((5,), 0.2, dtype=torch.float64)
    scores = torch.eye(5, dtype=torch.float64) - probabilities
    chances = torch.stack((MEANS, 1.0 - MEANS)) * probabilities  # paid 1, paid 0
    paid = torch.tensor([[1.0], [0.0]], dtype=torch.float64)

    def moments(rewards: torch.Tensor) -> tuple[torch.Tensor, float]:
        estimates = rewards.expand(2, 5).unsqueeze(-1) * scores
        mean = (chances.unsqueeze(-1) * estimates).sum((0, 1))
        return mean, ((chances.unsqueeze(-1) * (estimates - mean).square()).sum()).item()

    (mean, variance), (shifted_mean, shifted_variance) = moments(paid), moments(paid + offset)
    assert torch.allclose(mean, shifted_mean)
    logits = torch.zeros(1, 5, dtype=torch.float64)
    assert torch.allclose(mean, gradient("Bandit-v0", logits, reward_offset=offset)[0])
    assert (shifted_variance > variance) == (offset != -1.0)
    centred = [moments(paid + c - (MEANS.mean() + c))[1] for c in (0.0, offset)]
    assert centred[0] == pytest.approx(centred[1])
