"""Each sample of a batch, beside what is computed by hand; the clip's six cases, beside what autograd makes of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from engine.analysis.clip_cases import CLIP_CASES, clip_cases
from engine.analysis.inspecting import LookedInto, remade
from engine.analysis.samples import Samples, _ends, samples_of
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.maths.losses import clipped_surrogate
from engine.reports.events import Collected
from engine.training.training import Training

GAMMA = 0.9


def looked_into(algorithm: str, values: dict[str, Any]) -> LookedInto:
    """The first iteration of a run."""
    start = with_values(PolicyGradientConfig(), {"environment": "Corridor-v0", "policy": "tabular"})
    config = with_values(choose(start, ALGORITHMS[algorithm]), {"estimator.gamma": GAMMA, **values})
    training = Training(config)
    state = training.state()
    training.close()
    found = remade(state, 1)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def ppo() -> Samples:
    cut = {"collection": "fixed-length", "collection.environments": 3, "collection.steps": 50}
    return samples_of(looked_into("ppo", {**cut, "update.learning_rate": 0.5, "update.minibatch_size": 50}))


def test_every_number_of_a_sample_is_as_by_hand(ppo: Samples) -> None:
    batch = ppo.looked.batch
    assert ppo.ratios is not None
    assert ppo.clip_range is not None
    assert batch.values is not None
    parted = np.abs(ppo.ratios - 1).argmax()  # a step that the update has moved
    steps = ppo.sequence_of(int(parted))
    assert np.array_equal(np.diff(batch.elapsed[steps]), np.ones(len(steps) - 1))
    assert len(set(batch.environments[steps].tolist())) == 1
    powers = GAMMA ** np.arange(len(steps))
    for index, row in enumerate(steps.tolist()):
        assert ppo.returns[row] == pytest.approx(
            float((batch.rewards[steps][index:] * powers[: len(steps) - index]).sum())
        )
    advantages = batch.credit - batch.baseline
    assert np.allclose(batch.advantages, advantages, atol=1e-6)
    assert np.allclose(ppo.looked.normalized, (advantages - advantages.mean()) / advantages.std(), atol=1e-4)
    # The table's logits tell both probabilities: π is a softmax of the row of its state.
    policy = ppo.looked.policy.state
    (logits,) = (tensor for tensor in policy.values() if tensor.dim() == 2)
    state, action = int(batch.observations[parted]), int(batch.actions[parted])
    table = logits if logits.shape[0] > logits.shape[1] else logits.T
    assert batch.log_probs[parted] == pytest.approx(float(table[state].log_softmax(-1)[action]), abs=1e-6)


def test_a_bar_holds_its_lower_end_and_not_its_upper_one(ppo: Samples) -> None:
    values = ppo.values("advantage")
    assert values is not None
    middle = float(np.sort(values)[len(values) // 2])
    below, above = ppo.within("advantage", -np.inf, middle), ppo.within("advantage", middle, np.inf)
    assert sorted([*below.tolist(), *above.tolist()]) == list(range(len(ppo)))
    assert (values[above] >= middle).all()
    assert len(ppo.within("importance weight", -9.0, 9.0)) == 0


def test_a_step_is_cut_off_where_the_update_has_told_so(ppo: Samples) -> None:
    assert ppo.cases is not None
    told = ppo.looked.steps
    cut = [found for row in range(len(ppo)) if (found := ppo.cut_in(row)) is not None]
    assert len(cut) == len(ppo)
    assert {seen for _, seen in cut} == {len(told) * 50 // len(ppo)}  # once in every epoch
    assert sum(times for times, _ in cut) == sum(int(step.clipped.sum()) for step in told if step.clipped is not None)


@pytest.mark.parametrize("kind", ["episodes", "fixed-length"])
def test_the_steps_of_an_episode_are_those_of_which_it_was_told(kind: str) -> None:
    values: dict[str, Any] = {"collection": kind}
    if kind == "fixed-length":
        values |= {"collection.environments": 4, "collection.steps": 60}
    samples = samples_of(looked_into("vpg", values))
    told = samples.looked.collected[-1]
    assert isinstance(told, Collected)
    assert len(told.returns) > 3
    whole = 0
    for place, (total, length) in enumerate(zip(told.returns, told.lengths, strict=True)):
        steps = samples.of_episode(place)
        assert samples.looked.batch.elapsed[steps[-1]] == length - 1
        assert samples.looked.batch.rewards[steps].sum() == pytest.approx(total, abs=1e-4)
        whole += len(steps) == length
    assert whole == len(told.returns)  # all of them began here
    assert len(samples.of_episode(len(told.returns))) == 0


def test_an_importance_weight_is_that_of_the_whole_episode() -> None:
    samples = samples_of(looked_into("off-policy-pg", {}))
    told = samples.looked.reweighted
    assert told is not None
    assert told.of == "episode"
    assert samples.importance is not None
    assert np.allclose(samples.importance, told.log_ratios[samples.looked.batch.environments] / np.log(10), atol=1e-6)


@pytest.mark.parametrize("number", range(1, 7))
def test_each_of_the_six_cases_is_what_autograd_makes_of_it(number: int) -> None:
    case, clip_range = CLIP_CASES[number - 1], 0.2
    assert case.number == number
    ratio = {"inside 1 ± ε": 1.1, "below 1 − ε": 0.5, "above 1 + ε": 1.7}[case.ratio]
    advantage = 2.0 if case.advantage == "Â ≥ 0" else -2.0
    log_ratios = torch.tensor([np.log(ratio)], dtype=torch.float32, requires_grad=True)
    clipped_surrogate(log_ratios, torch.tensor([advantage]), clip_range).sum().backward()
    assert log_ratios.grad is not None
    assert bool(log_ratios.grad.item() != 0.0) is case.flows
    if case.flows:
        assert np.sign(log_ratios.grad.item()) == np.sign(advantage)
    weights = np.array([advantage], np.float32)
    assert clip_cases(log_ratios.detach().numpy(), weights, clip_range).tolist() == [number]


def test_at_the_bounds_and_without_advantage_the_cases_agree_with_the_gradient() -> None:
    bounds = np.log(np.array([0.8, 1.0, 1.2] * 3, np.float32))
    advantages = np.repeat(np.array([1.5, -1.5, 0.0], np.float32), 3)
    log_ratios = torch.tensor(bounds, requires_grad=True)
    clipped_surrogate(log_ratios, torch.from_numpy(advantages), 0.2).sum().backward()
    assert log_ratios.grad is not None
    flows = np.array([CLIP_CASES[number - 1].flows for number in clip_cases(bounds, advantages, 0.2)])
    moved = log_ratios.grad.numpy() != 0.0
    assert np.array_equal(flows[:6], moved[:6])
    assert not moved[6:].any()


def test_what_is_only_cut_off_is_not_taken_for_an_episode_as_long_that_ended() -> None:
    """Of two environments in step, the second one's episode ends at the last step; the first one's goes on."""
    collection = {"kind": "fixed-length", "environments": 2, "steps": 3}
    config = with_values(PolicyGradientConfig(), {"collection": collection})
    batch = SimpleNamespace(
        rewards=np.zeros(6),
        terminated=np.array([0, 0, 0, 0, 0, 1], bool),
        truncated=np.array([0, 0, 1, 0, 0, 0], bool),
        elapsed=np.array([0, 1, 2, 0, 1, 2]),
        environments=np.array([0, 0, 0, 1, 1, 1]),
    )
    told = Collected(iteration=1, environment_steps=6, returns=np.zeros(1), lengths=np.array([3]), ends=np.array([6]))
    looked: Any = SimpleNamespace(config=config, batch=batch)
    assert _ends(looked, told).tolist() == [5]
