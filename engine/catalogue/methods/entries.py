"""Everything that can be picked in a list, each with the configuration values that picking it sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One thing that can be picked; ``values`` are the configuration values that picking it sets.

    Those at ``told_by`` decide whether a configuration counts as this entry, all of them where it is empty.
    """

    id: str
    title: str
    summary: str
    values: dict[str, Any]
    told_by: tuple[str, ...] = ()

    @property
    def identity(self) -> dict[str, Any]:
        return {path: value for path, value in self.values.items() if not self.told_by or path in self.told_by}


def _by_id(*entries: Entry) -> dict[str, Entry]:
    return {entry.id: entry for entry in entries}


def _policy(id: str, title: str, summary: str, **values: str) -> Entry:
    return Entry(id, title, summary, {"policy": id.split("-")[0]} | {f"policy.{k}": v for k, v in values.items()})


POLICIES = _by_id(
    _policy(
        "tabular",
        "Tabular softmax",
        "A table with one logit for every state and action; nothing is shared between states.",
    ),
    _policy(
        "linear",
        "Linear",
        "Weighted sums of features of the observation: the smallest policy that generalises.",
    ),
    _policy("mlp", "MLP", "A small neural network turns the observation into a distribution over actions."),
    _policy(
        "gru",
        "GRU, recurrent",
        "A network with a memory: what it saw earlier in the episode counts when one look is not enough.",
    ),
    _policy("cnn", "CNN, convolutional", "A network that looks at images through small windows, the same everywhere."),
)


def _distribution(id: str, title: str, summary: str) -> Entry:
    return Entry(id, title, summary, {"policy.distribution": id})


DISTRIBUTIONS = _by_id(
    _distribution("softmax", "Softmax", "One probability for each action; they sum to 1."),
    _distribution("bernoulli", "Bernoulli", "Every switch is on with a probability of its own."),
    _distribution("gaussian", "Gaussian", "A mean and a spread for each action; what falls outside its bounds is cut."),
    _distribution(
        "tanh-gaussian",
        "Tanh-squashed Gaussian",
        "A Gaussian squashed smoothly into the bounds; the squashing is accounted for in its density.",
    ),
    _distribution("beta", "Beta", "A density that lives exactly between the bounds, so that nothing is ever cut."),
)

