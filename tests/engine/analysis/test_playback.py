"""Episodes of a frozen policy: what each frame tells, and that nothing leaks to or from training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from engine.analysis import playback as playing
from engine.analysis.beginnings import AfterActions, InState
from engine.analysis.critics import worth_of
from engine.analysis.playback import Playback, snapshot
from engine.analysis.playback import frozen as frozen_run
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.distribution import policy_of
from engine.catalogue.spaces import Space
from engine.config import ActorCriticConfig
from engine.config.parameters import with_values
from engine.policies.policy import Policy
from engine.reports.events import Updated
from engine.reports.frames import PLACES, BoundedDecision, GaussianDecision
from engine.runs.snapshots import Snapshot, from_bytes, to_bytes
from engine.runtime.errors import RunError
from engine.training.training import Training
from engine.values.action_critics import Critics
from tests.engine.analysis.playing import Pictured, decided, episode, frozen, toy
from tests.engine.drawn import drawn_here
from tests.engine.support import Toy, configured, register, untimed
from tests.engine.training.going_on import reports


def test_an_episode_begins_in_a_state_or_after_actions_and_those_after_it_as_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(playing, "rendered", drawn_here)
    chosen = configured(environment="MountainCar-v0", environment__time_limit=5)
    playback = Playback(frozen(chosen), 0)
    playback.advance(greedy=True)
    playback.begin(InState(np.array([0.45, 0.07])))
    first, last = episode(playback)
    assert (first.step, first.reward_so_far, first.episode, last.terminated) == (0, 0.0, 2, True)
    assert playback._observations[0] == pytest.approx([0.5184, 0.0684], abs=2e-3)
    ordinary = playback.advance(greedy=True)
    assert [first.chosen, last.chosen, ordinary.chosen] == [True, True, False]
    assert (ordinary.step, ordinary.episode, bool(-0.6 <= playback._observations[0][0] <= -0.4)) == (0, 3, True)
    playback.begin(AfterActions(7, np.array([2, 2, 0])))
    led = playback.advance(greedy=True)
    assert (led.step, led.reward_so_far, led.ended) == (3, -3.0, False)
    behind = drawn_here(chosen.environment).stepped
    behind.begin(7)
    seen = [behind.step(np.array([action]), np.array([0])).observations[0] for action in (2, 2, 0)]
    assert np.array_equal(playback._observations[0], seen[-1])
    playback.begin(AfterActions(7, np.array([2] * 6)))
    with pytest.raises(RunError, match="was over sooner"):
        playback.advance(greedy=True)
    playback.close()


def test_a_memory_is_led_along_to_where_an_episode_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playing, "rendered", drawn_here)
    playback = Playback(frozen(configured(environment="CartPolePositions-v0", policy="gru")), 0)
    frames = [playback.advance(greedy=True) for _ in range(3)]
    actions = np.array([decided(frame).action for frame in frames[:2]])
    playback.begin(AfterActions(playback._seed, actions))
    assert np.array_equal(decided(playback.advance(greedy=True)).probabilities, decided(frames[2]).probabilities)
    playback.close()


def test_frames_count_steps_and_raw_reward_from_the_reset_on() -> None:
    playback = Playback(toy("Count-v0", lengths=(3,), reward=-2.0), 0)
    assert [(f.step, f.reward_so_far) for f in episode(playback)] == [(0, 0.0), (1, -2.0), (2, -4.0), (3, -6.0)]


def test_a_frame_pictures_the_state_in_which_its_action_is_decided() -> None:
    playback = Playback(toy("State-v0", lengths=(2,)), 0)
    left = [int(f.image[0, 0, 0]) for f in episode(playback) if f.image is not None]
    assert left == [2, 1, 0]


def test_the_action_taken_is_the_one_that_the_frame_before_showed() -> None:
    playback = Playback(toy("Taken-v0", lengths=(20,)), 0)
    Toy.received.clear()
    frames = episode(playback)
    assert Toy.received == [decided(f).action for f in frames[:-1]]


def test_nothing_is_decided_in_the_final_state() -> None:
    frames = episode(Playback(toy("Final-v0", lengths=(2,)), 0))
    assert [f.decision is None for f in frames] == [False, False, True]


@pytest.mark.parametrize("truncates", [False, True])
def test_termination_and_truncation_are_told_apart(truncates: bool) -> None:
    last = episode(Playback(toy("Ends-v0", lengths=(1,), truncates=truncates), 0))[-1]
    assert (last.terminated, last.truncated) == (not truncates, truncates)


def test_greedy_takes_the_most_likely_action() -> None:
    frames = episode(Playback(toy("Greedy-v0", lengths=(30,)), 0), greedy=True)
    assert all(decided(f).action == decided(f).probabilities.argmax() for f in frames[:-1])


def test_sampled_actions_follow_the_probabilities() -> None:
    frames = episode(Playback(toy("Sampled-v0", lengths=(200,), what="ones"), 0))
    taken = np.array([decided(f).action for f in frames[:-1]])
    expected = decided(frames[0]).probabilities[1]
    assert abs(taken.mean() - expected) < 4 * np.sqrt(0.25 / len(taken))


def test_the_same_seed_plays_the_same_episodes() -> None:
    shown = toy("Seeded-v0", lengths=(5, 9, 7), shuffled=True)
    first, second = (
        [f.decision and decided(f).action for _ in range(4) for f in episode(playback)]
        for playback in (Playback(shown, 3), Playback(shown, 3))
    )
    assert first == second


@pytest.mark.parametrize("environment", ["CartPole-v1", "Pendulum-v1"])
def test_an_episode_is_the_same_whether_it_is_seen_or_not(environment: str) -> None:
    shown = frozen(configured(environment=environment, environment__time_limit=12))
    seen, unseen = Playback(shown, 3), Playback(shown, 3)
    whole = episode(seen)
    for frame in whole:
        seen_now = frame.step % 4 == 0
        other = unseen.advance(greedy=False, render=seen_now, told=seen_now)
        assert (other.step, other.reward_so_far, other.ended) == (frame.step, frame.reward_so_far, frame.ended)
        assert (other.decision is None) == (other.image is None or other.ended)
    seen.close()
    unseen.close()


def test_a_policy_whose_numbers_are_not_finite_steers_nothing_that_is_not_seen() -> None:
    broken = frozen(configured(environment="Pendulum-v1"))
    playback = Playback(replace(broken, state={name: torch.nan * held for name, held in broken.state.items()}), 3)
    with pytest.raises(RunError, match="numbers that are not finite"):
        playback.advance(greedy=True, render=False, told=False)
    playback.close()


def test_a_gaussian_frame_tells_mean_spread_action_and_bounds() -> None:
    playback = Playback(frozen(configured(environment="Pendulum-v1", policy__initial_log_std=1.0)), 0)
    decision = playback.advance(greedy=True).decision
    playback.close()
    assert isinstance(decision, GaussianDecision)
    assert decision.action == pytest.approx(decision.mean)
    assert decision.std == pytest.approx([2.0 * np.e])  # in torque, of which the half-width is 2
    assert (decision.low.tolist(), decision.high.tolist()) == ([-2.0], [2.0])


def test_a_gaussian_action_is_shown_unclipped_and_played_clipped() -> None:
    box = spaces.Box(-0.01, 0.03, (1,))
    config = configured(
        environment=register("Clipped-v0", Pictured, lengths=(1,), action=box), policy__initial_log_std=2.0
    )
    playback = Playback(frozen(config), 0)
    Toy.received.clear()
    decision = episode(playback)[0].decision
    assert isinstance(decision, GaussianDecision)
    assert decision.mean == pytest.approx([0.01], abs=1e-3)
    assert decision.std == pytest.approx([0.02 * np.exp(2.0)])
    assert decision.clipped.tolist() == [True]
    assert Toy.received[0] == pytest.approx(0.03 if decision.action > 0.01 else -0.01)


def test_a_newer_policy_plays_from_the_next_episode_on() -> None:
    config = toy("Newer-v0", lengths=(3,)).config
    playback = Playback(frozen(config, iteration=1), 0)
    frames = [playback.advance(greedy=False)]
    playback.use(frozen(config, iteration=2))
    frames += [playback.advance(greedy=False) for _ in range(4)]
    assert [(f.episode, f.iteration) for f in frames] == [(1, 1)] * 4 + [(2, 2)]


def test_a_newer_policy_brings_its_own_parameters() -> None:
    config = toy("Parameters-v0", lengths=(1,), what="ones").config
    playback = Playback(frozen(config, seed=0), 0)
    before = decided(episode(playback)[0]).probabilities
    playback.use(frozen(config, seed=1))
    assert (decided(episode(playback)[0]).probabilities != before).any()


def test_another_environment_plays_at_once() -> None:
    playback = Playback(toy("Here-v0", lengths=(9,)), 0)
    playback.advance(greedy=False)
    playback.use(toy("There-v0", lengths=(9,)))
    assert (playback.environment.id, playback.advance(greedy=False).step) == ("There-v0", 0)


def test_a_policy_of_another_shape_plays_at_once() -> None:
    config = toy("Shape-v0", lengths=(9,)).config
    playback = Playback(frozen(config), 0)
    playback.advance(greedy=False)
    playback.use(frozen(config.model_copy(update={"policy": configured(policy="linear").policy})))
    assert playback.advance(greedy=False).step == 0


def test_a_snapshot_does_not_follow_the_policy() -> None:
    config = configured()
    policy = Policy(config.policy, ENVIRONMENTS["CartPole-v1"], torch.Generator().manual_seed(0))
    taken = snapshot(policy, config, ENVIRONMENTS["CartPole-v1"], 0)
    before = {name: value.clone() for name, value in taken.state.items()}
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(1.0)
    assert all(torch.equal(taken.state[name], before[name]) for name in before)


def test_watching_changes_nothing_in_the_run_watched() -> None:
    def played(watched: bool) -> list[dict[str, float | None]]:
        training = Training(configured(environment="CartPole-v1"))
        playback = Playback(frozen(training.config), 0)
        updates = []
        for event in training:
            if watched:
                playback.use(snapshot(training.policy, training.config, training.environment, training.iteration))
                episode(playback)
            if isinstance(event, Updated):
                updates.append(untimed(event))
        training.close()
        playback.close()
        return updates

    assert played(watched=True) == played(watched=False)


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("raises in reset", r"Fails-v0 with the seed \d+ raised OSError: the level file is gone, in its reset"),
        ("raises in episode 0", r"Fails-v0 with the seed \d+ raised ZeroDivisionError: division by zero, in its step"),
        ("raises in render", "Fails-v0.* raised OSError: no texture, in its render"),
    ],
)
def test_a_raising_environment_is_one_sentence(what: str, sentence: str) -> None:
    playback = Playback(toy("Fails-v0", what=what), 0)
    with pytest.raises(RunError, match=sentence):
        episode(playback)


def test_parameters_that_are_not_finite_are_one_sentence() -> None:
    shown = toy("Broken-v0")
    for value in shown.state.values():
        value.fill_(float("nan"))
    with pytest.raises(RunError, match="not finite"):
        Playback(shown, 0).advance(greedy=False)


@pytest.mark.parametrize(
    ("rule", "environment"), [("sac", "Pendulum-v1"), ("td3", "Pendulum-v1"), ("sac", "CartPole-v1")]
)
def test_a_decision_comes_with_what_actions_are_worth_to_the_critics(rule: str, environment: str) -> None:
    """Beside the policy of a run that climbs these, also once the snapshot has been written and read."""
    small = {"policy.hidden_sizes": (6,), "update.critic.hidden_sizes": (5,), "update.replay.learning_starts": 9}
    config: Any = with_values(ActorCriticConfig(), {"environment": environment})
    config = with_values(config, {"update": rule, "environment.normalize_observations": True})
    training = Training(with_values(config, small | {"collection.steps": 40, "device": "cpu"}))
    reports(training, 2)
    taken = Snapshot(frozen_run(training), training.environment_steps)
    policy = from_bytes(to_bytes(taken), training.config, training.environment).policy
    playback = Playback(policy, 0)
    frame = playback.advance(greedy=True)
    seen = torch.from_numpy(playback._observations)
    learner: Any = training.learner
    online = learner._rule._online
    if environment == "CartPole-v1":
        expected = online.judge(seen).values.amin(0)[0]
        np.testing.assert_allclose(decided(frame).values, expected, rtol=1e-5)  # type: ignore[arg-type]
    else:
        assert isinstance(frame.decision, GaussianDecision | BoundedDecision)
        places = torch.linspace(-1.0, 1.0, PLACES).unsqueeze(-1)
        expected = online.judge(seen.expand(PLACES, -1), places).values.amin(0)
        np.testing.assert_allclose(frame.decision.worth, expected.unsqueeze(0), rtol=1e-4)  # type: ignore[arg-type]
        assert np.ptp(frame.decision.worth) > 0.0  # type: ignore[arg-type]
    playback.close()
    training.close()


def test_of_several_components_each_is_looked_at_with_the_others_as_they_are() -> None:
    config: Any = with_values(ActorCriticConfig(), {"environment": "LunarLander-v3"})
    config = with_values(config, {"update": "td3", "update.critic.hidden_sizes": (5,), "policy.hidden_sizes": (4,)})
    info = replace(ENVIRONMENTS["Pendulum-v1"], action=Space("box", 2, bounds=((-1.0, 1.0), (0.0, 4.0))))
    policy = Policy(policy_of(config, info), info, torch.Generator().manual_seed(1))
    critics = Critics(config.update.critic, 2, info, policy, torch.Generator().manual_seed(2))
    worth = worth_of(config, info, policy, critics.vector.values)
    assert worth is not None
    seen, greedy = torch.randn(1, 3), torch.tensor([[0.25, -0.5]])
    found = worth.along(seen, greedy)
    assert found is not None
    for component, action in ((0, [1.0, -0.5]), (1, [0.25, 1.0])):
        expected = critics.judge(seen, torch.tensor([action])).values.amin(0).item()
        assert found[component, -1] == pytest.approx(expected, rel=1e-5)
