"""window-shown: from the start of the process to the window's first finished picture, against an empty window.

Ours is ``main.main([])``, what ``python main.py`` does, with nothing remembered from before. The empty one is a
QMainWindow of the same size around one pyqtgraph PlotWidget. Both are fresh processes without a display, interpreter
start included, timed from just before the parent starts them until their window, exposed for the first time, has been
painted whole; when they first answer an event after that, is reported beside it and not judged. They alternate after
one uncounted start of each, so that files are in the system's cache and Python's bytecode is kept, as it is for a
person from the second start on; the figure is the ratio of medians.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from statistics import median

from tests.benchmarks.children import run_child, seconds_since_start
from tests.benchmarks.figures import Measured, Number, Say

SIDES = ("ours", "empty")
REPEATS = 11


def measure(quick: bool, say: Say) -> Measured:
    repeats = 2 if quick else REPEATS
    times: dict[str, list[float]] = {side: [] for side in SIDES}
    answered: dict[str, list[float]] = {side: [] for side in SIDES}
    with tempfile.TemporaryDirectory() as bytecode:
        kept = {"PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}
        for repeat in range(repeats + 1):
            for side, found in times.items():
                run = run_child("window_shown", side, timeout=120, variables=kept)
                if repeat:
                    found.append(run["painted"])
                    answered[side].append(run["answered"])
                    say(
                        f"{side}: painted after {1000 * run['painted']:.0f} ms, "
                        f"answered {1000 * run['answered']:.0f} ms"
                    )
    medians = {side: median(found) for side, found in times.items()}
    numbers = [
        Number(f"{side}: {words}", 1000 * value(times[side]), "ms")
        for side in SIDES
        for words, value in (("median", median), ("least", min), ("most", max))
    ]
    numbers += [Number(f"{side}: first event answered, median", 1000 * median(answered[side]), "ms") for side in SIDES]
    detail = f"Median of {repeats} fresh processes a side, alternating."
    return Measured({"ratio": medians["ours"] / medians["empty"]}, tuple(numbers), detail)


def show_ours() -> None:
    # What main does on its way to the window, in its order, before Qt is imported.
    from main import main  # isort: skip
    import app.window.startup  # noqa: F401

    watch_first_picture()
    main([])


def show_empty() -> None:
    import pyqtgraph
    from PySide6.QtWidgets import QApplication, QMainWindow

    watch_first_picture()
    application = QApplication(sys.argv[:1])
    window = QMainWindow()
    window.setCentralWidget(pyqtgraph.PlotWidget())
    window.resize(1280, 800)
    window.show()
    application.exec()


def watch_first_picture() -> None:
    """From now on nothing is remembered, and an application that enters its event loop has its window watched."""
    from PySide6.QtCore import QCoreApplication, QEvent, QObject, QSettings, QTimer
    from PySide6.QtWidgets import QApplication, QMainWindow

    class FirstPicture(QObject):
        """Prints when the window was first painted, and when it first answered; then leaves the process."""

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() is not QEvent.Type.Expose:
                return False
            watched.removeEventFilter(self)
            watched.event(event)  # in here the window paints itself whole
            painted = seconds_since_start()
            QTimer.singleShot(0, lambda: self.done(painted))
            return True

        def done(self, painted: float) -> None:
            print(json.dumps({"painted": painted, "answered": seconds_since_start()}), flush=True)
            os._exit(0)

    watch, enter = FirstPicture(), QApplication.exec

    def watched_exec(*_: object) -> int:
        (window,) = (w for w in QApplication.topLevelWidgets() if isinstance(w, QMainWindow) and w.isVisible())
        window.windowHandle().installEventFilter(watch)
        status: int = enter()
        return status

    QApplication.exec = QCoreApplication.exec = watched_exec
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, tempfile.mkdtemp())


if __name__ == "__main__":
    {"ours": show_ours, "empty": show_empty}[sys.argv[1]]()
