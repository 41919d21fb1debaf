"""What an update is given besides the batch: advantages as it uses them, and weights made of them."""

from __future__ import annotations

from dataclasses import replace

import torch

from engine.algorithms.policy_gradient.rule import UpdateInput
from tests.engine.step_batches import configured, expected_batch


def test_advantages_are_normalised_where_asked_and_before_states_are_weighted() -> None:
    batch = replace(expected_batch(), state_weights=torch.linspace(1.0, 0.1, 32))
    config = configured({"kind": "gradient-ascent"}, normalize_advantages=True)
    given = UpdateInput(batch, config, 0.0)
    expected = (batch.advantages - batch.advantages.mean()) / batch.advantages.std(correction=0)
    assert given.normalized is not None
    torch.testing.assert_close(given.normalized, expected)
    torch.testing.assert_close(given.weights, batch.state_weights * expected)


def test_otherwise_they_are_as_estimated() -> None:
    batch = replace(expected_batch(), state_weights=torch.linspace(1.0, 0.1, 32))
    given = UpdateInput(batch, configured({"kind": "gradient-ascent"}), 0.0)
    assert given.normalized is None
    assert torch.equal(given.weights, batch.state_weights * batch.advantages)
