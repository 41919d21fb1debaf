"""Policy iteration, with exact evaluation or a few sweeps of it."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.planned import in_a_plan
from engine.catalogue.methods.spec import Entry, PlanningSpec
from engine.catalogue.methods.tables import TABLE
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PlanningConfig
from engine.runtime.errors import Refusal


def _fits(config: PlanningConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    yield from in_a_plan("Policy iteration", config, environment)


SPEC = PlanningSpec(
    order=81,
    entry=Entry(
        "policy-iteration",
        "Policy iteration",
        "What the policy is worth is computed, then the policy takes what is best by that.",
        {"update": "policy-iteration"},
    ),
    algorithms=(
        Entry(
            "policy-iteration",
            "Policy iteration",
            "Each policy is evaluated exactly, and the next is never worse: a few of them will do.",
            TABLE | {"update": "policy-iteration", "update.evaluation_sweeps": 0, "update.step": 1.0},
            told_by=("update", "update.evaluation_sweeps", "update.step"),
        ),
        Entry(
            "truncated-policy-iteration",
            "Truncated policy iteration",
            "Each policy is evaluated by a few sweeps only: between value iteration and policy iteration.",
            TABLE | {"update": "policy-iteration", "update.evaluation_sweeps": 5, "update.step": 1.0},
            told_by=("update", "update.step"),
        ),
        Entry(
            "conservative-policy-iteration",
            "Conservative policy iteration",
            "Each policy goes a part of the way to the greedy one only, so that it stays where its values hold.",
            TABLE | {"update": "policy-iteration", "update.evaluation_sweeps": 0, "update.step": 0.1},
            told_by=("update",),
        ),
    ),
    fits=_fits,
    pinned=("update.evaluation_sweeps", "update.step", "evaluation.episodes"),
    metrics=("exact_return", "bellman_residual", "value_error", "backups"),
)
