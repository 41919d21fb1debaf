"""The gallery: what it shows, how it is looked through, and how an environment is taken from it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.gallery.model import Card
from app.gallery.window import Gallery
from app.models.experiment import Experiment
from app.session.choice_loader import ChoiceLoader
from app.session.import_consent import ImportConsent
from app.session.lookup_thread import LookupThread
from app.style.theme import apply, load_theme
from engine.catalogue.environments import ENVIRONMENTS, EXTRAS
from engine.catalogue.family import Extra
from engine.catalogue.spaces import EnvironmentInfo, Space
from tests.app.shorthands import experiment, heard, pick_environment

MAZE = EnvironmentInfo("worlds:Maze-v0", "worlds:Maze-v0", "A maze.", Space("discrete", 9), Space("discrete", 4))

Open = Callable[..., Gallery]


@pytest.fixture(autouse=True)
def _minigrid_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is installed where the tests run."""
    monkeypatch.setattr(Extra, "installed", property(lambda self: self.name != "minigrid"))


@pytest.fixture
def opened(qtbot: QtBot, settings: QSettings) -> Open:
    windows: list[QWidget] = []

    def open_gallery(chosen: Experiment | None = None, theme: str = "dark") -> Gallery:
        window = QWidget()
        windows.append(window)
        qtbot.addWidget(window)
        chosen = chosen or experiment()
        consent = ImportConsent(settings)
        consent.remember("worlds", True)
        loader = ChoiceLoader(chosen, LookupThread(), consent, window)  # whose thread never runs
        gallery = Gallery(chosen, settings, load_theme(theme), window)
        gallery.asked.connect(loader.choose)
        gallery.resize(1178, 736)
        gallery.present()
        qtbot.waitUntil(gallery.isActiveWindow)
        return gallery

    return open_gallery


def ids(gallery: Gallery) -> list[str]:
    return [card.id for card in gallery.model.found]


def filter_by(gallery: Gallery, field: str, value: str) -> None:
    combo = gallery.filters.combos[field]
    combo.setCurrentIndex(combo.findData(value))


# --- the window ---


def test_it_opens_on_the_environment_in_use(opened: Open):
    gallery = opened(experiment("Taxi-v4"))
    assert gallery.cards.card.id == "Taxi-v4"
    assert gallery.cards.viewport().rect().contains(gallery.cards.visualRect(gallery.cards.currentIndex()).center())


def test_the_details_tell_all_that_is_known(opened: Open):
    gallery = opened(experiment("GridWorld-v0"))
    info = ENVIRONMENTS["GridWorld-v0"]
    labels = [label.text() for label in gallery.details.findChildren(QLabel) if label.isVisible()]
    told = "\n".join(labels).replace("\u00a0", " ")
    for expected in (
        info.title,
        info.id,
        info.summary,
        info.teaches,
        "25 states",
        "left · down · right · up",
        "100 steps",
    ):
        assert expected in told
    assert "a mean return of 8.5" in told
    assert "9.1364 (exact: computed by dynamic programming" in told


def test_typing_searches_and_enter_takes_what_is_found(opened: Open):
    chosen = experiment()
    gallery = opened(chosen)
    QTest.keyClicks(gallery.cards, "a")
    QTest.keyClicks(gallery.focusWidget(), "crobot")
    assert ids(gallery) == ["Acrobot-v1"]
    assert gallery.cards.card.id == "Acrobot-v1"
    QTest.keyClick(gallery.focusWidget(), Qt.Key.Key_Return)
    assert chosen.plain.id == "Acrobot-v1"
    assert not gallery.isVisible()


