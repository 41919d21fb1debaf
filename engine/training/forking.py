"""A run that goes on from another's state with something changed: what still fits is kept, the rest begins anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.catalogue.methods.distribution import distribution_in
from engine.collection.collectors import UNDER_WAY
from engine.config import ActorCriticConfig, ImitationConfig, RunConfig, ValueBasedConfig
from engine.config.environments import as_plain
from engine.config.imitation import OPTIMAL, DAgger
from engine.config.parameters import parameters_of, with_values
from engine.networks.stateful import StatefulModule
from engine.runtime.errors import RequestError, RunError, describe
from engine.runtime.state import Parts, State, Stateful, inexact
from engine.training.given import NOTHING, SEEN, Given, given_in
from engine.training.training import RUN, Training, config_of

# Parameters of which a change makes the episodes under way, or the policy, something else.
_OTHER_WORLD = frozenset(
    {"id", "options", "time_limit", "hidden", "observation_noise", "frame_stack", "sticky_actions"}
)
_OTHER_REWARDS = frozenset({"reward_scale", "reward_offset", "normalize_rewards"})
# What holds rewards, or sums and averages of them, in the units that they had.
_OF_REWARDS = frozenset({"interaction/rewards", "rule/replay/buffer", "rule/window", "rule/values/visits", "returns"})
# What is hardly more than random numbers.
_RANDOM = frozenset({"actor", "minibatches", "mixture", "questions", "person"})
_OTHER_POLICY = frozenset({"kind", "features", "feature_order", "activation", "spread"})
# What began anew, by where in a learner it is, as a sentence tells of it.
_TOLD = {
    "interaction/policy": "the policy",
    "interaction/policy/value_head": "the value that the policy's network predicts",
    "interaction/policy/normalizer": "the mean and spread of the observations",
    "interaction/rewards": "the spread of the returns that rewards are divided by",
    "interaction/collector": "the episodes under way",
    "value": "the value function",
    "fitting/optimizer": "what the value function's optimizer had gathered",
    "rule/optimizer": "what the policy's optimizer had gathered",
    "rule/multiplier": "the multiplier",
    "rule/critics": "the action values",
    "rule/target": "the target network",
    "rule/replay/buffer": "the replay buffer",
    "rule/values/visits": "the counts that step sizes fall with",
    "dataset": "what the teacher has answered so far",
    "stopping": "the lowest loss on what is held out",
}

_SEVERAL = (
    "the action values",
    "the mean and spread of the observations",
    "the episodes under way",
    "the counts that step sizes fall with",
)
# Of these it is told as well where they are new.
_LEARNED = frozenset({"interaction/policy/value_head", "interaction/policy/normalizer", "value"})
# What an optimizer has gathered, and a target network follows, are parameters that must not have begun anew.
_GOES_WITH = {
    "rule/optimizer": "interaction/policy",
    "rule/target": "interaction/policy",
    "rule/critic_optimizer": "rule/critics",
    "rule/improvement/target": "interaction/policy",
    "rule/values": "interaction/policy",
    "fitting/optimizer": "value",
    "played for value": "value",
    "stopping": "interaction/policy",
}


def forked(
    state: Mapping[str, Any], values: Mapping[str, Any], run: str = RUN, given: Given | None = None
) -> tuple[Training, tuple[str, ...]]:
    """A run that goes on from ``state`` with ``values`` at dotted paths of its configuration, and in sentences what
    could not be carried over.

    All random numbers stay those that would have come: without a change, it is the run that it was taken from.

    Args:
        given: what the run is to learn from, where that is not what the state holds.

    Raises:
        RequestError: the changed configuration cannot work here, or this is no state of a run, or of several.
        RunError: its environment fails.
    """
    training = None
    try:
        if state["seeds"]:
            raise RequestError("Seeds that are trained together cannot be forked; fork a run of one seed.")
        before = config_of(state)
        config = with_values(before, values)
        kept = given_in(state.get("given", {})) if given is None and taught_alike(before, config) else NOTHING
        training = _made(config, before, state["choices"], (run, given or kept))
        change = _Change(before, config, training, UNDER_WAY in _collector(state))
        training.load_life(change.life(state))
        carrying = _Carrying(change)
        carrying.carry(training.learner.parts, state["learner"])
        if "interaction/collector" not in carrying.anew:
            training.inexact = inexact(state["learner"])
        return training, (*training.inexact, *_sentences(carrying.anew, state["learner"], change))
    except Exception as error:
        if training is not None:
            training.close()
        if isinstance(error, RequestError | RunError):
            raise
        raise RequestError(f"This state does not fit the run that it is of: {describe(error)}.") from error


def _collector(state: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = state["learner"].get("interaction", {}).get("collector", {})
    return found


def _made(config: RunConfig, before: RunConfig, choices: Mapping[str, str], whose: tuple[str, Given]) -> Training:
    """Where it was left open, what was chosen for the run that is forked is chosen again, as long as it fits."""
    kept = {path: value for path, value in choices.items() if _at(config, path) == _at(before, path)}
    if config.environment.id != before.environment.id:
        kept.pop("environment.stepping", None)
    run, given = whose
    try:
        return Training(with_values(config, kept), run, given=given)
    except RequestError:
        return Training(config, run, given=given)


def taught_alike(before: RunConfig, after: RunConfig) -> bool:
    """Whether both learn from the same dataset and the same teacher, or neither from any. What is optimal depends on
    the environment and γ."""
    if not isinstance(after, ImitationConfig):
        return not isinstance(before, ImitationConfig)
    names: tuple[str, ...] = ("imitation.dataset", "imitation.teacher", "update.kind")
    if after.imitation.teacher == OPTIMAL and isinstance(after.update, DAgger):
        names = (*names, "environment.id", "environment.options", "environment.hidden", "estimator.gamma")
    return all(_at(before, name) == _at(after, name) for name in names)


@dataclass(frozen=True)
class _Change:
    """From what to what a configuration was changed, and the training made for it; ``under_way`` says that the state
    holds the first steps of episodes that are to be learned from."""

    before: RunConfig
    after: RunConfig
    training: Training
    under_way: bool = False

    @property
    def reseeded(self) -> bool:
        return self.before.seed != self.after.seed

    @property
    def other_world(self) -> bool:
        return self._differs("environment", _OTHER_WORLD)

    def replaces(self, path: str) -> bool:
        """Whether the part at ``path`` begins anew though its state may fit."""
        if path == "interaction/policy":
            meaning = {isinstance(config, ValueBasedConfig) for config in (self.before, self.after)}
            # Values of actions say nothing of their probabilities, and the other way round.
            return len(meaning) > 1 or self._distributions_differ() or self._differs("policy", _OTHER_POLICY)
        if path == "rule/optimizer":  # gradients of another kind, and size, are none to go on with
            return isinstance(self.before, ImitationConfig) is not isinstance(self.after, ImitationConfig)
        if path == "dataset":  # another's answers, to other observations, or in another policy's units
            seen = self._differs("environment", frozenset(SEEN))
            return seen or self._distributions_differ() or not taught_alike(self.before, self.after)
        if path == "stopping":  # a loss on other steps
            shares = {_at(config, "imitation.held_out") for config in (self.before, self.after)}
            return self.reseeded or len(shares) > 1 or not taught_alike(self.before, self.after)
        if path == "rule/critics":
            activations = {str(_at(config, "update.critic.activation")) for config in (self.before, self.after)}
            return len(activations) > 1
        if path in _OF_REWARDS:
            return self._differs("environment", _OTHER_REWARDS) or self.other_world
        if path in ("interaction/collector", "played for value"):
            return self.reseeded or self.other_world or (self.under_way and self._behaves_differently)
        return self.reseeded and path.rpartition("/")[2] in _RANDOM

    @property
    def _behaves_differently(self) -> bool:
        return self.before.exploration != self.after.exploration or self.before.policy != self.after.policy

    def _distributions_differ(self) -> bool:
        """Whether the same outputs of the policy's network mean other probabilities."""
        environment = self.training.environment
        before, after = (distribution_in(config, environment) for config in (self.before, self.after))
        return before != after

    def life(self, state: Mapping[str, Any]) -> State:
        """What of ``state`` tells how far the run has come; the returns of another environment are not of this one."""
        live = {parameter.path for parameter in parameters_of(self.after) if parameter.live}
        pending = {
            path: value
            for path, value in state["pending"].items()
            if path in live and _at(self.before, path) == _at(self.after, path)
        }
        totals = [each | {"failed": False} for each in state["totals"]]
        if self.other_world:
            totals = [each | {"recent": [], "solved": False} for each in totals]
        return {**state, "config": self.after.model_dump(mode="json"), "pending": pending, "totals": totals}

    def _differs(self, part: str, names: frozenset[str]) -> bool:
        before, after = getattr(self.before, part), getattr(self.after, part)
        return any(as_plain(getattr(before, name, None)) != as_plain(getattr(after, name, None)) for name in names)


