"""The Episode panel where what plays fails, hangs, is slow or gives odd pictures."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.panels.episode.panel import EpisodePanel
from app.session.playback_thread import picture_of
from engine.analysis.playback import PolicySnapshot
from engine.reports.frames import Frame
from engine.runtime.waiting import Wait, waited
from tests.app.films import Open, click, film, plays, show, some_frame


def test_a_failing_environment_is_one_sentence_in_the_panel(qtbot: QtBot, open_panel: Open) -> None:
    panel = open_panel(film(what="raises"))
    qtbot.waitUntil(lambda: "raised OSError: the level file is gone, in its step" in panel.view.sentence)


def test_after_a_failure_the_play_button_tries_again(qtbot: QtBot, open_panel: Open) -> None:
    panel = open_panel(film(what="raises once"))
    qtbot.waitUntil(lambda: "not yet" in panel.view.sentence)
    click(qtbot, panel.play_button)
    qtbot.waitUntil(lambda: plays(panel))


def test_broken_parameters_are_one_sentence_in_the_panel(qtbot: QtBot, open_panel: Open) -> None:
    shown = film()
    for value in shown.state.values():
        value.fill_(float("nan"))
    panel = open_panel(shown)
    qtbot.waitUntil(lambda: "not finite" in panel.view.sentence)


def test_the_next_run_plays_after_a_failed_one(qtbot: QtBot, open_panel: Open) -> None:
    panel = open_panel(film(what="raises"))
    qtbot.waitUntil(lambda: "raised" in panel.view.sentence)
    panel.playback.reset()
    panel.reset()
    panel.playback.offer(film())
    qtbot.waitUntil(lambda: plays(panel))


class _Hangs:
    """A playback whose worker process does not answer when asked for a picture, for an hour at the most."""

    frames_per_second = 30.0
    made: list[_Hangs] = []  # noqa: RUF012

    def __init__(self, snapshot: PolicySnapshot, seed: int) -> None:
        self.environment = snapshot.environment
        self.closed, self._pictures = False, 0
        self.made.append(self)

    def use(self, snapshot: PolicySnapshot, *, at_once: bool) -> None:
        pass

    def advance(self, greedy: bool, render: bool = True, *, told: bool = True) -> Frame:
        self._pictures += 1
        for tenth in range(36_000 if self._pictures == 3 else 0):
            waited(Wait("Film-v0", "render", tenth / 10.0, 3600.0))
            time.sleep(0.005)
        return replace(some_frame(), image=np.zeros((4, 4, 3), np.uint8))

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def hung(qtbot: QtBot, open_panel: Open, monkeypatch: pytest.MonkeyPatch) -> EpisodePanel:
    """A panel whose environment does not answer, which it has been told."""
    monkeypatch.setattr(_Hangs, "made", [])
    with monkeypatch.context() as patch:
        patch.setattr("engine.analysis.playback.Playback", _Hangs)
        panel = open_panel(film())
        qtbot.waitUntil(lambda: panel.view.badge == "No answer")
    return panel


def test_a_new_run_plays_though_the_last_one_does_not_answer(qtbot: QtBot, hung: EpisodePanel) -> None:
    hung.playback.offer(film(), new_run=True)
    hung.reset()
    qtbot.waitUntil(lambda: plays(hung) and hung.view.badge == "", timeout=1000)
    assert _Hangs.made[0].closed


def test_hidden_what_does_not_answer_is_given_up_and_plays_anew_when_shown(qtbot: QtBot, hung: EpisodePanel) -> None:
    hung.hide()
    qtbot.waitUntil(lambda: _Hangs.made[0].closed, timeout=1000)
    hung.show()
    qtbot.waitUntil(lambda: hung.view.badge == "" and hung.step_label.text() != "step 7 of 500")
    assert not hung.view.sentence


def test_the_thread_ends_at_once_though_the_environment_does_not_answer(hung: EpisodePanel) -> None:
    hung.playback.end()
    assert hung.playback.wait(500)


@pytest.mark.parametrize("error", [asyncio.CancelledError(), GeneratorExit(), SystemExit("bye")])
def test_what_is_no_exception_is_one_sentence_and_the_next_run_plays(
    qtbot: QtBot, open_panel: Open, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def raises(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr("engine.analysis.playback.Playback", raises)
        panel = open_panel(film())
        qtbot.waitUntil(lambda: f"The episode cannot be shown: {type(error).__name__}" in panel.view.sentence)
    panel.playback.offer(film(), new_run=True)
    panel.reset()
    qtbot.waitUntil(lambda: plays(panel))


def test_an_environment_too_slow_for_its_speed_says_so(qtbot: QtBot, open_panel: Open) -> None:
    panel = open_panel(film(slow=0.3))
    panel.speed_box.setCurrentText("8×")
    qtbot.waitUntil(lambda: panel.rate_label.text() != "")
    assert panel.rate_label.text().endswith(" of 800 steps/s")
    assert "8× would be 800" in panel.rate_label.toolTip()
    panel.reset()
    assert panel.rate_label.text() == ""


@pytest.mark.parametrize("sizes", [[(1, 1), (600, 400), (400, 600)], [(1, 4000), (4000, 1)], [(3, 2), (2, 3), (3, 2)]])
def test_pictures_of_changing_sizes_are_shown_in_room_that_stays(
    open_panel: Open, monkeypatch: pytest.MonkeyPatch, sizes: list[tuple[int, int]]
) -> None:
    panel = open_panel()
    for size in sizes:
        show(panel, monkeypatch, some_frame(), size)
    limit = panel.view.maximumHeight()
    for width, height in sizes:
        show(panel, monkeypatch, some_frame(), (width, height))
        rect = panel.view.picture_rect
        assert panel.view.rect().contains(rect)
        assert rect.width() >= 1 <= rect.height()
        assert (rect.width() > rect.height()) is (width > height)
    assert panel.view.maximumHeight() == limit


@pytest.mark.parametrize(("shape", "size"), [((1, 1), (1, 1)), ((5000, 3000), (1000, 1667)), ((2048, 10), (10, 2048))])
def test_a_picture_is_handed_over_no_larger_than_can_be_seen(shape: tuple[int, int], size: tuple[int, int]) -> None:
    image = np.zeros((*shape, 3), np.uint8)
    image[0, 0] = 9, 8, 7
    picture = picture_of(image)
    assert (picture.width(), picture.height()) == size
    assert picture.pixelColor(0, 0).getRgb()[:3] == (9, 8, 7)


def test_the_thread_ends_within_a_second_whatever_it_does(qtbot: QtBot, open_panel: Open) -> None:
    panel = open_panel(film(length=1))
    qtbot.waitUntil(lambda: plays(panel))
    panel.playback.end()
    assert panel.playback.wait(1000)