COLLECTIONS = _by_id(
    Entry(
        "episodes",
        "Whole episodes",
        "N episodes are played to their ends before the policy is updated.",
        {"collection": "episodes"},
    ),
    Entry(
        "fixed-length",
        "Fixed-length rollouts",
        "Each environment is stepped T times, wherever episodes begin and end; V stands in for what is cut off.",
        {"collection": "fixed-length"},
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
    Entry(
        "n-step",
        "n-step TD",
        "Only n rewards are counted, then the learned value stands in for the rest: less noise, some bias.",
        {"estimator.credit": "n-step"},
    ),
    Entry(
        "gae",
        "GAE(λ)",
        "All n-step advantages, averaged with weights that fall by λ: one dial between noise and bias.",
        {"estimator.credit": "gae"},
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
        "time-average",
        "Average per time step",
        "The average at the same step is subtracted: late steps have less to come than early ones.",
        {"estimator.baseline": "time-average"},
    ),
    Entry(
        "leave-one-out",
        "Leave one out",
        "The average of the other episodes is subtracted: like the average, but without its bias.",
        {"estimator.baseline": "leave-one-out"},
    ),
    Entry(
        "optimal",
        "Variance-optimal",
        "The constant with the least noise: an average in which steps with long gradients count more.",
        {"estimator.baseline": "optimal"},
    ),
    Entry(
        "value",
        "Learned value",
        "A second network predicts the return from each state; only the surprise is left.",
        {"estimator.baseline": "value"},
    ),
    Entry(
        "shared-value",
        "Learned value, shared",
        "The policy's own network also predicts the return: one body, two heads, one loss.",
        {"estimator.baseline": "shared-value"},
    ),
)

UPDATES = _by_id(
    Entry(
        "gradient-ascent",
        "Gradient ascent",
        "One step uphill along the estimated gradient, then new experience.",
        {"update": "gradient-ascent"},
    ),
    Entry(
        "natural-gradient",
        "Natural gradient",
        "The gradient measured in changes of the policy instead of its parameters: F⁻¹g.",
        {"update": "natural-gradient"},
    ),
    Entry(
        "trpo",
        "TRPO",
        "The natural gradient's direction, as far as a KL limit and a true improvement allow.",
        {"update": "trpo"},
    ),
    Entry(
        "ppo-clip",
        "PPO, clipped",
        "Many small steps on the same batch; change beyond the clip range earns nothing.",
        {"update": "ppo-clip"},
    ),
    Entry(
        "ppo-penalty",
        "PPO, KL penalty",
        "Many small steps on the same batch; moving away from the old policy has a fixed price.",
        {"update": "ppo-penalty"},
    ),
    Entry(
        "ppo-lagrangian",
        "PPO, Lagrange multiplier",
        "Moving away has a price that rises while the policy moves too far and falls while it does not.",
        {"update": "ppo-lagrangian"},
    ),
    Entry(
        "off-policy",
        "Off-policy ascent",
        "The same episodes are used several times, reweighted by how likely the new policy would play them.",
        {"update": "off-policy"},
    ),
    Entry(
        "exact-gradient",
        "Exact gradient",
        "No estimate at all: the gradient is computed from the known dynamics, and episodes only show the way.",
        {"update": "exact-gradient"},
    ),
)

_AXES = ("estimator.credit", "estimator.baseline", "update")


@dataclass(frozen=True)
class _Grid:
    """A point on the grid: the two axes, and what else a named algorithm usually comes with."""

    credit: str
    baseline: str
    update: str = "gradient-ascent"
    collection: str = "episodes"
    normalize: bool = False


def _algorithm(id: str, title: str, summary: str, grid: _Grid, **exact: Any) -> Entry:
    values: dict[str, Any] = {
        "collection": grid.collection,
        "estimator.credit": grid.credit,
        "estimator.baseline": grid.baseline,
        "update": grid.update,
        "estimator.normalize_advantages": grid.normalize,
        "estimator.discount_states": False,
    }
    return Entry(id, title, summary, values | exact, _AXES)


def _told_by_n(entry: Entry) -> Entry:
    path = "estimator.credit.n"
    return Entry(entry.id, entry.title, entry.summary, entry.values | {path: 1}, (*entry.told_by, path))


ALGORITHMS = _by_id(
    _algorithm(
        "reinforce",
        "REINFORCE",
        "As Williams wrote it: an episode's actions become likelier in proportion to its return.",
        _Grid("total-return", "none"),
    ),
    _algorithm(
        "reinforce-causality",
        "REINFORCE + causality",
        "Rewards from before an action, which it cannot change, are left out of its credit: less noise.",
        _Grid("reward-to-go", "none"),
    ),
    _algorithm(
        "reinforce-average-baseline",
        "REINFORCE + average baseline",
        "Causality, and the batch's average credit subtracted: better than usual, or worse.",
        _Grid("reward-to-go", "average"),
    ),
    _algorithm(
        "reinforce-optimal-baseline",
        "REINFORCE + optimal baseline",
        "Causality, and the constants subtracted that make the gradient's variance least.",
        _Grid("reward-to-go", "optimal"),
        **{"estimator.baseline.per_parameter": True},
    ),
    _algorithm(
        "reinforce-learned-baseline",
        "REINFORCE + learned baseline",
        "Causality, and a learned value function subtracted: the least noisy of these.",
        _Grid("reward-to-go", "value"),
    ),
    _algorithm(
        "rloo",
        "RLOO",
        "REINFORCE with the average return of the other episodes subtracted: unbiased, and nothing to learn.",
        _Grid("total-return", "leave-one-out"),
    ),
    _told_by_n(
        _algorithm(
            "actor-critic",
            "Actor-critic, one step",
            "The reward and the next state's learned value tell how an action went, without waiting for the end.",
            _Grid("n-step", "value", collection="fixed-length"),
        )
    ),
    _algorithm(
        "a2c",
        "A2C",
        "Several environments in step, a few steps at a time, and the learned value for what comes after.",
        _Grid("n-step", "value", collection="fixed-length"),
        **{"estimator.credit.n": 8, "collection.steps": 8},
    ),
    _algorithm(
        "vpg",
        "VPG with GAE",
        "The vanilla policy gradient: GAE(λ) advantages and one step uphill.",
        _Grid("gae", "value"),
    ),
    _algorithm(
        "npg",
        "NPG",
        "GAE advantages, and a step along the natural gradient.",
        _Grid("gae", "value", "natural-gradient"),
    ),
    _algorithm(
        "trpo",
        "TRPO",
        "GAE advantages, and the longest natural-gradient step that stays in the trust region and improves.",
        _Grid("gae", "value", "trpo"),
    ),
    _algorithm(
        "ppo",
        "PPO",
        "GAE advantages, and several epochs on the clipped surrogate: what most people use.",
        _Grid("gae", "value", "ppo-clip", "fixed-length", True),
    ),
    _algorithm(
        "ppo-penalty",
        "PPO with a KL penalty",
        "The surrogate with a fixed price on the KL divergence from the old policy.",
        _Grid("gae", "value", "ppo-penalty", "fixed-length", True),
    ),
    _algorithm(
        "ppo-lagrangian",
        "PPO with a Lagrange multiplier",
        "The surrogate with a price on the divergence that adjusts itself.",
        _Grid("gae", "value", "ppo-lagrangian", "fixed-length", True),
    ),
    _algorithm(
        "off-policy-pg",
        "Off-policy policy gradient",
        "Each episode serves several steps, with importance weights for how the policy has moved since.",
        _Grid("reward-to-go", "average", "off-policy"),
    ),
    Entry(
        "exact-gradient",
        "Exact policy gradient",
        "Ascent along the true gradient, where the dynamics are known: what all the others estimate.",
        {"update": "exact-gradient"},
    ),
)

DEVICES = ("auto", "cpu", "cuda", "mps")
