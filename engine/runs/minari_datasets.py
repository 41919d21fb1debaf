"""Demonstrations as datasets of Minari's (https://minari.farama.org), a folder each, and back. Minari is an extra.

Minari's observations and actions are those of the bare environment, in its own spaces; what the program takes is flat,
counted from 0 and as float32 (``engine.environments.batches.gymnasium``).
"""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Mapping
from copy import copy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.config.environments import EnvironmentConfig, as_plain
from engine.experience.demonstration_checks import LONGEST_SOURCE, check
from engine.experience.demonstrations import Demonstration, Demonstrations
from engine.runs.minari_places import DATA, METADATA, MINARI, data_in
from engine.runtime.errors import RequestError, describe

_LARGEST_METADATA = 10_000_000  # bytes
_OF_MAKING = ("render_mode", "disable_env_checker", "max_episode_steps")  # arguments that are no options


def read_minari(folder: Path) -> Demonstrations:
    """The episodes of the dataset in ``folder``; nothing that it names is imported.

    Raises:
        RequestError: Minari is not installed, this is none of its datasets, or one that cannot be learned from here.
    """
    data = data_in(folder)
    if data is None:
        raise RequestError(f"There is no dataset of Minari's in {folder}.")
    _require_minari()
    try:
        _require_spaces(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = _read(data)
    except RequestError:
        raise
    except Exception as error:  # whatever Minari and HDF5 make of what they find
        raise RequestError(f"The dataset in {folder} cannot be read: {describe(error)}.") from None
    check(found)
    return found


def write_minari(demonstrations: Demonstrations, folder: Path) -> None:
    """Write ``demonstrations`` as the dataset of the name of ``folder``, which is there whole or not at all.

    Raises:
        RequestError: Minari is not installed, something is there already, or these are none that it can hold.
        OSError: the folder cannot be written.
    """
    _require_minari()
    if folder.exists():
        raise RequestError(f"There is something in {folder} already; name another folder.")
    for number, episode in enumerate(demonstrations.episodes, 1):
        if episode.rewards is None or episode.final_observation is None:
            lacks = "rewards" if episode.rewards is None else "observation after its last step"
            raise RequestError(f"Episode {number} has no {lacks}, which Minari needs of every episode.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".playground-", dir=folder.parent) as beside, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = Path(beside) / "dataset"
        made.mkdir()
        try:
            _write(demonstrations, made / DATA, folder.name)
        except (RequestError, OSError):
            raise
        except Exception as error:
            raise RequestError(f"Minari could not write these demonstrations: {describe(error)}.") from None
        shutil.move(made, folder)


def _require_minari() -> None:
    if not MINARI.installed:
        raise RequestError(f"{MINARI.missing}.")


def _require_spaces(data: Path) -> None:
    """Minari makes the environment, and so runs its code, where a dataset does not say its spaces: refused here."""
    path = data / METADATA
    if path.stat().st_size > _LARGEST_METADATA:
        raise RequestError(f"{path} is too large to describe a dataset.")
    metadata = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(metadata, dict) or not all(isinstance(metadata.get(name), str) for name in _SPACES):
        raise RequestError(f"The dataset in {data} does not say its spaces; write it with a later version of Minari.")


_SPACES = ("observation_space", "action_space")


# --- in ---------------------------------------------------------------------------------------------------------------


def _read(data: Path) -> Demonstrations:
    import minari

    dataset = minari.MinariDataset(data)
    environment = _environment(dataset.env_spec)
    source = f"Minari's {dataset.id}"
    source = "".join(sign if sign.isprintable() else "?" for sign in source)[:LONGEST_SOURCE]
    indices = np.asarray(dataset.episode_indices).tolist()
    told = list(dataset.storage.get_episode_metadata(indices))
    spaces = dataset.observation_space, dataset.action_space
    episodes = zip(dataset.iterate_episodes(), told, strict=True)
    return Demonstrations(environment, tuple(_episode(episode, about, spaces, source) for episode, about in episodes))


def _environment(spec: Any) -> EnvironmentConfig:
    """The environment that a dataset says it was recorded in.

    Raises:
        RequestError: it says none.
    """
    if spec is None or not spec.id:
        raise RequestError("This dataset does not say which environment it was recorded in, and is no use without.")
    import gymnasium

    usual = gymnasium.registry.get(str(spec.id))
    given = {name: as_plain(value) for name, value in (spec.kwargs or {}).items() if name not in _OF_MAKING}
    own = {} if usual is None else {name: as_plain(value) for name, value in usual.kwargs.items()}
    options = {name: value for name, value in given.items() if name not in own or own[name] != value}
    steps = spec.max_episode_steps
    limit = 0 if steps is None or (usual is not None and usual.max_episode_steps == steps) else int(steps)
    return EnvironmentConfig(id=str(spec.id), options=options, time_limit=limit)


def _episode(episode: Any, about: Mapping[str, Any], spaces: tuple[Any, Any], source: str) -> Demonstration:
    seen = _flat(episode.observations, spaces[0], len(episode.rewards) + 1)
    terminated, truncated = bool(episode.terminations[-1]), bool(episode.truncations[-1])
    seed = about.get("seed")
    plain = not about.get("options")  # a reset that was told more than a seed is not repeated by the seed alone
    return Demonstration(
        observations=seen[:-1],
        actions=_counted(np.asarray(episode.actions), spaces[1]),
        rewards=np.asarray(episode.rewards, np.float64),
        final_observation=seen[-1],
        terminated=terminated,
        truncated=truncated and not terminated,
        seed=int(seed) if seed is not None and plain and 0 <= int(seed) < 2**63 else None,
        source=source,
    )


def _flat(observations: Any, space: Any, count: int) -> NDArray[Any]:
    """[count, …] as a policy takes them."""
    from gymnasium import spaces
    from gymnasium.spaces import utils

    from engine.environments.batches.gymnasium import from_environment

    if isinstance(space, spaces.Box | spaces.Discrete):
        return from_environment(np.asarray(observations), space)
    flat: list[Any] = [utils.flatten(space, _at(observations, step)) for step in range(count)]
    return np.stack(flat).astype(np.float32)


def _at(observations: Any, step: int) -> Any:
    if isinstance(observations, Mapping):
        return {name: _at(part, step) for name, part in observations.items()}
    return tuple(_at(part, step) for part in observations) if isinstance(observations, tuple) else observations[step]


def _counted(actions: NDArray[Any], space: Any) -> NDArray[Any]:
    """Actions as ``EnvironmentBatch`` takes them."""
    from gymnasium import spaces

    if isinstance(space, spaces.Discrete):
        return actions.astype(np.int64).reshape(len(actions)) - int(space.start)
    if isinstance(space, spaces.MultiDiscrete | spaces.MultiBinary):
        return (actions.astype(np.int64) - getattr(space, "start", 0)).reshape(len(actions), -1)
    if isinstance(space, spaces.Box):
        return actions.astype(np.float32).reshape(len(actions), -1)
    raise RequestError(f"Its actions are {str(space)[:80]}, from which no policy here can learn.")


# --- out --------------------------------------------------------------------------------------------------------------


def _write(demonstrations: Demonstrations, data: Path, name: str) -> None:
    import minari
    from minari.data_collector import EpisodeBuffer
    from minari.dataset.minari_storage import MinariStorage

    observation, action, plain = _spaces(demonstrations)
    environment = demonstrations.environment
    spec = _specification(environment) if plain else None
    storage = MinariStorage.new(data, observation, action, spec, jpeg_encoding=False)  # which would change pixels
    changes = environment.model_dump(mode="json", exclude_defaults=True)
    storage.update_metadata(
        {
            "dataset_id": name if "-v" in name else f"{name}-v0",
            "minari_version": minari.__version__,
            "description": f"Recorded in {json.dumps(changes)} by the Policy Gradient Playground.",
        }
    )
    storage.update_episodes(
        EpisodeBuffer(
            id=number,
            seed=episode.seed,
            observations=list(_own(_all_seen(episode), observation)),
            actions=list(_taken(episode.actions, action)),
            rewards=list(np.asarray(episode.rewards)),
            terminations=_at_the_end(len(episode), episode.terminated),
            truncations=_at_the_end(len(episode), not episode.terminated),  # or broken off
        )
        for number, episode in enumerate(demonstrations.episodes)
    )


def _specification(environment: EnvironmentConfig) -> Any:
    """What another program makes it by; None where none could."""
    import gymnasium

    usual = gymnasium.registry.get(environment.id)
    if usual is None:
        return None
    spec = copy(usual)
    spec.kwargs = {**usual.kwargs, **environment.options}
    spec.max_episode_steps = environment.time_limit or usual.max_episode_steps
    return spec


def _spaces(demonstrations: Demonstrations) -> tuple[Any, Any, bool]:
    """Of observations and actions, and whether the observations are the environment's own, with no change made to
    them."""
    from gymnasium import spaces

    from engine.environments.batches.rendering import unseen

    made = unseen(demonstrations.environment)
    try:
        rendering = made.rendering
        observation, action = rendering.observation_space, rendering.action_space
        plain = made.stepped is rendering
    finally:
        made.stepped.close()
    if not plain and demonstrations.observations.ndim == 2:
        observation = spaces.Box(-np.inf, np.inf, demonstrations.observations.shape[1:], np.float32)
    return observation, action, plain


def _own(observations: NDArray[Any], space: Any) -> NDArray[Any]:
    """In the environment's own space."""
    from gymnasium import spaces

    if isinstance(space, spaces.Discrete):
        return observations + int(space.start)
    found: NDArray[Any] = observations.reshape(len(observations), *space.shape).astype(space.dtype)
    return found


def _taken(actions: NDArray[Any], space: Any) -> NDArray[Any]:
    from engine.environments.batches.gymnasium import as_taken

    return as_taken(actions, space)


def _all_seen(episode: Demonstration) -> NDArray[Any]:
    """What was observed before each step and after the last, [T + 1, …]."""
    return np.concatenate([episode.observations, np.asarray(episode.final_observation)[None]])


def _at_the_end(steps: int, flag: bool) -> list[bool]:
    return [False] * (steps - 1) + [flag]
