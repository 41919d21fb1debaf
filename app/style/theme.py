"""The look: colours, pens and spacing from the one theme file, as a palette, a style sheet and values for the plots."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Literal, NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QWidget

ThemeName = Literal["dark", "light"]
ThemeChoice = Literal["system", "dark", "light"]

SMALL = 0.9  # times the size of plain text: sentences that explain


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
    edge: str
    focus: str
    text: str
    muted: str
    disabled: str
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
    person: str
    runs: tuple[str, ...]
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
    look = {**data["shape"], **data[name]}
    return Theme(name=name, **{**look, "runs": tuple(look["runs"])})


def system_theme() -> ThemeName:
    """What the desktop asks for; dark where it does not say."""
    scheme = QGuiApplication.styleHints().colorScheme()
    return "light" if scheme == Qt.ColorScheme.Light else "dark"


def resolve(choice: ThemeChoice) -> Theme:
    return load_theme(system_theme() if choice == "system" else choice)


def points(theme: Theme) -> float:
    """The size of plain text in points: the system's, as much larger as the theme says."""
    return QFontInfo(_system_font()).pointSizeF() * theme.text_scale


def _system_font() -> QFont:
    return QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)


def apply(theme: Theme, application: QApplication) -> None:
    """Give the whole application this look. The palette is set outright: a colour-scheme hint alone can be ignored."""
    font = _system_font()
    font.setPointSizeF(points(theme))
    if font != application.font():
        application.setFont(font)
    application.setPalette(palette(theme))
    sheet = style_sheet(theme)
    if sheet != application.styleSheet():  # else every widget there is would be styled anew for nothing
        # From one sheet to another Qt styles each widget as often as it has ancestors that are styled; from none, once.
        # What it knows of widgets goes with the last sheet there is, and it would never hear of their end any more.
        other = QWidget()
        other.setStyleSheet("QWidget { margin: 0; }")
        application.setStyleSheet("")
        application.setStyleSheet(sheet)
        other.deleteLater()


def apply_to(widget: QWidget, theme: Theme) -> None:
    """Give ``widget``, with all that is in it, the size of text that ``theme`` says.

    A font set on it would stop at the first child that the application's style sheet has a rule for.
    """
    widget.setStyleSheet(f"* {{ font-size: {points(theme):.2f}pt; }}{style_sheet(theme)}")


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
    for key in (role.WindowText, role.Text, role.ButtonText, role.PlaceholderText):
        result.setColor(QPalette.ColorGroup.Disabled, key, QColor(theme.disabled))
    return result


