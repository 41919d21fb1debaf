"""Fitting V: every step goes along the mean of its own minibatch, however that is drawn and computed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from engine.catalogue.spaces import Space
from engine.config.estimators import ValueBaseline
from engine.experience.batch import Batch, LearnedValue
from engine.values import fitting as fitting_module
from engine.values.fitting import ValueFitting
from engine.values.value_function import ValueFunction
from tests.engine.scripted import Scripted, actor_of, collected, episodes_of, policy_of
from tests.engine.tiny_mdp import finish

STEPS = 23
CONFIG = ValueBaseline(hidden_sizes=(4,), optimizer="sgd", learning_rate=0.05, fit_steps=1)


def batch_of(observations: Tensor, targets: Tensor) -> Batch:
    """Episodes of one step, with V as it was 0.1 below the targets."""
    rollout, _, _ = collected(episodes_of(Scripted([1] * len(targets))), actor_of(policy_of()))
    rollout = replace(rollout, observations=observations.unsqueeze(0))
    return Batch(rollout, targets, torch.ones_like(targets), LearnedValue(targets - 0.1, targets, targets.unsqueeze(0)))


def various() -> Batch:
    generator = torch.Generator().manual_seed(2)
    return batch_of(torch.randn(STEPS, 3, generator=generator), torch.randn(STEPS, generator=generator))


def fitted(batch: Batch, config: ValueBaseline, by_autograd: bool = False) -> tuple[Tensor, float]:
    """How all weights were changed, and the loss that was reported."""
    value = ValueFunction(config, Space("box", 3), torch.Generator().manual_seed(1))
    if by_autograd:
        value.dense = None
    fitting = ValueFitting(config, value, torch.Generator().manual_seed(3))
    before = fitting.vector.values.clone()
    loss = finish(fitting.fit(batch, config))
    return fitting.vector.values - before, loss


def changed(**fields: object) -> ValueBaseline:
    return CONFIG.model_copy(update=fields)


@pytest.mark.parametrize("by_autograd", [False, True], ids=["written out", "by autograd"])
@pytest.mark.parametrize("rows", [4096, 2])
@pytest.mark.parametrize("size", [1, 5, 22, 23, 1000])
def test_of_equal_steps_a_minibatch_is_worth_as_much_as_the_whole(
    size: int, rows: int, by_autograd: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its mean is theirs, and so is the step, in chunks too."""
    equal = batch_of(torch.tensor([[0.3, -1.0, 0.5]]).repeat(STEPS, 1), torch.full((STEPS,), 2.0))
    whole, loss = fitted(equal, CONFIG)
    assert whole.abs().max() > 0.01
    monkeypatch.setattr(fitting_module, "ROWS", rows)
    part, of_part = fitted(equal, changed(minibatch_size=size), by_autograd)
    torch.testing.assert_close(part, whole, atol=1e-6, rtol=1e-5)
    assert of_part == pytest.approx(loss, rel=1e-5)


@pytest.mark.parametrize("clip_range", [0.0, 0.3])
def test_one_step_on_each_minibatch_adds_up_to_one_on_the_whole(clip_range: float) -> None:
    """To first order in the learning rate: an epoch uses every step as often."""
    even = various()
    config = changed(learning_rate=1e-4, clip_range=clip_range)
    whole, _ = fitted(even, config)
    epoch, _ = fitted(even, config.model_copy(update={"minibatch_size": 1, "fit_steps": STEPS}))
    torch.testing.assert_close(epoch, STEPS * whole, atol=3e-6, rtol=1e-2)


@pytest.mark.parametrize("rows", [4096, 2])
def test_minibatches_of_an_epoch_share_no_step_and_the_next_epoch_draws_anew(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting_module, "ROWS", rows)
    drawn: list[list[int]] = [[]]
    add, step = ValueFitting.add_gradient, ValueFitting.step

    def added(self: ValueFitting, batch: Batch, some: Tensor, config: ValueBaseline, share: float) -> Tensor:
        drawn[-1].extend(torch.arange(STEPS)[some].tolist())
        return add(self, batch, some, config, share)

    def stepped(self: ValueFitting, config: ValueBaseline) -> None:
        drawn.append([])
        step(self, config)

    monkeypatch.setattr(ValueFitting, "add_gradient", added)
    monkeypatch.setattr(ValueFitting, "step", stepped)
    fitted(various(), changed(minibatch_size=7, fit_steps=6))
    *minibatches, rest = drawn
    assert not rest
    assert [len(set(some)) for some in minibatches] == [7] * 6
    for epoch in (minibatches[:3], minibatches[3:]):
        assert len(set().union(*epoch)) == 21
    assert minibatches[:3] != minibatches[3:]


@pytest.mark.parametrize("size", [0, 6])
def test_the_loss_that_is_reported_is_the_last_steps(size: int) -> None:
    """Before it is taken; not a sum or mean over all steps, which start further off."""
    losses = [fitted(various(), changed(fit_steps=steps, minibatch_size=size))[1] for steps in (1, 2, 40)]
    if size == 0:
        assert losses == sorted(losses, reverse=True)
        assert losses[2] < 0.9 * losses[0]
    assert losses[2] < sum(losses[:2])
