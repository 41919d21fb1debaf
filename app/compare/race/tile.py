"""One of the agents that race: its picture, whose it is, and what its episode has come to."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.compare.compared import ComparedRun
from app.models.run_style import RunStyle
from app.panels.episode.frame_view import FrameView
from app.plotting.run_sign import RunSign
from app.session.side import SideFrame
from app.style.format import NOTHING, short_number
from app.style.text import ElidedLabel
from app.style.theme import Theme, tabular

MAKING = "Its environment is being made…"
_LOW = 190  # pixels of a tile, below which its picture needs the room that is beneath it


class Tile(QFrame):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "tag")
        self._theme, self._style = theme, RunStyle(0, (), "circle")
        self.view = FrameView()
        self.sign, self.name = RunSign(), ElidedLabel(left_out=Qt.TextElideMode.ElideMiddle)  # a seed stands last
        self.value, self.told = QLabel(NOTHING), ElidedLabel()
        self.name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.value.setProperty("role", "heading")
        self.value.setFont(tabular(self.value.font()))
        self.value.setAccessibleName("Return so far")
        self.told.setProperty("role", "muted")
        self.told.setProperty("small", True)
        self.told.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._head, self._foot = QHBoxLayout(), QWidget()
        self._head.addWidget(self.sign)
        self._head.addWidget(self.name, 1)
        foot = QHBoxLayout(self._foot)
        foot.setContentsMargins(0, 0, 0, 0)
        foot.addWidget(self.value)
        foot.addWidget(self.told, 1)
        self._column = column = QVBoxLayout(self)
        column.addLayout(self._head)
        column.addWidget(self.view, 1)
        column.addWidget(self._foot)
        self.setMinimumSize(1, 1)
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        half = theme.unit // 2
        self._column.setContentsMargins(half, half, half, half)
        self._column.setSpacing(half)
        self._head.setSpacing(theme.unit)
        self.sign.show_style(self._style, theme)

    def show_run(self, run: ComparedRun, name: str, style: RunStyle) -> None:
        """Whose it is, by a short ``name``; its number, for which there is no room here, stands in the standings."""
        self._style = style
        self.name.setText(name)
        self.name.setToolTip(f"run {run.title}")
        self.sign.show_style(style, self._theme)
        self.view.setAccessibleName(f"Agent of run {run.title}")

    def clear(self, sentence: str, role: str = "muted") -> None:
        """Show ``sentence`` in place of a picture."""
        self.view.forget_sizes()
        self.view.show_sentence(sentence, role)
        self.view.show_badge("")
        self.value.setText(NOTHING)
        self.told.clear()

    def show_side(self, side: SideFrame, rank: int | None) -> None:
        """What is seen of it now, and its place among all where that says anything."""
        if side.trouble:
            self.clear(side.trouble, "warning")
        if side.frame is None:
            return
        if side.picture is not None:
            self.view.show_picture(side.picture)
        place, ended = "" if rank is None else str(rank), side.frame.ended
        whole, short = filter(None, (place, "ended" * ended)), filter(None, (place, "■" * ended))
        self.view.show_badge(" · ".join(whole), " ".join(short), place or "■" * ended)
        _put(self.value, short_number(side.frame.reward_so_far, 4))
        _put(self.told, _words(side))
        self.told.setToolTip(f"Its policy after {side.environment_steps:,} environment steps of training plays")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._foot.setVisible(self.height() >= self._theme.px(_LOW))


def _put(label: QLabel, text: str) -> None:
    if text != label.text():
        label.setText(text)


def _words(side: SideFrame) -> str:
    """How far its episode is: "step 87 · policy after 19,456 steps", "ended at step 87 and waits · …"."""
    frame = side.frame
    assert frame is not None
    step = f"ended at step {frame.step:,}" if frame.ended else f"step {frame.step:,}"
    return f"{step} · policy after {side.environment_steps:,} steps"


def best_columns(count: int, width: float, height: float, aspect: float, around: float) -> int:
    """In how many columns so many pictures of this ``aspect``, width by height, are largest in the room there is, each
    with ``around`` pixels of its height for what stands above and beneath it."""

    def across(columns: int) -> float:
        rows = -(-count // columns)
        return min(width / columns, max(height / rows - around, 1.0) * aspect)

    return max(range(1, count + 1), key=lambda columns: (across(columns), -columns))
