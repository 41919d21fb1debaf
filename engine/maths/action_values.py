"""Learning what actions are worth: values of next states, targets, errors and updates of Q, as pure functions.

Action values are [..., A], one for each of A discrete actions; where actions are continuous, a critic gives the value
of one at a time, [...]. Any batch dimensions may stand before the actions: [B] transitions out of a replay buffer, or a
rollout's [T, N]. ``discounts`` is γ·(1 − terminated), never a done flag: behind a truncation the value counts, and it
is that of the true final observation. Whoever calls decides whose values these are: the network's own, a table's, or
those of a target network, through which no gradient should flow.

So a target is put together from two parts, and tables and networks share both: the value v of the next state by one of
the functions ``…_values``, and ``one_step_targets`` or, over several steps, ``n_step_returns`` and ``traces``.
"""

from __future__ import annotations

import torch
from torch import Tensor


def greedy_values(action_values: Tensor) -> Tensor:
    """v = max_a Q(s', a), the target of Q-learning and of DQN.

    The maximum of noisy estimates lies above the noisy maximum's own worth: E[max Q̂] ≥ max E[Q̂].

    Args:
        action_values: Q(s', ·), [..., A].

    Returns:
        [...].

    Source: Watkins (1989), "Learning from delayed rewards"; [lecture].
    """
    return action_values.amax(-1)


def taken_values(action_values: Tensor, actions: Tensor) -> Tensor:
    """v = Q(s', a') of the actions taken, the target of SARSA; also the Q(s, a) that is learned.

    Args:
        action_values: Q, [..., A].
        actions: int64 from 0 to A−1, [...].

    Returns:
        [...].

    Raises:
        ValueError: the shapes do not fit.

    Source: Rummery & Niranjan (1994), "On-line Q-learning using connectionist systems".
    """
    _require_rows(action_values, actions=actions)
    return action_values.gather(-1, actions.unsqueeze(-1)).squeeze(-1)


def expected_values(action_values: Tensor, probabilities: Tensor) -> Tensor:
    """v = Σ_a π(a|s') Q(s', a), the target of expected SARSA; with the policy's own π, V^π(s').

    With a π that is greedy in Q it is Q-learning's; on average over a' ~ π it is SARSA's, without the noise of a'.

    Args:
        action_values, probabilities: Q and π, [..., A].

    Returns:
        [...].

    Raises:
        ValueError: the shapes differ.

    Source: van Seijen et al. (2009), "A theoretical and empirical analysis of expected Sarsa".
    """
    _require_one_shape(action_values=action_values, probabilities=probabilities)
    return (probabilities * action_values).sum(-1)


def double_values(choosing: Tensor, judging: Tensor) -> Tensor:
    """v = Q'(s', argmax_a Q(s', a)): one estimate chooses the action, another says what it is worth.

    As the errors of the two do not conspire, it is not above max_a E[Q'] on average. Double DQN chooses with the
    network that learns and judges with the target network.

    Args:
        choosing, judging: Q and Q', [..., A]; of several greatest, the first is chosen.

    Returns:
        [...].

    Raises:
        ValueError: the shapes differ.

    Source: van Hasselt (2010), "Double Q-learning"; van Hasselt, Guez & Silver (2016), "Deep reinforcement learning
        with double Q-learning".
    """
    _require_one_shape(choosing=choosing, judging=judging)
    return judging.gather(-1, choosing.argmax(-1, keepdim=True)).squeeze(-1)


def soft_values(action_values: Tensor, log_probabilities: Tensor, temperature: float | Tensor) -> Tensor:
    """v = Σ_a π(a|s') (Q(s', a) − α log π(a|s')) = E[Q] + α H(π(·|s')), the discrete form of SAC's target.

    An action that π never takes counts for nothing, 0 · log 0 = 0.

    Args:
        action_values, log_probabilities: Q and log π, [..., A].
        temperature: α ≥ 0, in the rewards' units per nat; a number or a scalar tensor.

    Returns:
        [...].

    Raises:
        ValueError: the shapes differ.

    Source: Haarnoja et al. (2018), "Soft actor-critic"; Christodoulou (2019), "Soft actor-critic for discrete action
        settings".
    """
    _require_one_shape(action_values=action_values, log_probabilities=log_probabilities)
    probabilities = log_probabilities.exp()
    surprises = torch.where(probabilities > 0.0, log_probabilities, 0.0)
    return (probabilities * (action_values - temperature * surprises)).sum(-1)


def sampled_soft_values(action_values: Tensor, log_probs: Tensor, temperature: float | Tensor) -> Tensor:
    """v = Q(s', a') − α log π(a'|s') with a' ~ π, SAC's target for continuous actions.

    Its mean over a' is ``soft_values``. Q is the smaller of two critics' as a rule, which is the caller's to take.

    Args:
        action_values, log_probs: Q(s', a') and log π(a'|s'), [...].
        temperature: as in ``soft_values``.

    Returns:
        [...].

    Raises:
        ValueError: the shapes differ.

    Source: Haarnoja et al. (2018), "Soft actor-critic algorithms and applications"; the smaller of two after Fujimoto
        et al. (2018), "Addressing function approximation error in actor-critic methods".
    """
    _require_one_shape(action_values=action_values, log_probs=log_probs)
    return action_values - temperature * log_probs


