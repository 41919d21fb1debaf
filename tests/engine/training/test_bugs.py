"""Bugs that are switched on: each changes what it says and nothing else, none is there unasked, and a hidden one is the
same as its name."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from engine.algorithms.actor_critic.squashed import drawn, soft_gradients
from engine.catalogue.configured import changed
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.bugs import BUGS, bug_of, bugs_for, marked
from engine.config import RunConfig
from engine.config.bugs import NO_BUG, hidden
from engine.config.environments import EnvironmentConfig
from engine.config.parameters import with_values
from engine.config.presets import shipped
from engine.config.problems import ParameterError
from engine.config.shared_text import from_text, to_text
from engine.experience.batch import Batch, LearnedValue
from engine.experience.rollouts import Rollout
from engine.experience.transitions import Transitions
from engine.reports.events import Updated
from engine.reports.update_events import UpdateStep
from engine.runtime.errors import RequestError
from engine.training.bugs import estimating, stepwise, updating
from engine.training.bugs.making import actor_critic_making, policy_gradient_making, value_making
from engine.training.checkpoint import from_bytes, to_bytes
from engine.training.training import Training, resumed
from tests.engine.tiny_mdp import TINY, assert_gradient, configured, finish, mean, values
from tests.engine.training.going_on import fingerprint, reports

CASES = {  # where each is made in a test: the smallest there is
    "clipped-log-prob": "pendulum-ppo",
    "clipped-rewards": "pendulum-ppo",
    "missing-log-det": "pendulum-sac",
    "stale-log-probs": "cartpole-ppo",
    "reset-observation": "cartpole-ppo",
    "shifted-advantages": "cartpole-ppo",
    "normalizer-in-evaluation": "mountain-car-discrete",
    "reversed-epsilon": "grid-world-sarsa",
    "target-never-copied": "cartpole-dqn",
    "dones-ignored": "cartpole-dqn",
}
SMALL: dict[str, dict[str, Any]] = {
    "grid-world": {"collection.episodes_per_update": 4, "environment.time_limit": 10},
    "cartpole-ppo": {"collection.steps": 16, "collection.environments": 2, "environment.time_limit": 9},
    "pendulum-ppo": {"collection.steps": 16, "collection.environments": 2},
    "pendulum-sac": {"update.replay.learning_starts": 16, "update.replay.minibatch_size": 8, "collection.steps": 16},
    "mountain-car-discrete": {"collection.environments": 2},
    "grid-world-sarsa": {"collection.steps": 32},
    "cartpole-dqn": {"update.replay.learning_starts": 16, "update.replay.minibatch_size": 8, "collection.steps": 12},
}


def configuration(bug: str) -> RunConfig:
    """A small run with the bug, or with none in its place."""
    preset = CASES.get(bug, "grid-world")
    return with_values(shipped()[preset].config, {**SMALL[preset], "device": "cpu"})


def having(bug: str, as_written: str | None = None) -> RunConfig:
    return with_values(configuration(bug), {"bug": bug if as_written is None else as_written})


# --- as part of a run -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_changes_the_run_hidden_or_not_and_goes_on_exactly(bug: str) -> None:
    """Two iterations, of which the second is also gone on with from the state in between."""
    told, learned = [], []
    for config in (having(bug), having(bug, hidden(bug, 7)), configuration(bug)):
        training = Training(config)
        told.append(reports(training, 1))
        kept = to_bytes(training.state())
        told[-1] += reports(training, 1)
        learned.append(torch.cat([part.flatten().double() for part in training.policy.state_dict().values()]))
        if config.bug == bug:
            again = resumed(from_bytes(kept))
            assert reports(again, 1) == told[-1][1:]
            assert fingerprint(again) == fingerprint(training)
            again.close()
        training.close()
    assert told[0] == told[1]
    assert learned[0].tolist() == learned[1].tolist() != learned[2].tolist()


def test_no_bug_replaces_nothing_and_a_hidden_none_is_none() -> None:
    makings = {
        "grid-world": policy_gradient_making,
        "cartpole-dqn": value_making,
        "grid-world-sarsa": value_making,
        "pendulum-sac": actor_critic_making,
    }
    for preset, making in makings.items():
        for bug in (NO_BUG, hidden(NO_BUG, 3)):
            assert making(with_values(shipped()[preset].config, {"bug": bug})) is None  # type: ignore[operator]


# --- as it is told ----------------------------------------------------------------------------------------------------


def test_every_bug_has_a_preset_in_which_it_can_be_seen_and_says_why_elsewhere() -> None:
    fitting = set()
    for preset in shipped().values():
        info = ENVIRONMENTS[preset.config.environment.id]
        for bug, refused in bugs_for(preset.config, changed(info, preset.config.environment)):
            if refused is None:
                fitting.add(bug.name)
            else:
                assert str(refused).endswith(".")
    assert fitting == set(BUGS)


def test_a_hidden_bug_is_marked_without_its_name_and_stays_hidden_in_texts() -> None:
    named, secret, none = (having("wrong-sign", bug) for bug in ("wrong-sign", hidden("wrong-sign", 1), NO_BUG))
    assert (marked(named), marked(secret), marked(none)) == ("⚠ bug: sign of the loss", "⚠ a bug?", "")
    assert marked(having("wrong-sign", hidden(NO_BUG, 9))) == marked(secret)
    assert bug_of(from_text(to_text(secret))) is BUGS["wrong-sign"]
    assert "wrong" not in secret.model_dump_json()
    assert hidden("wrong-sign", 1) != hidden("wrong-sign", 2)
    assert "bug" not in to_text(none)
    assert len(to_text(none)) < len(to_text(named))


def test_a_bug_that_there_is_not_or_that_does_not_fit_is_refused_and_a_hidden_one_not_named() -> None:
    with pytest.raises(ParameterError, match="bug cannot be \"sign\"; it is one of 'none', 'wrong-sign'"):
        having("wrong-sign", "sign")
    with pytest.raises(ParameterError):
        having("wrong-sign", "hidden:00000001:0123456789abcdef")
    with pytest.raises(RequestError, match="“stale log-probs” cannot be switched on: There are no ratios"):
        Training(having("wrong-sign", "stale-log-probs"))
    with pytest.raises(RequestError, match="A bug may be hidden") as error:
        Training(having("wrong-sign", hidden("stale-log-probs", 1)))
    assert "stale" not in str(error.value)
    with pytest.raises(RequestError, match="by itself"):
        Training(having("wrong-sign"), seeds=[1, 2])


def fits(bug: str, preset: str, **values: object) -> bool:
    config = with_values(shipped()[preset].config, {path.replace("__", "."): value for path, value in values.items()})
    info = changed(ENVIRONMENTS[config.environment.id], config.environment)
    return next(BUGS[bug].fits(config, info), None) is None


def test_what_a_bug_needs_is_looked_for_in_the_configuration_as_it_is() -> None:
    clip = "clipped-rewards"
    for preset in ("cartpole-ppo", "cartpole-dqn"):
        assert not fits(clip, preset)
        assert not fits(clip, preset, environment__reward_scale=0.5)
        assert fits(clip, preset, environment__reward_scale=2.0)
        assert fits(clip, preset, environment__reward_scale=1.0, environment__reward_offset=0.5)
        assert not fits(clip, preset, environment__reward_scale=2.0, environment__reward_offset=-1.5)
    assert fits("dones-ignored", "cartpole-dqn")
    assert not fits("dones-ignored", "cartpole-dqn", environment__options={"terminate_when_unhealthy": False})
    shared: dict[str, Any] = {"policy": "mlp", "estimator__baseline": "shared-value"}
    assert fits("attached-baseline", "grid-world", **shared)
    assert not fits("attached-baseline", "grid-world", **shared, estimator__baseline__coefficient=0.0)
    changes = {"bug": clip, "environment.reward_scale": 5.0, "estimator.n": 1}
    training = Training(with_values(configuration("target-never-copied"), changes))
    (seen,) = {reward for event in watched(training, 2) for reward in event.drawn.rewards.tolist()}
    assert seen == 1.0


def watched(training: Training, iterations: int) -> list[UpdateStep]:
    """The gradient steps of some iterations, of a training that is over with that."""
    training.watched = True
    found: list[UpdateStep] = []
    for event in training:
        found += [event] if isinstance(event, UpdateStep) else []
        if isinstance(event, Updated) and event.iteration >= iterations:
            break
    training.close()
    return found


# --- as a function of a small batch, beside the right one -------------------------------------------------------------

REWARDS = ((1.0, 2.0), (-3.0, 4.0), (5.0, 0.0))  # [T, N]; the second episode has two steps


def rollout(cut: bool = False) -> Rollout:
    """Two episodes, of three and of two steps; the first is cut off where asked."""
    mask = torch.tensor([[True, True], [True, True], [True, False]])
    last = torch.tensor([[False, False], [False, True], [True, False]])
    truncated = last & torch.tensor([cut, False])
    return Rollout(
        observations=torch.tensor([[0, 1], [1, 2], [2, 0]]),
        actions=torch.zeros(3, 2, dtype=torch.int64),
        rewards=torch.tensor(REWARDS),
        terminated=last & ~truncated,
        truncated=truncated,
        mask=mask,
        elapsed=torch.arange(3).unsqueeze(1) * mask,
        final_observations=torch.tensor([3] * cut, dtype=torch.int64),
    )


def credit(wrong: estimating.WrongEstimate, gamma: float = 0.5, made: Rollout | None = None) -> list[float]:
    config = configured(gamma=gamma).estimator
    batch = finish(wrong(made or rollout(), config, TINY.policy(), None))
    return [round(number, 6) for number in batch.advantages.tolist()]


def test_rewards_are_discounted_shifted_and_clipped_as_said() -> None:
    right = [1.0 - 1.5 + 1.25, -3.0 + 2.5, 5.0, 2.0 + 2.0, 4.0]
    assert credit(estimating.WrongEstimate()) == right
    twice = estimating.WrongEstimate(rollout=estimating.discounted_once_more)
    assert credit(twice) == [1.0 - 0.75 + 5.0 / 16.0, -1.5 + 0.625, 1.25, 2.0 + 1.0, 2.0]
    from_the_end = estimating.WrongEstimate(rollout=estimating.discounted_from_the_end, config=estimating.undiscounted)
    assert credit(from_the_end) == [0.25 - 1.5 + 5.0, -1.5 + 5.0, 5.0, 1.0 + 4.0, 4.0]
    without_present = estimating.WrongEstimate(rollout=estimating.from_the_next_step_on)
    assert credit(without_present) == [g - r for g, r in zip(right, (1.0, -3.0, 5.0, 2.0, 4.0), strict=True)]
    clipped = estimating.WrongEstimate(rollout=estimating.clipped_to_1)
    assert credit(clipped) == [1.0 - 0.5 + 0.25, -1.0 + 0.5, 1.0, 1.0 + 0.5, 1.0]


def test_a_cut_becomes_an_end_only_where_time_made_it() -> None:
    cut = rollout(cut=True)
    ended = estimating.ended_by_time(3)(cut, configured().estimator)
    assert ended.terminated.tolist() == (cut.terminated | cut.truncated).tolist()
    assert not ended.truncated.any()
    assert len(ended.final_observations) == 0
    later = estimating.ended_by_time(4)(cut, configured().estimator)  # the rollout's end cut it, not the time limit
    assert later.truncated.tolist() == cut.truncated.tolist()
    assert later.final_observations.tolist() == [3]


def test_the_reset_observation_is_the_next_rows_and_the_last_row_keeps_its_own() -> None:
    made = rollout()
    cut = torch.tensor([[True, False], [False, False], [False, True]])
    made = replace(
        made, truncated=cut, terminated=~cut & False, mask=cut | True, final_observations=torch.tensor([8, 9])
    )
    assert estimating.seen_after_the_reset(made, configured().estimator).final_observations.tolist() == [1, 9]


def batch(advantages: tuple[float, ...] = (1.0, 2.0, 6.0, 3.0, 5.0)) -> Batch:
    learned = LearnedValue(torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]), torch.zeros(5), torch.zeros(3, 2))
    return Batch(rollout(), torch.tensor(advantages), torch.tensor([1.0, 0.5, 0.25, 1.0, 0.5]), learned)


def test_advantages_are_shifted_and_normalised_by_episode_as_said() -> None:
    shifted = estimating.of_the_step_after(batch())
    assert shifted.advantages.tolist() == [2.0, 6.0, 0.0, 5.0, 0.0]
    assert shifted.learned.targets.tolist() == [3.0, 8.0, 3.0, 9.0, 5.0]
    apart = estimating.normalized_by_episode(batch()).advantages
    for part in (apart[:3], apart[3:]):
        assert part.mean().item() == pytest.approx(0.0, abs=1e-6)
        assert part.std(correction=0).item() == pytest.approx(1.0)


def test_weights_turn_round_and_are_averaged_as_said() -> None:
    right = batch().weights().tolist()
    assert updating.against_the_gradient(batch()).weights().tolist() == [-weight for weight in right]
    lengths = (3.0, 3.0, 3.0, 2.0, 2.0)
    averaged = updating.averaged_over_time(batch()).weights().tolist()
    assert averaged == pytest.approx([weight / length for weight, length in zip(right, lengths, strict=True)])


def test_a_gradient_through_the_baseline_is_that_of_other_targets() -> None:
    """Against autograd of the one loss in which V is not detached."""
    made, log_probs, c = batch(), torch.tensor([-0.1, -0.7, -2.0, -0.3, -1.1]), 0.25
    made = replace(made, baseline=replace(made.learned, targets=torch.tensor([2.0, -1.0, 0.5, 3.0, 1.0])))
    value = made.learned.values.clone().requires_grad_()
    goals, weights = made.learned.targets, made.state_weights
    loss = -(weights * log_probs * (goals - value)).sum() / 2 + c * (value - goals).square().mean()
    (right,) = torch.autograd.grad(loss, value)
    wanted = updating.attached_targets(made, log_probs, c)
    torch.testing.assert_close(2.0 * c * (value.detach() - wanted) / 5.0, right)


def transitions() -> Transitions:
    """Three steps in one environment: the first ends by time, the second goes on, the third terminates."""
    flags = np.array([[False], [False], [True]])
    return Transitions(
        observations=np.array([[0], [10], [11]]),
        actions=np.zeros((3, 1), np.int64),
        rewards=np.array([[0.5], [-7.0], [3.0]]),
        terminated=flags,
        truncated=flags[::-1].copy(),
        next_observations=np.array([[1], [11], [12]]),
        following=np.array([20]),
    )


CHANGES: dict[Callable[[Transitions], Transitions], dict[str, list[Any]]] = {
    stepwise.over_when_cut: {"terminated": [True, False, True], "truncated": [False, False, False]},
    stepwise.never_over: {"terminated": [False, False, False], "truncated": [True, False, True]},
    stepwise.led_to_the_reset: {"next_observations": [10, 11, 12]},
    stepwise.paid_at_most_1(EnvironmentConfig()): {"rewards": [0.5, -1.0, 1.0]},
    stepwise.paid_at_most_1(EnvironmentConfig(reward_scale=4.0, reward_offset=-3.0)): {"rewards": [0.5, 0.5, 1.0]},
}


@pytest.mark.parametrize("change", CHANGES)
def test_steps_are_stored_as_said_and_nothing_else_of_them_changes(
    change: Callable[[Transitions], Transitions],
) -> None:
    before, after = transitions(), change(transitions())
    for name in Transitions.__dataclass_fields__:
        wanted = CHANGES[change].get(name)
        expected = getattr(before, name).ravel().tolist() if wanted is None else wanted
        assert getattr(after, name).ravel().tolist() == expected, name


def test_without_the_determinant_the_gradient_is_that_of_the_plain_gaussian() -> None:
    """By autograd: log π(a) = log N(u), u = μ + σ ε with ε held still, has no gradient in μ."""
    mean, log_std, noise = (torch.tensor(rows, dtype=torch.float64) for rows in ([[0.3]], [[-0.2]], [[0.9]]))
    mean.requires_grad_()
    log_std.requires_grad_()
    latent = mean + log_std.exp() * noise
    density = torch.distributions.Normal(mean, log_std.exp()).log_prob(latent).sum(-1)
    alpha = torch.tensor([0.7], dtype=torch.float64)
    (alpha * density - (3.0 * latent.tanh()).sum(-1)).mean().backward()
    rule = object.__new__(stepwise.WithoutDeterminant)
    sample = drawn(mean.detach(), log_std.detach(), noise)
    by_mean, by_log_std = rule._gradients(sample, torch.tensor([[3.0]], dtype=torch.float64), alpha)
    torch.testing.assert_close(by_mean, mean.grad)
    torch.testing.assert_close(by_log_std, log_std.grad)
    right, _ = soft_gradients(sample, torch.tensor([[3.0]], dtype=torch.float64), alpha)
    assert not math.isclose(right.item(), by_mean.item(), rel_tol=0.01)


# --- by the exact gradient --------------------------------------------------------------------------------------------

HIGH = {"value": (5.0, -3.0)}
WRONG: dict[str, tuple[Any, dict[str, Any]]] = {
    "wrong-sign": (updating.against_the_gradient, {}),
    "mean-over-time": (updating.averaged_over_time, {}),
    "discount-twice": (estimating.WrongEstimate(rollout=estimating.discounted_once_more), {}),
    "discount-from-the-end": (
        estimating.WrongEstimate(rollout=estimating.discounted_from_the_end, config=estimating.undiscounted),
        {},
    ),
    "missing-present-reward": (estimating.WrongEstimate(rollout=estimating.from_the_next_step_on), {}),
    "clipped-rewards": (estimating.WrongEstimate(rollout=estimating.clipped_to_1), {}),
    "normalized-per-episode": (estimating.WrongEstimate(batch=estimating.normalized_by_episode), {}),
    "truncation-as-termination": (
        estimating.WrongEstimate(rollout=estimating.ended_by_time(3)),
        {"value": (5.0, -3.0)},
    ),
    "shifted-advantages": (estimating.WrongEstimate(batch=estimating.of_the_step_after), {"value": (5.0, -3.0)}),
}


@pytest.mark.parametrize("bug", WRONG)
def test_the_check_of_unbiased_estimators_fails_with_it(bug: str) -> None:
    """The very check that the right estimator passes, on every episode that there is."""
    wrong, how = WRONG[bug]
    table = how.get("value")
    critic = None if table is None else values(table)
    credit: Any = "reward-to-go" if table is None else {"kind": "gae", "gae_lambda": 1.0}
    config = configured(credit, "none" if table is None else "value", gamma=0.5, discount_states=True)

    def change(made: Batch) -> Batch:
        if not isinstance(wrong, estimating.WrongEstimate):
            found: Batch = wrong(made)
            return found
        again: Batch = finish(wrong(made.rollout, config.estimator, TINY.policy(), critic))
        return again

    expected = TINY.gradient(0.5, tail=table)
    assert_gradient(mean(TINY, config, critic=critic), expected)
    got = mean(TINY, config, critic=critic, change=change)
    assert (got - expected).norm().item() > 0.02
