"""How numbers read in the window."""

from __future__ import annotations

import math

import pytest

from app.style.format import duration, percent, setting, short_number, tick_labels


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567, "1.23 M"), (12_345, "12.3 k"), (9999, "9999"), (0.5, "0.5"), (-12.345, "−12.3"), (0, "0"),
        (-0.0, "0"), (1.2e-6, "1.2×10⁻⁶"), (1e9, "1 G"), (99_999, "100 k"), (None, "–"), (math.nan, "–"),
        (2.3e20, "2.3×10²⁰"), (-1e300, "−1×10³⁰⁰"), (9.996e14, "1×10¹⁵"), (9.9e14, "990 T"),
    ],
)  # fmt: skip
def test_short_numbers(value: float | None, text: str) -> None:
    assert short_number(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(475, "475.0"), (0.5, "0.5000"), (-21.5, "−21.50"), (4499.7, "4500"), (2.34e20, "2.3×10²⁰")]
)
def test_steady_numbers_keep_their_zeros(value: float, text: str) -> None:
    assert short_number(value, 4, steady=True) == text


@pytest.mark.parametrize(
    ("values", "spacing", "labels"),
    [
        ([0, 200_000, 400_000], 200_000, ["0", "200 k", "400 k"]),
        ([0, 5e5, 1e6], 5e5, ["0", "0.5 M", "1.0 M"]),
        ([0, 2500, 5000, 7500, 10_000], 2500, ["0", "2.5 k", "5.0 k", "7.5 k", "10.0 k"]),
        ([-0.5, 0, 0.5], 0.5, ["−0.5", "0", "0.5"]),
        ([0, 1e20, 2e20], 1e20, ["0", "1×10²⁰", "2×10²⁰"]),
    ],
)
def test_the_ticks_of_an_axis_share_their_unit(values: list[float], spacing: float, labels: list[str]) -> None:
    assert tick_labels(values, spacing) == labels


@pytest.mark.parametrize(("seconds", "text"), [(5, "0:05"), (65, "1:05"), (3723, "1:02:03"), (None, "–")])
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("share", "text"), [(0.41, "41 %"), (0.001, "1 %"), (0.999, "99 %"), (1.0, "100 %")])
def test_percent_keeps_few_apart_from_none(share: float, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("value", "text"), [(True, "on"), (0.0003, "0.0003"), (500_000, "500 k"), ((64, 64), "64 × 64")]
)
def test_settings_read_as_written(value: object, text: str) -> None:
    assert setting(value) == text
