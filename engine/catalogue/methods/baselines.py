"""Baselines: what is subtracted from the credit, the second half of an advantage estimator."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.parameter_count import parameter_count
from engine.catalogue.methods.reasons import (
    AVERAGE_INCLUDES,
    AVERAGE_SHORTENS,
    AVERAGE_SHORTENS_STEPS,
    ONLY_V_STANDS_IN,
    average_of_one,
    sums_samples,
)
from engine.catalogue.methods.spec import UNBIASED, BaselineSpec, Entry, Method, by_kind, fits_all
from engine.config.estimators import OptimalBaseline, SharedValueBaseline, ValueBaseline, WholeEpisodes
from engine.runtime.errors import Refusal

MOST_GRADIENTS = 100_000_000  # numbers, of which two sets are kept: 0.8 GB
_OF_V = ("explained_variance", "value_loss")


def _includes_itself(method: Method) -> Iterator[str]:
    """E[ĝ] = (1 − 1/N) ∇J where all steps of an episode have its return as credit."""
    if method.credit.whole_return and sums_samples(method):
        yield AVERAGE_SHORTENS
    else:
        yield AVERAGE_INCLUDES


def _includes_itself_by_step(method: Method) -> Iterator[str]:
    """E[ĝ] = Σ_t E[1 − 1/n_t] g_t of ∇J = Σ_t g_t, with the number n_t of episodes that run at t, which the other
    episodes decide."""
    if sums_samples(method):
        yield AVERAGE_SHORTENS_STEPS
    else:
        yield AVERAGE_INCLUDES


def _average_per_step_of_one(method: Method) -> Iterator[Refusal]:
    yield from average_of_one(method)
    yield Refusal(
        "With one episode per update the average at a step is that step's own credit, so every advantage is 0",
        "use at least 2 episodes per update",
    )


def _others_of_one(method: Method) -> Iterator[Refusal]:
    yield Refusal("Leaving one episode out leaves none of one", "use at least 2 episodes per update")


def _optimal_fits(method: Method) -> Iterator[Refusal]:
    config, baseline = method.config, method.config.estimator.baseline
    assert isinstance(baseline, OptimalBaseline)
    if isinstance(config.collection, WholeEpisodes):
        episodes, count = config.collection.episodes_per_update, parameter_count(config.policy, method.environment)
        if episodes * count > MOST_GRADIENTS:
            yield Refusal(
                f"The optimal baseline keeps a gradient of {count:,} numbers for each of {episodes:,} episodes, which "
                "is too much",
                "use fewer episodes per update, a smaller policy or another baseline",
            )
    if baseline.per_parameter and method.update.one_advantage:
        yield Refusal(
            "A baseline for each parameter gives no single advantage per step, which this update rule needs",
            "switch off “A constant for each parameter”, or use gradient ascent",
        )
    if baseline.per_parameter and config.estimator.normalize_advantages:
        yield Refusal(
            "A baseline for each parameter leaves no advantages to normalise",
            "switch off one of “A constant for each parameter” and “Normalise advantages”",
        )


def _optimal_of_one(method: Method) -> Iterator[Refusal]:
    yield Refusal(
        "With one episode per update the optimal baseline is that episode's own credit",
        "use at least 2 episodes per update",
    )


def _from_the_same_samples(method: Method) -> Iterator[str]:
    yield "The constant is computed from the very samples it is subtracted from."


def _fitted_on_the_same(method: Method) -> Iterator[str]:
    baseline = method.config.estimator.baseline
    assert isinstance(baseline, ValueBaseline)
    if baseline.fitted_on == "same":
        yield "The value function was fitted to the very returns it is subtracted from."


def _shared_fits(method: Method) -> Iterator[Refusal]:
    if not method.policy.hidden_layers:
        yield Refusal("A table or linear policy has no hidden layers for V to share", "use a learned value of its own")
    if not method.update.shares_layers:
        yield Refusal(
            "With shared layers, fitting V would move the policy behind this rule's back",
            "use a learned value of its own, or gradient ascent or PPO",
        )


def _moves_the_policy(method: Method) -> Iterator[str]:
    baseline = method.config.estimator.baseline
    assert isinstance(baseline, SharedValueBaseline)
    if baseline.coefficient > 0.0:
        yield "Fitting V also moves the layers that the policy shares with it."


BASELINE_SPECS = by_kind(
    (
        BaselineSpec(
            entry=Entry(
                "none",
                "None",
                "Nothing is subtracted: if all rewards are positive, every action taken is pushed to be likelier.",
                {"estimator.baseline": "none"},
            ),
            learned=None,
            fits=fits_all,
            whole_episodes=ONLY_V_STANDS_IN,
            one_episode=fits_all,
            biases=UNBIASED,
            metrics=(),
        ),
        BaselineSpec(
            entry=Entry(
                "average",
                "Average return",
                "The batch's average is subtracted: better than usual is encouraged, worse discouraged.",
                {"estimator.baseline": "average"},
            ),
            learned=None,
            fits=fits_all,
            whole_episodes=ONLY_V_STANDS_IN,
            one_episode=average_of_one,
            biases=_includes_itself,
            metrics=(),
        ),
        BaselineSpec(
            entry=Entry(
                "time-average",
                "Average per time step",
                "The average at the same step is subtracted: late steps have less to come than early ones.",
                {"estimator.baseline": "time-average"},
            ),
            learned=None,
            fits=fits_all,
            whole_episodes=ONLY_V_STANDS_IN,
            one_episode=_average_per_step_of_one,
            biases=_includes_itself_by_step,
            metrics=(),
        ),
        BaselineSpec(
            entry=Entry(
                "leave-one-out",
                "Leave one out",
                "The average of the other episodes is subtracted: like the average, but without its bias.",
                {"estimator.baseline": "leave-one-out"},
            ),
            learned=None,
            fits=fits_all,
            whole_episodes=ONLY_V_STANDS_IN,
            one_episode=_others_of_one,
            biases=UNBIASED,
            metrics=(),
        ),
        BaselineSpec(
            entry=Entry(
                "optimal",
                "Variance-optimal",
                "The constant with the least noise: an average in which steps with long gradients count more.",
                {"estimator.baseline": "optimal"},
            ),
            learned=None,
            fits=_optimal_fits,
            whole_episodes=ONLY_V_STANDS_IN,
            one_episode=_optimal_of_one,
            biases=_from_the_same_samples,
            metrics=(),
        ),
        BaselineSpec(
            entry=Entry(
                "value",
                "Learned value",
                "A second network predicts the return from each state; only the surprise is left.",
                {"estimator.baseline": "value"},
            ),
            learned="apart",
            fits=fits_all,
            whole_episodes=None,
            one_episode=fits_all,
            biases=_fitted_on_the_same,
            metrics=_OF_V,
        ),
        BaselineSpec(
            entry=Entry(
                "shared-value",
                "Learned value, shared",
                "The policy's own network also predicts the return: one body, two heads, one loss.",
                {"estimator.baseline": "shared-value"},
            ),
            learned="shared",
            fits=_shared_fits,
            whole_episodes=None,
            one_episode=fits_all,
            biases=_moves_the_policy,
            metrics=_OF_V,
        ),
    )
)
