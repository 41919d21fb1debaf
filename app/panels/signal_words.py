"""What the signal panel says of what a run learns from, by what that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.catalogue.methods.reported import SignalKind

if TYPE_CHECKING:  # with torch
    from engine.analysis.samples import Quantity


class SignalWords(NamedTuple):
    """``heading`` stands above the plot where there is nothing to choose, ``meaning`` on hover; ``title`` and
    ``quantity`` name the horizontal axis, with its unit, and ``counted`` says of what the bars are shares."""

    heading: str
    meaning: str
    title: str
    quantity: str
    counted: str
    empty: str


SIGNALS: dict[SignalKind, SignalWords] = {
    "advantage": SignalWords(
        "Advantages",
        "How much better or worse than expected each action was",
        "advantage  Â  (reward)",
        "advantage (reward)",
        "steps",
        "How much better or worse than expected each action was will appear here once the first batch has been "
        "collected.",
    ),
    "td error": SignalWords(
        "TD errors: targets less the values moved to them",
        "The temporal-difference error δ of each step that was learned from: its reward and what is expected to follow "
        "it, less what had been expected. Above 0 things went better than expected, and the value rises; around 0 on "
        "average, values have settled.",
        "TD error  δ  (reward)",
        "TD error (reward)",
        "targets",
        "How far targets lay from the values that are moved to them will appear here once the first steps have been "
        "taken.",
    ),
    "surprise": SignalWords(
        "Surprise: how unlikely the policy takes the teacher's actions to be",
        "−log π(a|s) of each step that is learned from, before the update: 0 where the policy was certain of what the "
        "teacher did, ln 2 ≈ 0.69 where it gave that an even chance. Their mean is the loss.",
        "surprise  −log π(a|s)  (nats)",
        "surprise (nats)",
        "steps",
        "How unlikely the policy takes the teacher's actions to be will appear here once the first episodes have been "
        "played.",
    ),
    "bellman error": SignalWords(
        "Bellman errors: the best action's value less the state's",
        "max Q(s, ·) − V(s) of every state, by the known dynamics: how much its value would change if it were computed "
        "anew. All are 0 once the values are those of the best policy.",
        "Bellman error  max Q − V  (reward)",
        "Bellman error (reward)",
        "states",
        "How far the value of every state is from what its best action is worth will appear here once planning has "
        "begun.",
    ),
}

RAW, NORMALISED, RATIOS = range(3)
VIEWS = (
    ("Raw", "The advantages as estimated, in units of reward"),
    ("Normalised", "Each batch shifted and scaled to mean 0 and standard deviation 1"),
    ("Ratios", ""),  # which depends on the method
)
NOT_KEPT = "No batch of this run was kept here; its next one appears once it goes on."
COMING = "The run's last batch appears here once the learning engine is loaded."
EMPTY_RATIOS = "How much likelier or less likely the actions taken have become will appear here after the first update."
TITLES = {
    NORMALISED: "normalised advantage  (standard deviations)",
    "step": "probability ratio  ρ = π/π<sub>old</sub>",
    "episode": "importance weight  log₁₀ w",
}
SHORT = {RAW: "reward", NORMALISED: "std", "step": "ρ", "episode": "log₁₀ w"}
TIPS = {
    "step": "How much likelier each action has become by the update that it led to; the rule holds this near 1",
    "episode": "How much likelier each whole episode has become: a product of many ratios, so it soon explodes.\n"
    "ESS, the effective sample size: so many episodes of equal weight would tell as much",
    None: "Only PPO's update rules and off-policy ascent compare the policy with the one that acted",
}
NORMALISED_UNIT = "normalised advantage (std)"
RATIO_UNITS = {"step": "probability ratio", "episode": "importance weight (log10)"}


def not_kept_at(iteration: int, signal: SignalKind) -> str:
    """Why nothing is shown of an earlier instant, and where it is made again, as far as it can be."""
    if iteration == 0:
        return "Before the first iteration nothing was learned; move the timeline on."
    again = " Samples, above the timeline, makes it again." if signal in ("advantage", "td error") else ""
    return f"What iteration {iteration:,} learned from was not kept.{again}"


def quantity_of(view: int, ratios: str | None) -> Quantity:
    """What the bars of a view are of; ``ratios`` says whether those are of steps or of episodes."""
    if view == RATIOS:
        return "importance weight" if ratios == "episode" else "ratio"
    return "normalised" if view == NORMALISED else "advantage"
