"""What has to hold of numbers that are learned from: it does of right ones, by loops over the definitions, and of no
others."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.maths.consistency import Steps, of_recursion, of_whole, of_window, squashed_log_probs, surprise
from tests.each import each

GAMMA, T = 0.9, 6
# Three environments: one episode that is cut off at the end, two that end and are cut off, and one with padding behind.
TERMINATED = torch.tensor([[0, 0, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0], [0, 0, 0, 1, 0, 0]]).T.bool()
TRUNCATED = torch.tensor([[0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0]]).T.bool()
MASK = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]]).T.bool()
ELAPSED = torch.tensor([[0, 1, 2, 3, 4, 5], [0, 1, 2, 0, 1, 2], [0, 1, 2, 3, 0, 0]]).T


def steps(**changed: Tensor) -> Steps:
    draw = torch.Generator().manual_seed(1)
    rewards, values, final = (torch.randn(T, 3, generator=draw, dtype=torch.float64) * MASK for _ in range(3))
    made = Steps(rewards, TERMINATED, TRUNCATED, MASK, ELAPSED, values, torch.where(TRUNCATED, final, 0.0))
    return made._replace(**changed)


def by_hand(made: Steps, n: int, decay: float | None = None) -> Tensor:
    """n-step returns; with a ``decay``, their average weighed with (1 − λ) λ^(n−1), the last of them with the rest."""
    found = torch.zeros_like(made.rewards)
    for environment in range(3):
        for t in range(T):
            if not made.mask[t, environment]:
                continue
            returns = [_n_step(made, t, environment, k) for k in range(1, (T if decay is not None else n) + 1)]
            if decay is None:
                found[t, environment] = returns[-1]
            else:
                shares = [(1.0 - decay) * decay**k for k in range(T - 1)] + [decay ** (T - 1)]
                found[t, environment] = sum(share * each for share, each in zip(shares, returns, strict=True))
    return found


def _n_step(made: Steps, t: int, environment: int, n: int) -> float:
    total = 0.0
    for k in range(n):
        at = t + k, environment
        total += GAMMA**k * made.rewards[at].item()
        if made.terminated[at]:
            return total
        if made.truncated[at]:
            return total + GAMMA ** (k + 1) * made.final_values[at].item()
    return total + GAMMA**n * made.values[t + n, environment].item()


@each("decay", (0.0, 0.6, 1.0))
def test_returns_fulfil_their_recursion(decay: float) -> None:
    made = steps()
    errors = of_recursion(made, by_hand(made, T, decay), GAMMA, decay)
    assert errors.abs().max().item() < 1e-12
    others = of_recursion(made, by_hand(made, T, decay), GAMMA, 0.8 - 0.5 * decay)
    assert others.abs().max().item() > 0.01


@each("n", (1, 2, 4, 9))
def test_returns_of_n_steps_are_what_they_are_by_hand(n: int) -> None:
    made = steps()
    found = of_window(made, by_hand(made, n), GAMMA, n)
    assert found.errors.abs().max().item() < 1e-12
    wanted = [[t + n > 5 and made.mask[t, e].item() for e in (0, 1)] for t in range(T)]
    wanted = [[row[0], row[1] and t >= 3] for t, row in enumerate(wanted)]  # whose window reaches the cut
    assert found.cut[:, :2].tolist() == wanted
    assert not found.cut[:, 2].any()


def test_the_total_return_is_that_of_the_whole_episode() -> None:
    made = steps()
    column = slice(0, 3, 2)  # the two environments with one episode each
    one = Steps(*(part[:, column] for part in made))
    totals = [sum(GAMMA**t * one.rewards[t, e].item() for t in range(T)) for e in range(2)]
    totals[0] += GAMMA**T * one.final_values[-1, 0].item()
    credit = torch.tensor(totals).double().expand(T, 2) * one.mask
    found = of_whole(one, credit, GAMMA)
    assert found.errors.abs().max().item() < 1e-6
    assert found.cut[:, 0].all()
    assert not found.cut[:, 1].any()
    assert of_whole(one, 1.01 * credit, GAMMA).errors.abs().max().item() > 1e-3


MISTAKES: dict[str, Any] = {
    "the present reward is missing": lambda made, credit: credit - made.rewards,
    "a step too early": lambda made, credit: torch.cat((credit[1:], torch.zeros(1, 3))),
    "discounted from the start": lambda made, credit: credit * GAMMA**made.elapsed,
    "rewards are clipped": lambda made, credit: by_hand(made._replace(rewards=made.rewards.clamp(-0.5, 0.5)), T, 1.0),
    "cuts are ends": lambda made, credit: by_hand(made._replace(final_values=0.0 * made.final_values), T, 1.0),
}


@each("mistake", MISTAKES)
def test_other_sums_do_not_fulfil_it(mistake: str) -> None:
    made = steps()
    wrong = MISTAKES[mistake](made, by_hand(made, T, 1.0)) * made.mask
    errors = of_recursion(made, wrong, GAMMA, 1.0)
    assert errors.abs().max().item() > 0.01
    if mistake == "cuts are ends":
        assert errors[~TRUNCATED].abs().max().item() < 1e-12


def test_actions_that_are_drawn_surprise_by_about_one_standard_deviation() -> None:
    draw = torch.Generator().manual_seed(3)
    p = torch.rand(500, 4, generator=draw).softmax(-1)
    entropies, variances = torch.special.entr(p).sum(-1), (p * p.log().square()).sum(-1)
    variances = variances - entropies.square()
    found = []
    for _ in range(200):
        actions = torch.multinomial(p, 1, generator=draw).squeeze(-1)
        found.append(surprise(p.gather(-1, actions.unsqueeze(-1)).squeeze(-1).log(), entropies, variances).item())
    z = torch.tensor(found)
    share = (variances.sum() / (variances.sum() + 10.0)).sqrt().item()  # of the deviation, that the 10 leave
    assert z.mean().item() == pytest.approx(0.0, abs=0.25)
    assert z.std().item() == pytest.approx(share, rel=0.2)


def test_an_action_that_cannot_be_is_a_finite_surprise() -> None:
    never = torch.tensor([0.0, -math.inf, 0.0])
    assert surprise(never, torch.zeros(3), torch.zeros(3)).item() == pytest.approx(50.0 / math.sqrt(10.0))


def test_the_density_of_a_squashed_number_adds_up_to_1() -> None:
    for mean, log_std in ((0.3, -0.5), (-1.2, 0.4)):
        latent = torch.linspace(-16.0, 16.0, 200_001, dtype=torch.float64).unsqueeze(-1)
        density = squashed_log_probs(latent, torch.tensor([[mean]]), torch.tensor([[log_std]])).exp()
        assert torch.trapezoid(density, latent.tanh().squeeze(-1)).item() == pytest.approx(1.0, abs=1e-4)
    far = torch.tensor([[11.999999], [12.000001]], dtype=torch.float64)
    near, beyond = squashed_log_probs(far, torch.zeros(1, 1), torch.zeros(1, 1)).tolist()
    assert near == pytest.approx(beyond, abs=1e-4)
