"""Trust region policy optimisation, from top to bottom.

Schulman et al. (2015), "Trust region policy optimization", section 6 and appendix C, with the advantages of Schulman et
al. (2016), "High-dimensional continuous control using generalized advantage estimation": the direction F⁻¹g by
conjugate gradients on products with the Fisher matrix, the longest step along it that a quadratic model of the
divergence allows, and shorter ones until one truly gains and truly stays within it. Then the value is fitted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.distributions import Categorical, Distribution, Independent, Normal, kl_divergence

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


def flat(tensors: Sequence[Tensor]) -> Tensor:
    return torch.cat([tensor.detach().flatten() for tensor in tensors])


def conjugate_gradient(product: Callable[[Tensor], Tensor], b: Tensor, iterations: int) -> Tensor:
    """x with A x ≈ b, from products with A alone (Hestenes & Stiefel, 1952)."""
    x, residual, direction = torch.zeros_like(b), b.clone(), b.clone()
    for _ in range(iterations):
        image, size = product(direction), residual @ residual
        step = size / (direction @ image)
        x, residual = x + step * direction, residual - step * image
        direction = residual + (residual @ residual / size) * direction
    return x


def trpo(
    batches: Sequence[Mapping[str, Tensor]],
    policy: Sequence[Tensor],
    value: Sequence[Tensor],
    *,
    gamma: float,
    gae_lambda: float,
    max_kl: float,
    damping: float,
    cg_iterations: int,
    backtracking: float,
    line_search_steps: int,
    value_learning_rate: float,
    fit_steps: int,
    entropy_coefficient: float = 0.0,
    normalize: bool = False,
) -> dict[str, list[Tensor]]:
    """Learn from one batch after another.

    Args:
        batches: of M steps, environment after environment, each in the order of time: ``observations`` [M, components],
            ``actions`` [M] or [M, dimensions], ``rewards``, ``terminated`` and ``truncated`` [M], where the end of the
            rollout truncates too; and ``final_observations`` [E, components], seen after each truncated step.
        policy, value: the first weights, W, b, W, b, … and for continuous actions log σ.

    Returns:
        All weights of ``policy`` and ``value`` after each of their steps, as vectors; of every policy step the length
        ``grad_norm`` of g, the divergence ``kl`` reached and the share ``line_search`` of the longest step, 0 where
        none was found; and the ``value_loss`` of every value step.
    """
    policy = [weight.clone().requires_grad_() for weight in policy]
    value = [weight.clone().requires_grad_() for weight in value]
    value_optimizer = torch.optim.Adam(value, lr=value_learning_rate)
    history: dict[str, list[Tensor]] = {
        name: [] for name in ("policy", "value", "grad_norm", "kl", "line_search", "value_loss")
    }

    def update(batch: Mapping[str, Tensor]) -> None:
        observations, actions, rewards = batch["observations"], batch["actions"], batch["rewards"]
        with torch.no_grad():
            old = action_distribution(policy, observations)
            values = network(value, observations).squeeze(-1)
            final_values = list(network(value, batch["final_observations"]).squeeze(-1))
        advantages, following = torch.zeros_like(rewards), 0.0
        for t in reversed(range(len(rewards))):
            ended = bool(batch["terminated"][t] or batch["truncated"][t])
            following = 0.0 if ended else following
            next_value = 0.0 if batch["terminated"][t] else final_values.pop() if ended else values[t + 1]
            advantages[t] = following = rewards[t] + gamma * next_value - values[t] + gamma * gae_lambda * following
        returns = advantages + values
        if normalize:
            advantages = (advantages - advantages.mean()) / advantages.std(correction=0)

        def objective() -> tuple[Tensor, Tensor]:
            """The surrogate with its bonus, and how far the policy is from the old one."""
            now = action_distribution(policy, observations)
            ratios = (now.log_prob(actions) - old.log_prob(actions)).exp()
            gained = (ratios * advantages).mean() + entropy_coefficient * now.entropy().mean()
            return gained, kl_divergence(old, now).mean()

        gained, divergence = objective()
        gradient = flat(torch.autograd.grad(gained, policy, retain_graph=True))
        slope = torch.cat([part.flatten() for part in torch.autograd.grad(divergence, policy, create_graph=True)])

        def product(vector: Tensor) -> Tensor:
            """(F + ξI) v, as F is the Hessian of the divergence at the old policy (Pearlmutter, 1994)."""
            return flat(torch.autograd.grad(slope @ vector, policy, retain_graph=True)) + damping * vector

        direction = conjugate_gradient(product, gradient, cg_iterations)
        longest = (2.0 * max_kl / (direction @ product(direction))).sqrt() * direction
        history["grad_norm"].append(gradient.norm())
        parts = torch.split(longest, [weight.numel() for weight in policy])
        start = [weight.detach().clone() for weight in policy]
        for fraction in [backtracking**k for k in range(line_search_steps)] + [0.0]:
            with torch.no_grad():
                for weight, before, part in zip(policy, start, parts, strict=True):
                    weight.copy_(before + fraction * part.view_as(weight))
            gain, moved = objective()
            if gain > gained and moved <= max_kl:
                break
        history["policy"].append(flat(policy))
        history["kl"].append(moved.detach())
        history["line_search"].append(torch.tensor(fraction))

        for _ in range(fit_steps):
            value_loss = (network(value, observations).squeeze(-1) - returns).square().mean()
            value_optimizer.zero_grad()
            value_loss.backward()
            value_optimizer.step()
            history["value_loss"].append(value_loss.detach())
            history["value"].append(flat(value))

    for batch in batches:
        update(batch)
    return history
