"""What learned action values beneath a policy are fitted to: at every kind of end, and with traces."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

from engine.algorithms.actor_critic.all_actions import AllActionsImprovement
from engine.algorithms.actor_critic.rule import ActorCriticRule
from engine.algorithms.actor_critic.traced import _TRACES, traced_targets
from engine.experience.replay_buffer import Minibatch, Windows
from engine.mdp.exact import action_values, dynamics_of
from engine.policies.policy import Policy
from tests.engine.algorithms.actor_critics import configured, made
from tests.engine.algorithms.transitions import STEPS
from tests.engine.tiny_mdp import ENDED, TINY

LN_4 = math.log(4.0)


@pytest.mark.parametrize(
    ("update", "n", "expected"),
    [
        ("q-actor-critic", 1, [1 + 0.5 * 4, 2 + 0.5 * 8, 4 + 0.5 * 12, 8, 16 + 0.5 * 28]),
        ("q-actor-critic", 2, [1 + 1 + 0.25 * 8, 2 + 2 + 0.25 * 12, 4 + 0.5 * 12, 8, 16 + 0.5 * 28]),
        ("q-actor-critic", 9, [1 + 1 + 1 + 0.125 * 12, 2 + 2 + 0.25 * 12, 4 + 0.5 * 12, 8, 16 + 0.5 * 28]),
        (
            "sac",
            1,
            [
                1 + 0.5 * (4 + 2 * LN_4),
                2 + 0.5 * (8 + 2 * LN_4),
                4 + 0.5 * (12 + 2 * LN_4),
                8,
                16 + 0.5 * (28 + 2 * LN_4),
            ],
        ),
    ],
)
def test_targets_at_every_kind_of_end(update: str, n: int, expected: list[float]) -> None:
    """The policy is even, and the target network's values in state s are 0, 4 s, 4 s and 8 s, of SAC's second one more:
    4 s on average, and 2 ln 4 for being undecided at the temperature 2."""
    temperature = {"update__automatic_temperature": False, "update__temperature": 2.0} if update == "sac" else {}
    rule, _ = over_a_lake(update, n, apart=3.0, **temperature)
    list(rule.learn(STEPS))
    (learned,) = rule._learned
    by_age = dict(zip(learned.ages.tolist(), learned.targets.tolist(), strict=True))
    for age, target in zip((4, 3, 2, 1, 0), expected, strict=True):
        assert by_age[age] == pytest.approx(target)


def test_a_trace_counts_later_steps_by_how_the_policy_would_have_taken_them() -> None:
    """As above, over 3 steps of which each has the error 3, 2, −6 in the first episode; the policy and what acted are
    even, so that π/μ is 1 and π is ¼."""
    shares = {"retrace": 1.0, "importance": 1.0, "tree-backup": 0.25}
    for (traces, share), decay in product(shares.items(), (1.0, 0.5)):
        rule, _ = learning(traces, 3, update__trace_lambda=decay)
        list(rule.learn(STEPS))
        (learned,) = rule._learned
        by_age = dict(zip(learned.ages.tolist(), learned.targets.tolist(), strict=True))
        kept = 0.5 * share * decay
        expected = [3 + kept * 2 + kept**2 * -6, 4 + 2 + kept * -6, 16 - 6, 8, 16 + 0.5 * 28]
        assert [by_age[age] for age in (4, 3, 2, 1, 0)] == pytest.approx(expected), (traces, decay)


def learning(traces: str, n: int, **values: Any) -> tuple[ActorCriticRule, Policy]:
    """With one network of action values, and traces."""
    return over_a_lake("q-actor-critic", n, update__traces=traces, **values)


def over_a_lake(update: str, n: int, *, apart: float = 0.0, **values: Any) -> tuple[ActorCriticRule, Policy]:
    """An even policy over the states of a frozen lake, and target values 0, 4 s, 4 s and 8 s, of each further network
    so much more."""
    config = configured(
        "FrozenLake-v1",
        policy="tabular",
        update=update,
        update__critic__hidden_sizes=(),
        update__replay__learning_starts=1,
        update__replay__minibatch_size=64,
        estimator__gamma=0.5,
        estimator__n=n,
        **values,
    )
    rule, policy = made(config)
    table = torch.arange(16.0) * torch.tensor([0.0, 4.0, 4.0, 8.0]).unsqueeze(1)  # [A, S]
    weights, biases = rule._target._layers._layers[0]
    weights.data.copy_(torch.stack([table + apart * k for k in range(len(weights))]))
    biases.data.zero_()
    return rule, policy


def test_how_likely_an_action_was_is_that_of_what_acted() -> None:
    """Blind choice first, later the policy as it was then, whatever has become of it since."""
    rule, policy = learning("retrace", 2)
    list(rule.learn(STEPS))
    rule._policy.vector.values.copy_(torch.linspace(-1.0, 1.0, 64))
    with torch.no_grad():
        log_probs = policy(torch.from_numpy(STEPS.observations[:, 0])).log_prob(torch.from_numpy(STEPS.actions[:, 0]))  # type: ignore[attr-defined]
    list(rule.learn(STEPS))
    rule._policy.vector.values.zero_()
    kept = rule._replay._buffer._log_probs  # type: ignore[union-attr]
    assert kept[:5].tolist() == pytest.approx([-LN_4] * 5)
    assert kept[5:10].tolist() == pytest.approx(log_probs.tolist(), abs=1e-6)


ACTED = torch.tensor([[0.9, 0.1], [0.25, 0.75]])  # μ


def mean_targets(traces: str, gamma: float, values: torch.Tensor) -> torch.Tensor:
    """Of each state and action [S, A] over all windows of two steps that μ may take, each with its chance, with these
    ``values`` in the target network."""
    rule, _ = learning(traces, 2)
    logits = rule._policy.vector.values.view(16, 4)
    logits.fill_(-1e9)  # of the actions that there are not
    logits[:2, :2] = TINY.theta
    rule._target._layers._layers[0][0].data[0, :2, :2] = values.T.float()
    rows: list[tuple[float, ...]] = []  # what a window begins with, its chance, and its two steps
    for state, action in np.ndindex(2, 2):
        for chance, reward, later in TINY.outcomes[state][action]:
            first = (state, action, reward, max(later, 0), float(later != ENDED))
            if later == ENDED:
                rows.append((state, action, chance, *first, *first))
                continue
            for second in (0, 1):
                for then, its_reward, end in TINY.outcomes[later][second]:
                    step = (later, second, its_reward, max(end, 0), float(end != ENDED))
                    rows.append((state, action, chance * then * float(ACTED[later, second]), *first, *step))
    table = torch.tensor(rows, dtype=torch.float64)
    states, actions, rewards, following, goes_on = torch.cat((table[:, 3:8], table[:, 8:])).unbind(1)
    nothing = torch.zeros(len(states), dtype=torch.int64)
    steps = Minibatch(
        *(states.long(), actions.long(), rewards.float(), gamma * goes_on.float(), following.long()), *3 * [nothing]
    )
    log_probs = ACTED.log()[states.long(), actions.long()].view(2, -1)
    carry = torch.stack((gamma * table[:, 7].float(), torch.zeros(len(table))))
    assert isinstance(rule._policy, AllActionsImprovement)
    with torch.no_grad():
        found = traced_targets(Windows(steps, carry, log_probs), rule._update, rule._policy, rule._target)  # type: ignore[arg-type]
    sums = torch.zeros(2, 2, dtype=torch.float64)
    return sums.index_put_((table[:, 0].long(), table[:, 1].long()), table[:, 2] * found.double(), accumulate=True)


PI = TINY.theta.double().softmax(-1)
# How often a step is taken and then counts: μ(a|s) κ(a|s).
COUNTED = {"retrace": torch.minimum(ACTED, PI), "tree-backup": ACTED * PI, "importance": PI}


@pytest.mark.parametrize("traces", COUNTED)
def test_the_mean_target_leads_to_the_values_of_the_policy_whatever_acts(
    traces: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Q^π stays; from other values Q it is T Q + γ Σ P μ κ (T Q − Q), with T of the policy. Counting every step fully
    gives something else."""
    gamma, dynamics = 0.8, dynamics_of(TINY.mdp(None))

    def backed_up(values: torch.Tensor) -> torch.Tensor:
        return dynamics.rewards + gamma * dynamics.continuing @ (PI * values).sum(-1)

    true = action_values(dynamics, PI, gamma)
    torch.testing.assert_close(mean_targets(traces, gamma, true), true, atol=1e-5, rtol=0.0)
    values = torch.tensor([[2.0, -1.0], [0.5, 3.0]], dtype=torch.float64)
    once = backed_up(values)
    wanted = once + gamma * dynamics.continuing @ (COUNTED[traces] * (once - values)).sum(-1)
    torch.testing.assert_close(mean_targets(traces, gamma, values), wanted, atol=1e-5, rtol=0.0)
    if traces == "importance":  # which is the policy's own two steps
        torch.testing.assert_close(wanted, backed_up(once))
    monkeypatch.setitem(_TRACES, traces, lambda log_probs, log_ratios, decay: torch.ones_like(log_probs))
    assert float((mean_targets(traces, gamma, values) - wanted).abs().max()) > 0.1
