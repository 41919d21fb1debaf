"""The project's own rules: style, types, and which room may know which."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


COMMANDS = {
    "ruff": ["-m", "ruff", "check", "."],
    "format": ["-m", "ruff", "format", "--check", "."],
    "mypy": ["-m", "mypy"],
    "imports": ["-c", "from importlinter.cli import lint_imports_command as c; c()"],
}
_running: dict[str, subprocess.Popen[str]] = {}


def begin_beside() -> None:
    """Let the checks run beside the tests that come before this file's, on another core, and give way to them."""
    for name in COMMANDS:
        _running[name] = _started(name)


def end_beside() -> None:
    """End those that nobody has asked for."""
    for process in _running.values():
        process.kill()
        process.communicate()
    _running.clear()


def _started(name: str) -> subprocess.Popen[str]:
    gently = {"preexec_fn": lambda: os.nice(5)} if os.name == "posix" else {}
    command = [sys.executable, *COMMANDS[name]]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", **gently
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_the_code_keeps_to(name: str) -> None:
    process = _running.pop(name, None) or _started(name)
    said, _ = process.communicate()
    assert process.returncode == 0, said


def test_nothing_else_stands_at_the_top_level() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    top = {line.split("/")[0] for line in listed.stdout.splitlines() if not line.startswith(".")}
    assert top <= {"app", "engine", "resources", "tests", "main.py", "pyproject.toml", "README.md", "LICENSE"}


def test_models_hold_no_widgets() -> None:
    guilty = [path.name for path in (ROOT / "app" / "models").glob("*.py") if "QtWidgets" in path.read_text("utf-8")]
    assert guilty == []
