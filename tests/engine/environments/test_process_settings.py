"""What an environment sets for the whole process does not reach whatever comes after it."""

from __future__ import annotations

import locale
import os
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.config.environments import EnvironmentConfig
from engine.environments.batches.choice import choose_batch
from engine.environments.making.process_settings import ProcessSettings
from engine.runtime.errors import RequestError
from tests.engine.support import Toy, register


class Unruly(Toy):
    """Changes whatever holds for a whole process, when it is made and in every step."""

    def __init__(self, folder: str, fails: bool = False, render_mode: str | None = None) -> None:
        super().__init__()
        self._folder = folder
        self._change()
        if fails:
            raise OSError("no such rom")

    def _change(self) -> None:
        os.chdir(self._folder)
        os.environ["UNRULY"] = os.environ["HOME"] = "yes"
        sys.path.insert(0, self._folder)
        sys.setrecursionlimit(5000)
        np.seterr(all="raise")
        warnings.simplefilter("error")
        locale.setlocale(locale.LC_ALL, "C")
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        torch.set_default_dtype(torch.float64)
        torch.set_num_threads(2)
        torch.set_grad_enabled(False)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        self._change()
        return super().step(action)


def settings() -> dict[str, Any]:
    """What learning depends on."""
    return {
        "folder": os.getcwd(),
        "recursion": sys.getrecursionlimit(),
        "numpy": np.geterr(),
        "warnings": list(warnings.filters),
        "locale": locale.setlocale(locale.LC_ALL),
        "signals": [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)],
        "torch": (torch.get_default_dtype(), torch.get_num_threads(), torch.is_grad_enabled()),
    }


def lasting() -> dict[str, Any]:
    return settings() | {"variables": dict(os.environ), "path": list(sys.path)}


def test_an_environment_from_elsewhere_in_this_process_leaves_it_as_it_was(tmp_path: Path) -> None:
    id = register("Tests/Unruly-v0", Unruly, folder=str(tmp_path))
    before, all_before = settings(), lasting()
    batch, _ = choose_batch(EnvironmentConfig(id=id, stepping="in-process"), [1, 2])
    assert settings() == before
    assert os.environ["UNRULY"] == "yes"  # which it may still need
    batch.reset(np.arange(2))
    batch.step(np.zeros(2, np.int64), np.arange(2))
    assert settings() != before
    os.environ["MEANWHILE"] = "set by another"
    batch.close()
    assert os.environ.pop("MEANWHILE") == "set by another"
    assert lasting() == all_before


def test_one_that_cannot_be_made_leaves_it_as_it_was_too(tmp_path: Path) -> None:
    id = register("Tests/Unruly-v0", Unruly, folder=str(tmp_path), fails=True)
    before = lasting()
    with pytest.raises(RequestError, match="no such rom"):
        choose_batch(EnvironmentConfig(id=id, stepping="in-process"), [1, 2])
    assert lasting() == before


def test_torch_that_an_environment_imports_first_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.delitem(sys.modules, "torch")
        taken = ProcessSettings()
    taken.restore()
