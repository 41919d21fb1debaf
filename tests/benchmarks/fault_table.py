"""Thirty faults of one line each that change what is learned or reported, chosen before it was known which are caught.

They stand where a short first iteration cannot show them: in large batches, which are split into chunks; in schedules
in mid-run; in the order of normaliser, schedule and fit; in what a second or changed iteration inherits; in several
seeds.
"""

from __future__ import annotations

from dataclasses import dataclass

_RULES = "engine/algorithms/policy_gradient"
_SEEDS = "engine/training/many_seeds"
_ITERATION = "tests/engine/training"
CHUNKS, ORDER, SCHEDULES = (
    f"{_ITERATION}/test_chunks.py",
    f"{_ITERATION}/test_order.py",
    "tests/engine/algorithms/test_schedules.py",
)
_OF_RULES = ("proximal", "natural_gradient", "trpo", "off_policy", "exact_ascent", "watching", "update_input")
RULES = ("tests/engine/references", *(f"tests/engine/algorithms/test_{name}.py" for name in _OF_RULES))
RUNS = (f"{_ITERATION}/test_training.py", f"{_ITERATION}/test_training_changes.py")
SEEDS = tuple(f"{_ITERATION}/test_{name}.py" for name in ("joint_actor", "many_seeds_changes", "many_seeds"))
UPDATES = (CHUNKS, *RULES, ORDER, SCHEDULES)
VALUES = (CHUNKS, "tests/engine/values", *RULES, ORDER, SCHEDULES)
BATCHES = ("tests/engine/experience", CHUNKS, *RULES, ORDER, SCHEDULES)
SCHEDULED = (SCHEDULES, *RULES, CHUNKS, ORDER)


@dataclass(frozen=True)
class Fault:
    """``new`` in place of ``old``, which stands in ``file`` exactly once; ``breaks`` says what is wrong then. ``tests``
    are those that are about what it breaks, folders and files."""

    name: str
    breaks: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


