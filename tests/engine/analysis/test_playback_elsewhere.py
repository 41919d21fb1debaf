"""Environments from elsewhere are played in a process of their own, whose end is a sentence."""

from __future__ import annotations

from multiprocessing import active_children

import numpy as np
import pytest

from engine.analysis.playback import Playback, PolicySnapshot
from engine.environments.making import registry
from engine.reports.frames import Frame
from engine.runtime.errors import RunError
from engine.runtime.waiting import GivenUp, Wait, while_waiting
from tests.engine.analysis.playing import decided, frozen, toy
from tests.engine.support import configured

MISBEHAVING = "tests.engine.worker_environments:Misbehaving-v0"


def misbehaving(what: str, during: str, patience: float = 5.0) -> PolicySnapshot:
    """An environment from elsewhere, which misbehaves where its seed is odd."""
    options = {"what": what, "during": during}
    config = configured(environment={"id": MISBEHAVING, "options": options, "patience": patience})
    return frozen(config)


def odd_seed() -> int:
    """A seed of a playback whose environment has an odd one."""
    return next(seed for seed in range(99) if np.random.SeedSequence(seed).generate_state(2, np.uint32)[0] % 2)


def test_an_environment_from_elsewhere_plays_in_a_worker_process_what_it_would_play_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def played() -> list[Frame]:
        playback = Playback(misbehaving("", "step"), 0)
        frames = [playback.advance(greedy=True) for _ in range(4)]
        assert playback.frames_per_second == 25.0
        playback.close()
        return frames

    there = played()
    assert active_children() == []
    monkeypatch.setattr(registry, "only_in_workers", lambda id: False)
    for mine, other in zip(played(), there, strict=True):
        assert mine.image is not None
        assert other.image is not None
        assert mine.image.tolist() == other.image.tolist()
        assert decided(mine).probabilities.tolist() == decided(other).probabilities.tolist()


@pytest.mark.parametrize(
    ("what", "during", "sentence"),
    [
        ("exits", "render", r" took its worker process down in its render: it ended with the exit status 3\.$"),
        ("crashes", "step", r" took its worker process down in its step: it was ended by the signal SIGSEGV\.$"),
        ("holds the lock", "step", r" has not answered its step for 0\.5 s, .* set environment\.patience to more than"),
        ("exits", "making", r"Misbehaving-v0 could not be made in a worker process, which ended with the exit status"),
    ],
)
def test_an_environment_that_plays_badly_is_one_sentence_and_others_play_on(
    what: str, during: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def badly() -> None:
        playback.use(broken)
        for _ in range(3):
            playback.advance(greedy=False)

    playback = Playback(misbehaving("", "step"), odd_seed())
    monkeypatch.setattr("tests.engine.analysis.playing.inspect", lambda id: playback.environment)
    broken = misbehaving(what, during, patience=0.5)
    with pytest.raises(RunError, match=sentence):
        badly()
    assert active_children() == []
    playback.close()
    sound = Playback(toy("Sound-v0"), 0)
    assert sound.advance(greedy=False).step == 0
    sound.close()


def test_a_host_that_gives_up_what_plays_ends_its_worker() -> None:
    def give_up(wait: Wait) -> None:
        if wait.doing == "render":
            raise GivenUp

    playback = Playback(misbehaving("hangs", "render"), 0)
    with while_waiting(give_up), pytest.raises(GivenUp):
        playback.advance(greedy=False)
    assert active_children() == []
    playback.close()
