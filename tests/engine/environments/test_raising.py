"""Whatever an environment raises, it is told in one sentence; what interrupts this process interrupts it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import numpy as np
import pytest

from engine.config.environments import EnvironmentConfig
from engine.environments.batches.gymnasium import GymnasiumBatch
from engine.environments.making import registry
from engine.runtime.errors import RequestError, RunError
from engine.runtime.waiting import GivenUp
from tests.engine.support import Toy, register

ONE = np.arange(1)


class PanicException(BaseException):
    """As Rust's panics come through pyo3."""

    def __str__(self) -> str:
        raise ValueError("not even its words can be had")


class Raises(Toy):
    """Raises ``error`` in one of its methods."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012 - as Gymnasium wants it

    def __init__(self, during: str, error: type[BaseException], render_mode: str | None = None) -> None:
        super().__init__()
        self._during, self._error = during, error
        self._raise("making")

    def _raise(self, during: str) -> None:
        if during == self._during:
            raise self._error

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        self._raise("reset")
        return super().reset(seed=seed)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        self._raise("step")
        return super().step(action)

    def render(self) -> Any:
        self._raise("render")
        return np.zeros((1, 1, 3), np.uint8)

    def close(self) -> None:
        self._raise("close")


def play(during: str, error: type[BaseException]) -> None:
    id = register("Tests/Raises-v0", Raises, during=during, error=error)
    batch = GymnasiumBatch(EnvironmentConfig(id=id), [3], render=True)
    try:
        batch.reset(ONE)
        batch.step(np.zeros(1, np.int64), ONE)
        batch.render(0)
    finally:
        batch.close()


@pytest.mark.parametrize("error", [PanicException, asyncio.CancelledError, SystemExit, GeneratorExit])
@pytest.mark.parametrize("during", ["making", "reset", "step", "render", "close"])
def test_what_is_no_exception_is_told_like_one(during: str, error: type[BaseException]) -> None:
    if during == "close":  # after which nothing is wanted of it
        play(during, error)
        return
    with pytest.raises(RequestError if during == "making" else RunError) as raised:
        play(during, error)
    words = "could not be made" if during == "making" else f"with the seed 3 raised {error.__name__}, in its {during}."
    assert str(raised.value).startswith(f"Tests/Raises-v0 {words}")
    assert error.__name__ in str(raised.value)


@pytest.mark.parametrize("error", [KeyboardInterrupt, GivenUp])
@pytest.mark.parametrize("during", ["making", "reset", "step", "render", "close"])
def test_what_interrupts_this_process_passes(during: str, error: type[BaseException]) -> None:
    with pytest.raises(error):
        play(during, error)


def test_an_interruption_that_only_a_main_thread_could_hear_is_the_environments_own_elsewhere() -> None:
    told: list[BaseException] = []

    def played() -> None:
        try:
            play("step", KeyboardInterrupt)
        except BaseException as error:
            told.append(error)

    thread = threading.Thread(target=played)
    thread.start()
    thread.join()
    assert isinstance(told[0], RunError)
    assert "raised KeyboardInterrupt, in its step" in str(told[0])


def test_a_module_that_ends_the_process_when_imported_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def leaves(module: str) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(registry, "import_module", leaves)
    with pytest.raises(RequestError, match=r"^The module persons of persons:Own-v0 failed while being imported: "):
        registry.make("persons:Own-v0")
