"""An update rule, a baseline, a credit and a family of environments that the program does not have, as a contributor
would add each: what is written into which file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Addition:
    """New files by path, and, by path, texts in files that are there, each with what it becomes."""

    new: dict[str, str]
    changed: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    @property
    def files(self) -> set[str]:
        return {*self.new, *self.changed}

    def make(self, root: Path) -> None:
        """Write it into a copy of the program."""
        for path, text in self.new.items():
            assert not (root / path).exists()
            (root / path).write_text(text, "utf-8")
        for path, changes in self.changed.items():
            text = (root / path).read_text("utf-8")
            for before, after in changes:
                assert text.count(before) == 1, (path, before)
                text = text.replace(before, after)
            (root / path).write_text(text, "utf-8")


UPDATE_RULE = Addition(
    new={
        "engine/algorithms/policy_gradient/sign_ascent.py": """
from __future__ import annotations

from engine.algorithms.outcome import Outcome, UpdateEvents, require_finite
from engine.algorithms.policy_gradient.rule import Rules, UpdateInput, accumulate_gradient
from engine.config.updates import SignAscent
from engine.networks.optimizers import ParameterVector
from engine.policies.policy import Policy
from engine.runtime.state import Parts


class SignAscentRule:
    def __init__(self, policy: Policy) -> None:
        self._policy, self.parts = policy, Parts()
        self._vector = ParameterVector(policy.parameters())

    def update(self, given: UpdateInput) -> UpdateEvents:
        config = given.config.update
        assert isinstance(config, SignAscent)
        sums = yield from accumulate_gradient(self._policy, self._vector, given, config)
        norm = self._vector.gradient.norm().item()
        require_finite([sums.loss, norm], config.step)
        self._vector.values.sub_(config.step * self._vector.gradient.sign())
        return Outcome({"loss": sums.loss, "entropy": sums.entropy, "grad_norm": norm, "line_search": 1.0})


RULES: Rules = {SignAscent: lambda update, parts: SignAscentRule(parts.policy)}
""",
        "engine/catalogue/methods/updates/sign_ascent.py": """
from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.points import Point, algorithm
from engine.catalogue.methods.spec import Entry, Method, UpdateSpec, fits_all
from engine.config.estimators import AverageBaseline, RewardToGo
from engine.config.updates import SignAscent
from engine.runtime.errors import Refusal


def _biases(method: Method) -> Iterator[str]:
    yield "The sign of a mean is not the mean of signs."


SPEC = UpdateSpec(
    order=15,
    entry=Entry("sign-ascent", "Sign ascent", "Every parameter takes a step of the same length.", {
        "update": "sign-ascent"
    }),
    algorithms=(
        algorithm(
            "sign-reinforce", "Sign REINFORCE", "Only the signs count.", Point(RewardToGo, AverageBaseline, SignAscent)
        ),
    ),
    fits=fits_all,
    whole_episodes=Refusal("Signs are taken of whole episodes", "collect whole episodes"),
    shares_layers=False,
    one_advantage=False,
    weighs_actors=False,
    biases=_biases,
    pinned=("update.step",),
    metrics=("line_search",),
    ratios=None,
)
""",
        "resources/presets/90-corridor-sign.toml": """version = 2
title = "Corridor: signs"
summary = "Steps of the same length in every parameter."

[config]
environment = "Corridor-v0"
policy = "tabular"

[config.update]
kind = "sign-ascent"
step = 0.25

[config.budget]
environment_steps = 2_000
""",
    },
    changed={
        "engine/config/updates.py": (
            (
                "UpdateConfig = Annotated[\n    ",
                '''class SignAscent(Model):
    """Every parameter moves by the same length, along the sign of its gradient."""

    kind: Literal["sign-ascent"] = "sign-ascent"
    step: float = parameter(0.1, title="Step", symbol="h", help="How far each moves.", live=True, gt=0.0, le=10.0)
    entropy_coefficient: float = _entropy_coefficient()


UpdateConfig = Annotated[
    SignAscent | ''',
            ),
        ),
        "engine/equations/updates.py": (
            (
                "_UPDATES: dict[",
                """def _sign_ascent(config: PolicyGradientConfig) -> tuple[Line, ...]:
    gradient = _gradient(config, (Term(mean_over_steps(config, "N")),))
    return gradient, _ours(r"\\theta \\leftarrow \\theta + h \\, \\mathrm{sign}(\\hat{g})")


