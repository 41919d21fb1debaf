"""ε-greedy actions: by counting, by hand, and against a softmax with the same probabilities."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from engine.policies.distributions import Categorical, Distribution, EpsilonGreedy
from engine.policies.epsilon_greedy import sampled

VALUES = torch.tensor([[0.0, 3.0, 1.0, 2.0], [5.0, 1.0, 5.0, 1.0], [0.0, 0.0, 0.0, 0.0]], dtype=torch.float64)
OTHER = torch.tensor([[4.0, 3.0, 1.0, 2.0], [5.0, 1.0, 5.0, 5.0], [0.0, 0.0, 0.0, -1.0]], dtype=torch.float64)
BY_ROW = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("epsilon", [0.3, 1.0, torch.tensor(0.6), BY_ROW], ids=["0.3", "1", "tensor", "each its own"])
def test_it_is_a_softmax_of_its_log_probabilities(epsilon: Any) -> None:
    one: Distribution = EpsilonGreedy(VALUES, epsilon)
    other, count = EpsilonGreedy(OTHER, epsilon), 6_000
    assert isinstance(one, EpsilonGreedy)
    plain, far = Categorical(one.log_probabilities), Categorical(other.log_probabilities)
    for action in range(4):
        torch.testing.assert_close(one.log_prob(torch.full((3,), action)), plain.log_prob(torch.full((3,), action)))
    torch.testing.assert_close(one.entropy(), plain.entropy())
    torch.testing.assert_close(one.kl(other), plain.kl(far))
    assert one.kl(one).tolist() == [0.0] * 3
    many = one.rows(torch.arange(3).repeat_interleave(count)).sample(generator()).view(3, count)
    for row in range(3):
        observed = torch.bincount(many[row], minlength=4).numpy()
        assert stats.chisquare(observed, count * np.asarray(one.probabilities[row])).pvalue > 1e-3


def test_without_exploration_only_greedy_actions_are_taken_and_equal_ones_alike() -> None:
    greedy, other = EpsilonGreedy(VALUES, 0.0), EpsilonGreedy(OTHER, 0.0)
    drawn = greedy.rows(torch.arange(3).repeat_interleave(4_000)).sample(generator()).view(3, -1)
    assert drawn[0].unique().tolist() == [1]
    shares = [torch.bincount(drawn[row], minlength=4) / 4_000 for row in (1, 2)]
    assert shares[0].tolist() == pytest.approx([0.5, 0.0, 0.5, 0.0], abs=0.03)
    assert shares[1].tolist() == pytest.approx([0.25] * 4, abs=0.03)
    assert greedy.mode().tolist() == [1, 0, 0]
    assert greedy.log_prob(torch.tensor([1, 2, 3])).exp().tolist() == pytest.approx([1.0, 0.5, 0.25])
    assert greedy.log_prob(torch.tensor([0, 1, 3])).tolist() == pytest.approx([-math.inf, -math.inf, math.log(0.25)])
    assert greedy.entropy().tolist() == pytest.approx([0.0, math.log(2.0), math.log(4.0)])
    assert greedy.kl(other).tolist() == pytest.approx([math.inf, math.log(1.5), math.inf])
    assert other.kl(greedy)[2].item() == pytest.approx(math.log(4 / 3))


def test_the_same_generator_state_gives_the_same_actions_and_seeds_differ() -> None:
    many = EpsilonGreedy(VALUES.repeat(50, 1), 0.5)
    first = many.sample(generator(7))
    assert first.dtype == torch.int64
    assert torch.equal(first, many.sample(generator(7)))
    assert not torch.equal(first, many.sample(generator(8)))


@pytest.mark.parametrize("index", [slice(1, 3), torch.tensor([2, 0, 0]), torch.tensor([True, False, True])])
@pytest.mark.parametrize("epsilon", [0.2, BY_ROW], ids=["one", "each its own"])
def test_rows_are_those_of_the_batch(index: Any, epsilon: Any) -> None:
    whole = EpsilonGreedy(VALUES, epsilon)
    torch.testing.assert_close(whole.rows(index).probabilities, whole.probabilities[index])


def test_a_copy_is_kept_apart_and_heat_changes_nothing() -> None:
    values, epsilon = VALUES.clone().requires_grad_(), torch.tensor(0.2)
    live = EpsilonGreedy(values, epsilon)
    kept = live.detach()
    with torch.no_grad():
        values[0, 0] = 9.0
        epsilon.fill_(1.0)
    assert kept.mode().tolist() == [1, 0, 0]
    assert kept.probabilities[0].tolist() == pytest.approx([0.05, 0.85, 0.05, 0.05])
    assert not live.log_prob(torch.tensor([1, 0, 0])).requires_grad
    assert live.tempered(3.0) is live
    with pytest.raises(ValueError, match="temperature must be above 0"):
        live.tempered(0.0)
    with pytest.raises(ValueError, match="epsilon must be from 0 to 1"):
        EpsilonGreedy(VALUES, 1.5).sample(generator())


@pytest.mark.parametrize("epsilon", [0.0, 0.4, 1.0])
def test_a_table_that_is_looked_up_with_numpy_is_acted_by_alike(epsilon: float) -> None:
    many = VALUES.to(torch.float32).repeat(40, 1)
    taken = sampled(many.numpy(), epsilon, generator(3))
    assert taken.tolist() == EpsilonGreedy(many, epsilon).sample(generator(3)).tolist()
