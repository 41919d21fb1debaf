"""Deep Q-learning, from top to bottom.

Mnih et al. (2015), "Human-level control through deep reinforcement learning": after every few steps a minibatch of old
ones is drawn, and the network takes a step towards targets from a copy of itself that lags behind. Its relatives:
double (van Hasselt et al., 2016), dueling (Wang et al., 2016), targets over n steps (Sutton, 1988) and prioritized
replay (Schaul et al., 2016). What is drawn is given, so that all else can be computed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor


def action_values(weights: Sequence[Tensor], inputs: Tensor, dueling: bool) -> Tensor:
    """Linear layers W x + b, given as W, b, W, b, …, with tanh between them; of a dueling network, the last layer's
    output is V and stands beside the advantages of the one before."""
    shared = len(weights) - (4 if dueling else 2)
    for layer in range(0, shared, 2):
        inputs = (inputs @ weights[layer].T + weights[layer + 1]).tanh()
    first = inputs @ weights[shared].T + weights[shared + 1]
    if not dueling:
        return first
    value = inputs @ weights[shared + 2].T + weights[shared + 3]
    return value + first - first.mean(1, keepdim=True)


def dqn(
    steps: Sequence[Mapping[str, Tensor]],
    draws: Mapping[int, Sequence[Sequence[tuple[int, int]]]],
    weights: Sequence[Tensor],
    *,
    gamma: float,
    n: int,
    double: bool,
    dueling: bool,
    huber: bool,
    learning_rate: float,
    max_grad_norm: float,
    rate: float,
    every: int,
    priority_exponent: float = 0.0,
    importance_exponents: Sequence[float] = (),
) -> dict[str, list[Any]]:
    """Learn from a stream of steps.

    Args:
        steps: of all N environments at a time: ``observations`` [N, components], ``actions``, ``rewards``,
            ``terminated`` and ``truncated`` [N], and ``next_observations``, those that end an episode included.
        draws: by how many steps have been taken, the minibatches drawn then: of each transition the time and the
            environment.
        weights: the first ones, W, b, W, b, …
        importance_exponents: β at every minibatch, where replay is prioritized; else none.

    Returns:
        ``weights`` after each gradient step, as vectors, and each minibatch's ``loss``, ``grad_norm``, mean ``target``
        and ``chances`` with which it was drawn.
    """
    weights = [weight.clone().requires_grad_() for weight in weights]
    target = [weight.detach().clone() for weight in weights]
    optimizer = torch.optim.Adam(weights, lr=learning_rate, betas=(0.9, 0.999), eps=1e-8)
    history: dict[str, list[Any]] = {"weights": [], "loss": [], "grad_norm": [], "target": [], "chances": []}
    priorities: dict[tuple[int, int], float] = {}
    greatest, updates = 1.0, 0

    for taken in range(1, len(steps) + 1):
        for environment in range(len(steps[0]["rewards"])):
            priorities[taken - 1, environment] = greatest
        for minibatch in draws.get(taken, ()):
            # y = r + γ r' + … and, unless the episode was over by then, what the state that came next is worth.
            totals, discounts, after = [], [], []
            for time, environment in minibatch:
                total, discount = 0.0, 1.0
                for t in range(time, min(time + n, taken)):
                    total += discount * float(steps[t]["rewards"][environment])
                    discount *= gamma
                    if steps[t]["terminated"][environment]:
                        discount = 0.0
                    if steps[t]["terminated"][environment] or steps[t]["truncated"][environment]:
                        break
                totals.append(total)
                discounts.append(discount)
                after.append(steps[t]["next_observations"][environment])
            with torch.no_grad():
                worth = action_values(target, torch.stack(after), dueling)
                chosen = action_values(weights, torch.stack(after), dueling) if double else worth
            following = worth[torch.arange(len(worth)), chosen.argmax(1)]
            targets = (
                torch.tensor(totals, dtype=torch.float64) + torch.tensor(discounts, dtype=torch.float64) * following
            )

            observations = torch.stack([steps[time]["observations"][environment] for time, environment in minibatch])
            actions = torch.stack([steps[time]["actions"][environment] for time, environment in minibatch])
            values = action_values(weights, observations, dueling)[torch.arange(len(actions)), actions]
            errors = targets - values
            losses = 0.5 * errors**2
            if huber:
                losses = torch.where(errors.abs() <= 1.0, losses, errors.abs() - 0.5)
            if importance_exponents:
                chances = torch.tensor([priorities[drawn] for drawn in minibatch]) / sum(priorities.values())
                importance = (len(priorities) * chances) ** -importance_exponents[updates]
                losses = losses * importance / importance.max()
                history["chances"].append(chances)
            loss = losses.mean()

            optimizer.zero_grad()
            loss.backward()
            norm = torch.sqrt(sum((weight.grad**2).sum() for weight in weights if weight.grad is not None))
            for weight in weights:
                assert weight.grad is not None
                weight.grad *= min(1.0, max_grad_norm / norm)
            optimizer.step()
            updates += 1
            if updates % every == 0:
                target = [(1.0 - rate) * old + rate * new.detach() for old, new in zip(target, weights, strict=True)]
            for drawn, error in zip(minibatch, errors.detach().abs(), strict=True):
                priorities[drawn] = float((error + 0.01) ** priority_exponent)
                greatest = max(greatest, priorities[drawn])
            history["weights"].append(torch.cat([weight.detach().flatten() for weight in weights]))
            history["loss"].append(loss.detach())
            history["grad_norm"].append(norm)
            history["target"].append(targets.mean())
    return history
