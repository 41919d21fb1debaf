"""Code that an environment's id names is imported only after a person has allowed it, and the answer is remembered."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import gymnasium
import pytest
from PySide6.QtCore import QSettings, QTimer, Signal
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.session.choice_loader import ChoiceLoader
from app.session.import_consent import ImportConsent, module_of
from app.window import application
from app.window.application import Opening
from engine.config import PolicyGradientConfig, presets
from engine.config.environments import EnvironmentConfig
from engine.config.parameters import with_values
from engine.config.presets import Preset
from tests.app.shorthands import experiment, heard

ID = "a_persons_worlds:Persons-v0"
MODULE = """
import gymnasium
from gymnasium import spaces

class Persons(gymnasium.Env):
    metadata = {"render_modes": ["rgb_array"]}
    observation_space = spaces.Discrete(3)
    action_space = spaces.Discrete(2)
    def __init__(self, render_mode=None):
        self.render_mode = render_mode
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return 0, {}
    def step(self, action):
        return 1, 1.0, True, False, {}
    def render(self):
        import numpy
        return numpy.zeros((8, 8, 3), numpy.uint8)

gymnasium.register("Persons-v0", Persons)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A person's module that registers an environment, not imported yet."""
    (tmp_path / "a_persons_worlds.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield "a_persons_worlds"
    sys.modules.pop("a_persons_worlds", None)
    gymnasium.registry.pop("Persons-v0", None)


class _Thread(QWidget):
    """Stands for the thread of look-ups, and keeps what it is asked."""

    inspected, refused = Signal(object, object), Signal(object, str)

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.dropped = 0

    def drop(self) -> None:
        self.dropped += 1

    def look_up(self, environment: EnvironmentConfig) -> None:
        self.asked.append(environment.id)


class _Asked:
    """A loader whose thread does nothing, and the question that stands open."""

    def __init__(self, settings: QSettings) -> None:
        self.thread = _Thread()
        self.choice_loader = ChoiceLoader(experiment(), self.thread, ImportConsent(settings), self.thread)
        self.refusals = heard(self.choice_loader.refused)

    @property
    def question(self) -> QMessageBox | None:
        box = QApplication.activeModalWidget()
        return box if isinstance(box, QMessageBox) else None

    def answer(self, text: str) -> None:
        next(button for button in self.question.buttons() if button.text() == text).click()

    def look_up(self, id: str = ID) -> None:
        self.choice_loader.look_up(EnvironmentConfig(id=id))

    def load(self) -> None:
        self.choice_loader.load(Preset(title="Theirs", config=with_values(PolicyGradientConfig(), {"environment": ID})))


@pytest.fixture
def asked(qtbot: QtBot, settings: QSettings) -> _Asked:
    asked = _Asked(settings)
    qtbot.addWidget(asked.thread)
    return asked


def test_the_module_of_an_id():
    assert [module_of(id) for id in ("CartPole-v1", "ALE/Pong-v5", "a.b:C-v0")] == ["", "", "a.b"]


def test_nothing_is_looked_at_before_the_question_is_answered(asked: _Asked):
    asked.look_up()
    assert asked.thread.asked == []
    assert "a_persons_worlds" in asked.question.text()
    asked.answer("Import")
    assert asked.thread.asked == [ID]


def test_a_refusal_is_told_and_asks_nothing_of_the_thread(asked: _Asked):
    asked.look_up()
    asked.answer("Do not import")
    assert asked.thread.asked == []
    assert "may not be imported" in asked.refusals[0]
    assert asked.choice_loader.awaited is None


def test_closing_the_question_is_a_refusal(asked: _Asked):
    asked.look_up()
    asked.question.close()
    assert (asked.thread.asked, len(asked.refusals)) == ([], 1)


def test_the_button_that_is_ready_does_not_import(asked: _Asked):
    asked.look_up()
    assert asked.question.defaultButton().text() == "Do not import"
    asked.answer("Do not import")


def test_a_yes_is_remembered_for_its_module_and_for_no_other(asked: _Asked, settings: QSettings, qtbot: QtBot):
    asked.look_up()
    asked.answer("Import")
    settings.sync()
    later = _Asked(QSettings(settings.fileName(), QSettings.Format.IniFormat))
    qtbot.addWidget(later.thread)
    later.look_up("a_persons_worlds:Another-v0")
    later.load()
    assert later.question is None
    assert len(later.thread.asked) == 2
    later.look_up("another_persons_worlds:Persons-v0")
    assert later.question is not None
    later.answer("Do not import")


def test_a_remembered_no_refuses_a_preset_but_a_typed_id_is_asked_for_again(asked: _Asked):
    asked.load()
    asked.answer("Do not import")
    asked.load()
    assert asked.question is None
    assert len(asked.refusals) == 2
    asked.look_up()
    asked.answer("Import")
    asked.load()
    assert asked.thread.asked == [ID] * 2


def test_what_is_forgotten_is_asked_for_again(asked: _Asked):
    asked.look_up()
    asked.answer("Import")
    asked.choice_loader.forget(ID)
    asked.look_up()
    assert asked.question is not None
    asked.answer("Do not import")


@pytest.mark.parametrize("id", ["CliffWalkingSlippery-v1", "gymnasium:CliffWalkingSlippery-v1"])
def test_what_needs_no_new_import_is_not_asked_for(asked: _Asked, id: str):
    asked.look_up(id)
    assert asked.question is None
    assert asked.thread.asked == [id]


def test_an_answer_after_a_later_choice_changes_nothing(asked: _Asked):
    asked.look_up()
    box = asked.question
    asked.look_up("CliffWalkingSlippery-v1")
    next(button for button in box.buttons() if button.text() == "Import").click()
    assert asked.thread.asked == ["CliffWalkingSlippery-v1"]


def test_a_typed_module_is_imported_once_it_is_allowed(make_window, qtbot: QtBot, module: str):
    window = make_window()
    window.actions_by_name["environments"].trigger()
    gallery = window.gallery.gallery
    QTest.keyClicks(gallery.id_entry.field, ID)
    gallery.id_entry.button.click()
    box = QApplication.activeModalWidget()
    assert module not in sys.modules
    next(button for button in box.buttons() if button.text() == "Import").click()
    qtbot.waitUntil(lambda: window.experiment.plain.id == ID, timeout=20_000)
    assert window.experiment.environment.observation.size == 3


def opened_for_a_moment(preset: Preset, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], None]) -> int:
    """The exit status of a window that was to train on ``preset`` for 0.2 s, calling ``meanwhile`` all the time."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # which running sets
    timer = QTimer(interval=20)
    timer.timeout.connect(meanwhile)
    timer.start()
    try:
        return application.run(Opening(preset, None, True, 0.2, None, None, None))
    finally:
        timer.stop()


@pytest.mark.parametrize("answer", ["Import", "Do not import"])
def test_a_preset_at_start_up_asks_in_the_open_window(
    qtbot: QtBot, module: str, settings: QSettings, monkeypatch: pytest.MonkeyPatch, answer: str
):
    seen: list[object] = []

    class Window(application.MainWindow):
        def __init__(self, _settings: object, *rest: object, **named: object) -> None:
            super().__init__(settings, *rest, **named)
            self.controller.state_changed.connect(lambda state: seen.append(state))
            self.choice_loader.refused.connect(seen.append)

    def reply() -> None:
        box = QApplication.activeModalWidget()
        if box is not None:
            seen.append((type(box).__name__, module in sys.modules, box.parentWidget().isVisible()))
            next(button for button in box.buttons() if button.text() == answer).click()

    monkeypatch.setattr(application, "MainWindow", Window)
    preset = Preset(
        title="Theirs", config=with_values(PolicyGradientConfig(), {"environment": ID, "policy": "tabular"})
    )
    status = opened_for_a_moment(preset, monkeypatch, reply)
    assert status == (0 if answer == "Import" else 1)
    assert seen[0] == ("QMessageBox", False, True)
    assert module not in sys.modules  # not even where it may be imported: worker processes do that
    assert (RunState.RUNNING in seen) is (answer == "Import")


def test_a_start_with_a_refused_preset_trains_nothing_else(
    module: str, settings: QSettings, monkeypatch: pytest.MonkeyPatch
):
    ImportConsent(settings).remember(module, False)
    states: list[RunState] = []

    class Window(application.MainWindow):
        def __init__(self, _settings: object, *rest: object, **named: object) -> None:
            super().__init__(settings, *rest, **named)
            self.controller.state_changed.connect(states.append)

    monkeypatch.setattr(application, "MainWindow", Window)
    preset = Preset(title="Theirs", config=with_values(PolicyGradientConfig(), {"environment": ID}))
    assert opened_for_a_moment(preset, monkeypatch, lambda: None) == 1
    assert states == []


def test_start_up_imports_no_module_by_itself(module: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    from app.window import startup

    opened: list[Opening] = []
    monkeypatch.setattr(application, "run", lambda opening: opened.append(opening) or 0)
    preset = Preset(title="Theirs", config=with_values(PolicyGradientConfig(), {"environment": ID}))
    presets.save(preset, tmp_path / "theirs.toml")
    assert startup.open_window(str(tmp_path / "theirs.toml")) == 0
    assert (opened[0].environment, opened[0].preset.config.environment.id) == (None, ID)
    assert module not in sys.modules
