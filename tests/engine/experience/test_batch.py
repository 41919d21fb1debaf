"""Batches cut into chunks: every step exactly once, whole sequences where the policy remembers."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from engine.config.policies import GRUPolicy
from engine.experience import batch as batch_module
from engine.experience.batch import NO_BASELINE, Batch, Chunk
from engine.experience.rollouts import Rollout
from tests.engine.scripted import Scripted, actor_of, collected, episodes_of, fixed_length_of, policy_of

PADDED, RECURRENT_PADDED, FIXED_LENGTH, RECURRENT_FIXED_LENGTH = (
    "padded",
    "padded with memory",
    "fixed-length",
    "with memory",
)
KINDS = [PADDED, RECURRENT_PADDED, FIXED_LENGTH, RECURRENT_FIXED_LENGTH]
WITH_MEMORY = [RECURRENT_PADDED, RECURRENT_FIXED_LENGTH]


def rollout_of(kind: str) -> Rollout:
    actor = actor_of(policy_of(GRUPolicy(hidden_size=8) if kind in WITH_MEMORY else None))
    if kind in (PADDED, RECURRENT_PADDED):
        return collected(episodes_of(Scripted([3, 1, 7, 3, 2], truncated=[1, 2])), actor)[0]
    collector = fixed_length_of(Scripted([(2, 9), (1, 3, 9), (20,)], truncated=[1]), 6)
    collected(collector, actor)
    return collected(collector, actor)[0]  # the second: some of its episodes began in the first


def batch_of(kind: str) -> Batch:
    rollout = rollout_of(kind)
    size = int(rollout.mask.sum())
    return Batch(rollout, torch.arange(float(size)), torch.ones(size), NO_BASELINE)


def rows_of(batch: Batch, chunk: Chunk) -> Tensor:
    return torch.arange(batch.size)[chunk.rows]


def require_fitting(batch: Batch, chunk: Chunk) -> None:
    """What a chunk holds belongs to its rows."""
    rows = rows_of(batch, chunk)
    assert torch.equal(chunk.observations, batch.observations[rows])
    assert torch.equal(chunk.actions, batch.actions[rows])


def require_whole_sequences(batch: Batch, chunk: Chunk) -> None:
    """A chunk's sequences are some of the batch's, from their first row to their last, with their own beginnings."""
    all_of = batch.rollout.sequences
    assert chunk.sequences is not None
    assert chunk.sequences.states is not None
    assert all_of.states is not None
    starts = (all_of.lengths.cumsum(0) - all_of.lengths).tolist()
    taken = 0
    for index, length in enumerate(chunk.sequences.lengths.tolist()):
        rows = rows_of(batch, chunk)[taken : taken + length].tolist()
        whole = starts.index(rows[0])
        assert rows == list(range(rows[0], rows[0] + length))
        assert length == all_of.lengths[whole]
        assert torch.equal(chunk.sequences.states[index], all_of.states[whole])
        assert chunk.sequences.cut[index] == all_of.cut[whole]
        taken += length
    assert taken == len(rows_of(batch, chunk))


@pytest.mark.parametrize("most", [1, 4, 7, 1000])
@pytest.mark.parametrize("kind", KINDS)
def test_chunks_cover_every_step_once_in_order(kind: str, most: int) -> None:
    batch = batch_of(kind)
    chunks = batch.chunks(most)
    assert torch.cat([rows_of(batch, chunk) for chunk in chunks]).tolist() == list(range(batch.size))
    for chunk in chunks:
        require_fitting(batch, chunk)


@pytest.mark.parametrize("most", [1, 4, 7])
@pytest.mark.parametrize("kind", [PADDED, FIXED_LENGTH])
def test_chunks_without_a_memory_are_as_long_as_allowed(kind: str, most: int) -> None:
    batch = batch_of(kind)
    *before, last = [len(chunk.actions) for chunk in batch.chunks(most)]
    assert before == [most] * len(before)
    assert last <= most


@pytest.mark.parametrize("most", [1, 4, 7, 1000])
@pytest.mark.parametrize("kind", WITH_MEMORY)
def test_chunks_with_a_memory_are_whole_sequences(kind: str, most: int) -> None:
    batch = batch_of(kind)
    for chunk in batch.chunks(most):
        require_whole_sequences(batch, chunk)
        assert chunk.sequences is not None
        assert len(chunk.actions) <= most or len(chunk.sequences.lengths) == 1


def drawn(batch: Batch, size: int, seed: int = 3) -> list[list[Chunk]]:
    return list(batch.minibatches(size, torch.Generator().manual_seed(seed)))


def sizes(minibatches: list[list[Chunk]]) -> list[int]:
    return [sum(len(chunk.actions) for chunk in chunks) for chunks in minibatches]


@pytest.mark.parametrize("size", [0, 1, 4, 5, 1000])
@pytest.mark.parametrize("kind", KINDS)
def test_minibatches_cover_every_step_once(kind: str, size: int) -> None:
    batch = batch_of(kind)
    chunks = [chunk for minibatch in drawn(batch, size) for chunk in minibatch]
    rows = torch.cat([rows_of(batch, chunk) for chunk in chunks])
    assert rows.sort().values.tolist() == list(range(batch.size))
    for chunk in chunks:
        require_fitting(batch, chunk)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [0, 1000])
def test_a_minibatch_of_everything_is_one_in_order(kind: str, size: int) -> None:
    batch = batch_of(kind)
    ((chunk,),) = drawn(batch, size)
    assert rows_of(batch, chunk).tolist() == list(range(batch.size))


@pytest.mark.parametrize("kind", [PADDED, FIXED_LENGTH])
def test_minibatches_have_the_size_asked_for_but_the_last(kind: str) -> None:
    batch = batch_of(kind)
    *before, last = sizes(drawn(batch, 5))
    assert before == [5] * (batch.size // 5 - (batch.size % 5 == 0))
    assert 1 <= last <= 5


@pytest.mark.parametrize("size", [0, 6])
@pytest.mark.parametrize("kind", KINDS)
def test_a_large_minibatch_is_the_same_one_in_several_chunks(
    kind: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = batch_of(kind)
    whole = drawn(batch, size)
    # How much goes into a chunk at most, which ``chunks`` has as its default.
    monkeypatch.setattr(batch_module, "ROWS", 2)
    monkeypatch.setattr(Batch.chunks, "__defaults__", (2,))
    parts = drawn(batch, size)
    assert max(map(len, parts)) > 1
    assert max(len(chunk.actions) for chunks in parts for chunk in chunks) <= (
        max(batch.lengths) if batch.recurrent else 2
    )
    for one, several in zip(whole, parts, strict=True):
        joined = torch.cat([rows_of(batch, chunk) for chunk in several])
        assert torch.equal(torch.cat([rows_of(batch, chunk) for chunk in one]), joined)
        for chunk in several:
            require_fitting(batch, chunk)
            if batch.recurrent:
                require_whole_sequences(batch, chunk)


@pytest.mark.parametrize("size", [0, 1, 4, 1000])
@pytest.mark.parametrize("kind", WITH_MEMORY)
def test_minibatches_with_a_memory_are_whole_sequences(kind: str, size: int) -> None:
    batch = batch_of(kind)
    for chunks in drawn(batch, size):
        for chunk in chunks:
            require_whole_sequences(batch, chunk)


@pytest.mark.parametrize("kind", KINDS)
def test_minibatches_are_drawn_anew_from_the_generator(kind: str) -> None:
    batch, generator = batch_of(kind), torch.Generator().manual_seed(3)
    first, second = (
        [rows_of(batch, chunk).tolist() for chunks in batch.minibatches(4, generator) for chunk in chunks]
        for _ in range(2)
    )
    again = [rows_of(batch, chunk).tolist() for chunks in drawn(batch, 4) for chunk in chunks]
    assert first == again
    assert first != second


@pytest.mark.parametrize(("most", "every"), [(1000, 1), (16, 1), (8, 2), (5, 4), (1, 16)])
def test_a_sample_is_spread_evenly_over_the_steps(most: int, every: int) -> None:
    batch = batch_of(PADDED)
    assert batch.size == 16
    chunk = batch.sample(most)
    assert rows_of(batch, chunk).tolist() == list(range(0, 16, every))
    require_fitting(batch, chunk)


@pytest.mark.parametrize("most", [1000, 5, 1])
@pytest.mark.parametrize("kind", WITH_MEMORY)
def test_a_sample_with_a_memory_is_of_whole_sequences(kind: str, most: int) -> None:
    batch = batch_of(kind)
    chunk = batch.sample(most)
    require_whole_sequences(batch, chunk)
    assert len(chunk.actions) == batch.size if most == 1000 else 0 < len(chunk.actions) < batch.size


@pytest.mark.parametrize("kind", KINDS)
def test_episodes_are_the_sequences_one_by_one(kind: str) -> None:
    batch = batch_of(kind)
    chunks = batch.episodes()
    assert [len(chunk.actions) for chunk in chunks] == batch.lengths.tolist()
    assert torch.cat([rows_of(batch, chunk) for chunk in chunks]).tolist() == list(range(batch.size))


@pytest.mark.parametrize("kind", WITH_MEMORY)
@pytest.mark.parametrize("most", [4, 1000])
def test_what_a_policy_with_a_memory_says_does_not_depend_on_the_chunks(kind: str, most: int) -> None:
    batch, policy = batch_of(kind), policy_of(GRUPolicy(hidden_size=8))
    with torch.no_grad():
        whole = policy.over(batch.observations, batch.rollout.sequences).logits
        parts = [policy.over(chunk.observations, chunk.sequences).logits for chunk in batch.chunks(most)]
        shuffled = torch.empty_like(whole)
        for chunks in drawn(batch, most):
            for chunk in chunks:
                shuffled[chunk.rows] = policy.over(chunk.observations, chunk.sequences).logits
    torch.testing.assert_close(torch.cat(parts), whole)
    torch.testing.assert_close(shuffled, whole)


@pytest.mark.parametrize(("kind", "divisor"), [(PADDED, 5), (FIXED_LENGTH, 18)])
def test_sums_are_divided_by_the_episodes_or_by_the_steps_where_these_are_cut(kind: str, divisor: int) -> None:
    assert batch_of(kind).divisor == divisor


def test_weights_are_the_advantages() -> None:
    batch = batch_of(PADDED)
    assert torch.equal(batch.weights(), batch.advantages)


def test_weights_are_weighted_by_state() -> None:
    batch = batch_of(PADDED)
    weighted = replace(batch, state_weights=torch.linspace(1.0, 0.1, batch.size))
    torch.testing.assert_close(weighted.weights(), weighted.state_weights * batch.advantages)
    other = batch.advantages.square()
    torch.testing.assert_close(weighted.weights(other), weighted.state_weights * other)
