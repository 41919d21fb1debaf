"""From the command line to an open window, checking first what could keep it from opening."""

from __future__ import annotations

import os.path
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

from app.window import display_check as display
from engine.catalogue.configured import changed, described
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import own_presets, presets
from engine.config.environments import EnvironmentConfig
from engine.runs.place import library_folder
from engine.runtime.errors import RequestError
from engine.runtime.interrupts import put_off
from engine.runtime.waiting import telling, while_waiting

if TYPE_CHECKING:
    from app.style.theme import ThemeChoice


LONGEST = 1_000_000  # seconds after which the window can be told to quit, more than a week
LARGEST = 16384  # pixels along a side of the window, twice an 8K screen's


def open_window(
    preset: str | None = None,
    *,
    start: bool = False,
    seconds: float | None = None,
    screenshot: Path | None = None,
    theme: str | None = None,
    size: str | None = None,
    library: Path | None = None,
) -> int:
    """Open the window and stay until it is closed; the exit status.

    Raises:
        RequestError: there is no such preset, its environment cannot be had, no display, a system library that Qt needs
            is missing, or an option is not one; the run library that is named cannot be opened.
    """
    chosen = own_presets.named(preset) if preset is not None else presets.default()
    environment = described(chosen.config.environment)
    if environment is None and ":" not in chosen.config.environment.id:  # else the window asks before it imports
        environment = _looked_at(chosen.config.environment)
    if environment is not None:
        changed(environment, chosen.config.environment)  # which says what cannot be changed
    if theme not in (None, "system", "dark", "light"):
        raise RequestError(f"There is no theme {theme}; there is dark, light, system.")
    extent = _extent(size) if size is not None else None
    if seconds is not None and not 0.1 <= seconds <= LONGEST:
        raise RequestError(f"--seconds takes a number from 0.1 to {LONGEST:,}, for example 9, not {seconds:g}.")
    if screenshot is not None:
        if seconds is None:
            raise RequestError(
                "--screenshot needs --seconds, after which the picture is taken, for example --seconds 9."
            )
        if screenshot.suffix.lower() not in (".png", ".jpg", ".jpeg") or not os.path.isdir(
            os.path.dirname(os.path.realpath(screenshot))
        ):
            raise RequestError(f"--screenshot takes a .png or .jpg file in a folder that exists, not {screenshot}.")
    if library is not None:
        from engine.runs.library import Library  # which the plain window opens later

        Library(library_folder(library)).close()
    problem = display.problem()
    if problem is not None:
        raise RequestError(problem)
    with put_off():  # until the window sees to it
        try:
            from app.window.application import Opening, run
        except ImportError as error:
            missing = str(error).split(":")[0]
            raise RequestError(
                f"Qt could not be loaded because of {missing}; on Debian or Ubuntu: "
                f"apt install libegl1 libgl1 libxkbcommon0 libdbus-1-3 libfontconfig1; {display.HEADLESS}"
            ) from error
        chosen_theme = cast("ThemeChoice | None", theme)
        return run(Opening(chosen, environment, start, seconds, screenshot, chosen_theme, extent, library))


def _looked_at(environment: EnvironmentConfig) -> EnvironmentInfo:
    from engine.environments.making.lookup import inspect  # loads gymnasium, which the catalogue spares all others

    with while_waiting(telling(lambda sentence: sys.stderr.write(f"{sentence}\n"))):
        return inspect(environment.id, environment.options, environment.patience)


def _extent(size: str) -> tuple[int, int]:
    width, _, height = size.partition("x")
    pixels = [int(side) if side.isdecimal() and len(side) < 9 else 0 for side in (width, height)]
    if not all(1 <= side <= LARGEST for side in pixels):
        wanted = f"WIDTHxHEIGHT of at most {LARGEST} pixels each, for example 1280x800"
        raise RequestError(f"--size takes {wanted}, not {size}.")
    return pixels[0], pixels[1]
