"""The GPU script, tried on the CPU with next to nothing to do, so that whoever has a GPU only runs it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.benchmarks.gpu import __main__ as script

SHELL = Path(script.__file__).parents[1] / "gpu.sh"


def test_every_part_works_on_the_cpu(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = script.main(["--device", "cpu", "--small", "--output", str(tmp_path / "gpu")])
    kept = json.loads((tmp_path / "gpu.json").read_text("utf-8"))
    assert [one["words"] for one in kept["findings"] if one["good"] is False] == []
    assert status == 0
    assert set(kept["seconds"]) == set(script.PARTS)
    assert all(point["cpu"]["speed"] > 0.0 for point in kept["data"]["speeds"])
    text = (tmp_path / "gpu.txt").read_text("utf-8")
    assert all(one["name"] in text for one in kept["findings"])
    assert "bad; " in capsys.readouterr().out


def test_a_part_that_breaks_or_has_no_time_left_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("no such kernel")

    monkeypatch.setattr(script, "PARTS", {"one": breaks, "other": breaks})
    common = ["--device", "cpu", "--output", str(tmp_path / "gpu")]
    assert script.main(common) == 1
    assert "no such kernel" in (tmp_path / "gpu.txt").read_text("utf-8")
    assert script.main([*common, "--seconds", "0"]) == 1


@pytest.mark.skipif(os.name == "nt", reason="a script of the shell")
def test_the_shell_script_says_what_to_bring_along() -> None:
    said = subprocess.run(["bash", str(SHELL), "--wheels"], capture_output=True, text=True, check=True).stdout
    assert "pydantic-core" in said
    assert "gymnasium" in said
