"""A plot's numbers as text, and its picture in pixels and in shapes."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QBuffer, QIODevice, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QGraphicsView

from app.style.theme import Theme

SHARPNESS = 2  # pixels of a file for one on the screen, in each direction
_PAD = 8

Column = Sequence[object] | NDArray[Any]


@dataclass(frozen=True)
class Table:
    """Columns of equal length by their headings, which hold the units; what is not known is NaN."""

    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def text(self, separator: str = ",") -> str:
        """A line of headings and one for each row."""
        out = io.StringIO()
        writer = csv.writer(out, delimiter=separator, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(zip(*map(_cells, self.columns.values()), strict=True))
        return out.getvalue()


def below(tables: Sequence[Table]) -> Table:
    """Tables of the same headings as one."""
    headings = tables[0].columns if tables else {}
    return Table({heading: [cell for t in tables for cell in _cells(t.columns[heading])] for heading in headings})


def _cells(column: Column) -> Sequence[object]:
    if not isinstance(column, np.ndarray):
        return column
    if column.dtype.kind != "f":
        whole: list[object] = column.tolist()
        return whole
    # As single precision where it is stored so: 0.1 and not 0.10000000149.
    texts: list[str] = column.astype(str).tolist()
    return [text if text != "nan" else "" for text in texts]


@dataclass(frozen=True)
class Sheet:
    """A plot as it goes into a file: what ``view`` shows, under a ``heading``, in the text's ``font``."""

    view: QGraphicsView
    heading: str
    theme: Theme
    font: QFont

    @property
    def size(self) -> QSize:
        return QSize(self.view.viewport().width(), self.view.viewport().height() + self._top)

    @property
    def _top(self) -> int:
        return math.ceil(QFontMetricsF(self.font).height()) + _PAD if self.heading else 0

    def paint(self, painter: QPainter) -> None:
        width, height, top = self.size.width(), self.size.height(), self._top
        painter.fillRect(QRect(0, 0, width, height), QColor(self.theme.surface))
        if self.heading:
            painter.setFont(self.font)
            painter.setPen(QColor(self.theme.text))
            place = QRectF(_PAD, 0, width - 2 * _PAD, top)
            painter.drawText(place, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), self.heading)
        shown = self.view.viewport().rect()
        self.view.render(painter, QRectF(0, top, shown.width(), shown.height()), shown)

    def png(self) -> bytes:
        """In pixels, twice as fine as on the screen."""
        image = QImage(self.size * SHARPNESS, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(SHARPNESS)
        painter = QPainter(image)
        self.paint(painter)
        painter.end()
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        image.save(buffer, "PNG")  # type: ignore[call-overload]
        return bytes(buffer.data().data())

    def svg(self) -> bytes:
        """In shapes and letters."""
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        generator = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)
        generator.setOutputDevice(buffer)
        generator.setResolution(self.view.logicalDpiX())  # as that of the axes, which are drawn from a record
        generator.setSize(self.size)
        generator.setViewBox(QRect(0, 0, self.size.width(), self.size.height()))
        generator.setTitle(self.heading)
        painter = QPainter(generator)
        self.paint(painter)
        painter.end()
        return bytes(buffer.data().data())
