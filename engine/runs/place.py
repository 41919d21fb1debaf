"""Where the run library is."""

from __future__ import annotations

import os
from pathlib import Path

from engine.config.own_presets import data_folder

VARIABLE = "PLAYGROUND_LIBRARY"  # says where it is, for whoever gives no folder on the command line


def library_folder(override: Path | None = None) -> Path:
    """The library's folder, which need not be there yet: ``override`` where one is given, else what the variable
    ``PLAYGROUND_LIBRARY`` says, else a folder of the platform's own."""
    if override is None:
        said = os.environ.get(VARIABLE)
        return Path(said).expanduser() if said else data_folder() / "library"
    return override.expanduser()
