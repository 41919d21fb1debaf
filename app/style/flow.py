"""A row of widgets that goes on in the next line where it is too narrow for them, as words do."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget


class Flow(QLayout):
    """Widgets in lines, each as wide as it wants to be, or as the line where that is narrower.

    Those from ``add_right`` stand at the right end of their line.
    """

    def __init__(self, spacing: int) -> None:
        super().__init__()
        self._items: list[QLayoutItem] = []
        self._right: set[int] = set()
        self.setSpacing(spacing)

    def add_right(self, widget: QWidget) -> None:
        self._right.add(len(self._items))
        self.addWidget(widget)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._laid_out(QRect(0, 0, width, 0), apply=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._laid_out(rect, apply=True)

    def sizeHint(self) -> QSize:
        sizes = [item.sizeHint() for item in self._items]
        width = sum(size.width() for size in sizes) + self.spacing() * max(len(sizes) - 1, 0)
        return QSize(width, max((size.height() for size in sizes), default=0)).grownBy(self.contentsMargins())

    def minimumSize(self) -> QSize:
        sizes = [item.minimumSize() for item in self._items]
        width = max((size.width() for size in sizes), default=0)
        return QSize(width, max((size.height() for size in sizes), default=0)).grownBy(self.contentsMargins())

    def _laid_out(self, rect: QRect, *, apply: bool) -> int:
        """The height that is needed for the width of ``rect``; put the widgets there where it is to ``apply``."""
        inner = rect.marginsRemoved(self.contentsMargins())
        lines: list[list[tuple[int, QSize]]] = [[]]
        used = 0
        for index, item in enumerate(self._items):
            if item.isEmpty():
                continue
            size = item.sizeHint().boundedTo(QSize(max(inner.width(), 1), 10_000))
            if lines[-1] and used + self.spacing() + size.width() > inner.width():
                lines.append([])
            used = size.width() + (used + self.spacing() if lines[-1] else 0)
            lines[-1].append((index, size))
        top = inner.top()
        for line in lines:
            height = max((size.height() for _, size in line), default=0)
            if apply:
                self._put(line, QRect(inner.left(), top, inner.width(), height))
            top += height + self.spacing()
        margins = self.contentsMargins()
        return top - self.spacing() - rect.top() + margins.bottom()

    def _put(self, line: list[tuple[int, QSize]], place: QRect) -> None:
        left, right = place.left(), place.right() + 1
        at_right = [entry for entry in line if entry[0] in self._right]
        for index, size in line:
            if index not in self._right:
                self._items[index].setGeometry(QRect(left, place.top(), size.width(), place.height()))
                left += size.width() + self.spacing()
        for index, size in reversed(at_right):
            right -= size.width()
            self._items[index].setGeometry(QRect(right, place.top(), size.width(), place.height()))
            right -= self.spacing()
