"""A run's configuration as a preset, by which another run like it can be started."""

from __future__ import annotations

from pathlib import Path

from engine.config import presets
from engine.config.presets import LONGEST_SUMMARY, LONGEST_TITLE, Preset
from engine.runs.exports.export import Export, Source


def write_preset(source: Source, path: Path) -> str:
    """Its configuration, with what was changed in it while it trained."""
    presets.save(preset_of(source), path)
    changed = ", with what was changed in it since," if source.run.changes else ""
    return f"Wrote the configuration of {source.name}{changed} to {path.name}, a preset."


def preset_of(source: Source) -> Preset:
    """The preset that a run makes.

    Raises:
        RequestError: this version of the program knows no configuration like it.
    """
    run, reached = source.run, source.run.reached
    came = f", and came to a mean return of {reached.mean_return:.4g}" if reached.mean_return is not None else ""
    summary = run.label.note or f"As {source.name}, which trained for {reached.environment_steps:,} steps{came}."
    title = run.label.title or f"{run.environment}, {source.name}"
    return Preset(title=title[:LONGEST_TITLE], summary=summary[:LONGEST_SUMMARY], config=run.config_now)


PRESET = Export(
    "preset",
    "Preset of its configuration",
    "Its settings, with what was changed in them while it trained; to be loaded in this program.",
    ".toml",
    write_preset,
)
