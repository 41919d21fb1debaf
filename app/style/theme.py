"""The look: colours, pens and spacing from the one theme file, as a palette, a style sheet and values for the plots."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

ThemeName = Literal["dark", "light"]
ThemeChoice = Literal["system", "dark", "light"]


@dataclass(frozen=True)
class Theme:
    """One finished look; colours are ``#rrggbb``, lengths are pixels. The names are those of the theme file.

    ``text_scale`` is by how much text is larger than the system's; lengths that hold text follow by ``px``.
    """

    name: ThemeName
    unit: int
    radius: int
    line_width: int
    window: str
    surface: str
    raised: str
    line: str
    text: str
    muted: str
    accent: str
    accent_text: str
    error: str
    warning: str
    mean: str
    episodes: str
    threshold: str
    marker: str
    positive: str
    negative: str
    policy: str
    credit: str
    baseline: str
    update: str
    text_scale: float = 1.0

    def px(self, length: float) -> int:
        """Pixels of what is ``length`` pixels where text has the system's size."""
        return round(length * self.text_scale)

    def scaled(self, factor: float) -> Theme:
        """The same look with text ``factor`` times as large."""
        return replace(self, text_scale=self.text_scale * factor)


@cache
def load_theme(name: ThemeName) -> Theme:
    data = tomllib.loads((resources.files("resources") / "themes" / "playground.toml").read_text("utf-8"))
    return Theme(name=name, **data["shape"], **data[name])


def system_theme() -> ThemeName:
    """What the desktop asks for; dark where it does not say."""
    scheme = QGuiApplication.styleHints().colorScheme()
    return "light" if scheme == Qt.ColorScheme.Light else "dark"


def resolve(choice: ThemeChoice) -> Theme:
    return load_theme(system_theme() if choice == "system" else choice)


def apply(theme: Theme, application: QApplication) -> None:
    """Give the whole application this look. The palette is set outright: a colour-scheme hint alone can be ignored."""
    application.setPalette(palette(theme))
    application.setStyleSheet(style_sheet(theme))


def palette(theme: Theme) -> QPalette:
    role = QPalette.ColorRole
    colours = {
        role.Window: theme.window,
        role.WindowText: theme.text,
        role.Base: theme.surface,
        role.AlternateBase: theme.raised,
        role.Text: theme.text,
        role.PlaceholderText: theme.muted,
        role.Button: theme.raised,
        role.ButtonText: theme.text,
        role.BrightText: theme.error,
        role.ToolTipBase: theme.raised,
        role.ToolTipText: theme.text,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.accent_text,
        role.Link: theme.mean,
        role.Light: theme.raised,
        role.Midlight: theme.raised,
        role.Mid: theme.line,
        role.Dark: theme.line,
        role.Shadow: theme.window,
    }
    result = QPalette()
    for key, colour in colours.items():
        result.setColor(key, QColor(colour))
    for key in (role.WindowText, role.Text, role.ButtonText):
        faded = QColor(theme.muted)
        faded.setAlpha(150)
        result.setColor(QPalette.ColorGroup.Disabled, key, faded)
    return result


