"""The look that a person has chosen: dark or light, and how large text is; both are remembered."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication

from app.models.remembered import whole_number
from app.style import theme
from app.style.theme import Theme, ThemeChoice

SMALLEST, NORMAL, LARGEST, STEP = 80, 100, 200, 10  # percent of the system's text size


class Look(QObject):
    changed = Signal(object)  # Theme

    def __init__(self, settings: QSettings, parent: QObject) -> None:
        super().__init__(parent)
        self._settings = settings
        kept = settings.value("theme", "system")
        self.choice: ThemeChoice = kept if kept in ("dark", "light") else "system"
        percent = whole_number(settings, "text_size", NORMAL)
        self.percent = percent if percent in range(SMALLEST, LARGEST + 1, STEP) else NORMAL
        self.theme = self._chosen()
        if self.percent != NORMAL:  # before there are widgets, whose fonts would stay as they are made
            theme.apply(self.theme, _application())
        QApplication.styleHints().colorSchemeChanged.connect(self._follow_system)

    def _chosen(self) -> Theme:
        return theme.resolve(self.choice).scaled(self.percent / 100)

    def apply(self) -> None:
        """Give the application the chosen look, and tell everyone who has to draw anew."""
        self.theme = self._chosen()
        theme.apply(self.theme, _application())
        self.changed.emit(self.theme)

    def choose(self, choice: ThemeChoice) -> None:
        self.choice = choice
        self._settings.setValue("theme", choice)
        self.apply()

    def toggle(self) -> None:
        """Dark where it is light now, and the reverse."""
        self.choose("light" if self.theme.name == "dark" else "dark")

    def obey(self, actions: Mapping[str, QAction]) -> None:
        """Do what those of ``actions`` that change the look say."""
        choices: tuple[ThemeChoice, ...] = ("system", "dark", "light")
        for choice in choices:
            actions[f"theme_{choice}"].triggered.connect(partial(self._choose, choice))
        actions["toggle_theme"].triggered.connect(self.toggle)
        actions["text_larger"].triggered.connect(self.larger)
        actions["text_smaller"].triggered.connect(self.smaller)
        actions["text_normal"].triggered.connect(self.normal)

    def _choose(self, choice: ThemeChoice, _checked: bool) -> None:
        self.choose(choice)

    def larger(self) -> None:
        self._resize_text(self.percent + STEP)

    def smaller(self) -> None:
        self._resize_text(self.percent - STEP)

    def normal(self) -> None:
        self._resize_text(NORMAL)

    def _resize_text(self, percent: int) -> None:
        percent = min(max(percent, SMALLEST), LARGEST)
        if percent != self.percent:
            self.percent = percent
            self._settings.setValue("text_size", percent)
            self.apply()

    def _follow_system(self) -> None:
        if self.choice == "system":
            self.apply()


def _application() -> QApplication:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    return application
