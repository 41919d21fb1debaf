"""What each choice does to the estimate's variance, on one fixed policy.

Exactly where episodes can be listed, else over many batches of the same sampled episodes, compared pair by pair.

Constants as baselines are values that are the same everywhere, so that a batch of one episode can have them.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.estimation.episode_gradients import episode_gradients
from engine.estimation.estimators import estimate
from engine.maths.baselines import optimal_baseline
from tests.engine.sampling import estimates, sampled
from tests.engine.tiny_mdp import (
    UNROLLED,
    Enumeration,
    configured,
    finish,
    rollout_of,
    true_values,
    values,
)

CHANCES = torch.stack([episode.probability(UNROLLED.probabilities) for episode in UNROLLED.episodes])


def variance(credit: Any, table: Tensor | None = None) -> float:
    """Of one episode's estimate, summed over the parameters; ``table`` is V."""
    config = configured(credit, "none" if table is None else "value")
    critic = None if table is None else values(table)
    return Enumeration(UNROLLED, critic=critic, cut=False).moments(config).variance.sum().item()


def constant(number: float) -> Tensor:
    return torch.full((8,), number)


def average(credit: str) -> float:
    """The expected credit, every episode's own average first."""
    found = []
    for episode in UNROLLED.episodes:
        steps = range(len(episode.rewards)) if credit == "reward-to-go" else [0]
        found.append(sum(sum(episode.rewards[t:]) for t in steps) / len(steps))
    return (CHANCES @ torch.tensor(found).double()).item()


def test_variance_falls_from_total_return_to_causality_to_an_average_to_the_true_value() -> None:
    """18.2, 9.3, 6.2 and 5.6 for this process."""
    spreads = [
        variance("total-return"),
        variance("reward-to-go"),
        variance("reward-to-go", constant(average("reward-to-go"))),
        variance("reward-to-go", true_values(1.0)),
    ]
    for more, less in pairwise(spreads):
        assert more > 1.1 * less


def test_an_average_helps_the_total_return_too() -> None:
    assert variance("total-return") > 2.0 * variance("total-return", constant(average("total-return")))


def test_a_wrong_value_costs_variance() -> None:
    wrong = torch.tensor([5.0, -3.0, 1.0, -6.0, -4.0, 6.0, 0.5, 7.0])
    assert variance("reward-to-go", wrong) > variance("reward-to-go")


def test_with_the_true_value_shorter_traces_vary_less() -> None:
    spreads = [variance({"kind": "gae", "gae_lambda": share}, true_values(1.0)) for share in (0.0, 0.3, 0.6, 0.9, 1.0)]
    assert spreads == sorted(spreads)
    assert spreads[0] < 0.5 * spreads[-1]


def test_with_the_true_value_fewer_steps_before_bootstrapping_vary_less() -> None:
    spreads = [variance({"kind": "n-step", "n": n}, true_values(1.0)) for n in (1, 2, 3)]
    assert spreads == sorted(spreads)
    assert spreads[0] < 0.6 * spreads[-1]


# --- the best constants -----------------------------------------------------------------------------------------------


def scores_and_gradients(credit: str) -> tuple[Tensor, Tensor]:
    """Of every episode there is, by the engine's own account of them; [episodes, P] each."""
    config = configured(credit)
    policy = UNROLLED.policy()
    batch = finish(estimate(rollout_of(UNROLLED.episodes), config.estimator, policy, None))
    scores, gradients = finish(episode_gradients(policy, batch))
    return scores.double(), gradients.double()


def spread_with(scores: Tensor, gradients: Tensor, baseline: Tensor | float) -> float:
    found = gradients - baseline * scores
    mean = CHANCES @ found
    return (CHANCES @ (found - mean).square()).sum().item()