def one_step_targets(rewards: Tensor, discounts: Tensor, next_values: Tensor) -> Tensor:
    """y = r + γ_t v, what Q(s, a) is to become: the reward at a termination, else the next state's value with it.

    Of transitions over n steps, ``rewards`` are their discounted sums and ``discounts`` γ^n·(1 − terminated).

    Args:
        rewards, discounts, next_values: r, γ_t and v, [...]; values are finite, also where nothing follows.

    Returns:
        y, [...].

    Raises:
        ValueError: the shapes differ.

    Source: Watkins (1989); Mnih et al. (2015), "Human-level control through deep reinforcement learning".
    """
    _require_one_shape(rewards=rewards, discounts=discounts, next_values=next_values)
    return rewards + discounts * next_values


def one_step_errors(taken: Tensor, rewards: Tensor, discounts: Tensor, next_values: Tensor) -> Tensor:
    """δ = r + γ_t v − Q(s, a), the temporal-difference errors of action values.

    Args:
        taken: Q(s, a) of the actions taken, [...].
        rewards, discounts, next_values: as in ``one_step_targets``.

    Returns:
        δ, [...].

    Raises:
        ValueError: the shapes differ.

    Source: Sutton & Barto (2018), chapter 6.
    """
    _require_one_shape(taken=taken, rewards=rewards)
    return one_step_targets(rewards, discounts, next_values) - taken


def huber_loss(errors: Tensor, delta: float) -> Tensor:
    """½ e² where |e| ≤ d, else d (|e| − ½ d): as squares near 0, and no steeper than d anywhere.

    Args:
        errors: e, [...].
        delta: d > 0, in the errors' units.

    Returns:
        One loss for each error, [...]; whoever calls takes the mean, weighted or not.

    Raises:
        ValueError: d is not positive.

    Source: Huber (1964), "Robust estimation of a location parameter"; Mnih et al. (2015), who clip the error to ±1.
    """
    _require_positive("delta", delta)
    sizes = errors.abs()
    near = sizes.clamp(max=delta)
    return near * (sizes - 0.5 * near)


def huber_gradient(errors: Tensor, delta: float) -> Tensor:
    """∂/∂e of ``huber_loss``, e cut off at ±d, [...].

    Args:
        as ``huber_loss``.
    """
    _require_positive("delta", delta)
    return errors.clamp(-delta, delta)


def dueling(values: Tensor, advantages: Tensor) -> Tensor:
    """Q(s, a) = V(s) + A(s, a) − 1/|A| Σ_a' A(s, a').

    Without the last term V and A would not be told apart by Q. With it V is the mean of Q over the actions.

    Args:
        values: V, [...].
        advantages: A, [..., A].

    Returns:
        Q, [..., A].

    Raises:
        ValueError: the shapes do not fit.

    Source: Wang et al. (2016), "Dueling network architectures for deep reinforcement learning", equation 9.
    """
    _require_rows(advantages, values=values)
    return values.unsqueeze(-1) + advantages - advantages.mean(-1, keepdim=True)


def soft_update(target: Tensor, online: Tensor, share: float) -> Tensor:
    """θ⁻ ← (1 − τ) θ⁻ + τ θ: the target network's parameters follow those that are learned.

    τ = 1 copies them. After k updates with an unchanged θ, (1 − τ)^k of the distance is left.

    Args:
        target, online: θ⁻ and θ, [P] or any one shape.
        share: τ, from 0 to 1.

    Returns:
        The new θ⁻; the old one is left as it was.

    Raises:
        ValueError: the shapes differ, or τ is not from 0 to 1.

    Source: Polyak & Juditsky (1992), "Acceleration of stochastic approximation by averaging"; Lillicrap et al. (2016),
        "Continuous control with deep reinforcement learning".
    """
    _require_one_shape(target=target, online=online)
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"share must be from 0 to 1, not {share}.")
    return torch.lerp(target, online, share)


def _require_one_shape(**tensors: Tensor) -> None:
    if len({tensor.shape for tensor in tensors.values()}) > 1:
        shapes = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in tensors.items())
        raise ValueError(f"These must have one shape: {shapes}.")


def _require_rows(by_action: Tensor, **rows: Tensor) -> None:
    for name, tensor in rows.items():
        if by_action.ndim < 1 or by_action.shape[:-1] != tensor.shape:
            whole, part = tuple(by_action.shape), tuple(tensor.shape)
            raise ValueError(f"{name} {part} must be one for each row of action values {whole}.")


def _require_positive(name: str, number: float) -> None:
    if not number > 0.0:
        raise ValueError(f"{name} must be positive, not {number}.")
