"""The project's own rules: style, types, and which room may know which."""

from __future__ import annotations

import re
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


@pytest.mark.timeout(400)  # mypy remembers nothing where it runs for the first time
@pytest.mark.parametrize("name", COMMANDS)
def test_the_code_keeps_to(name: str) -> None:
    command = [sys.executable, *COMMANDS[name]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_else_stands_at_the_top_level() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    top = {line.split("/")[0] for line in listed.stdout.splitlines() if not line.startswith(".")}
    assert top <= {"app", "engine", "resources", "tests", "main.py", "pyproject.toml", "README.md", "LICENSE"}


def test_models_hold_no_widgets() -> None:
    guilty = [path.name for path in (ROOT / "app" / "models").glob("*.py") if "QtWidgets" in path.read_text("utf-8")]
    assert guilty == []


def test_what_the_wheel_must_not_turn_is_made_of_one_kind() -> None:
    """A page is scrolled over combos and sliders; those of Qt would be changed by it."""
    made = re.compile(r"\b(QSlider|QComboBox)\(\s*[\w.]*\s*\)")
    files = [path for path in (ROOT / "app").rglob("*.py") if path.parent.name != "style"]
    assert files
    assert [path.name for path in files if made.search(path.read_text("utf-8"))] == []
