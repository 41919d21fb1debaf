"""Importance weights between two policies, the longer the episode the worse: how they are spread, how many episodes
they leave, how their variance grows, and what estimates of J by them are worth.

Episodes are played by μ and weighed for π: ρ_{0:t} = Π_{k≤t} π(a_k|s_k) / μ(a_k|s_k). An episode that has ended keeps
its weight. Arrays by horizon have h = 1 … H in their order, with E episodes.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from engine.analysis.lab.episodes import play
from engine.analysis.lab.played import Player, alive
from engine.analysis.lab.scores import Numbers
from engine.analysis.lab.settings import Settings
from engine.analysis.lab.subject import Subject, subject_of
from engine.analysis.playback import PolicySnapshot, thawed
from engine.catalogue.methods.distribution import policy_of
from engine.experience.rollouts import Rollout
from engine.maths.importance import prefix_log_weights
from engine.policies.policy import Policy
from engine.runtime.errors import RequestError

LARGEST_LOG = 300.0  # e to twice this is a float64; a product of ratios that is larger counts as so large
LEAST = 1e-300  # a probability that is smaller is taken for this
LONGEST = 1_000  # steps of an episode that are looked at
_AT_ONCE = 64  # episodes that are played together at most, where dynamics are not tables
_APART = (
    "The two policies are of different kinds or see different observations; choose two of the same environment and the "
    "same parameterization."
)


@dataclass(frozen=True)
class Estimate:
    """An estimate of J_h(π) = E Σ_{t<h} γᵗ r_t for each horizon: its ``values`` and their standard ``errors``, [H]."""

    values: Numbers
    errors: Numbers


@dataclass(frozen=True)
class Weights:
    """What was found.

    Attributes:
        logs: log ρ_{0:h−1} of every episode, [H, E].
        effective: the effective sample size, from 1 to E, [H].
        variance: Var ρ_{0:h−1} over the episodes, [H]; ``exact_variance`` that of the process, None where it is not
            known.
        whole: J by the weight of the trajectory, 1/E Σ_i ρ_{0:h−1} Σ_{t<h} γᵗ r_t.
        per_decision: J by the weight up to each reward, 1/E Σ_i Σ_{t<h} γᵗ ρ_{0:t} r_t.
        normalized: as ``whole``, divided by Σ_i ρ_{0:h−1} in place of E.
        exact: J_h(π) itself, [H]; None where it is not known.
        iterations: after how many π and μ are as they are.
    """

    logs: NDArray[np.float64]
    effective: Numbers
    variance: Numbers
    exact_variance: Numbers | None
    whole: Estimate
    per_decision: Estimate
    normalized: Estimate
    exact: Numbers | None
    iterations: tuple[int, int] = (0, 0)

    @property
    def episodes(self) -> int:
        """E."""
        return int(self.logs.shape[1])

    @property
    def horizons(self) -> int:
        """H."""
        return len(self.logs)


def weights_of(
    target: PolicySnapshot, behaviour: PolicySnapshot, settings: Settings
) -> Iterator[tuple[float, Weights | None]]:
    """The weights of ``target`` over ``settings.episodes`` episodes of ``behaviour``; yields which share is done, and
    at last what was found.

    Raises:
        RequestError: the policies do not belong together, or have no probabilities.
        RunError: the environment fails.
    """
    kinds = [policy_of(each.config, each.environment) for each in (target, behaviour)]
    if target.environment != behaviour.environment or kinds[0] != kinds[1]:
        raise RequestError(_APART)
    of = subject_of(target, settings.horizon)
    by = None if of is None else subject_of(behaviour, settings.horizon)
    iterations = target.iteration, behaviour.iteration
    if of is not None and by is not None:
        yield 1.0, replace(_known(of, by, settings), iterations=iterations)
        return
    for share, found in _played(target, behaviour, settings):
        yield share, None if found is None else replace(found, iterations=iterations)


def found_in(log_ratios: Numbers, rewards: Numbers, gamma: float) -> Weights:
    """What is to be known of episodes [H, E], of which log ratios and rewards are 0 after their ends."""
    logs = log_ratios.cumsum(0)
    weights = np.exp(np.minimum(logs, LARGEST_LOG))
    discounts = gamma ** np.arange(len(logs))[:, None]
    returns = (discounts * rewards).cumsum(0)
    by_step = (discounts * weights * rewards).cumsum(0)
    relative = np.exp(logs - logs.max(1, keepdims=True))
    totals, squares = relative.sum(1), np.square(relative).sum(1)
    mean = (relative * returns).sum(1) / totals
    spread = np.sqrt((np.square(relative) * np.square(returns - mean[:, None])).sum(1)) / totals
    return Weights(
        logs=logs,
        effective=np.square(totals) / squares,
        variance=weights.var(1, ddof=1) if weights.shape[1] > 1 else np.zeros(len(weights)),
        exact_variance=None,
        whole=_mean(weights * returns),
        per_decision=_mean(by_step),
        normalized=Estimate(mean, spread),
        exact=None,
    )


def _mean(values: Numbers) -> Estimate:
    """The mean over episodes, and its standard error."""
    count = values.shape[1]
    errors = values.std(1, ddof=1) / np.sqrt(count) if count > 1 else np.full(len(values), np.nan)
    return Estimate(values.mean(1), errors)


# --- where all is known -----------------------------------------------------------------------------------------------


def _known(of: Subject, by: Subject, settings: Settings) -> Weights:
    episodes = play(by, settings.episodes, np.random.default_rng((settings.seed, 5)))
    shape = (min(int(episodes.lengths.max()), LONGEST), episodes.count)
    log_ratios, rewards = np.zeros(shape), np.zeros(shape)
    seen = episodes.step < shape[0]
    at = episodes.step[seen], episodes.episode[seen]
    table = np.log(np.maximum(of.probabilities, LEAST)) - np.log(np.maximum(by.probabilities, LEAST))
    log_ratios[at], rewards[at] = table.reshape(-1)[episodes.pairs[seen]], episodes.rewards[seen]
    found = found_in(log_ratios, rewards, settings.gamma)
    moments, returns = exact_moments(of, by, shape[0]), exact_returns(of, shape[0], settings.gamma)
    return replace(found, exact_variance=np.maximum(moments - 1.0, 0.0), exact=returns)


def exact_moments(of: Subject, by: Subject, horizons: int) -> Numbers:
    """E_μ[ρ²_{0:h−1}] for h = 1 … H, of which 1 less is the variance, as E_μ ρ = 1.

    f_{t+1}(s') = Σ_s f_t(s) Σ_a π(a|s)²/μ(a|s) P(s'|s, a),   f_0 = μ_0, and what ends of it is kept; [H].
    """
    weights = np.square(of.table) / np.maximum(by.table, LEAST)
    continuing, running, ended = of.mdp.continuing, of.mdp.initial, 0.0
    found = np.empty(horizons)
    with np.errstate(over="ignore", invalid="ignore"):  # ∞ says what there is to say
        for step in range(horizons):
            leaving = running[:, None] * weights
            running = np.einsum("sa,sau->u", leaving, continuing)
            ended += float(leaving.sum() - running.sum())
            found[step] = ended + running.sum()
    return np.nan_to_num(found, nan=np.inf)


def exact_returns(of: Subject, horizons: int, gamma: float) -> Numbers:
    """J_h(π) = Σ_{t<h} γᵗ Σ_s P(s_t = s) Σ_a π(a|s) r(s, a) for h = 1 … H, [H]."""
    policy, running = of.table, of.mdp.initial
    rewards = (policy * of.mdp.expected_rewards).sum(1)
    transitions = np.einsum("sa,sau->su", policy, of.mdp.continuing)
    found = np.empty(horizons)
    for step in range(horizons):
        found[step] = gamma**step * float(running @ rewards)
        running = running @ transitions
    summed: Numbers = found.cumsum()
    return summed


# --- where it is not --------------------------------------------------------------------------------------------------


def _played(
    target: PolicySnapshot, behaviour: PolicySnapshot, settings: Settings
) -> Generator[tuple[float, Weights | None], None, None]:
    at_once = next(count for count in range(_AT_ONCE, 0, -1) if settings.episodes % count == 0)
    pi = thawed(target)
    columns: list[tuple[Numbers, Numbers]] = []
    done, wanted = 0, settings.episodes // at_once
    with closing(Player(behaviour, replace(settings, episodes=at_once), 5)) as player:
        while done < wanted:
            for rollout in player.play():
                yield done / wanted, None
                if rollout is not None:
                    ratios = yield from _told(_log_ratios(pi, player.policy, rollout), done / wanted)
                    columns.append((ratios, rollout.rewards[:LONGEST].double().numpy()))
            done += 1
    length = max(len(ratios) for ratios, _ in columns)
    log_ratios, rewards = (
        np.concatenate([np.pad(part, ((0, length - len(part)), (0, 0))) for part in parts], 1)
        for parts in zip(*columns, strict=True)
    )
    yield 1.0, found_in(log_ratios, rewards, settings.gamma)


def _log_ratios(pi: Policy, mu: Policy, rollout: Rollout) -> Generator[None, None, Numbers]:
    """log π − log μ of every step, [T, N], 0 on padding; T at most ``LONGEST``."""
    observations, actions = rollout.flat(rollout.observations), rollout.flat(rollout.actions)
    logs = []
    for policy in (pi, mu):
        with torch.no_grad():
            logs.append(policy.over(observations, rollout.sequences).log_prob(actions))
        yield None
    ratios = rollout.unflat(logs[0] - logs[1])
    summed = prefix_log_weights(ratios, rollout.mask)
    return (summed - torch.cat((torch.zeros_like(summed[:1]), summed[:-1])))[:LONGEST].double().numpy()


def _told(work: Generator[None, None, Numbers], share: float) -> Generator[tuple[float, None], None, Numbers]:
    inner = alive(work)
    while True:
        try:
            next(inner)
        except StopIteration as stop:
            found: Numbers = stop.value
            return found
        yield share, None