def style_sheet(theme: Theme) -> str:
    """The few things a palette cannot say; widgets opt in by the dynamic properties ``role`` and ``small``.

    What has the focus has a ring of two pixels, for which the padding makes room, so that nothing moves. Text in a size
    of its own has it from here, so that it follows the text size.
    """
    t, half, text = theme, theme.unit // 2, points(theme)
    plain, bare = _Frame(t.raised, t.text, t.edge, t.focus), _Frame("transparent", t.text, "transparent", t.focus)
    main = _Frame(t.accent, t.accent_text, t.accent, t.text)
    fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()
    tick = str(resources.files("resources") / "pictures" / "tick.svg").replace("\\", "/")
    return f"""
    QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.edge}; padding: {half}px; }}
    *[small="true"] {{ font-size: {SMALL * text:.2f}pt; }}
    *[code="true"] {{ font-size: {SMALL * text:.2f}pt; font-family: "{fixed}"; }}
    QLabel[role="muted"] {{ color: {t.muted}; }}
    QLabel[role="error"] {{ color: {t.error}; }}
    QLabel[role="warning"] {{ color: {t.warning}; }}
    QLabel[role="heading"] {{ font-weight: 600; }}
    QLabel[role="number"] {{ font-size: {5 / 3 * text:.2f}pt; font-weight: 600; }}
    QLabel[role="mean"] {{ font-size: {2 * text:.2f}pt; font-weight: 600; color: {t.mean}; }}
    QLabel[role="figure"] {{ font-size: {8 / 3 * text:.2f}pt; font-weight: 600; }}
    QLabel[role="badge"] {{
        background: {t.raised}; color: {t.text}; border-radius: {half}px; padding: {half // 2}px {t.unit}px;
    }}
    {_framed(t, "QPushButton, QComboBox, QSpinBox, QDoubleSpinBox, QLineEdit", half, t.unit, plain)}
    {_framed(t, "QToolButton", half, half, plain)}
    QToolButton[popupMode="2"] {{ padding-right: {2 * t.unit + half}px; }}
    QToolButton[popupMode="2"]:focus {{ padding-right: {2 * t.unit + half - 1}px; }}
    QToolButton[popupMode="1"] {{ padding-right: {t.px(20) + half}px; }}
    QToolButton[popupMode="1"]:focus {{ padding-right: {t.px(20) + half - 1}px; }}
    QToolButton::menu-button {{
        width: {t.px(18)}px; margin: 2px; background: transparent; border: none; border-left: 1px solid {t.edge};
    }}
    QToolButton::menu-button:disabled {{ border-left-color: {t.line}; }}
    QToolButton::menu-indicator {{ subcontrol-position: right center; right: {half}px; }}
    QPushButton:hover:!focus, QToolButton:hover:!focus, QComboBox:hover:!focus {{ border-color: {t.muted}; }}
    QPushButton:checked, QToolButton:checked {{ background: {t.line}; border-color: {t.text}; }}
    QLineEdit[role="invalid"], QComboBox[role="invalid"] {{ border-color: {t.error}; }}
    {_framed(t, 'QToolButton[role="more"]', 1, 1, plain)}
    {_framed(t, 'QToolButton[role="quiet"], QToolButton[role="line"]', 1, 1, bare)}
    QToolButton[role="line"], QToolButton[role="line"]:checked {{
        background: transparent; color: {t.muted}; text-align: left;
    }}
    QToolButton[role="more"], QToolButton[role="quiet"], QToolButton[role="line"] {{ min-height: 0; }}
    QLabel[role="count"] {{
        background: {t.raised}; color: {t.text}; font-size: {5 * text:.2f}pt; font-weight: 600;
        border-radius: {2 * t.unit}px; padding: {t.unit}px {3 * t.unit}px;
    }}
    QFrame[role="game"] {{ border: 3px solid {t.line}; border-radius: {t.radius}px; }}
    QFrame[role="game on"] {{ border: 3px solid {t.focus}; border-radius: {t.radius}px; }}
    {_framed(t, 'QToolButton[role="cap"]', 1, half, plain)}
    QToolButton[role="cap"] {{ min-height: 0; }}
    QToolButton[role="cap"]:checked {{ background: {t.accent}; color: {t.accent_text}; border-color: {t.accent}; }}
    QFrame[role="tag"] {{ background: {t.raised}; border: 1px solid {t.edge}; border-radius: {t.radius}px; }}
    QFrame[role="segments"] {{ background: {t.raised}; border-radius: {t.radius}px; }}
    {_framed(t, 'QToolButton[role="segment"]', half, t.unit, bare)}
    QToolButton[role="segment"] {{ color: {t.muted}; }}
    QToolButton[role="segment"]:checked {{
        background: {t.line}; color: {t.text}; border-bottom: 2px solid {t.mean}; padding-bottom: {half - 1}px;
    }}
    {_framed(t, 'QPushButton[role="primary"], QToolButton[role="primary"]', half, 2 * t.unit, main)}
    QPushButton[role="primary"], QToolButton[role="primary"] {{ font-weight: 600; }}
    QPushButton[lines="2"] {{ min-height: {t.px(34)}px; }}
    QComboBox:disabled, QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled {{
        color: {t.disabled}; background: {t.surface}; border-color: {t.line}; placeholder-text-color: {t.disabled};
    }}
    QPushButton:disabled, QToolButton:disabled {{
        color: {t.disabled}; background: transparent; border-color: {t.line};
    }}
    QToolButton[role="quiet"]:disabled, QToolButton[role="line"]:disabled, QToolButton[role="segment"]:disabled {{
        color: {t.disabled}; background: transparent; border-color: transparent;
    }}
    QPushButton:checked:disabled, QToolButton:checked:disabled, QToolButton[role="segment"]:checked:disabled,
    QPushButton[role="primary"]:disabled, QToolButton[role="primary"]:disabled {{
        background: {t.raised}; color: {t.disabled}; border-color: {t.line};
    }}
    QToolButton[role="segment"]:checked:disabled {{ border-bottom-color: {t.disabled}; }}
    QComboBox::drop-down {{ border: none; width: {2 * t.unit + half}px; }}
    QComboBox QAbstractItemView {{ background: {t.raised}; border: 1px solid {t.edge}; outline: 0; padding: {half}px; }}
    QCheckBox, QRadioButton {{ spacing: {t.unit}px; }}
    QCheckBox::indicator, QAbstractItemView::indicator {{
        width: {t.px(16)}px; height: {t.px(16)}px; border: 1px solid {t.edge}; border-radius: {half}px; margin: 1px;
        background: {t.raised};
    }}
    QCheckBox::indicator:checked, QAbstractItemView::indicator:checked {{
        background: {t.accent}; border-color: {t.accent}; image: url("{tick}");
    }}
    QAbstractItemView::indicator {{ width: {t.px(11)}px; height: {t.px(11)}px; }}
    QCheckBox::indicator:disabled {{ background: {t.surface}; border-color: {t.disabled}; }}
    QCheckBox::indicator:checked:disabled {{ background: {t.disabled}; }}
    QCheckBox::indicator:focus {{ border: 2px solid {t.focus}; margin: 0; }}
    QCheckBox::indicator:checked:focus {{ border-color: {t.text}; }}
    QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button {{
        width: 0; border: 0;
    }}
    QRadioButton::indicator {{
        width: {t.px(14)}px; height: {t.px(14)}px; border: 1px solid {t.edge}; border-radius: {t.px(14) // 2 + 1}px;
        margin: 1px; background: {t.raised};
    }}
    QRadioButton::indicator:checked {{
        width: {t.px(6)}px; height: {t.px(6)}px; border: {t.px(5)}px solid {t.accent};
        border-radius: {t.px(16) // 2}px; background: {t.accent_text};
    }}
    QRadioButton::indicator:focus {{ border-color: {t.focus}; }}
    QSlider {{ border: 2px solid transparent; border-radius: {t.radius}px; min-height: {t.px(20)}px; }}
    QSlider:focus {{ border-color: {t.focus}; }}
    QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {t.edge}; }}
    QSlider::sub-page:horizontal {{ height: 4px; border-radius: 2px; background: {t.mean}; }}
    QSlider::handle:horizontal {{
        width: {t.px(12)}px; height: {t.px(12)}px; margin: -{t.px(5)}px 0; border-radius: {t.px(12) // 2}px;
        background: {t.text}; border: 1px solid {t.surface};
    }}
    QSlider::handle:disabled {{ background: {t.disabled}; }}
    QSlider::sub-page:disabled {{ background: {t.disabled}; }}
    QTabBar::tab {{
        background: transparent; color: {t.muted}; border: 2px solid transparent; padding: {half}px {t.unit}px;
    }}
    QTabBar::tab:hover {{ color: {t.text}; }}
    QTabBar::tab:selected {{ color: {t.text}; font-weight: 600; border-bottom-color: {t.mean}; }}
    QTabBar::tab:focus {{ border-color: {t.focus}; border-radius: {half}px; }}
    QTabBar QToolButton {{ padding: 0; }}
    QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
    QAbstractItemView, QPlainTextEdit, QTextEdit, QScrollArea[role="scrolled"] {{ border: 2px solid transparent; }}
    QAbstractItemView:focus, QPlainTextEdit:focus, QTextEdit:focus, QScrollArea[role="scrolled"]:focus {{
        border-color: {t.focus};
    }}
    QListView[role="chips"]:focus {{ border-color: transparent; }}
    QTableView[padded="true"]::item {{ padding: 0 {half}px; }}
    QHeaderView, QHeaderView::section {{ background: {t.raised}; color: {t.text}; }}
    QHeaderView::section {{ border: none; border-right: 1px solid {t.line}; padding: 2px {half}px; }}
    QTableView[padded="true"] {{
        selection-background-color: {blended(t.accent, t.surface, _SELECTED).name()}; selection-color: {t.text};
    }}
    QScrollBar {{ background: transparent; border: none; margin: 0; }}
    QScrollBar:vertical {{ width: {t.unit}px; }}
    QScrollBar:horizontal {{ height: {t.unit}px; }}
    QScrollBar::handle {{ background: {t.edge}; border-radius: 3px; margin: 1px; }}
    QScrollBar::handle:vertical {{ min-height: {3 * t.unit}px; }}
    QScrollBar::handle:horizontal {{ min-width: {3 * t.unit}px; }}
    QScrollBar::handle:hover {{ background: {t.muted}; }}
    QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{
        background: transparent; border: none; width: 0; height: 0;
    }}
    QMainWindow::separator {{ background: {t.window}; width: {half}px; height: {half}px; }}
    QMainWindow::separator:hover {{ background: {t.edge}; }}
    QDockWidget {{ font-weight: 600; }}
    QDockWidget > QAbstractButton {{ icon-size: {t.px(16)}px; }}
    QDockWidget::title {{ background: {t.surface}; padding: {half + 2}px {t.unit}px; text-align: left; }}
    QToolBar {{ background: {t.window}; border: none; spacing: {half}px; padding: {half}px {t.unit}px; }}
    QProgressBar {{ background: {t.raised}; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; }}
    QProgressBar::chunk {{ background: {t.mean}; border-radius: 3px; }}
    QPlainTextEdit {{ background: {t.surface}; }}
    {_framed(t, 'QPlainTextEdit[role="field"]', 1, half, plain)}
    QMenu {{ background: {t.raised}; border: 1px solid {t.edge}; padding: {half}px; }}
    QMenu::item {{ padding: {half}px {3 * t.unit}px; border-radius: {half}px; }}
    QMenu::item:selected {{ background: {t.accent}; color: {t.accent_text}; }}
    QMenu::item:disabled {{ color: {t.disabled}; }}
    QMenu::separator {{ height: 1px; background: {t.line}; margin: {half // 2}px {t.unit}px; }}
    QStatusBar {{ background: {t.window}; color: {t.muted}; }}
    QDialogButtonBox, QMessageBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
    """


_SELECTED = 0.25  # of the accent in the ground of selected rows, upon which the colours of runs are seen


class _Frame(NamedTuple):
    """Colours of a control: its ground and its text, its edge, and the ring in its place while it has the focus."""

    ground: str
    text: str
    edge: str
    ring: str


def _framed(theme: Theme, selectors: str, down: int, across: int, frame: _Frame) -> str:
    """Rules for controls with ``down`` and ``across`` pixels around what is in them."""
    focused = ", ".join(f"{selector}:focus" for selector in selectors.split(", "))
    return f"""
    {selectors} {{
        background: {frame.ground}; color: {frame.text}; border: 1px solid {frame.edge};
        border-radius: {theme.radius}px; padding: {down}px {across}px; min-height: {theme.px(18)}px;
        selection-background-color: {theme.accent}; selection-color: {theme.accent_text};
        placeholder-text-color: {theme.muted};
    }}
    {focused} {{ border: 2px solid {frame.ring}; padding: {down - 1}px {across - 1}px; }}"""


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


def veil(bands: int) -> float:
    """The opacity of each of so many bands that lie upon each other: their colours are to stay apart."""
    return min(0.22, 0.6 / max(bands, 1))
