"""Biases that come from how an update uses its estimate, and whether every claim about biases is measured somewhere."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
import torch

from engine.catalogue.methods.biases import biases
from engine.collection.reward_scaling import RewardScaling
from engine.config.environments import EnvironmentConfig
from engine.estimation.estimators import estimate
from tests.engine.algorithms.test_off_policy import off_policy, weighing
from tests.engine.claims import MEASURED, claimed, measures
from tests.engine.estimation import test_bias
from tests.engine.tiny_mdp import ASCENT, FEW, TINY, Learner, configured, cosine, finish, mean, projection, rollout_of

REUSED = "From the second update on, the policy was chosen by the very episodes that judge it."
NORMALIZED = "Normalised rewards divide the gradient by a spread that includes each sample."
CLIPPED = "Clipping shortens long gradients and leaves short ones as they are."


def test_every_sentence_of_the_catalogue_is_measured() -> None:
    assert test_bias.STANDS_IN in MEASURED  # its tests have said what they measure
    assert claimed() == MEASURED


@measures(CLIPPED)
@pytest.mark.parametrize("most", [0.5, 2.0])
def test_clipping_turns_the_mean_away_from_the_gradient_and_makes_it_shorter(most: float) -> None:
    config = configured(update=ASCENT | {"max_grad_norm": most})
    assert biases(config, replace(TINY.info, time_limit=None)) == (CLIPPED,)
    got, true = mean(TINY, config), TINY.gradient(1.0)
    assert projection(got, true) < 0.95
    assert cosine(got, true) < 0.999
    loose = configured(update=ASCENT | {"max_grad_norm": 1e5})
    torch.testing.assert_close(mean(TINY, loose), true, atol=2e-5, rtol=1e-4)


@measures(NORMALIZED)
def test_normalised_rewards_change_the_length_of_the_mean_by_other_than_one_number() -> None:
    """First batches of two episodes: each is divided by its own spread, so the mean is no multiple of the gradient."""
    plain = configured("total-return")
    config = plain.model_copy(update={"environment": EnvironmentConfig(normalize_rewards=True)})
    assert biases(config, replace(TINY.info, time_limit=None)) == (NORMALIZED,)
    got = torch.zeros(4).double()
    learner = Learner(plain, FEW.policy())
    for episodes in product(FEW.episodes, repeat=2):
        chance = torch.stack([episode.probability(FEW.probabilities) for episode in episodes]).prod()
        rollout = RewardScaling(config.environment).learned(rollout_of(episodes), 1.0)
        batch = finish(estimate(rollout, config.estimator, learner.policy, None))
        got += chance * Learner(plain, FEW.policy()).step(batch)
    true = FEW.gradient(1.0)
    assert abs(projection(got, true) - 1.0) > 0.1
    assert 0.9 < cosine(got, true) < 0.9999
    torch.testing.assert_close(mean(FEW, plain), true, atol=2e-5, rtol=1e-4)


@measures(REUSED)
def test_a_second_update_is_too_short_for_the_policy_that_the_first_made_of_the_same_episodes() -> None:
    """Weights make up for another policy, not for one that was chosen by these very episodes; more of them help."""
    config, plain = configured("total-return", update=off_policy("per-trajectory")), configured("total-return")
    lengths = []
    for size in (1, 2, 3):
        first = Learner(plain, FEW.policy())
        got, true = torch.zeros(4).double(), torch.zeros(4).double()
        for episodes in product(FEW.episodes, repeat=size):
            chance = torch.stack([episode.probability(FEW.probabilities) for episode in episodes]).prod()
            batch = finish(estimate(rollout_of(episodes), config.estimator, first.policy, None))
            moved = replace(FEW, theta=FEW.theta + 0.5 * first.step(batch).float().view(2, 2))
            got += chance * Learner(plain, moved.policy()).step(weighing(moved, FEW.theta, config)(batch))
            true += chance * moved.gradient(1.0)
        lengths.append(projection(got, true))
    assert lengths[0] < 0.4
    assert lengths[0] < lengths[1] < lengths[2] < 0.85
