"""What every run has, whichever its family."""

from __future__ import annotations

from typing import Any, Literal

from engine.config.fields import Model, parameter

Device = Literal["auto", "cpu", "cuda", "mps"]


class BudgetConfig(Model):
    environment_steps: int = parameter(
        500_000,
        title="Training length",
        unit="steps",
        help="Environment steps after which the run is finished; the iteration under way is completed.",
        live=True,
        ge=1,
        le=10_000_000_000,
    )


def seed_field() -> Any:
    return parameter(1, title="Seed", help="All of the run's randomness flows from this number.", ge=0, le=2**32 - 1)


def device_field() -> Any:
    return parameter(
        "auto", title="Device", help="Where the networks are computed; auto takes what is faster for their size."
    )


def gamma_field() -> Any:
    return parameter(
        0.99,
        title="Discount",
        symbol="γ",
        help="A reward k steps ahead counts γᵏ. 1 weighs all rewards of an episode alike.",
        live=True,
        ge=0.0,
        le=1.0,
    )