def style_sheet(theme: Theme) -> str:
    """The few things a palette cannot say; widgets opt in by the dynamic property ``role``."""
    t, half = theme, theme.unit // 2
    return f"""
    QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.line}; padding: {half}px; }}
    QLabel[role="muted"] {{ color: {t.muted}; }}
    QLabel[role="error"] {{ color: {t.error}; }}
    QLabel[role="warning"] {{ color: {t.warning}; }}
    QLabel[role="heading"] {{ font-weight: 600; }}
    QLabel[role="number"] {{ font-size: 15pt; font-weight: 600; }}
    QLabel[role="mean"] {{ font-size: 18pt; font-weight: 600; color: {t.mean}; }}
    QLabel[role="figure"] {{ font-size: 24pt; font-weight: 600; }}
    QLabel[role="badge"] {{
        background: {t.raised}; color: {t.text}; border-radius: {half}px; padding: {half // 2}px {t.unit}px;
    }}
    QPushButton, QToolButton, QComboBox, QSpinBox, QDoubleSpinBox, QLineEdit {{
        background: {t.raised}; color: {t.text}; border: 1px solid transparent; border-radius: {t.radius}px;
        padding: {half}px {t.unit}px; min-height: 18px; selection-background-color: {t.accent};
        selection-color: {t.accent_text};
    }}
    QToolButton {{ padding: {half}px; }}
    QToolButton[popupMode="2"] {{ padding-right: {2 * t.unit + half}px; }}
    QToolButton::menu-indicator {{ subcontrol-position: right center; right: {half}px; }}
    QPushButton:hover, QToolButton:hover, QComboBox:hover {{ border-color: {t.line}; }}
    QPushButton:focus, QToolButton:focus, QComboBox:focus, QSpinBox:focus, QDoubleSpinBox:focus, QLineEdit:focus {{
        border-color: {t.mean};
    }}
    QLineEdit[role="invalid"], QLineEdit[role="invalid"]:focus, QComboBox[role="invalid"],
    QComboBox[role="invalid"]:focus {{ border-color: {t.error}; }}
    QToolButton[role="more"] {{ padding: 0; min-height: 0; }}
    QToolButton[role="quiet"] {{ background: transparent; padding: 0; min-height: 0; }}
    QToolButton[role="line"], QToolButton[role="line"]:checked {{
        background: transparent; color: {t.muted}; padding: 0; min-height: 0; text-align: left;
    }}
    QPushButton:checked, QToolButton:checked {{ background: {t.line}; }}
    QComboBox:disabled, QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled {{
        color: {t.muted}; background: {t.surface};
    }}
    QPushButton:disabled, QToolButton:disabled {{ color: {t.muted}; background: transparent; }}
    QFrame[role="segments"] {{ background: {t.raised}; border-radius: {t.radius}px; }}
    QToolButton[role="segment"] {{ background: transparent; color: {t.muted}; padding: {half}px {t.unit}px; }}
    QToolButton[role="segment"]:checked {{ background: {t.line}; color: {t.text}; }}
    QPushButton[role="primary"], QToolButton[role="primary"] {{
        background: {t.accent}; color: {t.accent_text}; font-weight: 600; padding: {half}px {2 * t.unit}px;
    }}
    QPushButton[role="primary"]:disabled, QToolButton[role="primary"]:disabled {{
        background: {t.raised}; color: {t.muted};
    }}
    QComboBox::drop-down {{ border: none; width: {2 * t.unit + half}px; }}
    QComboBox QAbstractItemView {{ background: {t.raised}; border: 1px solid {t.line}; outline: 0; padding: {half}px; }}
    QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
    QScrollArea[role="scrolled"]:focus {{ border: 1px solid {t.mean}; }}
    QScrollBar {{ background: transparent; border: none; margin: 0; }}
    QScrollBar:vertical {{ width: {t.unit}px; }}
    QScrollBar:horizontal {{ height: {t.unit}px; }}
    QScrollBar::handle {{ background: {t.line}; border-radius: 3px; margin: 1px; }}
    QScrollBar::handle:vertical {{ min-height: {3 * t.unit}px; }}
    QScrollBar::handle:horizontal {{ min-width: {3 * t.unit}px; }}
    QScrollBar::handle:hover {{ background: {t.muted}; }}
    QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{
        background: transparent; border: none; width: 0; height: 0;
    }}
    QMainWindow::separator {{ background: {t.window}; width: {half}px; height: {half}px; }}
    QMainWindow::separator:hover {{ background: {t.line}; }}
    QDockWidget {{ font-weight: 600; }}
    QDockWidget::title {{ background: {t.surface}; padding: {half + 2}px {t.unit}px; text-align: left; }}
    QToolBar {{ background: {t.window}; border: none; spacing: {half}px; padding: {half}px {t.unit}px; }}
    QProgressBar {{ background: {t.raised}; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; }}
    QProgressBar::chunk {{ background: {t.mean}; border-radius: 3px; }}
    QPlainTextEdit {{ background: {t.surface}; border: none; }}
    QMenu {{ background: {t.raised}; border: 1px solid {t.line}; padding: {half}px; }}
    QMenu::item {{ padding: {half}px {3 * t.unit}px; border-radius: {half}px; }}
    QMenu::item:selected {{ background: {t.accent}; color: {t.accent_text}; }}
    QMenu::item:disabled {{ color: {t.muted}; }}
    QMenu::separator {{ height: 1px; background: {t.line}; margin: {half}px {t.unit}px; }}
    QStatusBar {{ background: {t.window}; color: {t.muted}; }}
    """


def tabular(font: QFont) -> QFont:
    """``font`` with figures of equal width."""
    font = QFont(font)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def blended(colour: str, ground: str, share: float) -> QColor:
    """``colour`` laid over ``ground`` with the opacity ``share``, itself opaque: painting without alpha is faster."""
    over, under = QColor(colour), QColor(ground)
    pairs = ((over.redF(), under.redF()), (over.greenF(), under.greenF()), (over.blueF(), under.blueF()))
    return QColor.fromRgbF(*(a * share + b * (1 - share) for a, b in pairs))
