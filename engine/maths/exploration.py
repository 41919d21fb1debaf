"""Policies made of action values, by how likely each action is."""

from __future__ import annotations

from torch import Tensor


def epsilon_greedy_probabilities(action_values: Tensor, epsilon: float | Tensor) -> Tensor:
    """π(a) = ε/A + (1 − ε)/G where Q(a) is the greatest of the values, G of which are equal, and ε/A elsewhere.

    ε is the share of random actions, greedy ones among them: a single greedy action has 1 − ε + ε/A. Equal values
    share, so that nothing depends on the actions' order, as it would where all values are still 0.

    Args:
        action_values: Q, [..., A].
        epsilon: ε, from 0 to 1; one number, or [...] for each row.

    Returns:
        π, [..., A].

    Raises:
        ValueError: ε is a number, but not from 0 to 1, or a tensor that does not fit.

    Source: Sutton & Barto (2018), section 2.2 and 5.4; [lecture].
    """
    greedy = greedy_actions(action_values).to(action_values.dtype)
    share = by_row(action_values, epsilon)
    return share / action_values.shape[-1] + (1.0 - share) * (greedy / greedy.sum(-1, keepdim=True))


def greedy_actions(action_values: Tensor) -> Tensor:
    """Which actions have the greatest value, bool [..., A]; several where values are equal."""
    return action_values == action_values.amax(-1, keepdim=True)


def boltzmann_probabilities(action_values: Tensor, temperature: float) -> Tensor:
    """π(a) = exp(Q(a)/τ) / Σ exp(Q/τ): nearly uniform where τ is far above the values' differences, greedy far below.

    Args:
        action_values: Q, [..., A].
        temperature: τ > 0, in the values' units.

    Returns:
        π, [..., A].

    Raises:
        ValueError: τ is not positive.

    Source: Sutton (1990), "Integrated architectures for learning, planning, and reacting".
    """
    if not temperature > 0.0:
        raise ValueError(f"temperature must be positive, not {temperature}.")
    return (action_values / temperature).softmax(-1)


def by_row(action_values: Tensor, epsilon: float | Tensor) -> float | Tensor:
    """ε, from 0 to 1, as it is or [..., 1], so that it goes with action values [..., A].

    Raises:
        ValueError: as ``epsilon_greedy_probabilities``.
    """
    if isinstance(epsilon, Tensor):
        if epsilon.ndim and epsilon.shape != action_values.shape[:-1]:
            rows = tuple(action_values.shape[:-1])
            raise ValueError(f"epsilon {tuple(epsilon.shape)} must be one number, or one for each of {rows}.")
        return epsilon.unsqueeze(-1) if epsilon.ndim else epsilon
    if not 0.0 <= epsilon <= 1.0:
        raise ValueError(f"epsilon must be from 0 to 1, not {epsilon}.")
    return epsilon
