"""What holds for a whole process, and what code from elsewhere that runs in it may leave changed."""

from __future__ import annotations

import locale
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np


class _Never(Warning):
    """Of which nobody is warned."""


class ProcessSettings:
    """Settings as they are now: the working directory, the environment's variables, where modules are found, how numpy
    and warnings report, the locale, handlers of signals, and torch's defaults, if it has been imported."""

    def __init__(self) -> None:
        self._folder, self._variables, self._path = os.getcwd(), dict(os.environ), list(sys.path)
        self._lasting: dict[str, str | None] | None = None  # variables that are to be set back, once it is known which
        self._numpy, self._warnings = np.geterr(), list(warnings.filters)
        self._locale = locale.setlocale(locale.LC_ALL)
        self._recursion = sys.getrecursionlimit()
        self._handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
        torch: Any = sys.modules.get("torch")
        self._torch = [] if torch is None else _of_torch(torch)

    def restore_what_learning_needs(self) -> None:
        """All but the variables and the path to modules, which code that has changed them may still need."""
        if self._lasting is None:
            self._lasting = {
                name: self._variables.get(name)
                for name in self._variables.keys() | os.environ.keys()
                if os.environ.get(name) != self._variables.get(name)
            }
        with suppress(OSError):  # the folder is gone
            os.chdir(self._folder)
        np.seterr(**self._numpy)
        if list(warnings.filters) != self._warnings:
            warnings.filters[:] = self._warnings  # type: ignore[index]
            warnings.simplefilter("default", _Never)  # which has them looked at again
            del warnings.filters[0]  # type: ignore[attr-defined]
        with suppress(locale.Error):
            locale.setlocale(locale.LC_ALL, self._locale)
        sys.setrecursionlimit(self._recursion)
        self._restore_signals()
        self._restore_torch()

    def restore(self) -> None:
        """All of them; of the variables, those that had changed when it was asked first."""
        self.restore_what_learning_needs()
        sys.path[:] = self._path
        for name, value in (self._lasting or {}).items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    def _restore_signals(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return  # neither could an environment change them here
        for number, handler in self._handlers.items():
            # None stands for one that is not of Python's, and cannot be set from here.
            if handler is not None and signal.getsignal(number) is not handler:
                with suppress(OSError):
                    signal.signal(number, handler)

    def _restore_torch(self) -> None:
        torch: Any = sys.modules.get("torch")
        if torch is None or not self._torch:
            return
        for (set_to, now), (_, before) in zip(_of_torch(torch), self._torch, strict=True):
            if now != before:
                set_to(before)


def _of_torch(torch: Any) -> list[tuple[Callable[[Any], Any], Any]]:
    """What sets each of torch's defaults, and what it is set to."""
    return [
        (torch.set_default_dtype, torch.get_default_dtype()),
        (torch.set_default_device, torch.get_default_device()),
        (torch.set_num_threads, torch.get_num_threads()),
        (torch.set_grad_enabled, torch.is_grad_enabled()),
        (torch.autograd.set_detect_anomaly, torch.is_anomaly_enabled()),
        (torch.use_deterministic_algorithms, torch.are_deterministic_algorithms_enabled()),
    ]
