"""The buttons in the corner of a plot: to see all of it again, and to see it large."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtWidgets import QToolButton, QWidget

from app.style import icons
from app.style.theme import Theme


class Corner(QWidget):
    """Makes the buttons for ``plot``; itself it is not seen.

    Signals:
        everything_asked, enlargement_asked: the buttons were clicked.
    """

    everything_asked = Signal()
    enlargement_asked = Signal()

    def __init__(self, plot: QWidget, theme: Theme) -> None:
        super().__init__(plot)
        self.hide()
        self.everything, self.enlarge = QToolButton(plot), QToolButton(plot)
        self.everything.setText("Show all")
        self.everything.setToolTip("Back to the view that follows the data (A, or double-click the plot)")
        self.everything.clicked.connect(self.everything_asked)
        self.everything.setProperty("role", "more")
        self.enlarge.setToolTip("Enlarge (E)")
        self.enlarge.setAccessibleName("Enlarge")
        self.enlarge.clicked.connect(self.enlargement_asked)
        self.enlarge.setProperty("role", "quiet")
        for button in (self.everything, self.enlarge):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the keys A and E do the same
            button.hide()
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        icons.give(self.enlarge, "arrow-expand", color=theme.text)

    def show_at(self, place: QRectF, beside: QRectF | None, *, everything: bool) -> QRectF:
        """Show these buttons: one in the upper right corner of ``place``, where the data is, the other ``beside`` that,
        if anywhere.

        Returns:
            Where data is covered.
        """
        self.everything.setVisible(everything)
        self.enlarge.setVisible(beside is not None)
        if beside is not None:
            side = round(beside.width())
            self.enlarge.setIconSize(QSize(side - 6, side - 6))
            self.enlarge.setGeometry(round(beside.left()), round(beside.top()), side, side)
            self.enlarge.raise_()
        if not everything:
            return QRectF()
        self.everything.adjustSize()
        self.everything.move(round(place.right()) - self.everything.width() - 2, round(place.top()) + 2)
        self.everything.raise_()
        return QRectF(self.everything.geometry())
