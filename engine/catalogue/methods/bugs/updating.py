"""Bugs in how a policy or values are updated, and in how actions are chosen."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.bugs.record import (
    Bug,
    learned_value,
    policy_gradient,
    replays,
    several_steps,
)
from engine.catalogue.methods.distribution import distribution_in
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PolicyGradientConfig, RunConfig, ValueBasedConfig
from engine.config.actor_critic import SAC
from engine.config.estimators import SharedValueBaseline, WholeEpisodes
from engine.config.updates import GradientAscent, PPOClip, PPOLagrangian, PPOPenalty
from engine.runtime.errors import Refusal


def _wrong_sign(config: RunConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    yield from policy_gradient(config)


def _clipped_log_prob(config: RunConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    yield from policy_gradient(config)
    if not environment.action.bounds or distribution_in(config, environment) != "gaussian":
        yield Refusal("No action is clipped", "choose a Gaussian, and an environment whose actions have bounds")


def _missing_log_det(config: RunConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    if not isinstance(config.update, SAC) or environment.action.kind != "box":
        yield Refusal(
            "Stored actions make the determinant a constant, which no gradient feels; only where actions are drawn "
            "anew does it matter",
            "choose SAC with continuous actions",
        )


def _mean_over_time(config: RunConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    yield from policy_gradient(config)
    if isinstance(config, PolicyGradientConfig) and not isinstance(config.collection, WholeEpisodes):
        yield Refusal("Fixed-length rollouts are averaged over all steps anyway", "collect whole episodes")
    yield from several_steps(environment)


def _attached(config: RunConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    yield from policy_gradient(config)
    yield from learned_value(config)
    if isinstance(config, PolicyGradientConfig):
        if not isinstance(config.update, GradientAscent):
            yield Refusal("The gradient of this rule does not come from one loss", "choose gradient ascent")
        if config.estimator.normalize_advantages:
            yield Refusal("Normalising takes off again what V adds to all", "do not normalise advantages")
        baseline = config.estimator.baseline
        if isinstance(baseline, SharedValueBaseline) and baseline.coefficient == 0.0:
            yield Refusal("V, whose loss counts for nothing, learns nothing", "set its coefficient above 0")


def _stale(config: RunConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    yield from policy_gradient(config)
    if not isinstance(config.update, PPOClip | PPOPenalty | PPOLagrangian):
        yield Refusal("There are no ratios to an old policy", "choose PPO")


def _reversed(config: RunConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    if not isinstance(config, ValueBasedConfig):
        yield Refusal("Nothing explores with ε", "choose Q-learning, SARSA or DQN")


def _never_copied(config: RunConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    yield from replays(config)


def _dones_ignored(config: RunConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    yield from replays(config)  # a table's terminal states are worth 0 whatever is added
    if environment.id in _ENDLESS or config.environment.options.get("terminate_when_unhealthy") is False:
        yield Refusal(f"No episode of {environment.id} terminates", "choose an environment in which they do")


_ENDLESS = ("Pendulum-v1", "HalfCheetah-v5", "Reacher-v5", "Swimmer-v5", "Pusher-v5", "HumanoidStandup-v5")

UPDATING = (
    Bug(
        "wrong-sign",
        "sign of the loss",
        "The optimiser minimises, and the loss lacks its minus: what went well becomes less likely.",
        "loss = −mean(log π(a|s)·A)",
        "loss = +mean(log π(a|s)·A)",
        "The return falls below that of a random policy and stays there.",
        _wrong_sign,
        "Jones (2021), ‘Debugging reinforcement learning systems’",
    ),
    Bug(
        "clipped-log-prob",
        "log-prob of the clipped action",
        "log π is taken of the action after it was clipped to its bounds, not of the one that was drawn.",
        "log_prob(a);   env.step(clip(a))",
        "a = clip(a);   log_prob(a);   env.step(a)",
        "Actions beyond the bounds look less extreme than they were: entropy falls where they are credited with more "
        "than was expected, and rises where with less.",
        _clipped_log_prob,
        "Huang et al. (2022), ‘The 37 implementation details of PPO’, on storing the original action",
    ),
    Bug(
        "missing-log-det",
        "missing log-determinant",
        "The density of a squashed action lacks the tanh's derivative: it is that of the number before squashing.",
        "log π(a) = log N(u) − Σ log(1 − tanh² u)",
        "log π(a) = log N(u)",
        "Entropy pays without end: the Gaussian grows wide or its mean runs off, actions lie on their bounds, while "
        "the entropy that is reported keeps to its target.",
        _missing_log_det,
        "Haarnoja et al. (2018), ‘Soft actor-critic’, appendix C",
    ),
    Bug(
        "mean-over-time",
        "mean for sum over time",
        "The steps of an episode are averaged in place of summed: a step of a long episode counts less.",
        "loss = −1/N Σ_i Σ_t log π·A",
        "loss = −1/N Σ_i 1/T_i Σ_t log π·A",
        "Steps are smaller by the length of an episode, and learning favours whatever ends soon. Optimisers that scale "
        "by the gradient's size hide the first.",
        _mean_over_time,
        "Williams (1992), as in [lecture]: the log-probability of a trajectory is a sum",
    ),
    Bug(
        "attached-baseline",
        "baseline not detached",
        "The policy's loss is differentiated through V as well, which is so pulled to where the loss is smaller.",
        "A = G − V(s).detach()",
        "A = G − V(s)",
        "V comes to lie far above the returns, or far below them where log π is positive, as of a narrow density: raw "
        "advantages have a mean far from 0, and the value loss stays large. "
        "The return may be as ever, since any V is a baseline.",
        _attached,
        "Mnih et al. (2016), where V in the policy's gradient is a constant",
    ),
    Bug(
        "stale-log-probs",
        "stale log-probs",
        "The ratio's denominator is the policy of the update before, not the one that acted.",
        "ρ = π(a|s) / π_acted(a|s)",
        "ρ = π(a|s) / π_one update earlier(a|s)",
        "Ratios are not 1 as an update begins: more is clipped than the epochs explain, and KL is that of two updates.",
        _stale,
        "Schulman et al. (2017), ‘Proximal policy optimization algorithms’",
    ),
    Bug(
        "reversed-epsilon",
        "ε for 1 − ε",
        "The coin is read the wrong way round: a random action is taken with the probability 1 − ε.",
        "explore if random() < ε",
        "explore if random() > ε",
        "It acts greedily while it knows nothing, and ever more at random as it learns: the return gets worse while "
        "values get better.",
        _reversed,
        "Watkins (1989); Sutton & Barto (2018), section 2.2",
    ),
    Bug(
        "target-never-copied",
        "target network never copied",
        "The target network stays what it was before anything was learned, so that targets know but the next reward.",
        "θ⁻ = (1 − τ)·θ⁻ + τ·θ",
        "θ⁻ = θ⁻",
        "Targets and values stay near what one reward is worth, however much the return rises; errors settle soon.",
        _never_copied,
        "Mnih et al. (2015), ‘Human-level control through deep reinforcement learning’",
    ),
    Bug(
        "dones-ignored",
        "dones ignored in replay",
        "The value of what follows is added behind a termination as well, where nothing follows.",
        "y = r + γ·(1 − terminated)·max Q(s′)",
        "y = r + γ·max Q(s′)",
        "Values rise far beyond any return, towards r/(1 − γ), and no step is worth more than another for not ending "
        "the episode.",
        _dones_ignored,
        "Mnih et al. (2015), algorithm 1, which sets y = r there",
    ),
)
