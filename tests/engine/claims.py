"""Which sentences of the catalogue about biases there are, and which are backed by a test."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from textwrap import dedent
from typing import Any

from engine.catalogue.methods import biases
from engine.catalogue.methods.baselines import BASELINE_SPECS
from engine.catalogue.methods.credits import CREDIT_SPECS
from engine.catalogue.methods.specs import UPDATE_SPECS

MEASURED: set[str] = set()


def measures(sentence: str) -> Callable[[Any], Any]:
    """Says which sentence of the catalogue a test backs."""
    MEASURED.add(sentence)
    return lambda test: test


def claimed() -> set[str]:
    """Every sentence that may be said of a method's bias, read from what says it."""
    every = (*CREDIT_SPECS.values(), *BASELINE_SPECS.values(), *UPDATE_SPECS.values())
    told = [spec.biases for spec in every if spec.biases != "unbiased"]
    general = [function for name, function in vars(biases).items() if name.startswith("_from_")]
    return set().union(*map(_sentences, (*told, *general)))


def _sentences(function: Callable[..., Any]) -> set[str]:
    """What a generator yields, itself or by way of another."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(dedent(inspect.getsource(function)))):
        if isinstance(node, ast.Yield):
            found.add(node.value.value if isinstance(node.value, ast.Constant) else function.__globals__[node.value.id])
        elif isinstance(node, ast.YieldFrom):
            found |= _sentences(function.__globals__[node.value.func.id])
    return found
