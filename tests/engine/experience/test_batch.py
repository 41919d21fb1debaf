"""Batches cut into pieces: every step exactly once, whole sequences where the policy remembers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.config.policies import GRUPolicy
from engine.experience import batch as batch_module
from engine.experience.batch import Batch, Piece
from engine.experience.rollouts import Rollout
from tests.engine.scripted import Scripted, actor_of, collected, episodes_of, policy_of, segments_of

PADDED, RECURRENT_PADDED, SEGMENTS, RECURRENT_SEGMENTS = "padded", "padded with memory", "segments", "with memory"
KINDS = [PADDED, RECURRENT_PADDED, SEGMENTS, RECURRENT_SEGMENTS]
WITH_MEMORY = [RECURRENT_PADDED, RECURRENT_SEGMENTS]


def rollout_of(kind: str) -> Rollout:
    actor = actor_of(policy_of(GRUPolicy(hidden_size=8) if kind in WITH_MEMORY else None))
    if kind in (PADDED, RECURRENT_PADDED):
        return collected(episodes_of(Scripted([3, 1, 7, 3, 2], truncated=[1, 2])), actor)[0]
    collector = segments_of(Scripted([(2, 9), (1, 3, 9), (20,)], truncated=[1]), 6)
    collected(collector, actor)
    return collected(collector, actor)[0]  # the second: some of its episodes began in the first


def batch_of(kind: str, **rest: Any) -> Batch:
    rollout = rollout_of(kind)
    size = int(rollout.mask.sum())
    return Batch(rollout, torch.arange(float(size)), torch.arange(float(size)) + 100.0, **rest)


def rows_of(batch: Batch, piece: Piece) -> Tensor:
    return torch.arange(batch.size)[piece.rows]


def require_fitting(batch: Batch, piece: Piece) -> None:
    """What a piece holds belongs to its rows."""
    rows = rows_of(batch, piece)
    assert torch.equal(piece.observations, batch.observations[rows])
    assert torch.equal(piece.actions, batch.actions[rows])


def require_whole_sequences(batch: Batch, piece: Piece) -> None:
    """A piece's sequences are some of the batch's, from their first row to their last, with their own beginnings."""
    all_of = batch.rollout.sequences
    assert piece.sequences is not None
    assert piece.sequences.states is not None
    assert all_of.states is not None
    starts = (all_of.lengths.cumsum(0) - all_of.lengths).tolist()
    taken = 0
    for index, length in enumerate(piece.sequences.lengths.tolist()):
        rows = rows_of(batch, piece)[taken : taken + length].tolist()
        own = starts.index(rows[0])
        assert rows == list(range(rows[0], rows[0] + length))
        assert length == all_of.lengths[own]
        assert torch.equal(piece.sequences.states[index], all_of.states[own])
        assert piece.sequences.cut[index] == all_of.cut[own]
        taken += length
    assert taken == len(rows_of(batch, piece))


@pytest.mark.parametrize("most", [1, 4, 7, 1000])
@pytest.mark.parametrize("kind", KINDS)
def test_pieces_cover_every_step_once_in_order(kind: str, most: int) -> None:
    batch = batch_of(kind)
    pieces = batch.pieces(most)
    assert torch.cat([rows_of(batch, piece) for piece in pieces]).tolist() == list(range(batch.size))
    for piece in pieces:
        require_fitting(batch, piece)


@pytest.mark.parametrize("most", [1, 4, 7])
@pytest.mark.parametrize("kind", [PADDED, SEGMENTS])
def test_pieces_without_a_memory_are_as_long_as_allowed(kind: str, most: int) -> None:
    batch = batch_of(kind)
    *before, last = [len(piece.actions) for piece in batch.pieces(most)]
    assert before == [most] * len(before)
    assert last <= most


@pytest.mark.parametrize("most", [1, 4, 7, 1000])
@pytest.mark.parametrize("kind", WITH_MEMORY)
def test_pieces_with_a_memory_are_whole_sequences(kind: str, most: int) -> None:
    batch = batch_of(kind)
    for piece in batch.pieces(most):
        require_whole_sequences(batch, piece)
        assert piece.sequences is not None
        assert len(piece.actions) <= most or len(piece.sequences.lengths) == 1


def drawn(batch: Batch, size: int, seed: int = 3) -> list[list[Piece]]:
    return list(batch.minibatches(size, torch.Generator().manual_seed(seed)))


def sizes(minibatches: list[list[Piece]]) -> list[int]:
    return [sum(len(piece.actions) for piece in pieces) for pieces in minibatches]


@pytest.mark.parametrize("size", [0, 1, 4, 5, 1000])
@pytest.mark.parametrize("kind", KINDS)
def test_minibatches_cover_every_step_once(kind: str, size: int) -> None:
    batch = batch_of(kind)
    pieces = [piece for minibatch in drawn(batch, size) for piece in minibatch]
    rows = torch.cat([rows_of(batch, piece) for piece in pieces])
    assert rows.sort().values.tolist() == list(range(batch.size))
    for piece in pieces:
        require_fitting(batch, piece)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [0, 1000])
def test_a_minibatch_of_everything_is_one_in_order(kind: str, size: int) -> None:
    batch = batch_of(kind)
    ((piece,),) = drawn(batch, size)
    assert rows_of(batch, piece).tolist() == list(range(batch.size))


@pytest.mark.parametrize("kind", [PADDED, SEGMENTS])
def test_minibatches_have_the_size_asked_for_but_the_last(kind: str) -> None:
    batch = batch_of(kind)
    *before, last = sizes(drawn(batch, 5))
    assert before == [5] * (batch.size // 5 - (batch.size % 5 == 0))
    assert 1 <= last <= 5


@pytest.mark.parametrize("size", [0, 6])
@pytest.mark.parametrize("kind", KINDS)
def test_a_large_minibatch_is_the_same_one_in_several_pieces(
    kind: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = batch_of(kind)
    whole = drawn(batch, size)
    # How much goes into a piece at most, which ``pieces`` has as its default.
    monkeypatch.setattr(batch_module, "ROWS", 2)
    monkeypatch.setattr(Batch.pieces, "__defaults__", (2,))
    parts = drawn(batch, size)
    assert max(map(len, parts)) > 1
    assert max(len(piece.actions) for pieces in parts for piece in pieces) <= (
        max(batch.lengths) if batch.recurrent else 2
    )
    for one, several in zip(whole, parts, strict=True):
        joined = torch.cat([rows_of(batch, piece) for piece in several])
        assert torch.equal(torch.cat([rows_of(batch, piece) for piece in one]), joined)
        for piece in several:
            require_fitting(batch, piece)
            if batch.recurrent:
                require_whole_sequences(batch, piece)


@pytest.mark.parametrize("size", [0, 1, 4, 1000])
@pytest.mark.parametrize("kind", WITH_MEMORY)
def test_minibatches_with_a_memory_are_whole_sequences(kind: str, size: int) -> None:
    batch = batch_of(kind)
    for pieces in drawn(batch, size):
        for piece in pieces:
            require_whole_sequences(batch, piece)


@pytest.mark.parametrize("kind", KINDS)
def test_minibatches_are_drawn_anew_from_the_generator(kind: str) -> None:
    batch, generator = batch_of(kind), torch.Generator().manual_seed(3)
    first, second = (
        [rows_of(batch, piece).tolist() for pieces in batch.minibatches(4, generator) for piece in pieces]
        for _ in range(2)
    )
    again = [rows_of(batch, piece).tolist() for pieces in drawn(batch, 4) for piece in pieces]
    assert first == again
    assert first != second


@pytest.mark.parametrize(("most", "every"), [(1000, 1), (16, 1), (8, 2), (5, 4), (1, 16)])
def test_a_sample_is_spread_evenly_over_the_steps(most: int, every: int) -> None:
    batch = batch_of(PADDED)
    assert batch.size == 16
    piece = batch.sample(most)
    assert rows_of(batch, piece).tolist() == list(range(0, 16, every))
    require_fitting(batch, piece)


@pytest.mark.parametrize("most", [1000, 5, 1])
@pytest.mark.parametrize("kind", WITH_MEMORY)
def test_a_sample_with_a_memory_is_of_whole_sequences(kind: str, most: int) -> None:
    batch = batch_of(kind)
    piece = batch.sample(most)
    require_whole_sequences(batch, piece)
    assert len(piece.actions) == batch.size if most == 1000 else 0 < len(piece.actions) < batch.size


@pytest.mark.parametrize("kind", KINDS)
def test_episodes_are_the_sequences_one_by_one(kind: str) -> None:
    batch = batch_of(kind)
    pieces = batch.episodes()
    assert [len(piece.actions) for piece in pieces] == batch.lengths.tolist()
    assert torch.cat([rows_of(batch, piece) for piece in pieces]).tolist() == list(range(batch.size))


@pytest.mark.parametrize("kind", WITH_MEMORY)
@pytest.mark.parametrize("most", [4, 1000])
def test_what_a_policy_with_a_memory_says_does_not_depend_on_the_pieces(kind: str, most: int) -> None:
    batch, policy = batch_of(kind), policy_of(GRUPolicy(hidden_size=8))
    with torch.no_grad():
        whole = policy.over(batch.observations, batch.rollout.sequences).logits
        parts = [policy.over(piece.observations, piece.sequences).logits for piece in batch.pieces(most)]
        shuffled = torch.empty_like(whole)
        for pieces in drawn(batch, most):
            for piece in pieces:
                shuffled[piece.rows] = policy.over(piece.observations, piece.sequences).logits
    torch.testing.assert_close(torch.cat(parts), whole)
    torch.testing.assert_close(shuffled, whole)


@pytest.mark.parametrize(("kind", "divisor"), [(PADDED, 5), (SEGMENTS, 18)])
def test_sums_are_divided_by_the_episodes_or_by_the_steps_where_these_are_cut(kind: str, divisor: int) -> None:
    assert batch_of(kind).divisor == divisor


def test_weights_are_the_advantages() -> None:
    batch = batch_of(PADDED)
    assert torch.equal(batch.weights(False), batch.advantages)


def test_weights_are_normalised_before_states_are_weighted() -> None:
    batch = batch_of(PADDED)
    weighted = replace(batch, state_weights=torch.linspace(1.0, 0.1, batch.size))
    centred = batch.advantages - batch.advantages.mean()
    expected = centred / batch.advantages.std(correction=0)
    assert weighted.state_weights is not None
    torch.testing.assert_close(weighted.weights(True), weighted.state_weights * expected, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(weighted.weights(False), weighted.state_weights * batch.advantages)
