"""The menu of presets, a person's own among them: how they are picked, saved and removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from app.models.experiment import Experiment
from app.models.run_state import RunState
from app.session.choice_loader import ChoiceLoader
from app.session.import_consent import ImportConsent
from app.session.lookup_thread import LookupThread
from app.style import theme
from app.window.actions import make_actions
from app.window.main_window import MainWindow
from app.window.preset_files import PresetFiles
from app.window.preset_menu import PresetMenu
from app.window.save_dialog import SaveDialog
from engine.catalogue.environments import EXTRAS
from engine.catalogue.family import Extra
from engine.config import own_presets, presets
from engine.config.presets import Preset, shipped
from tests.app.shorthands import heard

Make = Callable[..., MainWindow]


class PresetWindow(QWidget):
    """What a window has of presets, and nothing else."""

    def __init__(self, settings: QSettings) -> None:
        super().__init__()
        self.experiment = Experiment()
        self.choice_loader = ChoiceLoader(self.experiment, LookupThread(), ImportConsent(settings), self)
        self.actions_by_name = make_actions(self)
        files = PresetFiles(self.experiment, self.choice_loader, self)
        self.actions_by_name["load_preset"].triggered.connect(files.ask_for_file)
        self.actions_by_name["save_preset"].triggered.connect(files.ask_where_to_save)
        self.preset_menu = PresetMenu(self.choice_loader, files, self.actions_by_name, self)
        self.choice_loader.load(next(iter(shipped().values())))
        self.told = heard(self.choice_loader.notice)


@pytest.fixture
def window(qtbot: QtBot, settings: QSettings) -> PresetWindow:
    made = PresetWindow(settings)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitActive(made)
    return made


def opened(window: MainWindow | PresetWindow) -> PresetMenu:
    """The menu, with all that it has once it has been opened."""
    window.preset_menu.popup(window.mapToGlobal(window.rect().center()))
    return window.preset_menu


def leaves(menu: QMenu) -> Iterator[tuple[QMenu, QAction]]:
    """Every action of a menu and its submenus that is no submenu itself."""
    for action in menu.actions():
        beneath = action.menu()
        if isinstance(beneath, QMenu):
            yield from leaves(beneath)
        elif not action.isSeparator():
            yield menu, action


def pick(window: MainWindow | PresetWindow, title: str, qtbot: QtBot) -> None:
    """Open the menu, and click on the action of this title in the submenu that it is in."""
    menu, action = next(each for each in leaves(opened(window)) if each[1].text().split("\t")[0] == title)
    if menu is not window.preset_menu:
        menu.popup(window.mapToGlobal(window.rect().topLeft()))
    qtbot.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())
    window.preset_menu.close()


def save_as(window: MainWindow | PresetWindow, title: str, qtbot: QtBot) -> None:
    window.actions_by_name["save_preset"].trigger()
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, SaveDialog)
    dialog.title.selectAll()
    QTest.keyClicks(dialog.title, title)
    qtbot.mouseClick(dialog.save, Qt.MouseButton.LeftButton)


def test_every_shipped_preset_has_one_place_and_the_default_the_first(window: PresetWindow) -> None:
    titles = [action.text().split("\t")[0] for _, action in leaves(opened(window))]
    default = presets.default().title
    assert titles[0] == default == next(iter(shipped().values())).title
    assert all(titles.count(preset.title) == 1 + (preset.title == default) for preset in shipped().values())
    assert all(action.toolTip() for _, action in leaves(window.preset_menu))


def test_no_menu_is_taller_than_the_lowest_screen(window: PresetWindow) -> None:
    theme.apply(theme.load_theme("dark"), QApplication.instance())
    menus = [opened(window), *(each.menu() for each in window.preset_menu.actions() if each.menu())]
    assert max(menu.sizeHint().height() for menu in menus) <= 600


def test_a_click_in_a_submenu_takes_a_preset(make_window: Make, qtbot: QtBot) -> None:
    window = make_window()
    pick(window, "Lunar lander: PPO", qtbot)
    assert window.experiment.config == shipped()["lunar-lander"].config
    assert "Lunar lander: PPO" in window.log.text


def test_what_is_saved_is_in_the_menu_and_goes_by_its_title(
    make_window: Make, qtbot: QtBot, presets_folder: Path
) -> None:
    window = make_window()
    window.experiment.set_value("update.learning_rate", 0.0123)
    edited = window.experiment.config
    save_as(window, "My slow pole", qtbot)
    assert [path.name for path in presets_folder.iterdir()] == ["my-slow-pole.toml"]
    assert window.toolbar.preset_button.text() == "My slow pole"
    pick(window, "Lunar lander: PPO", qtbot)
    pick(window, "My slow pole", qtbot)
    assert window.experiment.config == edited
    assert window.toolbar.preset_button.text() == "My slow pole"


def test_saving_offers_what_was_edited_as_title_and_summary_and_says_what_it_replaces(
    window: PresetWindow, qtbot: QtBot, presets_folder: Path
) -> None:
    title = next(iter(shipped().values())).title
    window.experiment.set_value("update.learning_rate", 0.0123)
    save_as(window, "Mine", qtbot)
    window.experiment.set_value("update.learning_rate", 0.02)
    window.actions_by_name["save_preset"].trigger()
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, SaveDialog)
    assert dialog.words == ("Mine, edited", "Mine with α 0.0123 → 0.02.")
    dialog.title.setText("Mine")
    assert dialog.save.text() == "Replace"
    assert str(presets_folder) in dialog.place.text()
    dialog.title.clear()
    assert not dialog.save.isEnabled()
    QTest.keyClick(dialog.title, Qt.Key.Key_Escape)
    saved = presets.load(presets_folder / "mine.toml")
    assert saved.summary == f"{title} with α 0.005 → 0.0123."
    assert saved.measured == ""


def test_a_broken_file_is_greyed_and_says_why(window: PresetWindow, presets_folder: Path, qtbot: QtBot) -> None:
    presets_folder.mkdir(parents=True)
    (presets_folder / "broken.toml").write_text("title = 'x'\n[config]\nsed = 1\n")
    action = opened(window).yours.actions()[0]
    assert (action.text(), action.isEnabled()) == ("broken.toml", False)
    assert "sed" in action.toolTip()
    window.preset_menu.close()


def test_removing_asks_first_and_goes_to_the_trash(window: PresetWindow, presets_folder: Path, qtbot: QtBot) -> None:
    save_as(window, "Mine", qtbot)
    for answer, left in (("Cancel", ["mine.toml"]), ("Remove", [])):
        pick(window, "Mine…", qtbot)
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        next(button for button in box.buttons() if button.text().replace("&", "") == answer).click()
        assert [path.name for path in presets_folder.iterdir()] == left
    assert "mine.toml" in str(window.told[-1])


def test_files_are_asked_for_in_the_folder_of_presets(
    window: PresetWindow, presets_folder: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    save_as(window, "Mine", qtbot)
    asked: list[str] = []
    monkeypatch.setattr(
        QFileDialog, "getOpenFileName", lambda _window, _title, start, _kinds: asked.append(start) or ("", "")
    )
    window.actions_by_name["load_preset"].trigger()
    assert asked == [str(presets_folder)]


def test_a_preset_can_be_saved_elsewhere(
    window: PresetWindow, presets_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "there"), ""))
    window.actions_by_name["save_preset"].trigger()
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, SaveDialog)
    qtbot.mouseClick(dialog.elsewhere, Qt.MouseButton.LeftButton)
    assert presets.load(tmp_path / "there.toml").config == window.experiment.config
    assert not dialog.isVisible()
    assert not presets_folder.exists()


def test_what_an_extra_is_missing_for_is_greyed_and_says_how_to_install_it(
    window: PresetWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Extra, "installed", property(lambda self: self.name != "mujoco"))
    menu, action = next(each for each in leaves(opened(window)) if each[1].text().startswith("Inverted pendulum"))
    window.preset_menu.set_locked(True)
    window.preset_menu.set_locked(False)
    assert menu.title() == "MuJoCo"
    assert not action.isEnabled()
    assert EXTRAS["mujoco"].command in action.toolTip()


def test_a_folder_that_cannot_be_made_is_one_sentence(window: PresetWindow, presets_folder: Path, qtbot: QtBot) -> None:
    presets_folder.parent.parent.mkdir(parents=True, exist_ok=True)
    presets_folder.parent.write_text("in the way")
    save_as(window, "Mine", qtbot)
    assert "for your presets could not be made" in str(window.told[-1])
    assert own_presets.own() == {}


def test_a_folder_that_cannot_even_be_looked_into_is_one_sentence(
    window: PresetWindow, presets_folder: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    longer_than_any = presets_folder / ("x" * 300)  # of which a system refuses even to say whether it is there
    monkeypatch.setattr("engine.config.own_presets.folder", lambda: longer_than_any)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    window.actions_by_name["load_preset"].trigger()
    save_as(window, "Mine", qtbot)
    assert "for your presets could not be made" in str(window.told[-1])
    assert own_presets.own() == {}


@pytest.mark.parametrize("sign", ["学", "𝒶"], ids=["three bytes", "four bytes"])
def test_a_title_of_the_widest_signs_can_be_saved(presets_folder: Path, sign: str) -> None:
    preset = Preset(title=80 * sign, config=presets.default().config)
    own_presets.made_folder()
    presets.save(preset, own_presets.file_for(preset.title))
    assert list(own_presets.own().values()) == [preset]


def test_while_a_run_is_active_presets_can_be_saved_but_not_taken(
    make_window: Make, reach: Callable[..., None]
) -> None:
    window = make_window()
    window.start()
    reach(window, RunState.RUNNING)
    usable = {action.text().split("\t")[0] for _, action in leaves(opened(window)) if action.isEnabled()}
    assert usable == {"Save preset…", "Open their folder", "Stop and change"}


@pytest.mark.parametrize(
    ("title", "name"),
    [("Cart pole: PPO", "cart-pole-ppo"), ("../../etc", "etc"), ("Größe π!", "größe-π"), ("???", "preset")],
)
def test_a_title_makes_the_name_of_a_file_in_the_folder(title: str, name: str, presets_folder: Path) -> None:
    assert own_presets.file_for(title) == presets_folder / f"{name}.toml"


def test_a_file_that_changed_is_read_again(presets_folder: Path) -> None:
    path = own_presets.made_folder() / "a.toml"
    preset = next(iter(shipped().values()))
    for title in ("First", "Second title"):
        presets.save(Preset(title=title, config=preset.config), path)
        content = own_presets.own()[path]
        assert isinstance(content, Preset)
        assert content.title == title


def test_what_a_file_says_is_shown_as_it_is(window: PresetWindow, presets_folder: Path) -> None:
    preset = presets.find("cartpole").model_copy(update={"title": "Mine", "summary": "<b>bold</b> & more"})
    presets.save(preset, own_presets.made_folder() / "mine.toml")
    assert opened(window).yours.actions()[0].toolTip() == "<qt>&lt;b&gt;bold&lt;/b&gt; &amp; more</qt>"
    window.preset_menu.close()
