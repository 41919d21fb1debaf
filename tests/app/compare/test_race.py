"""Agents of several runs that race, on the real window and by the real thread."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from app.compare.page import ComparePage
from app.compare.race import controls
from app.compare.race.standings import Standing, Standings
from app.compare.race.tile import best_columns
from app.models.run_style import style_of
from app.panels.episode.frame_view import FrameView
from app.session.side_by_side import Lineup, Shown, SideBySide
from app.style.theme import load_theme
from app.window.main_window import MainWindow
from engine.runs.library import Library
from engine.runs.place import library_folder
from tests.app.compare.ticking import only, tick
from tests.each import each
from tests.engine.runs.libraries import filled, keep, policy_for, record


def test_a_race_from_the_tab_to_the_lecture_hall(page: ComparePage, qtbot: QtBot) -> None:
    only(page, qtbot, 1, 2)
    race, window = page.race, page.window()
    assert isinstance(window, MainWindow)
    page.tabs.setCurrentIndex(1)
    tiles = race.tiles
    qtbot.waitUntil(lambda: tiles[0].view.sentence.startswith("No policy was kept of run 1;"), timeout=15_000)
    assert tiles[1].view.sentence.startswith("No policy was kept of run 2;")
    with Library(library_folder()) as library:
        for run in page.compared.runs:
            for iteration in (1, 2):
                keep(library, run.record, policy_for(run.record.config, seed=run.record.number), iteration)
    head = race.controls
    head.pace_slider.setValue(head.pace_slider.maximum())
    qtbot.mouseClick(head.greedy_button, Qt.MouseButton.LeftButton)
    assert (race.player.speed, race.player.greedy) == (8.0, True)
    qtbot.mouseClick(head.restart_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(set(race.standings.order)) == 2 and _rounds(race.standings) >= 1, timeout=30_000)
    assert race.told.text().startswith("Round ")
    assert all(tile.view.badge[0] in "12" for tile in tiles)
    # what they had learned after equal steps; the slider goes as far as both have trained
    head.at_box.setCurrentIndex(2)
    assert race.player.lineup == Lineup(tuple(run.id for run in race.runs), 300)
    head.steps_slider.setValue(50)
    qtbot.waitUntil(lambda: race.player.lineup == Lineup(tuple(run.id for run in race.runs), 150))
    qtbot.waitUntil(lambda: "policy after 100 steps" in tiles[0].told.text(), timeout=15_000)
    # paused, others are still seen at their start
    qtbot.mouseClick(head.play_button, Qt.MouseButton.LeftButton)
    assert race.player.paused
    head.at_box.setCurrentIndex(0)
    qtbot.waitUntil(lambda: tiles[0].told.text() == "step 0 · policy after 200 steps", timeout=15_000)
    # all the room of the page, and then of the window
    qtbot.mouseClick(head.fill_button, Qt.MouseButton.LeftButton)
    assert not page.picker.isVisible()
    assert not page.overlay.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_P)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not page.picker.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert page.picker.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_P)
    assert window.present.isAncestorOf(race)
    assert not head.fill_button.isVisible()
    for shown in (page.profile, page.survival, page.overlay):
        qtbot.keyClick(window, Qt.Key.Key_PageDown)
        assert window.present.isAncestorOf(shown)
        assert shown.isVisible()
        assert page.isAncestorOf(race)
    qtbot.keyClick(window, Qt.Key.Key_PageDown)
    assert window.present.isAncestorOf(race)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert page.isAncestorOf(race)
    assert race.isVisible()
    # of another environment nobody is ahead
    tick(page, qtbot, 4)
    assert race.said.text().startswith("They play in different environments")
    qtbot.waitUntil(lambda: tiles[2].view.sentence.startswith("No policy was kept of run 4;"), timeout=15_000)
    assert tiles[0].told.text().startswith("step 0")
    assert [tile.view.badge for tile in tiles] == ["", "", ""]


@each("width", (40, 50, 70, 90, 110, 300))
def test_a_badge_is_whole_in_a_picture_of_any_width(width: int, qtbot: QtBot) -> None:
    view = FrameView()
    qtbot.addWidget(view)
    view.resize(width, 100)
    view.show_picture(QImage(600, 400, QImage.Format.Format_RGB32))
    view.show_badge("8 · ended", "8 ■", "8")
    badge = view._badge
    assert badge.width() >= badge.sizeHint().width()
    assert view.picture_rect.contains(badge.geometry())
    assert view.badge == ("8 · ended" if width > 100 else view.badge)
    if width <= 50:
        assert view.badge != "8 · ended"


def _rounds(standings: Standings) -> int:
    return min((int(row.rounds.split()[0]) if row.rounds else 0 for row in standings._rows), default=0)


def test_more_runs_than_there_is_room_for_are_said_to_be_left_out(page: ComparePage, qtbot: QtBot) -> None:
    with Library(library_folder()) as library:
        runs = [filled(library, {"seed": seed}) for seed in range(10, 18)]
        runs.append(filled(library, {"seed": 10, "update.learning_rate": 0.5}))
    page._library.look()
    page._library.show_only([run.id for run in runs])
    qtbot.waitUntil(lambda: len(page.compared.runs) == 9)
    qtbot.waitUntil(lambda: [run.id for run in page.race.runs] == [run.id for run in (*runs[:7], runs[8])])
    assert page.race.said.text().startswith("9 runs are ticked, and 8 have room")


def played(player: SideBySide, qtbot: QtBot, lineup: Lineup, count: int = 1) -> list[Shown]:
    """What is shown of a line-up, so many times."""
    found = []
    player.set_wanted(True)
    player.show_lineup(lineup)
    player.start()
    try:
        for _ in range(count):
            with qtbot.waitSignal(player.frames_ready, timeout=30_000):
                pass
            shown = player.take()
            assert shown is not None
            found.append(shown)
    finally:
        player.end()
        assert player.wait(5000)
    return found


@pytest.mark.parametrize("yields", [False, True])
def test_who_cannot_play_says_so_and_the_others_are_moved_in_step(
    library_place: Path, qtbot: QtBot, yields: bool
) -> None:
    with Library(library_place) as library:
        elsewhere = library.begin(record({"environment.id": "elsewhere:Maze-v0"}))
        run = library.begin(record())
        keep(library, run, policy_for(run.config))
    player = SideBySide(library_place)
    player.set_yields(yields)
    for shown in played(player, qtbot, Lineup((elsewhere.id, run.id, run.id)), 3):
        other, *same = shown.sides
        assert other.trouble == (
            "elsewhere:Maze-v0 is not in the catalogue and has not been looked at since the program was started; open "
            "run 1 in Train once, and its agent plays here."
        )
        one, two = (side.frame for side in same)
        assert one is not None
        assert two is not None
        assert (one.step, one.reward_so_far) == (two.step, two.reward_so_far)
        assert same[0].picture is not None
        assert same[0].picture == same[1].picture
        assert same[0].environment_steps == 300


def test_rows_stand_by_rank_and_those_alike_stay_where_they_are(qtbot: QtBot) -> None:
    standings = Standings(load_theme("dark"))
    qtbot.addWidget(standings)

    def show(*ranks: int | None) -> list[str]:
        rows = [Standing(name, name, style_of(1), rank, 1.0) for name, rank in zip("abc", ranks, strict=True)]
        standings.show_rows(rows)
        return standings.order

    assert show(None, None, None) == ["a", "b", "c"]
    assert show(2, 3, 1) == ["c", "a", "b"]
    assert show(1, 1, 1) == ["c", "a", "b"]
    assert standings.accessibleDescription() == "1: run c, return 1; 1: run a, return 1; 1: run b, return 1"


def test_pictures_have_as_many_columns_as_make_them_largest() -> None:
    assert best_columns(8, 1200, 600, 1.5, 40) == 4
    assert best_columns(8, 1200, 110, 1.5, 40) == 8
    assert best_columns(3, 300, 900, 1.5, 40) == 1
    assert best_columns(1, 300, 900, 1.5, 40) == 1


def test_each_round_all_may_have_trained_longer(
    qtbot: QtBot, library_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controls, "_HOLD", 0)
    monkeypatch.setattr(controls, "_SOON", 0)
    panel = controls.RaceControls(load_theme("dark"), SideBySide(library_place))
    qtbot.addWidget(panel)
    panel.show_end(2000)
    panel.at_box.setCurrentIndex(2)
    assert panel.at == 2000
    panel.longer_button.click()  # all are at the end already: from the beginning
    assert panel.at == 0
    for steps in range(200, 2001, 200):
        qtbot.waitUntil(lambda: not panel._soon.isActive())
        with qtbot.waitSignal(panel.changed):
            panel.round_ended()
        assert panel.at == steps
    assert not panel.longer_button.isChecked()
    panel.round_ended()
    panel.show_end(1000)  # another run has trained for less
    assert panel.at == 1000
