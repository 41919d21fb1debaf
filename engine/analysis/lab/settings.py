"""What the lab is asked for, as plain data without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from engine.catalogue.methods.baselines import BASELINE_SPECS
from engine.catalogue.methods.biases import biases
from engine.catalogue.methods.compatibility import refusal
from engine.catalogue.methods.credits import CREDIT_SPECS
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PolicyGradientConfig, RunConfig
from engine.config.estimators import (
    GAE,
    AverageBaseline,
    BaselineConfig,
    CreditConfig,
    EstimatorConfig,
    LeaveOneOutBaseline,
    NoBaseline,
    NStepTD,
    OptimalBaseline,
    RewardToGo,
    TimeAverageBaseline,
    TotalReturn,
    ValueBaseline,
    WholeEpisodes,
)
from engine.config.updates import GradientAscent
from engine.runtime.errors import Refusal

ValueKind = Literal["fitted", "same", "exact", "critic", "wrong"]
"""Which V stands in where an estimator has one: fitted to other episodes, fitted to the very batch, V^π itself, as the
run's critic has learned it, or V^π mirrored at its mean, so that good states look bad."""

Objective = Literal["undiscounted", "discounted"]
"""Which J the estimates are held against: Σ_t r_t, or Σ_t γᵗ r_t."""


@dataclass(frozen=True)
class Settings:
    """How estimates are made, and of what.

    ``batches`` of ``episodes`` each are collected; ``horizon`` cuts episodes off, 0 where the environment does;
    ``added`` is paid at every step besides. ``discount_states`` weighs step t by γᵗ.
    """

    gamma: float = 0.99
    gae_lambda: float = 0.95
    n: int = 5
    episodes: int = 20
    batches: int = 1000
    horizon: int = 0
    added: float = 0.0
    discount_states: bool = False
    value: ValueKind = "fitted"
    objective: Objective = "undiscounted"
    seed: int = 1


# Some of the halves of an estimator, by their names; what is not here has no place in the lab.
TOTAL_RETURN, REWARD_TO_GO, N_STEP, LAMBDA = (credit().kind for credit in (TotalReturn, RewardToGo, NStepTD, GAE))
PLAIN, AVERAGE, TIME_AVERAGE, LEAVE_ONE_OUT, OPTIMAL, VALUE = (
    baseline().kind
    for baseline in (
        NoBaseline,
        AverageBaseline,
        TimeAverageBaseline,
        LeaveOneOutBaseline,
        OptimalBaseline,
        ValueBaseline,
    )
)
OPTIMAL_PER_PARAMETER = f"{OPTIMAL}, per parameter"
_CREDITS: dict[str, CreditConfig] = {
    TOTAL_RETURN: TotalReturn(),
    REWARD_TO_GO: RewardToGo(),
    N_STEP: NStepTD(),
    LAMBDA: GAE(),
}
_BASELINES: dict[str, BaselineConfig] = {
    PLAIN: NoBaseline(),
    AVERAGE: AverageBaseline(),
    TIME_AVERAGE: TimeAverageBaseline(),
    LEAVE_ONE_OUT: LeaveOneOutBaseline(),
    OPTIMAL: OptimalBaseline(),
    OPTIMAL_PER_PARAMETER: OptimalBaseline(per_parameter=True),
    VALUE: ValueBaseline(),
}
_SHORT = {
    TOTAL_RETURN: "total return",
    REWARD_TO_GO: REWARD_TO_GO,
    N_STEP: "n-step TD",
    LAMBDA: "GAE(λ)",
    PLAIN: "",
    AVERAGE: AVERAGE,
    TIME_AVERAGE: "average at t",
    LEAVE_ONE_OUT: "leave one out",
    OPTIMAL: "optimal b",
    OPTIMAL_PER_PARAMETER: "optimal bₖ",
    VALUE: "V(s)",
}


class Pair(NamedTuple):
    """A credit with a baseline, by their names here."""

    credit: str
    baseline: str

    @property
    def title(self) -> str:
        """ "reward-to-go − V(s)"."""
        credit, baseline = _SHORT[self.credit], _SHORT[self.baseline]
        return f"{credit} − {baseline}" if baseline else credit

    @property
    def has_value(self) -> bool:
        """Whether it needs a V."""
        return self.baseline == VALUE

    @property
    def told(self) -> str:
        """What both do, in sentences."""
        kind = OPTIMAL if self.baseline == OPTIMAL_PER_PARAMETER else self.baseline
        return f"{CREDIT_SPECS[self.credit].entry.summary} {BASELINE_SPECS[kind].entry.summary}"


PAIRS = tuple(Pair(credit, baseline) for credit in _CREDITS for baseline in _BASELINES)


def estimator_of(pair: Pair, settings: Settings) -> EstimatorConfig:
    """What the pair is in a run's configuration."""
    credit, baseline = _CREDITS[pair.credit], _BASELINES[pair.baseline]
    if isinstance(credit, NStepTD):
        credit = NStepTD(n=settings.n)
    elif isinstance(credit, GAE):
        credit = GAE(gae_lambda=settings.gae_lambda)
    weighted = settings.discount_states and not isinstance(credit, TotalReturn)  # which is discounted already
    return EstimatorConfig(credit=credit, baseline=baseline, gamma=settings.gamma, discount_states=weighted)


def _run(pair: Pair, settings: Settings, config: RunConfig) -> PolicyGradientConfig:
    """A run that learns from such batches by such estimates."""
    return PolicyGradientConfig(
        environment=config.environment,
        policy=config.policy,
        collection=WholeEpisodes(episodes_per_update=min(settings.episodes, 1024)),
        estimator=estimator_of(pair, settings),
        update=GradientAscent(),
    )


def misfit(pair: Pair, settings: Settings, config: RunConfig, environment: EnvironmentInfo) -> Refusal | None:
    """Why the pair cannot estimate the gradient of such a run's policy, and what would; None where it can."""
    return refusal(_run(pair, settings, config), environment)


def reasons(pair: Pair, settings: Settings, config: RunConfig, environment: EnvironmentInfo) -> tuple[str, ...]:
    """Why the pair's estimates may be off ∇J on average, a sentence each."""
    found = biases(_run(pair, settings, config), environment)
    if settings.objective == "discounted" or settings.gamma == 1.0 or environment.one_step:
        return found
    return (*found, "With γ < 1 late rewards count less than in the undiscounted return.")
