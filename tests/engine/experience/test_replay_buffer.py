"""Replay: what is drawn is what was appended, within episodes, as often as it should be, and so after a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from math import prod
from typing import Any, cast

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from engine.catalogue.configured import changed
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.replay import replay_layout
from engine.catalogue.spaces import Space
from engine.config.environments import EnvironmentConfig
from engine.config.replay import ReplayConfig
from engine.environments.batches.changed import ChangedBatch
from engine.environments.batches.interface import Transitions as Moved
from engine.experience.prioritized_replay import PrioritizedReplay
from engine.experience.replay import LEAST_PRIORITY, Horizon, Replay
from engine.experience.replay_buffer import Experience, Minibatch, ReplayBuffer
from engine.experience.replay_layout import ArrayLayout, TransitionLayout, replay_bytes
from engine.experience.sum_tree import SumTree
from engine.experience.transitions import Transitions
from engine.maths.priorities import prioritized_weights
from engine.runtime.errors import RunError
from engine.training.checkpoint import from_bytes, to_bytes
from tests.engine.states import as_data, held
from tests.engine.training.walking import leaves

LAYOUT = TransitionLayout(ArrayLayout((3,), "float32"), ArrayLayout((), "int64"))
GAMMA = 0.5


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@dataclass
class World:
    """N environments that show (environment, episode, step), take their place in time for an action, and reward with
    it too. Episodes end and are cut by chance. It remembers all that happened."""

    size: int
    seed: int
    often: float = 0.3
    steps: int = 0
    log: list[list[tuple[Any, ...]]] = field(default_factory=list)  # by time, by environment: what a transition is

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)
        self.shown = np.stack([np.arange(self.size), np.zeros(self.size), np.zeros(self.size)], 1).astype(np.float32)

    def play(self, steps: int) -> Experience:
        seen, finals, ends = [], [], []
        for _ in range(steps):
            terminated, truncated = self.random.random((2, self.size)) < self.often
            seen.append(self.shown.copy())
            after = self.shown + np.float32([0, 0, 1])
            cut = truncated & ~terminated
            finals.append(after[cut])
            ends.append((terminated, truncated))
            self.log.append([(seen[-1][n], terminated[n], cut[n], after[n]) for n in range(self.size)])
            over = terminated | truncated
            self.shown = np.where(over[:, None], self.shown * np.float32([1, 1, 0]) + np.float32([0, 1, 0]), after)
        time = np.repeat(np.arange(self.steps, self.steps + steps)[:, None], self.size, 1)
        self.steps += steps
        terminated, truncated = np.array(ends).transpose(1, 0, 2) if steps else np.zeros((2, 0, self.size), bool)
        observations = np.array(seen, np.float32).reshape(steps, self.size, 3)
        final_observations = np.concatenate([np.zeros((0, 3), np.float32), *finals])
        return Experience(observations, time, time.astype(float), terminated, truncated, final_observations, self.shown)

    def break_off(self, which: NDArray[np.int64]) -> None:
        """The episodes of some environments are over without a step that said so."""
        for n in which:
            observed, terminated, cut, after = self.log[-1][n]
            if not (terminated or cut):
                self.log[-1][n] = (observed, terminated, True, after)
                self.shown[n] = [n, self.shown[n, 1] + 1, 0]

    def transition(self, time: int, n: int, steps: int) -> tuple[NDArray[Any], float, float, NDArray[Any], int]:
        """What is to come out of the buffer for the step that environment n took at ``time``."""
        reward, length = 0.0, 0
        while True:
            observed, terminated, cut, after = self.log[time + length][n]
            reward += GAMMA**length * (time + length)
            length += 1
            if terminated or cut or length == steps or time + length == self.steps:
                break
        discount = 0.0 if terminated else GAMMA**length
        return self.log[time][n][0], reward, discount, observed if terminated else after, length


def of_one_step(experience: Experience) -> Experience:
    """Without the dimension of time."""
    names = ("observations", "actions", "rewards", "terminated", "truncated")
    return replace(experience, **{name: getattr(experience, name)[0] for name in names})


def assert_holds(batch: Minibatch, world: World, n: int) -> None:
    """Each of the transitions is one that happened."""
    for index in range(len(batch.slots)):
        environment, time = int(batch.observations[index, 0]), int(batch.actions[index])
        observed, reward, discount, following, length = world.transition(time, environment, n)
        assert batch.observations[index].tolist() == observed.tolist()
        assert batch.next_observations[index].tolist() == following.tolist()
        assert batch.rewards[index].item() == pytest.approx(reward)
        assert batch.discounts[index].item() == pytest.approx(discount)
        assert batch.lengths[index].item() == length
        assert batch.ages[index].item() == (world.steps - 1 - time) * world.size


@pytest.mark.parametrize("n", [1, 2, 5])
def test_windows_are_the_steps_that_followed_as_far_as_the_episode_goes(n: int) -> None:
    """Also where the ring has begun anew, and by which chance each action was taken."""
    world, buffer = World(3, seed=5), ReplayBuffer(replace(LAYOUT, likelihoods=True), 40, 3)
    for steps in (4, 1, 7, 6):
        experience = world.play(steps)
        buffer.append(replace(experience, log_probs=-experience.rewards.astype(np.float32)))
    again = ReplayBuffer(replace(LAYOUT, likelihoods=True), 40, 3)
    again.load(buffer.state())
    slots = all_slots(buffer)
    windows = again.windows(slots, n, GAMMA)
    ahead = windows.steps.actions.view(n, -1)
    for column, time in enumerate(ahead[0].tolist()):
        *_, length = world.transition(time, int(slots[column]) % 3, n)
        assert ahead[:length, column].tolist() == list(range(time, time + length))
        assert windows.carry[:, column].tolist() == pytest.approx([GAMMA] * (length - 1) + [0.0] * (n + 1 - length))
        assert windows.log_probs[:length, column].tolist() == [-float(time + step) for step in range(length)]
    first = Minibatch(*(part[: len(slots)] for part in vars(windows.steps).values()))
    assert_holds(first, world, 1)
    with pytest.raises(ValueError, match="log_probs are kept here"):
        again.append(world.play(1))


def all_slots(buffer: ReplayBuffer) -> NDArray[np.int64]:
    """Of every transition that is there, the oldest first."""
    oldest = (buffer.head * buffer.environments - len(buffer)) % buffer.slots
    return (oldest + np.arange(len(buffer))) % buffer.slots


@given(
    size=st.integers(1, 3),
    rows=st.integers(1, 9),
    n=st.integers(1, 5),
    blocks=st.lists(st.integers(0, 6), min_size=1, max_size=10),
    often=st.sampled_from([0.05, 0.3, 0.8]),
    seed=st.integers(0, 10_000),
)
def test_every_transition_is_one_that_happened_within_one_episode(
    size: int, rows: int, n: int, blocks: list[int], often: float, seed: int
) -> None:
    """Whatever the ring's size, however much comes at once, and where episodes break off: none crosses an end, a cut,
    the newest row or the place where the ring begins again."""
    world, buffer = World(size, seed, often), ReplayBuffer(LAYOUT, rows * size, size)
    for steps in blocks:
        buffer.append(of_one_step(world.play(1)) if steps == 1 else world.play(steps))
        if steps == 3:
            broken = world.random.permutation(size)[:2]
            buffer.cut(broken)
            world.break_off(broken)
        assert len(buffer) == min(world.steps, rows) * size
        batch = buffer.at(all_slots(buffer), n, GAMMA)
        times = np.arange(max(0, world.steps - rows), world.steps)
        assert batch.actions.tolist() == times.repeat(size).tolist()
        assert_holds(batch, world, n)


def side_by_side(frames: list[NDArray[Any]], places: int) -> NDArray[Any]:
    """Frames [N, numbers] as observations [N, frames · numbers], by place."""
    stacked = np.stack([frame.reshape(len(frame), places, -1) for frame in frames], 2)
    return stacked.reshape(len(frames[0]), -1)


def seen_in_frames(experience: Experience, before: NDArray[Any], places: int, repeats: bool) -> Experience:
    """``experience`` as an environment shows the latest of it side by side, from ``before`` [N, k, 3], the frames that
    it shows first, which become those that it shows last; zeros stand before the first of an episode, or that again."""
    seen, finals = [], []
    for t in range(len(experience.rewards)):
        seen.append(side_by_side(list(before.swapaxes(0, 1)), places))
        after = np.concatenate((before[:, 1:], before[:, -1:] + np.float32([0, 0, 1])), 1)
        cut = experience.truncated[t] & ~experience.terminated[t]
        finals.append(side_by_side(list(after.swapaxes(0, 1)), places)[cut])
        over = experience.terminated[t] | experience.truncated[t]
        later = experience.observations[t + 1] if t + 1 < len(experience.rewards) else experience.following
        before[:] = np.where(over[:, None, None], later[:, None] if repeats else 0.0, after)
        before[:, -1] = later
    width = 3 * before.shape[1]
    observations = np.array(seen, np.float32).reshape(-1, len(before), width)
    final_observations = np.concatenate([np.zeros((0, width), np.float32), *finals])
    following = side_by_side(list(before.swapaxes(0, 1)), places)
    return replace(experience, observations=observations, final_observations=final_observations, following=following)


@given(
    size=st.integers(1, 3),
    rows=st.integers(1, 7),
    frames=st.integers(2, 4),
    places=st.sampled_from([1, 3]),
    repeats=st.booleans(),
    blocks=st.lists(st.integers(0, 9), min_size=1, max_size=10),
    often=st.sampled_from([0.05, 0.3]),
    seed=st.integers(0, 10_000),
)
@example(size=2, rows=2, frames=3, places=1, repeats=True, blocks=[2, 9], often=0.05, seed=1)  # two of nine are kept
def test_frames_that_are_kept_once_come_out_as_the_observations_that_went_in(
    size: int, rows: int, frames: int, places: int, repeats: bool, blocks: list[int], often: float, seed: int
) -> None:
    """As those of a buffer that keeps them whole, which begins in the middle of episodes, after steps that it was not
    given."""
    stacked = ArrayLayout((3 * frames,), "float32")
    world = World(size, seed, often)
    whole = ReplayBuffer(TransitionLayout(stacked, LAYOUT.action), rows * size, size)
    once = TransitionLayout(stacked, LAYOUT.action, False, frames, places, repeats)
    kept = PrioritizedReplay(once, rows * size, size)
    shown = np.zeros((size, frames, 3), np.float32)
    shown[:] = world.shown[:, None]
    seen_in_frames(world.play(2), shown, places, repeats)
    for steps in blocks:
        experience = seen_in_frames(world.play(steps), shown, places, repeats)
        for buffer in (whole, kept):
            buffer.append(experience)
        if steps == 3:
            broken = world.random.permutation(size)[:2]
            before = world.shown.copy()
            world.break_off(broken)
            anew = (world.shown != before).any(1)
            for buffer in (whole, kept):
                buffer.cut(broken)
            shown[anew] = world.shown[anew][:, None] if repeats else 0.0
            shown[:, -1] = world.shown
        assert len(kept) == len(whole)
        if not len(whole):
            continue
        slots = all_slots(kept._buffer)
        for n in (1, 3):
            one, other = whole.at(all_slots(whole), n, GAMMA), kept._buffer.at(slots, n, GAMMA)
            for name in Minibatch.__annotations__:
                if name != "slots":
                    assert torch.equal(getattr(one, name), getattr(other, name)), name
        drawn, chances = kept.sample(5 * len(slots), 1, GAMMA, generator())
        assert sorted(drawn.slots.unique().tolist()) == sorted(slots.tolist())
        assert chances.tolist() == pytest.approx([1 / len(slots)] * len(chances))


class Shown:
    """Environments that show numbers by chance, and end none of their episodes."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.size, self._numbers, self._random = 2, prod(shape), np.random.default_rng(0)

    def reset(self, indices: NDArray[np.int64]) -> NDArray[Any]:
        return self._random.integers(0, 256, (len(indices), self._numbers)).astype(np.float32)

    def step(self, actions: NDArray[Any], indices: NDArray[np.int64]) -> Moved:
        never = np.zeros(len(indices), np.bool_)
        return Moved(self.reset(indices), np.zeros(len(indices)), never, never)


