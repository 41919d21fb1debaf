"""Softmax, several softmaxes and switches: against torch, scipy and full enumeration, and by counting samples."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from engine.policies.distributions import Bernoulli, Categorical, MultiCategorical


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


LOGITS = torch.tensor([[0.0, 1.0, -2.0, 0.5], [3.0, 3.0, 3.0, 3.0], [-10.0, 20.0, 5.0, 0.0]])
OTHER = torch.tensor([[1.0, 0.0, 0.0, 0.5], [0.0, 3.0, -3.0, 1.0], [-5.0, 10.0, 5.0, 2.0]])


# --- one softmax ------------------------------------------------------------------------------------------------------


def test_categorical_log_probabilities_are_torchs() -> None:
    reference = torch.distributions.Categorical(logits=LOGITS)
    for action in range(4):
        actions = torch.full((3,), action)
        torch.testing.assert_close(Categorical(LOGITS).log_prob(actions), reference.log_prob(actions))


def test_categorical_entropy_and_divergence_are_scipys() -> None:
    first, second = Categorical(LOGITS.double()), Categorical(OTHER.double())
    p, q = first.probabilities.numpy(), second.probabilities.numpy()
    np.testing.assert_allclose(first.entropy(), stats.entropy(p, axis=-1), rtol=1e-10)
    np.testing.assert_allclose(first.kl(second), stats.entropy(p, q, axis=-1), rtol=1e-10)


@pytest.mark.parametrize("actions", [2, 3, 18])
def test_the_entropy_of_a_blind_choice_is_the_log_of_the_number_of_actions(actions: int) -> None:
    assert Categorical(torch.full((1, actions), 7.0)).entropy().item() == pytest.approx(math.log(actions), rel=1e-5)


def test_probabilities_sum_to_1() -> None:
    torch.testing.assert_close(Categorical(LOGITS).probabilities.sum(-1), torch.ones(3))


def test_categorical_mode_is_the_largest_logit() -> None:
    assert Categorical(LOGITS).mode().tolist() == [1, 0, 1]


def frequencies(logits: Tensor, count: int, seed: int = 0) -> Tensor:
    drawn = Categorical(logits.expand(count, -1)).sample(generator(seed))
    return torch.bincount(drawn, minlength=logits.shape[-1]) / count


@pytest.mark.parametrize("logits", [[0.0, 1.0, -2.0, 0.5], [5.0, 5.0, 5.0], [-4.0, 0.0, 3.0, 3.5, 1.0], [0.0, 0.0]])
def test_gumbel_max_samples_the_softmax(logits: list[float]) -> None:
    """Pearson's χ² over 100 000 samples; its 99.9 % quantile for at most 4 degrees of freedom is 18.5."""
    count = 100_000
    expected = torch.tensor(logits, dtype=torch.float64).softmax(-1)
    observed = frequencies(torch.tensor(logits), count)
    statistic = (count * (observed - expected).square() / expected).sum().item()
    assert statistic < 18.5


def test_the_same_test_rejects_gumbel_noise_of_the_wrong_sign() -> None:
    count, logits = 100_000, torch.tensor([0.0, 1.0, -2.0, 0.5])
    noise = torch.empty(count, 4).exponential_(generator=generator()).log()
    observed = torch.bincount((logits + noise).argmax(-1), minlength=4) / count
    expected = logits.softmax(-1)
    assert (count * (observed - expected).square() / expected).sum().item() > 100.0


def test_elements_of_a_batch_are_sampled_independently() -> None:
    pairs = Categorical(torch.zeros(100_000, 2)).sample(generator()).reshape(-1, 2)
    joint = torch.bincount(2 * pairs[:, 0] + pairs[:, 1], minlength=4) / 50_000
    assert joint.tolist() == pytest.approx([0.25] * 4, abs=0.01)


def test_sampling_leaves_the_logits_as_they_were() -> None:
    logits = LOGITS.clone()
    Categorical(logits).sample(generator())
    assert torch.equal(logits, LOGITS)


