"""Learned values of a rollout: each in its place, and what a memory makes of what was seen after a cut."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from engine.catalogue.spaces import Space
from engine.config.estimators import ValueBaseline
from engine.config.policies import GRUPolicy, LinearPolicy, MLPPolicy, PolicyConfig
from engine.experience.rollouts import Rollout
from engine.policies.policy import Policy
from engine.values import critics
from engine.values.critics import SeparateCritic, SharedCritic
from engine.values.value_function import ValueFunction
from tests.engine.scripted import Scripted, actor_of, collected, episodes_of, fixed_length_of, policy_of
from tests.engine.tiny_mdp import finish

KINDS = ["padded", "even", "fixed-length"]


def rollout_of(kind: str, policy: Policy) -> Rollout:
    actor = actor_of(policy)
    if kind == "padded":
        return collected(episodes_of(Scripted([3, 1, 5, 3], truncated=[1, 3])), actor)[0]
    if kind == "even":
        return collected(episodes_of(Scripted([4, 4, 4], truncated=[0])), actor)[0]
    collector = fixed_length_of(Scripted([(2, 9), (1, 3, 9), (20,)], truncated=[1]), 6)
    collected(collector, actor)
    return collected(collector, actor)[0]


class Sum(ValueFunction):
    """V(s) is 1 plus the sum of what is observed."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)

    def forward(self, observations: Tensor) -> Tensor:
        return 1.0 + observations.sum(-1)


@pytest.mark.parametrize("kind", KINDS)
def test_values_stand_at_the_steps_they_are_of_and_0_elsewhere(kind: str) -> None:
    rollout = rollout_of(kind, policy_of())
    values, _ = finish(SeparateCritic(Sum()).values(rollout))
    expected = (1.0 + rollout.observations.sum(-1)) * rollout.mask
    assert torch.equal(values, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_values_after_a_cut_are_of_the_true_final_observation_and_0_elsewhere(kind: str) -> None:
    """A final observation's step is one more than the last one's."""
    rollout = rollout_of(kind, policy_of())
    assert rollout.truncated.any()
    _, final = finish(SeparateCritic(Sum()).values(rollout))
    assert torch.equal(final, (2.0 + rollout.observations.sum(-1)) * rollout.truncated)


@pytest.mark.parametrize("config", [LinearPolicy(), MLPPolicy(hidden_sizes=(4,)), GRUPolicy(hidden_size=4)])
def test_a_rollout_without_a_cut_has_no_values_after_one(config: PolicyConfig) -> None:
    policy = policy_of(config, with_value=True)
    rollout = collected(episodes_of(Scripted([3, 1])), actor_of(policy))[0]
    for critic in (SharedCritic(policy), SeparateCritic(Sum())):
        _, final = finish(critic.values(rollout))
        assert final.shape == rollout.mask.shape
        assert not final.any()


@pytest.mark.parametrize("kind", KINDS)
def test_a_shared_value_without_a_memory_is_the_networks_own(kind: str) -> None:
    policy = policy_of(MLPPolicy(hidden_sizes=(4,)), with_value=True)
    rollout = rollout_of(kind, policy)
    values, final = finish(SharedCritic(policy).values(rollout))
    with torch.no_grad():
        _, expected = policy.evaluate(rollout.flat(rollout.observations), None)
        _, after = policy.evaluate(rollout.final_observations, None)
    torch.testing.assert_close(rollout.flat(values), expected)
    torch.testing.assert_close(final.transpose(0, 1)[rollout.truncated.transpose(0, 1)], after)


@torch.no_grad()
def step_by_step(policy: Policy, observations: Tensor, state: Tensor) -> tuple[list[float], Tensor]:
    """V after each of one sequence's observations, remembering one after another."""
    values = []
    body: Any = policy.body
    assert policy.value_head is not None
    for observation in observations:
        _, state = body.step(observation[None], state)
        values.append(policy.value_head(state).item())
    return values, state


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_with_a_memory_is_that_of_stepping_on_to_the_final_observation(kind: str) -> None:
    policy = policy_of(GRUPolicy(hidden_size=4), with_value=True)
    rollout = rollout_of(kind, policy)
    values, final = finish(SharedCritic(policy).values(rollout))
    sequences = rollout.sequences
    assert sequences.states is not None
    finals = iter(rollout.final_observations)
    seen = rollout.flat(rollout.observations).split(sequences.lengths.tolist())
    expected, after = [], []
    for observations, state, cut in zip(seen, sequences.states, sequences.cut, strict=True):
        longer = torch.cat((observations, next(finals)[None])) if cut else observations
        found, _ = step_by_step(policy, longer, state[None])
        expected += found[: len(observations)]
        after += found[len(observations) :]
    torch.testing.assert_close(rollout.flat(values), torch.tensor(expected))
    torch.testing.assert_close(final.transpose(0, 1)[rollout.truncated.transpose(0, 1)], torch.tensor(after))
    assert not final[~rollout.truncated].any()


def test_a_value_with_a_memory_after_a_cut_depends_on_what_was_remembered() -> None:
    """Else the test above would not tell a memory from none."""
    policy = policy_of(GRUPolicy(hidden_size=4), with_value=True)
    rollout = rollout_of("fixed-length", policy)
    _, final = finish(SharedCritic(policy).values(rollout))
    forgetful = [step_by_step(policy, o[None], torch.zeros(1, 4))[0][0] for o in rollout.final_observations]
    remembered = final.transpose(0, 1)[rollout.truncated.transpose(0, 1)]
    assert (remembered - torch.tensor(forgetful)).abs().max().item() > 1e-3


@pytest.mark.parametrize("shared", [False, True], ids=["separate", "shared"])
def test_values_do_not_depend_on_how_many_are_computed_at_once(shared: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = policy_of(MLPPolicy(hidden_sizes=(4,)), with_value=True)
    value = ValueFunction(ValueBaseline(hidden_sizes=(4,)), Space("box", 3), torch.Generator().manual_seed(1))
    critic = SharedCritic(policy) if shared else SeparateCritic(value)
    rollout = rollout_of("padded", policy)
    whole = finish(critic.values(rollout))
    monkeypatch.setattr(critics, "ROWS", 2)
    for one, other in zip(whole, finish(critic.values(rollout)), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("config", [MLPPolicy(hidden_sizes=(4,)), GRUPolicy(hidden_size=4)], ids=lambda c: c.kind)
def test_values_are_data_without_gradients(config: PolicyConfig) -> None:
    policy = policy_of(config, with_value=True)
    rollout = rollout_of("padded", policy)
    values, final = finish(SharedCritic(policy).values(rollout))
    assert not values.requires_grad
    assert not final.requires_grad
