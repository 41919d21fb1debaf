"""What some packages' environments need before a policy can look at them."""

from __future__ import annotations

from typing import Any

import gymnasium


def register_packages(id: str) -> None:
    """Register the environments of the installed package that ``id`` belongs to, if it is not registered by itself."""


def extra_arguments(id: str) -> dict[str, Any]:
    """With what an environment has to be made for ``preprocessed`` to fit."""
    return {}


def preprocessed(environment: gymnasium.Env[Any, Any], id: str) -> gymnasium.Env[Any, Any]:
    """The environment behind the wrappers that its family is usually learned with."""
    return environment
