"""timeline: how often a second the window shows another instant while the timeline is dragged.

In the window, CartPole PPO trains for 100,000 steps and every panel that can be seen beside the returns shows what it
knows: histogram, diagnostics, the agent and the surface of its policy. Then the mouse drags the handle from now to the
beginning and back, one pixel after another; each move counts as shown once every panel has been painted anew. Moves
that stay on the same instant cost nothing and are left out.
"""

from __future__ import annotations

import json
import sys
import time
from statistics import median

from tests.benchmarks.children import run_child
from tests.benchmarks.figures import Measured, Number, Say

STEPS, REPEATS = 100_000, 3
PRESET = "cartpole-ppo"


def measure(quick: bool, say: Say) -> Measured:
    steps, repeats = (10_000, 1) if quick else (STEPS, REPEATS)
    rates: list[float] = []
    slowest: list[float] = []
    instants = 0
    for _ in range(repeats):
        found = run_child("timeline_drag", str(steps))
        rates.append(found["rate"])
        slowest.append(found["slowest"])
        instants = int(found["instants"])
        say(f"{found['rate']:.0f} instants/s, {1000 * found['slowest']:.0f} ms the slowest of {instants} instants")
    numbers = (
        Number("the slowest instant", 1000 * max(slowest), "ms"),
        Number("instants of the run", instants, ""),
    )
    return Measured({"instants shown": median(rates)}, numbers, f"Median of {repeats} fresh processes.")


def dragged(steps: int) -> dict[str, float]:
    """How many instants a second are shown, how long the slowest takes, and how many there are."""
    from PySide6.QtCore import QPoint, Qt
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication

    from app.models.run_state import RunState
    from app.panels.returns import ReturnsPanel
    from tests.benchmarks.window import opened, workload

    with opened(workload(PRESET, steps)) as driver:
        window = driver.window
        window.docks["Surface"].raise_()
        driver.trigger("start")
        driver.wait_for(RunState.FINISHED)
        window.run_library.look()
        driver.spin(1.0)
        line, past = window.panels.find(ReturnsPanel).timeline, window.panels.past
        kept = len(past.kept)
        if kept < 3:
            raise RuntimeError(f"Only {kept} instants of the run were kept.")
        middle = line.height() // 2
        end, start = round(line._x_of(None)), round(line._x_of(past.kept[0]))
        taken: list[float] = []
        QTest.mousePress(line, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(end, middle))
        for x in (*range(end, start, -1), *range(start, end)):
            before = past.shown
            began = time.perf_counter()
            QTest.mouseMove(line, QPoint(x, middle))
            QApplication.processEvents()
            if past.shown is not before:
                taken.append(time.perf_counter() - began)
        QTest.mouseRelease(line, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(end, middle))
    return {"rate": len(taken) / sum(taken), "slowest": max(taken), "instants": kept}


if __name__ == "__main__":
    print(json.dumps(dragged(int(sys.argv[1]))))
