"""What is said of a sample, in words: its state, where its advantage comes from, and what the update did with it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from app.models.recordings import action_words
from app.panels.episode.action_drawings import action_label
from app.style.format import minus, short_number
from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config import PolicyGradientConfig, RunConfig
from engine.config.estimators import OptimalBaseline, RewardToGo
from engine.mdp.state_names import state_names

if TYPE_CHECKING:  # with torch
    from engine.analysis.inspecting import Approach
    from engine.analysis.samples import Samples

_MOST = 8  # numbers of a state that are written out
_BELOW = "₁₂₃₄"
_PER_PARAMETER = "b is another for every parameter, and subtracted from the gradient"


def approach_words(approach: Approach) -> str:
    """How far making an iteration again has come."""
    at, count = max(approach.iteration - approach.began, 1), approach.wanted - approach.began
    under_way = f"number {at:,} of {count:,} iterations is under way" if count > 1 else "it is under way"
    return (
        f"Iteration {approach.wanted:,} is made again, from all that was kept of the run after iteration "
        f"{approach.began:,}: {under_way}. The run itself is not touched."
    )


def headings(samples: Samples, words: str, count: int) -> tuple[str, str]:
    """Which ``count`` of the steps of an iteration are listed, of which ``words`` say what they have in common; and
    that in less room."""
    iteration, steps = f"iteration {samples.looked.iteration:,}", f"{len(samples):,}"
    if not words:
        return f"{iteration} · {steps} steps", ""
    listed = f"{count:,} of {steps}"
    return f"{iteration} · {words} · {listed} steps", f"{iteration} · {words.replace('advantage', 'Â')} · {listed}"


def state_words(observation: Any, environment: EnvironmentInfo, config: RunConfig) -> str:
    """A state by its name, or by the names of its components."""
    seen = environment.observation
    numbers = observation.reshape(-1).tolist() if hasattr(observation, "reshape") else [observation]
    if seen.kind == "discrete" and len(numbers) == 1:
        names = state_names(config.environment, seen.size)
        return names[int(numbers[0])] if 0 <= int(numbers[0]) < len(names) else f"state {int(numbers[0]) + 1}"
    if seen.image:
        return f"an image of {' × '.join(map(str, seen.shape))} numbers"
    count, labels = len(numbers), seen.labels
    shown = numbers
    if labels and count > len(labels) and count % len(labels) == 0:
        shown = numbers[-len(labels) :]  # of several moments the last
    if len(labels) == len(shown):
        named = [f"{label} {short_number(number)}" for label, number in zip(labels, shown, strict=True)]
    else:
        named = [short_number(number) for number in shown]
    more = f" and {len(named) - _MOST:,} more" if len(named) > _MOST else ""
    return ", ".join(named[:_MOST]) + more


def done(action: Any, space: Space) -> str:
    """An action by its name."""
    if space.kind == "discrete":
        return action_label(space, int(action))
    return action_words(action, space)


def advantage_words(samples: Samples, row: int) -> str:
    """Where the advantage comes from, "Â = Ψ − b = 12.3 − 10.1 = 2.2", or of an old step its error δ."""
    batch, config = samples.looked.batch, samples.looked.config
    credit, baseline, advantage = (float(of[row]) for of in (batch.credit, batch.baseline, batch.advantages))
    if samples.looked.networks is not None:
        return "; ".join(
            _difference(f"δ{_BELOW[number]} = y − Q{_BELOW[number]}(s, a)", credit, float(value[row]))
            for number, value in enumerate(samples.looked.networks.values)
        )
    terms = _alike(credit, baseline, advantage)
    what = "δ = y − Q(s, a)" if samples.looked.single else "Â = Ψ − b"
    words = _difference(what, credit, baseline)
    chosen = config.estimator.baseline if isinstance(config, PolicyGradientConfig) else None
    if isinstance(chosen, OptimalBaseline) and chosen.per_parameter:
        words = f"Â = Ψ = {terms[2]}; {_PER_PARAMETER}"
    weight = float(batch.weights[row])
    return words if math.isclose(weight, advantage, rel_tol=1e-5) else f"{words}, weighs {short_number(weight)}"


def cut_words(samples: Samples, row: int) -> str:
    """Why a reward-to-go is not the G beside it; empty where it is, or where the credit is another."""
    batch, config = samples.looked.batch, samples.looked.config
    if not isinstance(config, PolicyGradientConfig) or not isinstance(config.estimator.credit, RewardToGo):
        return ""
    last, credit, seen = int(samples.sequence_of(row)[-1]), float(batch.credit[row]), float(samples.returns[row])
    if not batch.truncated[last] or math.isclose(credit, seen, rel_tol=1e-4, abs_tol=1e-6):
        return ""
    after = int(batch.elapsed[last]) - int(batch.elapsed[row]) + 1
    steps = "1 step" if after == 1 else f"{after:,} steps"
    return f"G = {short_number(seen)} was seen; {steps} on the episode is cut off, and Ψ adds what V expects to follow."


def _difference(what: str, minuend: float, subtrahend: float) -> str:
    terms = _alike(minuend, subtrahend, minuend - subtrahend)
    taken = f"({terms[1]})" if terms[1].startswith("−") else terms[1]
    return f"{what} = {terms[0]} − {taken} = {terms[2]}"


def _alike(*numbers: float) -> list[str]:
    """With as many decimals as the last one needs, 2 at least, so that a person can do the sum."""
    least = abs(numbers[-1])
    decimals = 2 if least == 0 else min(max(2 - math.floor(math.log10(least)), 2), 6)
    return [minus(f"{number:.{decimals}f}") for number in numbers]


def ratio_words(ratio: float) -> str:
    """With all decimals, as what counts of a ratio is how far from 1 it is."""
    return f"{ratio:.3f}" if ratio < 100 else short_number(ratio)


def probability_words(samples: Samples, row: int, space: Space) -> str:
    """How likely the action was, and has become: "π 0.42 → 0.55, ρ = 1.31 > 1 + ε"."""
    if samples.looked.single:
        batch = samples.looked.batch
        ended = ", behind which nothing follows" if batch.terminated[row] else ""
        reward = short_number(float(batch.rewards[row]))
        number = int(batch.elapsed[row])
        when = f"Taken {number:,} steps before" if samples.looked.replayed else f"Step {number:,} of the iteration"
        return f"{when}; y holds the reward {reward}{ended}"
    before = float(samples.looked.batch.log_probs[row])
    after = samples.looked.log_probs_after
    counted = space.kind in ("discrete", "multi-discrete", "multi-binary")
    sign = "π" if counted else "log π"

    def shown(log_prob: float) -> str:
        return short_number(math.exp(log_prob) if counted else log_prob)

    if after is None or samples.ratios is None:
        return f"{sign} {shown(before)}"
    ratio, reach = float(samples.ratios[row]), samples.clip_range
    place = ""
    if reach is not None and ratio > 1 + reach:
        place = f" > 1 + ε = {short_number(1 + reach)}"
    elif reach is not None and ratio < 1 - reach:
        place = f" < 1 − ε = {short_number(1 - reach)}"
    return f"{sign} {shown(before)} → {shown(float(after[row]))}, ρ = {ratio_words(ratio)}{place}"


def case_words(samples: Samples, row: int) -> str:
    """Which of the six cases, what it does to the gradient, and how often that was so; empty where nothing is
    clipped."""
    from engine.analysis.clip_cases import CLIP_CASES

    if samples.cases is None:
        return ""
    case, config = CLIP_CASES[int(samples.cases[row]) - 1], samples.looked.config
    normalises = isinstance(config, PolicyGradientConfig) and config.estimator.normalize_advantages
    words = f"Case {case.number}: {'normalised ' if normalises else ''}{case.advantage}, ρ {case.ratio}. {case.meaning}"
    cut = samples.cut_in(row)
    if cut is None:
        return words
    times, seen = cut
    if times == 0:
        return f"{words} In none of its {seen:,} gradient steps was it cut."
    return f"{words} In {times:,} of its {seen:,} gradient steps it was cut."
