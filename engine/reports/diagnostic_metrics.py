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
    Metric(
        "policy_drift",
        "Policy between acting and learning",
        "max|Δ log π|",
        "",
        "How far log π of a few actions in made-up states was, as an update began, from what it was as collecting "
        "began, told ever more seldom: 0, since nothing changes the policy in between.",
        from_zero=True,
        widest=8.8e-8,
    ),
    Metric(
        "likelihood_gap",
        "Actions less likely than expected",
        "z",
        "σ",
        "By how many standard deviations the actions that were taken are less likely than the policy's entropy has it, "
        "or more likely where it is negative; told ever more seldom. About −2 … 2 where they are drawn from it.",
        widest=-88.8,
    ),
    Metric(
        "credit_error",
        "Error of the credit",
        "",
        "",
        "How far advantages, with the baseline, are from the sums of rewards and values that they are by definition, "
        "where those are computed apart; the largest error as a share of the largest number. Told ever more seldom, 0 "
        "but for rounding.",
        from_zero=True,
        widest=8.8e-8,
    ),
    Metric(
        "cut_error",
        "Error of the credit at cuts",
        "",
        "",
        "The same of steps after which an episode was cut off, where the value of what was seen last stands in for the "
        "rest.",
        from_zero=True,
        widest=8.8e-8,
    ),
    Metric(
        "objective_error",
        "Error of the objective",
        "",
        "",
        "How far what an update climbed is from its sum over steps and episodes computed apart, as a share of it; told "
        "ever more seldom, 0 but for rounding.",
        from_zero=True,
        widest=8.8e-8,
    ),
    Metric(
        "value_pull",
        "Pull on the value",
        "",
        "",
        "How far what moves the learned value is from the gradient of its squared error, as a share of that; told ever "
        "more seldom, 0 but for rounding.",
        from_zero=True,
        widest=8.8e-8,
    ),
    Metric(
        "density_error",
        "Error of the density",
        "max|Δ log π|",
        "nats",
        "How far log π of the actions that a squashed policy drew for its update is from their density, computed apart "
        "by the change of variables: 0 but for rounding.",
        from_zero=True,
        widest=8.8e-8,
    ),
    Metric(
        "target_age",
        "Age of the target network",
        "",
        "steps",
        "For how many gradient steps, at the end of the iteration, the target network has stayed what it was; 0 where "
        "it is the network that learns.",
        from_zero=True,
        widest=88_800.0,
    ),
    Metric(
        "ended_share",
        "Steps that ended an episode",
        "",
        "",
        "The share of the steps that were taken after which an episode was over for good, and not cut off.",
        from_zero=True,
        widest=0.0888,
    ),
    Metric(
        "final_targets",
        "Targets of rewards alone",
        "",
        "",
        "The share of the targets that hold rewards alone, as nothing follows behind them: those of steps that ended "
        "an episode, or came as near to its end as rewards are counted.",
        from_zero=True,
        widest=0.0888,
    ),
)
