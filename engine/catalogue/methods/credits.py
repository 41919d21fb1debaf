"""Credit: which rewards count for an action, the first half of an advantage estimator."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.reasons import STANDS_IN, cut_off, late_steps
from engine.catalogue.methods.spec import CreditSpec, Entry, Method, by_kind, fits_all
from engine.config.estimators import GAE, NStepTD
from engine.runtime.errors import Refusal


def _discounted_already(method: Method) -> Iterator[Refusal]:
    estimator = method.config.estimator
    if estimator.discount_states and estimator.gamma < 1.0:
        yield Refusal(
            "The total return is discounted from the episode's start already", "do not weight states by γᵗ as well"
        )


def _biases_of_reward_to_go(method: Method) -> Iterator[str]:
    yield from cut_off(method)
    yield from late_steps(method)


def _biases_of_n_step(method: Method) -> Iterator[str]:
    credit, limit = method.config.estimator.credit, method.environment.time_limit
    assert isinstance(credit, NStepTD)
    if limit and credit.n >= limit and not method.collection.cuts:
        yield from cut_off(method)
    else:
        yield STANDS_IN
    yield from late_steps(method)


def _biases_of_gae(method: Method) -> Iterator[str]:
    credit = method.config.estimator.credit
    assert isinstance(credit, GAE)
    if credit.gae_lambda < 1.0:
        yield STANDS_IN
    else:
        yield from cut_off(method)
    yield from late_steps(method)


CREDIT_SPECS = by_kind(
    (
        CreditSpec(
            entry=Entry(
                "total-return",
                "Total return",
                "Every action is credited with its whole episode, even with rewards from before it.",
                {"estimator.credit": "total-return"},
            ),
            bootstraps=None,
            whole_return=True,
            fits=_discounted_already,
            whole_episodes=Refusal(
                "A total return needs the whole episode", "collect whole episodes, or choose another credit"
            ),
            biases=cut_off,
            pinned=(),
            metrics=(),
        ),
        CreditSpec(
            entry=Entry(
                "reward-to-go",
                "Reward-to-go",
                "An action is credited only with rewards from its own step on: it cannot change the past.",
                {"estimator.credit": "reward-to-go"},
            ),
            bootstraps=None,
            whole_return=False,
            fits=fits_all,
            whole_episodes=None,
            biases=_biases_of_reward_to_go,
            pinned=(),
            metrics=(),
        ),
        CreditSpec(
            entry=Entry(
                "n-step",
                "n-step TD",
                "Only n rewards are counted, then the learned value stands in for the rest: less noise, some bias.",
                {"estimator.credit": "n-step"},
            ),
            bootstraps="n-step TD",
            whole_return=False,
            fits=fits_all,
            whole_episodes=None,
            biases=_biases_of_n_step,
            pinned=("estimator.credit.n",),
            metrics=(),
        ),
        CreditSpec(
            entry=Entry(
                "gae",
                "GAE(λ)",
                "All n-step advantages, averaged with weights that fall by λ: one dial between noise and bias.",
                {"estimator.credit": "gae"},
            ),
            bootstraps="GAE",
            whole_return=False,
            fits=fits_all,
            whole_episodes=None,
            biases=_biases_of_gae,
            pinned=("estimator.credit.gae_lambda",),
            metrics=(),
        ),
    )
)
