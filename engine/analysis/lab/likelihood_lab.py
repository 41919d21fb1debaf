"""The policy gradient beside maximum likelihood on the same batch: the same ∇ log π(a|s), with weights Â and with 1.

Maximum likelihood makes likelier whatever was done. Of the policy's own samples it has nothing to learn: the mean of
∇ log π over them is 0, so that its gradient is noise alone, where the policy gradient points uphill.

Source: [Jethro], "Comparison to Maximum Likelihood".
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.analysis.lab.played import Player, alive, summed
from engine.analysis.lab.scores import Numbers
from engine.analysis.lab.settings import Pair, Settings, estimator_of
from engine.analysis.lab.subject import Subject, subject_of
from engine.analysis.playback import PolicySnapshot
from engine.estimation.estimators import estimate
from engine.experience.batch import Batch
from engine.experience.rollouts import Rollout
from engine.mdp.state_names import state_names
from engine.networks.networks import Table
from engine.policies.parameter_names import parameter_names
from engine.policies.policy import Policy
from engine.runtime.errors import RequestError

LARGEST = 40  # components of the gradients that are told apart by their names
_PROBE = 1e-3  # of the length of all parameters, by which it is found how far a step goes
_HELD = 4  # tries by which a step is brought to the divergence that is wanted
_WITH_VALUE = "A learned value is no part of this comparison; choose credit with a baseline that needs none."


@dataclass(frozen=True)
class Step:
    """One of both: its gradient ĝ [P], of which the ``length`` is told, and what a step along it does.

    The step is so long that the policy moves by the divergence that was asked for, so that both steps move it alike.
    ``moved`` [M] are the changes of log π(a|s) of the batch's actions. ``uphill`` is the cosine of the angle between ĝ
    and ∇J, and ``reached`` J after the step; None where they are not known.
    """

    gradient: Numbers
    length: float
    moved: NDArray[np.float32]
    uphill: float | None
    reached: float | None


@dataclass(frozen=True)
class Component:
    """One of the largest components, of both gradients at length 1."""

    name: str
    likelihood: float
    gradient: float


@dataclass(frozen=True)
class Compared:
    """What was found in one batch of M steps of N episodes.

    ``advantages`` [M] are Â; ``cosine`` is that of the angle between both gradients, and ``before`` J of the policy as
    it is, None where it is not known.
    """

    advantages: NDArray[np.float32]
    likelihood: Step
    gradient: Step
    cosine: float
    components: tuple[Component, ...]
    before: float | None
    episodes: int
    iteration: int


def compare(
    snapshot: PolicySnapshot, settings: Settings, pair: Pair, divergence: float
) -> Iterator[tuple[float, Compared | None]]:
    """Both gradients of one batch of ``snapshot``; yields which share is done, and at last what was found.

    Args:
        pair: the credit and the baseline of Â, of those that need no V.
        divergence: how far either step is to move the policy, as the mean of ½ (Δ log π)² over the batch's steps,
            which is the relative entropy for small steps; in nats, > 0.

    Raises:
        RequestError: the pair needs a V, the policy has no probabilities, or the environment cannot be made.
        RunError: the environment fails.
    """
    if pair.has_value:
        raise RequestError(_WITH_VALUE)
    with closing(Player(snapshot, settings, 6)) as player:
        rollout: Rollout | None = None
        for found in player.play():
            yield 0.2, None
            rollout = found if found is not None else rollout
        assert rollout is not None
        work = alive(_compared(player.policy, rollout, (snapshot, settings, pair), divergence))
        while True:
            try:
                next(work)
            except StopIteration as stop:
                yield 1.0, stop.value
                return
            yield 0.7, None


def _compared(
    policy: Policy, rollout: Rollout, asked: tuple[PolicySnapshot, Settings, Pair], divergence: float
) -> Generator[None, None, Compared]:
    snapshot, settings, pair = asked
    batch = yield from alive(estimate(rollout, estimator_of(pair, settings), policy, None))
    subject = subject_of(snapshot, settings.horizon, settings.added)
    gamma = 1.0 if settings.objective == "undiscounted" else settings.gamma
    exact = None if subject is None else subject.gradient(gamma)
    before = None if subject is None else subject.expected_return(gamma)
    steps = []
    for weights in (torch.ones_like(batch.advantages), batch.weights()):
        gradient = yield from summed(policy, batch, weights)
        moved, state = yield from _step(policy, batch, gradient, divergence)
        steps.append(
            Step(
                gradient,
                float(np.linalg.norm(gradient)),
                moved,
                None if exact is None else cosine(gradient, exact),
                None if subject is None else _reached(snapshot, state, settings, gamma),
            )
        )
    likelihood, towards = steps
    return Compared(
        batch.advantages.numpy().copy(),
        likelihood,
        towards,
        cosine(likelihood.gradient, towards.gradient),
        _components(policy, snapshot, subject, (likelihood, towards)),
        before,
        rollout.environments,
        snapshot.iteration,
    )


def cosine(one: Numbers, other: Numbers) -> float:
    """That of the angle between both; 0 where one of them is 0."""
    both = float(np.linalg.norm(one)) * float(np.linalg.norm(other))
    return float(one @ other) / both if both > 0.0 else 0.0


@torch.no_grad()
def _log_probs(policy: Policy, batch: Batch) -> Tensor:
    chunks = batch.chunks()
    return torch.cat([policy.over(each.observations, each.sequences).log_prob(each.actions) for each in chunks])


@torch.no_grad()
def _step(
    policy: Policy, batch: Batch, gradient: Numbers, divergence: float
) -> Generator[None, None, tuple[NDArray[np.float32], dict[str, Tensor]]]:
    """What a step along ``gradient`` changes, and the policy's numbers after it; the policy stays as it is."""
    parameters = list(policy.parameters())
    vector = torch.from_numpy(gradient).float()
    length = float(vector.norm())
    plain = torch.nn.utils.parameters_to_vector(parameters)
    before = _log_probs(policy, batch)
    if length == 0.0:
        return torch.zeros_like(before).numpy(), {name: each.clone() for name, each in policy.state_dict().items()}
    direction, size = vector / length, _PROBE * max(float(plain.norm()), 1.0)
    moved = torch.zeros_like(before)
    for _ in range(_HELD):
        torch.nn.utils.vector_to_parameters(plain + size * direction, parameters)
        moved = _log_probs(policy, batch) - before
        yield None
        found = 0.5 * float(moved.square().mean())
        if found <= 0.0 or 0.98 < found / divergence < 1.02:
            break
        size *= min(math.sqrt(divergence / found), 1e6)
    state = {name: each.clone() for name, each in policy.state_dict().items()}
    torch.nn.utils.vector_to_parameters(plain, parameters)
    return moved.numpy().copy(), state


