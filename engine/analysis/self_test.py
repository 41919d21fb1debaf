"""The self-test: every algorithm in every probe that asks something of it, in seconds.

A probe passes where what is known of it comes out: values within ``NEAR`` of what states are worth, a mean return of
the last episodes that lacks no more than ``LACKS`` of the best, and actions that stay undecided where nothing is paid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from engine.catalogue.configured import changed
from engine.catalogue.methods.compatibility import refusal
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.config import (
    ActorCriticConfig,
    ImitationConfig,
    PolicyGradientConfig,
    RunConfig,
    acts_by_values,
    plans_by_sweeps,
)
from engine.config.actor_critic import SAC
from engine.config.bugs import NO_BUG
from engine.config.estimators import SharedValueBaseline, ValueBaseline
from engine.config.parameters import parameters_of, with_values
from engine.environments.making.lookup import inspect
from engine.mdp.probes import GAMMA, PROBES, WORLDS, Probe
from engine.reports.events import Updated
from engine.runtime.errors import RequestError, RunError
from engine.training.training import Training

NEAR = 0.2  # from a value that is right, in units of the reward
LACKS = 0.3  # of the best return, where others are −1
_LOOKS, _IN_A_ROW = 10, 3  # with 30 looks, 9 of 80 probes that fail with a bug ended before it showed
_FEW = {"ProbeNumber-v0": 0.17}  # the same where the worst is −2.25, and standing at 0 brings −0.3

# What suits worlds so small; of these, what an algorithm has.
_SETTINGS: Mapping[str, Any] = {
    "estimator.gamma": GAMMA,
    "estimator.baseline.hidden_sizes": (),
    "estimator.baseline.learning_rate": 0.1,
    "estimator.baseline.coefficient": 0.5,
    "collection.episodes_per_update": 16,
    "evaluation.episodes": 16,
    "update.learning_rate": 0.05,
    "update.minibatch_size": 64,
    "update.max_kl": 0.1,
    "update.entropy_coefficient": 0.0,
    "update.replay.learning_starts": 64,
    "update.replay.minibatch_size": 32,
    "update.target.rate": 0.1,
    "update.critic.hidden_sizes": (32,),
    "update.critic.learning_rate": 0.01,
    "update.automatic_temperature": False,
    "update.temperature": 0.01,
    "update.step_size": "constant",
    "exploration.epsilon_end": 0.05,
    "environment.stepping": "in-process",
    "device": "cpu",
    "budget.environment_steps": 3_000,
}
_STEPWISE: Mapping[str, Any] = {"collection.environments": 8, "collection.steps": 8}
_IN_A_NETWORK: Mapping[str, Any] = {
    "policy.hidden_sizes": (32,),
    "policy.initial_log_std": -1.5,
    "update.learning_rate": 0.01,
}


def never() -> bool:
    """Everything is wanted."""
    return False


@dataclass(frozen=True)
class Outcome:
    """How an algorithm did in a probe: whether it passed, and in a sentence what came out."""

    algorithm: str
    probe: Probe
    passed: bool
    found: str


def self_test(algorithms: Iterable[str] = tuple(ALGORITHMS), ends: Callable[[], bool] = never) -> Iterator[Outcome]:
    """All probes for each of these algorithms, by their ids; those that ask nothing of one are left out.

    Args:
        ends: whether nothing more is wanted, asked between the events of every run.
    """
    for algorithm in algorithms:
        for probe in PROBES:
            config = configured(algorithm, probe)
            outcome = probed(algorithm, probe, config, ends) if config is not None else None
            if ends():
                return
            if outcome is not None:
                yield outcome


def configured(algorithm: str, probe: Probe, bug: str = NO_BUG) -> RunConfig | None:
    """The run of an algorithm in a probe; None where the probe asks nothing of it, or it does not work there."""
    continuous = probe.id not in WORLDS
    config = with_values(PolicyGradientConfig(), {"environment": probe.id, "policy": "tabular"})
    if continuous:
        config = with_values(config, {"policy": "mlp"})
    try:
        config = choose(config, ALGORITHMS[algorithm])
        if isinstance(config, ImitationConfig):  # which has no teacher here
            return None
        wanted: dict[str, Any] = {**_SETTINGS, "bug": bug}
        if not continuous:
            del wanted["environment.stepping"]
        if config.policy.kind == "mlp":
            wanted |= _IN_A_NETWORK
        if continuous and isinstance(config, PolicyGradientConfig):
            wanted |= {"update.learning_rate": 0.03}
        if getattr(getattr(config, "collection", None), "kind", "") == "stepwise":
            wanted |= _STEPWISE
        elif getattr(getattr(config, "collection", None), "kind", "") == "fixed-length":
            wanted |= {"collection.environments": 8, "collection.steps": 16}
        if continuous:
            wanted |= {"budget.environment_steps": 6_000, "update.solver": "cg"}
        if probe.spread is not None:
            wanted |= {"update.temperature": 1.0}
        there = {parameter.path for parameter in parameters_of(config)}
        if bug != NO_BUG and "bug" not in there:
            return None
        config = with_values(config, {path: value for path, value in wanted.items() if path in there})
        info = changed(inspect(probe.id), config.environment)
    except RequestError:
        return None
    return config if _asks(probe, config) and refusal(config, info) is None else None


def _asks(probe: Probe, config: RunConfig) -> bool:
    """Whether a probe asks for something that is learned."""
    if probe.values:
        return _tells_values(config)
    return probe.best is not None or isinstance(config.update, SAC)


def _tells_values(config: RunConfig) -> bool:
    """Whether anything is learned, or planned, of what states are worth."""
    if isinstance(config, PolicyGradientConfig):
        return isinstance(config.estimator.baseline, ValueBaseline | SharedValueBaseline)
    return isinstance(config, ActorCriticConfig) or acts_by_values(config) or plans_by_sweeps(config)


def probed(algorithm: str, probe: Probe, config: RunConfig, ends: Callable[[], bool] = never) -> Outcome:
    """Train, and see what came of it; where it ``ends`` before, nothing has. What is right for good is not trained on:
    the rest of the budget is left once that was so at ``_IN_A_ROW`` of the ``_LOOKS``, evenly spread, one after the
    other; values that only pass by what is right do so faster."""
    try:
        training, row, due = Training(config), 0, 1
        try:
            for event in training:
                if ends():
                    break
                if isinstance(event, Updated) and training.environment_steps * _LOOKS >= due * _budget(config):
                    due = training.environment_steps * _LOOKS // _budget(config) + 1
                    row = row + 1 if probe.spread is None and _judged(training, probe)[0] else 0
                    if row == _IN_A_ROW:
                        break
            passed, found = _judged(training, probe)
        finally:
            training.close()
    except RunError as error:
        return Outcome(algorithm, probe, False, f"It broke off: {error}")
    return Outcome(algorithm, probe, passed, found)


def _budget(config: RunConfig) -> int:
    return config.budget.environment_steps


def _judged(training: Training, probe: Probe) -> tuple[bool, str]:
    if probe.values:
        values = _values(training)
        right = np.array(probe.values)
        told = ", ".join(_shown(value, ".2f") for value in values)
        wanted = ", ".join(_shown(value, "g") for value in right)
        passed = bool(np.isfinite(values).all() and np.abs(values - right).max() <= NEAR)
        return passed, f"Values {told}, where {wanted} is right."
    if probe.best is not None:
        mean = training.mean_return
        passed = mean is not None and mean >= probe.best - _FEW.get(probe.id, LACKS)
        told = "No episode ended" if mean is None else f"A mean return of {_shown(mean, '.2f')}"
        return passed, f"{told}, where {probe.best:g} is the best."
    size = _mean_size(training)
    assert probe.spread is not None
    return size <= probe.spread, f"Actions of a mean size of {size:.2f}, where {probe.spread:g} is the most."


def _shown(value: float, form: str) -> str:
    return format(value, form).replace("-", "−")


def _values(training: Training) -> np.ndarray[Any, Any]:
    """What every state is taken to be worth."""
    told = training.state_values()
    if told is not None:
        found: np.ndarray[Any, Any] = np.asarray(told.values.double()).reshape(-1)
        return found
    states = torch.arange(training.environment.observation.size)
    with torch.no_grad():
        return training.policy.action_values(states).amax(-1).double().numpy()


@torch.no_grad()
def _mean_size(training: Training, count: int = 1000) -> float:
    seen = torch.zeros(count, training.environment.observation.size)
    actions = training.policy(seen).sample(torch.Generator().manual_seed(1))
    return float(training.policy.to_environment(actions).abs().mean())
