"""Decision processes small enough to list every episode they can have, and their exact policy gradients.

Everything exact is derived from the list of episodes by differentiating Σ P(τ; θ) R(τ) itself, without the score
function, so that it shares nothing with the estimators it judges. The estimates are the engine's own from end to end:
``estimate`` makes the batch, and one step of plain gradient ascent on it with the learning rate 1 tells the gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

from engine.algorithms.policy_gradient.rule import UpdateInput, UpdateRule
from engine.algorithms.policy_gradient.rules import make_rule
from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config import RunConfig
from engine.config.policies import ExplorationConfig, TabularPolicy
from engine.config.validation import validated
from engine.estimation.estimators import estimate
from engine.experience.batch import Batch
from engine.experience.rollouts import Rollout
from engine.maths.trust_region import flattened
from engine.mdp import exact
from engine.mdp.finite import FiniteMDP, from_outcomes
from engine.policies.policy import Policy
from engine.values.critics import Critic, SeparateCritic
from engine.values.value_function import ValueFunction

torch.set_num_threads(1)  # as a run does: two threads would only wait for each other over numbers so few

ENDED = -1

_T = TypeVar("_T")
Outcomes = tuple[tuple[tuple[tuple[float, float, int], ...], ...], ...]
"""``outcomes[state][action]`` lists (probability, reward, next state or ``ENDED``)."""


@dataclass(frozen=True)
class Episode:
    """``chance`` is the product of the dynamics' probabilities alone; the policy's come on top. ``final`` is the state
    after the last step, whatever ended the episode."""

    states: tuple[int, ...]
    actions: tuple[int, ...]
    rewards: tuple[float, ...]
    final: int
    terminated: bool
    chance: float

    def probability(self, policy: Tensor) -> Tensor:
        """P(τ) for the table π(a|s) [S, A]."""
        taken = policy[list(self.states), list(self.actions)]
        return self.chance * taken.prod()


@dataclass(frozen=True, eq=False)
class Process:
    """A process that begins in state 0 and is cut off after ``limit`` steps, and the logits θ [S, A] of its policy."""

    outcomes: Outcomes
    theta: Tensor
    limit: int

    @cached_property
    def episodes(self) -> tuple[Episode, ...]:
        """Every episode there is."""
        return tuple(self._from(0, (), (), (), 1.0))

    def _from(self, state: int, states: Any, actions: Any, rewards: Any, chance: float) -> Iterator[Episode]:
        for action, outcomes in enumerate(self.outcomes[state]):
            for probability, reward, following in outcomes:
                path = ((*states, state), (*actions, action), (*rewards, reward))
                if following == ENDED or len(path[0]) == self.limit:
                    yield Episode(*path, max(following, 0), following == ENDED, chance * probability)
                else:
                    yield from self._from(following, *path, chance * probability)

    @property
    def probabilities(self) -> Tensor:
        """π [S, A], float64."""
        return self.theta.double().softmax(-1)

    @cached_property
    def info(self) -> EnvironmentInfo:
        states, actions = self.theta.shape
        return EnvironmentInfo("Tiny", "Tiny", "", Space("discrete", states), Space("discrete", actions), self.limit)

    def mdp(self, horizon: int | None) -> FiniteMDP:
        """The same process for the samplers and for ``engine.mdp.exact``."""
        listed = [
            [
                [(p, max(following, 0), reward, following == ENDED) for p, reward, following in outcomes]
                for outcomes in s
            ]
            for s in self.outcomes
        ]
        first = [1.0] + [0.0] * (len(listed) - 1)
        return from_outcomes("tiny", listed, first, horizon)

    def policy(self, theta: Tensor | None = None) -> Policy:
        """The tabular policy whose logits are θ."""
        tabular = Policy(TabularPolicy(), self.info, torch.Generator())
        with torch.no_grad():
            tabular.head.rows.copy_(self.theta if theta is None else theta)  # type: ignore[union-attr, operator]
        return tabular

    def gradient(self, gamma: float, tail: Sequence[float] | None = None, theta: Tensor | None = None) -> Tensor:
        """∇θ Σ_τ P(τ; θ) (Σ_t γ^t r_t + γ^T tail(s_T) where cut off), by differentiating that sum; flat, [S·A]."""
        logits = (self.theta if theta is None else theta).double().requires_grad_()
        policy = logits.softmax(-1)
        total = torch.zeros((), dtype=torch.float64)
        for episode in self.episodes:
            value = sum(gamma**t * reward for t, reward in enumerate(episode.rewards))
            if tail is not None and not episode.terminated:
                value += gamma ** len(episode.rewards) * tail[episode.final]
            total = total + episode.probability(policy) * value
        (gradient,) = torch.autograd.grad(total, logits)
        return gradient.flatten()


_TWO_STATES: Outcomes = (
    (((0.75, 2.5, 1), (0.25, 0.5, ENDED)), ((0.5, -1.0, 0), (0.5, 2.0, 1))),
    (((1.0, -1.0, ENDED),), ((0.75, 3.0, 0), (0.25, 0.5, ENDED))),
)
_LOGITS = torch.tensor([[0.4, -0.3], [0.2, 0.9]])


def _unrolled(outcomes: Outcomes, steps: int) -> Outcomes:
    """State s at time t becomes state 2t + s, so that a table of values can depend on the time left."""
    rows = []
    for t in range(steps + 1):
        for state in outcomes:
            later = tuple(
                tuple((p, r, ENDED if s == ENDED else 2 * min(t + 1, steps) + s) for p, r, s in o) for o in state
            )
            rows.append(later)
    return tuple(rows)


_FEW_EPISODES: Outcomes = (
    (((0.75, 2.5, 1), (0.25, 0.5, ENDED)), ((1.0, 1.0, ENDED),)),
    (((1.0, -1.0, ENDED),), ((1.0, 3.0, ENDED),)),
)

TINY = Process(_TWO_STATES, _LOGITS, 3)
SHORT = Process(_TWO_STATES, _LOGITS, 2)
FEW = Process(_FEW_EPISODES, _LOGITS, 2)
UNROLLED = Process(_unrolled(_TWO_STATES, 3), torch.cat([_LOGITS + 0.3 * t * _LOGITS.flip(0) for t in range(4)]), 3)


def finish(generator: Generator[Any, None, _T]) -> _T:
    """What ``generator`` returns in the end."""
    while True:
        try:
            next(generator)
        except StopIteration as stop:
            result: _T = stop.value
            return result


ASCENT = {"kind": "gradient-ascent", "optimizer": "sgd", "learning_rate": 1.0}


def configured(credit: Any = "reward-to-go", baseline: Any = "none", update: Any = None, **estimator: Any) -> RunConfig:
    """γ = 1 and plain ascent with the learning rate 1 unless said otherwise; ``estimator`` are further fields of the
    estimator's configuration."""
    fields = {"gamma": 1.0, "credit": credit, "baseline": baseline} | estimator
    return validated({"estimator": fields, "update": update or ASCENT, "policy": "tabular"})


