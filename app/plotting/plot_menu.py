"""Taking a plot along: its numbers to the clipboard, its numbers and its picture into files."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QStandardPaths, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMenu, QMessageBox, QWidget

from app.plotting.export import Sheet, Table
from app.style.files import file_to_save
from engine.runtime.whole_file import write_whole

_Kind = TypeVar("_Kind")


@dataclass(frozen=True)
class Offer:
    """What can be taken along of the plot in ``widget``: a sheet always, ``numbers`` where it has some."""

    widget: QWidget
    numbers: Callable[[], Table] | None
    sheet: Sheet


def make_menu(offer: Offer, *more: tuple[str, str, Callable[[], object]]) -> QMenu:
    """A menu of all that can be taken along, and of ``more``: words, the key, and what is done."""
    menu = QMenu(offer.widget)
    menu.setToolTipsVisible(True)
    copy = menu.addAction("Copy numbers", QKeySequence(QKeySequence.StandardKey.Copy))
    copy.triggered.connect(lambda: copy_numbers(offer))
    copy.setEnabled(offer.numbers is not None)
    menu.addSeparator()
    for kind, tip in (
        ("csv", "All numbers that are drawn, none left out, as a table"),
        ("png", "The picture, twice as fine as on the screen"),
        ("svg", "The picture in lines and letters, sharp at any size"),
    ):
        save = menu.addAction(f"Save as {kind.upper()}…")
        save.setToolTip(tip)
        save.triggered.connect(lambda _checked=False, kind=kind: ask_where_to_save(offer, kind))
        save.setEnabled(offer.numbers is not None or kind != "csv")
    menu.addSeparator()
    for words, key, do in more:
        menu.addAction(words, QKeySequence(key)).triggered.connect(do)
    return menu


def copy_numbers(offer: Offer) -> None:
    """Put all that is drawn onto the clipboard, so that it can be pasted into a table."""
    if offer.numbers is not None:
        QGuiApplication.clipboard().setText(_while_busy(lambda: _text(offer, "\t")))


def ask_where_to_save(offer: Offer, kind: str) -> None:
    """Ask for a file that ends in ``kind`` and write it; say so in a sentence where that fails."""
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    title, files = f"Save as {kind.upper()}", f"{kind.upper()} (*.{kind})"
    proposed = str(Path(folder) / f"{file_name(offer.sheet.heading)}.{kind}")
    path = file_to_save(offer.widget, title, proposed, files)
    if path is None:
        return
    try:
        save(offer, path)
    except OSError as error:
        sentence = f"{path.name} could not be written: {error.strerror or error}. Choose another folder."
        box = QMessageBox(QMessageBox.Icon.Warning, "Not saved", sentence, QMessageBox.StandardButton.Ok, offer.widget)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()


def save(offer: Offer, path: Path) -> None:
    """Write what ``path`` ends in: ``csv``, ``png`` or ``svg``.

    Raises:
        OSError: that could not be.
    """
    write: dict[str, Callable[[], bytes]] = {
        ".csv": lambda: _text(offer, ",").encode("utf-8-sig"),  # with the mark by which spreadsheets know the encoding
        ".png": offer.sheet.png,
        ".svg": offer.sheet.svg,
    }
    write_whole(path, _while_busy(write[path.suffix]))


def file_name(heading: str) -> str:
    """``heading`` without what a name of a file cannot have."""
    return re.sub(r"\s+", " ", re.sub(r"[^\w\s.,()-]", " ", heading)).strip() or "plot"


def _text(offer: Offer, separator: str) -> str:
    assert offer.numbers is not None
    return offer.numbers().text(separator)


def _while_busy(work: Callable[[], _Kind]) -> _Kind:
    QGuiApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
    try:
        return work()
    finally:
        QGuiApplication.restoreOverrideCursor()
