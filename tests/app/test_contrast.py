"""Colours that everyone can tell apart: contrast as WCAG 2 measures it, and what the colour-blind see of a choice."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from itertools import combinations

import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPalette
from PySide6.QtWidgets import QComboBox, QLineEdit, QListWidget, QWidget
from pytestqt.qtbot import QtBot

from app.style import icons
from app.style.swatch import draw_sign
from app.style.theme import Theme, apply_to, load_theme, palette, style_sheet
from app.window.main_window import MainWindow
from engine.equations import Part
from tests.each import each

TEXT, FAINT = 4.5, 3.0  # least contrasts: of text, and of edges and of what cannot be used now
GROUNDS = ("window", "surface", "raised")
SERIES = ("mean", "episodes", "threshold", "marker", "positive", "negative")
PARTS: tuple[Part, ...] = ("policy", "credit", "baseline", "update")
Linear = tuple[float, float, float]
# Machado, Oliveira and Fernandes (2009), full severity, on linear RGB.
SEEN = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
}


def linear(colour: str) -> Linear:
    def decoded(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    q = QColor(colour)
    return decoded(q.redF()), decoded(q.greenF()), decoded(q.blueF())


def contrast(one: str, other: str) -> float:
    """From 1 for alike to 21 for black and white."""
    dark, light = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (linear(one), linear(other)))
    return (light + 0.05) / (dark + 0.05)


def seen_with(blindness: str, colour: str) -> Linear:
    r, g, b = linear(colour)
    red, green, blue = (min(max(x * r + y * g + z * b, 0.0), 1.0) for x, y, z in SEEN[blindness])
    return red, green, blue


def difference(one: Linear, other: Linear) -> float:
    """The distance in CIE L*a*b*; about 2 can just be seen side by side."""

    def lab(colour: Linear) -> tuple[float, float, float]:
        r, g, b = colour
        x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505
        y = 0.2126 * r + 0.7152 * g + 0.0722 * b
        z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089
        f = [t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z)]
        return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])

    return math.dist(lab(one), lab(other))


@pytest.fixture(params=["dark", "light"])
def theme(request: pytest.FixtureRequest, qapp: object) -> Theme:
    return load_theme(request.param)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def pairs() -> Iterator[tuple[str, str, float]]:
    """Colours that stand on each other, by their names in the theme, with the contrast that they need."""
    for name in ("text", "muted"):
        yield from ((name, ground, TEXT) for ground in GROUNDS)
    yield "text", "line", TEXT  # of what is checked
    yield "accent_text", "accent", TEXT
    for name in ("error", "warning"):
        yield from ((name, ground, TEXT) for ground in ("window", "surface"))
    yield from ((part, "surface", TEXT) for part in PARTS)
    yield "mean", "surface", TEXT
    yield from ((name, "surface", FAINT) for name in SERIES)
    for name in ("edge", "focus", "disabled"):
        yield from ((name, ground, FAINT) for ground in GROUNDS)
    yield "text", "accent", FAINT  # the ring around the main action
    yield "accent", "window", FAINT
    yield "disabled", "surface", FAINT


@each(("over", "ground", "least"), [*pairs()])
def test_what_stands_on_a_ground_can_be_read_there(theme: Theme, over: str, ground: str, least: float) -> None:
    assert contrast(getattr(theme, over), getattr(theme, ground)) >= least


def test_lines_of_runs_can_be_seen_wherever_they_are_drawn(theme: Theme) -> None:
    least = min(contrast(colour, getattr(theme, ground)) for colour in theme.runs for ground in ("window", "surface"))
    assert least >= FAINT


def test_the_palette_can_be_read(theme: Theme) -> None:
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    on = {
        role.WindowText: role.Window,
        role.Text: role.Base,
        role.ButtonText: role.Button,
        role.PlaceholderText: role.Base,
        role.ToolTipText: role.ToolTipBase,
        role.HighlightedText: role.Highlight,
    }
    given = palette(theme)
    for over, ground in on.items():
        for which, least in ((group.Active, TEXT), (group.Inactive, TEXT), (group.Disabled, FAINT)):
            text, under = given.color(which, over), given.color(which, ground)
            assert text.alpha() == 255
            assert contrast(text.name(), under.name()) >= least, (over, which)


def test_every_rule_of_the_style_sheet_can_be_read(theme: Theme) -> None:
    """Where a rule says a colour of text, it can be read on the ground of the rule, or on those it may stand on."""
    found = 0
    for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", style_sheet(theme)):
        said = dict(re.findall(r"(?<![\w-])(color|background): (#\w{6})", body))
        if "color" not in said:
            continue
        found += 1
        grounds = [said["background"]] if "background" in said else [theme.window, theme.surface]
        least = FAINT if "disabled" in selector else TEXT
        assert min(contrast(said["color"], ground) for ground in grounds) >= least, selector
    assert found > 20


@pytest.mark.parametrize("make", [QLineEdit, QComboBox])
def test_words_beside_a_value_can_be_read(theme: Theme, make: type[QWidget], qtbot: QtBot) -> None:
    """Units and placeholders: a style sheet takes half of the text's colour where it is told nothing else."""
    field = make()
    qtbot.addWidget(field)
    apply_to(field, theme)
    for enabled, ground, least in ((True, theme.raised, TEXT), (False, theme.surface, FAINT)):
        field.setEnabled(enabled)
        field.ensurePolished()
        colour = field.palette().placeholderText().color()
        assert colour.alpha() == 255
        assert contrast(colour.name(), ground) >= least


