"""Gradients of the policy's log-probabilities, episode by episode."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.experience.batch import Batch
from engine.maths.trust_region import flattened
from engine.policies.policy import Policy
from engine.reports.events import Heartbeat, Heartbeats
from engine.runtime.heartbeat import HeartbeatTimer


def episode_gradients(policy: Policy, batch: Batch) -> Heartbeats[tuple[Tensor, Tensor]]:
    """The scores S_i = Σ_t w_t ∇ log π(a_t|s_t) and the gradients X_i = Σ_t w_t Â_t ∇ log π(a_t|s_t) of every episode.

    w_t is γᵗ where states are weighted by it, else 1. Yields signs of life.

    Returns:
        [N, P] each, for N whole episodes and P parameters.
    """
    parameters = list(policy.parameters())
    scores: list[Tensor] = []
    gradients: list[Tensor] = []
    timer = HeartbeatTimer()
    for episode in batch.episodes():
        log_probs = policy.over(episode.observations, episode.sequences).log_prob(episode.actions)
        for weights, into in ((batch.state_weights, scores), (batch.weights(), gradients)):
            total = (log_probs * weights[episode.rows]).sum()
            into.append(flattened(torch.autograd.grad(total, parameters, retain_graph=True, materialize_grads=True)))
        if timer.due():
            yield Heartbeat("estimating")
    return torch.stack(scores), torch.stack(gradients)