@pytest.mark.parametrize("credit", ["total-return", "reward-to-go"])
def test_the_best_constant_beats_the_average_and_one_per_parameter_beats_it_again(credit: str) -> None:
    """Over all episodes, weighted by how likely they are, the baseline is the population's own."""
    scores, gradients = scores_and_gradients(credit)
    root = CHANCES.sqrt().unsqueeze(-1)
    pooled, separate = (optimal_baseline(root * scores, root * gradients, pooled=p) for p in (True, False))
    none, averaged, best, each = (spread_with(scores, gradients, b) for b in (0.0, average(credit), pooled, separate))
    assert none > 1.1 * averaged
    assert averaged > best  # by 0.3 % here: where scores hardly depend on returns, the average is close to the best
    assert best > 1.05 * each


@pytest.mark.parametrize("credit", ["total-return", "reward-to-go"])
def test_no_constant_close_to_the_best_one_is_better(credit: str) -> None:
    scores, gradients = scores_and_gradients(credit)
    root = CHANCES.sqrt().unsqueeze(-1)
    best = optimal_baseline(root * scores, root * gradients, pooled=True).item()
    least = spread_with(scores, gradients, best)
    assert all(spread_with(scores, gradients, best + step) > least for step in (-0.3, -0.05, 0.05, 0.3))


def test_the_listed_scores_give_the_variance_that_updates_have() -> None:
    scores, gradients = scores_and_gradients("reward-to-go")
    assert spread_with(scores, gradients, 0.0) == pytest.approx(variance("reward-to-go"), rel=1e-4)


# --- batches as a run has them ----------------------------------------------------------------------------------------

SIZE, BATCHES = 16, 150


@pytest.fixture(scope="module")
def found() -> dict[str, Tensor]:
    """ĝ of the same batches of 16 episodes by each estimator, [batches, P]."""
    policy = UNROLLED.policy()
    rollout = sampled(UNROLLED, SIZE * BATCHES, 5)
    pooled = {"kind": "optimal", "per_parameter": False}
    settings: dict[str, Any] = {
        "total return": configured("total-return"),
        "total return, leave-one-out": configured("total-return", "leave-one-out"),
        "total return, average": configured("total-return", "average"),
        "reward-to-go": configured(),
        "leave-one-out": configured(baseline="leave-one-out"),
        "average": configured(baseline="average"),
        "pooled": configured(baseline=pooled),
        "per parameter": configured(baseline={"kind": "optimal", "per_parameter": True}),
    }
    made = {name: estimates(rollout, config, policy, SIZE) for name, config in settings.items()}
    # The limit pays nothing more, so that V = 0 there is the true value.
    made["value"] = estimates(rollout, configured(baseline="value"), policy, SIZE, values(true_values(1.0)))
    return made


def distances(gradients: Tensor) -> Tensor:
    return (gradients - gradients.mean(0)).square().sum(-1)


@pytest.mark.parametrize(
    ("more", "less"),
    [
        ("total return", "reward-to-go"),
        ("total return", "total return, leave-one-out"),
        ("reward-to-go", "leave-one-out"),
        ("leave-one-out", "value"),
        ("reward-to-go", "average"),
        ("reward-to-go", "pooled"),
        ("pooled", "per parameter"),
    ],
)
def test_over_batches_of_16_one_varies_less_than_the_other_by_2_standard_errors(
    found: dict[str, Tensor], more: str, less: str
) -> None:
    difference = distances(found[more]) - distances(found[less])
    assert difference.mean().item() > 2.0 * difference.std().item() / BATCHES**0.5


def test_leaving_one_out_is_the_average_return_stretched_by_n_over_n_less_1(found: dict[str, Tensor]) -> None:
    stretched = found["total return, average"] * SIZE / (SIZE - 1)
    torch.testing.assert_close(stretched, found["total return, leave-one-out"], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["total return", "reward-to-go", "leave-one-out", "value"])
def test_each_of_them_means_the_same_gradient(found: dict[str, Tensor], name: str) -> None:
    error = found[name].std(0) / BATCHES**0.5
    off = (found[name].mean(0) - UNROLLED.gradient(1.0)).abs()
    assert (off <= 4.0 * error + 1e-6).all()


def test_the_variance_of_the_mean_of_n_episodes_is_one_nth() -> None:
    one, two = (Enumeration(UNROLLED).moments(configured(), size) for size in (1, 2))
    torch.testing.assert_close(two.variance, one.variance / 2.0, atol=1e-5, rtol=1e-4)
