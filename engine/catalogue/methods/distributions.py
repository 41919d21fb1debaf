"""Distributions over actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from engine.catalogue.methods.spec import DistributionSpec, Entry, by_kind
from engine.catalogue.spaces import EnvironmentInfo
from engine.runtime.errors import Refusal


def _softmax_fits(environment: EnvironmentInfo) -> Iterator[Refusal]:
    actions = environment.action
    if actions.kind not in ("discrete", "multi-discrete"):
        numbers = f"{actions.size} continuous {'number' if actions.size == 1 else 'numbers'}"
        takes = numbers if actions.kind == "box" else f"{actions.size} switches"
        use = "a Gaussian" if actions.kind == "box" else "a Bernoulli"
        yield Refusal(
            f"A softmax chooses among discrete actions, but {environment.id} takes {takes}", f"use {use} policy"
        )


def _bernoulli_fits(environment: EnvironmentInfo) -> Iterator[Refusal]:
    if environment.action.kind != "multi-binary":
        yield Refusal(
            f"A Bernoulli policy sets switches, but {environment.id} has none", "choose the distribution auto"
        )


def _continuous(name: str, *, bounded: bool) -> Callable[[EnvironmentInfo], Iterator[Refusal]]:
    def fits(environment: EnvironmentInfo) -> Iterator[Refusal]:
        actions = environment.action
        if actions.kind != "box":
            use = "Bernoulli" if actions.kind == "multi-binary" else "softmax"
            what = f"{actions.size} switches" if actions.kind == "multi-binary" else f"{actions} ones"
            yield Refusal(f"{name} gives continuous actions, but {environment.id} has {what}", f"use a {use} policy")
        elif bounded and not actions.bounds:
            yield Refusal(f"{name} needs bounded actions, but those of {environment.id} are not", "use a Gaussian")

    return fits


DISTRIBUTION_SPECS = by_kind(
    (
        DistributionSpec(
            entry=Entry(
                "softmax",
                "Softmax",
                "One probability for each action; they sum to 1.",
                {"policy.distribution": "softmax"},
            ),
            fits=_softmax_fits,
            follows=("discrete", "multi-discrete"),
            spread=False,
            density=True,
            outputs=1,
        ),
        DistributionSpec(
            entry=Entry(
                "bernoulli",
                "Bernoulli",
                "Every switch is on with a probability of its own.",
                {"policy.distribution": "bernoulli"},
            ),
            fits=_bernoulli_fits,
            follows=("multi-binary",),
            spread=False,
            density=True,
            outputs=1,
        ),
        DistributionSpec(
            entry=Entry(
                "gaussian",
                "Gaussian",
                "A mean and a spread for each action, scaled to its bounds; what falls outside them is cut.",
                {"policy.distribution": "gaussian"},
            ),
            fits=_continuous("A Gaussian", bounded=False),
            follows=("box",),
            spread=True,
            density=True,
            outputs=1,
        ),
        DistributionSpec(
            entry=Entry(
                "tanh-gaussian",
                "Tanh-squashed Gaussian",
                "A Gaussian squashed smoothly into the bounds; the squashing is accounted for in its density.",
                {"policy.distribution": "tanh-gaussian"},
            ),
            fits=_continuous("A tanh-Gaussian", bounded=True),
            follows=(),
            spread=True,
            density=True,
            outputs=1,
        ),
        DistributionSpec(
            entry=Entry(
                "beta",
                "Beta",
                "A density that lives exactly between the bounds, so that nothing is ever cut.",
                {"policy.distribution": "beta"},
            ),
            fits=_continuous("A Beta policy", bounded=True),
            follows=(),
            spread=False,
            density=True,
            outputs=2,
        ),
        DistributionSpec(
            entry=Entry(
                "deterministic",
                "Deterministic",
                "One action for each state, between the bounds; noise of a size that is set is added while learning.",
                {"policy.distribution": "deterministic"},
            ),
            fits=_continuous("A deterministic policy", bounded=True),
            follows=(),
            spread=False,
            density=False,
            outputs=1,
        ),
    )
)
