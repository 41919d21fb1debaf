"""Adding is local: an update rule in five files, each half of an estimator in four, a family of environments in one.

Each is added to a copy of the program as a contributor would add it, then trained with and looked at. And no method
that is there is known by name in more files than that.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from engine.catalogue.environments import FAMILIES
from engine.catalogue.methods.entries import BASELINES, CREDITS, POLICIES, UPDATES
from tests.additions import BASELINE, CREDIT, FAMILY, UPDATE_RULE, Addition

ROOT = Path(__file__).parent.parent
NOT_COPIED = shutil.ignore_patterns("__pycache__", "pictures")

LOOKED_AT = """
import json, sys
from app.gallery.model import GROUPS, all_cards
from app.models.experiment import Experiment
from app.panels.experiment.choices import choices_of
from app.panels.experiment.equation.equation_glossary import glossary
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.biases import biases
from engine.catalogue.methods.compatibility import refusal
from engine.catalogue.methods.entries import ALGORITHMS, BASELINES, CREDITS, UPDATES
from engine.catalogue.methods.reported import diagnosed
from engine.config import presets
from engine.config.parameters import with_values
from engine.equations import equation
from engine.equations.pseudo_code import code_lines
from main import main

preset = presets.find("corridor-sign").config
config = with_values(preset, {
    "environment": "CliffWalkingSlippery-v1", "estimator.credit": "immediate", "estimator.baseline": "median",
    "budget.environment_steps": 3000,
})
environment = ENVIRONMENTS["CliffWalkingSlippery-v1"]
lines = equation(config, environment)
experiment = Experiment(config, environment)
trained = main([
    "train", "--preset", "corridor-sign", "--environment", "CliffWalkingSlippery-v1", "--report", sys.argv[1],
    "--set", "estimator.credit=immediate", "--set", "estimator.baseline=median", "--steps", "3000", "--device", "cpu",
])
print(json.dumps({
    "trained": trained,
    "listed": [list(UPDATES)[:3], list(CREDITS)[0], list(BASELINES)[0], "sign-reinforce" in ALGORITHMS],
    "biases": biases(config, environment),
    "diagnosed": diagnosed(config),
    "refused": str(refusal(with_values(config, {"collection": "fixed-length"}), environment)),
    "equation": " ".join(term.latex for line in lines for term in line),
    "code": [line.text for line in code_lines(config)],
    "explained": glossary(lines),
    "choices": [choice.id for choice in choices_of(experiment, UPDATES)],
    "groups": GROUPS,
    "cards": [card.id for card in all_cards((), (), ()) if card.group == "puzzles"],
}))
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a copy of the program with all four additions shows, and the last line of its report."""
    root = tmp_path_factory.mktemp("program")
    for folder in ("engine", "app", "resources"):
        shutil.copytree(ROOT / folder, root / folder, ignore=NOT_COPIED)
    shutil.copy(ROOT / "main.py", root)
    for addition in (UPDATE_RULE, CREDIT, BASELINE, FAMILY):
        addition.make(root)
    done = subprocess.run(
        [sys.executable, "-c", LOOKED_AT, str(root / "report.jsonl")],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root), "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = (root / "report.jsonl").read_text("utf-8").splitlines()
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found | {"last": json.loads(report[-1])}


@pytest.mark.parametrize(("addition", "most"), [(UPDATE_RULE, 5), (CREDIT, 4), (BASELINE, 4), (FAMILY, 1)])
def test_an_addition_touches_few_files(addition: Addition, most: int) -> None:
    assert len(addition.files) <= most


def test_what_was_added_is_trained_with(seen: dict[str, Any]) -> None:
    last = seen["last"]
    assert seen["trained"] == 0
    assert last["environment_steps"] >= 3000
    assert last["grad_norm"] > 0.0


def test_an_update_rule_that_was_added_is_shown_with_all_that_its_record_says(seen: dict[str, Any]) -> None:
    assert seen["listed"][0] == ["gradient-ascent", "sign-ascent", "natural-gradient"]
    assert seen["listed"][3]
    assert "sign-ascent" in seen["choices"]
    assert "The sign of a mean is not the mean of signs." in seen["biases"]
    assert "line_search" in seen["diagnosed"]
    assert seen["last"]["line_search"] == 1.0
    assert seen["refused"].startswith("Signs are taken of whole episodes")
    assert r"\mathrm{sign}(\hat{g})" in seen["equation"]
    assert "θ ← θ + h sign ĝ" in seen["code"]
    assert "the length of every parameter's step" in seen["explained"]


def test_each_half_of_an_estimator_that_was_added_is_shown(seen: dict[str, Any]) -> None:
    assert seen["listed"][1:3] == ["immediate", "median"]
    assert "What comes after a step is left out of its credit." in seen["biases"]
    assert "The constant is computed from the very samples it is subtracted from." in seen["biases"]
    assert r"r_{i,t} - " in seen["equation"]
    assert r"\mathrm{median}(G)" in seen["equation"]
    assert {"Ψ ← the reward", "Â ← Ψ − median"} <= set(seen["code"])
    assert "the batch's middle one, the baseline" in seen["explained"]


def test_a_family_of_environments_that_was_added_has_its_place_in_the_gallery(seen: dict[str, Any]) -> None:
    groups = list(seen["groups"])
    assert groups.index("toy") + 1 == groups.index("puzzles") == groups.index("ours") - 1
    assert seen["groups"]["puzzles"] == "Puzzles"
    assert seen["cards"] == ["CliffWalkingSlippery-v1"]


# --- and what is there already ----------------------------------------------------------------------------------------

# Where the same word is something else: an optional package, a part of a loss or of a state, a schedule, a sentence,
# who races, what a map shows.
SOMETHING_ELSE = {
    "none": {"app", "engine/commands/transfer.py", "engine/config/bugs.py"},
    "average": {"app/panels/lab/baseline/plots.py"},
    "trpo": {"app/panels/lab/landscape", "engine/analysis/landscape"},
    "value": {
        "app/panels/surface",
        "engine/mdp/probes.py",
        "engine/runs/snapshots.py",
        "engine/runs/exports/tensorboard.py",
        "engine/algorithms",
        "engine/training",
        "engine/config/environments.py",
        "engine/config/validation.py",
    },
    "optimal": {"engine/config/imitation.py"},
    "box2d": {"engine/environments/making/registry.py"},
    "mujoco": {"engine/environments/making"},
    "tabular": {"engine/environments/making/installed.py"},
    "linear": {"app", "engine/algorithms", "engine/config/optimization.py", "engine/networks"},
    # What an earlier version of the program called so stays known for ever.
    "exact-gradient": {"engine/config/migrations.py"},
}


# A starting choice takes some of what there is, as a preset does, and a script is written for some, and refused with a
# sentence for the others; what is added need not be among it.
CHOOSES = ("engine/catalogue/methods/starting.py", "engine/runs/exports/script")


@cache
def mentioned() -> dict[str, set[str]]:
    """By text, in which sources it stands as a string of its own."""
    found: dict[str, set[str]] = {}
    for path in (*ROOT.glob("engine/**/*.py"), *ROOT.glob("app/**/*.py"), ROOT / "main.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.setdefault(node.value, set()).add(path.relative_to(ROOT).as_posix())
    return found


def spread(kind: str) -> list[str]:
    others = (*SOMETHING_ELSE.get(kind, ()), *CHOOSES)
    return sorted(path for path in mentioned()[kind] if not path.startswith(others))


@pytest.mark.parametrize("kind", UPDATES)
def test_an_update_rule_is_known_by_name_in_few_files(kind: str) -> None:
    """Its configuration, its record and its equation; the algorithm goes by the configuration's class."""
    assert len(spread(kind)) <= 4  # with presets, 5


@pytest.mark.parametrize("kind", [*CREDITS, *BASELINES])
def test_each_half_of_an_estimator_is_known_by_name_in_few_files(kind: str) -> None:
    assert len(spread(kind)) <= 4


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_of_environments_is_known_by_name_in_one_file(family: str) -> None:
    assert spread(family) == [f"engine/catalogue/environments/{family}.py"]


@pytest.mark.parametrize("kind", POLICIES)
def test_a_policy_is_known_by_name_in_few_files(kind: str) -> None:
    assert len(spread(kind)) <= 6
