"""Numbers in the doctor's sentences are written as people write them."""

from __future__ import annotations

import math

from engine.analysis.doctor.reported import number
from tests.each import each


@each(
    ("value", "digits", "written"),
    (
        (910.4, 2, "910"),
        (3340.0, 4, "3,340"),
        (12345.6, 4, "12,350"),
        (-1.549, 4, "−1.549"),
        (-0.6, 2, "−0.6"),
        (500.0, 4, "500"),
        (0.0, 4, "0"),
        (9.96, 2, "10"),
        (99_999.0, 2, "100,000"),
        (0.00012, 2, "0.00012"),
        (3.14e-7, 2, "3.1×10⁻⁷"),
        (-2.5e9, 2, "−2.5×10⁹"),
        (1e-5, 1, "1×10⁻⁵"),
        (math.nan, 2, "nan"),
        (-math.inf, 2, "−inf"),
    ),
)
def test_numbers(value: float, digits: int, written: str) -> None:
    assert number(value, digits) == written
