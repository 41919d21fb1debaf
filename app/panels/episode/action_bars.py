"""The policy's decision, live: the probability of each action, or the density over continuous ones."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.panels.episode.action_axes import Axes, words_of_numbers
from app.panels.episode.action_drawings import MOST_BARS, Bars, Columns, Drawing, Ink, action_label, and_more, written
from app.panels.episode.action_groups import Groups, Switches, words
from app.style.theme import Theme, points
from engine.catalogue.spaces import Space
from engine.reports.frames import Decision, MultiSoftmaxDecision, SoftmaxDecision, SwitchDecision

MOST_NAMED = 64  # probabilities that are read aloud
VALUED = "Action probabilities π, and values Q in reward (dot: the action taken, triangle: the best value)"

VALUED_SPREAD = "Spread of each action (line: its Q, dot: taken)"


class ActionBars(QWidget):
    """Keeps its height from decision to decision; without a decision it shows what there is to choose from."""

    def __init__(self, theme: Theme, space: Space) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # so that the panel beneath is not painted again
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Action probabilities")
        self._theme = theme
        self._ink = _ink(theme, self.font())
        self._space = space
        self._drawing = _drawing(space)
        self._decision: Decision | None = None
        self._resize()

    @property
    def caption(self) -> str:
        if isinstance(self._decision, SoftmaxDecision) and self._decision.values is not None:
            return VALUED
        if getattr(self._decision, "worth", None) is not None:
            return VALUED_SPREAD
        return self._drawing.caption

    @property
    def decision(self) -> Decision | None:
        return self._decision

    @property
    def space(self) -> Space:
        return self._space

    def set_space(self, space: Space) -> None:
        """Forget the decision, and make room for the actions of ``space``."""
        self._space = space
        self._drawing = _drawing(space)
        self._decision = None
        self._resize()
        self.update()

    def show_decision(self, decision: Decision | None) -> None:
        self._decision = decision
        self.update()

    def describe(self) -> None:
        """Tell assistive technology what is shown; not done for every decision, which nobody could follow."""
        self.setAccessibleDescription(_words(self._space, self._decision))

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._resize()
        self.update()

    def _resize(self) -> None:
        self._ink = _ink(self._theme, self.font())
        self.setFixedHeight(self._theme.px(self._drawing.height(self._ink)))

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(240), self.height())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._resize()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), self._ink.ground)
        scale = self._theme.text_scale
        painter.scale(scale, scale)
        self._drawing.paint(painter, self._ink, self.width() / scale, self._decision)
        painter.end()


def _ink(theme: Theme, font: QFont) -> Ink:
    """For text of the system's size: drawings are scaled as a whole, their bars and dots like their words."""
    plain = QFont(font)
    plain.setPointSizeF(points(theme) / theme.text_scale)
    return Ink.of(theme, plain)


def _drawing(space: Space) -> Drawing:
    if space.kind == "box":
        return Axes(space)
    if space.kind == "multi-discrete":
        return Groups(space)
    if space.kind == "multi-binary":
        return Switches(space)
    return Bars(space) if space.size <= MOST_BARS else Columns(space)


def _words(space: Space, decision: Decision | None) -> str:
    if decision is None:
        return ""
    if isinstance(decision, SoftmaxDecision):
        taken = action_label(space, decision.action)
        shown = decision.probabilities[:MOST_NAMED].tolist()
        parts = [f"{action_label(space, index)} {share:.2f}" for index, share in enumerate(shown)]
        if decision.values is not None:
            worth = decision.values[:MOST_NAMED].tolist()
            parts = [f"{part}, worth {written(value)}" for part, value in zip(parts, worth, strict=True)]
        return f"{', '.join([*parts, *and_more(space.size - len(parts))])}; taken: {taken}"
    if isinstance(decision, MultiSoftmaxDecision | SwitchDecision):
        return words(space, decision)
    return words_of_numbers(space, decision)
