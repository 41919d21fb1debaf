"""The way to a Ray cluster: whether one is there, and what it has to say of itself."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import engine
import resources
from engine.runtime.errors import RequestError, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

_OF_LOSSES = ("Raylet is terminated", "The node with node id", "A worker died")  # which are told of by job
_LAST_PORT = 65_535
_LISTENING = 5.0  # seconds within which a head answers that is there


def head_of(ray: Any, address: str | None) -> tuple[str, int]:
    """Where the head of the cluster listens that this process is connected to."""
    there = address.removeprefix("ray://") if address is not None and address.startswith("ray://") else ""
    host, _, port = (there or str(ray.get_runtime_context().gcs_address)).rpartition(":")
    return host.strip("[]"), int(port)


def _require_listening(address: str | None) -> None:
    host, colon, port = (address or "").removeprefix("ray://").rpartition(":")
    if not colon or not port.isdecimal() or int(port) > _LAST_PORT:
        if address in (None, "auto", "local"):
            return
        raise RequestError(f"{address or 'Nothing'} is no address of a Ray cluster; it is auto, or HOST:PORT.")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_LISTENING).close()
    except OSError as error:
        raise RequestError(
            f"No Ray cluster can be used at {address}: {error.strerror or error}. `ray start --head` begins one and "
            "says its address."
        ) from None


def connect(ray: Any, address: str | None, carries: bool) -> None:
    """Raises RequestError where there is no such cluster; where nothing listens at its address, at once, for Ray would
    look for it for minutes and then end the process."""
    _require_listening(address)
    carried = {"py_modules": [str(Path(each.__path__[0])) for each in (engine, resources)], "excludes": ["__pycache__"]}
    try:
        ray.init(
            address=address or "local",  # which Ray does not take from another that is here
            runtime_env=carried if carries else None,
            log_to_driver=False,
            logging_level="ERROR",
            **({"include_dashboard": False} if address in (None, "local") else {}),
        )
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        why = shortened(" ".join(str(error).split())).rstrip(".")
        raise RequestError(
            f"No Ray cluster can be used at {address}: {why}. `ray start --head` begins one and says its address."
        ) from None


def quieten(ray: Any, tell: Callable[[str], object]) -> None:
    """Where a machine is lost, Ray prints twenty lines of a log for each, whatever it was told of logging: instead,
    other news of the cluster are told, once."""
    told = set[str]()

    def print_to_stdstream(data: Mapping[str, Any], **_: object) -> None:
        sentence = shortened(" ".join(" ".join(map(str, data["lines"][:1])).split()))
        if sentence and sentence not in told and not sentence.startswith(_OF_LOSSES):
            told.add(sentence)
            tell(sentence)

    with suppress(AttributeError):  # another version may print elsewhere
        ray._private.worker.print_to_stdstream = print_to_stdstream
