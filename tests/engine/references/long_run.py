"""Proximal policy optimisation over a run in which everything changes that may, from top to bottom.

Schulman et al. (2017), "Proximal policy optimization algorithms", in its three forms: clipped, with a fixed penalty on
KL(π_old‖π), and with a multiplier of KL(π‖π_old) that follows the divergence. Every iteration has settings of its own:
rates and clip range fall along schedules, and a temperature τ divides logits by τ and multiplies σ by √τ, of the policy
that acted as of the one that learns. Observations are seen in units of the spread of all iterations before, cut off at
10. V is a network of its own that is fitted along with the policy, or afterwards on the whole batch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

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


def action_distribution(policy: Sequence[Tensor], seen: Tensor, temperature: float) -> Distribution:
    """A softmax over actions; a normal around the output where one more weight, log σ, follows the layers."""
    if len(policy) % 2 == 0:
        return Categorical(logits=network(policy, seen) / temperature)
    *layers, log_std = policy
    spread = TORQUE * log_std.exp() * math.sqrt(temperature)
    return Independent(Normal(TORQUE * network(layers, seen), spread), 1)


def falling(start: float, schedule: str, progress: float) -> float:
    if schedule == "linear":
        return start - start * progress
    return start if schedule == "constant" else start * math.cos(0.5 * math.pi * progress) ** 2


def learn(
    batches: Sequence[Mapping[str, Tensor]],
    minibatches: Sequence[Sequence[Tensor]],
    policy: Sequence[Tensor],
    value: Sequence[Tensor],
    iterations: Sequence[tuple[float, Mapping[str, float]]],
    *,
    form: str,
    schedules: tuple[str, str] = ("constant", "constant"),
    fit_steps: int = 0,
    multiplier: float = 0.0,
) -> dict[str, list[Tensor]]:
    """Learn from one batch after another.

    Args:
        batches: of M steps, environment after environment, each in the order of time: ``observations`` [M, components],
            ``actions`` [M] or [M, dimensions], ``rewards``, ``terminated`` and ``truncated`` [M]; and
            ``final_observations`` [E, components], seen after each truncated step.
        minibatches: for each batch, the rows of all its minibatches in turn, epoch after epoch.
        policy, value: the first weights, W, b, W, b, … and for continuous actions log σ.
        iterations: how much of the run is over as each begins, and its settings.
        form: "clip", "penalty" or "lagrangian".
        schedules: of the learning rate and of the clip range.
        fit_steps: of the value on the whole batch after the policy's; 0 for one with each of the policy's.

    Returns:
        All weights of ``policy`` and ``value`` after each of their steps, as vectors, and the ``multiplier`` after each
        iteration.
    """
    policy = [weight.clone().requires_grad_() for weight in policy]
    value = [weight.clone().requires_grad_() for weight in value]
    policy_optimizer = torch.optim.Adam(policy, lr=1.0)
    value_optimizer = torch.optim.Adam(value, lr=1.0)
    history: dict[str, list[Tensor]] = {"policy": [], "value": [], "multiplier": []}
    known = torch.zeros(0, batches[0]["observations"].shape[1])

    for batch, orders, (progress, settings) in zip(batches, minibatches, iterations, strict=True):
        mean = known.mean(0) if len(known) else torch.zeros(known.shape[1])
        variance = known.var(0, correction=0) if len(known) else torch.ones(known.shape[1])
        seen, final = (
            ((observations - mean) / (variance + 1e-8).sqrt()).clamp(-10.0, 10.0)
            for observations in (batch["observations"], batch["final_observations"])
        )
        actions, temperature = batch["actions"], settings["temperature"]
        clip_range = falling(settings["clip_range"], schedules[1], progress)
        policy_optimizer.param_groups[0]["lr"] = falling(settings["learning_rate"], schedules[0], progress)
        value_optimizer.param_groups[0]["lr"] = settings["value_learning_rate"]

        # GAE(λ) and its returns, backwards through all environments' steps.
        with torch.no_grad():
            values, finals = network(value, seen).squeeze(-1), list(network(value, final).squeeze(-1))
        advantages, following = torch.zeros_like(values), torch.zeros(())
        for t in reversed(range(len(values))):
            ends = bool(batch["terminated"][t] or batch["truncated"][t])
            next_value = 0.0 if batch["terminated"][t] else finals.pop() if ends else values[t + 1]
            following = torch.zeros(()) if ends else following
            delta = batch["rewards"][t] + settings["gamma"] * next_value - values[t]
            advantages[t] = following = delta + settings["gamma"] * settings["gae_lambda"] * following
        returns, gains = advantages + values, (advantages - advantages.mean()) / advantages.std(correction=0)

        old_policy = [weight.detach().clone() for weight in policy]
        old_log_probs = action_distribution(old_policy, seen, temperature).log_prob(actions)

        def fit(rows: Tensor, seen: Tensor = seen, returns: Tensor = returns) -> None:
            value_optimizer.zero_grad()
            (network(value, seen[rows]).squeeze(-1) - returns[rows]).square().mean().backward()
            value_optimizer.step()
            history["value"].append(torch.cat([weight.detach().flatten() for weight in value]))

        for rows in orders:
            now = action_distribution(policy, seen[rows], temperature)
            old = action_distribution(old_policy, seen[rows], temperature)
            ratios = (now.log_prob(actions[rows]) - old_log_probs[rows]).exp()
            gained = ratios * gains[rows]
            if form == "clip":
                gained = torch.minimum(gained, ratios.clamp(1.0 - clip_range, 1.0 + clip_range) * gains[rows])
            elif form == "penalty":
                gained = gained - settings["kl_coefficient"] * kl_divergence(old, now)
            else:
                gained = gained - multiplier * kl_divergence(now, old)
            policy_optimizer.zero_grad()
            (-(gained + settings["entropy_coefficient"] * now.entropy()).mean()).backward()
            policy_optimizer.step()
            history["policy"].append(torch.cat([weight.detach().flatten() for weight in policy]))
            if fit_steps == 0:
                fit(rows)
        for _ in range(fit_steps):
            fit(torch.arange(len(returns)))

        with torch.no_grad():
            now, old = (action_distribution(weights, seen, temperature) for weights in (policy, old_policy))
            moved = kl_divergence(now, old).mean().item()
        multiplier = max(0.0, multiplier + settings["multiplier_step"] * (moved - settings["target_kl"]))
        history["multiplier"].append(torch.tensor(multiplier))
        known = torch.cat((known, batch["observations"]))
    return history
