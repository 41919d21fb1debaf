"""What can be picked: titles, sentences, which choices fit together, and how many parameters a policy has.

Everything here is plain data and pure functions over ``RunConfig``, importable without torch or gymnasium, so that the
window can show it at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from engine.config import PolicyConfig, RunConfig
from engine.parameters import with_values


@dataclass(frozen=True)
class Space:
    """A Gymnasium space as far as choices depend on it.

    ``size`` is n for a discrete space and the number of components for a box; ``labels`` name a discrete space's
    actions, or a box's components, where a person would not guess them.
    """

    kind: Literal["discrete", "box"]
    size: int
    labels: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.size} discrete" if self.kind == "discrete" else f"{self.size} continuous"


@dataclass(frozen=True)
class EnvironmentInfo:
    """What is known of an environment without making it; ``solved_at`` is the mean return at which it counts solved."""

    id: str
    title: str
    summary: str
    observation: Space
    action: Space
    time_limit: int | None = None
    solved_at: float | None = None


def _discrete(size: int, *labels: str) -> Space:
    return Space("discrete", size, labels)


def _box(size: int, *labels: str) -> Space:
    return Space("box", size, labels)


ENVIRONMENTS: dict[str, EnvironmentInfo] = {
    info.id: info
    for info in (
        EnvironmentInfo(
            "CartPole-v1",
            "Cart pole",
            "Keep a pole upright by pushing its cart left or right; every step it stands earns 1.",
            _box(4),
            _discrete(2, "push left", "push right"),
            500,
            475.0,
        ),
        EnvironmentInfo(
            "Acrobot-v1",
            "Acrobot",
            "Swing a two-link arm above a line by a torque at its elbow; each step till then costs 1.",
            _box(6),
            _discrete(3, "torque −1", "no torque", "torque +1"),
            500,
            -100.0,
        ),
        EnvironmentInfo(
            "MountainCar-v0",
            "Mountain car",
            "Rock a weak car out of a valley; every step costs 1, and luck alone rarely gets out.",
            _box(2),
            _discrete(3, "left", "coast", "right"),
            200,
            -110.0,
        ),
        EnvironmentInfo(
            "Pendulum-v1",
            "Pendulum",
            "Swing a pendulum up by a torque and hold it there; being off the top costs at each step.",
            _box(3),
            _box(1, "torque"),
            200,
            -200.0,
        ),
        EnvironmentInfo(
            "LunarLander-v3",
            "Lunar lander",
            "Land softly between two flags: about 200 for it; fuel costs, and a crash costs 100.",
            _box(8),
            _discrete(4, "idle", "left engine", "main engine", "right engine"),
            1000,
            200.0,
        ),
        EnvironmentInfo(
            "FrozenLake-v1",
            "Frozen lake",
            "Cross slippery ice without falling into a hole; only reaching the goal earns 1.",
            _discrete(16),
            _discrete(4, "left", "down", "right", "up"),
            100,
            0.70,
        ),
    )
}


@dataclass(frozen=True)
class Entry:
    """One thing that can be picked; ``values`` are the configuration values that picking it sets."""

    id: str
    title: str
    summary: str
    values: dict[str, str]


def _by_id(*entries: Entry) -> dict[str, Entry]:
    return {entry.id: entry for entry in entries}


POLICIES = _by_id(
    Entry(
        "tabular",
        "Tabular softmax",
        "A table with one logit for every state and action; nothing is shared between states.",
        {"policy": "tabular"},
    ),
    Entry(
        "linear",
        "Linear softmax",
        "Logits are weighted sums of the observation: the smallest policy that generalises.",
        {"policy": "linear", "policy.distribution": "softmax"},
    ),
    Entry(
        "mlp",
        "MLP softmax",
        "A small neural network turns the observation into logits, one for each action.",
        {"policy": "mlp", "policy.distribution": "softmax"},
    ),
    Entry(
        "linear-gaussian",
        "Linear Gaussian",
        "A weighted sum of the observation gives the mean action; its spread is learned as well.",
        {"policy": "linear", "policy.distribution": "gaussian"},
    ),
    Entry(
        "mlp-gaussian",
        "MLP diagonal Gaussian",
        "A small neural network gives the mean action; its spread is learned, alike in all states.",
        {"policy": "mlp", "policy.distribution": "gaussian"},
    ),
)

CREDITS = _by_id(
    Entry(
        "total-return",
        "Total return",
        "Every action is credited with its whole episode, even with rewards from before it.",
        {"estimator.credit": "total-return"},
    ),
    Entry(
        "reward-to-go",
        "Reward-to-go",
        "An action is credited only with rewards from its own step on: it cannot change the past.",
        {"estimator.credit": "reward-to-go"},
    ),
)

BASELINES = _by_id(
    Entry(
        "none",
        "None",
        "Nothing is subtracted: if all rewards are positive, all actions taken become likelier.",
        {"estimator.baseline": "none"},
    ),
    Entry(
        "average",
        "Average return",
        "The batch's average is subtracted: better than usual is encouraged, worse discouraged.",
        {"estimator.baseline": "average"},
    ),
    Entry(
        "value",
        "Learned value",
        "A second network predicts the return from each state; only the surprise is left.",
        {"estimator.baseline": "value"},
    ),
)

UPDATES = _by_id(
    Entry(
        "gradient-ascent",
        "Gradient ascent",
        "One step uphill along the estimated gradient, with SGD or Adam, then new episodes.",
        {"update": "gradient-ascent"},
    ),
)


def _algorithm(id: str, title: str, summary: str, credit: str, baseline: str) -> Entry:
    values = {"estimator.credit": credit, "estimator.baseline": baseline, "update": "gradient-ascent"}
    return Entry(id, title, summary, values)


ALGORITHMS = _by_id(
    _algorithm(
        "reinforce",
        "REINFORCE",
        "As Williams wrote it: an episode's actions become likelier in proportion to its return.",
        "total-return",
        "none",
    ),
    _algorithm(
        "reinforce-causality",
        "REINFORCE + causality",
        "Rewards from before an action, which it cannot change, are left out of its credit: less noise.",
        "reward-to-go",
        "none",
    ),
    _algorithm(
        "reinforce-average-baseline",
        "REINFORCE + average baseline",
        "Causality, and the batch's average credit subtracted: better than usual, or worse.",
        "reward-to-go",
        "average",
    ),
    _algorithm(
        "reinforce-learned-baseline",
        "REINFORCE + learned baseline",
        "Causality, and a learned value function subtracted: the least noisy of these.",
        "reward-to-go",
        "value",
    ),
)

DEVICES = ("auto", "cpu", "cuda", "mps")


def choose(config: RunConfig, entry: Entry) -> RunConfig:
    """``config`` with ``entry`` picked; what the entry leaves unchanged keeps its parameters.

    Raises:
        RequestError: never for entries of this catalogue on a valid configuration.
    """
    changes: dict[str, str] = {}
    for path, value in entry.values.items():
        current: object = config
        for name in path.split("."):
            current = getattr(current, name, None)
        if value != getattr(current, "kind", current):
            changes[path] = value
    return with_values(config, changes)


def picked(config: RunConfig, entries: dict[str, Entry], environment: EnvironmentInfo) -> Entry | None:
    """The entry of ``entries`` that ``config`` amounts to in ``environment``, or None where it is none of them."""
    explicit = config
    if config.policy.distribution == "auto":
        explicit = with_values(config, {"policy.distribution": distribution_of(config.policy, environment)})
    return next((entry for entry in entries.values() if choose(explicit, entry) == explicit), None)


def distribution_of(policy: PolicyConfig, environment: EnvironmentInfo) -> Literal["softmax", "gaussian"]:
    """The distribution a policy has in an environment; ``auto`` follows the action space."""
    if policy.distribution != "auto":
        return policy.distribution
    return "softmax" if policy.kind == "tabular" or environment.action.kind == "discrete" else "gaussian"


def refusal(config: RunConfig, environment: EnvironmentInfo) -> str | None:
    """Why ``config`` cannot work in ``environment``, as one sentence with what would; None when it can."""
    policy, actions = config.policy, environment.action
    if policy.kind == "tabular" and environment.observation.kind != "discrete":
        return (
            f"A tabular policy needs discrete states, but {environment.id} observes "
            f"{environment.observation.size} continuous numbers; use a linear or MLP policy."
        )
    distribution = distribution_of(policy, environment)
    if distribution == "softmax" and actions.kind != "discrete":
        return (
            f"A softmax chooses among discrete actions, but {environment.id} takes {actions.size} continuous "
            f"{'number' if actions.size == 1 else 'numbers'}; use a Gaussian policy."
        )
    if distribution == "gaussian" and actions.kind != "box":
        return (
            f"A Gaussian gives continuous actions, but {environment.id} has {actions.size} discrete ones; "
            "use a softmax policy."
        )
    credit, baseline = config.estimator.credit, config.estimator.baseline
    if credit.kind == "total-return" and baseline.kind == "average" and config.update.episodes_per_update == 1:
        return (
            "With one episode per update the average return is that episode's own return, so every advantage is 0; "
            "use at least 2 episodes per update, or reward-to-go."
        )
    return None


def parameter_count(policy: PolicyConfig, environment: EnvironmentInfo) -> int:
    """How many numbers the policy learns in ``environment``: weights and biases, and a Gaussian's log-stds.

    A discrete observation enters as a one-hot vector. The value network of a learned baseline is not counted.
    """
    inputs, outputs = environment.observation.size, environment.action.size
    if policy.kind == "tabular":
        return inputs * outputs
    hidden = policy.hidden_sizes if policy.kind == "mlp" else ()
    weights = sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise((inputs, *hidden, outputs)))
    return weights + (outputs if distribution_of(policy, environment) == "gaussian" else 0)
