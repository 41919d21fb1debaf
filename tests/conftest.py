"""What every test shares: no display, no sound, one torch thread, and the same random examples every time."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
# What one of the many processes that tests start has compiled, the others need not compile.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import pytest
from hypothesis import HealthCheck, settings

from engine.runtime.interrupts import ENDS

MOST_PROCESSES = 4

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


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """All tests together take a process per core, of which more than a few gain nothing, and one more has tests that
    wait for processes of their own wait too long; a part of them takes this one, as others take seconds to begin.
    ``-n`` says otherwise."""
    option, processes = config.option, min(os.cpu_count() or 1, MOST_PROCESSES)
    everything = [Path(given) for given in config.args] == [Path("tests")]
    may = getattr(option, "numprocesses", 0) is None and not option.usepdb and not hasattr(config, "workerinput")
    if everything and may and processes > 1:
        option.numprocesses, option.dist = processes, "worksteal"


def pytest_sessionstart(session: pytest.Session) -> None:
    if not getattr(session.config.option, "numprocesses", None):  # others run the tests
        import torch

        torch.set_num_threads(1)
        # Whoever starts the tests in the background has them ignore Ctrl+C, and all processes that they start with it.
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def heard_again() -> Iterator[None]:
    """A program that is ended hears no more signals; the one that tests goes on. Nor is one ignored meanwhile because
    whoever started the tests ignores it."""
    before = {number: signal.getsignal(number) for number in ENDS}
    for number, handler in before.items():
        if handler is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def pytest_runtest_setup() -> None:
    """Who trains in this thread leaves it taking the smallest numbers for 0, with which hypothesis cannot work."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name != "test_standards.py")  # or its longest would be waited for at the end


def pytest_collection_finish() -> None:
    # What has been imported and collected stays until the end, and need not be looked through again and again.
    gc.collect()
    gc.freeze()
