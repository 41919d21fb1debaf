"""surface: how often a second a slice of 100 × 100 points is shown beside training, and what that takes from it.

In the window, CartPole PPO trains without end. In turns the agent is watched, and the slice through its states with
π and V, laid where the agent is, so that it is another one in every picture. A slice counts once it is handed to the
widget that draws it; steps are counted over the same seconds. Torch is on 1 thread.
"""

from __future__ import annotations

import json
import time
from statistics import median

from tests.benchmarks.children import run_child
from tests.benchmarks.figures import Measured, Number, Say

PRESET = "cartpole-ppo"
SECONDS, TURNS = 6.0, 5


def measure(quick: bool, say: Say) -> Measured:
    seconds, turns = (1.5, 1) if quick else (SECONDS, TURNS)
    found = run_child("surface", str(seconds), str(turns))
    say(f"{found['rate']:.1f} slices/s; {found['watched']:,.0f} steps/s with it, {found['hidden']:,.0f} with the agent")
    numbers = (
        Number("beside it", found["watched"], "steps/s"),
        Number("beside the agent alone", found["hidden"], "steps/s"),
        Number("ratio", found["watched"] / found["hidden"], ""),
        Number("points of a slice", found["points"], ""),
    )
    detail = f"Median of {turns} turns of {seconds:g} s each, alternating."
    return Measured({"slices": found["rate"]}, numbers, detail)


def shown(seconds: float, turns: int) -> dict[str, float]:
    """Slices a second, how many points each has, and steps a second while it is watched and while it is not."""
    from app.panels.surface.panel import SurfacePanel
    from tests.benchmarks.window import opened, workload

    with opened(workload(PRESET)) as driver:
        window = driver.window
        page = window.panels.find(SurfacePanel).slice
        slices: list[float] = []
        page.filled.connect(lambda: slices.append(time.perf_counter()))
        window.docks["Surface"].raise_()
        page.follows.setChecked(True)
        driver.trigger("start")
        driver.wait_until(lambda: len(slices) > 5)

        def turn() -> tuple[float, float]:
            """Steps and slices a second."""
            driver.spin(1.0)
            before, steps, began = len(slices), _steps(driver), time.perf_counter()
            driver.spin(seconds)
            took = time.perf_counter() - began
            return (_steps(driver) - steps) / took, (len(slices) - before) / took

        watched, hidden = [], []
        for _ in range(turns):
            window.docks["Surface"].raise_()
            watched.append(turn())
            window.docks["Agent"].raise_()
            hidden.append(turn())
        if any(rate for _, rate in hidden):
            raise RuntimeError("Slices were computed while nobody could see them.")
        points = page._cut().points ** 2
    return {
        "rate": median(rate for _, rate in watched),
        "watched": median(steps for steps, _ in watched),
        "hidden": median(steps for steps, _ in hidden),
        "points": points,
    }


def _steps(driver: object) -> float:
    latest = driver.window.controller.history.latest  # type: ignore[attr-defined]
    return 0.0 if latest is None else float(latest.environment_steps)


if __name__ == "__main__":
    import sys

    print(json.dumps(shown(float(sys.argv[1]), int(sys.argv[2]))))
