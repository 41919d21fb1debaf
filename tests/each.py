"""Many quick cases in one test: as several tests they would take longer to be told of than to be run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from functools import wraps
from typing import Any

import pytest


def each(
    names: str | tuple[str, ...], cases: Collection[Any], ids: Callable[[Any], Any] | Collection[Any] = str
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """As ``pytest.mark.parametrize``, in one test, which fails at the first case that does and says which it is.

    The test is to leave nothing behind, since its fixtures are made once. It is skipped where all cases are.
    """
    arguments = (names,) if isinstance(names, str) else tuple(names)
    assert cases

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @wraps(test)
        def all_cases(**fixtures: Any) -> None:
            left = len(cases)
            for place, case in enumerate(cases):
                values = (case,) if isinstance(names, str) else tuple(case)
                try:
                    test(**dict(zip(arguments, values, strict=True)), **fixtures)
                except pytest.skip.Exception:
                    left -= 1
                    if not left:
                        raise
                except BaseException as error:
                    words = [str(ids(value)) for value in values] if callable(ids) else [str(list(ids)[place])]
                    error.add_note(f"This is so for {' and '.join(words)}.")
                    raise

        signature = inspect.signature(test)
        others = [parameter for name, parameter in signature.parameters.items() if name not in arguments]
        all_cases.__signature__ = signature.replace(parameters=others)  # type: ignore[attr-defined]
        return all_cases

    return decorate