def test_control_f_goes_to_the_search(opened: Open):
    gallery = opened()
    QTest.keyClick(gallery.cards, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert gallery.focusWidget() is gallery.filters.search


def test_escape_leaves_the_environment_as_it_is(opened: Open):
    chosen = experiment()
    gallery = opened(chosen)
    QTest.keyClick(gallery.cards, Qt.Key.Key_Right)
    QTest.keyClick(gallery.cards, Qt.Key.Key_Escape)
    assert (gallery.isVisible(), chosen.plain.id) == (False, "CartPole-v1")


def test_arrows_go_from_card_to_card_over_headings(opened: Open):
    gallery = opened(experiment("Pendulum-v1"))
    QTest.keyClick(gallery.cards, Qt.Key.Key_Right)
    assert gallery.cards.card.id == "LunarLander-v3"
    QTest.keyClick(gallery.cards, Qt.Key.Key_Left)
    assert gallery.cards.card.id == "Pendulum-v1"
    QTest.keyClick(gallery.cards, Qt.Key.Key_Down)
    assert gallery.cards.card.group == "box2d"
    QTest.keyClick(gallery.cards, Qt.Key.Key_Up)
    assert gallery.cards.card.id == "Pendulum-v1"


def test_home_and_end_go_to_the_outermost_cards(opened: Open):
    gallery = opened(experiment("Pendulum-v1"))
    QTest.keyClick(gallery.cards, Qt.Key.Key_End)
    assert gallery.cards.card.id == ids(gallery)[-1]
    QTest.keyClick(gallery.cards, Qt.Key.Key_Home)
    assert gallery.cards.card.id == ids(gallery)[0]


def test_the_columns_share_out_the_width(opened: Open, qtbot: QtBot):
    gallery = opened()
    for width, columns in ((900, 2), (1178, 3), (1640, 5)):
        gallery.resize(width, 736)
        qtbot.wait(1)
        view = gallery.cards
        row = [view.visualRect(view.model().index_of(id)) for id in ids(gallery)[:6]]
        assert sum(place.top() == row[0].top() for place in row) == columns
        assert all(place.width() >= 228 for place in row)
        assert row[columns - 1].right() <= view.viewport().width()


def test_a_double_click_takes_a_card(opened: Open, qtbot: QtBot):
    chosen = experiment()
    gallery = opened(chosen)
    place = gallery.cards.visualRect(gallery.model.index_of("Acrobot-v1")).center()
    for click in (qtbot.mouseClick, qtbot.mouseDClick):
        click(gallery.cards.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert chosen.plain.id == "Acrobot-v1"


def test_a_heading_cannot_be_taken(opened: Open, qtbot: QtBot):
    chosen = experiment()
    gallery = opened(chosen)
    qtbot.mouseDClick(gallery.cards.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(60, 20))
    assert (gallery.isVisible(), gallery.cards.card.id) == (True, "CartPole-v1")


def test_the_number_found_is_told_and_an_empty_result_says_what_to_change(opened: Open, qtbot: QtBot):
    gallery = opened()
    total = len(ENVIRONMENTS)
    filter_by(gallery, "group", "ours")
    assert gallery._count.text() == f"4 of {total}"
    filter_by(gallery, "actions", "continuous")
    assert gallery.nothing.isVisible()
    assert "continuous actions, our own small ones" in gallery.nothing.text()
    assert not gallery.details.terms.first.isEnabled()
    qtbot.mouseClick(gallery.show_all, Qt.MouseButton.LeftButton)
    assert len(ids(gallery)) == total


def test_what_is_looked_for_is_cleared_at_once(opened: Open, qtbot: QtBot):
    gallery = opened()
    clear = gallery.filters.clear_button
    assert not clear.isEnabled()
    filter_by(gallery, "needs", "extra")
    QTest.keyClicks(gallery.filters.search, "pong")
    assert ids(gallery) == ["ALE/Pong-v5"]
    qtbot.mouseClick(clear, Qt.MouseButton.LeftButton)
    assert (len(ids(gallery)), gallery.filters.search.text(), clear.isEnabled()) == (len(ENVIRONMENTS), "", False)


def test_a_selection_that_is_filtered_away_gives_way_to_the_first_found(opened: Open):
    gallery = opened()
    filter_by(gallery, "sees", "images")
    assert gallery.cards.card.id == "CarRacing-v3"
    filter_by(gallery, "sees", "")
    assert gallery.cards.card.id == "CarRacing-v3"


def test_what_lacks_an_extra_tells_how_to_install_it_and_cannot_be_taken(opened: Open, qtbot: QtBot):
    chosen = experiment()
    gallery = opened(chosen)
    gallery.cards.select("MiniGrid-Empty-5x5-v0")
    details = gallery.details
    assert details._install.command.text() == EXTRAS["minigrid"].command
    assert not details.terms.first.isEnabled()
    qtbot.mouseClick(details._install._copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == EXTRAS["minigrid"].command
    QTest.keyClick(gallery.cards, Qt.Key.Key_Return)
    assert (gallery.isVisible(), chosen.plain.id) == (True, "CartPole-v1")


def test_what_is_installed_has_no_install_command(opened: Open):
    gallery = opened()
    gallery.cards.select("HalfCheetah-v5")
    assert (gallery.details._install.isVisible(), gallery.details.terms.first.isEnabled()) == (False, True)


@pytest.mark.parametrize("text", [1.0, 2.0])
def test_nothing_is_cut_in_the_details_of_a_low_window(opened: Open, qtbot: QtBot, text: float):
    theme = load_theme("dark").scaled(text)
    gallery = opened()
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    before = application.font(), application.styleSheet()
    apply(theme, application)
    gallery.apply_theme(theme)
    gallery.resize(942, 589)
    try:
        gallery.cards.select("LunarLander-v3")
        details = gallery.details
        labels = [label for label in details._page.findChildren(QLabel) if label.isVisible()]
        qtbot.waitUntil(lambda: all(label.height() >= label.heightForWidth(label.width()) for label in labels))
        first = details.terms.first
        lines = first.text().split("\n")
        qtbot.waitUntil(lambda: first.height() >= len(lines) * first.fontMetrics().height())
        assert max(first.fontMetrics().horizontalAdvance(line) for line in lines) < first.width()
    finally:
        application.setFont(before[0])
        application.setStyleSheet(before[1])


def test_what_is_missing_is_said_to_a_screen_reader(opened: Open):
    model = opened().model
    spoken = model.index_of("MiniGrid-Empty-5x5-v0").data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.endswith("Not installed")


def test_while_a_run_is_active_one_may_look_but_not_take(opened: Open):
    chosen = experiment()
    gallery = opened(chosen)
    gallery.set_running(True)
    gallery.cards.select("Acrobot-v1")
    QTest.keyClick(gallery.cards, Qt.Key.Key_Return)
    assert chosen.plain.id == "CartPole-v1"
    assert (gallery.details.terms.first.isEnabled(), gallery.id_entry.field.isEnabled()) == (False, False)
    assert gallery.details._reason.text() == gallery.id_entry.answer.text() == "Stop the run to change this."
    gallery.set_running(False)
    assert gallery.details.terms.first.isEnabled()
    assert gallery.id_entry.answer.text().startswith("module:Id")


# --- others' environments ---


def test_a_typed_id_is_asked_for_and_remembered_once_it_is_there(opened: Open, settings: QSettings, qtbot: QtBot):
    chosen = experiment()
    gallery = opened(chosen)
    asked = heard(gallery.asked)
    QTest.keyClicks(gallery.id_entry.field, "worlds:Maze-v0")
    QTest.keyClick(gallery.id_entry.field, Qt.Key.Key_Return)
    assert asked == [("worlds:Maze-v0", "starting")]
    assert gallery.isVisible()
    pick_environment(chosen, MAZE)
    assert not gallery.isVisible()
    again = Gallery(experiment(), settings, load_theme("dark"), gallery.parentWidget())
    assert [card for card in again.model.found if card.group == "own"] == [Card("worlds:Maze-v0", "own")]


def test_a_refusal_is_told_where_the_id_was_typed(opened: Open):
    gallery = opened()
    QTest.keyClicks(gallery.id_entry.field, "Nowhere-v0")
    QTest.keyClick(gallery.id_entry.field, Qt.Key.Key_Return)
    gallery.refuse("There is no environment Nowhere-v0.")
    assert gallery.isVisible()
    assert gallery.id_entry.answer.text() == "There is no environment Nowhere-v0."
    assert gallery.id_entry.field.text() == "Nowhere-v0"


def test_an_empty_id_says_what_to_type(opened: Open, qtbot: QtBot):
    gallery = opened()
    asked = heard(gallery.asked)
    qtbot.mouseClick(gallery.id_entry.button, Qt.MouseButton.LeftButton)
    assert asked == []
    assert gallery.id_entry.answer.text().startswith("Type an id")


def test_a_typed_id_of_the_catalogue_is_taken_at_once(opened: Open):
    chosen = experiment()
    gallery = opened(chosen)
    filter_by(gallery, "group", "ours")
    QTest.keyClicks(gallery.id_entry.field, "Acrobot-v1")
    QTest.keyClick(gallery.id_entry.field, Qt.Key.Key_Return)
    assert chosen.environment == ENVIRONMENTS["Acrobot-v1"]


def test_a_typed_id_that_is_not_installed_leaves_no_older_answer(opened: Open):
    gallery = opened()
    gallery.refuse("There is no environment Nowhere-v0.")
    QTest.keyClicks(gallery.id_entry.field, "MiniGrid-Empty-5x5-v0")
    QTest.keyClick(gallery.id_entry.field, Qt.Key.Key_Return)
    assert gallery.cards.card.id == "MiniGrid-Empty-5x5-v0"
    assert gallery.id_entry.answer.text().startswith("module:Id")


def test_what_is_registered_besides_has_cards_and_completes_what_is_typed(opened: Open):
    gallery = opened()
    asked = heard(gallery.asked)
    gallery.show_registered(("CliffWalkingSlippery-v1",))
    assert ids(gallery)[-1] == "CliffWalkingSlippery-v1"
    completer = gallery.id_entry.field.completer()
    completer.setCompletionPrefix("slipp")
    assert completer.currentCompletion() == "CliffWalkingSlippery-v1"
    gallery.cards.select("CliffWalkingSlippery-v1")
    QTest.keyClick(gallery.cards, Qt.Key.Key_Return)
    assert asked == [("CliffWalkingSlippery-v1", "starting")]


def test_an_own_environment_can_be_forgotten(opened: Open, qtbot: QtBot):
    chosen = experiment()
    gallery = opened(chosen)
    forgotten = heard(gallery.forgotten)
    pick_environment(chosen, MAZE)
    gallery.cards.select(MAZE.id)
    assert not gallery.details.forget.isVisible(), "it is in use"
    pick_environment(chosen, ENVIRONMENTS["CartPole-v1"])
    gallery.cards.select(MAZE.id)
    qtbot.mouseClick(gallery.details.forget, Qt.MouseButton.LeftButton)
    assert forgotten == [MAZE.id]
    assert MAZE.id not in ids(gallery)


# --- the pictures ---


@pytest.mark.parametrize("name", ["dark", "light"])
def test_every_card_is_painted_in_both_themes(opened: Open, name: str):
    gallery = opened(theme=name)
    gallery.show_registered(("CliffWalkingSlippery-v1",))
    gallery.apply_theme(load_theme(name))
    gallery.cards.resize(900, 9000)
    image = gallery.cards.grab().toImage()
    for index in (gallery.model.index_of(id) for id in ids(gallery)):
        place = gallery.cards.visualRect(index)
        colours = {
            image.pixelColor(place.left() + x, place.top() + y).name()
            for x in range(9, 190, 3)
            for y in range(9, 110, 3)
        }
        assert len(colours) > 1, index.data()


# --- its place in the main window ---
