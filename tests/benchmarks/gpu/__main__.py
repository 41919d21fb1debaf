"""All parts, one after the other, written down after each: ``python -m tests.benchmarks.gpu [--device cuda|cpu] …``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import torch

from tests.benchmarks.gpu import algorithms, graphs, stepping, timings
from tests.benchmarks.gpu.given import Finding, Given

RESULTS = Path(__file__).parents[1] / "results"
PARTS: dict[str, Callable[..., Any]] = {
    "every algorithm": algorithms.every_algorithm,
    "the CPU's updates": algorithms.cpu_against_device,
    "dynamics": stepping.dynamics,
    "collectors": stepping.collectors,
    "collecting by graphs": graphs.collecting,
    "updating by graphs": graphs.updating,
    "waiting": graphs.waiting,
    "memory": timings.memory,
    "speeds": timings.speeds,
}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="gpu.sh", description=__doc__)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--small", action="store_true", help="next to nothing to do, to see that it works")
    parser.add_argument("--seconds", type=float, default=330.0, help="when no more is begun")
    parser.add_argument("--output", type=Path, help="files to write, without .json and .txt")
    parser.add_argument("--only", action="append", choices=PARTS, help="this part; may be given several times")
    given = parser.parse_args(arguments)
    if given.device == "cuda" and not torch.cuda.is_available():
        print(
            "There is no NVIDIA GPU here that torch can use; GPU_DEVICE=cpu tries the script without.", file=sys.stderr
        )
        return 2
    torch.set_num_threads(1)
    started = time.perf_counter()
    path = given.output or RESULTS / f"{date.today().isoformat()}-gpu"
    here = Given(torch.device(given.device), given.small, started + given.seconds)
    kept: dict[str, Any] = {"date": date.today().isoformat(), "machine": _machine(given.device), "small": given.small}
    findings: list[Finding] = []
    kept["seconds"], kept["data"] = {}, {}

    def say(finding: Finding) -> None:
        findings.append(finding)
        print(finding, flush=True)

    for name in given.only or PARTS:
        if here.left <= 0.0:
            say(Finding(name, False, "not begun, since the time is up"))
            continue
        begun = time.perf_counter()
        print(f"-- {name}", flush=True)
        try:
            kept["data"][name] = PARTS[name](here, say)
        except Exception as error:
            traceback.print_exc()
            say(Finding(name, False, f"broke: {type(error).__name__}: {str(error).splitlines()[0]}"))
        kept["seconds"][name] = round(time.perf_counter() - begun, 1)
        _write(path, kept, findings)
    bad = sum(finding.good is False for finding in findings)
    print(f"{sum(finding.good is True for finding in findings)} good, {bad} bad; {time.perf_counter() - started:.0f} s")
    print(f"Written to {path}.json and .txt.")
    return 1 if bad else 0


def _machine(device: str) -> dict[str, Any]:
    return {
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "cpu": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
    }


def _write(path: Path, kept: dict[str, Any], findings: Sequence[Finding]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    told = [{"name": one.name, "good": one.good, "words": one.words} for one in findings]
    lines = [f"{name}: {value}" for name, value in kept["machine"].items()]
    path.with_name(path.name + ".json").write_text(json.dumps(kept | {"findings": told}, indent=2) + "\n", "utf-8")
    path.with_name(path.name + ".txt").write_text("\n".join([*lines, "", *map(str, findings)]) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
