"""Which versions of what decides the course of a run are noted of it."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("policy-gradient-playground", "torch", "numpy", "gymnasium")


@cache
def versions() -> Mapping[str, str]:
    """Of Python and of the packages that decide what a run comes to."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found
