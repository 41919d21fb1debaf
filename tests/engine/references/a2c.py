"""Advantage actor-critic, from top to bottom.

Mnih et al. (2016), "Asynchronous methods for deep reinforcement learning", algorithm S3, with one learner in step with
all its environments in place of many at their own pace. Every few steps, each step's return is what was paid until the
rollout's end and the value of what came then; one step of RMSprop on a loss that policy and value share, as they share
their network's body. Or each has a network, and the value takes steps of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.distributions import Categorical, Distribution, Independent, Normal

TORQUE = 2.0  # the half-width of Pendulum's bounds, in which a Gaussian's mean and spread come


def network(weights: Sequence[Tensor], inputs: Tensor) -> Tensor:
    """Linear layers W x + b, given as W, b, W, b, …, with tanh between them."""
    for layer in range(0, len(weights), 2):
        inputs = inputs if layer == 0 else inputs.tanh()
        inputs = inputs @ weights[layer].T + weights[layer + 1]
    return inputs


def action_distribution(policy: Sequence[Tensor], observations: Tensor) -> Distribution:
    """A softmax over actions; a normal around the output where one more weight, log σ, follows the layers."""
    if len(policy) % 2 == 0:
        return Categorical(logits=network(policy, observations))
    *layers, log_std = policy
    return Independent(Normal(TORQUE * network(layers, observations), TORQUE * log_std.exp()), 1)


def a2c(
    batches: Sequence[Mapping[str, Tensor]],
    policy: Sequence[Tensor],
    value_head: Sequence[Tensor],
    value: Sequence[Tensor] = (),
    *,
    gamma: float,
    learning_rate: float,
    value_coefficient: float = 0.0,
    value_learning_rate: float = 0.0,
    fit_steps: int = 0,
    entropy_coefficient: float = 0.0,
    max_grad_norm: float = torch.inf,
) -> dict[str, list[Tensor]]:
    """Learn from one batch after another.

    Args:
        batches: of M steps, environment after environment, each in the order of time: ``observations`` [M, components],
            ``actions`` [M] or [M, dimensions], ``rewards``, ``terminated`` and ``truncated`` [M], where the end of the
            rollout truncates too; and ``final_observations`` [E, components], seen after each truncated step.
        policy: the first weights, W, b, W, b, … and for continuous actions log σ.
        value_head: W, b of a second head on the policy's hidden layers; or none, and ``value`` a network of its own.

    Returns:
        All weights of ``policy`` (with the second head) after each step and of ``value`` after each of its own, as
        vectors; and of every policy step the ``loss``, the gradient's length ``grad_norm`` and the ``value_loss``, or
        the ``value_loss`` of every step of ``value``.
    """
    head, policy = len(policy) - len(policy) % 2 - 2, [weight.clone().requires_grad_() for weight in policy]
    value_head = [weight.clone().requires_grad_() for weight in value_head]
    shared = len(value_head) > 0
    value = [*policy[:head], *value_head] if shared else [weight.clone().requires_grad_() for weight in value]
    weights = [*policy, *value_head]
    optimizer = torch.optim.RMSprop(weights, lr=learning_rate, alpha=0.99, eps=1e-8)
    value_optimizer = None if shared else torch.optim.RMSprop(value, lr=value_learning_rate, alpha=0.99, eps=1e-8)
    history: dict[str, list[Tensor]] = {"policy": [], "value": [], "loss": [], "grad_norm": [], "value_loss": []}

    for batch in batches:
        observations, rewards = batch["observations"], batch["rewards"]
        terminated, truncated = batch["terminated"], batch["truncated"]

        # R ← V(s) of the last state, or 0 where it ended the episode; then, backwards, R ← r + γ R.
        with torch.no_grad():
            final_values = list(network(value, batch["final_observations"]).squeeze(-1))
        returns = torch.zeros_like(rewards)
        following = torch.zeros((), dtype=rewards.dtype)
        for t in reversed(range(len(rewards))):
            if terminated[t]:
                following = torch.zeros((), dtype=rewards.dtype)
            elif truncated[t]:
                following = final_values.pop()
            following = rewards[t] + gamma * following
            returns[t] = following

        distribution = action_distribution(policy, observations)
        values = network(value, observations).squeeze(-1)
        advantages = (returns - values).detach()
        policy_loss = -(distribution.log_prob(batch["actions"]) * advantages).mean()
        value_loss = (returns - values).square().mean()
        loss = policy_loss - entropy_coefficient * distribution.entropy().mean()
        if shared:
            loss = loss + value_coefficient * value_loss
            history["value_loss"].append(value_loss.detach())
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(weights, max_grad_norm)
        optimizer.step()
        history["loss"].append(loss.detach())
        history["grad_norm"].append(norm)
        history["policy"].append(torch.cat([weight.detach().flatten() for weight in weights]))

        for _ in range(0 if value_optimizer is None else fit_steps):
            value_loss = (returns - network(value, observations).squeeze(-1)).square().mean()
            value_optimizer.zero_grad()
            value_loss.backward()
            value_optimizer.step()
            history["value_loss"].append(value_loss.detach())
            history["value"].append(torch.cat([weight.detach().flatten() for weight in value]))
    return history