FAULTS = (
    # --- large batches, split into chunks -----------------------------------------------------------------------------
    Fault(
        "weights of the first chunk",
        "Every chunk's steps are weighted as those of the first.",
        f"{_RULES}/rule.py",
        "given.weights[chunk.rows], batch.divisor, bonus)",
        "given.weights[: len(log_probs)], batch.divisor, bonus)",
        UPDATES,
    ),
    Fault(
        "entropy of the last chunk",
        "The entropy reported is that of the last chunk, divided by the whole batch.",
        f"{_RULES}/rule.py",
        "entropy + entropies.detach().sum()",
        "entropies.detach().sum()",
        UPDATES,
    ),
    Fault(
        "scores of the last chunk",
        "A baseline per parameter is taken off the last chunk's scores alone.",
        f"{_RULES}/rule.py",
        "scores += flattened(",
        "scores = flattened(",
        UPDATES,
    ),
    Fault(
        "a row between chunks",
        "V is fitted without the last row of every full chunk.",
        "engine/values/fitting.py",
        "slice(k, min(k + most, batch.size))",
        "slice(k, min(k + most - 1, batch.size))",
        VALUES,
    ),
    Fault(
        "first chunk of a value minibatch",
        "Of a large minibatch, V is fitted to the first chunk alone.",
        "engine/values/fitting.py",
        "yield list(torch.split(left.pop(), most))",
        "yield list(torch.split(left.pop(), most))[:1]",
        VALUES,
    ),
    Fault(
        "divergence of one chunk",
        "TRPO's line search takes the largest chunk's divergence for the batch's.",
        f"{_RULES}/trpo.py",
        "sum(divergences) / given.batch.size",
        "max(divergences) / given.batch.size",
        UPDATES,
    ),
    Fault(
        "KL stop by the last chunk",
        "PPO's early stop looks at the last chunk of a minibatch alone.",
        f"{_RULES}/proximal.py",
        "kl = kl + share * (gone if on_device(gone) else gone.item())",
        "kl = gone if on_device(gone) else gone.item()",
        UPDATES,
    ),
    Fault(
        "the same sequences in every minibatch",
        "A policy with a memory sees the sequences of the first minibatch in all of them.",
        "engine/experience/batch.py",
        "yield [self._of_sequences(chosen[some])",
        "yield [self._of_sequences(order[some])",
        BATCHES,
    ),
    Fault(
        "values through time of the first group",
        "With a memory, V of every group of sequences is computed from the first group's observations.",
        "engine/values/critics.py",
        "observations[start:end]",
        "observations[: end - start]",
        VALUES,
    ),
    Fault(
        "Fisher matrix of the first steps",
        "The Fisher matrix is of the first steps of a large batch instead of some from everywhere.",
        "engine/experience/batch.py",
        "torch.arange(0, self.size, every, device=self.advantages.device)",
        "torch.arange(0, min(self.size, most), device=self.advantages.device)",
        BATCHES,
    ),
    # --- schedules in mid-run -----------------------------------------------------------------------------------------
    Fault(
        "a linear schedule that bends",
        "A linear schedule falls along a parabola; both ends are right.",
        "engine/algorithms/outcome.py",
        "left = 1.0 - min(progress, 1.0)",
        "left = (1.0 - min(progress, 1.0)) ** 2",
        SCHEDULED,
    ),
    Fault(
        "the clip range on another schedule",
        "The clip range follows the learning rate's schedule.",
        f"{_RULES}/surrogates.py",
        "scheduled(config.clip_range, config.clip_range_schedule, progress)",
        "scheduled(config.clip_range, config.learning_rate_schedule, progress)",
        SCHEDULED,
    ),
    Fault(
        "a natural gradient without a schedule",
        "NPG's learning rate stays where it began.",
        f"{_RULES}/natural_gradient.py",
        "rate = scheduled(config.learning_rate, config.learning_rate_schedule, given.progress)",
        "rate = config.learning_rate",
        SCHEDULED,
    ),
    Fault(
        "off-policy steps without a schedule",
        "The off-policy rule's learning rate stays where it began.",
        f"{_RULES}/off_policy.py",
        "scheduled(config.learning_rate, config.learning_rate_schedule, given.progress)",
        "scheduled(config.learning_rate, config.learning_rate_schedule, 0.0)",
        SCHEDULED,
    ),
    Fault(
        "the exact gradient without a schedule",
        "The learning rate beside the exact gradient stays where it began.",
        "engine/algorithms/planning/exact_ascent.py",
        "scheduled(config.learning_rate, config.learning_rate_schedule, progress)",
        "scheduled(config.learning_rate, config.learning_rate_schedule, 0.0)",
        SCHEDULED,
    ),
    Fault(
        "no progress",
        "No schedule of an update moves in a run.",
        "engine/training/learners/policy_gradient.py",
        "UpdateInput(batch, config, moment.progress,",
        "UpdateInput(batch, config, 0.0,",
        (*SCHEDULED, *RUNS),
    ),
    Fault(
        "progress of all seeds",
        "The schedules of seeds trained together run down with the steps of all of them.",
        "engine/training/training.py",
        "progress = min(totals.environment_steps / self",
        "progress = min(self.environment_steps / self",
        (SCHEDULES, *SEEDS, ORDER),
    ),
    # --- the order of normaliser, schedule and fit --------------------------------------------------------------------
    Fault(
        "a value function of raw observations",
        "Beside a policy that normalises, V sees observations as they are.",
        "engine/training/learners/policy_gradient.py",
        "convolutional, interaction.normalizer)",
        "convolutional, None)",
        (*RULES, ORDER, *RUNS),
    ),
    Fault(
        "trajectory weights without normalisation",
        "Per trajectory, off-policy advantages are not normalised where they should be.",
        f"{_RULES}/off_policy.py",
        "of_step * (batch.advantages if given.normalized is None else given.normalized)",
        "of_step * batch.advantages",
        ("tests/engine/algorithms/test_off_policy.py", *UPDATES),
    ),
    Fault(
        "a mean for a sum of entropies",
        "TRPO's line search counts the entropy bonus once per chunk instead of once per step.",
        f"{_RULES}/trpo.py",
        "config.entropy_coefficient * now.entropy().sum()",
        "config.entropy_coefficient * now.entropy().mean()",
        ("tests/engine/algorithms/test_trpo.py", *UPDATES),
    ),
    # --- what a second, longer or changed iteration inherits ----------------------------------------------------------
    Fault(
        "an old policy that normalises as at first",
        "PPO's old policy keeps the normaliser's first moments.",
        f"{_RULES}/proximal.py",
        "self._old.load_state_dict(self._policy.state_dict())",
        "self._old.load_state_dict(dict(self._policy.named_parameters()), strict=False)",
        (ORDER, *UPDATES),
    ),
    Fault(
        "written out at any temperature",
        "PPO's written-out gradient is taken for a tempered policy too, which it is not made for.",
        "engine/policies/policy.py",
        "(softmax or normal) and self.temperature == 1.0",
        "(softmax or normal)",
        (*RULES, CHUNKS, ORDER),
    ),
    Fault(
        "a memory of the last rollout's start",
        "A rollout goes on with what was remembered when the last one began.",
        "engine/collection/collectors.py",
        "unfinished.observations, unfinished.memory = observations, memory",
        "unfinished.observations, unfinished.memory = observations, before",
        ("tests/engine/collection", *RUNS),
    ),
    # --- several seeds ------------------------------------------------------------------------------------------------
    Fault(
        "the first seed's learning rate of V",
        "After a change, V is fitted with the learning rate of whichever seed asked first.",
        f"{_SEEDS}/rules.py",
        "each.fitting.step(each.config)",
        "each.fitting.step(asked[0].config)",
        SEEDS,
    ),
    Fault(
        "gradients at another seed's temperature",
        "After a change of temperature, gradients are computed at that of whichever seed asked first.",
        f"{_SEEDS}/rules.py",
        "lambda each: (each.config.entropy_coefficient, each.policy.temperature)",
        "lambda each: each.config.entropy_coefficient",
        SEEDS,
    ),
    Fault(
        "a temperature that is never loaded",
        "Seeds together act at the temperature they began with.",
        f"{_SEEDS}/actor.py",
        "self._temperatures[seed] = policy.temperature",
        "self._temperatures[seed] = self._temperatures[seed]",
        SEEDS,
    ),
    Fault(
        "greedy as the last seed",
        "No seed acts greedily where the seed that was looked at last does not.",
        f"{_SEEDS}/actor.py",
        "self._some_greedy = bool(self._greedy_shares.any())",
        "self._some_greedy = greedy_share > 0.0",
        SEEDS,
    ),
    Fault(
        "acting with the first seed's normaliser",
        "Seeds together see observations in units of the first one's spread as they act.",
        f"{_SEEDS}/actor.py",
        "self._alike = first.normalizer is None and isinstance(",
        "self._alike = isinstance(",
        SEEDS,
    ),
    Fault(
        "learning with the first seed's normaliser",
        "Gradients of seeds together are of observations in units of the first one's spread.",
        f"{_SEEDS}/rules.py",
        "weighted(each.policy, each.given.batch.observations)",
        "weighted(asked[0].policy, each.given.batch.observations)",
        SEEDS,
    ),
    Fault(
        "final observations of the first seed",
        "Every seed's cut episodes go on from what the first one saw last.",
        f"{_SEEDS}/collectors.py",
        "rollout.final_observations[before : before + here]",
        "rollout.final_observations[:here]",
        SEEDS,
    ),
)
