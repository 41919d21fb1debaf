"""PPO's clipped surrogate of one step over its ratio, and where on it the step is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.panels.inspector.words import ratio_words
from app.plotting.marks import pen_of
from app.style.sentence import smaller
from app.style.theme import Theme

if TYPE_CHECKING:  # with torch
    from engine.analysis.samples import Samples

_DOT = 4.5  # pixels, as all lengths here
_LEAST = 68


class ClipCurve(QWidget):
    """min(ρ Â, clip(ρ, 1 − ε, 1 + ε) Â) over ρ: solid where the gradient flows, dashed where it is cut."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._at: tuple[float, bool, float, bool] | None = None  # ρ, whether Â ≥ 0, ε, whether the gradient flows
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setAccessibleName("The clipped surrogate of this step")
        self.setToolTip(
            "What this step adds to the clipped surrogate, over its ratio: where the line is dashed it is level, so "
            "that the gradient is cut"
        )

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(120), self._theme.px(_LEAST))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(80), self._theme.px(_LEAST))

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def show_step(self, samples: Samples | None, row: int) -> None:
        """Draw a step; nothing where nothing is clipped."""
        from engine.analysis.clip_cases import CLIP_CASES

        self._at = None
        if samples is not None and samples.cases is not None and samples.ratios is not None:
            case = CLIP_CASES[int(samples.cases[row]) - 1]
            assert samples.clip_range is not None
            better = bool(samples.looked.batch.weights[row] >= 0)
            self._at = float(samples.ratios[row]), better, samples.clip_range, case.flows
            self.setAccessibleDescription(f"{case.advantage}, ratio {case.ratio}: the gradient {_does(case.flows)}.")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._at is None:
            return
        ratio, better, reach, flows = self._at
        theme, painter = self._theme, QPainter(self)
        painter.setFont(smaller(self.font()))
        letters = painter.fontMetrics()
        # What is said of the dot stands above, and the ends of the clip below, so that no line goes through words.
        room = QRectF(self.rect()).adjusted(6, letters.height() + 2, -6, -letters.height() - 2)
        span = max(2.0 * reach, min(abs(ratio - 1), 4 * reach) * 1.15)

        def x_of(value: float) -> float:
            return room.left() + (min(max(value, 1 - span), 1 + span) - 1 + span) / (2 * span) * room.width()

        def y_of(value: float) -> float:
            """Of ±ρ, the surrogate with |Â| = 1; the bend is where it is cut."""
            bend = 1 + reach if better else 1 - reach
            bent = min(value, bend) if better else -max(value, bend)
            low, high = (1 - span, bend) if better else (-1 - span, -bend)
            return room.bottom() - (bent - low) / (high - low) * (room.height() - _DOT)

        painter.setPen(pen_of(theme.line))
        for bound in (1 - reach, 1.0, 1 + reach):
            painter.drawLine(QPointF(x_of(bound), room.top()), QPointF(x_of(bound), room.bottom()))
        painter.setPen(QColor(theme.muted))
        for bound, words in ((1 - reach, "1 − ε"), (1 + reach, "1 + ε")):
            box = QRectF(x_of(bound) - 30, room.bottom() + 1, 60, letters.height())
            painter.drawText(box, int(Qt.AlignmentFlag.AlignHCenter), words)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = theme.positive if better else theme.negative
        bend = 1 + reach if better else 1 - reach
        level = [bend, 1 + span] if better else [1 - span, bend]
        sloped = [1 - span, bend] if better else [bend, 1 + span]
        painter.setPen(pen_of(colour, 2.0))
        painter.drawLine(*(QPointF(x_of(value), y_of(value)) for value in sloped))
        dashed = pen_of(theme.muted, 2.0)
        dashed.setDashPattern([3.0, 3.0])
        painter.setPen(dashed)
        painter.drawLine(*(QPointF(x_of(value), y_of(value)) for value in level))
        at = QPointF(x_of(ratio), y_of(ratio))
        painter.setPen(pen_of(theme.text, 1.5))
        painter.setBrush(QColor(colour if flows else theme.surface))
        painter.drawEllipse(at, _DOT, _DOT)
        painter.setPen(QColor(theme.text))
        words = f"{ratio_words(ratio)} {_does(flows)}"
        width = letters.horizontalAdvance(words)
        left = min(max(at.x() - width / 2, 0.0), self.width() - width)
        painter.drawText(QRectF(left, 0.0, width + 2, letters.height()), 0, words)
        painter.end()


def _does(flows: bool) -> str:
    return "flows" if flows else "is cut"
