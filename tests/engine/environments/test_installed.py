"""What is registered with Gymnasium besides what the catalogue describes, by installed packages too."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import gymnasium
import pytest

from engine.environments.making import in_worker
from engine.environments.making.installed import other_registered_ids
from engine.environments.making.lookup import inspect
from engine.runtime.errors import RequestError


@pytest.fixture(autouse=True)
def _registry_as_before() -> Iterator[None]:
    before = dict(gymnasium.registry)
    yield
    gymnasium.registry.clear()
    gymnasium.registry.update(before)


def test_what_gymnasium_has_besides_is_little():
    own = [id for id in other_registered_ids().ids if "/" not in id]
    assert "CliffWalkingSlippery-v1" in own
    assert not {"CartPole-v1", "CartPole-v0", "Hopper-v4", "Bandit-v0", "GymV26Environment-v0"} & set(own)


def test_only_the_newest_version_is_named():
    for version in (9, 10, 2):
        gymnasium.register(f"Besides/Maze-v{version}", "besides:Maze")
    gymnasium.register("Besides/Timeless", "besides:Timeless")
    assert [id for id in other_registered_ids().ids if id.startswith("Besides/")] == [
        "Besides/Maze-v10",
        "Besides/Timeless",
    ]


@pytest.mark.parametrize("id", ["phys2d/CartPole-v1", "tabular/Blackjack-v0"])
def test_the_same_again_for_jax_is_left_out(id: str):
    assert id in gymnasium.registry
    assert id not in other_registered_ids().ids


def test_the_old_names_of_a_game_are_left_out():
    gymnasium.register("Pong-v4", "ale_py.env:AtariEnv")
    gymnasium.register("ALE/Tetris-v5", "ale_py.env:AtariEnv")
    found = other_registered_ids().ids
    assert "ALE/Tetris-v5" in found
    assert "Pong-v4" not in found


WORLDS = """
import gymnasium

def declare():
    gymnasium.register("Maze-v1", "tests.engine.support:Bandit")

def fail():
    raise BaseException("no such disk")

def leave():
    import os
    os._exit(3)
"""


def install(folder: Path, name: str, source: str, entry_points: str = "") -> None:
    """A package as pip would leave it, which needs Gymnasium."""
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("from . import worlds")
    (folder / name / "worlds.py").write_text(source)
    about = folder / f"{name}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Dist: gymnasium>=0.29\n"
    )
    (about / "top_level.txt").write_text(f"{name}\n")
    (about / "entry_points.txt").write_text(entry_points)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_what_packages_declare_is_listed_and_can_be_had_without_being_imported_here(packages: Path) -> None:
    declared = (
        "[gymnasium.envs]\n__root__ = mazes.worlds:declare\nLab = mazes.worlds:declare\nZoo = mazes.worlds:fail\n"
    )
    install(packages, "mazes", WORLDS, declared + "[gymnasium.envs.Inner]\nmazes = mazes.worlds:declare\n")
    found = other_registered_ids()
    assert {"Maze-v1", "Lab/Maze-v1", "Inner/Maze-v1"} <= set(found.ids)
    assert found.problem == ""
    assert inspect("Lab/Maze-v1").observation.size == 1
    assert "mazes" not in sys.modules
    assert "Maze-v1" not in gymnasium.registry


def test_a_package_that_takes_the_listing_down_leaves_the_rest_and_a_sentence(
    packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(packages, "mazes", WORLDS, "[gymnasium.envs]\n__root__ = mazes.worlds:leave\n")
    gymnasium.register("Besides/Maze-v9", "besides:Maze")
    found = other_registered_ids()
    assert "Besides/Maze-v9" in found.ids
    assert found.problem == (
        "What installed packages declare could not be listed in a worker process, which ended with the exit status 3."
    )


@pytest.mark.parametrize("asked", ["Labyrinth-v2", "labyrinth"])
def test_the_module_that_registers_an_id_when_imported_is_suggested(packages: Path, asked: str) -> None:
    """By its source alone: nobody has allowed that it be imported."""
    install(packages, "labyrinths", "import gymnasium\ngymnasium.register('Labyrinth-v2', 'labyrinths:Labyrinth')\n")
    install(packages, "also_named", "ids = ['Labyrinth-v2']\n")
    with pytest.raises(RequestError) as refused:
        inspect(asked)
    assert str(refused.value) == (
        f"There is no environment {asked} registered with Gymnasium; did you mean labyrinths:Labyrinth-v2?"
    )


def test_a_module_that_hangs_while_it_is_looked_at_is_given_up(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_worker, "MAKING", 0.5)
    (packages / "sleepers.py").write_text("import time\ntime.sleep(60)\n")
    with pytest.raises(RequestError) as refused:
        inspect("sleepers:Maze-v1", {}, 0.6)
    assert str(refused.value) == (
        "sleepers:Maze-v1 could not be made in a worker process within 0.6 s; if it only takes long, set "
        "environment.patience to more than 0.6."
    )