def _reached(snapshot: PolicySnapshot, state: dict[str, Tensor], settings: Settings, gamma: float) -> float | None:
    subject = subject_of(replace(snapshot, state=state), settings.horizon, settings.added)
    return None if subject is None else subject.expected_return(gamma)


# --- components -------------------------------------------------------------------------------------------------------


def _components(
    policy: Policy, snapshot: PolicySnapshot, subject: Subject | None, steps: tuple[Step, Step]
) -> tuple[Component, ...]:
    """The largest of either gradient at length 1, the largest first."""
    one, other = (step.gradient / step.length if step.length > 0.0 else step.gradient for step in steps)
    largest = np.argsort(-np.maximum(np.abs(one), np.abs(other)), kind="stable")[:LARGEST]
    names = component_names(policy, snapshot, subject, largest)
    return tuple(
        Component(name, float(one[at]), float(other[at])) for name, at in zip(names, largest.tolist(), strict=True)
    )


def component_names(
    policy: Policy, snapshot: PolicySnapshot, subject: Subject | None, chosen: NDArray[np.int64]
) -> list[str]:
    """What the parameters at these places are called: by state and action in a table, else by layer and place."""
    if isinstance(policy.head, Table):
        rows, columns = policy.head.rows.shape
        labels = snapshot.environment.action.labels
        actions = labels if len(labels) == columns else tuple(f"action {number}" for number in range(columns))
        states = tuple(f"state {number + 1}" for number in range(rows))
        if subject is not None and subject.mdp.seen is None:
            states = state_names(snapshot.config.environment, rows)
        if rows == 1:
            return [actions[at] for at in chosen.tolist()]
        return [f"{states[at // columns]}: {actions[at % columns]}" for at in chosen.tolist()]
    called, parameters = parameter_names(policy), list(policy.parameters())
    starts = np.cumsum([0, *(parameter.numel() for parameter in parameters)])
    names: list[str] = []
    for at in chosen.tolist():
        layer = int(np.searchsorted(starts, at, side="right")) - 1
        place = np.unravel_index(at - int(starts[layer]), tuple(parameters[layer].shape) or (1,))
        names.append(f"{called[id(parameters[layer])]}[{','.join(str(int(index)) for index in place)}]")
    return names
