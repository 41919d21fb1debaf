"""Off-policy ascent: the same episodes several times, reweighted by how likely the policy would play them."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.points import Point, algorithm
from engine.catalogue.methods.spec import Entry, Method, UpdateSpec
from engine.config.estimators import GAE, AverageBaseline, FixedLengthRollouts, RewardToGo, ValueBaseline
from engine.config.updates import OffPolicy
from engine.runtime.errors import Refusal


def _fits(method: Method) -> Iterator[Refusal]:
    exploration, update = method.config.exploration, method.config.update
    assert isinstance(update, OffPolicy)
    if update.weighting == "v-trace":
        yield from _v_trace_fits(method)
    elif method.collection.cuts:
        yield Refusal("Products of ratios weigh whole episodes", "collect whole episodes, or weigh by v-trace")
    if min(exploration.greedy_start, exploration.greedy_end) == 1.0 and method.environment.action.kind == "box":
        yield Refusal(
            "Where every action is the policy's most likely one, a density over actions would never draw it, so every "
            "weight is 0",
            "use fewer greedy actions, or another update rule",
        )


def _v_trace_fits(method: Method) -> Iterator[Refusal]:
    if method.baseline.learned is None:
        yield Refusal("V-trace weighs the surprises of a learned value", "choose a learned value as baseline")
    if not isinstance(method.config.estimator.credit, RewardToGo | GAE):
        yield Refusal("V-trace has a recursion of its own for credit", "choose reward-to-go, or GAE for a λ below 1")


def _biases(method: Method) -> Iterator[str]:
    update, exploration = method.config.update, method.config.exploration
    assert isinstance(update, OffPolicy)
    if max(exploration.greedy_start, exploration.greedy_end) == 1.0:
        yield "Where every action is greedy, the others are never tried, and no weight makes up for that."
    # The first update on episodes of the policy's own weighs them all 1.
    weighs = update.updates_per_batch > 1 or max(exploration.greedy_start, exploration.greedy_end) > 0.0
    if update.weighting == "v-trace":
        if weighs:
            yield "States count as often as the policy that acted came to them, not as often as the present one would."
        if weighs or min(update.most_ratio, update.most_trace) < 1.0:
            yield "Ratios are cut off, so what carries them counts too little, and the learned value stands in for it."
    elif update.self_normalized and weighs:
        yield "Self-normalised weights have a bias that vanishes as episodes become many."
    if update.weighting != "v-trace" and update.truncation > 0.0 and (weighs or update.truncation < 1.0):
        yield "Weights above the largest are cut down to it, so what carries them counts too little."
    if update.updates_per_batch > 1:
        yield "From the second update on, the policy was chosen by the very episodes that judge it."


_V_TRACE = algorithm(
    "v-trace",
    "V-trace actor-critic",
    "A learned value and several steps on the same rollouts, each surprise weighed by its own cut-off ratio.",
    Point(RewardToGo, ValueBaseline, OffPolicy, FixedLengthRollouts),
    **{"update.weighting": "v-trace"},
)

SPEC = UpdateSpec(
    order=70,
    entry=Entry(
        "off-policy",
        "Off-policy ascent",
        "The same episodes are used several times, reweighted by how likely the new policy would play them.",
        {"update": "off-policy"},
    ),
    algorithms=(
        algorithm(
            "off-policy-pg",
            "Off-policy policy gradient",
            "Each episode serves several steps, with importance weights for how the policy has moved since.",
            Point(RewardToGo, AverageBaseline, OffPolicy),
            **{"update.weighting": "per-decision"},
        ),
        _V_TRACE._replace(told_by=(*_V_TRACE.told_by, "update.weighting")),
    ),
    fits=_fits,
    whole_episodes=None,
    shares_layers=False,
    one_advantage=True,
    weighs_actors=True,
    biases=_biases,
    pinned=("update.learning_rate", "update.updates_per_batch", "update.truncation"),
    metrics=("effective_sample_size", "largest_weight"),
    ratios="episode",
)