@pytest.mark.parametrize(
    ("shape", "image", "bytes_of_a_frame"),
    [
        ((6,), False, 24),
        ((8, 9), True, 72),
        ((8, 9, 2), True, 144),
        ((2, 8, 9), True, 144),
        ((3, 4, 2), False, 4 * 3 * 24),  # of which nobody knows how it was stacked: kept whole
    ],
)
def test_frames_are_found_where_an_environment_that_stacks_them_puts_them(
    shape: tuple[int, ...], image: bool, bytes_of_a_frame: int
) -> None:
    space = Space("box", prod(shape), bounds=((0.0, 255.0),), shape=shape if len(shape) > 1 else (), image=image)
    environment = EnvironmentConfig(frame_stack=3)
    seen = changed(replace(ENVIRONMENTS["CartPole-v1"], observation=space), environment)
    layout = replay_layout(seen, environment)
    assert layout.frame.bytes == bytes_of_a_frame
    batch = ChangedBatch(cast("Any", Shown(shape)), environment, space, [1, 2])
    whole = ReplayBuffer(replace(layout, frames=1, places=1), 20, 2)
    kept = ReplayBuffer(layout, 20, 2)
    shown, both = batch.reset(np.arange(2)), np.arange(2)
    for _ in range(6):
        moved = batch.step(both, both)
        step = Experience(shown, both, moved.rewards, moved.terminated, moved.truncated, shown[:0], moved.observations)
        shown = moved.observations
        for buffer in (whole, kept):
            buffer.append(step)
    one, other = (buffer.at(all_slots(buffer), 2, GAMMA) for buffer in (whole, kept))
    assert torch.equal(one.observations, other.observations)
    assert torch.equal(one.next_observations, other.next_observations)


