"""Ascent along the exact gradient, computed from known dynamics."""

from __future__ import annotations

from functools import partial

from engine.catalogue.methods.planned import climbs_exactly
from engine.catalogue.methods.spec import Entry, PlanningSpec

SPEC = PlanningSpec(
    order=82,
    entry=Entry(
        "exact-gradient",
        "Exact gradient",
        "No estimate at all: the gradient is computed from the known dynamics, and episodes only show the way.",
        {"update": "exact-gradient"},
    ),
    algorithms=(
        Entry(
            "exact-gradient",
            "Exact policy gradient",
            "Ascent along the true gradient, where the dynamics are known: what all the others estimate.",
            {"update": "exact-gradient"},
        ),
    ),
    fits=partial(climbs_exactly, "The exact gradient"),
    pinned=("update.learning_rate",),
    metrics=("loss", "entropy", "grad_norm", "exact_return"),
)