class _Carrying:
    """Loads what fits of a learner's state; ``anew`` is where in the learner something begins anew."""

    def __init__(self, change: _Change) -> None:
        self._change = change
        self.anew: list[str] = []

    def carry(self, parts: Parts, state: Mapping[str, Any], above: str = "") -> None:
        for name, part in parts.by_name().items():
            path, old = f"{above}{name}", state.get(name)
            if isinstance(part, Parts):
                self.carry(part, old if isinstance(old, Mapping) else {}, f"{path}/")
            elif old is None or self._change.replaces(path) or self._of_another(path):
                self.anew.append(path)
            elif isinstance(part, StatefulModule):
                self._carry_network(part, old, path)
            elif not _loaded(part, self._kept_of(path, old)):
                self.anew.append(path)

    def _kept_of(self, path: str, old: Mapping[str, Any]) -> Mapping[str, Any]:
        """``old`` without what begins anew of a part that goes on: how often a table's values have been averaged, where
        that was over other returns, so that they would hardly move any more."""
        if path != "rule/values" or not self._change.replaces("rule/values/visits"):
            return old
        if getattr(self._change.after.update, "step_size", "constant") != "constant":
            self.anew.append("rule/values/visits")
        return {**old, "visits": [np.zeros_like(counts) for counts in old["visits"]]}

    def _of_another(self, path: str) -> bool:
        """Whether the part goes with parameters that have begun anew."""
        return _owner(path, self._change.after) in self.anew

    def _carry_network(self, network: StatefulModule, old: Mapping[str, Any], path: str) -> None:
        """Load what fits: the network as a whole, the value that a policy's predicts with it, and what is known of the
        observations."""
        merged = network.state()
        for group in ("", "value_head", "normalizer"):
            names = [name for name in merged if _group(name) == group]
            fits = all(name in old and old[name].shape == merged[name].shape for name in names)
            if fits and (group != "value_head" or path not in self.anew):
                merged |= {name: old[name] for name in names}
            elif names:
                self.anew.append(f"{path}/{group}".rstrip("/"))
        network.load(merged)


