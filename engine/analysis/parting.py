"""Where a learner parts from its teacher: episodes of both, how far apart their states are step by step, and in which
components one sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.analysis.playback import PolicySnapshot
from engine.analysis.policy_recording import Progress, Wanted, record
from engine.analysis.state_distance import Apart, parting_components, states_apart, teacher_apart
from engine.config import ImitationConfig, acts_by_values
from engine.config.imitation import OWN, PERSON, DAgger
from engine.experience.demonstrations import Demonstration, Demonstrations
from engine.runtime.errors import RequestError

EPISODES = 8  # that the learner plays, and a teacher who is a policy
MOST_COMPONENTS = 512  # of an observation whose distances are computed
MOST_STATES = 10_000  # of the teacher's; more of them would only take longer
_SEED = 20  # apart from that of any run, so that no episode is one that was trained on

GoingOn = Callable[[Progress], bool]


@dataclass(frozen=True)
class Reference:
    """What a teacher has shown, and how far each of his episodes leads from all his others, by step; None where he has
    shown but one."""

    episodes: Demonstrations
    own: Apart | None


@dataclass(frozen=True)
class Parting:
    """What a policy and its teacher played, and how far apart that is.

    Attributes:
        iteration: updates after which the policy was such.
        reference: what the teacher has shown.
        learner: the episodes that it played.
        apart: how far its states are from the teacher's, by step.
        furthest: the components in which they part the most, the first the most; none of numbered states.
    """

    iteration: int
    reference: Reference
    learner: Demonstrations
    apart: Apart
    furthest: tuple[int, ...]


def nothing_to_part_from(config: ImitationConfig) -> str:
    """Why there is no teacher to compare with, in a sentence that says what would do; empty where there is one."""
    teaching, asks = config.imitation, isinstance(config.update, DAgger)
    if not asks and teaching.dataset == OWN:
        return (
            "This run learns from its own episodes, so there is no teacher to part from; choose a dataset that "
            "somebody has played, and how far the copy strays from it appears here."
        )
    if asks and teaching.teacher == PERSON and not teaching.dataset:
        return (
            "You are the teacher of this run and have shown it no episode, so there is nothing to measure its states "
            "against; choose a dataset of yours that it begins with, and how far it strays from that appears here."
        )
    return ""


def reference_of(snapshot: PolicySnapshot, going_on: GoingOn = lambda _: True) -> Reference:
    """What the teacher of a run has shown; where he is a policy that is asked, episodes that it plays by itself.

    Raises:
        RequestError: there is no teacher, his states cannot be compared, or it was stopped.
        RunError, GivenUp: as ``record``.
    """
    config, seen = snapshot.config, snapshot.environment.observation
    if not isinstance(config, ImitationConfig):
        raise RequestError("Only a run that learns from a teacher parts from one; choose the family Imitation.")
    if reason := nothing_to_part_from(config):
        raise RequestError(reason)
    if seen.image or seen.size > MOST_COMPONENTS:
        raise RequestError(
            f"Observations of {seen.size:,} numbers are not compared, for pictures that look alike can be far apart in "
            "them; choose an environment that is observed in fewer numbers."
        )
    given = snapshot.given
    if given.demonstrations is not None:
        return _reference(given.demonstrations)
    if given.teacher is None:
        raise RequestError("What this run learned from is not there any more, so nothing can be compared with it.")
    teacher = given.teacher
    played = teacher.config.model_copy(update={"environment": config.environment})
    epsilon = 0.0 if acts_by_values(teacher.config) else None
    policy = PolicySnapshot(played, snapshot.environment, dict(teacher.parameters), 0, epsilon=epsilon)
    return _reference(record(policy, Wanted(EPISODES, greedy=True), config.seed + _SEED, going_on).demonstrations)


def parting_of(
    snapshot: PolicySnapshot, reference: Reference, *, greedy: bool, going_on: GoingOn = lambda _: True
) -> Parting:
    """Play some episodes of the policy, always from the same first states, and compare them with the teacher's.

    Raises:
        RequestError: it was stopped.
        RunError, GivenUp: as ``record``.
    """
    seed = snapshot.config.seed + _SEED + 1
    learner = record(snapshot, Wanted(EPISODES, greedy=greedy), seed, going_on).demonstrations
    teacher = reference.episodes
    count = teacher.observations.shape[1] if teacher.observations.ndim > 1 else 0
    return Parting(
        snapshot.iteration,
        reference,
        learner,
        states_apart(teacher, learner),
        parting_components(teacher, learner, count),
    )


def _reference(shown: Demonstrations) -> Reference:
    """The first episodes, of as many states as are compared; states that were only answered about are no episodes."""
    episodes: list[Demonstration] = []
    states = 0
    for each in shown.episodes:
        if len(each) and each.rewards is not None and (not episodes or states + len(each) <= MOST_STATES):
            episodes.append(each)
            states += len(each)
    if not episodes:
        raise RequestError("The dataset of this run holds answers and no episode, so there is no way to compare with.")
    few = replace(shown, episodes=tuple(episodes))
    return Reference(few, teacher_apart(few))