def test_final_observations_find_room_as_cuts_become_frequent_and_leave_with_their_rows() -> None:
    world, buffer = World(3, 0, often=0.05), ReplayBuffer(LAYOUT, 90, 3)
    for often in (0.05, 0.5, 0.05, 0.5):
        world.often = often
        for _ in range(80):
            buffer.append(of_one_step(world.play(1)))
        assert_holds(buffer.at(all_slots(buffer), 2, GAMMA), world, 2)
    assert max(len(array) for array in held(vars(buffer)) if array.shape[1:] == (3,)) == buffer.slots
    cuts = sum(cut for row in world.log[-30:] for _, _, cut, _ in row)
    assert buffer.state()["kept_finals"] == cuts
    assert len(buffer.state()["final_observations"]) <= 64  # room for twice the some 30 that there were at once


def test_wrong_variants_are_seen_to_be_wrong() -> None:
    """A truncation taken for a termination, or the next row taken for what a cut episode came to."""
    world, buffer = World(2, 1), ReplayBuffer(LAYOUT, 40, 2)
    experience = world.play(20)
    merged = experience.terminated | experience.truncated
    buffer.append(replace(experience, terminated=merged, final_observations=_NONE))
    with pytest.raises(AssertionError):
        assert_holds(buffer.at(all_slots(buffer), 3, GAMMA), world, 3)
    crossing = ReplayBuffer(LAYOUT, 40, 2)
    crossing.append(replace(experience, truncated=np.zeros_like(experience.truncated), final_observations=_NONE))
    with pytest.raises(AssertionError):
        assert_holds(crossing.at(all_slots(crossing), 1, GAMMA), world, 1)


