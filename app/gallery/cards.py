"""The grid of cards: as many columns as there is room for, under the headings of their groups."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QPainter, QPainterPath, QPen, QResizeEvent
from PySide6.QtWidgets import QFrame, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.gallery.model import ITEM_ROLE, Card, GalleryModel, Section
from app.gallery.pictures import ASPECT, picture
from app.style.environment_text import acts, observed
from app.style.sentence import smaller
from app.style.theme import Theme

_LEAST = 228  # pixels that a card needs for what is written on it, at the text's usual size
_UNKNOWN = "Not opened yet"
Index = QModelIndex | QPersistentModelIndex


class CardView(QListView):
    """``shown`` carries the card that is current, ``used`` one that was double-clicked or entered; ``typed`` is text
    that is meant for the search."""

    shown = Signal(object)
    used = Signal(object)
    typed = Signal(str)

    def __init__(self, model: GalleryModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._painter = _CardPainter(theme)
        self._model = model
        self.setModel(model)
        self.setItemDelegate(self._painter)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.viewport().setAutoFillBackground(False)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)  # else columns and bar may alternate
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setAccessibleName("Environments")
        self.setToolTip("Double-click a card, or press Return, to use it as its main button at the right says.")
        self.doubleClicked.connect(self._use)
        self.verticalScrollBar().setSingleStep(4 * theme.unit)

    @property
    def card(self) -> Card | None:
        """The one that is current."""
        item = self.currentIndex().data(ITEM_ROLE)
        return item if isinstance(item, Card) else None

    def select(self, id: str) -> None:
        """Make a card current, and come to where it is."""
        index = self._model.index_of(id)
        if index.isValid():
            self.setCurrentIndex(index)
            self.scrollTo(index, QListView.ScrollHint.PositionAtCenter)

    def set_used(self, id: str) -> None:
        """Which environment is the one of the experiment."""
        self._painter.used = id
        self.viewport().update()

    def apply_theme(self, theme: Theme) -> None:
        self._painter.theme = theme
        self._painter.fit(self.viewport().width() - 1)
        self.scheduleDelayedItemsLayout()
        self.viewport().update()

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        self.shown.emit(self.card)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._painter.fit(self.viewport().width() - 1)
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        text = event.text()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._use(self.currentIndex())
        elif text.isprintable() and text.strip() and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.typed.emit(text)
        else:
            super().keyPressEvent(event)

    def moveCursor(self, action: QListView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Left and right go through all cards, over headings and the ends of rows; home and end to the outermost."""
        here, last = self.currentIndex().row(), self._model.rowCount() - 1
        ways = {
            QListView.CursorAction.MoveLeft: range(here - 1, -1, -1),
            QListView.CursorAction.MoveRight: range(here + 1, last + 1),
            QListView.CursorAction.MoveHome: range(last + 1),
            QListView.CursorAction.MoveEnd: range(last, -1, -1),
        }
        if action not in ways:
            return super().moveCursor(action, modifiers)
        rows = (self._model.index(row) for row in ways[action])
        return next((index for index in rows if isinstance(index.data(ITEM_ROLE), Card)), self.currentIndex())

    def _use(self, index: QModelIndex) -> None:
        item = index.data(ITEM_ROLE)
        if isinstance(item, Card):
            self.used.emit(item)


class _CardPainter(QStyledItemDelegate):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.used = ""
        self.fit(3 * theme.px(_LEAST))

    def fit(self, width: int) -> None:
        """Share ``width`` out among as many columns as it has room for."""
        self._width = width
        self._cell = width // max(1, width // (self.theme.px(_LEAST) + self.theme.unit))

    def _picture_size(self) -> QSize:
        width = self._cell - self.theme.unit
        return QSize(width, round(width * ASPECT))

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        unit, line = self.theme.unit, option.fontMetrics.height()
        if isinstance(index.data(ITEM_ROLE), Section):
            return QSize(self._width, line + 2 * unit + unit // 2)
        small = QFontMetrics(smaller(option.font)).height()
        return QSize(self._cell, self._picture_size().height() + line + small + 3 * unit + unit // 2)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        item = index.data(ITEM_ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if isinstance(item, Section):
            self._paint_section(painter, option, item)
        else:
            self._paint_card(painter, option, item)
        painter.restore()

    def _paint_section(self, painter: QPainter, option: QStyleOptionViewItem, section: Section) -> None:
        unit = self.theme.unit
        place = option.rect.adjusted(1, unit, -unit, 0)
        heavier = _heavier(option.font)
        painter.setFont(heavier)
        painter.setPen(QColor(self.theme.text))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(place, flags, section.title)
        place.setLeft(place.left() + QFontMetrics(heavier).horizontalAdvance(section.title) + unit)
        painter.setFont(option.font)
        painter.setPen(QColor(self.theme.muted))
        missing = f"  ·  needs the extra {section.missing.name}, which is not installed" if section.missing else ""
        painter.drawText(place, flags, f"{section.count}{missing}")

    def _paint_card(self, painter: QPainter, option: QStyleOptionViewItem, card: Card) -> None:
        theme = self.theme
        box = option.rect.adjusted(1, 1, 1 - theme.unit, 1 - theme.unit)
        state = QStyle.StateFlag
        selected = bool(option.state & state.State_Selected)
        hovered = bool(option.state & state.State_MouseOver)
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(box), theme.radius, theme.radius)
        painter.fillPath(outline, QColor(theme.raised if selected or hovered else theme.surface))
        size = self._picture_size()
        painter.save()
        painter.setClipPath(outline)
        if card.missing:
            painter.setOpacity(0.5)
        ratio = painter.device().devicePixelRatioF()
        painter.drawPixmap(box.topLeft(), picture(card, size, ratio, theme))
        painter.restore()
        self._paint_words(
            painter, option.font, box.adjusted(theme.unit, size.height() + theme.unit - 1, -theme.unit, 0), card
        )
        if card.id == self.used:
            self._paint_badge(painter, option.font, box, "In use")
        if selected or theme.name == "light":
            pen = QPen(QColor(theme.mean if selected else theme.line), 2 if selected else 1)
            painter.strokePath(outline, pen)

    def _paint_words(self, painter: QPainter, font: QFont, box: QRect, card: Card) -> None:
        theme = self.theme
        left, info = Qt.AlignmentFlag.AlignLeft, card.info
        small = smaller(font)
        facts = f"{observed(info)} · {acts(info.action)}" if info else _UNKNOWN
        lines = (
            (_heavier(font), theme.muted if card.missing else theme.text, card.title),
            (small, theme.muted, facts),
        )
        for each, colour, text in lines:
            metrics = QFontMetrics(each)
            painter.setFont(each)
            painter.setPen(QColor(colour))
            painter.drawText(box, left, metrics.elidedText(text, Qt.TextElideMode.ElideRight, box.width()))
            box.translate(0, metrics.height() + 2)

    def _paint_badge(self, painter: QPainter, font: QFont, box: QRect, text: str) -> None:
        """A tag in the upper right corner of the picture."""
        unit, small = self.theme.unit, smaller(font)
        metrics = QFontMetrics(small)
        width, height = metrics.horizontalAdvance(text) + 2 * unit, metrics.height() + 4
        place = QRectF(QRect(box.topRight() + QPoint(1 - unit - width, unit), QSize(width, height)))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.theme.accent))
        painter.drawRoundedRect(place, height / 2, height / 2)
        painter.setFont(small)
        painter.setPen(QColor(self.theme.accent_text))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)


def _heavier(font: QFont) -> QFont:
    result = QFont(font)
    result.setWeight(QFont.Weight.DemiBold)
    return result