_UPDATES: dict[""",
            ),
            ('    "gradient-ascent": _', '    "sign-ascent": _sign_ascent,\n    "gradient-ascent": _'),
            ('    "gradient-ascent": "', '    "sign-ascent": "θ ← θ + h sign ĝ",\n    "gradient-ascent": "'),
            (
                "SYMBOLS = (\n",
                'SYMBOLS = (\n    Symbol(r"h \\, \\mathrm{sign}", "h", "the length of every parameter\'s step"),\n',
            ),
        ),
    },
)

CREDIT = Addition(
    new={},
    changed={
        "engine/config/estimators.py": (
            (
                "CreditConfig = Annotated[",
                '''class Immediate(Model):
    """An action is credited with the reward of its own step alone."""

    kind: Literal["immediate"] = "immediate"


CreditConfig = Annotated[Immediate | ''',
            ),
        ),
        "engine/estimation/estimators.py": (
            (
                "_CREDITS: dict[",
                """def _immediate(given: _Terms, config: EstimatorConfig) -> Tensor:
    return given.weighted


_CREDITS: dict[""",
            ),
            (
                '    "total-return": _total_return,\n',
                '    "total-return": _total_return,\n    "immediate": _immediate,\n',
            ),
        ),
        "engine/catalogue/methods/credits.py": (
            (
                "CREDIT_SPECS = by_kind(\n    (\n",
                """def _rest_left_out(method: Method) -> Iterator[str]:
    yield "What comes after a step is left out of its credit."


CREDIT_SPECS = by_kind(
    (
        CreditSpec(
            entry=Entry("immediate", "Immediate", "Only the reward of the same step.", {
                "estimator.credit": "immediate"
            }),
            bootstraps=None,
            whole_return=False,
            fits=fits_all,
            whole_episodes=None,
            biases=_rest_left_out,
            pinned=(),
            metrics=(),
        ),
""",
            ),
        ),
        "engine/equations/estimators.py": (
            (
                "_CREDITS: dict[",
                """def _immediate(config: PolicyGradientConfig) -> tuple[Line, ...]:
    subtracted = _BASELINES[config.estimator.baseline.kind](config, _FROM_NOW)
    return (_line(Term("r_{i,t} - ", "credit"), Term(subtracted, "baseline")),)


_CREDITS: dict[""",
            ),
            (
                '    "total-return": _total_return,\n',
                '    "total-return": _total_return,\n    "immediate": _immediate,\n',
            ),
            ('    "total-return": "', '    "immediate": "Ψ ← the reward",\n    "total-return": "'),
        ),
    },
)

BASELINE = Addition(
    new={},
    changed={
        "engine/config/estimators.py": (
            (
                "BaselineConfig = Annotated[\n    ",
                '''class MedianBaseline(Model):
    """The batch's median credit is subtracted."""

    kind: Literal["median"] = "median"


BaselineConfig = Annotated[
    MedianBaseline
    | ''',
            ),
        ),
        "engine/estimation/estimators.py": (
            ('    "average": average_baseline,\n', '    "average": average_baseline,\n    "median": _median,\n'),
            (
                "# The baselines that are averages",
                """def _median(credit: Tensor, mask: Tensor) -> Tensor:
    return credit[mask > 0].median()


# The baselines that are averages""",
            ),
        ),
        "engine/catalogue/methods/baselines.py": (
            (
                "BASELINE_SPECS = by_kind(\n    (\n",
                """BASELINE_SPECS = by_kind(
    (
        BaselineSpec(
            entry=Entry("median", "Median", "The batch's median is subtracted.", {"estimator.baseline": "median"}),
            learned=None,
            fits=fits_all,
            whole_episodes=ONLY_V_STANDS_IN,
            one_episode=average_of_one,
            biases=_from_the_same_samples,
            metrics=(),
        ),
""",
            ),
        ),
        "engine/equations/estimators.py": (
            (
                '    "average": _average,\n',
                '    "average": _average,\n    "median": lambda config, form: rf"\\mathrm{{median}}({form.letter})",\n',
            ),
            ('    "average": "', '    "median": "Â ← Ψ − median",\n    "average": "'),
            (
                "SYMBOLS = (\n",
                'SYMBOLS = (\n    Symbol(r"\\mathrm{median}", "median", "the batch\'s middle one, the baseline"),\n',
            ),
        ),
    },
)

FAMILY = Addition(
    new={
        "engine/catalogue/environments/puzzles.py": """
from __future__ import annotations

from engine.catalogue.family import Family
from engine.catalogue.spaces import EnvironmentInfo, Option, discrete

FAMILY = Family(
    name="puzzles",
    title="Puzzles",
    summary="Worlds to think about.",
    order=35,
    extra=None,
    making=None,
    batched=False,
    waits=False,
    environments=(
        EnvironmentInfo(
            "CliffWalkingSlippery-v1",
            "Slippery cliff",
            "Walk along a cliff on ice.",
            discrete(48),
            discrete(4, "up", "right", "down", "left"),
            200,
            finite=True,
            teaches="What ice costs.",
            options=(Option("is_slippery", "Slippery", True, "A step may go to either side instead."),),
        ),
    ),
)
""",
    },
)
