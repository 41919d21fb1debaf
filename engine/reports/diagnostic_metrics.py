"""What is reported for the sake of the doctor: numbers that say little while all is well."""

from __future__ import annotations

from engine.reports.metric import Metric

DIAGNOSTIC = (
    Metric(
        "largest_advantage",
        "Largest advantage",
        "max|Â|",
        "σ(Â)",
        "How far the advantage that is furthest from the batch's mean lies from it, in standard deviations: where its "
        "square comes near the number of steps, one step outweighs all others.",
        from_zero=True,
        widest=88.8,
    ),
    Metric(
        "surprise_at_limit",
        "Surprise at the time limit",
        "",
        "σ(δ)",
        "How far the temporal-difference errors of the steps after which the time was up lie from those of all other "
        "steps on average, in standard deviations of these: near 0 where a learned value stands in for what was cut "
        "off, far below where the end of the time is taken for the end of all rewards.",
        widest=-88.8,
    ),
    Metric(
        "first_ratio",
        "Ratio before the first step",
        "max|log ρ|",
        "",
        "How far the furthest log-ratio of the update's first minibatch was from 0 before any step: 0 but for "
        "rounding, since the policy is still the one that acted.",
        from_zero=True,
        widest=8.8e-8,
    ),
    Metric(
        "largest_ratio",
        "Largest ratio",
        "max|log ρ|",
        "",
        "How far the log-ratio of the action whose probability changed most is from 0 at the update's end, either way.",
        from_zero=True,
        widest=88.8,
    ),
    Metric(
        "observation_scale",
        "Observation scale",
        "",
        "",
        "The root mean square of the largest component of what the policy's network is given, told ever more seldom: "
        "networks learn best from numbers around 1.",
        from_zero=True,
        widest=88_800.0,
    ),
    Metric(
        "dead_units",
        "Dead units",
        "",
        "",
        "The share of ReLU units, in the hidden layer of the policy where it is greatest, that were 0 in all of some "
        "thousand visited states, told ever more seldom: they pass no gradient, so that they stay so.",
        from_zero=True,
        widest=0.888,
    ),
    Metric(
        "saturated_units",
        "Saturated units",
        "",
        "",
        "The share of outputs beyond ±0.97, in the hidden layer of tanh units of the policy where it is greatest, "
        "told ever more seldom: these units hardly pass any gradient.",
        from_zero=True,
        widest=0.888,
    ),
)
