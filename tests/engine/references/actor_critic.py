"""Actor-critics with a learned Q, from top to bottom, by autograd in double precision.

SAC: Haarnoja et al. (2018), "Soft actor-critic algorithms and applications"; its discrete form: Christodoulou (2019).
DDPG: Lillicrap et al. (2016), "Continuous control with deep reinforcement learning". TD3: Fujimoto et al. (2018),
"Addressing function approximation error in actor-critic methods". The all-actions gradient: [lecture]; Sutton et al.
(2000). What is drawn, minibatches and noise, is given, so that all else can be computed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

Layers = Sequence[Tensor]  # W, b, W, b, …


def mlp(layers: Layers, inputs: Tensor, f: Any) -> Tensor:
    for k in range(0, len(layers) - 2, 2):
        inputs = f(inputs @ layers[k].T + layers[k + 1])
    return inputs @ layers[-2].T + layers[-1]


def actor_critic(
    minibatches: Sequence[Mapping[str, Tensor]],
    noises: Sequence[Tensor],
    policy: Layers,
    critics: Sequence[Layers],
    *,
    kind: str,
    rate: float,
    critic_rate: float,
    tau: float,
    target_entropy: float = 0.0,
    temperature: float = 0.0,
    automatic: bool = False,
    soft_target: bool = True,
    smallest: bool = True,
    delay: int = 1,
    limit: float = 0.5,
) -> dict[str, list[Tensor]]:
    """Learn from minibatches of ``observations``, ``actions`` (between −1 and 1, or numbers), ``rewards`` over n steps,
    ``discounts`` and ``next_observations``.

    Args:
        noises: standard normal numbers, or TD3's smoothing noise, in the order in which they are used.
        kind: "sac", "discrete" (SAC or the all-actions gradient), "td3" or "ddpg".

    Returns:
        After each gradient step the ``policy``, the ``critics`` and ``log_alpha``, as vectors, and the ``loss``.
    """
    policy = [weight.clone().requires_grad_() for weight in policy]
    critics = [[weight.clone().requires_grad_() for weight in critic] for critic in critics]
    flat = [weight for critic in critics for weight in critic]
    log_alpha = torch.tensor([math.log(temperature) if temperature > 0.0 else -math.inf]).double()
    log_alpha.requires_grad_()
    old_policy = [weight.detach().clone() for weight in policy]
    old_critics = [[weight.detach().clone() for weight in critic] for critic in critics]
    of_policy, of_critics = torch.optim.Adam(policy, lr=rate), torch.optim.Adam(flat, lr=critic_rate)
    of_alpha = torch.optim.Adam([log_alpha], lr=rate)
    left, history = list(noises), {"policy": [], "critics": [], "log_alpha": [], "loss": []}  # type: ignore[var-annotated]

    def judge(networks: Sequence[Layers], states: Tensor, actions: Tensor | None) -> Tensor:
        given = states if actions is None else torch.cat((states, actions), 1)
        values = torch.stack([mlp(layers, given, torch.relu) for layers in networks])
        return values if actions is None else values.squeeze(-1)

    def least(values: Tensor) -> Tensor:
        return values.min(0).values if smallest else values.max(0).values

    def draw(states: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_std = mlp(policy, states, torch.tanh).chunk(2, 1)
        noise = left.pop(0)
        latent = mean + log_std.exp() * noise
        normal = -0.5 * ((latent - mean) / log_std.exp()) ** 2 - log_std - 0.5 * math.log(2 * math.pi)
        return latent.tanh(), (normal - torch.log(1 - latent.tanh() ** 2)).sum(1)

    def softmax(states: Tensor) -> Tensor:
        return mlp(policy, states, torch.tanh).softmax(1)

    for index, batch in enumerate(minibatches, 1):
        states, after = batch["observations"], batch["next_observations"]
        alpha = log_alpha.exp().detach()
        with torch.no_grad():
            if kind == "sac":
                actions, log_probs = draw(after)
                worth = least(judge(old_critics, after, actions)) - (alpha * log_probs if soft_target else 0.0)
            elif kind == "discrete":
                chances = softmax(after)
                surprise = alpha * chances.log() if soft_target else torch.zeros_like(chances)
                worth = (chances * (least(judge(old_critics, after, None)) - surprise)).sum(1)
            else:
                actions = mlp(old_policy, after, torch.tanh).tanh()
                if kind == "td3":
                    actions = (actions + left.pop(0).clamp(-limit, limit)).clamp(-1, 1)
                worth = least(judge(old_critics, after, actions))
            targets = batch["rewards"] + batch["discounts"] * worth

        if kind == "discrete":
            values = judge(critics, states, None)[:, torch.arange(len(states)), batch["actions"]]
        else:
            values = judge(critics, states, batch["actions"])
        loss = 0.5 * ((values - targets) ** 2).mean(1).sum()
        of_critics.zero_grad()
        loss.backward()
        of_critics.step()

        if index % delay == 0:
            if kind == "sac":
                actions, log_probs = draw(states)
                entropy = -log_probs.mean()
                cost = (alpha * log_probs - least(judge(critics, states, actions))).mean()
            elif kind == "discrete":
                chances = softmax(states)
                entropy = -(chances * chances.log()).sum(1).mean()
                cost = (chances * (alpha * chances.log() - least(judge(critics, states, None)).detach())).sum(1).mean()
            else:
                entropy = torch.zeros(())
                cost = -judge(critics[:1], states, mlp(policy, states, torch.tanh).tanh())[0].mean()
            of_policy.zero_grad()
            cost.backward()
            of_policy.step()
            if automatic:
                of_alpha.zero_grad()
                (log_alpha * (entropy.detach() - target_entropy)).sum().backward()
                of_alpha.step()
            with torch.no_grad():
                for old, new in ((old_policy, policy), *zip(old_critics, critics, strict=True)):
                    for one, other in zip(old, new, strict=True):
                        one.copy_((1 - tau) * one + tau * other)
        history["policy"].append(torch.cat([weight.detach().flatten() for weight in policy]))
        history["critics"].append(torch.cat([weight.detach().flatten() for weight in flat]))
        history["log_alpha"].append(log_alpha.detach().clone())
        history["loss"].append(((values - targets) ** 2).mean().detach())
    return history
