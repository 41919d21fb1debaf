"""No history is too short, too long, too large or too broken for the rules to look at it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.analysis.doctor.reported import Other, Reported
from engine.analysis.doctor.rule import Finding, offered
from engine.analysis.doctor.rules import RULES, findings
from engine.catalogue.environments import ENVIRONMENTS
from engine.config import RunConfig, presets
from engine.reports.metrics import METRICS

PRESETS = ("cartpole", "cartpole-ppo", "cartpole-dqn", "pendulum-sac", "cartpole-cloning", "corridor-off-policy")
NUMBERS = st.one_of(
    st.sampled_from([0.0, 1.0, -1.0, math.nan, math.inf, -math.inf, 3.4e38, -3.4e38, 1e-38]),
    st.floats(-1e6, 1e6, width=32, allow_subnormal=False),
)


def made(config: RunConfig, seed: int, iterations: int, episodes: int, values: list[float]) -> Reported:
    """Metrics and returns drawn from ``values``, some constant and some not told at all."""
    draw = np.random.default_rng(seed)
    steps = np.cumsum(draw.integers(0, 5000, iterations)).astype(np.float64)
    ends = np.sort(draw.integers(0, int(steps[-1]) + 2 if iterations else 2, episodes)).astype(np.float64)
    metrics = {name: draw.choice(values, iterations).astype(np.float32) for name in METRICS if draw.random() < 0.8}
    returns = draw.choice(values, episodes).astype(np.float32)
    environment = ENVIRONMENTS[config.environment.id]
    told = Reported(config, environment, steps, steps / 1000.0, metrics, returns, ends)
    return replace(told, others=(Other(config, returns[:10]), Other(config, returns)))


@settings(max_examples=30, deadline=None)
@given(
    preset=st.sampled_from(PRESETS),
    seed=st.integers(0, 2**31),
    iterations=st.sampled_from([0, 1, 2, 19, 40, 130, 400]),
    episodes=st.sampled_from([0, 1, 2, 21, 40, 250, 900]),
    values=st.lists(NUMBERS, min_size=1, max_size=4),
)
def test_the_rules_survive_any_history(
    preset: str, seed: int, iterations: int, episodes: int, values: list[float]
) -> None:
    reported = made(presets.shipped()[preset].config, seed, iterations, episodes, values)
    for finding in findings(reported):
        assert finding.sentence.endswith(".")
        assert "nan" not in finding.sentence.lower()
    for at in (0.0, 1e12):
        findings(reported.until(at))


def test_what_is_offered_always_fits() -> None:
    """Whatever has been seen, of every rule and every family."""
    for preset in PRESETS:
        config = presets.shipped()[preset].config
        reported = made(config, 1, 130, 250, [1.0, 2.0])
        for rule in RULES:
            if rule.fits(reported):
                offered(Finding(rule, "It is so."), reported)


def test_what_is_looked_at_of_returns_does_not_grow_with_the_run() -> None:
    long = made(presets.shipped()["cartpole-ppo"].config, 2, 20_000, 1_000_000, [1.0, 2.0, 3.0])
    assert len(long.later(1.0)) <= 2000
    assert len(long.recent) < 1000
    findings(long)
