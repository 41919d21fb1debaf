"""What is reported of learning from a teacher."""

from __future__ import annotations

from engine.reports.metric import Metric

TEACHING = (
    Metric(
        "training_loss",
        "Loss on what is learned",
        "−log π",
        "nats",
        "How surprised the policy is by the actions that it learns from, −log π(a|s) averaged over them, before "
        "this update. Of continuous actions it can be negative.",
        from_zero=True,
        widest=-0.0888,
    ),
    Metric(
        "held_out_loss",
        "Loss on what is held out",
        "−log π",
        "nats",
        "The same, averaged over the part of the dataset that is not learned from: where it rises while the other "
        "falls, the policy learns by heart. With DAgger, over the answers of this round before they are learned.",
        from_zero=True,
        widest=-0.0888,
    ),
    Metric(
        "agreement",
        "Agreement",
        "",
        "",
        "The share of steps in which the policy's most likely action is the one that the teacher took: of those "
        "held out, or of all where none are; with DAgger of this round's answers, before they are learned. Of actions "
        "with several parts all have to be the same.",
        from_zero=True,
        widest=0.888,
    ),
    Metric(
        "action_error",
        "Error of the action",
        "|a − a*|",
        "",
        "How far the policy's greedy action is from the one that the teacher took, in the environment's units, "
        "averaged over the numbers of an action and over the steps held out, or all where none are.",
        from_zero=True,
    ),
    Metric(
        "majority_share",
        "Most frequent action",
        "",
        "",
        "The share of the action that is most frequent in what is learned from: always taking that one would agree "
        "with the teacher as often.",
        from_zero=True,
        widest=0.888,
    ),
    Metric(
        "teacher_return",
        "Teacher's return",
        "R̄*",
        "reward",
        "The mean undiscounted return of the episodes that the teacher played, where it is known.",
    ),
    Metric(
        "dataset_size",
        "Learned from",
        "|D|",
        "steps",
        "How many steps with an action of the teacher's are learned from; those held out are not among them.",
        from_zero=True,
        widest=88_800.0,
    ),
    Metric(
        "mixture",
        "Teacher's share",
        "β",
        "",
        "The probability with which the teacher took a step of this round in place of the policy.",
        from_zero=True,
        widest=0.888,
    ),
    Metric(
        "labels_asked",
        "Questions",
        "",
        "states",
        "Of how many states the teacher has been asked since the run began.",
        from_zero=True,
        widest=88_800.0,
    ),
    Metric(
        "labels_given",
        "Answers",
        "",
        "states",
        "In how many of these he has said what is to be done.",
        from_zero=True,
        widest=88_800.0,
    ),
    Metric(
        "labels_unknown",
        "Not known",
        "",
        "states",
        "Of how many of the questions a person has said not to know the answer.",
        from_zero=True,
        widest=88_800.0,
    ),
    Metric(
        "labels_lost",
        "Lost anyway",
        "",
        "states",
        "Of how many of the states asked about a person has said that they are lost whatever is done: where that is "
        "often so, the questions come too late.",
        from_zero=True,
        widest=88_800.0,
    ),
)
