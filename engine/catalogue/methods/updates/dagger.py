"""DAgger: the teacher is asked about the states that the learner comes to."""

from __future__ import annotations

from engine.catalogue.methods.imitated import METRICS, asking_biases, has_a_teacher
from engine.catalogue.methods.spec import Entry, ImitationSpec

SPEC = ImitationSpec(
    order=131,
    entry=Entry(
        "dagger",
        "DAgger",
        "The learner plays, the teacher says what he would have done there, and all answers so far are learned.",
        {"update": "dagger"},
    ),
    algorithms=(
        Entry(
            "dagger",
            "DAgger",
            "Learn from a teacher in the states that one's own errors lead to, round by round.",
            {"update": "dagger"},
        ),
    ),
    fits=has_a_teacher,
    biases=asking_biases,
    pinned=("update.labels", "imitation.teacher", "update.states"),
    metrics=(*METRICS, "mixture", "labels_asked", "labels_given", "labels_unknown", "labels_lost"),
)
