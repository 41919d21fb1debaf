"""What rules share that learn from a teacher: where they cannot, and in what the copy may differ from him."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.catalogue.methods.distribution import distribution_of
from engine.catalogue.methods.distributions import DISTRIBUTION_SPECS
from engine.catalogue.shipped_teaching import DATASETS, TEACHERS, Shipped, played_in
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ImitationConfig
from engine.config.imitation import OPTIMAL, OWN, PERSON, BehaviouralCloning, DAgger
from engine.runtime.errors import Refusal

METRICS = (
    "loss",
    "entropy",
    "grad_norm",
    "training_loss",
    "held_out_loss",
    "agreement",
    "action_error",
    "majority_share",
    "teacher_return",
    "dataset_size",
)


_OF_NUMBERS = ("action_error",)  # which is defined of these actions alone
_OF_CHOICES = ("agreement", "majority_share")
_OF_A_PERSON = ("labels_unknown", "labels_lost")
_OF_A_POLICY = ("mixture",)


def undefined(config: ImitationConfig, environment: EnvironmentInfo) -> tuple[str, ...]:
    """Of what rules that learn from a teacher report, what means nothing for these actions, or for this teacher."""
    of_actions = _OF_CHOICES if environment.action.kind == "box" else _OF_NUMBERS
    asks_person = isinstance(config.update, DAgger) and config.imitation.teacher == PERSON
    return (*of_actions, *(_OF_A_POLICY if asks_person else _OF_A_PERSON))


def is_own(config: ImitationConfig) -> bool:
    """Whether the policy's own episodes are what is learned from."""
    return config.imitation.dataset == OWN and isinstance(config.update, BehaviouralCloning)


def has_a_dataset(config: ImitationConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    """What stands against cloning."""
    teaching, update = config.imitation, config.update
    assert isinstance(update, BehaviouralCloning)
    if not teaching.dataset:
        yield Refusal(
            "Cloning learns from a dataset, and none is named",
            "choose one as imitation.dataset, or own for the policy's own episodes",
        )
    yield from _played_elsewhere("dataset", teaching.dataset, DATASETS, environment)
    if config.environment.normalize_rewards and update.weighting != "one" and not is_own(config):
        yield Refusal(
            "The rewards of a dataset are not normalised on their way", "set a reward scale instead, or weigh by one"
        )


def has_a_teacher(config: ImitationConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    """What stands against asking a teacher."""
    teaching, update = config.imitation, config.update
    assert isinstance(update, DAgger)
    if not teaching.teacher:
        yield Refusal(
            "DAgger asks a teacher, and none is named",
            "choose a run or the file of a policy as imitation.teacher, or optimal where the dynamics are known",
        )
    yield from _played_elsewhere("teacher", teaching.teacher, TEACHERS, environment)
    if teaching.dataset:
        yield from _played_elsewhere("dataset", teaching.dataset, DATASETS, environment)
    if teaching.teacher == OPTIMAL and not environment.finite:
        yield Refusal(
            f"The optimal policy is computed from known dynamics, which {environment.id} does not have",
            "choose a run, or the file of a policy, as the teacher",
        )
    if teaching.dataset == OWN:
        yield Refusal(
            "DAgger begins with what a teacher did, not with the policy's own episodes",
            "leave the dataset empty, so that it begins with the teacher's own, or choose another",
        )
    if teaching.teacher == PERSON and update.states == "all":
        yield Refusal("Nobody answers for every state", "ask about some at random, or where the policy is least sure")
    if update.states == "unsure" and not _knows_doubt(config, environment):
        yield Refusal(
            "A Gaussian as wide in all states is equally sure in all",
            "ask at random, or choose a spread per state",
        )


def _played_elsewhere(
    what: str, name: str, among: Mapping[str, Shipped], environment: EnvironmentInfo
) -> Iterator[Refusal]:
    """Where one that is shipped is of another environment; of others that is seen when they are read."""
    if name in among and among[name].environment != environment.id:
        yield Refusal(
            f"The {what} {name} is of {among[name].environment}, not of {environment.id}", "choose one of the same"
        )


def supplied(config: ImitationConfig, environment: EnvironmentInfo) -> ImitationConfig:
    """``config`` with a dataset or teacher that there is in the ``environment``, where it names none of it."""
    teaching = config.imitation
    change: dict[str, str] = {}
    if isinstance(config.update, BehaviouralCloning):
        if not teaching.dataset or any(_played_elsewhere("", teaching.dataset, DATASETS, environment)):
            change["dataset"] = next(played_in(environment.id, DATASETS), OWN)
    else:
        if teaching.dataset == OWN or any(_played_elsewhere("", teaching.dataset, DATASETS, environment)):
            change["dataset"] = ""
        unfit = teaching.teacher == OPTIMAL and not environment.finite
        if not teaching.teacher or unfit or any(_played_elsewhere("", teaching.teacher, TEACHERS, environment)):
            known = OPTIMAL if environment.finite else PERSON
            change["teacher"] = next(played_in(environment.id, TEACHERS), known)
    return config.model_copy(update={"imitation": teaching.model_copy(update=change)}) if change else config


def names_nobody(config: ImitationConfig) -> bool:
    """Whether all that is missing is who is learned from, which a person is about to say."""
    teaching = config.imitation
    return not (teaching.dataset if isinstance(config.update, BehaviouralCloning) else teaching.teacher)


def _knows_doubt(config: ImitationConfig, environment: EnvironmentInfo) -> bool:
    """Whether the policy's entropy differs from state to state."""
    spread = DISTRIBUTION_SPECS[distribution_of(config.policy, environment)].spread
    return not spread or getattr(config.policy, "spread", "per-state") == "per-state"


def cloning_biases(config: ImitationConfig, environment: EnvironmentInfo) -> Iterator[str]:
    """Why even a faithful copy may fail, or nothing is copied."""
    update = config.update
    assert isinstance(update, BehaviouralCloning)
    if is_own(config):
        if update.weighting == "one":
            yield "The policy's own actions are all made likelier alike, so that on average nothing changes."
        elif update.weighting == "return-to-go" and config.estimator.gamma < 1.0:
            yield "Late steps weigh as much as early ones, although the discounted return counts them γᵗ."
        if max(config.exploration.greedy_start, config.exploration.greedy_end) > 0.0:
            yield "Greedy actions are not samples of the policy."
        if update.epochs > 1 or update.minibatch_size > 0:
            yield "After the first of an update's steps the policy is no longer the one that acted."
        return
    yield "The states are those that the teacher came to, not those to which the policy's own errors lead."
    if update.weighting != "one":
        yield "The actions were not the policy's own, so that weighing them by returns gives no gradient of its return."


def asking_biases(config: ImitationConfig, environment: EnvironmentInfo) -> Iterator[str]:
    """What of the states that are learned from is not the policy's own doing."""
    assert isinstance(config.update, DAgger)
    yield "States of earlier rounds are kept, which policies before this one came to."
    if config.update.states == "unsure":
        yield "States in which the policy is sure are left out, be it right or wrong in them."
