"""Every reported quantity: its name in reports, what a person calls it, its symbol, unit and meaning."""

from __future__ import annotations

from engine.reports.diagnostic_metrics import DIAGNOSTIC
from engine.reports.metric import Metric
from engine.reports.teaching_metrics import TEACHING

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "mean_return",
            "Mean return",
            "R̄",
            "reward",
            "The mean undiscounted return of the last 100 finished episodes, always in raw rewards.",
        ),
        Metric("mean_length", "Mean length", "T̄", "steps", "The mean length of this iteration's episodes."),
        Metric(
            "first_value",
            "Value at the start",
            "V(s₀)",
            "reward",
            "What the first state is taken to be worth, averaged over the episodes that have just ended: max Q where "
            "the policy follows from values, of an actor-critic Q of the action that the policy prefers, or V of a "
            "critic. Above their discounted return, values are overestimates, unless random actions cost much of that. "
            "Those of a soft actor-critic count the entropy to come as well.",
            against=("discounted_return", "return"),
        ),
        Metric(
            "discounted_return",
            "Discounted return",
            "Σ γᵗr",
            "reward",
            "What the episodes that have just ended brought, as discounted return from their first step, in the "
            "rewards that learning sees; random actions included, and without what would have followed where they were "
            "cut off.",
        ),
        Metric(
            "largest_value",
            "Largest value",
            "max Q",
            "reward",
            "The mean, over the states that were acted in, of the value of the action that looks best, as discounted "
            "return: where it grows without end, estimates chase each other.",
        ),
        Metric(
            "target_mean",
            "Targets, mean",
            "E[y]",
            "reward",
            "What values were drawn towards, averaged over the minibatches that were learned from: where it rises "
            "without end together with the estimates, these chase each other.",
            against=("estimate_mean", "estimates"),
        ),
        Metric(
            "estimate_mean",
            "Estimates, mean",
            "E[Q]",
            "reward",
            "What the same actions were taken to be worth before they were drawn towards their targets.",
        ),
        Metric(
            "gradient_noise",
            "Gradient noise",
            "σ(ĝ)",
            "reward",
            "How far the policy gradient, in the policy's outputs, differs from state to state where it sums over all "
            "actions; and how far it would with one action drawn in each, whose advantage is taken from the same "
            "values. Both are the same on average.",
            from_zero=True,
            against=("sampled_gradient_noise", "one drawn"),
        ),
        Metric(
            "sampled_gradient_noise",
            "Gradient noise, one action drawn",
            "σ(ĝ₁)",
            "reward",
            "How far the policy gradient, in the policy's outputs, would differ from sample to sample with one action "
            "drawn in each state.",
            from_zero=True,
        ),
        Metric(
            "td_error_mean",
            "TD error, mean",
            "E[δ]",
            "reward",
            "How far targets lay above the values that were drawn towards them, averaged over the steps that were "
            "learned from: near 0 once values have settled.",
        ),
        Metric(
            "td_error_size",
            "TD error, size",
            "E|δ|",
            "reward",
            "How far targets lay from the values that were drawn towards them, either way: it stays above 0 where "
            "rewards or what follows is random.",
            from_zero=True,
        ),
        Metric(
            "value_error",
            "Error of the values",
            "|Q − q|",
            "reward",
            "How far the values are from the true ones, averaged over all that was tried, each as often as it was; "
            "these are computed from the known dynamics, without a time limit: of the best policy, or of the one that "
            "acts where its values are learned, as long as its episodes would end by themselves. Where it is planned, "
            "the largest error of any state's value.",
            from_zero=True,
        ),
        Metric(
            "replay_age",
            "Replay age",
            "",
            "steps",
            "How many environment steps ago the transitions were taken that were learned from, on average: the older, "
            "the less like what the policy does now.",
            from_zero=True,
            widest=88_800.0,
        ),
        Metric(
            "epsilon",
            "Random share",
            "ε",
            "",
            "The share of actions drawn blindly in this iteration.",
            from_zero=True,
            widest=0.888,
        ),
        Metric(
            "loss",
            "Policy loss",
            "L",
            "",
            "What the update descends: the negative objective of the equation, less the entropy bonus. Its gradient "
            "matters; its value need not fall as the policy improves.",
        ),
        Metric(
            "entropy",
            "Entropy",
            "H",
            "nats",
            "How undecided the policy is, averaged over the visited states: ln of the number of actions when it picks "
            "blindly, 0 when it is certain. That of continuous actions can be negative.",
            from_zero=True,
        ),
        Metric(
            "grad_norm",
            "Gradient norm",
            "‖ĝ‖",
            "",
            "The length of the estimated gradient before any clipping, at the update's first step, that of a value "
            "which shares the network included; averaged over the steps where old experience is learned from. Large "
            "swings mean a noisy estimate.",
            from_zero=True,
        ),
        Metric(
            "kl",
            "KL divergence",
            "KL",
            "nats",
            "How far this update moved the policy: KL(π_old‖π), computed from both distributions and averaged over the "
            "visited states.",
            from_zero=True,
            widest=8.8e-8,
        ),
        Metric(
            "approx_kl",
            "KL, estimated",
            "≈ KL",
            "nats",
            "How far this update moved the policy: KL(π_old‖π), averaged over the visited states; an estimate from the "
            "actions that were taken in them.",
            from_zero=True,
            widest=8.8e-8,
        ),
        Metric(
            "clip_fraction",
            "Clip fraction",
            "",
            "",
            "The share of steps whose probability ratio has left the clip range at the update's end.",
            from_zero=True,
            widest=0.00888,
        ),
        Metric(
            "effective_sample_size",
            "Effective sample size",
            "ESS",
            "episodes",
            "How many equally weighted episodes the reweighted ones are worth at the update's last step, "
            "(Σw)²/Σw²: near 1, a single episode decides the gradient.",
            from_zero=True,
            widest=88.8,
        ),
        Metric(
            "largest_weight",
            "Largest weight",
            "log₁₀ w",
            "",
            "The largest importance weight of an episode at the update's last step, before any truncation, as a power "
            "of ten; products of many ratios explode.",
            widest=-0.0888,
        ),
        Metric(
            "multiplier",
            "Multiplier",
            "λ",
            "",
            "The price of KL divergence after this update: it rises while the policy moves too far, else it falls, but "
            "not below 0.",
            from_zero=True,
        ),
        Metric(
            "line_search",
            "Line search",
            "",
            "",
            "The share of the full trust-region step that was taken; 0 where there was no gradient, or no try improved "
            "the surrogate within the region, and the policy stayed as it was.",
            from_zero=True,
            widest=0.888,
        ),
        Metric(
            "exact_return",
            "Exact return",
            "J(θ)",
            "reward",
            "The policy's expected discounted return before this update, of the rewards that learning sees, computed "
            "from the known dynamics.",
        ),
        Metric(
            "bellman_residual",
            "Bellman residual",
            "‖TV − V‖",
            "reward",
            "How far the values are from holding Bellman's optimality equation after this update, in the state where "
            "it is furthest: 0 once they are those of the best policy.",
            from_zero=True,
            widest=8.8e-8,
        ),
        Metric(
            "backups",
            "Backups",
            "",
            "states",
            "How many values of single states have been computed since the run began; a sweep computes that of each.",
            from_zero=True,
            widest=88_800.0,
        ),
        *TEACHING,
        Metric(
            "learning_rate",
            "Learning rate",
            "α",
            "",
            "The step size of this update, where a schedule changes it.",
            from_zero=True,
            widest=8.8e-8,
        ),
        Metric(
            "explained_variance",
            "Explained variance",
            "EV",
            "",
            "How much of the returns' variance the learned value function predicts, 1 − Var(G − V)/Var(G), as it "
            "was when it was subtracted: 1 is perfect but for a constant, 0 no better than one, below 0 worse. "
            "There is none where all returns are equal, as before an environment rewards for the first time: their "
            "variance is 0.",
            widest=-0.888,
        ),
        Metric(
            "value_loss",
            "Value loss",
            "L_V",
            "reward²",
            "Mean squared error of the learned value function: at its last fitting step, or averaged over the steps "
            "where it is fitted along with the policy. Of action values the loss that they descend, half the squared "
            "error or Huber's.",
            from_zero=True,
            widest=8.8e-8,
        ),
        Metric(
            "advantage_mean",
            "Advantage mean",
            "E[Â]",
            "reward",
            "Mean of the batch's advantages before normalisation; near 0 when the baseline fits.",
        ),
        Metric(
            "advantage_std",
            "Advantage spread",
            "σ(Â)",
            "reward",
            "Standard deviation of the batch's advantages before normalisation; a better baseline makes it smaller.",
        ),
        *DIAGNOSTIC,
        Metric(
            "temperature",
            "Temperature",
            "α",
            "reward",
            "What a nat of the policy's entropy is worth to it; where it is automatic, it rises while the entropy is "
            "below its target.",
            from_zero=True,
        ),
        Metric(
            "target_entropy",
            "Target entropy",
            "H̄",
            "nats",
            "The entropy that an automatic temperature keeps, of the whole action and in the units of the entropy "
            "beside it: of continuous ones H₁ for each component and ln of half the width of its bounds, as H₁ is in "
            "units in which they are −1 and 1; of discrete ones the chosen share of ln |A|.",
        ),
        Metric(
            "gradient_steps",
            "Gradient steps",
            "",
            "",
            "How many gradient steps this update took; 0 where it left the policy as it was.",
            from_zero=True,
        ),
        Metric(
            "steps_per_second",
            "Speed",
            "",
            "steps/s",
            "Environment steps per second of training, over the last iteration; pauses do not count.",
            from_zero=True,
            widest=88_800.0,
        ),
    )
}
