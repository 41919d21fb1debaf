"""One iteration as a few lines of pseudo-code, each with the stop at which it is shown and the terms it stands for."""

from __future__ import annotations

from dataclasses import dataclass

from engine.catalogue.methods.stops import Stop, reason_against
from engine.config import (
    ActorCriticConfig,
    ImitationConfig,
    PolicyGradientConfig,
    RunConfig,
    ValueBasedConfig,
    plans_by_sweeps,
)
from engine.config.estimators import WholeEpisodes
from engine.config.updates import GradientAscent, NaturalGradient, OffPolicy
from engine.config.value_based import DQN
from engine.equations.estimators import BASELINE_CODE, CREDIT_CODE
from engine.equations.terms import Line, Part
from engine.equations.updates import UPDATE_CODE


@dataclass(frozen=True)
class CodeLine:
    """``text`` is what is done at the ``stop``, ``part`` the choice that it comes from, ``meaning`` a sentence about
    it; ``missing`` says why there is nothing to be seen there, empty where there is."""

    stop: Stop
    text: str
    part: Part
    meaning: str
    missing: str = ""


_ASCENTS = (GradientAscent, NaturalGradient, OffPolicy)  # the others climb a surrogate


def code_lines(config: RunConfig) -> tuple[CodeLine, ...]:
    """The lines of one iteration, in the order of the work."""
    if not isinstance(config, PolicyGradientConfig):
        return _otherwise(config)
    estimator, collection = config.estimator, config.collection
    collect = (
        f"play {collection.episodes_per_update:,} episode{'s' * (collection.episodes_per_update > 1)} with π"
        if isinstance(collection, WholeEpisodes)
        else f"take {collection.environments:,} × {collection.steps:,} steps with π"
    )
    return (
        CodeLine("collect", collect, "policy", "What was played: one row for each episode, one cell for each step."),
        CodeLine("credit", CREDIT_CODE[estimator.credit.kind], "credit", "What each action is credited with: Ψ."),
        CodeLine("baseline", BASELINE_CODE[estimator.baseline.kind], "baseline", "How much better than expected: Â."),
        CodeLine("weight", _weight(config), "", "How strongly each step pushes the probability of its action."),
        CodeLine("step", UPDATE_CODE[config.update.kind], "update", "The step in the policy's parameters θ."),
        CodeLine("iteration", "compare π with π before", "update", "How far each action's probability has moved."),
    )


def _weight(config: PolicyGradientConfig) -> str:
    estimator = config.estimator
    shown = "Â normalised" if estimator.normalize_advantages else "Â"
    weighs = estimator.discount_states and estimator.gamma < 1.0
    climbs = "Σ w ∇log π" if isinstance(config.update, _ASCENTS) else "L = Σ ρ w"
    return f"w ← {'γᵗ ' if weighs else ''}{shown};  {climbs}"


def _otherwise(config: RunConfig) -> tuple[CodeLine, ...]:
    """Of a method that does not estimate a gradient from a batch: what is played, and what is learned by."""
    stepwise = isinstance(config, ValueBasedConfig | ActorCriticConfig)
    does = "take steps, keep them" if stepwise else "play episodes with π"
    unseen = reason_against(config, "collect") if stepwise else ""
    towards = "Q(s, a) moves towards its target y, by a share of the TD error δ."
    meaning = towards if stepwise else "The steps in the parameters θ."
    return (
        CodeLine("collect", does, "policy", "What was played: one row for each episode.", unseen),
        CodeLine("step", _learns(config), "update", meaning, reason_against(config, "step")),
    )


def _learns(config: RunConfig) -> str:
    if isinstance(config, ImitationConfig):
        return "θ ← θ + α ∇log π(teacher's a|s)"
    if isinstance(config, ActorCriticConfig):
        return "fit Q;  θ ← θ + α ∇Q"
    if isinstance(config, ValueBasedConfig):
        return "θ ← θ − α ∇ error²" if isinstance(config.update, DQN) else "Q(s,a) ← Q(s,a) + α error"
    return "V(s) ← backed up,  π ← greedy" if plans_by_sweeps(config) else "θ ← θ + α ∇J"


def lit_terms(lines: tuple[Line, ...], stop: Stop | None) -> frozenset[tuple[Line, int]]:
    """The terms of an equation that stand for what is done at a stop, by their lines and their numbers in these."""
    if stop is None or stop in ("episode", "iteration"):
        return frozenset()
    return frozenset((line, number) for line in lines for number, _ in enumerate(line) if _stands(line, number, stop))


def _stands(line: Line, number: int, stop: Stop) -> bool:
    whole = "".join(term.latex for term in line)
    climbed = whole.startswith((r"\hat{g} = ", r"L(\theta) = ")) and "F = " not in whole
    steps = r"\theta \leftarrow" in whole
    fits = whole.startswith((r"\min_{\phi}", "L_V"))
    if stop == "step":
        return steps
    if stop == "weight":
        return climbed
    if stop == "collect":
        return line[number].part == "policy" and not climbed
    return line[number].part == stop and not (climbed or steps or fits)
