"""Batches of single steps that hold every state and action exactly as often as a policy takes them.

On such a batch a mean over steps is an expectation over states and actions, so that what an update rule does can be
compared with its closed form and nothing is left to chance.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from engine.algorithms.outcome import Outcome
from engine.algorithms.policy_gradient.rule import UpdateInput
from engine.algorithms.policy_gradient.rules import make_rule
from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config import RunConfig
from engine.config.policies import TabularPolicy
from engine.config.validation import validated
from engine.experience.batch import NO_BASELINE, Batch
from engine.experience.rollouts import Rollout
from engine.policies.policy import Policy
from tests.engine.tiny_mdp import finish

# π(a|s) of three states and three actions in eighths, and how often each state is seen.
EIGHTHS = torch.tensor([[1, 3, 4], [2, 2, 4], [5, 2, 1]])
VISITS = torch.tensor([1, 2, 1])
PROBABILITIES = EIGHTHS.double() / 8.0
SHARES = VISITS.double() / VISITS.sum()
INFO = EnvironmentInfo("Three", "Three", "", Space("discrete", 3), Space("discrete", 3))

# Advantages under that policy: each state's average to 0 over its actions.
RAW = torch.tensor([[2.0, -1.0, 0.5], [0.3, -0.7, 1.1], [-1.0, 0.4, 0.8]]).double()
ADVANTAGES = RAW - (PROBABILITIES * RAW).sum(-1, keepdim=True)


def policy(probabilities: Tensor = PROBABILITIES) -> Policy:
    """The tabular policy with these probabilities."""
    made = Policy(TabularPolicy(), INFO, torch.Generator())
    with torch.no_grad():
        made.head.rows.copy_(probabilities.log())  # type: ignore[union-attr, operator]
    return made


class Rows(nn.Module):
    """Logits of three states and three actions as a function of other parameters φ [P]."""

    def __init__(self, parameters: Tensor, logits: Any) -> None:
        super().__init__()
        self.phi = nn.Parameter(parameters.float().clone())
        self._logits = logits

    def forward(self, observations: Tensor) -> Tensor:
        rows: Tensor = self._logits(self.phi).view(3, 3)[observations]
        return rows


def parameterized(parameters: Tensor, logits: Any) -> Policy:
    """A policy with parameters φ, whose logits are ``logits(φ)`` [9]."""
    made = policy()
    made.head = Rows(parameters, logits)
    return made


def batch_of(counts: Tensor, advantages: Tensor) -> Batch:
    """Episodes of one step: state s with action a ``counts[s, a]`` times, credited with ``advantages[s, a]``."""
    pairs = [(s, a) for s in range(len(counts)) for a in range(counts.shape[1]) for _ in range(int(counts[s, a]))]
    states, actions = (torch.tensor([pair[k] for pair in pairs]).unsqueeze(0) for k in (0, 1))
    yes = torch.ones_like(states, dtype=torch.bool)
    rollout = Rollout(
        observations=states,
        actions=actions,
        rewards=torch.zeros_like(states, dtype=torch.float32),
        terminated=yes,
        truncated=~yes,
        mask=yes,
        elapsed=torch.zeros_like(states),
        final_observations=torch.zeros(0, dtype=torch.int64),
    )
    credited = advantages[states[0], actions[0]].float()
    return Batch(rollout, credited, torch.ones_like(credited), NO_BASELINE)


def expected_batch(advantages: Tensor = ADVANTAGES) -> Batch:
    """32 steps, in which a mean is an expectation under ``PROBABILITIES`` and ``SHARES``."""
    return batch_of(EIGHTHS * VISITS.unsqueeze(-1), advantages)


def configured(update: dict[str, Any], **estimator: Any) -> RunConfig:
    fields = {"credit": "reward-to-go", "baseline": "none"} | estimator
    return validated({"estimator": fields, "update": update, "policy": "tabular"})


def updated(learner: Policy, batch: Batch, update: dict[str, Any], seed: int = 0, **estimator: Any) -> Outcome:
    """One update of the rule with that configuration."""
    config = configured(update, **estimator)
    rule = make_rule(config, learner, torch.Generator().manual_seed(seed), None)
    return finish(rule.update(UpdateInput(batch, config, 0.0)))


def probabilities_of(learner: Policy) -> Tensor:
    """π [S, A], float64."""
    with torch.no_grad():
        return learner(torch.arange(3)).probabilities.double()  # type: ignore[union-attr]


def divergence(old: Tensor, new: Tensor) -> float:
    """KL(old‖new) averaged over states as they are visited."""
    return (SHARES @ (old * (old.log() - new.log())).sum(-1)).item()
