"""What every test shares: no display, no sound, one torch thread, and the same random examples every time."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import pytest
import torch
from hypothesis import HealthCheck, settings

torch.set_num_threads(1)

settings.register_profile(
    "deterministic",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("deterministic")


@pytest.fixture(autouse=True, scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for the run libraries of all tests; nothing is written to that of the person who runs them."""
    folder = tmp_path_factory.mktemp("libraries")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_LIBRARY", str(folder / "shared"))
        yield folder


_numbers = count(1)


@pytest.fixture(autouse=True)
def library_place(libraries: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the run library of a test is; it need not be there yet."""
    folder = libraries / str(next(_numbers))
    monkeypatch.setenv("PLAYGROUND_LIBRARY", str(folder))
    return folder


def pytest_configure(config: pytest.Config) -> None:
    # Box2D's bindings warn while C code makes their types; raising there, as for our own warnings, kills the process.
    config.addinivalue_line("filterwarnings", "ignore:builtin type .* has no __module__ attribute:DeprecationWarning")


def pytest_collection_finish(session: pytest.Session) -> None:
    # What has been imported and collected stays until the end, and need not be looked through again and again.
    gc.collect()
    gc.freeze()
    if not session.config.option.collectonly:
        for module in _modules(session, "begin_beside"):  # what its tests will wait for
            module.begin_beside()


def pytest_sessionfinish(session: pytest.Session) -> None:
    for module in _modules(session, "end_beside"):
        module.end_beside()


def _modules(session: pytest.Session, name: str) -> list[Any]:
    """The files among those that are tested in which there is a function of that name."""
    modules = {getattr(item, "module", None) for item in session.items}
    return [module for module in modules if hasattr(module, name)]