_NONE = np.zeros((0, 3), np.float32)


def test_uniform_draws_take_every_transition_alike() -> None:
    """Pearson's χ² over 20 transitions, once the ring has gone round."""
    world, buffer = World(2, 0), ReplayBuffer(LAYOUT, 20, 2)
    buffer.append(world.play(17))
    slots = buffer.draw(20_000, generator())
    counts = np.bincount(slots, minlength=buffer.slots)
    assert counts[buffer.head * 2 : buffer.head * 2 + 2].tolist() == [0, 0]
    assert stats.chisquare(counts[all_slots(buffer)]).pvalue > 1e-3
    batch = buffer.sample(64, 3, GAMMA, generator(1))
    assert_holds(batch, world, 3)
    assert (batch.actions >= 7).all()
    assert batch.to(torch.device("cpu")).slots.tolist() == batch.slots.tolist()


def test_prioritized_draws_go_by_priority_and_their_weights_undo_it() -> None:
    world, replay = World(2, 0), PrioritizedReplay(LAYOUT, 20, 2)
    replay.append(world.play(17))
    fresh, alike = replay.sample(200, 1, GAMMA, generator())
    assert alike.tolist() == pytest.approx([1 / 20] * 200)
    slots = torch.unique(fresh.slots)
    assert len(slots) == 20
    priorities = torch.linspace(0.0, 3.0, 20, dtype=torch.float64)
    replay.update(slots, priorities)
    drawn, probabilities = replay.sample(20_000, 1, GAMMA, generator(1))
    assert_holds(Minibatch(*(getattr(drawn, name)[:40] for name in Minibatch.__annotations__)), world, 1)
    expected = (priorities / priorities.sum()).numpy()
    which = torch.searchsorted(slots, drawn.slots)
    np.testing.assert_allclose(probabilities.numpy(), expected[which.numpy()], rtol=1e-6)
    counts = np.bincount(which.numpy(), minlength=20)
    assert counts[0] == 0
    assert stats.chisquare(counts[1:], 20_000 * expected[1:]).pvalue > 1e-3
    # Of what has a priority above 0: unweighted, the mean is far from the uniform one, weighted it is there.
    numbers = torch.arange(20.0)[which] ** 2
    weights = prioritized_weights(probabilities, 19, 1.0, normalized=False)
    uniform = (torch.arange(1.0, 20.0) ** 2).mean().item()
    error = (weights * numbers).std().item() / 20_000**0.5
    assert (weights * numbers).mean().item() == pytest.approx(uniform, abs=4 * error)
    assert abs(numbers.mean().item() - uniform) > 40 * error


