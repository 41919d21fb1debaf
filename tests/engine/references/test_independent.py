"""The references are what they are for: each a whole algorithm in one short file that knows nothing of the engine."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.mark.parametrize("name", ["reinforce", "a2c", "ppo", "trpo", "long_run"])
def test_a_reference_reads_from_top_to_bottom(name: str) -> None:
    lines = (Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8").splitlines()
    imported = {line.split()[1].split(".")[0] for line in lines if line.startswith(("import ", "from "))}
    assert imported <= {"__future__", "collections", "math", "torch"}
    assert len(lines) < 150
