"""What ``main.py selftest`` does: every algorithm in worlds so small that it is known what must be learned in each."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any, cast

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engine.catalogue.methods.entries import ALGORITHMS
from engine.commands.interrupts import Interrupts
from engine.commands.output import Lasting, complain
from engine.commands.shown import print_out
from engine.runtime.errors import RequestError, RunError

if TYPE_CHECKING:  # with torch
    from engine.analysis.self_test import Outcome


def print_self_test(algorithms: Sequence[str], as_json: bool, interrupts: Interrupts) -> None:
    """Write a table to stdout, or JSON, and to stderr how far it has come.

    Raises:
        RequestError: there is no such algorithm.
        RunError: a probe failed, or the table cannot be written.
        KeyboardInterrupt: Ctrl+C, or another signal that ends programs.
    """
    for name in algorithms:
        if name not in ALGORITHMS:
            raise RequestError(f"There is no algorithm {name}; there is {', '.join(ALGORITHMS)}.")
    with interrupts.not_for_long(), interrupts.held_back():
        from engine.analysis.self_tests import self_tests
        from engine.runtime.threads import compute_on_one_thread

        compute_on_one_thread()
    outcomes, names = [], list(algorithms or ALGORITHMS)
    with Console(file=cast(IO[str], Lasting(sys.stderr))).status("Testing …") as status:
        for outcome in self_tests(names):
            interrupts.check()
            outcomes.append(outcome)
            at = names.index(outcome.algorithm) + 1
            status.update(f"Testing: {len(outcomes)} probes of {at} of {len(names)} algorithms so far …")
            if not outcome.passed:
                complain(f"{outcome.algorithm}, {outcome.probe.title}: {outcome.found}")
    print_out([_as_data(outcome) for outcome in outcomes] if as_json else _table(outcomes))
    failed = sum(not outcome.passed for outcome in outcomes)
    if failed:
        raise RunError(f"{failed} of {len(outcomes)} probes failed.")


def _as_data(outcome: Outcome) -> dict[str, Any]:
    return {
        "algorithm": outcome.algorithm,
        "probe": outcome.probe.title,
        "world": outcome.probe.world,
        "passed": outcome.passed,
        "found": outcome.found,
        "failure": "" if outcome.passed else outcome.probe.failure,
    }


def _table(outcomes: Sequence[Outcome]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("algorithm", "probe", "", "what came of it"):
        table.add_column(title, overflow="fold")
    for outcome in outcomes:
        means = "" if outcome.passed else f" {outcome.probe.failure}"
        verdict = "pass" if outcome.passed else "FAIL"
        table.add_row(outcome.algorithm, outcome.probe.title, verdict, escape(outcome.found + means))
    return table