def test_new_transitions_have_the_greatest_priority_and_old_ones_leave_with_theirs() -> None:
    world, replay = World(2, 0), PrioritizedReplay(LAYOUT, 8, 2)
    for steps in (1, 2, 1, 3, 9, 1):
        replay.append(world.play(steps))
        batch, probabilities = replay.sample(400, 1, GAMMA, generator())
        assert_holds(batch, world, 1)
        assert len(batch.slots.unique()) == len(replay)
        assert probabilities.tolist() == pytest.approx([1 / len(replay)] * 400)  # the greatest that there was
        once, _ = replay.sample(len(replay), 1, GAMMA, generator())  # out of every part of the priorities one
        assert len(once.slots.unique()) == len(replay)
        replay.update(batch.slots, torch.full((400,), 3.0))
    replay.update(batch.slots, torch.full((400,), 0.5))
    replay.append(world.play(1))
    after, probabilities = replay.sample(400, 1, GAMMA, generator())
    newest = after.ages < 2
    assert probabilities[newest].tolist() == pytest.approx([3.0 / 9.0] * int(newest.sum()))
    assert (after.ages < 2).float().mean().item() == pytest.approx(6.0 / 9.0, abs=0.02)
    # Slots that were drawn before the last step and hold no transition now are left alone.
    replay.update(batch.slots, torch.ones(400))
    assert len(replay.sample(400, 1, GAMMA, generator())[0].slots.unique()) == 8


def test_priorities_are_of_the_exponent_that_is_in_force_however_it_changes() -> None:
    """Of the square root, the old ones are raised to it; of a state that does not say, they are taken as they are."""
    world, replay = World(2, 0), PrioritizedReplay(LAYOUT, 20, 2)
    replay.weigh(1.0)
    replay.append(world.play(17))
    slots = replay.sample(200, 1, GAMMA, generator())[0].slots.unique()
    replay.update(slots, torch.linspace(0.0, 9.0, 20, dtype=torch.float64))
    going_on, early = PrioritizedReplay(LAYOUT, 20, 2), PrioritizedReplay(LAYOUT, 20, 2)
    going_on.load(replay.state())
    early.load({name: part for name, part in replay.state().items() if name != "exponent"})
    for buffer, exponent in ((replay, 0.5), (going_on, 0.5), (early, 1.0)):
        buffer.weigh(0.5)
        expected = torch.linspace(0.0, 9.0, 20, dtype=torch.float64) ** exponent
        drawn, probabilities = buffer.sample(60, 1, GAMMA, generator())
        which = torch.searchsorted(slots, drawn.slots)
        torch.testing.assert_close(probabilities.double(), (expected / expected.sum())[which], rtol=1e-5, atol=0.0)
    replay.append(world.play(1))
    newest, chances = replay.sample(200, 1, GAMMA, generator())
    assert chances[newest.ages < 2].tolist() == pytest.approx([chances.max().item()] * int((newest.ages < 2).sum()))
    for exponent in (0.0, 0.7):  # by which all are alike, and stay it until they are looked at again
        replay.weigh(exponent)
        drawn, probabilities = replay.sample(200, 1, GAMMA, generator())
        assert probabilities.tolist() == pytest.approx([1 / len(drawn.slots.unique())] * 200)


