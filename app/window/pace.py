"""How fast iterations may follow each other, or the stops within them, and whether the newest policy is watched."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QToolButton, QWidget

from app.session.stops import Pace, Slow
from app.style import icons
from app.style.format import short_number
from app.style.slider import Slider
from app.style.theme import Theme

# Stops, then iterations per second, in steps that are alike to the eye; None is full speed. A window opens at full
# speed, so that nobody takes a pace of last week for how fast learning is.
_SLOW = (Slow(0.2), Slow(0.5), Slow(1), Slow(2), Slow(5))
PACES: tuple[Pace, ...] = (*_SLOW, 1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, None)
_PAGE = 3  # steps of the slider, about half a power of ten
_WIDTH = 88
_FOLLOW = "Follow newest"


def pace_text(pace: Pace) -> str:
    """ "full speed", "1 iteration/s", "1 stop/s", "a stop every 5 s"."""
    if pace is None:
        return "full speed"
    if isinstance(pace, Slow):
        rate = pace.stops_per_second
        return (
            f"a stop every {short_number(1 / rate)} s" if rate < 1 else f"{short_number(rate)} stop{'s' * (rate > 1)}/s"
        )
    return f"{short_number(pace)} iteration{'' if pace == 1 else 's'}/s"


class PaceControl(QWidget):
    """``paced`` carries a pace; ``followed`` whether the newest policy plays."""

    paced = Signal(object)
    followed = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.slider = Slider()
        self.slider.setRange(0, len(PACES) - 1)
        self.slider.setValue(len(PACES) - 1)
        self.slider.setPageStep(_PAGE)
        self.slider.setAccessibleName("Pace")
        self.text = QLabel()
        self.text.setProperty("small", True)
        self.text.setProperty("role", "muted")
        self.text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.follow = QToolButton()
        self.follow.setText(_FOLLOW)
        self.follow.setCheckable(True)
        self.follow.setChecked(True)
        self.follow.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.follow.setAccessibleName("Follow the newest policy")
        self.follow.setToolTip(
            "Follow the newest policy: it plays in the Agent panel as soon as training has made it.\n"
            "While this is off, the policy that plays now goes on playing, to be talked about in peace."
        )
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(0)
        grid.addWidget(self.slider, 0, 0)
        grid.addWidget(self.text, 1, 0)
        grid.addWidget(self.follow, 0, 1, 2, 1, Qt.AlignmentFlag.AlignVCenter)
        self.slider.valueChanged.connect(self._tell)
        self.follow.toggled.connect(self.followed)
        self._say()

    @property
    def pace(self) -> Pace:
        """What the slider is set to."""
        return PACES[self.slider.value()]

    def show_follow(self, follows: bool) -> None:
        """Show whether the newest policy is watched."""
        self.follow.setChecked(follows)

    def show_words(self, words: bool) -> None:
        """Say beside its sign what is followed, or leave that to the tooltip."""
        style = Qt.ToolButtonStyle
        self.follow.setToolButtonStyle(style.ToolButtonTextBesideIcon if words else style.ToolButtonIconOnly)
        self.updateGeometry()  # at once, so that who lays it out knows what it needs now

    def _tell(self) -> None:
        self._say()
        self.paced.emit(self.pace)

    def _say(self) -> None:
        text = pace_text(self.pace)
        self.text.setText(text)
        self.slider.setAccessibleDescription(text)
        self.slider.setToolTip(
            f"Pace: {text}.\n"
            "At the left slow motion, which stops within every iteration; at the right full speed; also while training."
        )

    def apply_theme(self, theme: Theme) -> None:
        icons.give(self.follow, "crosshairs-gps", color=theme.text)
        for child in (self.slider, self.text, self.follow):
            child.ensurePolished()  # else the style sheet's part of its size comes only when it is shown
        widest = max(self.text.fontMetrics().horizontalAdvance(pace_text(pace)) for pace in PACES) + 2
        for child in (self.slider, self.text):
            child.setFixedWidth(max(theme.px(_WIDTH), widest))  # so that nothing moves with the words
        self.follow.updateGeometry()
