"""What the experiment panel's pickers offer."""

from __future__ import annotations

from collections.abc import Mapping

from app.models.experiment import Experiment
from app.widgets.choice_delegate import Choice
from app.widgets.parameter_text import shown
from engine.catalogue import POLICIES, Entry, EnvironmentInfo, Space, choose, parameter_count
from engine.errors import RequestError


def choices_of(experiment: Experiment, entries: Mapping[str, Entry]) -> list[Choice]:
    """The entries, each with the reason if it cannot be picked now."""
    return [
        Choice(entry.id, entry.title, entry.summary, refusal=experiment.refusal_of(entry)) for entry in entries.values()
    ]


def policy_choices(experiment: Experiment) -> list[Choice]:
    """The policies, those that can be picked with their number of parameters."""
    choices = []
    for entry in POLICIES.values():
        refusal = experiment.refusal_of(entry)
        note = "" if refusal else _size(experiment, entry)
        choices.append(Choice(entry.id, entry.title, entry.summary, note, refusal))
    return choices


def _size(experiment: Experiment, entry: Entry) -> str:
    try:
        count = parameter_count(choose(experiment.config, entry).policy, experiment.environment)
    except RequestError:  # the policy was there already and cannot be made, of which the panel tells at its top
        return ""
    return "1 parameter" if count == 1 else f"{shown(count)} parameters"


def environment_choices(experiment: Experiment) -> list[Choice]:
    """The environments of the catalogue and those typed since."""
    return [
        Choice(info.id, info.title, info.summary, "" if info.id == info.title else info.id)
        for info in experiment.environments.values()
    ]


def environment_facts(environment: EnvironmentInfo) -> str:
    """Spaces, time limit and solved threshold on one compact line."""
    seen, acted = environment.observation, environment.action
    facts = [
        f"{seen.size} states" if seen.kind == "discrete" else _observed(seen),
        acts(acted),
    ]
    if environment.time_limit is not None:
        facts.append(f"≤ {shown(environment.time_limit)} steps")
    if environment.solved_at is not None:
        facts.append(f"solved at {shown(environment.solved_at).replace('-', '−')}")
    # Each fact stays in one piece where the line is wrapped.
    return "\u00a0· ".join(fact.replace(" ", "\u00a0") for fact in facts)


def acts(space: Space) -> str:
    """The actions of a space, counted."""
    if space.kind == "multi-discrete":
        return f"{' × '.join(map(str, space.parts))} actions"
    nouns = {"discrete": "action", "box": "continuous action", "multi-binary": "switch"}
    return _counted(space.size, nouns[space.kind])


def _observed(space: Space) -> str:
    return str(space) if space.image else _counted(space.size, "input")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}{'es' if noun.endswith('ch') else 's'}"