def test_what_can_be_ticked_in_a_list_has_a_box_that_is_seen_and_two_do_not_touch(theme: Theme, qtbot: QtBot) -> None:
    listed = QListWidget()
    qtbot.addWidget(listed)
    apply_to(listed, theme)
    listed.addItems(["", ""])
    for row in range(2):
        listed.item(row).setCheckState(Qt.CheckState.Unchecked)
    listed.show()
    qtbot.waitExposed(listed)
    image, place = listed.viewport().grab().toImage(), listed.visualItemRect(listed.item(0))
    ground = image.pixelColor(image.width() - 1, image.height() - 1).name()
    seen = [
        [contrast(image.pixelColor(x, y).name(), ground) >= FAINT for x in range(place.height() + 8)]
        for y in range(2 * place.height())
    ]
    assert any(map(any, seen[: place.height()]))
    assert not any(seen[place.height() - 1]) or not any(seen[place.height()])


def test_choices_are_told_by_their_shapes_alone(qapp: object) -> None:
    """Drawn in one grey, at the size in which they stand beside a picker."""

    def drawn(part: Part) -> QImage:
        image = QImage(9, 9, QImage.Format.Format_Grayscale8)
        image.fill(0)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor("#ffffff"))
        draw_sign(painter, part, QRectF(0, 0, 9, 9))
        painter.end()
        return image

    for one, other in combinations([drawn(part) for part in PARTS], 2):
        places = [(x, y) for x in range(9) for y in range(9)]
        unlike = sum(abs(one.pixelColor(*at).value() - other.pixelColor(*at).value()) > 100 for at in places)
        assert unlike >= 20


@pytest.mark.parametrize("blindness", SEEN)
def test_the_colour_blind_tell_choices_from_each_other_and_from_plain_text(theme: Theme, blindness: str) -> None:
    for one, other in combinations((*PARTS, "text", "muted"), 2):
        if {one, other} != {"text", "muted"}:
            colours = [seen_with(blindness, getattr(theme, name)) for name in (one, other)]
            assert difference(*colours) >= 12, (one, other)


@pytest.mark.parametrize("blindness", SEEN)
@pytest.mark.parametrize(("one", "other"), [("positive", "negative"), ("mean", "threshold"), ("mean", "marker")])
def test_the_colour_blind_tell_series_apart(theme: Theme, blindness: str, one: str, other: str) -> None:
    assert difference(seen_with(blindness, getattr(theme, one)), seen_with(blindness, getattr(theme, other))) >= 20


def test_every_icon_in_a_menu_is_seen(make_window: Callable[..., MainWindow]) -> None:
    window = make_window()
    icons.load()
    for name in ("dark", "light"):
        window.look.choose(name)
        ground = load_theme(name).raised
        for action in window.actions_by_name.values():
            picture = action.icon().pixmap(32).toImage()
            if action.isIconVisibleInMenu() and not picture.isNull():
                pixels = [picture.pixelColor(x, y) for x in range(32) for y in range(32)]
                ink = max(pixels, key=QColor.alphaF)
                assert contrast(ink.name(), ground) >= FAINT, (name, action.text())
