"""REINFORCE with a learned baseline, from top to bottom.

Williams (1992), "Simple statistical gradient-following algorithms for connectionist reinforcement learning", in the
form of Sutton & Barto (2018), section 13.4: every action is credited with the discounted rewards that follow it, less
what a value network expected there. One step on the policy for a batch of whole episodes, then several on the value.
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


def reinforce(
    batches: Sequence[Mapping[str, Tensor]],
    policy: Sequence[Tensor],
    value: Sequence[Tensor],
    *,
    gamma: float,
    learning_rate: float,
    value_learning_rate: float,
    fit_steps: int,
    entropy_coefficient: float = 0.0,
    max_grad_norm: float = 0.0,
    normalize: bool = False,
    discount_states: bool = False,
) -> dict[str, list[Tensor]]:
    """Learn from one batch after another.

    Args:
        batches: of M steps, episode after episode: ``observations`` [M, components], ``actions`` [M] or
            [M, dimensions], ``rewards``, ``terminated`` and ``truncated`` [M]; and ``final_observations`` [E,
            components], what was seen after each of the E truncated steps.
        policy, value: the first weights, W, b, W, b, … and for continuous actions log σ.
        discount_states: whether step t of an episode counts γᵗ, as the gradient of the discounted return has it.

    Returns:
        All weights of ``policy`` after each of its steps and of ``value`` after each of its own, as vectors; the
        ``loss`` and the gradient's length ``grad_norm`` of every policy step, and the ``value_loss`` of every other.
    """
    policy = [weight.clone().requires_grad_() for weight in policy]
    value = [weight.clone().requires_grad_() for weight in value]
    policy_optimizer = torch.optim.Adam(policy, lr=learning_rate)
    value_optimizer = torch.optim.Adam(value, lr=value_learning_rate)
    history: dict[str, list[Tensor]] = {"policy": [], "value": [], "loss": [], "grad_norm": [], "value_loss": []}

    for batch in batches:
        observations, actions, rewards = batch["observations"], batch["actions"], batch["rewards"]
        terminated, truncated = batch["terminated"], batch["truncated"]
        steps = len(rewards)

        # What followed each step. Behind a time limit the episode would have gone on: the value says how well.
        with torch.no_grad():
            values = network(value, observations).squeeze(-1)
            final_values = network(value, batch["final_observations"]).squeeze(-1)
        returns = torch.zeros(steps, dtype=rewards.dtype)
        cuts = len(final_values)
        for t in reversed(range(steps)):
            if terminated[t]:
                following = torch.zeros(())
            elif truncated[t]:
                cuts -= 1
                following = final_values[cuts]
            else:
                following = returns[t + 1]
            returns[t] = rewards[t] + gamma * following
        advantages = returns - values
        if normalize:
            advantages = (advantages - advantages.mean()) / advantages.std(correction=0)
        if discount_states:
            elapsed = 0
            for t in range(steps):
                advantages[t] *= gamma**elapsed
                elapsed = 0 if terminated[t] or truncated[t] else elapsed + 1

        # ∇J ≈ 1/N Σ_i Σ_t ∇ log π(a_t|s_t) (G_t − V(s_t)): summed over steps, averaged over episodes.
        episodes = (terminated | truncated).sum()
        distribution = action_distribution(policy, observations)
        gained = (distribution.log_prob(actions) * advantages).sum() / episodes
        loss = -gained - entropy_coefficient * distribution.entropy().sum() / episodes
        policy_optimizer.zero_grad()
        loss.backward()
        longest = max_grad_norm if max_grad_norm > 0.0 else torch.inf
        norm = torch.nn.utils.clip_grad_norm_(policy, longest)
        policy_optimizer.step()
        history["loss"].append(loss.detach())
        history["grad_norm"].append(norm)
        history["policy"].append(torch.cat([weight.detach().flatten() for weight in policy]))

        # The value moves towards the returns it was just compared with, to be ready for the next batch.
        for _ in range(fit_steps):
            value_loss = (network(value, observations).squeeze(-1) - returns).square().mean()
            value_optimizer.zero_grad()
            value_loss.backward()
            value_optimizer.step()
            history["value_loss"].append(value_loss.detach())
            history["value"].append(torch.cat([weight.detach().flatten() for weight in value]))
    return history