@pytest.mark.parametrize("extreme", [1e4, 1e30, -1e30])
def test_extreme_logits_give_no_nan(extreme: float) -> None:
    logits = torch.tensor([[extreme, 0.0, -extreme]], requires_grad=True)
    distribution = Categorical(logits)
    loss = distribution.entropy().sum() + distribution.log_prob(torch.tensor([0])).sum()
    loss.backward()
    assert logits.grad is not None
    assert not logits.grad.isnan().any()
    assert distribution.entropy().item() == pytest.approx(0.0, abs=1e-6)
    assert distribution.sample(generator()).item() == (0 if extreme > 0 else 2)


def test_divergence_between_opposite_certainties_is_the_gap_of_the_logits() -> None:
    first, second = Categorical(torch.tensor([[1e4, 0.0]])), Categorical(torch.tensor([[0.0, 1e4]]))
    assert first.kl(second).item() == pytest.approx(1e4)


def test_tempering_divides_the_logits() -> None:
    torch.testing.assert_close(Categorical(LOGITS).tempered(2.0).logits, LOGITS / 2.0)


# --- several softmaxes ------------------------------------------------------------------------------------------------

SIZES = (2, 4, 3)
MANY = torch.randn(5, sum(SIZES), generator=generator(1), dtype=torch.float64)
MANY_OTHER = torch.randn(5, sum(SIZES), generator=generator(2), dtype=torch.float64)
ALL_ACTIONS = torch.tensor(list(product(*map(range, SIZES))))


def joint(logits: Tensor) -> np.ndarray:
    """The probability of each of the 24 joint actions in every element of the batch, from the definition alone."""
    factors = [part.softmax(-1) for part in logits.split(SIZES, -1)]
    return torch.einsum("bi,bj,bk->bijk", *factors).reshape(len(logits), -1).numpy()


def test_every_joint_action_has_the_product_of_its_factors_probabilities() -> None:
    distribution = MultiCategorical(MANY, SIZES)
    got = torch.stack([distribution.log_prob(action.expand(5, -1)) for action in ALL_ACTIONS], -1)
    np.testing.assert_allclose(got.exp(), joint(MANY), rtol=1e-12)


def test_entropy_and_divergence_are_those_of_the_joint_action() -> None:
    first, second = MultiCategorical(MANY, SIZES), MultiCategorical(MANY_OTHER, SIZES)
    np.testing.assert_allclose(first.entropy(), stats.entropy(joint(MANY), axis=-1), rtol=1e-10)
    np.testing.assert_allclose(first.kl(second), stats.entropy(joint(MANY), joint(MANY_OTHER), axis=-1), rtol=1e-10)


def test_one_softmax_over_all_factors_would_not_be_a_distribution_over_joint_actions() -> None:
    total = sum(MANY.log_softmax(-1)[:, action + torch.tensor([0, 2, 6])].sum(-1).exp() for action in ALL_ACTIONS)
    assert isinstance(total, Tensor)
    assert (total < 0.5).all()


def test_joint_samples_have_the_joint_frequencies() -> None:
    """Pearson's χ² with 23 degrees of freedom."""
    count = 100_000
    drawn = MultiCategorical(MANY[:1].expand(count, -1), SIZES).sample(generator())
    index = (drawn * torch.tensor([12, 3, 1])).sum(-1)
    observed = torch.bincount(index, minlength=24).numpy()
    assert stats.chisquare(observed, count * joint(MANY[:1])[0]).pvalue > 1e-3


def test_the_mode_is_every_factors_own() -> None:
    logits = torch.tensor([[0.0, 1.0, 5.0, 2.0, 3.0, 4.0, -1.0, -2.0, 0.0]])
    assert MultiCategorical(logits, SIZES).mode().tolist() == [[1, 0, 2]]


def test_one_factor_is_a_categorical() -> None:
    one, plain = MultiCategorical(LOGITS, (4,)), Categorical(LOGITS)
    assert torch.equal(one.sample(generator()).squeeze(-1), plain.sample(generator()))
    torch.testing.assert_close(one.log_prob(torch.tensor([[1], [2], [0]])), plain.log_prob(torch.tensor([1, 2, 0])))


