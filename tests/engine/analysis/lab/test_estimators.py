"""The lab's estimates are those of training, and lie around the exact gradient as theory says."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.analysis.lab.comparison import Comparison, Estimates, Sums, Truth
from engine.analysis.lab.episodes import play
from engine.analysis.lab.estimator_lab import EstimatorLab
from engine.analysis.lab.estimators import Batches
from engine.analysis.lab.policies import tempered, untrained
from engine.analysis.lab.rollouts import KnownValues, rollout_of
from engine.analysis.lab.scores import Numbers
from engine.analysis.lab.settings import PAIRS, Pair, Settings, estimator_of, misfit, reasons
from engine.analysis.lab.subject import Subject, subject_of
from engine.analysis.lab.values import ValueSource
from engine.analysis.playback import PolicySnapshot, thawed
from engine.config import PolicyGradientConfig
from engine.config.environments import EnvironmentConfig
from engine.config.estimators import OptimalBaseline
from engine.config.policies import MLPPolicy, PolicyConfig, TabularPolicy
from engine.environments.making.lookup import inspect
from engine.estimation.estimators import estimate
from engine.experience.batch import ParameterBaseline
from engine.maths.trust_region import flattened
from engine.mdp.exact import exact_gradient, softmax_policy
from engine.reports.events import Heartbeats
from engine.runtime.errors import RequestError

TOTAL, TO_GO = Pair("total-return", "none"), Pair("reward-to-go", "none")
AVERAGE = Pair("total-return", "average")


def kept(environment: str = "GridWorld-v0", policy: PolicyConfig | None = None, **options: object) -> PolicySnapshot:
    """A policy that is not undecided."""
    chosen = EnvironmentConfig(id=environment, options=options)
    config = PolicyGradientConfig(environment=chosen, policy=policy or TabularPolicy())
    found = untrained(config, inspect(environment, options, 60.0))
    generator = torch.Generator().manual_seed(3)
    state = {name: value + 0.5 * torch.randn(value.shape, generator=generator) for name, value in found.state.items()}
    return replace(found, state=state)


def compared(snapshot: PolicySnapshot, settings: Settings, *pairs: Pair) -> Comparison:
    *_, (share, found) = EstimatorLab().compare(snapshot, settings, pairs)
    assert share == 1.0
    assert found is not None
    return found


def returned(work: Heartbeats) -> object:
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value


def trained_with(subject: Subject, snapshot: PolicySnapshot, pair: Pair, batch: object, settings: Settings) -> Numbers:
    """ĝ as training makes it of a batch: its own estimator, and autograd."""
    episodes, source = batch
    policy, rollout = thawed(snapshot), rollout_of(subject, episodes)
    critic = KnownValues(episodes, source) if pair.has_value else None
    made = returned(estimate(rollout, estimator_of(pair, settings), policy, critic))
    parameters = list(policy.parameters())
    log_probs = policy(made.observations).log_prob(made.actions)

    def gradient(weights: torch.Tensor) -> torch.Tensor:
        total = (log_probs * weights).sum() / made.divisor
        return flattened(torch.autograd.grad(total, parameters, retain_graph=True, materialize_grads=True))

    found = gradient(made.weights())
    if isinstance(made.baseline, ParameterBaseline):
        found = found - made.baseline.amounts * gradient(made.state_weights)
    return found.double().numpy()


@pytest.mark.parametrize("policy", [TabularPolicy(), MLPPolicy(hidden_sizes=(5,))])
@pytest.mark.parametrize("weighted", [False, True])
def test_every_estimate_is_what_training_makes_of_the_same_batch(policy: PolicyConfig, weighted: bool) -> None:
    snapshot = tempered(kept(policy=policy), 1.5)
    settings = Settings(gamma=0.9, gae_lambda=0.7, n=3, episodes=8, batches=1, horizon=9, discount_states=weighted)
    subject = subject_of(snapshot, settings.horizon, added=-0.2)
    assert subject is not None
    source = ValueSource(subject, settings, snapshot)
    batch = play(subject, 8, np.random.default_rng(2))
    assert {length < 9 for length in batch.lengths} == {True, False}  # some end, and some are cut off
    estimates = Batches(subject, batch, settings, source)
    values = source.of(batch, batch.sums(batch.rewards, 0.9), np.zeros(8, np.int64))
    fitting = [pair for pair in PAIRS if misfit(pair, settings, snapshot.config, snapshot.environment) is None]
    assert len(fitting) == 16
    for pair in fitting:
        expected = trained_with(subject, snapshot, pair, (batch, values), settings)
        np.testing.assert_allclose(estimates.gradients(pair)[0], expected, rtol=1e-4, atol=2e-5)


def test_batches_are_estimated_apart() -> None:
    snapshot = kept()
    settings = Settings(episodes=3, batches=2, gamma=0.95)
    subject = subject_of(snapshot)
    assert subject is not None
    first, second = (play(subject, 3, np.random.default_rng(seed)) for seed in (1, 2))
    source = ValueSource(subject, settings, snapshot)
    apart = [Batches(subject, each, settings, source) for each in (first, second)]
    both = _joined(subject, first, second)
    together = Batches(subject, both, settings, source)
    for pair in (AVERAGE, Pair("reward-to-go", "time-average"), Pair("reward-to-go", "optimal"), Pair("gae", "value")):
        alone = np.concatenate([each.gradients(pair) for each in apart])
        np.testing.assert_allclose(together.gradients(pair), alone, atol=1e-12)


def _joined(subject: Subject, first: object, second: object) -> object:
    """The episodes of both, as if they had been played together."""
    from engine.analysis.lab.episodes import _packed

    told, lengths = [], np.concatenate([first.lengths, second.lengths])
    for t in range(lengths.max()):
        columns = []
        for offset, each in ((0, first), (3, second)):
            here = each.step == t
            columns.append((each.episode[here] + offset, each.states[here], each.pairs[here], each.rewards[here]))
        told.append(tuple(np.concatenate(column) for column in zip(*columns, strict=True)))
    return _packed(told, lengths, np.concatenate([first.last, second.last]))


@pytest.mark.parametrize("gamma", [1.0, 0.9])
def test_the_exact_gradient_is_that_of_the_solved_process(gamma: float) -> None:
    snapshot = kept(block=2)  # cells look alike in squares
    subject = subject_of(snapshot, 15)
    assert subject is not None
    theta = snapshot.state["head.rows"].double()
    seen = torch.from_numpy(subject.seen)
    exact = exact_gradient(subject.dynamics, lambda rows: softmax_policy(rows)[seen], theta, gamma)
    np.testing.assert_allclose(subject.gradient(gamma), exact.flatten().numpy(), atol=1e-6)


def z(estimates: Estimates) -> float:
    return estimates.bias / estimates.error


def test_unbiased_estimates_have_the_gradient_in_their_interval_and_others_do_not() -> None:
    found = compared(kept(), Settings(gamma=1.0, value="exact", episodes=5, batches=1000, horizon=20), *PAIRS_THAT_FIT)
    by_pair = {each.pair: each for each in found.estimates}
    for pair in (TOTAL, TO_GO, Pair("total-return", "leave-one-out"), Pair("reward-to-go", "leave-one-out")):
        assert abs(z(by_pair[pair])) < 3.0
    for credit in ("total-return", "reward-to-go", "n-step", "gae"):
        assert abs(z(by_pair[Pair(credit, "value")])) < 3.0
    # What includes the sample it is subtracted from shrinks: by 1 − 1/N, and more where fewer episodes still run.
    shrunk = by_pair[AVERAGE]
    assert z(shrunk) < -3.0
    assert abs(shrunk.bias + found.truth.length / 5) < 3.0 * shrunk.error
    assert by_pair[Pair("reward-to-go", "time-average")].bias < shrunk.bias
    assert z(by_pair[Pair("reward-to-go", "optimal, per parameter")]) < -3.0
    # With the exact values, the shorter rewards are counted, the less noise there is.
    noise = [by_pair[Pair(credit, "value")].variance for credit in ("n-step", "gae", "reward-to-go")]
    assert noise == sorted(noise)
    assert by_pair[TO_GO].variance < by_pair[TOTAL].variance


PAIRS_THAT_FIT = tuple(pair for pair in PAIRS if pair.has_value or pair.credit in ("total-return", "reward-to-go"))


def test_a_wrong_value_misleads_what_bootstraps_and_nothing_else() -> None:
    settings = Settings(gamma=1.0, value="wrong", n=1, gae_lambda=0.5, batches=300)
    pairs = [Pair(credit, "value") for credit in ("total-return", "reward-to-go", "n-step", "gae")]
    whole, to_go, one_step, gae = compared(kept(), settings, *pairs).estimates
    assert abs(z(whole)) < 3.0
    assert abs(z(to_go)) < 3.0
    assert z(one_step) < -10.0
    assert z(gae) < -10.0


def test_a_discount_is_a_bias_against_the_undiscounted_return_and_without_it_against_its_own() -> None:
    settings = Settings(gamma=0.8, episodes=20, batches=400)

    def of(**values: object) -> Estimates:
        return compared(kept(), replace(settings, **values), TO_GO).estimates[0]

    assert abs(z(of(objective="discounted", discount_states=True))) < 3.0
    assert abs(z(of(objective="discounted"))) > 10.0
    assert abs(z(of(objective="undiscounted"))) > 10.0
    total = compared(kept(), replace(settings, objective="discounted"), TOTAL).estimates[0]
    assert abs(z(total)) < 3.0  # it is discounted from the start


def test_a_baseline_by_hand_moves_the_spread_and_leaves_the_mean() -> None:
    found = compared(kept(), Settings(gamma=1.0, batches=400), Pair("total-return", "none"), AVERAGE)
    whole, to_go = found.by_hand
    for hand, none in ((whole, found.estimates[0]), (to_go, None)):
        grid = hand.best + np.linspace(-5.0, 5.0, 11)
        assert np.argmin(hand.variance(grid)) == 5
        assert hand.variance(grid)[0] == pytest.approx(hand.variance(grid)[-1])
        moved = hand.at(hand.best).mean() - hand.at(0.0).mean()
        error = abs(hand.best) * hand.scores.std(ddof=1) / len(hand.scores) ** 0.5
        assert abs(moved) < 3.0 * error
        if none is not None:
            assert hand.variance(np.zeros(1))[0] == pytest.approx(none.variance)
            np.testing.assert_allclose(hand.at(0.0), none.along)
    assert whole.variance(np.array([whole.average]))[0] < 0.6 * whole.variance(np.zeros(1))[0]


def test_what_is_added_to_rewards_makes_noise_and_turns_the_gradient_only_where_lengths_differ() -> None:
    arms = kept("Bandit-v0")
    plain, added = (compared(arms, Settings(added=c, batches=500), TO_GO) for c in (0.0, 5.0))
    assert added.turned == pytest.approx(1.0)
    assert added.truth.length == pytest.approx(plain.truth.length)
    assert abs(z(added.estimates[0])) < 3.0
    assert added.estimates[0].variance > 20.0 * plain.estimates[0].variance
    longer = compared(kept(), Settings(gamma=1.0, added=1.0, batches=300), TO_GO)
    assert longer.turned < 0.9
    assert abs(z(longer.estimates[0])) < 3.0


def test_other_settings_are_seen_on_the_same_samples_and_one_batch_is_enough() -> None:
    lab, snapshot = EstimatorLab(), kept()
    settings = Settings(batches=30, gamma=0.9)
    first, again = (list(lab.compare(snapshot, settings, [TO_GO]))[-1][1] for _ in range(2))
    with_more = list(lab.compare(snapshot, replace(settings, added=1.0), [TO_GO]))[-1][1]
    back = list(lab.compare(snapshot, settings, [TO_GO]))[-1][1]
    assert first is not None
    assert again is not None
    assert with_more is not None
    assert back is not None
    np.testing.assert_array_equal(first.estimates[0].along, again.estimates[0].along)
    np.testing.assert_allclose(first.estimates[0].along, back.estimates[0].along)
    assert first.steps == with_more.steps
    alone = compared(snapshot, replace(settings, batches=1), TO_GO)
    assert len(alone.estimates[0].along) == 1
    assert 0.0 < alone.estimates[0].seconds < 1.0
    assert np.isnan(alone.estimates[0].spread)
    assert alone.estimates[0].unbiased


def test_what_does_not_fit_says_why_and_what_cannot_be_known_as_well() -> None:
    snapshot = kept()
    config, environment = snapshot.config, snapshot.environment
    for baseline in ("none", "average", "optimal"):
        reason = misfit(Pair("gae", baseline), Settings(), config, environment)
        assert "learned value" in str(reason)
    alone = Settings(episodes=1)
    assert misfit(Pair("total-return", "leave-one-out"), alone, config, environment) is not None
    assert misfit(TO_GO, alone, config, environment) is None
    assert reasons(TO_GO, Settings(gamma=1.0), config, environment) == ()
    assert "late rewards" in reasons(TO_GO, Settings(gamma=0.9), config, environment)[-1]
    assert "Late steps" in reasons(TO_GO, Settings(gamma=0.9, objective="discounted"), config, environment)[-1]
    with pytest.raises(RequestError, match="has learned no value"):
        compared(snapshot, Settings(value="critic", batches=2), Pair("gae", "value"))
    assert isinstance(estimator_of(Pair("reward-to-go", "optimal"), Settings()).baseline, OptimalBaseline)


@pytest.mark.parametrize("scales", [np.ones(3), np.geomspace(1.0, 1e-3, 200), np.ones(400)], ids=["3", "200", "400"])
def test_what_points_aside_is_told_where_there_is_some_and_seldom_by_chance(scales: Numbers) -> None:
    random, pair = np.random.default_rng(3), PAIRS[0]
    truth = random.standard_normal(len(scales))
    bias = np.zeros(len(scales))
    bias[-1] = 2.0 * math.sqrt(float(np.square(scales).sum()) / 64)

    def aside(mean: Numbers) -> float:
        sums = Sums(pair, Truth(truth, float(np.linalg.norm(truth))))
        estimates = mean + random.standard_normal((64, len(scales))) * scales
        sums.add(estimates[:21])
        sums.add(estimates[21:])
        return sums.estimates().aside

    assert sum(aside(truth) > 0.0 for _ in range(200)) <= 24  # of 10 expected, by a test whose level is nearly 5 %
    found = [aside(truth + bias) for _ in range(50)]
    assert sum(each > 0.0 for each in found) > 35
    assert float(np.mean([each for each in found if each > 0.0])) == pytest.approx(bias[-1], rel=0.35)
