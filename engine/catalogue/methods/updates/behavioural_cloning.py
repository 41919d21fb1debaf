"""Behavioural cloning: maximum likelihood on what a teacher did."""

from __future__ import annotations

from engine.catalogue.methods.imitated import METRICS, cloning_biases, has_a_dataset
from engine.catalogue.methods.spec import Entry, ImitationSpec

SPEC = ImitationSpec(
    order=130,
    entry=Entry(
        "behavioural-cloning",
        "Behavioural cloning",
        "What the teacher did is made likelier, as in any supervised learning; what happens next is not looked at.",
        {"update": "behavioural-cloning"},
    ),
    algorithms=(
        Entry(
            "behavioural-cloning",
            "Behavioural cloning",
            "Learn to do what a dataset of episodes shows, step by step: maximum likelihood.",
            {"update": "behavioural-cloning"},
        ),
    ),
    fits=has_a_dataset,
    biases=cloning_biases,
    pinned=("update.weighting", "imitation.dataset", "update.learning_rate"),
    metrics=METRICS,
)
