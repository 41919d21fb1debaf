"""What a person has returned is of whole episodes alone."""

from __future__ import annotations

from dataclasses import replace

from app.models.person import PersonReturns
from engine.config.environments import EnvironmentConfig
from engine.runs.recording_records import EpisodeRecord, RecordingRecord, RecordingSource


def test_what_was_broken_off_trimmed_or_begun_in_a_chosen_state_does_not_count() -> None:
    config = EnvironmentConfig(id="CartPole-v1")
    whole = EpisodeRecord(9, 9, total_return=9.0, end="terminated", seed=1)
    others = (replace(whole, seed=None), replace(whole, end=""), replace(whole, stop=5))
    record = RecordingRecord("a", 1, config.model_dump(mode="json"), RecordingSource("person"), 0.0, others)
    person = PersonReturns()
    person.take([record])
    assert person.of(config) is None
    person.take([replace(record, episodes=(*others, whole))])
    assert person.of(config) == (9.0, 1)