@pytest.mark.parametrize("extreme", [1e4, -1e4, 1e30])
def test_extreme_logits_of_a_factor_stay_in_it(extreme: float) -> None:
    logits = torch.tensor([[extreme, 0.0, 0.0, 0.0, 0.0]], requires_grad=True)
    distribution = MultiCategorical(logits, (2, 3))
    certain = 0 if extreme > 0.0 else 1
    assert distribution.log_prob(torch.tensor([[certain, 2]])).item() == pytest.approx(-math.log(3.0))
    assert distribution.entropy().item() == pytest.approx(math.log(3.0))
    distribution.entropy().sum().backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_sizes_that_do_not_fit_the_logits_are_refused() -> None:
    with pytest.raises(RuntimeError, match="split"):
        MultiCategorical(LOGITS, (2, 3)).mode()


# --- switches ---------------------------------------------------------------------------------------------------------

SWITCHES = torch.tensor([[0.0, 2.0, -3.0], [1.0, -0.5, 15.0]], dtype=torch.float64)


def test_switches_are_scipys() -> None:
    distribution, p = Bernoulli(SWITCHES), SWITCHES.sigmoid().numpy()
    for action in product((0, 1), repeat=3):
        got = distribution.log_prob(torch.tensor(action).expand(2, -1))
        np.testing.assert_allclose(got, stats.bernoulli.logpmf(action, p).sum(-1), rtol=1e-8)
    np.testing.assert_allclose(distribution.entropy(), stats.bernoulli.entropy(p).sum(-1), rtol=1e-8)


def test_the_switches_divergence_is_torchs() -> None:
    first, second = (torch.distributions.Bernoulli(logits=logits) for logits in (SWITCHES, SWITCHES.flip(0)))
    reference = torch.distributions.kl_divergence(first, second).sum(-1)
    torch.testing.assert_close(Bernoulli(SWITCHES).kl(Bernoulli(SWITCHES.flip(0))), reference)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("extreme", [30.0, -30.0, 1e4, -1e4, 1e30])
def test_extreme_switches_are_exact(extreme: float, dtype: torch.dtype) -> None:
    logits = torch.tensor([[extreme]], dtype=dtype, requires_grad=True)
    distribution, likely = Bernoulli(logits), torch.tensor([[int(extreme > 0.0)]])
    assert distribution.log_prob(likely).item() == pytest.approx(-math.exp(-abs(extreme)), rel=1e-5)
    assert distribution.log_prob(1 - likely).item() == pytest.approx(-abs(extreme), rel=1e-6)
    expected = math.exp(-abs(extreme)) * (1.0 + abs(extreme))
    assert distribution.entropy().item() == pytest.approx(expected, rel=1e-5)
    (distribution.entropy() + distribution.log_prob(1 - likely)).sum().backward()
    assert logits.grad is not None
    assert logits.grad.item() == pytest.approx(-math.copysign(1.0, extreme), rel=1e-5)
    assert torch.equal(distribution.sample(generator()), likely)


def test_undecided_switches_have_entropy_log_2_each_and_no_slope() -> None:
    logits = torch.zeros(1, 4, requires_grad=True)
    entropy = Bernoulli(logits).entropy()
    entropy.sum().backward()
    assert entropy.item() == pytest.approx(4.0 * math.log(2.0))
    assert logits.grad is not None
    assert logits.grad.tolist() == [[0.0] * 4]


def test_switches_are_sampled_independently_with_their_probabilities() -> None:
    count = 100_000
    drawn = Bernoulli(SWITCHES[:1].expand(count, -1)).sample(generator())
    index = (drawn * torch.tensor([4, 2, 1])).sum(-1)
    p = SWITCHES[0].sigmoid()
    expected = [
        math.prod(float(p[j] if a else 1 - p[j]) for j, a in enumerate(bits)) for bits in product((0, 1), repeat=3)
    ]
    observed = torch.bincount(index, minlength=8).numpy()
    assert stats.chisquare(observed, count * np.array(expected)).pvalue > 1e-3
    assert drawn.dtype == torch.int64


def test_the_mode_of_switches_is_the_likelier_side() -> None:
    assert Bernoulli(SWITCHES).mode().tolist() == [[0, 1, 0], [1, 0, 1]]
