"""The presets that a person has saved: files in a folder of the platform's own."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from engine.config.presets import Preset, find, load, shipped
from engine.config.shared_text import SCHEME, from_text
from engine.runtime.errors import RequestError

APPLICATION = "policy-gradient-playground"
_LONGEST = 120  # bytes of a file's name, of which some systems allow half as many as others
_MOST = 200  # that are read of a folder, so that opening a menu never takes long


def data_folder() -> Path:
    """Where the platform has programs keep what a person has made with them; it need not be there yet."""
    from platformdirs import user_data_path  # seldom wanted, and the window is to show soon

    return user_data_path(APPLICATION, appauthor=False)


def folder() -> Path:
    """Where presets are saved unless another place is chosen; it need not be there yet."""
    return data_folder() / "presets"


def made_folder() -> Path:
    """The same folder, which is there afterwards.

    Raises:
        RequestError: it is not there and cannot be made.
    """
    wanted = folder()
    try:
        wanted.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RequestError(
            f"The folder {wanted} for your presets could not be made: {error.strerror or error}; save elsewhere."
        ) from None
    return wanted


def named(name: str) -> Preset:
    """The shipped preset of that name, the one in the file of that path, a person's own, by its title or its file's
    name, or what the text of a configuration says.

    Raises:
        RequestError: there is no such preset, or its file or the text is broken.
    """
    if name.startswith(f"{SCHEME}:"):
        return Preset(title="Settings from a text", config=from_text(name))
    if name not in shipped() and not name.endswith(".toml"):
        for path, content in own().items():
            if name.casefold() in (path.stem.casefold(), shown_title(path, content).casefold()):
                return load(path)
    return find(name)


def own() -> dict[Path, Preset | RequestError]:
    """What the files in the folder hold, or why one cannot be read, by the names that are shown."""
    try:
        files = sorted(folder().glob("[!.]*.toml"))[:_MOST]
    except OSError:
        return {}
    found = {path: _content(path) for path in files}
    return dict(sorted(found.items(), key=lambda item: shown_title(*item).casefold()))


def shown_title(path: Path, content: Preset | RequestError) -> str:
    """What a file of the folder goes by: its preset's title, or its own name where it holds none."""
    return content.title if isinstance(content, Preset) else path.name


def file_for(title: str) -> Path:
    """Where a preset of this title is saved."""
    words = "".join(sign if sign.isalnum() else " " for sign in title.lower()).split()
    name = "-".join(words)[:60].encode("utf-8")[:_LONGEST].decode("utf-8", "ignore")
    return folder() / f"{name.strip('-') or 'preset'}.toml"


def _content(path: Path) -> Preset | RequestError:
    try:
        status = path.stat()
    except OSError as error:
        return RequestError(f"The preset {path.name} could not be read: {error.strerror or error}.")
    return _read(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=2 * _MOST)
def _read(path: Path, changed: int, size: int) -> Preset | RequestError:
    """The content of a file as long as it was last ``changed`` then."""
    try:
        return load(path)
    except RequestError as error:
        return error
