"""Who may be learned from is offered by name: what is shipped, what the library has, and who is always there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.style.combo import Combo
from app.window.main_window import MainWindow
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.families import FAMILIES
from engine.config import ImitationConfig, PolicyGradientConfig
from engine.runs.library import Library
from engine.runs.recording_records import RecordingSource
from engine.runs.recordings import Recordings
from engine.runs.records import RunRecord, Status
from tests.engine.teaching import demonstrated, teacher


def offered(window: MainWindow, path: str) -> list[str]:
    field = window.experiment_panel.form.rows[path].editor.field
    assert isinstance(field, Combo)
    return [field.itemText(index) for index in range(field.count())]


def test_datasets_and_runs_of_the_library_are_offered_and_any_other_name_is_typed(
    make_window: Callable[..., MainWindow], library_place: Path, qtbot: QtBot
) -> None:
    with Library(library_place) as library:
        library.begin(RunRecord("one", 0, PolicyGradientConfig().model_dump(mode="json"), Status.FINISHED, 1.0))
        recordings = Recordings(library)
        by = teacher(PolicyGradientConfig().environment)
        kept = recordings.add(demonstrated(by, (1,), most=5), RecordingSource("person"))
        recordings.merge("mine", [kept.id])
    window = make_window()
    qtbot.waitUntil(lambda: len(window.run_library.records()) == 1, timeout=10_000)
    experiment = window.experiment
    assert experiment.pick_family(FAMILIES["imitation"]) is None
    assert isinstance(experiment.config, ImitationConfig)
    assert experiment.config.imitation.dataset == "cartpole"  # which is shipped for it
    assert offered(window, "imitation.dataset") == ["mine", "cartpole", "own"]
    field = window.experiment_panel.form.rows["imitation.dataset"].editor.field
    assert isinstance(field, Combo)
    line = field.lineEdit()
    assert line is not None
    # They are those of the library by now, and what is being typed stays.
    field.setFocus()
    line.selectAll()
    QTest.keyClicks(line, "my")
    recordings = window.run_library.recordings
    recordings.merge("other", [kept.id])
    qtbot.waitUntil(lambda: offered(window, "imitation.dataset") == ["mine", "other", "cartpole", "own"])
    assert line.text() == "my"
    with Library(library_place) as library:
        library.begin(RunRecord("two", 0, PolicyGradientConfig().model_dump(mode="json"), Status.FINISHED, 2.0))
    window.run_library.look()
    line.selectAll()
    QTest.keyClicks(line, "mine")
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert experiment.config.imitation.dataset == "mine"
    assert experiment.pick(ALGORITHMS["dagger"]) is None
    assert isinstance(experiment.config, ImitationConfig)
    assert experiment.config.imitation.teacher == "cartpole"
    assert offered(window, "imitation.teacher") == ["2", "1", "cartpole", "person"]
    assert experiment.config.imitation.dataset == "mine"
