"""What a reported quantity is, in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A number reported once per iteration; it is null where it is not defined (no episode yet, no value function).

    ``from_zero`` says that its axis reaches down to 0, where it is not negative. ``widest`` is the longest that it is
    expected to come to when written out, for which room is kept. ``against`` is the metric that it is to be held
    against, in one plot with it, and what that is called there in a word.
    """

    name: str
    title: str
    symbol: str
    unit: str
    meaning: str
    from_zero: bool = False
    widest: float = -8.8e-8
    against: tuple[str, str] = ("", "")