def greedily(config: RunConfig, share: float) -> RunConfig:
    """``config`` with that share of greedy actions."""
    return config.model_copy(update={"exploration": ExplorationConfig(greedy_start=share, greedy_end=share)})


def mixture(policy: Tensor, share: float) -> Tensor:
    """What plays, [S, A], where that share of actions is the likeliest and the rest is sampled from ``policy``."""
    likeliest = torch.nn.functional.one_hot(policy.argmax(-1), policy.shape[-1])
    return (1.0 - share) * policy + share * likeliest


def rollout_of(batch: Sequence[Episode], *, cut: bool = True) -> Rollout:
    """The rollout that collecting ``batch`` would give; with ``cut`` False the time limit counts as a termination."""
    shape = (max(len(episode.states) for episode in batch), len(batch))
    observations, actions, elapsed = (torch.zeros(shape, dtype=torch.int64) for _ in range(3))
    rewards = torch.zeros(shape)
    terminated, truncated, mask = (torch.zeros(shape, dtype=torch.bool) for _ in range(3))
    for n, episode in enumerate(batch):
        length = len(episode.states)
        observations[:length, n] = torch.tensor(episode.states)
        actions[:length, n] = torch.tensor(episode.actions)
        rewards[:length, n] = torch.tensor(episode.rewards)
        elapsed[:length, n] = torch.arange(length)
        terminated[length - 1, n] = episode.terminated or not cut
        truncated[length - 1, n] = cut and not episode.terminated
        mask[:length, n] = True
    final = torch.tensor([e.final for e in batch if cut and not e.terminated], dtype=torch.int64)
    return Rollout(observations, actions, rewards, terminated, truncated, mask, elapsed, final)


class FixedValue(ValueFunction):
    """V as given numbers, one per state, with no network."""

    def __init__(self, values: Sequence[float] | Tensor) -> None:
        torch.nn.Module.__init__(self)
        self.table = torch.as_tensor(values, dtype=torch.float32)

    def forward(self, observations: Tensor) -> Tensor:
        return self.table[observations]


def values(table: Sequence[float] | Tensor) -> Critic:
    return SeparateCritic(FixedValue(table))


def theorem(theta: Tensor, visits: Tensor, credit: Tensor) -> Tensor:
    """Σ_s d(s) Σ_a ∇π(a|s) ψ(s, a): what the mean of an estimate must be that visits states ``visits`` [S] times and
    credits actions with ψ [S, A] on average; flat, [S·A]."""
    logits = theta.double().requires_grad_()
    (gradient,) = torch.autograd.grad((logits.softmax(-1) * visits.unsqueeze(-1) * credit).sum(), logits)
    return gradient.flatten()


Change = Callable[[Batch], Batch]
"""What is done to a batch between estimating it and following it: weighting it, or breaking it on purpose."""


