"""Looking at environments from elsewhere: in a worker process, with a limit, and never in this one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from multiprocessing import active_children
from pathlib import Path

import pytest

from engine.analysis.playback import Playback, snapshot
from engine.environments.making import in_worker
from engine.environments.making.lookup import inspect
from engine.runtime.errors import RequestError
from engine.runtime.waiting import GivenUp, Wait, while_waiting
from engine.training.training import Training
from tests.engine.support import configured

ID = "a_persons_module:Persons/Own-v0"
SOURCE = """
import ctypes, enum, os, signal, sys, threading, time
import gymnasium
import numpy as np

{imported}

class Colour(str, enum.Enum):
    RED = "red"

class Own(gymnasium.Env):
    observation_space = gymnasium.spaces.Discrete(3)
    action_space = gymnasium.spaces.Discrete(2)
    metadata = {{"render_modes": ["rgb_array"]}}

    def __init__(self, size=3, rate=np.float64(0.5), colour=Colour.RED, render_mode=None):
        self.render_mode = render_mode
        {made}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return 0, {{}}

    def step(self, action):
        {stepped}
        return 0, 1.0, True, False, {{}}

    def render(self):
        return np.zeros((2, 2, 3), np.uint8)

    def close(self):
        {closed}

gymnasium.register("Persons/Own-v0", Own, reward_threshold=np.float32(1.0))
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Writes the module, with these statements in it."""

    def written(**statements: str) -> None:
        places = dict.fromkeys(("imported", "made", "stepped", "closed"), "pass")
        (tmp_path / "a_persons_module.py").write_text(SOURCE.format(**places | statements))

    monkeypatch.syspath_prepend(tmp_path)
    return written


def test_the_module_is_never_imported_here(write: Callable[..., None]) -> None:
    """Not by looking the environment up, nor by training, nor by playing; and a changed one is seen as it is."""
    write()
    info = inspect(ID)
    assert (info.observation.size, info.solved_at) == (3, 1.0)
    assert [option.name for option in info.options] == ["size", "rate"]
    training = Training(configured(environment=ID, policy="tabular", budget__environment_steps=20))
    assert len(list(training)) > 2
    playback = Playback(snapshot(training.policy, training.config, training.environment, 1), 0)
    assert playback.advance(greedy=False).image is not None
    playback.close()
    training.close()
    write(made="self.observation_space = gymnasium.spaces.Discrete(17)")
    assert inspect(ID).observation.size == 17
    assert "a_persons_module" not in sys.modules
    assert active_children() == []


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        ({"imported": "os._exit(4)"}, "could not be made in a worker process, which ended with the exit status 4."),
        (
            {"made": "ctypes.string_at(0)"},
            "could not be made in a worker process, which was ended by the signal SIGSEGV.",
        ),
        (
            {"stepped": "os._exit(4)"},
            "took its worker process down in its first reset and step: it ended with the exit status 4.",
        ),
        ({"made": "raise GeneratorExit"}, "could not be made: GeneratorExit."),
    ],
    ids=["leaves when imported", "crashes when made", "leaves in step", "raises"],
)
def test_what_goes_wrong_is_one_sentence(write: Callable[..., None], statements: dict[str, str], told: str) -> None:
    write(**statements)
    with pytest.raises(RequestError) as refused:
        inspect(ID)
    assert str(refused.value) == f"{ID} {told}"


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("imported", "could not be made in a worker process within 0.5 s"),
        ("stepped", "has not answered its first reset and step for 0.5 s"),
    ],
)
def test_what_does_not_answer_is_given_up(
    write: Callable[..., None], place: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where C code holds the lock of Python's interpreter."""
    monkeypatch.setattr(in_worker, "MAKING", 0.5)
    write(**{place: "ctypes.PyDLL(None).sleep(60)"})
    with pytest.raises(RequestError) as refused:
        inspect(ID, {}, 0.2)
    assert str(refused.value) == f"{ID} {told}; if it only takes long, set environment.patience to more than 0.5."
    assert active_children() == []


def test_whoever_waits_is_told_and_may_give_up(write: Callable[..., None]) -> None:
    told: list[Wait] = []

    def watch(wait: Wait) -> None:
        told.append(wait)
        if len(told) == 3:
            raise GivenUp

    write(made="time.sleep(60)")
    with while_waiting(watch), pytest.raises(GivenUp):
        inspect(ID, {}, 90.0)
    assert told[-1] == Wait(ID, "making", pytest.approx(0.3), 90.0)
    assert active_children() == []


def test_what_happens_when_it_is_closed_is_nobodys_business(write: Callable[..., None]) -> None:
    write(closed="os._exit(4)")
    assert inspect(ID).observation.size == 3


def test_it_has_a_main_thread(write: Callable[..., None]) -> None:
    write(made="signal.signal(signal.SIGTERM, lambda *_: None)")
    assert inspect(ID).observation.size == 3
