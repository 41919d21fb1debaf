"""Proximal policy optimisation with the clipped surrogate, from top to bottom.

Schulman et al. (2017), "Proximal policy optimization algorithms", algorithm 1 with equations 7, 11 and 12, and of what
Huang et al. (2022), "The 37 implementation details of proximal policy optimization", add: minibatches, normalised
advantages, a clipped value loss, gradient clipping, and the early stop once the policy has moved too far. Policy and
value are two networks with an optimiser each; the value takes a step with each of the policy's on the same minibatch,
or all of its steps afterwards on the whole batch.
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


def generalized_advantages(
    batch: Mapping[str, Tensor], values: Tensor, final_values: Tensor, gamma: float, gae_lambda: float
) -> Tensor:
    """Equations 11 and 12, backwards through all environments' steps: a truncation still has a value behind it."""
    rewards, terminated, truncated = batch["rewards"], batch["terminated"], batch["truncated"]
    advantages = torch.zeros_like(rewards)
    following, cuts = 0.0, len(final_values)
    for t in reversed(range(len(rewards))):
        if terminated[t]:
            next_value, following = 0.0, 0.0
        elif truncated[t]:
            cuts -= 1
            next_value, following = final_values[cuts], 0.0
        else:
            next_value = values[t + 1]
        delta = rewards[t] + gamma * next_value - values[t]
        advantages[t] = following = delta + gamma * gae_lambda * following
    return advantages


def ppo(
    batches: Sequence[Mapping[str, Tensor]],
    minibatches: Sequence[Sequence[Tensor]],
    policy: Sequence[Tensor],
    value: Sequence[Tensor],
    *,
    gamma: float,
    gae_lambda: float,
    clip_range: float,
    learning_rate: float,
    value_learning_rate: float,
    fit_steps: int = 0,
    value_clip_range: float = torch.inf,
    entropy_coefficient: float = 0.0,
    max_grad_norm: float = torch.inf,
    target_kl: float = torch.inf,
    normalize: str = "batch",
) -> dict[str, list[Tensor]]:
    """Learn from one batch after another.

    Args:
        batches: of M steps, environment after environment, each in the order of time: ``observations`` [M, components],
            ``actions`` [M] or [M, dimensions], ``rewards``, ``terminated`` and ``truncated`` [M], where the end of the
            rollout truncates too; and ``final_observations`` [E, components], seen after each truncated step.
        minibatches: for each batch, the rows of all its minibatches in turn, epoch after epoch.
        policy, value: the first weights, W, b, W, b, … and for continuous actions log σ.
        fit_steps: of the value on the whole batch after the policy's; 0 for one with each of the policy's.
        normalize: advantages over the "batch", over each "minibatch" as Huang et al. have it, or "never".

    Returns:
        All weights of ``policy`` and ``value`` after each of their steps, as vectors; and of every step the ``loss``
        and ``grad_norm`` of the policy and the ``value_loss``, each from before it.
    """
    policy = [weight.clone().requires_grad_() for weight in policy]
    value = [weight.clone().requires_grad_() for weight in value]
    policy_optimizer = torch.optim.Adam(policy, lr=learning_rate)
    value_optimizer = torch.optim.Adam(value, lr=value_learning_rate)
    history: dict[str, list[Tensor]] = {"policy": [], "value": [], "loss": [], "grad_norm": [], "value_loss": []}

    def update(batch: Mapping[str, Tensor], orders: Sequence[Tensor]) -> None:
        observations, actions = batch["observations"], batch["actions"]
        with torch.no_grad():
            old_log_probs = action_distribution(policy, observations).log_prob(actions)
            old_values = network(value, observations).squeeze(-1)
            final_values = network(value, batch["final_observations"]).squeeze(-1)
        advantages = generalized_advantages(batch, old_values, final_values, gamma, gae_lambda)
        returns = advantages + old_values
        if normalize == "batch":
            advantages = (advantages - advantages.mean()) / advantages.std(correction=0)

        def fit_value(rows: Tensor) -> None:
            values = network(value, observations[rows]).squeeze(-1)
            old, goals = old_values[rows], returns[rows]
            clipped = old + (values - old).clamp(-value_clip_range, value_clip_range)
            loss = torch.maximum((values - goals).square(), (clipped - goals).square()).mean()
            value_optimizer.zero_grad()
            loss.backward()
            value_optimizer.step()
            history["value_loss"].append(loss.detach())
            history["value"].append(torch.cat([weight.detach().flatten() for weight in value]))

        for rows in orders:
            distribution = action_distribution(policy, observations[rows])
            log_ratios = distribution.log_prob(actions[rows]) - old_log_probs[rows]
            ratios, gains = log_ratios.exp(), advantages[rows]
            if (ratios - 1.0 - log_ratios).mean() > 1.5 * target_kl:
                break
            if normalize == "minibatch":
                gains = (gains - gains.mean()) / gains.std(correction=0)
            surrogate = torch.minimum(ratios * gains, ratios.clamp(1.0 - clip_range, 1.0 + clip_range) * gains).mean()
            loss = -surrogate - entropy_coefficient * distribution.entropy().mean()
            policy_optimizer.zero_grad()
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(policy, max_grad_norm)
            policy_optimizer.step()
            history["loss"].append(loss.detach())
            history["grad_norm"].append(norm)
            history["policy"].append(torch.cat([weight.detach().flatten() for weight in policy]))
            if fit_steps == 0:
                fit_value(rows)
        for _ in range(fit_steps):
            fit_value(torch.arange(len(returns)))

    for batch, orders in zip(batches, minibatches, strict=True):
        update(batch, orders)
    return history