def test_a_change_of_the_exponent_reaches_what_is_kept_with_the_next_draw() -> None:
    config = ReplayConfig(sampling="prioritized", priority_exponent=1.0, minibatch_size=300)
    replay = Replay(config, LAYOUT, 2, generator())
    seen, actions = np.zeros((1, 2, 3), np.float32), np.zeros((1, 2), np.int64)
    rewards, never = np.zeros((1, 2)), np.zeros((1, 2), np.bool_)
    replay.append(Transitions(seen, actions, rewards, never, never, seen, seen[0]), rewards)
    draw = partial(replay.draws, horizon=Horizon(1, GAMMA), steps=1, progress=1.0, device=torch.device("cpu"))
    (first,) = draw(config)
    replay.learned(config, first.batch, torch.where(first.batch.slots == 0, 8.0, 1.0))
    for exponent in (1.0, 1.0 / 3.0):
        (drawn,) = draw(config.model_copy(update={"priority_exponent": exponent}))
        share = (8.0 + LEAST_PRIORITY) ** exponent / sum((each + LEAST_PRIORITY) ** exponent for each in (8.0, 1.0))
        assert (drawn.batch.slots == 0).double().mean().item() == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("steps", [0, 3, 30])
@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("prioritized", [False, True], ids=["uniform", "prioritized"])
def test_it_goes_on_from_its_state_as_if_nothing_had_been(steps: int, prioritized: bool, frames: int) -> None:
    make = PrioritizedReplay if prioritized else ReplayBuffer
    layout = replace(LAYOUT, frames=frames)
    world, first, second = World(2, 3), make(layout, 24, 2), make(layout, 24, 2)
    second.append(World(2, 8, often=0.9).play(40))  # something else, to be forgotten
    for _ in range(2):
        first.append(world.play(steps))
    if isinstance(first, PrioritizedReplay) and steps:
        batch, _ = first.sample(9, 1, GAMMA, generator(5))
        first.update(batch.slots, torch.linspace(0.1, 7.0, 9))
    fresh = make(layout, 24, 2)
    fresh.load(first.state())
    assert leaves(fresh) == leaves(first)
    state = as_data(first.state())
    kept = to_bytes(first.state())
    own = list(held([vars(part) for part in first.parts] if isinstance(first, PrioritizedReplay) else vars(first)))
    assert not any(np.shares_memory(mine, theirs) for mine in own for theirs in held(first.state()))
    second.load(from_bytes(kept))
    rest = [world.play(count) for count in (1, 1, 7, 2, 20)]
    for experience in rest:
        for buffer in (first, second):
            buffer.append(experience)
        one, other = (buffer.sample(16, 3, GAMMA, generator(2)) for buffer in (first, second))
        for mine, theirs in zip(held(one), held(other), strict=True):
            assert torch.equal(mine, theirs)
    for mine, theirs in zip(held(first.state()), held(second.state()), strict=True):
        assert np.array_equal(mine, theirs)
    assert to_bytes(state) == kept  # which is what it was
    with pytest.raises(ValueError, match="state is of"):
        make(layout, 26, 2).load(state)


@pytest.mark.parametrize("sampling", ["uniform", "prioritized"])
def test_what_an_early_version_kept_with_all_frames_fills_anew(sampling: Any) -> None:
    config, once = ReplayConfig(capacity=24, sampling=sampling), replace(LAYOUT, frames=3)
    early = Replay(config, LAYOUT, 2, generator())
    early._buffer.append(World(2, 0).play(9))
    now = Replay(config, once, 2, generator())
    now._buffer.append(World(2, 0).play(9))
    state = now.state()
    now.load(early.state())
    assert len(now) == 0
    now.load(state)
    assert len(now) == 18


def test_pixels_take_a_byte_each_and_others_are_refused() -> None:
    layout = TransitionLayout(ArrayLayout((4,), "uint8"), ArrayLayout((2,), "float32"))
    shown = np.arange(2 * 8, dtype=np.float32).reshape(2, 2, 4) + 240.0
    never = np.zeros(2, np.bool_)
    step = Experience(shown[0], np.full((2, 2), 0.1), np.zeros(2), never, never, shown[0][:0], shown[1] % 256.0)
    buffer = ReplayBuffer(layout, 6, 2)
    buffer.append(step)
    batch = buffer.sample(8, 1, GAMMA, generator())
    assert batch.observations.dtype == batch.next_observations.dtype == torch.uint8
    assert batch.actions.dtype == torch.float32
    rows = batch.slots.numpy()
    assert batch.observations.tolist() == shown[0][rows].tolist()
    assert batch.next_observations.tolist() == (shown[1] % 256.0)[rows].tolist()
    for wrong in (shown[1] + 0.5, shown[1] + 256.0, -shown[1]):
        with pytest.raises(RunError, match="whole numbers from 0 to 255"):
            ReplayBuffer(layout, 6, 2).append(replace(step, following=wrong))


