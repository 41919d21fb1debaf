"""The buttons in the corner of a plot: to see all of it again, and to see it large."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from app.style import icons
from app.style.theme import Theme


class Corner(QWidget):
    """Signals:
    everything_asked, enlargement_asked: the buttons were clicked.
    """

    everything_asked = Signal()
    enlargement_asked = Signal()

    def __init__(self, parent: QWidget, theme: Theme) -> None:
        super().__init__(parent)
        self.everything, self.enlarge = QToolButton(), QToolButton()
        self.everything.setText("Show all")
        self.everything.setToolTip("Back to the view that follows the data (A, or double-click the plot)")
        self.everything.clicked.connect(self.everything_asked)
        self.enlarge.setToolTip("Enlarge (E)")
        self.enlarge.setAccessibleName("Enlarge")
        self.enlarge.clicked.connect(self.enlargement_asked)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for button in (self.everything, self.enlarge):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the keys A and E do the same
            button.setProperty("role", "more")
            layout.addWidget(button)
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        icons.give(self.enlarge, "arrow-expand", color=theme.text)

    def show_at(self, place: QRectF, *, everything: bool, enlarge: bool) -> None:
        """Show these buttons in the upper right corner of ``place``."""
        self.everything.setVisible(everything)
        self.enlarge.setVisible(enlarge)
        self.setVisible(everything or enlarge)
        if everything or enlarge:
            self.adjustSize()
            self.move(round(place.right()) - self.width() - 2, round(place.top()) + 2)
            self.raise_()
