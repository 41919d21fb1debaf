"""The dataset and the teacher that a configuration names: of the library, shipped with the program, or in a file."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from functools import partial
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.catalogue.shipped_teaching import DATASETS, TEACHERS
from engine.config import ImitationConfig, RunConfig
from engine.config.imitation import OPTIMAL, OWN, PERSON, DAgger
from engine.runs.library import Library
from engine.runs.recordings import Recordings
from engine.runs.records import RunRecord
from engine.runtime.errors import RequestError, RunError, shortened

if TYPE_CHECKING:  # with numpy and torch
    from engine.experience.demonstrations import Demonstrations
    from engine.training.given import Given, Teacher
    from engine.training.training import Training

ENDING = ".safetensors"
_LARGEST = 1 << 30  # bytes of a policy
_MOST_KEPT = 4
_OF_RUNS: dict[str, Given] = {}  # what the last runs that were looked at were given, which never changes


def given_for(config: RunConfig, library: Library | None) -> Given:
    """What a run of ``config`` is to be given.

    Raises:
        RequestError: something that it names is not there, or cannot be read.
    """
    from engine.training.given import NOTHING, Given

    if not isinstance(config, ImitationConfig):
        return NOTHING
    dataset, teacher = config.imitation.dataset, config.imitation.teacher
    asks = isinstance(config.update, DAgger)
    shown = None if dataset in ("", OWN) else dataset_named(dataset, library)
    if not asks:
        return Given(shown, _who_played(config, library))
    return Given(shown, teacher_named(config, library) if teacher not in ("", PERSON) else None)


def _who_played(config: ImitationConfig, library: Library | None) -> Teacher | None:
    """The shipped policy by which a shipped dataset was played, to be seen beside its copy."""
    name = config.imitation.dataset
    own = library is not None and name in {each.name for each in Recordings(library).datasets()}
    if own or name not in DATASETS or name not in TEACHERS:
        return None
    teaching = config.imitation.model_copy(update={"teacher": name})
    try:
        return teacher_named(config.model_copy(update={"imitation": teaching}), None)
    except RequestError:  # it plays something else; what that means for the dataset is told elsewhere
        return None


def given_of(library: Library, run: RunRecord) -> Given:
    """What a run of the library was given: as its last checkpoint has it, or else what its names stand for now;
    nothing where neither can be had. It is read once it is asked for, by whoever asks."""
    from engine.training.given import NOTHING, Given

    config = run.config_now
    if not isinstance(config, ImitationConfig):
        return NOTHING
    if (found := _OF_RUNS.get(run.id)) is not None:
        return found
    kept = library.checkpoints(run.id)
    file = library.checkpoint_file(kept[0]) if kept else None
    given = Given.later(partial(_given_before, config, file, library.folder))
    while len(_OF_RUNS) >= _MOST_KEPT:
        _OF_RUNS.pop(next(iter(_OF_RUNS), ""), None)
    return _OF_RUNS.setdefault(run.id, given)


def _given_before(config: RunConfig, checkpoint: Path | None, folder: Path) -> Given:
    """What a run was given, of which this is the last ``checkpoint`` in the library in ``folder``."""
    from engine.training.checkpoint import from_bytes
    from engine.training.given import NOTHING, given_in

    try:
        if checkpoint is not None:
            return given_in(from_bytes(checkpoint.read_bytes()).get("given", {}))
        with Library(folder) as library:
            return given_for(config, library)
    except (OSError, RequestError, RunError):
        return NOTHING


def require_answers(config: RunConfig) -> RunConfig:
    """``config``, where nobody has to be asked.

    Raises:
        RequestError: a person is the teacher.
    """
    if isinstance(config, ImitationConfig) and config.imitation.teacher == PERSON and isinstance(config.update, DAgger):
        raise RequestError("A person can teach in the window only, where there is somebody to ask; name a run instead.")
    return config


def given_in(config: RunConfig, folder: Path) -> Given:
    """As ``given_for``, with the library in ``folder``; one that cannot be opened has nothing."""
    from engine.training.given import NOTHING

    if not isinstance(config, ImitationConfig):
        return NOTHING
    try:
        library = Library(folder)
    except (RequestError, RunError):
        return given_for(config, None)
    with library:
        return given_for(config, library)


def training_for(config: RunConfig, run: str, folder: Path) -> Training:
    """A new run of that name, which is given what ``config`` names.

    Raises:
        RequestError, RunError: as ``Training`` and ``given_for``.
    """
    from engine.training.training import Training

    return Training(config, run, given=given_in(config, folder))


def shipped(what: str) -> Mapping[str, Traversable]:
    """The files of "datasets" or "teachers" that come with the program, by name."""
    folder = resources.files("resources") / what
    found = (file for file in folder.iterdir() if file.name.endswith(ENDING)) if folder.is_dir() else ()
    return {file.name.removesuffix(ENDING): file for file in sorted(found, key=lambda file: file.name)}


def dataset_named(name: str, library: Library | None) -> Demonstrations:
    """A dataset of the library, one that is shipped, or the one in a file.

    Raises:
        RequestError: there is none, or it cannot be read.
    """
    from engine.experience.demonstration_file import from_bytes

    there, known = shipped("datasets"), set[str]()
    if library is not None:
        recordings = Recordings(library)
        known = {each.name for each in recordings.datasets()}
        if name in known:
            return recordings.dataset(name)
    if name in there:
        return from_bytes(there[name].read_bytes())
    path = _path(name)
    if not (name.endswith(ENDING) or path.exists()):
        names = ", ".join((*sorted(known), *there))
        raise RequestError(f"There is no dataset {name}; there is {names}, and the path of a file will do as well.")
    from engine.runs.recording_files import read

    try:
        return read(path)
    except RequestError as error:
        raise RequestError(f"The dataset {name} cannot be read: {str(error)[:1].lower()}{str(error)[1:]}") from None


def teacher_named(config: ImitationConfig, library: Library | None) -> Teacher:
    """A run of the library as it was at its best, a policy that is shipped, or the one in a file.

    Raises:
        RequestError: there is none, it cannot be read, or it plays something else.
    """
    name = config.imitation.teacher
    if name == OPTIMAL:
        from engine.training.optimal_teacher import optimal_teacher

        return optimal_teacher(config)
    there = shipped("teachers")
    if name in there:
        teacher = _policy_in(there[name].read_bytes(), f"the shipped policy {name}")
    elif name.endswith(ENDING) or _path(name).exists():
        teacher = _policy_in(_content(_path(name), "teacher"), f"the policy in {_path(name).name}")
    elif library is None:
        raise RequestError(
            f"There is no teacher {name}; there is {', '.join(there)}, and a run of the library or the path of a "
            "policy will do as well."
        )
    else:
        teacher = _of_run(name, library)
    teacher.require_of(config.environment)
    return teacher


def _of_run(name: str, library: Library) -> Teacher:
    from engine.runs.exports.export import Source
    from engine.runs.exports.kept_policy import kept_policy
    from engine.training.given import Teacher

    source = Source(library, library.find(name), "best")
    kept = kept_policy(source)
    return Teacher(source.name, kept.config, kept.parameters, kept.checkpoint.mean_return)


def _policy_in(data: bytes, name: str) -> Teacher:
    """The policy of an exported file."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    from engine.runs.exports.policy import told_of
    from engine.training.given import Teacher

    try:
        told = told_of(data)
        return Teacher(name, told.config, load(data), told.mean_return)
    except (SafetensorError, KeyError, TypeError, ValueError, RecursionError):
        raise RequestError(
            f"{name[0].upper()}{name[1:]} is none that this program has written; export one with `runs export RUN "
            "--as policy`."
        ) from None


def _path(name: str) -> Path:
    """
    Raises:
        RequestError: nothing can be called so.
    """
    path = Path(name)
    try:
        path.exists()
    except (OSError, ValueError):  # with a character that no name has, or too long
        raise RequestError(f"No file can be called {shortened(repr(name))}.") from None
    return path


def _content(path: Path, what: str) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "it is no file")  # but something that may never end
        if path.stat().st_size > _LARGEST:
            raise OSError(errno.EFBIG, f"it is larger than {_LARGEST >> 20} MB")
        return path.read_bytes()
    except OSError as error:
        raise RequestError(f"The {what} {path} cannot be read: {error.strerror or error}.") from None