def _owner(path: str, config: RunConfig) -> str | None:
    """What the part at ``path`` goes with: the target network of an actor-critic with the action values, that of what
    acts by its values with the policy."""
    return "rule/critics" if path == "rule/target" and isinstance(config, ActorCriticConfig) else _GOES_WITH.get(path)


def _group(name: str) -> str:
    head = name.partition(".")[0]
    return head if head in ("value_head", "normalizer") else ""


def _loaded(part: Stateful, state: Mapping[str, Any]) -> bool:
    """Whether ``part`` goes on from ``state``; it is as it was where it does not."""
    fresh = part.state()
    try:
        part.load(state)
    except RunError:
        raise
    except Exception:  # of whatever kind it is that a state of something else leads to
        part.load(fresh)
        return False
    return True


def _at(config: RunConfig, path: str) -> Any:
    """The value at a dotted path; None where there is none."""
    value: Any = config
    for name in path.split("."):
        value = getattr(value, name, None)
    return as_plain(value)


def _sentences(anew: list[str], state: Mapping[str, Any], change: _Change) -> tuple[str, ...]:
    """What is lost, told of what was there before or could have been."""
    found = []
    if change.reseeded:
        found.append(f"The random numbers begin anew, from the seed {change.after.seed}.")
    alone = [path for path in anew if path in _TOLD and _owner(path, change.after) not in anew]
    if not change.after.environment.normalize_rewards:
        alone = [path for path in alone if path != "interaction/rewards"]
    told = [_TOLD[path] for path in alone if path in _LEARNED or _there(state, path)]
    if told:
        *most, last = told
        listed = f"{', '.join(most)} and {last}" if most else last
        verb = "begin" if most or last in _SEVERAL else "begins"
        found.append(f"{listed[0].upper()}{listed[1:]} {verb} anew.")
    if change.other_world:
        found.append("The mean return begins anew, since the environment is another than before.")
    return tuple(found)


def _there(state: Mapping[str, Any], path: str) -> bool:
    """Whether the run that was forked had the part."""
    value: Any = state
    for name in path.split("/"):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value is not None
