"""What the experiment panel's pickers offer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from app.models.experiment import Experiment
from app.panels.experiment.choice_delegate import Choice
from app.style.environment_text import acts
from app.style.parameter_text import shown
from engine.catalogue.methods.distribution import policy_of
from engine.catalogue.methods.entries import DISTRIBUTIONS, POLICIES
from engine.catalogue.methods.families import FAMILIES
from engine.catalogue.methods.parameter_count import parameter_count
from engine.catalogue.methods.picking import choose
from engine.catalogue.methods.policies import POLICY_SPECS
from engine.catalogue.methods.spec import Entry
from engine.config import RunConfig, acts_by_values
from engine.runtime.errors import RequestError


def choices_of(experiment: Experiment, entries: Mapping[str, Entry]) -> list[Choice]:
    """The entries, each with the reason if it cannot be picked now."""
    return [
        Choice(entry.id, entry.title, entry.summary, partial(experiment.refusal_of, entry))
        for entry in entries.values()
    ]


def family_choices(experiment: Experiment) -> list[Choice]:
    """The families of methods, each with the reason where nothing of it can be had."""
    return [
        Choice(family.id, family.title, family.summary, partial(experiment.refusal_of_family, family))
        for family in FAMILIES.values()
    ]


def policy_choices(experiment: Experiment) -> list[Choice]:
    """The policies, or what action values are made of; those that can be picked with their number of parameters."""
    choices = []
    for id, entry in POLICIES.items():
        told = entry
        if holds_values(experiment.config):
            told = POLICY_SPECS[id].as_values or entry
        refuse, measure = partial(experiment.refusal_of, entry), partial(_size, experiment, entry)
        choices.append(Choice(entry.id, told.title, told.summary, refuse, measure))
    return choices


def only_distribution(experiment: Experiment) -> str:
    """Why there is no distribution to pick but one; empty where there are several."""
    environment = experiment.environment
    fitting = [entry for entry in DISTRIBUTIONS.values() if experiment.refusal_of(entry) is None]
    if len(fitting) == 1:
        return f"{environment.title} has {acts(environment.action)}, which only {fitting[0].title} fits."
    return ""


def holds_values(config: RunConfig) -> bool:
    """Whether what goes by the name of a policy holds action values, which the policy follows from."""
    return acts_by_values(config)


def _size(experiment: Experiment, entry: Entry) -> str:
    if experiment.refusal_of(entry):
        return ""
    try:
        chosen = choose(experiment.config, entry)
        count = parameter_count(policy_of(chosen, experiment.environment), experiment.environment)
    except RequestError:  # the policy was there already and cannot be made, of which the panel tells at its top
        return ""
    return "1 parameter" if count == 1 else f"{shown(count)} parameters"
