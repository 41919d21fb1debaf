"""What a person has returned is of whole episodes alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot

from app.models.axis_choice import AxisChoice
from app.models.experiment import Experiment
from app.models.person import PersonReturns
from app.panels.panels import PANELS
from app.panels.record import PanelContext
from app.session.playback_thread import PlaybackThread
from app.session.run_library import RunLibrary
from app.style.theme import load_theme
from engine.config.environments import EnvironmentConfig
from engine.runs.recording_records import EpisodeRecord, RecordingRecord, RecordingSource

CONFIG = EnvironmentConfig(id="CartPole-v1")
WHOLE = EpisodeRecord(9, 9, total_return=9.0, end="terminated", seed=1)
OTHERS = (replace(WHOLE, seed=None), replace(WHOLE, end=""), replace(WHOLE, stop=5))
RECORD = RecordingRecord("a", 1, CONFIG.model_dump(mode="json"), RecordingSource("person"), 0.0, OTHERS)


def test_what_was_broken_off_trimmed_or_begun_in_a_chosen_state_does_not_count() -> None:
    person = PersonReturns()
    person.take([RECORD])
    assert person.of(CONFIG) is None
    person.take([replace(RECORD, episodes=(*OTHERS, WHOLE))])
    assert person.of(CONFIG) == (9.0, 1)


def test_returns_knows_what_was_played_before_anybody_plays(qtbot: QtBot, settings: QSettings, tmp_path: Path) -> None:
    library = RunLibrary(tmp_path)
    context = PanelContext(load_theme("dark"), Experiment(), PlaybackThread(), AxisChoice(), settings, library=library)
    qtbot.addWidget(next(panel for panel in PANELS if panel.title == "Returns").make(context))
    assert context.person.of(CONFIG) is None
    library.recordings.records = [replace(RECORD, episodes=(WHOLE,))]
    library.recordings.changed.emit()
    assert context.person.of(CONFIG) == (9.0, 1)