@pytest.mark.parametrize("prioritized", [False, True], ids=["uniform", "prioritized"])
def test_its_memory_is_told_beforehand(prioritized: bool) -> None:
    layout = TransitionLayout(ArrayLayout((12,), "uint8"), ArrayLayout((3,), "float32"))
    buffer = (PrioritizedReplay if prioritized else ReplayBuffer)(layout, 10_000, 4)
    parts = [vars(part) for part in buffer.parts] if isinstance(buffer, PrioritizedReplay) else [vars(buffer)]
    taken = sum(array.nbytes for part in parts for array in held(part))
    assert replay_bytes(layout, 10_000, 4, prioritized) == pytest.approx(taken, rel=0.03)
    more = replay_bytes(layout, 10_000, 4, prioritized, time_limit=50) - replay_bytes(layout, 10_000, 4, prioritized)
    assert more == pytest.approx(2 * 10_000 / 50 * 12, rel=0.01)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="no room for a step of 8 environments"):
        ReplayBuffer(LAYOUT, 7, 8)
    for empty in (ReplayBuffer(LAYOUT, 8, 2), PrioritizedReplay(LAYOUT, 8, 2)):
        with pytest.raises(ValueError, match=r"no transition in the replay buffer|nothing to draw"):
            empty.sample(4, 1, GAMMA, generator())
        empty.cut(np.array([0]))  # of which there is nothing yet
        empty.append(World(2, 0).play(0))
        assert len(empty) == 0
    step = World(2, 0, often=0.0).play(3)
    for name in ("observations", "actions", "terminated", "following"):
        with pytest.raises(ValueError, match=f"{name} .* must have the shape"):
            ReplayBuffer(LAYOUT, 8, 2).append(replace(step, **{name: getattr(step, name)[:1]}))
    with pytest.raises(ValueError, match=r"final_observations .* must have the shape"):
        ReplayBuffer(LAYOUT, 8, 2).append(replace(step, truncated=~step.truncated))


# --- the tree ---------------------------------------------------------------------------------------------------------


@given(
    size=st.integers(1, 600),
    seed=st.integers(0, 10_000),
    empty=st.sampled_from([0.0, 0.5, 0.99]),
)
def test_a_place_is_found_by_the_sum_up_to_it(size: int, seed: int, empty: float) -> None:
    """As a search through all cumulative sums would, and never one of weight 0, at the ends of the range too."""
    random = np.random.default_rng(seed)
    tree, weights = SumTree(size), np.zeros(size)
    for _ in range(3):
        start, stop = sorted(random.integers(0, size + 1, 2))
        tree.fill(int(start), int(stop), 0.7)
        weights[start:stop] = 0.7
        places = random.integers(0, size, 1 + size // 2)
        given = random.random(len(places)) * (random.random(len(places)) > empty)
        tree.put(places, given)
        for place, weight in zip(places, given, strict=True):
            weights[place] = weight
    assert np.array_equal(tree[np.arange(size)], weights)
    assert tree.total == pytest.approx(weights.sum())
    if not weights.any():
        with pytest.raises(ValueError, match="nothing to draw"):
            tree.find(np.array([0.5]))
        return
    found = tree.find(np.array([0.0, 1.0, *random.random(50)]))
    assert (weights[found] > 0.0).all()
    assert found[0] == weights.nonzero()[0][0]
    assert found[1] == weights.nonzero()[0][-1]
    shares = random.random(50)
    sums = weights.cumsum() / weights.sum()
    clear = np.abs(sums[:, None] - shares).min(0) > 1e-9
    assert np.array_equal(tree.find(shares)[clear], sums.searchsorted(shares[clear], "right"))


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_weights_that_are_none_are_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="finite and not negative"):
        SumTree(4).put(np.array([0, 1]), np.array([1.0, wrong]))
    with pytest.raises(ValueError, match="at least one place"):
        SumTree(0)
