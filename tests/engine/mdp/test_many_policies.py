"""Many policies at once have the returns that each has alone."""

from __future__ import annotations

import pytest
import torch

from engine.mdp.exact import dynamics_of, expected_return
from engine.mdp.finite import corridor, gridworld
from engine.mdp.many_policies import expected_returns


@pytest.mark.parametrize("gamma", [0.0, 0.9, 1.0])
def test_each_has_the_return_that_it_has_alone(gamma: float) -> None:
    for mdp in (corridor(5, 0.2, 17), gridworld(("S.", "#G"), slip=0.2, horizon=9)):
        dynamics = dynamics_of(mdp)
        generator = torch.Generator().manual_seed(1)
        logits = torch.randn(6, mdp.states, mdp.actions, dtype=torch.float64, generator=generator)
        policies = (3.0 * logits).softmax(-1)
        alone = torch.stack([expected_return(dynamics, policy, gamma) for policy in policies])
        assert torch.allclose(expected_returns(dynamics, policies, gamma), alone, rtol=1e-12, atol=1e-12)


def test_what_they_need_is_said() -> None:
    endless = dynamics_of(corridor(3, horizon=None))
    uniform = torch.full((2, 3, 2), 0.5, dtype=torch.float64)
    with pytest.raises(ValueError, match="horizon"):
        expected_returns(endless, uniform, 1.0)
    dynamics = dynamics_of(corridor(3))
    for wrong in (uniform.float(), uniform[:, :2], 2.0 * uniform):
        with pytest.raises(ValueError, match="policies must"):
            expected_returns(dynamics, wrong, 1.0)