class Learner:
    """A policy with the update rule of ``config``, put back to where it was after every step."""

    def __init__(self, config: RunConfig, policy: Policy) -> None:
        self.config, self.policy = config, policy
        self._rule: UpdateRule = make_rule(config, policy, torch.Generator().manual_seed(0), None)
        self._start = parameters_of(policy)

    def step(self, batch: Batch) -> Tensor:
        """What the update adds to the parameters, [P] in float64: ĝ itself for plain ascent with a rate of 1."""
        finish(self._rule.update(UpdateInput(batch, self.config, 0.0)))
        moved = parameters_of(self.policy) - self._start
        sizes = [parameter.numel() for parameter in self.policy.parameters()]
        with torch.no_grad():
            for parameter, before in zip(self.policy.parameters(), self._start.split(sizes), strict=True):
                parameter.copy_(before.view_as(parameter))
        return moved.double()


def parameters_of(policy: Policy) -> Tensor:
    """A copy of θ, [P]."""
    return flattened(parameter.detach() for parameter in policy.parameters()).clone()


class Moments(NamedTuple):
    """The exact mean of an estimate, and the variances of its components; [P] each, float64."""

    mean: Tensor
    variance: Tensor


@dataclass(frozen=True)
class Enumeration:
    """How the estimates are made whose moments are wanted.

    ``critic`` learned V; with ``cut`` False the time limit is a termination; ``change`` comes between estimating and
    following; ``acting`` are the probabilities [S, A] of the policy that plays, the process's own if None, and
    ``theta`` the logits of the one that learns. With a ``share`` of greedy actions, ``mixture`` plays.
    """

    process: Process
    critic: Critic | None = None
    cut: bool = True
    change: Change | None = None
    acting: Tensor | None = None
    theta: Tensor | None = None
    share: float = 0.0

    def moments(self, config: RunConfig, size: int = 1) -> Moments:
        """Over all batches of ``size`` episodes, each as often as it is drawn."""
        learner = Learner(config, self.process.policy(self.theta))
        acting = mixture(self.process.probabilities, self.share) if self.acting is None else self.acting
        chances = {episode: episode.probability(acting).item() for episode in self.process.episodes}
        total = torch.zeros(self.process.theta.numel(), dtype=torch.float64)
        square = torch.zeros_like(total)
        for batch in product([episode for episode, chance in chances.items() if chance > 0.0], repeat=size):
            weight = torch.tensor([chances[episode] for episode in batch]).double().prod()
            gradient = self.gradient(batch, learner)
            total += weight * gradient
            square += weight * gradient.square()
        return Moments(total, square - total.square())

    def gradient(self, batch: Sequence[Episode], learner: Learner) -> Tensor:
        """ĝ of one batch."""
        rollout = rollout_of(batch, cut=self.cut)
        if self.share > 0.0:
            rollout = replace(rollout, greedy=torch.zeros_like(rollout.mask), greedy_share=self.share)
        made = finish(estimate(rollout, learner.config.estimator, learner.policy, self.critic))
        return learner.step(made if self.change is None else self.change(made))


def mean(process: Process, config: RunConfig, size: int = 1, **how: Any) -> Tensor:
    """The exact mean of the estimate, [P]; ``how`` are the fields of ``Enumeration``."""
    return Enumeration(process, **how).moments(config, size).mean


def assert_gradient(got: Tensor, expected: Tensor) -> None:
    """Equal to what float32 allows; the tests that break an estimator on purpose expect this very check to fail."""
    torch.testing.assert_close(got.double(), expected.double(), atol=2e-5, rtol=1e-4)


def projection(got: Tensor, onto: Tensor) -> float:
    """How long ``got`` is along ``onto``, as a share of it: 1 for an unbiased mean, below 1 for one too short."""
    return (got @ onto / (onto @ onto)).item()


def cosine(one: Tensor, other: Tensor) -> float:
    return (one @ other / (one.norm() * other.norm())).item()


# --- the process whose states know the time ---------------------------------------------------------------------------


def true_values(gamma: float) -> Tensor:
    """V of each state of ``UNROLLED``; nothing is paid after the time limit."""
    dynamics = exact.dynamics_of(UNROLLED.mdp(UNROLLED.limit))
    by_time = exact.state_values(dynamics, UNROLLED.probabilities, gamma)
    return torch.cat([by_time[t, 2 * t : 2 * t + 2] for t in range(3)] + [torch.zeros(2)])


def lasting(gamma: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of ``UNROLLED`` while it lasts: r, P (0 at the time limit), π, and the visits Σ_t γ^t P(s_t = s)."""
    whole = exact.dynamics_of(UNROLLED.mdp(None))
    goes_on = whole.continuing.clone()
    goes_on[:, :, 6:] = goes_on[6:] = 0.0
    policy = UNROLLED.probabilities
    visits = exact.discounted_visitation(replace(whole, continuing=goes_on), policy, gamma)
    return whole.rewards, goes_on, policy, visits


def credited(credit: Any, table: Tensor, gamma: float) -> Tensor:
    """E[Â | s, a] [S, A] with V as given, by recursion over states instead of over a trajectory."""
    rewards, goes_on, policy, _ = lasting(gamma)
    error = rewards + gamma * goes_on @ table - table.unsqueeze(-1)
    share, rounds = (credit["gae_lambda"], 3) if credit["kind"] == "gae" else (1.0, credit["n"])
    found = torch.zeros_like(error)
    for _ in range(rounds):
        found = error + gamma * share * goes_on @ (policy * found).sum(-1)
    return found
