"""A person's own presets by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.config import own_presets, presets
from engine.config.shared_text import to_text
from engine.runtime.errors import RequestError


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> presets.Preset:
    monkeypatch.setattr("engine.config.own_presets.folder", lambda: tmp_path)
    preset = presets.find("cartpole").model_copy(update={"title": "Small steps"})
    presets.save(preset, own_presets.file_for(preset.title))
    return preset


@pytest.mark.parametrize("name", ["small-steps", "Small steps", "small STEPS"])
def test_a_preset_goes_by_its_title_and_its_files_name(mine: presets.Preset, name: str) -> None:
    assert own_presets.named(name) == mine


def test_shipped_presets_come_first_and_what_is_none_is_refused(mine: presets.Preset, tmp_path: Path) -> None:
    presets.save(mine, tmp_path / "cartpole.toml")
    assert own_presets.named("cartpole") == presets.find("cartpole")
    assert own_presets.named(to_text(mine.config)).config == mine.config
    with pytest.raises(RequestError, match="no preset nothing-like-it"):
        own_presets.named("nothing-like-it")
